/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* One request and its response: the struct that all steps share, its life and its events. The way
 * it takes is in steps.h.
 *
 * Life: exchange_new … exchange_start … io->done, then back into the worker's pool, unless a fetch
 * in the background still needs the request's facts (exchange_hold). Events from the session come
 * from the loop only, never inside a call that a step made.
 *
 * Thread: the worker's. Owns: its arena, what its parts say. Borrowed: the session until done. */
#include "config/rules/ruleset.h"
#include "gateway/destination.h"
#include "gateway/exchange_io.h"
#include "gateway/exchange_parts.h"
#include "gateway/steps.h"
#include "gateway/upstream/client.h"
#include "gateway/worker.h"

struct exchange {
    struct gw_list link; /* in worker->free_exchanges */
    struct worker *worker;
    struct worker_snapshot *ws;
    const struct snapshot_zone *zone; /* from ZONE on */
    const struct exchange_io *io;
    void *session;
    enum step step;
    bool running, resume_again; /* the driver is inside a step: resume is remembered */
    bool gone;                  /* the client went away */
    bool admin;                 /* of the admin listener */
    bool responded;             /* the response head was handed to the session */
    bool tunnel;                /* 101: raw bytes both ways */
    bool body_ended;            /* the request body was received whole */
    bool body_too_large;
    uint64_t body_received, body_max; /* bytes */
    int error;                 /* of the parser: the request is answered with it and nothing else */
    struct gw_str path, query; /* normalised; slices of request.url or of the arena */
    struct gw_str origin_path, origin_query; /* as the origin is asked */
    char ray[17];                            /* 16 hex digits, NUL */
    size_t edge;                             /* index in the snapshot */
    uint32_t isolate;
    uint64_t start_us;              /* real */
    struct gw_time now;             /* of the turn that started it */
    struct destination destination; /* from RULES on */
    struct edge_fault *fault;       /* in the arena; NULL: none was met */
    struct exchange_rate *rate;     /* in the arena; NULL: there are no rules */
    struct exchange_limit limit;
    struct exchange_cache cache;
    struct exchange_delivery delivery;
    struct exchange_reply reply;
    struct upstream_request *upstream;   /* PASS: ours */
    const struct h1_message *answer;     /* PASS: the origin's head, from on_head on */
    const struct headers *answer_fields; /* its fields, as response rules leave them */
    struct fetch *fetch;                 /* FETCH: the origin side of a fill that we lead */
    unsigned holds;                      /* 1 while io->done is to come, 1 for a fetch's facts */
    struct admin_call *admin_call;
    int origin_error;       /* GW_E… that REPLY turns into 52x */
    unsigned origin_status; /* for the log; 0: not asked */
    uint64_t origin_us;
    bool upstream_ended;
    struct gw_task next_turn;    /* of a step that has yielded */
    struct gw_str recorded_head; /* of the response, while the recorder is on (record.h) */
    unsigned status;             /* sent to the client */
    uint64_t bytes_sent;         /* body bytes */

    /* Not zeroed, which would cost more than most steps: session and steps fill what they use. */
    struct h1_message request;
    struct exchange_client client;
    struct gw_arena arena;
    struct cache_request cache_request;
    struct cache_policy cache_policy;
    struct ruleset_result rules;
    struct rules_request facts; /* what rules see, from RULES on (exchange_has_facts) */
    char first[4096] __attribute__((aligned(16)));
};

/* For sessions: takes an exchange from the worker's pool; the session fills request and client,
 * then starts it. */
struct exchange *exchange_new(struct worker *worker, const struct exchange_io *io, void *session);
/* Runs the steps as far as they go; `first` is NORMALISE, also after a parse error, or ADMIN. */
void exchange_start(struct exchange *x, enum step first);
/* For a request whose head never became complete: back into the pool, no log, no done. */
void exchange_discard(struct exchange *x);

/* Events from the session. */
void exchange_on_body(struct exchange *x, struct gw_str data);
void exchange_on_body_end(struct exchange *x);
void exchange_on_sendable(struct exchange *x);
void exchange_on_gone(struct exchange *x);
/* The request's body is broken (400) or did not come in time (408). */
void exchange_on_bad_body(struct exchange *x, unsigned status);
/* The client sends no more. False when that ended the exchange. */
bool exchange_on_eof(struct exchange *x);

/* For steps: to the session, and into the account of what was sent. */
void exchange_respond(struct exchange *x, const struct response *response);
void exchange_send(struct exchange *x, const struct iovec *parts, size_t count,
                   const struct conn_hold *hold);

/* A fetch that outlives the response (a refresh) keeps the request's facts alive. */
void exchange_hold(struct exchange *x);
void exchange_unhold(struct exchange *x);

/* Called by event handlers: something the current step waits for has happened. */
void exchange_resume(struct exchange *x);
/* For a step that could go on for long: the others on this loop first. Answers STEP_WAIT. */
enum step_result exchange_yield(struct exchange *x);

static inline const struct config_zone *exchange_zone(const struct exchange *x)
{
    return x->zone->config;
}
static inline struct gw_str exchange_edge_name(const struct exchange *x)
{
    return x->ws->snapshot->edges[x->edge].config->name;
}
/* True when this request can never have a response body (HEAD). */
static inline bool exchange_is_head(const struct exchange *x)
{
    return x->request.method_id == METHOD_HEAD;
}

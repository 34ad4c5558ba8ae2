/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* One request and its response: the struct that all steps share, and the driver that runs them.
 *
 *     accept → session ──head──► NORMALISE ► ZONE ► RULES ► LIMIT ► LOOKUP ──hit──────────► DELIVER
 * ► LOG │              │       │ └─ miss ► FETCH ──────►│ │ no zone      │ deny  └─ not eligible ►
 * PASS ► │ └──────────────┴────► REPLY ───────────────────►│
 *
 * One step = one file with one function step_x(exchange) → MORE | WAIT | DONE (Varnish's request
 * state machine is the model). A step that answers MORE has set x->step to the next one; WAIT means
 * that an event will call exchange_resume; event handlers only record what happened. A session
 * turns bytes into exchanges and exchanges into bytes; steps know no protocol. On a cache hit or a
 * local 429 all steps run in one go inside the read callback.
 *
 * Thread: the worker's. Owns: its arena and whatever its parts say. Borrowed: the session until
 * io->done. */
#include "cache/conditional.h"
#include "cache/reader.h"
#include "cache/store_decision.h"
#include "config/rules/ruleset.h"
#include "gateway/http/h1_parse.h"
#include "gateway/upstream/client.h"
#include "gateway/worker.h"
#include "limiter/limiter.h"

#define EXCHANGE_STEPS(X)                                                                          \
    X(NORMALISE, normalise) /* who asks, from where, for what: one normal form */                  \
    X(ZONE, zone)           /* which configuration answers for the host */                         \
    X(RULES, rules)         /* cache rules: the settings that hold for this request */             \
    X(LIMIT, limit)         /* the limiter of the route: admit, refuse, or wait for the backend */ \
    X(LOOKUP, lookup)       /* may it be cached; is it; who fetches */                             \
    X(FETCH, fetch)         /* waits for the head of a fill, its own or another's */               \
    X(PASS, pass)           /* streams between client and origin, nothing is kept */               \
    X(DELIVER, deliver)     /* sends from an object or a fill */                                   \
    X(REPLY, reply)         /* sends what the edge itself has to say */                            \
    X(ADMIN, admin)         /* answers a request of the admin listener */                          \
    X(LOG, log)             /* one line, counters, end */

#define X(id, name) STEP_##id,
enum step { EXCHANGE_STEPS(X) STEP_COUNT };
#undef X
enum step_result { STEP_MORE, STEP_WAIT, STEP_DONE };

/* What the edge says itself: an error page, the limiter's 429. Written by reply.h. */
struct exchange_reply {
    unsigned status;
    struct gw_str lines; /* whole header lines */
    struct gw_str body;
};

/* A response as a step hands it to the session. Framing, Connection and the empty line are the
 * session's. */
#define RESPONSE_LENGTH_UNKNOWN ((int64_t)-1) /* chunked, or until the connection closes */
#define RESPONSE_NO_LENGTH      ((int64_t)-2) /* nothing to add: no body, or the lines announce it */
struct response {
    unsigned status;
    struct gw_str reason;   /* empty: the standard one */
    struct gw_str head;     /* status line, maybe with header lines; empty: made from status */
    struct gw_str lines[3]; /* header lines in order, each whole; unused ones are empty */
    int64_t content_length;
    bool bodyless;            /* HEAD, 304: the length is announced, no body follows */
    bool tunnel;              /* 101: raw bytes both ways from here on */
    const struct iovec *body; /* what is at hand already */
    size_t body_parts;
    bool complete;         /* the body at hand is all of it */
    struct conn_hold hold; /* keeps `body` alive; release may be NULL when body is transient */
};

/* What a session offers to its exchange. `session` is the first argument of each. */
struct exchange_io {
    void (*informational)(void *session, unsigned status, struct gw_str lines);
    void (*respond)(void *session, const struct response *response);
    void (*send)(void *session, const struct iovec *parts, size_t count,
                 const struct conn_hold *hold);
    void (*end)(void *session); /* the response is complete */
    void (*cut)(void *session); /* it cannot be completed: end it so that the client sees that */
    void (*want_body)(void *session, bool want); /* request body: deliver, or hold back */
    bool (*congested)(void *session);            /* stop sending until exchange_on_sendable */
    void (*done)(void *session);                 /* the last call; the exchange is freed after it */
};

struct exchange_client { /* fixed by NORMALISE */
    struct gw_ip ip;
    char ip_text[GW_IP_TEXT_MAX];
    uint8_t ip_text_len;
    bool trusted;  /* the peer may speak for others */
    bool https;    /* scheme the visitor used, or stands for */
    uint16_t port; /* public port the visitor used, or stands for */
    struct net_address peer;
};

struct exchange_limit {
    const struct limiter_route *route;
    struct limiter_verdict verdict;
    struct limiter_call call;
    bool asked, decided;
    uint64_t key_hash; /* for the log */
};

struct exchange_cache {
    struct cache_place place; /* key hash, space, host and target (in the arena) */
    struct gw_str key;        /* canonical bytes, in the arena */
    enum cache_status status;
    enum cache_reason reason;
    struct cache_object *object; /* to deliver, or stale and to fall back on; a reference */
    struct cache_fill *fill;     /* joined or led; a reference */
    struct cache_reader reader;  /* of the fill, opened with it */
    uint32_t version;            /* of the fill, when it was looked at */
    struct cache_waiter waiter;  /* for fill events … */
    struct gw_task wake;         /* … which this task brings to our loop */
    _Atomic bool wake_posted;    /* it is on its way: the exchange outlives it */
    bool waiting;                /* for a notification */
    bool whole;                  /* deliver from `object`, not through the reader */
    unsigned attempts;           /* look-ups so far; leaders may die */
};

/* DELIVER's progress: the body is sent in parts, one for a full answer. */
struct exchange_delivery {
    enum cache_answer answer;
    struct cache_range_plan plan;
    struct cache_cursor at; /* in a whole object */
    uint64_t position;      /* in the body of the object, for both kinds of source */
    size_t part;
    bool part_begun; /* its introduction was sent */
    bool done;       /* nothing more to send */
};

struct exchange {
    struct gw_list link; /* in worker->free_exchanges */
    struct worker *worker;
    struct worker_snapshot *ws;
    const struct snapshot_zone *zone; /* from ZONE on */
    const struct exchange_io *io;
    void *session;
    enum step step;
    bool running; /* the driver is inside a step: resume is remembered */
    bool resume_again;
    bool gone;       /* the client went away */
    bool admin;      /* of the admin listener */
    bool responded;  /* the response head was handed to the session */
    bool tunnel;     /* 101: raw bytes both ways */
    bool body_ended; /* the request body was received whole */
    bool body_too_large;
    uint64_t body_received, body_max; /* bytes */

    struct h1_message request;
    int error;                 /* of the parser: the request is answered with it and nothing else */
    struct gw_str path, query; /* normalised; slices of request.url or of the arena */
    struct gw_str origin_path, origin_query; /* as the origin is asked */
    char ray[17];                            /* 16 hex digits, NUL */
    size_t edge;                             /* index in the snapshot */
    uint32_t isolate;
    struct exchange_client client;
    uint64_t start_us;  /* real */
    struct gw_time now; /* of the turn that started it */

    struct exchange_limit limit;
    struct exchange_cache cache;
    struct exchange_delivery delivery;
    struct exchange_reply reply;
    struct upstream_request *upstream; /* PASS: ours */
    const struct h1_message *answer;   /* PASS: the origin's head, from on_head on */
    struct fetch *fetch;               /* FETCH: the origin side of a fill that we lead */
    unsigned holds;                    /* 1 while io->done is to come, 1 for a fetch's facts */
    struct admin_call *admin_call;
    int origin_error;       /* GW_E… that REPLY turns into 52x */
    unsigned origin_status; /* for the log; 0: not asked */
    uint64_t origin_us;
    bool upstream_ended;

    unsigned status;     /* sent to the client */
    uint64_t bytes_sent; /* body bytes */

    /* From here on each step fills what it uses: zeroing it all would cost more than most steps. */
    struct gw_arena arena;
    struct cache_request cache_request;
    struct cache_policy cache_policy;
    struct ruleset_result rules;
    struct rules_request facts; /* what rules see; valid when the zone has cache rules */
    char first[4096] __attribute__((aligned(16)));
};

/* For sessions: takes an exchange from the worker's pool; the session fills request and client,
 * then starts it. */
struct exchange *exchange_new(struct worker *worker, const struct exchange_io *io, void *session);
/* Runs the steps as far as they go; `first` is NORMALISE, ADMIN, or REPLY after a parse error. */
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

/* For steps: to the session, and into the exchange's own account of what it has sent. */
void exchange_respond(struct exchange *x, const struct response *response);
void exchange_send(struct exchange *x, const struct iovec *parts, size_t count,
                   const struct conn_hold *hold);

/* A fetch that outlives the response (refresh in the background) keeps the request's facts alive.
 */
void exchange_hold(struct exchange *x);
void exchange_unhold(struct exchange *x);

/* Called by event handlers: something the current step waits for has happened. */
void exchange_resume(struct exchange *x);

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

#define X(id, name) enum step_result step_##name(struct exchange *x);
EXCHANGE_STEPS(X)
#undef X
/* A piece of an admin request's body. */
void step_admin_body(struct exchange *x, struct gw_str data);

/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the parts of a request to an origin share: its life and its sending (client.c), its attempts
 * (client_attempt.c), the answer (client_answer.c). Internal to gateway/upstream/client*. Thread:
 * the loop's. */
#include "gateway/upstream/client.h"

#define SPACE_SIZE ((size_t)3072) /* for usual heads of request and answer */

struct upstream_request {
    struct balancer *balancer;
    struct servers *servers; /* NULL: attempts are not counted (a probe) */
    size_t server;           /* of this attempt */
    uint32_t tried;          /* a bit for each server */
    unsigned tries;
    struct pool *pool; /* of the server; NULL between attempts */
    struct conn *conn;
    const struct upstream_events *events;
    void *ctx;
    struct pool_lease lease;
    struct gw_task begin;       /* an idle connection is used in a later turn, like a new one */
    struct gw_deadline fault;   /* its delay */
    struct gw_buf early;        /* body given while there is no connection */
    struct gw_deadline timeout; /* for reading, and for writing while something is queued */
    struct h1_parser *parser;
    struct h1_message message;
    struct upstream_call call; /* head points into the arena */
    uint64_t started_us, head_us;
    bool reused;     /* the connection has answered before */
    bool retried;    /* this is the second attempt */
    bool answered;   /* a byte of an answer came */
    bool head_given; /* to a connection, in any attempt */
    bool body_given; /* likewise: another attempt could not send it again */
    bool sent_all;   /* the whole request has been handed to the connection */
    bool body_over;  /* the owner has ended the body: said once more in each attempt */
    bool cut;        /* by a fault: the end comes in a later turn */
    bool reported;   /* how this attempt went */
    bool head_done;  /* on_head was called */
    bool tunnel;     /* after 101 */
    bool paused;     /* by the owner */
    bool told;       /* inside an event: the memory goes after it */
    bool gone;       /* cancelled or ended */
    struct gw_arena arena;
    char *space; /* the arena's first block: not in the struct, because a tunnel gives it back */
};

/* ---- client.c ---- */

void client_free(struct upstream_request *r);
/* The last event; the memory is still there for who reads on. */
void client_tell_end(struct upstream_request *r, int err);
/* The same from anywhere but inside a read. */
void client_finish(struct upstream_request *r, int err);
uint32_t client_read_timeout_ms(const struct upstream_request *r);
void client_set_timeout(struct upstream_request *r);
/* The head, and in the same write what there is of the body. */
void client_send_head(struct upstream_request *r, struct gw_str body);

/* ---- client_attempt.c ---- */

void client_attempts_init(struct upstream_request *r);
uint64_t client_now_ms(const struct upstream_request *r);
/* How the attempt under way went; the first word counts. */
void client_report(struct upstream_request *r, int err, unsigned status);
void client_end_attempt(struct upstream_request *r);
/* Begins in a later turn. */
void client_attempt(struct upstream_request *r, size_t server);
/* Begins now, with the start of the body, which need not be kept then. False: not yet. */
bool client_begin_with(struct upstream_request *r, struct gw_str body);
/* The connection has failed before an answer began; that a kept one has died says nothing about its
 * server. */
void client_lost(struct upstream_request *r, int err);
bool client_is_truncated(const struct upstream_request *r);

/* ---- client_answer.c ---- */

extern const struct conn_events client_events;
/* An answer without a connection. */
void client_answer_with(struct upstream_request *r, unsigned status);

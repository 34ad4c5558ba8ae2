/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* One exchange with an origin: get a connection, send the request, deliver the answer's head, body
 * and end, give the connection back.
 *
 *   CONNECT ──► SEND/WAIT ──head──► BODY ──► (end)        101: BODY is the tunnel, both ways raw
 *      │            │                │
 *      └────────────┴── error ───────┴──► (error)         cancel: no event comes any more
 *
 * Events come from later turns than upstream_start, in the order informational*, head, body*, end,
 * or error at any point; end and error are the last, and the request's memory goes right after them
 * (message included; of a 101 the message goes after the first on_batch). on_batch comes after the
 * events of one read, so that a head and the start of its body can go on together. on_sendable says
 * that the request's body can (again) be given. What is given before there is a connection waits
 * for it and goes out with the head.
 *
 * Safe reuse (RFC 9110 section 9.2.2, RFC 9112 section 9.3.1): a request that went out on a reused
 * connection which ends before any byte of an answer is sent once more on a fresh one, if it is
 * idempotent or not complete, and no byte of its body had left.
 *
 * Another server (balancer.h): a request whose connection fails before any byte of an answer goes
 * to another server of the origin within retry.tries and the budget, if no byte of its body had
 * left, and it is idempotent or nothing of it had left at all. Waiting in vain for an answer is no
 * failed connection: who has waited read_timeout_ms is not made to wait once more. A body that is
 * given meanwhile is kept for the next attempt.
 *
 * Errors: GW_ETIMEOUT_CONNECT, GW_ETIMEOUT_READ, GW_ETIMEOUT_WRITE, GW_ERESOLVE, GW_EPARSE (the
 * answer is no HTTP we accept), GW_ECLOSED (closed before a head), GW_ETRUNCATED (closed within the
 * body), GW_EHEADERS, or the kernel's. Thread: the loop's. Limits: heads as h1_limits in the call.
 */
#include "gateway/base/buf.h"
#include "gateway/http/h1_parse.h"
#include "gateway/upstream/balancer.h"

struct upstream_request;

struct upstream_events {
    void (*on_informational)(void *ctx, const struct h1_message *message); /* 1xx but 101 */
    void (*on_head)(void *ctx, const struct h1_message *message);          /* lives until the end */
    void (*on_body)(void *ctx, struct gw_str data);
    void (*on_end)(void *ctx);
    void (*on_batch)(void *ctx); /* what was read has been told: now is the time to act on it */
    void (*on_error)(void *ctx, int err);
    void (*on_sendable)(void *ctx);
};

#define UPSTREAM_NO_BODY ((int64_t)-2)
#define UPSTREAM_CHUNKED ((int64_t)-1)

/* What goes wrong on purpose, as if the origin had done it: caches, retries and health see no
 * difference. */
struct upstream_fault {
    bool active;
    bool one_server; /* attempts at another server than `server` go well */
    uint32_t server;
    uint32_t delay_ms; /* before anything else; as long as the read timeout or longer: 524 */
    int err;           /* then this instead of a connection … */
    unsigned status;   /* … or this answer … */
    bool truncates;    /* … or the connection ends behind so many bytes of the answer's body */
    uint32_t truncate_bytes;
};

#define UPSTREAM_ANY SIZE_MAX

struct upstream_call {
    struct gw_str
        head; /* request line and header lines without framing and without the empty line; copied */
    int64_t body_length; /* or one of the above; the framing header is written from it */
    bool idempotent;
    enum http_method method; /* HEAD changes the answer's framing */
    bool upgrade;            /* a 101 answer turns this into a tunnel */
    struct h1_limits limits;
    uint32_t read_timeout_ms; /* 0: the origin's own */
    /* UPSTREAM_ANY, or, for a probe, this server and no other: on a connection of its own, tried
     * once, and what becomes of it counts nowhere. */
    size_t server;
    struct upstream_fault fault;
    enum servers_speech speech; /* where the server's URL leaves the scheme open */
};

struct upstream_request *upstream_start(struct balancer *balancer, const struct upstream_call *call,
                                        const struct upstream_events *events, void *ctx);
/* Nothing is told any more. The connection is closed, unless the answer was complete. */
void upstream_cancel(struct upstream_request *r);
/* The events go to somebody else from now on. */
void upstream_set_owner(struct upstream_request *r, const struct upstream_events *events,
                        void *ctx);

/* A piece of the request's body (or of the tunnel), sent or queued. The caller stops giving while
 * upstream_congested. */
void upstream_send(struct upstream_request *r, struct gw_str data);
void upstream_send_end(struct upstream_request *r);
bool upstream_congested(const struct upstream_request *r);

/* Backpressure on the answer. */
void upstream_pause(struct upstream_request *r);
void upstream_resume(struct upstream_request *r);

/* The server of the last attempt; UPSTREAM_ANY before the first. */
size_t upstream_server(const struct upstream_request *r);
/* Real microseconds from start to the head; 0 before it. */
uint64_t upstream_head_us(const struct upstream_request *r);

/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A client's connection, whatever version of HTTP it speaks: what a worker can do with it, and who
 * decides the version.
 *
 * The version is HTTP/1 at once on a plain listener. Where HTTP/2 may come (`h2c`: the client
 * begins with its preface, RFC 9113 section 3.3) a session of 24 bytes waits for the first ones and
 * then makes way; no Upgrade: h2c, which that RFC has given up.
 *
 * Thread: the worker's. Owns: itself; freed when its connection is closed. Limits: the head's
 * timeout holds from the first byte of a preface on. */
#include "gateway/exchange.h"

/* Where a session came in. Borrowed; it lives as long as the worker. The edge is kept by name: a
 * reload may number edges anew. */
struct session_door {
    struct worker *worker;
    char edge[4];  /* name and NUL; the snapshot it was read from may be gone */
    uint16_t port; /* public port it stands for */
    bool https;    /* visitors are taken to come by TLS */
    bool admin;
    bool h2c;               /* HTTP/2 without TLS, by prior knowledge */
    struct tls_server *tls; /* NULL: plain. A reference; a reload puts new certificates here */
    struct gw_str address;  /* as written, by which a reload finds it; owned, NUL behind it */
    uint16_t bound_port;    /* 0: a Unix socket */
};

struct session;

struct session_ops {
    void (*drain)(struct session *s);
};

/* The first member of every session. */
struct session {
    struct gw_list link; /* in worker->sessions */
    const struct session_ops *ops;
    struct worker *worker;
    const struct session_door *door;
    struct conn *conn;
    uint32_t serial;      /* chooses the isolate */
    struct rules_tls tls; /* what the handshake settled */
};

/* For the listener. */
void session_accept(struct worker *worker, const struct session_door *door, struct conn *c);

/* For the worker, over its list. Draining: an idle session gets a second for a request that may be
 * on its way; then it ends, as do the others after what they are at. */
void session_drain(struct gw_list *link);
/* At once. */
void session_kill(struct gw_list *link);

#define SESSION_DRAIN_GRACE_MS 1000

/* For the versions: enters the worker's books; takes the connection's events over. */
void session_begin(struct session *s, const struct session_ops *ops,
                   const struct session_door *door, struct conn *c);
/* Leaves them; from on_close, last but freeing `s`. */
void session_end(struct session *s);
/* An exchange that knows its client; its head is still empty. `ctx` is what io's functions get. */
struct exchange *session_exchange(struct session *s, const struct exchange_io *io, void *ctx);

static inline const struct config_timeouts *session_timeouts(const struct session *s)
{
    return &s->worker->current->snapshot->config->timeouts;
}

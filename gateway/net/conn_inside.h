/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A connection as its layers see it: between the socket, whose bytes libuv moves, and the owner's
 * events stands one layer, the plain one (conn.c) or TLS (tls_conn.c). Raw bytes go down by
 * conn_raw_write and come up by the layer's functions. Internal to gateway/net. Thread: the loop's.
 * Owns: conn.h says what. */
#include <uv.h>

#include "gateway/net/conn_tls.h"

struct tls_conn;

struct conn_layer {
    void (*on_bytes)(struct conn *c, struct gw_str bytes);
    void (*on_end)(struct conn *c, int err); /* nothing more is read; 0: the peer's FIN */
    void (*on_sent)(struct conn *c);         /* every raw byte has left, also while finishing */
    void (*on_resumed)(struct conn *c);      /* the owner reads again */
    /* As conn_write. */
    int (*write)(struct conn *c, const struct iovec *parts, size_t count,
                 const struct conn_hold *hold);
    void (*shut)(struct conn *c); /* ends the sending side, behind what is queued: conn_raw_shut */
    void (*last_word)(struct conn *c); /* before a close, nothing is queued; NULL: there is none */
    void (*release)(struct conn *c);   /* the handle is closed */
};

extern const struct conn_layer conn_plain;

struct conn {
    union {
        uv_handle_t handle;
        uv_stream_t stream;
        uv_tcp_t tcp;
        uv_pipe_t pipe;
    };
    struct gw_loop *loop;
    const struct conn_events *events;
    void *ctx;
    const struct conn_layer *layer;
    struct tls_conn *tls; /* the TLS layer's */
    size_t queued;        /* raw bytes that the kernel has not taken */
    size_t waiting;       /* bytes that the layer has not made raw ones of */
    struct net_address peer;
    struct gw_deadline linger;
    struct gw_task connect_failure;
    int connect_error;
    struct gw_task in_line; /* has read its share and waits for another */
    uint64_t turn;          /* to which may_read belongs */
    size_t may_read, has_read;
    size_t work;       /* what the bytes read in it have caused (conn_spend) */
    unsigned refusals; /* since it waits */
    bool granted;      /* may_read is a share from the line, spent already */
    bool held;         /* not polled because it has waited long */
    bool reading;      /* the owner wants bytes */
    bool polling;      /* the socket is read */
    bool eof, closing, finishing, shut;
};

/* Reads the socket, or not, whatever the owner wants (conn_read.c). */
void conn_poll(struct conn *c, bool on);
void conn_read_init(struct conn *c);
/* conn_write below the layer. */
GW_MUST int conn_raw_write(struct conn *c, const struct iovec *parts, size_t count,
                           const struct conn_hold *hold);
void conn_raw_shut(struct conn *c);

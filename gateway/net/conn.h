/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A byte stream over TCP or a Unix socket, from accept or from connect: read, write, pause, close.
 * The protocol above never sees libuv, and TLS slides in below without it noticing (one table of
 * operations, conn_inside.h; Valkey's connection.h is the model).
 *
 * Life: conn_new_* → events … → on_close, exactly once and last; the memory goes after it.
 * conn_close may be called at any time and from any callback; events other than on_close do not
 * come after it. Reading: `data` of on_read is valid during the call only (it is the worker's read
 * buffer). Writing: conn_write tries the socket at once, so that an answer costs one system call;
 * what the kernel does not take is queued. Backpressure is the caller's: while conn_queued is over
 * its mark it pauses its source; on_drain says when the queue is empty. Thread: the loop's. Owns:
 * itself; the caller's ctx is borrowed until on_close. */
#include <sys/uio.h>

#include "gateway/base/err.h"
#include "gateway/net/address.h"
#include "gateway/net/loop.h"

struct conn;
struct gw_mapping;

struct conn_events {
    void (*on_connect)(void *ctx, int err); /* conn_connect, conn_tls_*: 0 or why not; close it */
    void (*on_read)(void *ctx, struct gw_str data);
    void (*on_eof)(void *ctx);            /* the peer sends no more; writing still works */
    void (*on_drain)(void *ctx);          /* everything queued has left */
    void (*on_error)(void *ctx, int err); /* reading or writing failed; close it */
    void (*on_close)(void *ctx);
};

/* Bytes borrowed by a write that could not finish at once: release(object) is called when they are
 * not needed any more. Parts before number `from` are transient: what is left is copied. */
struct conn_hold {
    void (*release)(void *object);
    void *object;
    size_t from;
    const struct gw_mapping *mapping; /* borrowed parts in it may go by reference; NULL: copied */
    void (*lend)(void *object);       /* with a mapping: called when bytes have gone that way */
};

/* Starts connecting; on_connect follows in a later turn. */
struct conn *conn_connect(struct gw_loop *loop, const struct net_address *to,
                          const struct conn_events *events, void *ctx);
/* Replaces events and ctx, for a pooled connection that changes hands. Reading goes on as it is:
 * stopping and starting it would cost two system calls. NULL: nobody listens until the next call,
 * which follows before the loop turns. */
void conn_set_owner(struct conn *c, const struct conn_events *events, void *ctx);

/* Reading starts paused. Both are idempotent. */
void conn_resume(struct conn *c);
void conn_pause(struct conn *c);

/* Sends all parts in order. At most CONN_IOV_MAX parts. What is not taken at once is copied, or,
 * with hold, borrowed until hold->release. Returns 0 (sent or queued) or a negative errno; on an
 * error nothing is held, close the connection. release is called exactly once in every case. */
#define CONN_IOV_MAX 64
GW_MUST int conn_write(struct conn *c, const struct iovec *parts, size_t count,
                       const struct conn_hold *hold);
static inline size_t conn_bytes(const struct iovec *parts, size_t count)
{
    size_t bytes = 0;
    for (size_t i = 0; i < count; i++)
        bytes += parts[i].iov_len;
    return bytes;
}
size_t conn_queued(const struct conn *c);
/* What was read has caused as much work as moving so many bytes does (loop.h): a connection that
 * asks for much in few bytes waits its turn like one that sends much. */
void conn_spend(struct conn *c, size_t bytes);
/* The kernel's number, -1 when closed: for judging how many are left, not for use. */
int conn_descriptor(const struct conn *c);

void conn_close(struct conn *c); /* at once; queued bytes are lost */
/* The same, by a reset, which no peer takes for an orderly end (a Unix socket is just closed). */
void conn_reset(struct conn *c);
void conn_abandon(struct conn *c); /* closes it, and the owner hears no more, not even on_close */
/* Politely: what is queued goes out, then the sending side is shut and what the peer still sends is
 * read away for up to two seconds, so that the kernel does not answer unread bytes with a reset
 * that destroys our last words (RFC 9112 section 9.6). */
void conn_finish(struct conn *c);
/* The same for a peer that has said all and whose every byte was read: there is nothing to wait
 * for. */
void conn_end(struct conn *c);
/* Shuts the sending side after what is queued; reading goes on (tunnels). */
void conn_shut_write(struct conn *c);

bool conn_is_closing(const struct conn *c);
bool conn_has_ended(const struct conn *c); /* looks at the socket: the end is not told yet */
const struct net_address *conn_peer(const struct conn *c);
struct gw_loop *conn_loop(const struct conn *c);

/* For the listener: takes one waiting connection off a listening libuv stream; NULL when that
 * failed. */
struct uv_stream_s;
struct conn *conn_accept(struct gw_loop *loop, struct uv_stream_s *server, int *err);

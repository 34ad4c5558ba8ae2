/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A listening socket of one worker. TCP listeners are bound with SO_REUSEPORT, so that every worker
 * has its own accept queue and the kernel spreads connections; a Unix socket belongs to one worker.
 *
 * When descriptors run out, libuv gives up its spare one to accept and close the waiting
 * connection, and tells nobody: who wants to know refuses before (conn_descriptor). Thread: the
 * loop's. Owns: its socket, and the path of a Unix socket that it bound itself: that one is
 * unlinked on close. */
#include "gateway/net/conn.h"

struct listener;

/* 0, or -EADDRINUSE when another socket listens there already, also one on all addresses. To be
 * asked before listener_open of any worker: with SO_REUSEPORT a second process of the same user
 * would get half of the first one's visitors, and neither would know. Unix sockets find that out by
 * themselves. */
GW_MUST int listener_probe(const struct net_address *at);

/* on_accept gets a connection without owner; it calls conn_set_owner or conn_close at once. */
struct listener *listener_open(struct gw_loop *loop, const struct net_address *at,
                               void (*on_accept)(void *ctx, struct conn *c), void *ctx, int *err);
/* The same on a stream socket that listens already and may be shared with others, who then see its
 * connections first or find them gone. Takes the descriptor over in every case. */
struct listener *listener_adopt(struct gw_loop *loop, int fd,
                                void (*on_accept)(void *ctx, struct conn *c), void *ctx, int *err);
/* The bound address: with port 0 the one the kernel chose. */
struct net_address listener_address(const struct listener *l);
/* Stops accepting at once; the memory goes in a later turn. */
void listener_close(struct listener *l);

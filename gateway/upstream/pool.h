/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Connections of one worker to one origin: idle ones waiting for reuse, and making new ones.
 *
 * Idle connections are reused newest first (the one most likely to be alive still), at most
 * POOL_IDLE_MAX are kept, and each is watched: what arrives unasked, or the origin's closing, ends
 * it. haproxy's connection-reuse.txt is the model for the rule that follows from it: a request on a
 * reused connection may die before its first answer byte although nothing is wrong, and may then be
 * sent once more (client.h). A host name is resolved at most once in POOL_RESOLVE_MS: the system's
 * resolver does not tell how long an answer holds, and libuv's is the one every /etc/hosts,
 * nsswitch and container DNS is configured for (c-ares would know TTLs and read none of these). Its
 * addresses are raced (gateway/net/dial.h). Thread: the loop's. Owns: its idle connections. The
 * origin's configuration is borrowed: a pool belongs to a snapshot's zone and is replaced, not
 * changed. */
#include "config/zone.h"
#include "gateway/net/conn.h"
#include "gateway/net/dial.h"

#define POOL_IDLE_MAX   256
#define POOL_RESOLVE_MS 30000

struct pool;
struct tls_client;

/* One attempt to get a connection. Embedded in the request. */
struct pool_lease {
    void (*ready)(struct pool_lease *lease, struct conn *c, int err); /* c belongs to the caller */
    struct gw_list link;                                              /* waiting for the resolver */
    struct pool *pool;
    struct dial dial;
    struct conn *greeting; /* in the TLS handshake, or NULL */
    struct gw_deadline connect_deadline;
};

/* With `tls`, which is held, connections have had their handshake. */
struct pool *pool_new(struct gw_loop *loop, const struct config_origin *origin,
                      struct tls_client *tls);
/* Its owner lets go: idle connections are closed, none is kept any more; the memory goes with the
 * last hold. NULL is fine. */
void pool_retire(struct pool *p);
/* Requests hold their pool. */
struct pool *pool_hold(struct pool *p);
void pool_unhold(struct pool *p);
const struct config_origin *pool_origin(const struct pool *p);
struct gw_loop *pool_loop(const struct pool *p);

/* An idle connection, or NULL. The caller takes it over (conn_set_owner). */
struct conn *pool_take_idle(struct pool *p);
/* A new connection: lease->ready follows in a later turn, with a connection or with
 * GW_ETIMEOUT_CONNECT, GW_ERESOLVE, GW_ETLS, GW_ECERT or the kernel's error. */
void pool_connect(struct pool *p, struct pool_lease *lease);
void pool_connect_cancel(struct pool_lease *lease);
/* Gives a connection back that is at the end of a message, or closes it when there are enough. */
void pool_put_idle(struct pool *p, struct conn *c);

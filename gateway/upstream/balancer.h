/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* One worker's way to an origin: a pool of connections for each of its servers and schemes, and the
 * servers' common state (servers.h), which all workers share. Thread: the loop's. Owns: its pools.
 * Borrowed: the servers and their configuration, which belong to a snapshot and outlive it. */
#include "gateway/upstream/pool.h"
#include "gateway/upstream/servers.h"

struct balancer;

struct balancer *balancer_new(struct gw_loop *loop, struct servers *servers);
/* Its owner lets go: idle connections are closed; the memory goes with the last hold. NULL is fine.
 */
void balancer_retire(struct balancer *b);
/* Requests hold their balancer. */
struct balancer *balancer_hold(struct balancer *b);
void balancer_unhold(struct balancer *b);

struct gw_loop *balancer_loop(const struct balancer *b);
struct servers *balancer_servers(const struct balancer *b);
/* `speech` decides where the server's URL leaves the scheme open. */
struct pool *balancer_pool(const struct balancer *b, size_t server, enum servers_speech speech);

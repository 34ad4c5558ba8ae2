/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The counters of this process: tables split by key hash, each behind a mutex that is held for one
 * operation and never across a callback of another module. Also what the redis backend's failure
 * policy "memory" counts with.
 *
 * Thread: any. Owns: copies of the keys. Limits: `max` keys over all shards. */
#include "limiter/table.h"

struct embedded;

struct embedded *embedded_new(size_t max);
void embedded_free(struct embedded *e);

/* As table_take, under the shard's lock. */
GW_MUST uint32_t embedded_take(struct embedded *e, struct gw_str key, struct window_rule rule,
                               uint32_t cost, uint64_t now_ms, struct window *after);
bool embedded_del(struct embedded *e, struct gw_str key);
/* All entries, shard by shard, until `visit` says false. It runs under a shard's lock: it copies
 * what it needs and calls nothing of this module. */
void embedded_visit(struct embedded *e,
                    bool (*visit)(void *ctx, struct gw_str key, const struct window *w), void *ctx);
void embedded_count(struct embedded *e, uint64_t *keys, uint64_t *evictions);

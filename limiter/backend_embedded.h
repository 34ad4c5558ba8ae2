/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What this process counts and remembers itself: windows, Workers KV and its copies at the edges,
 * and what the machines of bindings believe. Also what the redis backend's failure policy "memory"
 * counts with.
 *
 * Thread: any. Owns: copies of the keys. Limits: `max` windows; kv_store.h and binding.h have
 * theirs. */
#include "limiter/binding.h"
#include "limiter/kv_store.h"
#include "limiter/shards.h"

struct embedded {
    struct shards *windows; /* storage key -> struct window */
    struct kv_store *kv;
    struct binding *binding;
};

struct embedded *embedded_new(size_t max);
void embedded_free(struct embedded *e);

/* As table_take, under the shard's lock. */
GW_MUST uint32_t embedded_take(struct embedded *e, struct gw_str key, struct window_rule rule,
                               uint32_t cost, uint64_t now_ms, struct window *after);
/* Everything that is known under a storage key; whether a counter was. */
bool embedded_forget(struct embedded *e, struct gw_str key);
/* Windows and values of KV; copies and beliefs do not count. */
void embedded_count(struct embedded *e, uint64_t *keys, uint64_t *evictions);

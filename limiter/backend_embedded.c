/* SPDX-License-Identifier: Apache-2.0 */
#include "limiter/backend_embedded.h"

struct embedded *embedded_new(size_t max)
{
    struct embedded *e = gw_zalloc(sizeof(*e));
    e->windows = shards_new(max, sizeof(struct window));
    e->kv = kv_store_new();
    e->binding = binding_new();
    return e;
}

void embedded_free(struct embedded *e)
{
    if (!e)
        return;
    shards_free(e->windows);
    kv_store_free(e->kv);
    binding_free(e->binding);
    free(e);
}

uint32_t embedded_take(struct embedded *e, struct gw_str key, struct window_rule rule,
                       uint32_t cost, uint64_t now_ms, struct window *after)
{
    struct table_key hashed = table_key(key);
    struct shard *shard = shard_lock(e->windows, hashed.hash);
    uint32_t granted = table_take(&shard->table, hashed, rule, cost, now_ms, after);
    shard_unlock(shard);
    return granted;
}

bool embedded_forget(struct embedded *e, struct gw_str key)
{
    binding_forget(e->binding, key);
    bool was_value = kv_store_forget(e->kv, key);
    return shards_del(e->windows, key) || was_value;
}

void embedded_count(struct embedded *e, uint64_t *keys, uint64_t *evictions)
{
    *keys = *evictions = 0;
    shards_count(e->windows, keys, evictions);
    kv_store_count(e->kv, keys, evictions);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "limiter/kv_store.h"

#include <stdatomic.h>

#include "limiter/shards.h"
#include "limiter/store.h"

#define COPY_KEY_MAX (STORAGE_EDGE_MAX + 1 + STORAGE_KEY_MAX)

struct kv_store {
    struct shards *keys; /* storage key -> struct kv_key */
    /* Edge, NUL, storage key -> struct kv_copy; in the shard of the storage key alone, so that all
     * copies of a key are found in one. */
    struct shards *copies;
    _Atomic uint64_t epoch; /* keys forgotten, whichever: resets are rare, a copy is soon remade */
};

struct kv_store *kv_store_new(void)
{
    struct kv_store *kv = gw_zalloc(sizeof(*kv));
    kv->keys = shards_new(KV_KEYS_MAX, sizeof(struct kv_key));
    kv->copies = shards_new(KV_COPIES_MAX, sizeof(struct kv_copy));
    return kv;
}

void kv_store_free(struct kv_store *kv)
{
    if (!kv)
        return;
    shards_free(kv->keys);
    shards_free(kv->copies);
    free(kv);
}

/* ---- copies ---- */

/* NUL between them, which is in no edge's name: two pairs cannot make one key. */
static struct table_key copy_key(struct gw_str edge, struct gw_str key, char out[COPY_KEY_MAX])
{
    edge = gw_str_first(edge, STORAGE_EDGE_MAX);
    key = gw_str_first(key, STORAGE_KEY_MAX);
    if (edge.len)
        memcpy(out, edge.ptr, edge.len);
    out[edge.len] = '\0';
    memcpy(out + edge.len + 1, key.ptr, key.len);
    return table_key(gw_str(out, edge.len + 1 + key.len));
}

uint64_t kv_copy_epoch(const struct kv_store *kv)
{
    return atomic_load(&kv->epoch);
}

bool kv_copy_find(struct kv_store *kv, struct gw_str edge, struct gw_str key, uint64_t at_ms,
                  struct window *value)
{
    char text[COPY_KEY_MAX];
    struct table_key at = copy_key(edge, key, text);
    struct shard *shard = shard_lock(kv->copies, gw_hash(key));
    const struct kv_copy *copy = table_find(&shard->table, at);
    bool fresh = copy && copy->due_ms > at_ms;
    if (fresh)
        *value = copy->value;
    shard_unlock(shard);
    return fresh;
}

void kv_copy_keep(struct kv_store *kv, struct gw_str edge, struct gw_str key,
                  const struct kv_copy *copy, uint64_t epoch, uint64_t at_ms)
{
    char text[COPY_KEY_MAX];
    struct table_key at = copy_key(edge, key, text);
    struct shard *shard = shard_lock(kv->copies, gw_hash(key));
    if (epoch == atomic_load(&kv->epoch))
        table_put(&shard->table, at, copy, at_ms);
    shard_unlock(shard);
}

/* ---- the central store ---- */

struct window kv_store_read(struct kv_store *kv, struct gw_str key, uint64_t place, uint64_t at_ms)
{
    struct table_key at = table_key(key);
    struct shard *shard = shard_lock(kv->keys, at.hash);
    const struct kv_key *k = table_find(&shard->table, at);
    struct window value = k ? kv_key_read(k, place, at_ms) : (struct window){0};
    shard_unlock(shard);
    return value;
}

bool kv_store_write(struct kv_store *kv, struct gw_str key, const struct kv_settings *settings,
                    const struct kv_write *write, uint64_t *next_ms)
{
    struct table_key at = table_key(key);
    struct shard *shard = shard_lock(kv->keys, at.hash);
    struct kv_key *k = table_open(&shard->table, at, write->at_ms);
    bool taken = kv_key_write(k, settings, write, next_ms);
    table_settle(&shard->table, k);
    shard_unlock(shard);
    return taken;
}

/* ---- the admin's view ---- */

static bool is_copy_of(void *ctx, struct gw_str copy, const void *record)
{
    (void)record;
    const struct gw_str *key = ctx;
    return gw_str_eq(gw_str_from(copy, gw_str_chr(copy, '\0') + 1), *key);
}

static void forget_copies(struct kv_store *kv, struct gw_str key)
{
    struct shard *shard = shard_lock(kv->copies, gw_hash(key));
    table_del_where(&shard->table, is_copy_of, &key);
    shard_unlock(shard);
}

/* In this order: who reads from here on finds nothing; who has read before either keeps a copy by
 * now, which goes, or comes with an old epoch. */
bool kv_store_forget(struct kv_store *kv, struct gw_str key)
{
    bool found = shards_del(kv->keys, key);
    atomic_fetch_add(&kv->epoch, 1);
    forget_copies(kv, key);
    return found;
}

struct newest_visit {
    bool (*visit)(void *ctx, struct gw_str key, const struct window *newest);
    void *ctx;
};

static bool visit_newest(void *ctx, struct gw_str key, const void *record)
{
    const struct newest_visit *v = ctx;
    struct window newest = kv_key_newest(record);
    return v->visit(v->ctx, key, &newest);
}

void kv_store_visit(struct kv_store *kv,
                    bool (*visit)(void *ctx, struct gw_str key, const struct window *newest),
                    void *ctx)
{
    struct newest_visit v = {visit, ctx};
    shards_visit(kv->keys, visit_newest, &v);
}

void kv_store_count(struct kv_store *kv, uint64_t *keys, uint64_t *evictions)
{
    shards_count(kv->keys, keys, evictions);
}

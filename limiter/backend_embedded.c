/* SPDX-License-Identifier: Apache-2.0 */
#include "limiter/backend_embedded.h"

#include <pthread.h>

/* Many small shards: two workers rarely meet in one, and growing one (the only operation longer
 * than a microsecond) moves some thousand slots, not a million. */
#define SHARD_BITS 8
#define SHARDS     (1u << SHARD_BITS)

struct shard {
    pthread_mutex_t lock;
    struct table table;
} __attribute__((aligned(64)));

struct embedded {
    struct shard shards[SHARDS];
};

struct embedded *embedded_new(size_t max)
{
    struct embedded *e = aligned_alloc(64, sizeof(*e));
    if (!e)
        abort();
    for (size_t i = 0; i < SHARDS; i++) {
        pthread_mutex_init(&e->shards[i].lock, NULL);
        table_init(&e->shards[i].table, (max + SHARDS - 1) / SHARDS);
    }
    return e;
}

void embedded_free(struct embedded *e)
{
    for (size_t i = 0; e && i < SHARDS; i++) {
        table_release(&e->shards[i].table);
        pthread_mutex_destroy(&e->shards[i].lock);
    }
    free(e);
}

/* The top bits choose the shard, the low ones the slot within it. */
static struct shard *lock_shard(struct embedded *e, uint64_t hash)
{
    struct shard *shard = &e->shards[hash >> (64 - SHARD_BITS)];
    pthread_mutex_lock(&shard->lock);
    return shard;
}

uint32_t embedded_take(struct embedded *e, struct gw_str key, struct window_rule rule,
                       uint32_t cost, uint64_t now_ms, struct window *after)
{
    struct table_key hashed = table_key(key);
    struct shard *shard = lock_shard(e, hashed.hash);
    uint32_t granted = table_take(&shard->table, hashed, rule, cost, now_ms, after);
    pthread_mutex_unlock(&shard->lock);
    return granted;
}

bool embedded_del(struct embedded *e, struct gw_str key)
{
    struct table_key hashed = table_key(key);
    struct shard *shard = lock_shard(e, hashed.hash);
    bool found = table_del(&shard->table, hashed);
    pthread_mutex_unlock(&shard->lock);
    return found;
}

struct visit {
    bool (*visit)(void *ctx, struct gw_str key, const struct window *w);
    void *ctx;
    bool stopped;
};

static bool visit_until_stopped(void *ctx, struct gw_str key, const struct window *w)
{
    struct visit *v = ctx;
    v->stopped = !v->visit(v->ctx, key, w);
    return !v->stopped;
}

void embedded_visit(struct embedded *e,
                    bool (*visit)(void *ctx, struct gw_str key, const struct window *w), void *ctx)
{
    struct visit v = {visit, ctx, false};
    for (size_t i = 0; i < SHARDS && !v.stopped; i++) {
        pthread_mutex_lock(&e->shards[i].lock);
        table_visit(&e->shards[i].table, visit_until_stopped, &v);
        pthread_mutex_unlock(&e->shards[i].lock);
    }
}

void embedded_count(struct embedded *e, uint64_t *keys, uint64_t *evictions)
{
    *keys = *evictions = 0;
    for (size_t i = 0; i < SHARDS; i++) {
        pthread_mutex_lock(&e->shards[i].lock);
        *keys += e->shards[i].table.count;
        *evictions += e->shards[i].table.evictions;
        pthread_mutex_unlock(&e->shards[i].lock);
    }
}

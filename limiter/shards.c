/* SPDX-License-Identifier: Apache-2.0 */
#include "limiter/shards.h"

/* 256 locks: with a worker a core, two seldom want the same one, and emptying one stops nobody
 * else. */
#define SHARD_BITS 8
#define SHARDS     (1u << SHARD_BITS)

struct shards {
    struct shard shards[SHARDS];
};

struct shards *shards_new(size_t max, size_t record_size)
{
    struct shards *s = aligned_alloc(64, sizeof(*s));
    if (!s)
        abort();
    for (size_t i = 0; i < SHARDS; i++) {
        pthread_mutex_init(&s->shards[i].lock, NULL);
        table_init_records(&s->shards[i].table, (max + SHARDS - 1) / SHARDS, record_size);
    }
    return s;
}

void shards_free(struct shards *s)
{
    for (size_t i = 0; s && i < SHARDS; i++) {
        table_release(&s->shards[i].table);
        pthread_mutex_destroy(&s->shards[i].lock);
    }
    free(s);
}

/* The top bits choose the shard, the low ones the slot within it. */
struct shard *shard_lock(struct shards *s, uint64_t hash)
{
    struct shard *shard = &s->shards[hash >> (64 - SHARD_BITS)];
    pthread_mutex_lock(&shard->lock);
    return shard;
}

bool shards_del(struct shards *s, struct gw_str key)
{
    struct table_key hashed = table_key(key);
    struct shard *shard = shard_lock(s, hashed.hash);
    bool found = table_del(&shard->table, hashed);
    shard_unlock(shard);
    return found;
}

void shards_clear(struct shards *s)
{
    for (size_t i = 0; i < SHARDS; i++) {
        pthread_mutex_lock(&s->shards[i].lock);
        table_clear(&s->shards[i].table);
        pthread_mutex_unlock(&s->shards[i].lock);
    }
}

struct visit {
    bool (*visit)(void *ctx, struct gw_str key, const void *record);
    void *ctx;
    bool stopped;
};

static bool visit_until_stopped(void *ctx, struct gw_str key, const void *record)
{
    struct visit *v = ctx;
    v->stopped = !v->visit(v->ctx, key, record);
    return !v->stopped;
}

/* One shard after the other, never all: what comes or goes meanwhile may be seen or not, which is
 * all that a list for people promises. */
void shards_visit(struct shards *s, bool (*visit)(void *ctx, struct gw_str key, const void *record),
                  void *ctx)
{
    struct visit v = {visit, ctx, false};
    for (size_t i = 0; i < SHARDS && !v.stopped; i++) {
        pthread_mutex_lock(&s->shards[i].lock);
        table_visit(&s->shards[i].table, visit_until_stopped, &v);
        pthread_mutex_unlock(&s->shards[i].lock);
    }
}

void shards_count(struct shards *s, uint64_t *keys, uint64_t *evictions)
{
    for (size_t i = 0; i < SHARDS; i++) {
        pthread_mutex_lock(&s->shards[i].lock);
        *keys += s->shards[i].table.count;
        *evictions += s->shards[i].table.evictions;
        pthread_mutex_unlock(&s->shards[i].lock);
    }
}

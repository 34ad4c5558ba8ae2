/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A table (table.h) that all workers share: split by key hash, each part behind a mutex that is
 * held for one operation and never across a callback of another module.
 *
 * Many small shards: two workers rarely meet in one, and growing one (the only operation longer
 * than a microsecond) moves some thousand slots, not a million.
 *
 * Thread: any. Owns: copies of the keys. Limits: `max` keys over all shards. */
#include <pthread.h>

#include "limiter/table.h"

struct shard {
    pthread_mutex_t lock;
    struct table table;
} __attribute__((aligned(64)));

struct shards;

/* record_size as in table_init_records. */
struct shards *shards_new(size_t max, size_t record_size);
void shards_free(struct shards *s);

/* The shard of a key, locked. */
struct shard *shard_lock(struct shards *s, uint64_t hash);
static inline void shard_unlock(struct shard *shard)
{
    pthread_mutex_unlock(&shard->lock);
}

bool shards_del(struct shards *s, struct gw_str key);
void shards_clear(struct shards *s);
/* All records, shard by shard, until `visit` says false. It runs under a shard's lock: it copies
 * what it needs and calls nothing of this module. */
void shards_visit(struct shards *s, bool (*visit)(void *ctx, struct gw_str key, const void *record),
                  void *ctx);
/* Adds to both. */
void shards_count(struct shards *s, uint64_t *keys, uint64_t *evictions);

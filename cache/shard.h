/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The store's inside, shared by the files that make it up (store, memory, purge, fill); nobody else
 * includes it.
 *
 * Locks: a shard's guards its index, queues, table of fills and numbers; a fill's guards what
 * readers and leader share. A fill's lock may be held when a shard's is taken (memory is reserved
 * while a body grows), never the other way round. Objects are released outside of shard locks.
 * Thread: any, by these locks. Owns: a shard one reference on each object in its index. Limits:
 * those of store.h and tags.h; CACHE_REMEMBERED keys. */
#include <pthread.h>
#include <stdatomic.h>

#include "cache/index.h"
#include "cache/memory.h"
#include "cache/s3fifo.h"
#include "cache/store.h"
#include "cache/tags.h"

#define CACHE_FILL_BUCKETS 16
#define CACHE_REMEMBERED   64

struct cache_shard {
    pthread_mutex_t lock;
    struct cache_index index;
    struct cache_queues queues;
    struct cache_tags tags;                   /* of the objects in the index */
    size_t variants;                          /* how many of them are variants */
    struct gw_list fills[CACHE_FILL_BUCKETS]; /* that can be joined, by hash */
    struct gw_list alone;                     /* that cannot: known here for purges only */
    /* Keys whose last answer could not be stored, by some bits of their hash, newest wins. Losing
     * one costs its next requests a wait for one another, nothing else. */
    uint64_t remembered[CACHE_REMEMBERED];
    struct cache_stats stats; /* memory is the store's */
} __attribute__((aligned(64)));

struct cache_space {
    struct cache_space *next;
    struct cache_store *store;
    char *zone, *edge;
    _Atomic uint64_t generation; /* purge_everything adds one */
    _Atomic uint64_t objects, bytes;
};

struct cache_store {
    struct cache_shard *shards;
    size_t shard_count; /* a power of two */
    struct config_cache limits;
    struct cache_slab *slab;
    _Atomic uint64_t memory; /* live bytes taken from it */
    _Atomic uint32_t hand;   /* the shard where the next eviction begins */
    pthread_mutex_t spaces_lock;
    struct cache_space *_Atomic spaces; /* only ever grows, at its front */
    pthread_mutex_t dead_lock;
    struct cache_body *_Atomic dead; /* large bodies to be freed piecemeal */
    _Atomic uint32_t to_sweep;       /* shards that may hold what purge_everything left, and 1 */
};

static inline struct cache_shard *cache_shard_of(struct cache_store *store, struct gw_hash128 hash)
{
    return &store->shards[(hash.lo >> 40) & (store->shard_count - 1)];
}
static inline struct gw_list *cache_shard_fills(struct cache_shard *shard, struct gw_hash128 hash)
{
    return &shard->fills[(hash.hi >> 8) % CACHE_FILL_BUCKETS];
}
static inline uint64_t *cache_shard_remembered(struct cache_shard *shard, struct gw_hash128 hash)
{
    return &shard->remembered[hash.hi % CACHE_REMEMBERED];
}
static inline uint64_t cache_space_generation(const struct cache_space *space)
{
    return atomic_load_explicit(&space->generation, memory_order_acquire);
}

static inline bool cache_object_is_dead(const struct cache_object *o)
{
    return o->generation != cache_space_generation(o->space);
}
/* Takes some dead objects out of one of the shards that are to be swept. */
void cache_store_sweep(struct cache_store *store);

/* With the lock held. Each hands the index's reference on what left to the caller, who drops it
 * after unlocking; NULL is possible. */
struct cache_object *cache_shard_insert(struct cache_shard *shard, struct cache_object *object);
void cache_shard_remove(struct cache_shard *shard, struct cache_object *object);
struct cache_object *cache_shard_evict(struct cache_shard *shard);

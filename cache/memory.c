/* SPDX-License-Identifier: Apache-2.0 */
#include "cache/memory.h"

#include "cache/shard.h"

#define BATCH         8 /* objects that one eviction takes out under one lock */
#define SPANS_GRANTED 8
#define HOLE_TURNS    ((size_t)32)
#define DEAD_A_TURN   ((size_t)8) /* segments of buried bodies that one turn frees */

void cache_memory_bury(struct cache_store *store, struct cache_body *body)
{
    pthread_mutex_lock(&store->dead_lock);
    body->next = store->dead;
    store->dead = body;
    pthread_mutex_unlock(&store->dead_lock);
}

/* Takes the body off the list while it frees, so that no lock is held meanwhile. */
static void free_some(struct cache_store *store)
{
    /* Without the lock, for every turn of every worker: a body that is missed now is seen the next
     * time. */
    if (!atomic_load_explicit(&store->dead, memory_order_relaxed))
        return;
    pthread_mutex_lock(&store->dead_lock);
    struct cache_body *body = store->dead;
    if (body)
        store->dead = body->next;
    pthread_mutex_unlock(&store->dead_lock);
    if (body && !cache_body_free_some(body, DEAD_A_TURN))
        cache_memory_bury(store, body);
}

void cache_store_tick(struct cache_store *store)
{
    cache_store_sweep(store);
    free_some(store);
}

bool cache_memory_has_room(const struct cache_store *store)
{
    return atomic_load_explicit(&store->memory, memory_order_relaxed) <= store->limits.max_size;
}

/* In a small cache a few half-used spans of each size are much: they are always granted. */
static bool resident_fits(const struct cache_store *store)
{
    return cache_slab_resident(store->slab) <=
           store->limits.max_size / 20 * 23 + SPANS_GRANTED * CACHE_SLAB_SPAN;
}

/* Some objects of one shard; whoever still reads one of them keeps its memory. */
static void evict_some(struct cache_shard *shard, size_t wanted)
{
    struct cache_object *victims[BATCH];
    size_t count = 0, bytes = 0;
    pthread_mutex_lock(&shard->lock);
    while (count < BATCH && bytes < wanted && (victims[count] = cache_shard_evict(shard)))
        bytes += victims[count++]->entry.bytes;
    pthread_mutex_unlock(&shard->lock);
    while (count)
        cache_object_unref(victims[--count]);
}

/* Shard by shard, so that all age alike. Live bytes have to fit now; twice round is enough to know
 * that nothing is left to evict. Holes may be worked off over several calls. */
static void make_room(struct cache_store *store, size_t bytes)
{
    for (size_t turn = 0; turn < 2 * store->shard_count; turn++) {
        if (cache_memory_has_room(store) && (resident_fits(store) || turn >= HOLE_TURNS))
            return;
        uint32_t hand = atomic_fetch_add_explicit(&store->hand, 1, memory_order_relaxed);
        cache_store_tick(store); /* what is dead goes before what is alive */
        if (cache_memory_has_room(store) && cache_slab_trim(store->slab))
            continue;
        evict_some(&store->shards[hand & (store->shard_count - 1)], bytes);
    }
}

void *cache_memory_take(struct cache_store *store, size_t size)
{
    size_t bytes = cache_slab_size(size);
    /* Counted before there is room for it: workers that take at the same time make room for one
     * another's pieces too, and do not all find the last free one. */
    atomic_fetch_add_explicit(&store->memory, bytes, memory_order_relaxed);
    make_room(store, bytes);
    return cache_slab_take(store->slab, size);
}

void cache_memory_drop(struct cache_store *store, void *piece, size_t size, bool lent)
{
    cache_slab_drop(store->slab, piece, size, lent);
    atomic_fetch_sub_explicit(&store->memory, cache_slab_size(size), memory_order_relaxed);
}

const struct gw_mapping *cache_memory_mapping(const struct cache_store *store)
{
    return cache_slab_mapping(store->slab);
}

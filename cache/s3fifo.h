/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Which object goes when room is needed: S3-FIFO (Yang, Zhang, Qiu, Yue, Rashmi: "FIFO queues are
 * all you need for cache eviction", SOSP 2023). Most objects of a web cache are asked for once; LRU
 * lets each of them push out something useful.
 *
 *     new ──► small (a tenth) ── asked for twice ──► main ── end: asked for since? ─no─► out
 *               └── otherwise ──► out, a ghost stays   ▲            └─yes─► once more round
 *     new, but its ghost is there ─────────────────────┘
 *
 * A hit only counts up to 3: no list moves, so a hit costs one store in memory that is touched
 * anyway. A scan flows through the small queue and leaves the main one alone. Ghosts are 8 bytes of
 * fingerprint and age in a table, as many as objects in the main queue count as alive.
 *
 * Thread: none, the shard's lock guards it. Limit: an eviction looks at EVICT_STEPS objects at most
 * and then takes the next one whatever it is, so that no call is long. */
#include "cache/entry.h"

struct cache_ghost {
    uint32_t mark; /* of the hash; 0: free */
    uint32_t born; /* number of the eviction that made it */
};

struct cache_queues {
    struct gw_list small, main;
    size_t small_bytes, main_bytes;
    size_t small_count, main_count;
    size_t share; /* bytes that this shard may be expected to hold */
    bool evicted; /* was full once: before, a full small queue lets new ones through */
    struct cache_ghost *ghosts;
    size_t ghost_cap;
    uint32_t evictions;
};

void cache_queues_init(struct cache_queues *q, size_t share);
void cache_queues_release(struct cache_queues *q);
void cache_queues_add(struct cache_queues *q, struct cache_entry *e);
static inline void cache_queues_hit(struct cache_entry *e)
{
    e->hits = (uint8_t)(e->hits + (e->hits < 3));
}
/* `e` takes the place of `old`: a renewed object keeps its standing. */
void cache_queues_replace(struct cache_queues *q, struct cache_entry *old, struct cache_entry *e);
void cache_queues_remove(struct cache_queues *q, struct cache_entry *e);
/* Takes the next victim out of its queue; NULL when there is none. */
struct cache_entry *cache_queues_evict(struct cache_queues *q);

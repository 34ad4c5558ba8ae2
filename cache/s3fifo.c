/* SPDX-License-Identifier: Apache-2.0 */
#include "cache/s3fifo.h"

/* Looks at objects for one victim, all under the shard's lock: then the oldest goes, liked or not.
 */
#define EVICT_STEPS   64
#define SMALL_DIVISOR 10 /* the paper's tenth */
#define GHOST_CAP_MIN ((size_t)64)
#define GHOST_WAYS    4 /* slots in which one mark may lie */

void cache_queues_init(struct cache_queues *q, size_t share)
{
    *q = (struct cache_queues){.share = share};
    gw_list_init(&q->small);
    gw_list_init(&q->main);
}

void cache_queues_release(struct cache_queues *q)
{
    free(q->ghosts);
    q->ghosts = NULL;
}

/* Never 0, which is a free slot. 32 bits are enough: a false ghost costs one object a place in the
 * wrong queue. */
static uint32_t mark_of(const struct cache_entry *e)
{
    return (uint32_t)(e->hash.hi >> 32) | 1;
}

static struct cache_ghost *ghost_bucket(const struct cache_queues *q, uint32_t mark)
{
    return &q->ghosts[(mark >> 1) & (q->ghost_cap - 1) & ~(size_t)(GHOST_WAYS - 1)];
}

static bool ghost_alive(const struct cache_queues *q, const struct cache_ghost *g)
{
    size_t most = q->main_count > GHOST_CAP_MIN ? q->main_count : GHOST_CAP_MIN;
    return g->mark && q->evictions - g->born <= most;
}

/* True once: the ghost is gone afterwards. */
static bool ghost_take(struct cache_queues *q, uint32_t mark)
{
    if (!q->ghost_cap)
        return false;
    struct cache_ghost *bucket = ghost_bucket(q, mark);
    for (size_t i = 0; i < GHOST_WAYS; i++) {
        if (bucket[i].mark != mark)
            continue;
        bool alive = ghost_alive(q, &bucket[i]);
        bucket[i].mark = 0;
        return alive;
    }
    return false;
}

/* In place of a free, dead or else the oldest slot. */
static void ghost_put(struct cache_queues *q, struct cache_ghost ghost)
{
    struct cache_ghost *bucket = ghost_bucket(q, ghost.mark), *oldest = bucket;
    for (size_t i = 0; i < GHOST_WAYS; i++) {
        if (!ghost_alive(q, &bucket[i])) {
            oldest = &bucket[i];
            break;
        }
        if (q->evictions - bucket[i].born > q->evictions - oldest->born)
            oldest = &bucket[i];
    }
    *oldest = ghost;
}

/* Twice as many slots as ghosts that can be alive, so that few push one another out. */
static void ghost_room(struct cache_queues *q)
{
    if (q->ghost_cap && q->ghost_cap >= 2 * q->main_count)
        return;
    struct cache_ghost *old = q->ghosts;
    size_t old_cap = q->ghost_cap;
    q->ghost_cap = old_cap ? 2 * old_cap : GHOST_CAP_MIN;
    while (q->ghost_cap < 2 * q->main_count)
        q->ghost_cap *= 2;
    q->ghosts = gw_zalloc(q->ghost_cap * sizeof(*q->ghosts));
    for (size_t i = 0; i < old_cap; i++)
        if (ghost_alive(q, &old[i]))
            ghost_put(q, old[i]);
    free(old);
}

static void ghost_leave(struct cache_queues *q, const struct cache_entry *e)
{
    ghost_room(q);
    q->evictions++;
    ghost_put(q, (struct cache_ghost){mark_of(e), q->evictions});
}

static void count(struct cache_queues *q, const struct cache_entry *e, bool in)
{
    size_t *bytes = e->queue == CACHE_QUEUE_SMALL ? &q->small_bytes : &q->main_bytes;
    size_t *objects = e->queue == CACHE_QUEUE_SMALL ? &q->small_count : &q->main_count;
    *bytes = in ? *bytes + e->bytes : *bytes - e->bytes;
    *objects = in ? *objects + 1 : *objects - 1;
}

static void enter(struct cache_queues *q, struct cache_entry *e, enum cache_queue queue)
{
    e->queue = (uint8_t)queue;
    gw_list_push(queue == CACHE_QUEUE_SMALL ? &q->small : &q->main, &e->link);
    count(q, e, true);
}

void cache_queues_remove(struct cache_queues *q, struct cache_entry *e)
{
    gw_list_remove(&e->link);
    count(q, e, false);
    e->queue = CACHE_QUEUE_NONE;
}

void cache_queues_add(struct cache_queues *q, struct cache_entry *e)
{
    e->hits = 0;
    bool known = ghost_take(q, mark_of(e));
    /* Until something had to go, one queue is as good as the other: the small one keeps its tenth,
     * so that the first eviction does not find everything in it. */
    bool warming = !q->evicted && q->small_bytes + e->bytes > q->share / SMALL_DIVISOR;
    enter(q, e, known || warming ? CACHE_QUEUE_MAIN : CACHE_QUEUE_SMALL);
}

void cache_queues_replace(struct cache_queues *q, struct cache_entry *old, struct cache_entry *e)
{
    e->hits = old->hits;
    e->queue = old->queue;
    gw_list_push(&old->link, &e->link); /* in front of it, in the ring */
    count(q, e, true);
    cache_queues_remove(q, old);
}

static struct cache_entry *oldest(struct gw_list *list)
{
    return gw_list_empty(list) ? NULL : gw_list_entry(list->next, struct cache_entry, link);
}

/* From the small queue; NULL after a move to the main one. */
static struct cache_entry *evict_small(struct cache_queues *q, bool force)
{
    struct cache_entry *e = oldest(&q->small);
    cache_queues_remove(q, e);
    if (e->hits > 1 && !force) {
        e->hits = 0;
        enter(q, e, CACHE_QUEUE_MAIN);
        return NULL;
    }
    ghost_leave(q, e);
    return e;
}

/* From the main queue; NULL when the oldest goes round once more. */
static struct cache_entry *evict_main(struct cache_queues *q, bool force)
{
    struct cache_entry *e = oldest(&q->main);
    cache_queues_remove(q, e);
    if (e->hits && !force) {
        e->hits--;
        enter(q, e, CACHE_QUEUE_MAIN);
        return NULL;
    }
    return e;
}

struct cache_entry *cache_queues_evict(struct cache_queues *q)
{
    struct cache_entry *victim = NULL;
    q->evicted = true;
    for (int step = 1; !victim && q->small_count + q->main_count; step++) {
        bool force = step > EVICT_STEPS;
        size_t tenth = (q->small_bytes + q->main_bytes) / SMALL_DIVISOR;
        bool from_small = q->small_count && (q->main_count == 0 || q->small_bytes >= tenth);
        victim = from_small ? evict_small(q, force) : evict_main(q, force);
    }
    return victim;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "cache/store.h"

#include "cache/fill_private.h"

#define SHARDS_MIN  ((size_t)64)
#define SHARDS_MAX  ((size_t)1024)
#define SHARD_SIZE  ((uint64_t)1024 * 1024) /* a thousand small objects: quick to walk */
#define OBJECT_PART 4                       /* of max_size that one object may take */

#define MB          ((uint64_t)1000 * 1000)
/* Section 2.8. */
static const uint64_t plan_object_max[] = {[CONFIG_PLAN_FREE] = 512 * MB,
                                           [CONFIG_PLAN_PRO] = 512 * MB,
                                           [CONFIG_PLAN_BUSINESS] = 512 * MB,
                                           [CONFIG_PLAN_ENTERPRISE] = 5000 * MB};

/* Many enough that walking one (a purge) or growing its index holds its lock only briefly. */
static size_t count_shards(uint64_t max_size)
{
    size_t n = SHARDS_MIN;
    while (n < SHARDS_MAX && n * SHARD_SIZE < max_size)
        n *= 2;
    return n;
}

static void init_shard(struct cache_shard *shard, size_t share)
{
    *shard = (struct cache_shard){0};
    pthread_mutex_init(&shard->lock, NULL);
    cache_queues_init(&shard->queues, share);
    for (size_t i = 0; i < CACHE_FILL_BUCKETS; i++)
        gw_list_init(&shard->fills[i]);
    gw_list_init(&shard->alone);
}

struct cache_store *cache_store_new(const struct config_cache *limits)
{
    struct cache_store *store = gw_zalloc(sizeof(*store));
    store->limits = *limits;
    store->slab = cache_slab_new(limits->max_size);
    store->shard_count = count_shards(limits->max_size);
    store->shards = aligned_alloc(64, store->shard_count * sizeof(*store->shards));
    if (!store->shards)
        abort();
    for (size_t i = 0; i < store->shard_count; i++)
        init_shard(&store->shards[i], (size_t)(limits->max_size / store->shard_count));
    pthread_mutex_init(&store->spaces_lock, NULL);
    pthread_mutex_init(&store->dead_lock, NULL);
    return store;
}

static void free_spaces(struct cache_space *space)
{
    while (space) {
        struct cache_space *next = space->next;
        free(space->zone);
        free(space->edge);
        free(space);
        space = next;
    }
}

void cache_store_free(struct cache_store *store)
{
    if (!store)
        return;
    for (size_t i = 0; i < store->shard_count; i++) {
        struct cache_shard *shard = &store->shards[i];
        for (struct cache_object *o; (o = cache_shard_evict(shard));)
            cache_object_unref(o);
        cache_index_release(&shard->index);
        cache_queues_release(&shard->queues);
        cache_tags_release(&shard->tags);
        pthread_mutex_destroy(&shard->lock);
    }
    while (store->dead) /* large bodies of the objects above */
        cache_store_tick(store);
    cache_slab_free(store->slab);
    free_spaces(atomic_load(&store->spaces));
    pthread_mutex_destroy(&store->spaces_lock);
    pthread_mutex_destroy(&store->dead_lock);
    free(store->shards);
    free(store);
}

/* The lock is against a second maker alone. Whoever walks the list needs none: it grows at its
 * front, by one pointer that is written last, and nothing leaves it before the store does. */
struct cache_space *cache_store_space(struct cache_store *store, struct gw_str zone_id,
                                      struct gw_str edge)
{
    pthread_mutex_lock(&store->spaces_lock);
    struct cache_space *space = atomic_load(&store->spaces);
    while (space && !(gw_str_eq(cache_space_zone(space), zone_id) &&
                      gw_str_eq(cache_space_edge(space), edge)))
        space = space->next;
    if (!space) {
        space = gw_zalloc(sizeof(*space));
        space->store = store;
        space->zone = gw_str_dupz(zone_id);
        space->edge = gw_str_dupz(edge);
        space->next = atomic_load(&store->spaces);
        atomic_store(&store->spaces, space);
    }
    pthread_mutex_unlock(&store->spaces_lock);
    return space;
}

struct gw_str cache_space_zone(const struct cache_space *space)
{
    return gw_str_z(space->zone);
}

struct gw_str cache_space_edge(const struct cache_space *space)
{
    return gw_str_z(space->edge);
}

uint64_t cache_store_object_max(const struct cache_store *store, enum config_plan plan)
{
    uint64_t ours = gw_min_u64(store->limits.max_object_size, store->limits.max_size / OBJECT_PART);
    return gw_min_u64(ours, plan_object_max[plan]);
}

/* The fetch of this key that can be joined: a purged one cannot. */
static struct cache_fill *find_fill(struct cache_shard *shard, const struct cache_place *place)
{
    struct gw_list *bucket = cache_shard_fills(shard, place->hash);
    uint64_t generation = cache_space_generation(place->space);
    for (struct gw_list *l = bucket->next; l != bucket; l = l->next) {
        struct cache_fill *fill = gw_list_entry(l, struct cache_fill, link);
        if (fill->place.hash.lo == place->hash.lo && fill->place.hash.hi == place->hash.hi &&
            !fill->doomed && fill->generation == generation)
            return fill;
    }
    return NULL;
}

/* With the lock held. A key whose answers cannot be stored gains nothing from waiting. */
static enum cache_found join_or_lead(struct cache_shard *shard, const struct cache_place *place,
                                     struct cache_lookup *out)
{
    /* Collapsing helps when one answer serves all (section 2.15). Where it did not last time, each
     * would wait a round trip to learn that he must ask for himself. */
    bool alone = *cache_shard_remembered(shard, place->hash) == place->hash.lo;
    out->fill = alone ? NULL : find_fill(shard, place);
    if (out->fill) {
        cache_fill_ref(out->fill);
        shard->stats.joins++;
        return CACHE_JOIN;
    }
    out->fill = cache_fill_new(place, out->object);
    /* One that cannot be joined is listed all the same: a purge must reach what is on its way. */
    gw_list_push(alone ? &shard->alone : cache_shard_fills(shard, place->hash), &out->fill->link);
    return CACHE_LEADER;
}

/* The hot path. Freshness is judged here, under the lock, so that exactly one of those who find an
 * object stale becomes its leader. */
enum cache_found cache_store_begin(struct cache_store *store, const struct cache_place *place,
                                   uint64_t now_ms, struct cache_lookup *out)
{
    struct cache_shard *shard = cache_shard_of(store, place->hash);
    struct cache_object *dead = NULL;
    enum cache_found found = CACHE_HIT;
    pthread_mutex_lock(&shard->lock);
    shard->stats.lookups++;
    struct cache_object *object = cache_index_get(&shard->index, place->hash);
    if (gw_unlikely(object && cache_object_is_dead(object))) {
        dead = object;
        cache_shard_remove(shard, object);
        object = NULL;
    }
    if (gw_unlikely(object && cache_object_is_marker(object)))
        object = NULL; /* whoever asks here knows of no variants */
    *out = (struct cache_lookup){.object = object};
    if (object) {
        cache_object_ref(object);
        cache_queues_hit(&object->entry);
    }
    if (gw_likely(object && now_ms < cache_object_stale_from(object)))
        shard->stats.hits++;
    else
        found = join_or_lead(shard, place, out);
    pthread_mutex_unlock(&shard->lock);
    /* Behind the lock: the last reference frees, and freeing takes its time. */
    cache_object_unref(dead);
    return found;
}

struct cache_object *cache_store_peek(struct cache_store *store, const struct cache_place *place)
{
    struct cache_shard *shard = cache_shard_of(store, place->hash);
    pthread_mutex_lock(&shard->lock);
    struct cache_object *object = cache_index_get(&shard->index, place->hash);
    if (object && (cache_object_is_dead(object) || cache_object_is_marker(object)))
        object = NULL;
    if (object)
        cache_object_ref(object);
    pthread_mutex_unlock(&shard->lock);
    return object;
}

void cache_store_insert(struct cache_store *store, struct cache_object *object)
{
    struct cache_shard *shard = cache_shard_of(store, object->entry.hash);
    pthread_mutex_lock(&shard->lock);
    struct cache_object *before = cache_shard_insert(shard, object);
    pthread_mutex_unlock(&shard->lock);
    cache_object_unref(before);
}

void cache_store_stats(const struct cache_store *store, struct cache_stats *out)
{
    *out = (struct cache_stats){.memory = atomic_load(&store->memory)};
    for (size_t i = 0; i < store->shard_count; i++) {
        struct cache_shard *shard = &store->shards[i];
        pthread_mutex_lock(&shard->lock);
        const struct cache_stats *s = &shard->stats;
        out->objects += s->objects;
        out->bytes += s->bytes;
        out->lookups += s->lookups;
        out->hits += s->hits;
        out->joins += s->joins;
        out->inserted += s->inserted;
        out->evicted += s->evicted;
        out->purged += s->purged;
        pthread_mutex_unlock(&shard->lock);
    }
}

void cache_space_stats(const struct cache_space *space, struct cache_stats *out)
{
    *out = (struct cache_stats){.objects = atomic_load(&space->objects),
                                .bytes = atomic_load(&space->bytes)};
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "cache/shard.h"

/* Every sum that an object is part of, in one place, so that leave is its mirror image. A marker
 * (variant.h) takes memory but is no object for people. */
static void enter(struct cache_shard *shard, struct cache_object *o)
{
    cache_tags_add(&shard->tags, cache_object_tags(o), o->tag_count);
    size_t one = !cache_object_is_marker(o);
    shard->variants += o->family != 0;
    shard->stats.objects += one;
    shard->stats.bytes += o->entry.bytes;
    atomic_fetch_add_explicit(&o->space->objects, one, memory_order_relaxed);
    atomic_fetch_add_explicit(&o->space->bytes, o->entry.bytes, memory_order_relaxed);
}

static void leave(struct cache_shard *shard, struct cache_object *o)
{
    cache_tags_remove(&shard->tags, cache_object_tags(o), o->tag_count);
    size_t one = !cache_object_is_marker(o);
    shard->variants -= o->family != 0;
    shard->stats.objects -= one;
    shard->stats.bytes -= o->entry.bytes;
    atomic_fetch_sub_explicit(&o->space->objects, one, memory_order_relaxed);
    atomic_fetch_sub_explicit(&o->space->bytes, o->entry.bytes, memory_order_relaxed);
}

struct cache_object *cache_shard_insert(struct cache_shard *shard, struct cache_object *object)
{
    if (cache_object_is_dead(object))
        return NULL; /* purged while it was fetched */
    /* The newcomer inherits place and hits of what it replaces: an object that is refreshed every
     * minute would otherwise be new for ever, and the first to go. */
    cache_object_ref(object);
    struct cache_object *before = cache_index_put(&shard->index, object);
    if (before) {
        cache_queues_replace(&shard->queues, &before->entry, &object->entry);
        leave(shard, before);
    } else {
        cache_queues_add(&shard->queues, &object->entry);
    }
    enter(shard, object);
    shard->stats.inserted++;
    return before;
}

void cache_shard_remove(struct cache_shard *shard, struct cache_object *object)
{
    cache_index_remove(&shard->index, object->entry.hash);
    cache_queues_remove(&shard->queues, &object->entry);
    leave(shard, object);
    shard->stats.purged++;
}

struct cache_object *cache_shard_evict(struct cache_shard *shard)
{
    struct cache_entry *entry = cache_queues_evict(&shard->queues);
    if (!entry)
        return NULL;
    struct cache_object *object = gw_container_of(entry, struct cache_object, entry);
    cache_index_remove(&shard->index, entry->hash);
    leave(shard, object);
    shard->stats.evicted++;
    return object;
}

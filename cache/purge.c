/* SPDX-License-Identifier: Apache-2.0 */
#include "cache/purge.h"

#include "cache/fill_private.h"

#define BATCH 256 /* objects that go under one lock: well under a millisecond */

static bool given(struct gw_str s)
{
    return s.ptr != NULL;
}

/* "/dir" holds "/dir", "/dir/x", "/dir?y"; a prefix that ends in "/" ends at a border itself. */
static bool below(struct gw_str target, struct gw_str prefix)
{
    if (!gw_str_starts(target, prefix))
        return false;
    if (target.len == prefix.len || prefix.len == 0 || prefix.ptr[prefix.len - 1] == '/')
        return true;
    char next = target.ptr[prefix.len];
    return next == '/' || next == '?';
}

static bool tagged(struct gw_str tags, struct gw_str tag)
{
    struct gw_str item;
    while (cache_tag_next(&tags, &item))
        if (gw_str_ieq(item, tag))
            return true;
    return false;
}

static bool place_matches(const struct cache_match *m, const struct cache_space *space,
                          struct gw_str host, struct gw_str target)
{
    return (!given(m->zone) || gw_str_eq(m->zone, cache_space_zone(space))) &&
           (!given(m->edge) || gw_str_eq(m->edge, cache_space_edge(space))) &&
           (!given(m->host) || gw_str_eq(m->host, host)) &&
           (!given(m->prefix) || below(target, m->prefix));
}

static bool object_matches(const struct cache_match *m, const struct cache_object *o)
{
    return !cache_object_is_dead(o) &&
           place_matches(m, o->space, cache_object_text(o, o->host),
                         cache_object_text(o, o->target)) &&
           (!given(m->tag) || tagged(cache_object_text(o, o->head.tags), m->tag));
}

/* One purge on its way through the shards. What purge_everything left goes as well. */
struct sweep {
    const struct cache_match *match; /* NULL: only that */
    enum cache_purge_kind kind;
    uint64_t now_ms;
    size_t found, batch; /* batch: taken out under the lock that is held */
    struct gw_list gone; /* objects taken out, by their entries; dropped after unlocking */
};

/* A fetch under way may have been answered before the purge. Its tags are not known yet, so a purge
 * by tag takes all that match otherwise. */
static void doom_fills(struct gw_list *fills, const struct cache_match *m)
{
    for (struct gw_list *l = fills->next; l != fills; l = l->next) {
        struct cache_fill *fill = gw_list_entry(l, struct cache_fill, link);
        const struct cache_place *p = &fill->place;
        fill->doomed |= place_matches(m, p->space, p->host, p->target);
    }
}

static void sweep_object(struct sweep *s, struct cache_shard *shard, struct cache_object *o)
{
    bool found = s->match && object_matches(s->match, o);
    s->found += found && !cache_object_is_marker(o);
    if (found && s->kind == CACHE_PURGE_INVALIDATE) {
        cache_object_invalidate(o, s->now_ms);
    } else if (found || cache_object_is_dead(o)) {
        cache_shard_remove(shard, o);
        gw_list_push(&s->gone, &o->entry.link);
        s->batch++;
    }
}

/* Invalidating takes nothing out, so that beginning again would find the same objects again. */
static bool is_full(const struct sweep *s)
{
    return s->batch >= BATCH && (!s->match || s->kind == CACHE_PURGE_REMOVE);
}

static void sweep_queue(struct sweep *s, struct cache_shard *shard, struct gw_list *queue)
{
    for (struct gw_list *l = queue->next, *next; l != queue && !is_full(s); l = next) {
        next = l->next;
        sweep_object(s, shard, gw_container_of(l, struct cache_object, entry.link));
    }
}

/* Only what has the tag. An object that goes takes all its links along, the one behind it perhaps
 * among them. */
static void sweep_tag(struct sweep *s, struct cache_shard *shard)
{
    struct cache_tag *tag = cache_tags_find(&shard->tags, s->match->tag);
    while (tag && !is_full(s)) {
        struct cache_object *o = tag->object;
        while (tag && tag->object == o)
            tag = tag->next;
        sweep_object(s, shard, o);
    }
}

/* Under one lock; true when more of the shard is to be done, after others had a turn. */
static bool sweep_some(struct sweep *s, struct cache_shard *shard)
{
    bool by_tag = s->match && given(s->match->tag);
    gw_list_init(&s->gone);
    s->batch = 0;
    pthread_mutex_lock(&shard->lock);
    if (by_tag) {
        sweep_tag(s, shard);
    } else {
        sweep_queue(s, shard, &shard->queues.small);
        sweep_queue(s, shard, &shard->queues.main);
    }
    for (size_t i = 0; s->match && i < CACHE_FILL_BUCKETS; i++)
        doom_fills(&shard->fills[i], s->match);
    if (s->match)
        doom_fills(&shard->alone, s->match);
    pthread_mutex_unlock(&shard->lock);
    for (struct gw_list *l; (l = gw_list_pop(&s->gone));)
        cache_object_unref(gw_container_of(l, struct cache_object, entry.link));
    return is_full(s);
}

static void sweep_shard(struct sweep *s, struct cache_shard *shard)
{
    while (sweep_some(s, shard))
        continue;
}

size_t cache_purge_match(struct cache_store *store, const struct cache_match *match,
                         enum cache_purge_kind kind, uint64_t now_ms)
{
    struct sweep sweep = {.match = match, .kind = kind, .now_ms = now_ms};
    for (size_t i = 0; i < store->shard_count; i++)
        sweep_shard(&sweep, &store->shards[i]);
    return sweep.found;
}

/* What is under way for the key or one of its variants. */
static void doom_key(struct gw_list *fills, struct gw_hash128 hash)
{
    for (struct gw_list *l = fills->next; l != fills; l = l->next) {
        struct cache_fill *fill = gw_list_entry(l, struct cache_fill, link);
        const struct cache_place *p = &fill->place;
        fill->doomed |= (p->hash.lo == hash.lo && p->hash.hi == hash.hi) ||
                        (p->primary.lo == hash.lo && p->primary.hi == hash.hi);
    }
}

static void purge_object(struct sweep *s, struct cache_shard *shard, struct cache_object *o)
{
    s->found += !cache_object_is_dead(o) && !cache_object_is_marker(o);
    if (s->kind == CACHE_PURGE_INVALIDATE) {
        cache_object_invalidate(o, s->now_ms);
        return;
    }
    cache_shard_remove(shard, o);
    gw_list_push(&s->gone, &o->entry.link);
}

/* Variants lie in the shard of their key, marker or not (it may have been evicted). */
static void purge_variants(struct sweep *s, struct cache_shard *shard, struct gw_list *queue,
                           uint64_t family)
{
    for (struct gw_list *l = queue->next, *next; l != queue; l = next) {
        next = l->next;
        struct cache_object *o = gw_container_of(l, struct cache_object, entry.link);
        if (o->family == family)
            purge_object(s, shard, o);
    }
}

/* All under one lock, so that no look-up finds a variant whose marker is gone. The shard is walked
 * only if it has variants of any key. */
bool cache_purge_key(struct cache_store *store, const struct cache_place *place,
                     enum cache_purge_kind kind, uint64_t now_ms)
{
    struct cache_shard *shard = cache_shard_of(store, place->hash);
    struct sweep sweep = {.kind = kind, .now_ms = now_ms};
    gw_list_init(&sweep.gone);
    pthread_mutex_lock(&shard->lock);
    struct cache_object *o = cache_index_get(&shard->index, place->hash);
    if (o)
        purge_object(&sweep, shard, o);
    if (shard->variants) {
        purge_variants(&sweep, shard, &shard->queues.small, place->hash.lo);
        purge_variants(&sweep, shard, &shard->queues.main, place->hash.lo);
    }
    for (size_t i = 0; i < CACHE_FILL_BUCKETS; i++)
        doom_key(&shard->fills[i], place->hash);
    doom_key(&shard->alone, place->hash);
    pthread_mutex_unlock(&shard->lock);
    for (struct gw_list *l; (l = gw_list_pop(&sweep.gone));)
        cache_object_unref(gw_container_of(l, struct cache_object, entry.link));
    return sweep.found > 0;
}

/* At once for every look-up, whatever the size: an older generation is as good as gone. The sweep
 * only gives memory back, so it is asked for after that; one of before would find nothing dead. */
void cache_purge_everything(struct cache_store *store, struct gw_str zone)
{
    for (struct cache_space *s = atomic_load(&store->spaces); s; s = s->next)
        if (gw_str_eq(cache_space_zone(s), zone))
            atomic_fetch_add_explicit(&s->generation, 1, memory_order_acq_rel);
    atomic_store(&store->to_sweep, (uint32_t)store->shard_count + 1);
}

/* The first turn only counts down: a purge that comes while the first shard is being swept sets the
 * number to one that this turn has not seen, and so is not lost. */
void cache_store_sweep(struct cache_store *store)
{
    struct sweep sweep = {0};
    uint32_t left = atomic_load(&store->to_sweep);
    if (left && (left > store->shard_count || !sweep_some(&sweep, &store->shards[left - 1])))
        (void)atomic_compare_exchange_strong(&store->to_sweep, &left, left - 1);
}

/* Referenced under the lock: the caller reads them when a purge or an eviction may have taken them
 * out. */
static size_t list_queue(const struct gw_list *queue, const struct cache_match *m,
                         struct cache_object **out, size_t max)
{
    size_t n = 0;
    for (struct gw_list *l = queue->next; l != queue && n < max; l = l->next) {
        struct cache_object *o = gw_container_of(l, struct cache_object, entry.link);
        if (cache_object_is_marker(o) || !object_matches(m, o))
            continue;
        cache_object_ref(o);
        out[n++] = o;
    }
    return n;
}

size_t cache_store_list(struct cache_store *store, const struct cache_match *match,
                        struct cache_object **out, size_t max)
{
    size_t n = 0;
    for (size_t i = 0; i < store->shard_count && n < max; i++) {
        struct cache_shard *shard = &store->shards[i];
        pthread_mutex_lock(&shard->lock);
        n += list_queue(&shard->queues.small, match, out + n, max - n);
        n += list_queue(&shard->queues.main, match, out + n, max - n);
        pthread_mutex_unlock(&shard->lock);
    }
    return n;
}

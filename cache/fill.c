/* SPDX-License-Identifier: Apache-2.0 */
#include "cache/fill.h"

#include <assert.h>

#include "cache/fill_private.h"
#include "cache/memory.h"
#include "gateway/base/err.h"

struct cache_fill *cache_fill_new(const struct cache_place *place, struct cache_object *stale)
{
    struct cache_fill *fill = gw_alloc(sizeof(*fill) + place->host.len + place->target.len);
    char *copy = (char *)(fill + 1);
    *fill = (struct cache_fill){.place = *place, .stale = stale, .listed = true};
    if (place->host.len)
        memcpy(copy, place->host.ptr, place->host.len);
    if (place->target.len)
        memcpy(copy + place->host.len, place->target.ptr, place->target.len);
    /* Copies, since the leader's exchange, whose arena holds the texts, may end before the fill. */
    fill->place.host.ptr = copy;
    fill->place.target.ptr = copy + place->host.len;
    fill->generation = cache_space_generation(place->space);
    if (stale)
        cache_object_ref(stale);
    atomic_init(&fill->refs, 2);
    gw_list_init(&fill->link);
    gw_list_init(&fill->waiters);
    gw_list_init(&fill->readers);
    pthread_mutex_init(&fill->lock, NULL);
    pthread_cond_init(&fill->called, NULL);
    return fill;
}

void cache_fill_ref(struct cache_fill *fill)
{
    atomic_fetch_add_explicit(&fill->refs, 1, memory_order_relaxed);
}

void cache_fill_unref(struct cache_fill *fill)
{
    if (!fill || atomic_fetch_sub_explicit(&fill->refs, 1, memory_order_acq_rel) != 1)
        return;
    /* Whoever waits or reads holds a reference. */
    assert(gw_list_empty(&fill->waiters) && gw_list_empty(&fill->readers));
    cache_object_unref(fill->stale);
    cache_object_unref(fill->object);
    cache_object_unref(fill->whole);
    pthread_mutex_destroy(&fill->lock);
    pthread_cond_destroy(&fill->called);
    free(fill);
}

enum cache_fill_state cache_fill_state(struct cache_fill *fill, uint32_t *version)
{
    pthread_mutex_lock(&fill->lock);
    enum cache_fill_state state = fill->state;
    if (version)
        *version = fill->version;
    pthread_mutex_unlock(&fill->lock);
    return state;
}

int cache_fill_error(struct cache_fill *fill)
{
    pthread_mutex_lock(&fill->lock);
    int error = fill->error;
    pthread_mutex_unlock(&fill->lock);
    return error;
}

struct cache_object *cache_fill_object(struct cache_fill *fill)
{
    pthread_mutex_lock(&fill->lock);
    struct cache_object *object = fill->whole ? fill->whole : fill->object;
    pthread_mutex_unlock(&fill->lock);
    return object;
}

/* Takes the fill off its shard's list: requests to come do not join it. With `publish`, its
 * object takes its place in the same instant, unless it was purged meanwhile. Comes with every end,
 * and before that when the body will not be stored: `listed` tells whose reference the list's is.
 */
static void unlist(struct cache_fill *fill, struct cache_object *publish)
{
    struct cache_store *store = fill->place.space->store;
    struct cache_shard *shard = cache_shard_of(store, fill->place.hash);
    struct cache_object *before = NULL;
    pthread_mutex_lock(&shard->lock);
    bool listed = fill->listed;
    fill->listed = false;
    gw_list_remove(&fill->link);
    if (publish && !fill->doomed)
        before = cache_shard_insert(shard, publish);
    pthread_mutex_unlock(&shard->lock);
    cache_object_unref(before);
    if (listed)
        cache_fill_unref(fill); /* the caller has one of its own */
}

/* One slot for many keys: a collision costs the other key its memory, and one wait (shard.h). */
static void remember(struct cache_fill *fill, bool uncacheable)
{
    struct cache_shard *shard = cache_shard_of(fill->place.space->store, fill->place.hash);
    uint64_t *slot = cache_shard_remembered(shard, fill->place.hash);
    pthread_mutex_lock(&shard->lock);
    if (uncacheable)
        *slot = fill->place.hash.lo;
    else if (*slot == fill->place.hash.lo)
        *slot = 0;
    pthread_mutex_unlock(&shard->lock);
}

/* The leader's last word. */
static void end(struct cache_fill *fill, enum cache_fill_state state, int error)
{
    pthread_mutex_lock(&fill->lock);
    assert(fill->state <= CACHE_FILL_STREAMING);
    fill->state = state;
    fill->error = error;
    cache_fill_changed(fill);
}

void cache_fill_head(struct cache_fill *fill, const struct cache_object_parts *parts)
{
    struct cache_object *object = cache_object_new(&fill->place, fill->generation, parts);
    bool storing = cache_memory_has_room(fill->place.space->store) &&
                   (!parts->length_known || parts->body_len <= parts->body_max);
    /* Before it leaves the list, or requests that come in between would line up behind one of their
     * own. */
    remember(fill, !storing);
    if (!storing)
        unlist(fill, NULL);
    pthread_mutex_lock(&fill->lock);
    assert(fill->state == CACHE_FILL_WAITING);
    fill->object = object;
    fill->storing = storing;
    fill->body_max = parts->body_max;
    fill->state = CACHE_FILL_STREAMING;
    cache_fill_changed(fill);
}

/* Copies into the object; false when it can no longer be stored. More than was announced is no body
 * of this response (a desynchronised origin): it is cut off, and the fill ends as truncated. */
static bool take(struct cache_fill *fill, struct gw_str data)
{
    struct cache_object *o = fill->object;
    uint64_t left = o->length_known ? o->body_len - fill->received : 0;
    if (o->length_known && data.len > left) {
        fill->broken = true;
        data = gw_str_first(data, (size_t)left);
    }
    if (data.len == 0)
        return true;
    if (o->inline_body) {
        memcpy(o->inline_body + fill->received, data.ptr, data.len);
        fill->received += data.len;
        return true;
    }
    cache_body_append(o->body, data, left);
    fill->received += data.len;
    return cache_memory_has_room(fill->place.space->store) && fill->received <= fill->body_max;
}

uint64_t cache_fill_slowest(const struct cache_fill *fill)
{
    uint64_t offset = fill->received;
    for (struct gw_list *l = fill->readers.next; l != &fill->readers; l = l->next)
        offset = gw_min_u64(offset, gw_list_entry(l, struct cache_reader, link)->at.offset);
    return offset;
}

enum cache_append cache_fill_window(const struct cache_fill *fill)
{
    if (fill->storing)
        return CACHE_APPEND_OK;
    if (gw_list_empty(&fill->readers))
        return CACHE_APPEND_UNWANTED;
    return fill->received - cache_fill_slowest(fill) >= CACHE_WINDOW ? CACHE_APPEND_FULL
                                                                     : CACHE_APPEND_OK;
}

enum cache_append cache_fill_append(struct cache_fill *fill, struct gw_str data)
{
    pthread_mutex_lock(&fill->lock);
    assert(fill->state == CACHE_FILL_STREAMING);
    /* Turning out too large is not an error: who reads along gets the rest through a window. */
    bool stops = !take(fill, data) && fill->storing;
    if (stops)
        fill->storing = false;
    enum cache_append answer = cache_fill_window(fill);
    cache_fill_changed(fill);
    /* Whoever still joins before this opens a reader while the start of the body is there, or is
     * told that it is gone. */
    if (stops) {
        remember(fill, true);
        unlist(fill, NULL);
    }
    return answer;
}

/* Published before the state changes: whoever comes in between finds the object, and nobody who is
 * told "complete" and asks again can miss it. */
int cache_fill_finish(struct cache_fill *fill)
{
    struct cache_object *o = fill->object; /* only the leader, who is here, changes these */
    if (fill->broken || (o->length_known && fill->received != o->body_len)) {
        cache_fill_abort(fill, GW_ETRUNCATED);
        return GW_ETRUNCATED;
    }
    if (!fill->storing) { /* there is no object to go over to: readers come to the end by themselves
                           */
        pthread_mutex_lock(&fill->lock);
        fill->ended = true;
        cache_fill_changed(fill);
        return 0;
    }
    if (o->length_known)
        cache_object_ref(o);
    else
        o = cache_object_complete(o, fill->received);
    unlist(fill, o);
    pthread_mutex_lock(&fill->lock);
    fill->whole = o;
    pthread_mutex_unlock(&fill->lock);
    end(fill, CACHE_FILL_COMPLETE, 0);
    return 0;
}

static void end_with(struct cache_fill *fill, struct cache_object *whole, int error)
{
    pthread_mutex_lock(&fill->lock);
    fill->whole = whole;
    pthread_mutex_unlock(&fill->lock);
    end(fill, CACHE_FILL_REFRESHED, error);
}

void cache_fill_refresh(struct cache_fill *fill, const struct cache_object_parts *parts)
{
    assert(fill->stale);
    struct cache_object *o = cache_object_renew(fill->stale, parts);
    o->generation = fill->generation; /* a purge while the origin was asked hits this one too */
    unlist(fill, o);
    end_with(fill, o, GW_OK);
}

void cache_fill_keep(struct cache_fill *fill, int error)
{
    assert(fill->stale);
    cache_object_ref(fill->stale); /* as `whole` once more: the fill drops both */
    unlist(fill, NULL);
    end_with(fill, fill->stale, error);
}

void cache_fill_pass(struct cache_fill *fill)
{
    remember(fill, true);
    unlist(fill, NULL);
    end(fill, CACHE_FILL_PASS, 0);
}

void cache_fill_abort(struct cache_fill *fill, int error)
{
    /* Without an answer nothing is known of the origin: the next in line may try. */
    bool left = error == GW_ECANCELLED && !fill->object;
    unlist(fill, NULL);
    end(fill, left ? CACHE_FILL_RETRY : CACHE_FILL_FAILED, error);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "cache/reader.h"

#include "cache/fill_private.h"

bool cache_reader_open(struct cache_reader *r, struct cache_fill *fill)
{
    *r = (struct cache_reader){.fill = fill};
    gw_list_init(&r->link);
    pthread_mutex_lock(&fill->lock);
    const struct cache_body *body = fill->object ? fill->object->body : NULL;
    /* A body that is not stored is dropped as its readers go on: a latecomer would get its middle.
     */
    bool whole = !body || body->dropped == 0;
    if (whole)
        gw_list_push(&fill->readers, &r->link);
    pthread_mutex_unlock(&fill->lock);
    if (!whole)
        r->fill = NULL;
    return whole;
}

static size_t pieces(const struct cache_fill *fill, const struct cache_cursor *at,
                     struct gw_str *out, size_t max)
{
    const struct cache_object *o = fill->object;
    uint64_t ready = fill->received - at->offset;
    if (o->body)
        return cache_body_read(o->body, at, ready, out, max);
    if (!ready || !max)
        return 0;
    out[0] = gw_str(o->inline_body + at->offset, (size_t)ready);
    return 1;
}

static enum cache_read read_locked(const struct cache_fill *fill, const struct cache_cursor *at,
                                   struct gw_str *out, size_t *count)
{
    size_t max = *count;
    *count = fill->object ? pieces(fill, at, out, max) : 0;
    if (*count)
        return CACHE_READ_DATA;
    switch (fill->state) {
    case CACHE_FILL_WAITING:
    case CACHE_FILL_STREAMING:
        return fill->ended ? CACHE_READ_END : CACHE_READ_WAIT;
    case CACHE_FILL_COMPLETE:
        return CACHE_READ_END;
    case CACHE_FILL_REFRESHED:
    case CACHE_FILL_PASS:
    case CACHE_FILL_RETRY:
    case CACHE_FILL_FAILED:
        break;
    }
    return CACHE_READ_FAILED;
}

enum cache_read cache_reader_read(struct cache_reader *r, struct gw_str *out, size_t *count,
                                  uint32_t *version)
{
    struct cache_fill *fill = r->fill;
    pthread_mutex_lock(&fill->lock);
    enum cache_read answer = read_locked(fill, &r->at, out, count);
    if (version)
        *version = fill->version;
    pthread_mutex_unlock(&fill->lock);
    return answer;
}

/* With the lock held, which it gives up. A body that is not stored lives only for its readers:
 * what all have read goes, and the leader may go on. */
static void trim_and_unlock(struct cache_fill *fill)
{
    struct cache_object *o = fill->object;
    if (fill->storing || !o || fill->state != CACHE_FILL_STREAMING) {
        pthread_mutex_unlock(&fill->lock);
        return;
    }
    uint64_t offset = cache_fill_slowest(fill);
    if (o->body && !gw_list_empty(&fill->readers))
        cache_body_drop(o->body, offset);
    /* Half a window, not one byte: the leader would otherwise be woken from another thread for
     * every read. */
    if (fill->resume && fill->received - offset <= CACHE_WINDOW / 2)
        cache_fill_resumed(fill);
    pthread_mutex_unlock(&fill->lock);
}

void cache_reader_advance(struct cache_reader *r, size_t bytes)
{
    struct cache_fill *fill = r->fill;
    pthread_mutex_lock(&fill->lock);
    if (fill->object->body)
        cache_body_advance(fill->object->body, &r->at, bytes);
    else
        r->at.offset += bytes;
    trim_and_unlock(fill);
}

/* At the end of a body and whenever its client leaves. The leader may be waiting for this very
 * reader: with it goes what held the window back. */
void cache_reader_close(struct cache_reader *r)
{
    struct cache_fill *fill = r->fill;
    if (!fill)
        return;
    r->fill = NULL;
    pthread_mutex_lock(&fill->lock);
    gw_list_remove(&r->link);
    trim_and_unlock(fill);
}

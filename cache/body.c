/* SPDX-License-Identifier: Apache-2.0 */
#include "cache/body.h"

#include <stdatomic.h>

#include "cache/memory.h"

#define FREED_AT_ONCE ((size_t)16) /* segments: about a tenth of a millisecond */

struct cache_body *cache_body_new(struct cache_store *store)
{
    struct cache_body *b = gw_zalloc(sizeof(*b));
    atomic_init(&b->refs, 1);
    b->store = store;
    return b;
}

void cache_body_ref(struct cache_body *b)
{
    atomic_fetch_add_explicit(&b->refs, 1, memory_order_relaxed);
}

/* The last holder is an object (a renewal shares its predecessor's body), on whatever thread drops
 * it, a request's among them. */
void cache_body_unref(struct cache_body *b)
{
    if (!b || atomic_fetch_sub_explicit(&b->refs, 1, memory_order_acq_rel) != 1)
        return;
    if (b->count > FREED_AT_ONCE)
        cache_memory_bury(b->store, b);
    else
        cache_body_free_some(b, FREED_AT_ONCE);
}

void cache_body_lend(struct cache_body *b)
{
    atomic_store_explicit(&b->lent, true, memory_order_relaxed); /* refs order it before the end */
}

static void drop_segment(struct cache_body *b, const struct cache_segment *s)
{
    cache_memory_drop(b->store, s->data, s->cap,
                      atomic_load_explicit(&b->lent, memory_order_relaxed));
}

bool cache_body_free_some(struct cache_body *b, size_t max)
{
    for (; max && b->count; max--)
        drop_segment(b, &b->segments[--b->count]);
    if (b->count)
        return false;
    free(b->segments);
    free(b);
    return true;
}

/* Announced bodies get segments that fit. Others grow by a quarter of what there is, so that at
 * most a fifth of a finished body is unused. */
static size_t next_size(const struct cache_body *b, uint64_t ahead)
{
    if (ahead)
        return (size_t)gw_min_u64(ahead, CACHE_SEGMENT_MAX);
    uint64_t quarter = (b->len / 4) & ~(uint64_t)(CACHE_SEGMENT_MIN - 1);
    return (size_t)gw_min_u64(gw_max_u64(quarter, CACHE_SEGMENT_MIN), CACHE_SEGMENT_MAX);
}

/* The list doubles; bytes stay where they are, since readers hold pointers to them. */
static void add_segment(struct cache_body *b, size_t size)
{
    struct cache_segment s = {.data = cache_memory_take(b->store, size), .cap = size};
    if (b->count == b->cap) {
        b->cap = b->cap ? 2 * b->cap : 4;
        b->segments = gw_realloc(b->segments, b->cap * sizeof(*b->segments));
    }
    b->segments[b->count++] = s;
}

void cache_body_append(struct cache_body *b, struct gw_str data, uint64_t ahead)
{
    while (data.len) {
        struct cache_segment *last = b->count ? &b->segments[b->count - 1] : NULL;
        if (!last || last->len == last->cap) {
            add_segment(b, next_size(b, ahead));
            continue;
        }
        size_t n = gw_min_size(data.len, last->cap - last->len);
        memcpy(last->data + last->len, data.ptr, n);
        last->len += n;
        b->len += n;
        data = gw_str_from(data, n);
        ahead -= gw_min_u64(ahead, n);
    }
}

/* Only of a body that is not stored: nobody but the readers, all beyond `offset`, will ask for it
 * again. */
void cache_body_drop(struct cache_body *b, uint64_t offset)
{
    size_t n = 0;
    /* The last one stays: it may still have room. */
    while (n + 1 < b->count && b->dropped_bytes + b->segments[n].len <= offset) {
        b->dropped_bytes += b->segments[n].len;
        drop_segment(b, &b->segments[n]);
        n++;
    }
    if (n == 0)
        return;
    b->dropped += n;
    b->count -= n;
    memmove(b->segments, b->segments + n, b->count * sizeof(*b->segments));
}

/* Number of the cursor's segment among those still there, and the offset in it. Once a reader has
 * read a last segment to its end, the segment may go before the cursor moves to the next. */
static size_t locate(const struct cache_body *b, const struct cache_cursor *at, size_t *within)
{
    bool gone = at->segment < b->dropped;
    *within = gone ? (size_t)(at->offset - b->dropped_bytes) : at->within;
    return gone ? 0 : at->segment - b->dropped;
}

size_t cache_body_read(const struct cache_body *b, const struct cache_cursor *at, uint64_t limit,
                       struct gw_str *out, size_t max)
{
    size_t n = 0, within;
    for (size_t i = locate(b, at, &within); i < b->count && n < max && limit; i++) {
        const struct cache_segment *s = &b->segments[i];
        size_t len = (size_t)gw_min_u64(s->len - within, limit);
        if (len)
            out[n++] = gw_str(s->data + within, len);
        limit -= len;
        within = 0;
    }
    return n;
}

void cache_body_advance(const struct cache_body *b, struct cache_cursor *at, uint64_t bytes)
{
    size_t within, i = locate(b, at, &within);
    at->offset += bytes;
    bytes += within;
    while (i + 1 < b->count && bytes >= b->segments[i].len)
        bytes -= b->segments[i++].len;
    at->segment = b->dropped + i;
    at->within = (size_t)bytes;
}

/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A cached response: its head, serialised once when it was stored, and its body.
 *
 * Immutable once it is in the store (a renewal makes a new object that shares the body), except for
 * the reference count and stale_from_ms, which an invalidation may bring forward. A response of at
 * most CACHE_INLINE_MAX bytes is one allocation, struct | tags | text | body, so that a hit touches
 * few pages. While a fill still runs, the body is reached through cache_reader (fill.h) only.
 *
 * Thread: any, with a reference. Owns: text and a reference on the body. */
#include <stdatomic.h>

#include "cache/body.h"
#include "cache/entry.h"
#include "cache/head.h"
#include "cache/lifetime.h"
#include "cache/tags.h"

#define CACHE_INLINE_MAX ((size_t)16 * 1024) /* head and body */

/* Where an object belongs. `hash` is that of the key (key.h); host and target (path, and "?query"
 * if there is one) are kept so that purges by host and prefix find it. Borrowed. */
struct cache_place {
    struct gw_hash128 hash;
    struct gw_hash128 primary; /* of a variant: that of the key itself (variant.h); else 0 */
    struct cache_space *space;
    struct gw_str host, target;
};

struct cache_object {
    struct cache_entry entry; /* the index's */
    _Atomic uint32_t refs;
    uint16_t status;                /* 0: no response, but the marker of a key with variants */
    _Atomic uint64_t stale_from_ms; /* first instant at which it is not fresh */
    uint64_t stored_ms;             /* the body came */
    uint64_t confirmed_ms;          /* stored or confirmed by a 304: Age counts from here */
    uint64_t generation;            /* of the space: older than the space's means purged */
    uint64_t family;                /* of a variant: the first half of its key's hash; else 0 */
    struct cache_space *space;
    struct cache_lifetime life;
    uint32_t age_s; /* when it came */
    struct cache_head head;
    struct cache_slice host, target;
    const char *text;        /* what the slices and head.*_at point into */
    char *inline_body;       /* with body == NULL */
    struct cache_body *body; /* a body in segments, shared by renewals */
    uint64_t body_len;       /* with length_known */
    bool length_known;       /* false only for the object of a fill that still runs */
    uint16_t tag_count;      /* links behind the struct; guarded by the lock of its shard */
};

static inline struct gw_str cache_object_text(const struct cache_object *o, struct cache_slice s)
{
    return gw_str(o->text + s.at, s.len);
}
static inline struct cache_tag *cache_object_tags(struct cache_object *o)
{
    return (struct cache_tag *)(o + 1);
}
/* Such a one is in the index and for nobody but variant.h. */
static inline bool cache_object_is_marker(const struct cache_object *o)
{
    return o->status == 0;
}
static inline uint64_t cache_object_stale_from(const struct cache_object *o)
{
    return atomic_load_explicit(&o->stale_from_ms, memory_order_relaxed);
}
/* From one of the marks in o->head to another. */
static inline struct gw_str cache_object_head(const struct cache_object *o, uint32_t from,
                                              uint32_t to)
{
    return gw_str(o->text + from, to - from);
}
/* The stored fields, borrowed, for HTTP/2 and for merging a 304. False: the list is too small. */
GW_MUST bool cache_object_fields(const struct cache_object *o, struct headers *out);
/* The same of a part of the head, between two marks. */
GW_MUST bool cache_object_fields_in(const struct cache_object *o, uint32_t from, uint32_t to,
                                    struct headers *out);

void cache_object_ref(struct cache_object *o);
/* NULL is fine. The last one frees; a very large body is freed piecemeal (cache_store_tick). */
void cache_object_unref(struct cache_object *o);

/* From now on stale: stale-while-revalidate and stale-if-error windows start here. Nothing happens
 * to an object that is stale already (spec section 5.1). */
void cache_object_invalidate(struct cache_object *o, uint64_t now_ms);

/* Reading a whole object: as many pieces of [at->offset, at->offset + limit) as fit into out[max];
 * nothing is copied and nothing moves until cache_object_advance. */
size_t cache_object_read(const struct cache_object *o, const struct cache_cursor *at,
                         uint64_t limit, struct gw_str *out, size_t max);
/* The file its pieces stand in (cache_body_lend); NULL when they have to be copied. */
const struct gw_mapping *cache_object_mapping(const struct cache_object *o);
/* Both within [0, body_len]. A fresh cursor is {0}. */
void cache_object_seek(const struct cache_object *o, struct cache_cursor *at, uint64_t offset);
void cache_object_advance(const struct cache_object *o, struct cache_cursor *at, size_t bytes);

/* What makes an object. `text` holds the head and extras as head.h wrote them. */
struct cache_object_parts {
    uint16_t status;
    struct gw_str text;
    struct cache_head head;
    struct cache_lifetime life;
    uint32_t age_s; /* the decision's */
    uint64_t now_ms;
    uint64_t body_len; /* with length_known: what Content-Length says */
    bool length_known;
    uint64_t body_max; /* a longer one is not stored: the policy's object_max */
};

/* An object of the space's generation then, with room for its body. Returns a reference. */
struct cache_object *cache_object_new(const struct cache_place *place, uint64_t generation,
                                      const struct cache_object_parts *parts);
/* The same response confirmed: new head and times, the body of `old`. */
struct cache_object *cache_object_renew(const struct cache_object *old,
                                        const struct cache_object_parts *parts);
/* A streamed object whose body turned out to be body_len bytes: with Content-Length, and in one
 * piece if it is small. */
struct cache_object *cache_object_complete(const struct cache_object *streamed, uint64_t body_len);

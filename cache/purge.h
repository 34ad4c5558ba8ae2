/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Taking objects out of the cache, or making them stale, at every edge of a zone (spec sections 5.1
 * and 5.2). A fetch under way for a purged object still serves its readers but is not stored.
 *
 * purge_everything is O(1): objects of an older generation count as absent. A purge by tag goes
 * through the shards' tables of tags and touches only what has the tag. The others walk the shards,
 * one at a time under its lock: a shard is small, so no lock is held longer than a fraction of a
 * millisecond. Thread: any. */
#include "cache/store.h"

enum cache_purge_kind {
    CACHE_PURGE_REMOVE,
    CACHE_PURGE_INVALIDATE, /* the next request asks the origin, see cache_object_invalidate */
};

/* Which objects; all conditions that are given (ptr not NULL) must hold. */
struct cache_match {
    struct gw_str zone;   /* its id */
    struct gw_str edge;   /* its name */
    struct gw_str host;   /* lower case, equal */
    struct gw_str prefix; /* of the path, at a segment border: "/dir" holds "/dir", "/dir/x" and
                             "/dir?y", not "/dirt" */
    struct gw_str tag;    /* one whole item of Cache-Tag, any case */
};

/* One key with its variants (variant.h). True when there was an object. */
bool cache_purge_key(struct cache_store *store, const struct cache_place *place,
                     enum cache_purge_kind kind, uint64_t now_ms);
/* Number of objects found. */
size_t cache_purge_match(struct cache_store *store, const struct cache_match *match,
                         enum cache_purge_kind kind, uint64_t now_ms);
void cache_purge_everything(struct cache_store *store, struct gw_str zone);

/* References on at most `max` matching objects, for the admin; returns how many. */
size_t cache_store_list(struct cache_store *store, const struct cache_match *match,
                        struct cache_object **out, size_t max);

/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The index of cached objects and of fetches under way, shared by all workers.
 *
 * Split into shards by key hash; each has one short mutex that is never held across a callback, an
 * allocation of a body or the freeing of an object. A fresh hit costs one lock, one probe and one
 * reference. Eviction is S3-FIFO (s3fifo.h), a few objects at a time, in the call that needs the
 * room. Memory is counted when it is taken (bodies by segment, also of fetches under way) and when
 * it is given back, so the ceiling holds for what the process really uses.
 *
 * Thread: any. Owns: one reference on every object in the index. Time: `now` is the wall clock that
 * the caller passes. Limits: max_size bytes; an object at most a quarter of it. */
#include "cache/object.h"
#include "config/sections.h"
#include "config/zone.h"

struct cache_store;
struct cache_fill;

/* One zone at one edge: the unit of purge_everything and of statistics. Never freed before the
 * store; found again by the same names after a reload. */
struct cache_space;

struct cache_store *cache_store_new(const struct config_cache *limits);
/* No object and no fill is referenced any more. */
void cache_store_free(struct cache_store *store);

/* For the snapshot, once per zone and edge: not for the request path. */
struct cache_space *cache_store_space(struct cache_store *store, struct gw_str zone_id,
                                      struct gw_str edge);
/* Largest body that may be stored: the plan's limit, max_object_size, a quarter of max_size. */
uint64_t cache_store_object_max(const struct cache_store *store, enum config_plan plan);

enum cache_found {
    CACHE_HIT,    /* a fresh object */
    CACHE_LEADER, /* the caller fetches and feeds the fill, also when it answers stale meanwhile */
    CACHE_JOIN,   /* somebody else fetches: wait for the fill, or answer stale meanwhile */
};
struct cache_lookup {
    struct cache_object *object; /* fresh for HIT, else a stale one or NULL; a reference */
    struct cache_fill *fill;     /* LEADER and JOIN; a reference (see fill.h) */
};
enum cache_found cache_store_begin(struct cache_store *store, const struct cache_place *place,
                                   uint64_t now_ms, struct cache_lookup *out);
/* The object, fresh or stale, or NULL; changes nothing (explain). Returns a reference. */
struct cache_object *cache_store_peek(struct cache_store *store, const struct cache_place *place);
/* Puts an object in, replacing one with the same hash. Keeps a reference of its own. */
void cache_store_insert(struct cache_store *store, struct cache_object *object);

/* Frees what large bodies and purge_everything left, a little at a time; called by housekeeping, as
 * often as it likes. */
void cache_store_tick(struct cache_store *store);

struct cache_stats {
    uint64_t objects, bytes;       /* in the index */
    uint64_t memory;               /* bytes of all objects and fills, also those held by readers */
    uint64_t lookups, hits, joins; /* joins: waited for or ran beside somebody else's fetch */
    uint64_t inserted, evicted, purged;
};
void cache_store_stats(const struct cache_store *store, struct cache_stats *out);
/* Only objects and bytes. What purge_everything left counts until it is swept out. */
void cache_space_stats(const struct cache_space *space, struct cache_stats *out);
struct gw_str cache_space_zone(const struct cache_space *space);
struct gw_str cache_space_edge(const struct cache_space *space);

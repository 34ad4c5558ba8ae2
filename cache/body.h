/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The bytes of a large body: a list of segments that grows at the end while the origin sends, and,
 * once the body will not be stored, shrinks at the front as its readers move on.
 *
 * Invariants: bytes never move and never change once written; segments are numbered from the start
 * of the body, `dropped` of them are gone already. Memory is the store's, segment by segment.
 * Thread: growing and dropping under the fill's lock, reading a whole body without one. Owns: the
 * segments. */
#include "gateway/base/mapping.h"
#include "gateway/base/str.h"

#define CACHE_SEGMENT_MIN ((size_t)4 * 1024)
#define CACHE_SEGMENT_MAX ((size_t)256 * 1024)

struct cache_store;

struct cache_segment {
    char *data;
    size_t len, cap;
};

struct cache_body {
    _Atomic uint32_t refs;
    _Atomic bool
        lent; /* to a socket, once: its pages may be on their way for longer than it lives */
    struct cache_store *store;
    struct cache_segment *segments; /* those still there; the first has number `dropped` */
    size_t count, cap;
    size_t dropped;
    uint64_t dropped_bytes, len; /* offsets of the first byte still there and behind the last */
    struct cache_body *next;     /* in the store's list of bodies to be freed */
};

/* A position in a body. */
struct cache_cursor {
    uint64_t offset;
    size_t segment, within; /* the same position as number of a segment and offset in it */
};

struct cache_body *cache_body_new(struct cache_store *store);
void cache_body_ref(struct cache_body *b);
void cache_body_unref(struct cache_body *b); /* NULL is fine */
/* Frees up to `max` segments; true when none is left and b itself is gone. For the store. */
bool cache_body_free_some(struct cache_body *b, size_t max);

/* Copies data behind the last byte. `ahead`: bytes still expected, these included, or 0 if unknown;
 * they decide how large new segments are. */
void cache_body_append(struct cache_body *b, struct gw_str data, uint64_t ahead);
/* Frees whole segments in front of `offset`. */
void cache_body_drop(struct cache_body *b, uint64_t offset);

/* Pieces have gone by reference to the file in which they stand. The caller's reference on the body
 * ends later. */
void cache_body_lend(struct cache_body *b);
/* See cache_object_read. `at` is not in front of what was dropped. */
size_t cache_body_read(const struct cache_body *b, const struct cache_cursor *at, uint64_t limit,
                       struct gw_str *out, size_t max);
void cache_body_advance(const struct cache_body *b, struct cache_cursor *at, uint64_t bytes);

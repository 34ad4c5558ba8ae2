/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Reads the body of a fill while it grows, without copying. The leader reads its own fill in the
 * same way. Open a reader right after cache_store_begin: a body that turns out too large to be
 * stored keeps its start only for readers that are there by then.
 *
 * Thread: one per reader; fill and readers may all be on different ones. Owns: nothing; the caller
 * holds a reference on the fill. */
#include "cache/fill.h"

struct cache_reader {
    struct gw_list link;
    struct cache_fill *fill;
    struct cache_cursor at;
};

enum cache_read {
    CACHE_READ_DATA,   /* out[0 .. *count) was filled */
    CACHE_READ_WAIT,   /* wait with the version that was returned */
    CACHE_READ_END,    /* the body is whole and read */
    CACHE_READ_FAILED, /* it never will be */
};

/* False when the start of the body is gone: fetch by oneself. */
GW_MUST bool cache_reader_open(struct cache_reader *r, struct cache_fill *fill);
/* Pieces stay where they are until cache_reader_advance passes them. On entry *count is the room in
 * out. version may be NULL. */
enum cache_read cache_reader_read(struct cache_reader *r, struct gw_str *out, size_t *count,
                                  uint32_t *version);
void cache_reader_advance(struct cache_reader *r, size_t bytes);
/* Twice is fine, and so is a reader that was never opened (all zero). */
void cache_reader_close(struct cache_reader *r);

/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Memory for cached objects and body segments, with a known footprint. A general heap that has held
 * a flood of small objects cannot give its pages back while a few of them live, and a cache then
 * takes twice what it was allowed; here it is known at any time how much is resident, and evicting
 * further makes whole spans free.
 *
 *     region  |span|span|span|…            address space, untouched until used
 *     span    256 KiB: slots of one size, or one large piece
 *
 * Slots are taken from spans that have holes before new pages are touched. A span without live
 * slots serves any size; it keeps its pages while little is resident, else the kernel gets them
 * back. Sizes are rounded up by an eighth at most. What does
 * not fit (larger than a span, or no address space left) comes from the heap.
 *
 * The region is the content of a file without a name (memfd_create), where the kernel has them, so
 * that sockets can take large pieces by reference. A piece that was lent in this way is dropped as
 * such: its pages are cut out of the file, and the slot gets fresh ones when it is used again. What
 * a slow client has not acknowledged yet stays as it was, in pages that nobody else can reach.
 *
 * Private to this room. Thread: any. Limit: none of its own, see memory.h. */
#include "gateway/base/mapping.h"

#define CACHE_SLAB_SPAN ((size_t)256 * 1024)

struct cache_slab;

/* `expected`: bytes that will be live at a time, usually. */
struct cache_slab *cache_slab_new(uint64_t expected);
/* Everything was given back. */
void cache_slab_free(struct cache_slab *slab);

/* What an allocation of `size` takes. Asked with its own answer it answers the same. */
size_t cache_slab_size(size_t size);
/* Never NULL. */
void *cache_slab_take(struct cache_slab *slab, size_t size);
/* The size may also be what cache_slab_size said. `lent`: bytes of it may still be on their way. */
void cache_slab_drop(struct cache_slab *slab, void *piece, size_t size, bool lent);
/* For lending pieces out; NULL when the region is no file. */
const struct gw_mapping *cache_slab_mapping(const struct cache_slab *slab);
/* Gives the pages of one free span back to the kernel; false when there is none. */
bool cache_slab_trim(struct cache_slab *slab);
/* Bytes of the region that are backed by memory, holes between live slots included. */
uint64_t cache_slab_resident(const struct cache_slab *slab);

/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Free lists for the small blocks that a request takes and gives back. malloc's own lists keep
 * seven blocks of a size for a thread, so an HTTP/2 client with ten streams falls off them with
 * each batch, and calloc never looks there.
 *
 * Blocks of up to GW_POOL_BLOCK bytes, their heads included, are kept by sizes of GW_POOL_STEP and
 * serve any of that size again; larger ones are malloc's. A block knows its pool. Thread: the
 * pool's. Owns: the kept blocks, at most GW_POOL_KEPT of a size, 144 KiB in all. With the address
 * sanitizer nothing is kept, so that it sees a use after free. */
#include "gateway/base/base.h"

#define GW_POOL_STEP  64
#define GW_POOL_BLOCK 512
#define GW_POOL_KEPT  64

struct gw_pool_block;

/* All zero is an empty pool. */
struct gw_pool {
    struct gw_pool_block *kept[GW_POOL_BLOCK / GW_POOL_STEP];
    unsigned count[GW_POOL_BLOCK / GW_POOL_STEP];
};

/* Frees what is kept. Blocks that are still used are given back to their pool before. */
void gw_pool_release(struct gw_pool *p);

/* Like gw_alloc: aligned for everything, and never NULL. */
void *gw_pool_alloc(struct gw_pool *p, size_t size);
/* To the pool it came from; NULL is allowed. */
void gw_pool_free(void *ptr);
/* As realloc: NULL is a new block. */
void *gw_pool_realloc(struct gw_pool *p, void *ptr, size_t size);

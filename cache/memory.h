/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The store's account of memory. Whoever allocates for an object reserves first and gives back what
 * it frees, so that objects in the index, bodies still growing and bodies that slow readers hold
 * all count. Private to this room. Thread: any; no lock of a shard may be held. */
#include "gateway/base/base.h"

struct cache_store;
struct cache_body;

/* What malloc takes for `size` bytes (glibc: a word of its own, steps of 16). */
static inline size_t cache_memory_of(size_t size)
{
    return (size + 8 + 15) & ~(size_t)15;
}
/* Counts the bytes and evicts as many. False when others' memory leaves no room: the bytes are
 * counted all the same, and the caller keeps them few. */
bool cache_store_reserve(struct cache_store *store, size_t bytes);
void cache_store_give_back(struct cache_store *store, size_t bytes);
/* Takes a large body that nobody refers to, to be freed a little at a time: giving hundreds of
 * segments back to the kernel in one go takes longer than a request may wait. */
void cache_store_bury(struct cache_store *store, struct cache_body *body);

/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The store's account of memory. Objects and segments are taken and dropped here, so that those in
 * the index, bodies still growing and bodies that slow readers hold all count. Two ceilings: live
 * bytes up to max_size, and resident ones, holes between live ones included, up to 15 % and 2 MiB
 * more; whoever takes evicts what is over. Private to this room. Thread: any; no lock of a shard
 * may be held. */
#include "cache/slab.h"

struct cache_store;
struct cache_body;

/* Never NULL. */
void *cache_memory_take(struct cache_store *store, size_t size);
/* `lent`: see slab.h. */
void cache_memory_drop(struct cache_store *store, void *piece, size_t size, bool lent);
const struct gw_mapping *cache_memory_mapping(const struct cache_store *store);
/* False when more is live than may be and nothing can be evicted: what is held by fills and readers
 * fills the cache. The caller then keeps what it takes small. */
bool cache_memory_has_room(const struct cache_store *store);
/* Takes a large body that nobody refers to, to be freed a little at a time: giving hundreds of
 * segments back to the kernel in one go takes longer than a request may wait. */
void cache_memory_bury(struct cache_store *store, struct cache_body *body);

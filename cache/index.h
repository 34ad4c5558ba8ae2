/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Objects by hash: linear probing with the first half of the hash beside the pointer, so that a
 * probe that misses touches no object; at most 3/4 full; removal shifts back and leaves no
 * tombstones. Hashes are keyed and random, so their bits are used as they are.
 *
 * Thread: none, the shard's lock guards it. Owns: its slots; references are the caller's. */
#include "gateway/base/hash.h"

struct cache_object;

struct cache_index_slot {
    uint64_t tag;
    struct cache_object *object; /* NULL: free */
};

struct cache_index {
    struct cache_index_slot *slots;
    size_t count, cap; /* cap is 0 or a power of two */
};

void cache_index_release(struct cache_index *x);
struct cache_object *cache_index_get(const struct cache_index *x, struct gw_hash128 hash);
/* Returns the object that had this hash before, or NULL. */
struct cache_object *cache_index_put(struct cache_index *x, struct cache_object *object);
/* Returns it, or NULL. */
struct cache_object *cache_index_remove(struct cache_index *x, struct gw_hash128 hash);

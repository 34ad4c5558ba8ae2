/* SPDX-License-Identifier: Apache-2.0 */
#include "cache/index.h"

#include "cache/object.h"

#define CAP_MIN ((size_t)16)

void cache_index_release(struct cache_index *x)
{
    free(x->slots);
    *x = (struct cache_index){0};
}

/* The slot of this hash, or the free one where it belongs. */
static size_t find(const struct cache_index *x, struct gw_hash128 hash)
{
    size_t i = hash.lo & (x->cap - 1);
    while (x->slots[i].object &&
           (x->slots[i].tag != hash.lo || x->slots[i].object->entry.hash.hi != hash.hi))
        i = (i + 1) & (x->cap - 1);
    return i;
}

/* Not one entry is compared: all of the old table are different. At most 3/4 full also means that
 * every probe ends at a free slot. */
static void grow(struct cache_index *x)
{
    struct cache_index old = *x;
    x->cap = old.cap ? 2 * old.cap : CAP_MIN;
    x->slots = gw_zalloc(x->cap * sizeof(*x->slots));
    for (size_t i = 0; i < old.cap; i++)
        if (old.slots[i].object)
            x->slots[find(x, old.slots[i].object->entry.hash)] = old.slots[i];
    free(old.slots);
}

struct cache_object *cache_index_get(const struct cache_index *x, struct gw_hash128 hash)
{
    return x->cap ? x->slots[find(x, hash)].object : NULL;
}

struct cache_object *cache_index_put(struct cache_index *x, struct cache_object *object)
{
    if (4 * (x->count + 1) > 3 * x->cap)
        grow(x);
    struct cache_index_slot *slot = &x->slots[find(x, object->entry.hash)];
    struct cache_object *before = slot->object;
    *slot = (struct cache_index_slot){object->entry.hash.lo, object};
    x->count += !before;
    return before;
}

/* Closes the hole instead of marking it: each entry behind that probed across the hole moves into
 * it, unless its home lies behind the hole. Purges empty whole tables, and tombstones would slow
 * down the misses that follow. */
struct cache_object *cache_index_remove(struct cache_index *x, struct gw_hash128 hash)
{
    if (!x->cap)
        return NULL;
    size_t mask = x->cap - 1, hole = find(x, hash);
    struct cache_object *object = x->slots[hole].object;
    if (!object)
        return NULL;
    for (size_t i = (hole + 1) & mask; x->slots[i].object; i = (i + 1) & mask) {
        size_t home = x->slots[i].tag & mask;
        if (((i - home) & mask) >= ((i - hole) & mask)) {
            x->slots[hole] = x->slots[i];
            hole = i;
        }
    }
    x->slots[hole].object = NULL;
    x->count--;
    return object;
}

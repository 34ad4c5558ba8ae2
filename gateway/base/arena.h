/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Bump allocator: many small objects that die together (one exchange, one snapshot).
 *
 * The caller lends the first block (often from a pool), so that a usual exchange allocates nothing;
 * further blocks come from the heap and are freed by gw_arena_clear. Memory is aligned to 16 bytes.
 * Nothing is freed singly. Thread: one. Limits: `max` bytes over all blocks, then gw_arena_alloc
 * answers NULL; 0 means no ceiling (trusted input only: then NULL cannot happen). */
#include "gateway/base/str.h"

struct gw_arena_block;

struct gw_arena {
    char *next, *end;              /* free part of the current block */
    struct gw_arena_block *blocks; /* heap blocks, newest first */
    char *first;                   /* the lent block; gw_arena_clear goes back to it */
    size_t first_size;
    size_t used, max; /* bytes of heap blocks; ceiling, 0 = none */
};

/* `first` may be NULL with first_size 0. It is borrowed and outlives the arena. */
void gw_arena_init(struct gw_arena *a, void *first, size_t first_size, size_t max);
/* Frees the heap blocks; the arena is as new. */
void gw_arena_clear(struct gw_arena *a);

/* The slow path of gw_arena_alloc. */
void *gw_arena_grow(struct gw_arena *a, size_t size);

static inline void *gw_arena_alloc(struct gw_arena *a, size_t size)
{
    size = (size + 15) & ~(size_t)15;
    if (gw_likely((size_t)(a->end - a->next) >= size)) {
        char *p = a->next;
        a->next += size;
        return p;
    }
    return gw_arena_grow(a, size);
}

/* Zeroed. */
void *gw_arena_zalloc(struct gw_arena *a, size_t size);
/* Copies; the dupz forms are NUL-terminated. Only for arenas without a ceiling or input whose size
 * is bounded. */
struct gw_str gw_arena_dup(struct gw_arena *a, struct gw_str s);
char *gw_arena_dupz(struct gw_arena *a, struct gw_str s);

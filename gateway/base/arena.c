/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/base/arena.h"

#define ALIGNMENT 16
/* A ceiling below this means: what is lent, and nothing from the heap. */
#define BLOCK_MIN ((size_t)4096)

struct gw_arena_block {
    struct gw_arena_block *older;
    size_t size;
    char data[] __attribute__((aligned(ALIGNMENT)));
};

static void use_first(struct gw_arena *a)
{
    a->next = a->first;
    a->end = a->first + a->first_size;
}

void gw_arena_init(struct gw_arena *a, void *first, size_t first_size, size_t max)
{
    /* Without a lent block the free part is empty, but somewhere: an allocation of nothing then
     * answers an address like any other, and NULL keeps its one meaning, the ceiling. */
    static char nothing[1];
    size_t skip = -(uintptr_t)first & (ALIGNMENT - 1); /* what is lent may start anywhere */
    *a = (struct gw_arena){.first = nothing, .max = max};
    if (first && first_size > skip) {
        a->first = (char *)first + skip;
        a->first_size = first_size - skip;
    }
    use_first(a);
}

/* When its owner ends, and by owners with many lives between two of them (an exchange that goes
 * back to its worker, a connection before the next answer). Cleared twice is cleared. */
void gw_arena_clear(struct gw_arena *a)
{
    while (a->blocks) {
        struct gw_arena_block *older = a->blocks->older;
        free(a->blocks);
        a->blocks = older;
    }
    a->used = 0;
    use_first(a);
}

void *gw_arena_grow(struct gw_arena *a, size_t size)
{
    /* What is left of the current block is given up: to look for room in older ones would make this
     * slower for all. */
    size_t want = size > BLOCK_MIN ? size : BLOCK_MIN;
    /* By itself first: a huge size must not wrap the sum. */
    if (a->max && (size > a->max || a->used + want > a->max))
        return NULL;
    struct gw_arena_block *block = gw_alloc(sizeof(*block) + want);
    block->older = a->blocks;
    block->size = want;
    a->blocks = block;
    a->used += want;
    a->next = block->data + size;
    a->end = block->data + want;
    return block->data;
}

void *gw_arena_zalloc(struct gw_arena *a, size_t size)
{
    void *p = gw_arena_alloc(a, size);
    return p ? memset(p, 0, size) : NULL;
}

char *gw_arena_dupz(struct gw_arena *a, struct gw_str s)
{
    char *copy = gw_arena_alloc(a, s.len + 1);
    if (!copy)
        return NULL;
    if (s.len)
        memcpy(copy, s.ptr, s.len);
    copy[s.len] = '\0';
    return copy;
}

struct gw_str gw_arena_dup(struct gw_arena *a, struct gw_str s)
{
    char *copy = gw_arena_dupz(a, s);
    return copy ? gw_str(copy, s.len) : GW_STR_EMPTY;
}

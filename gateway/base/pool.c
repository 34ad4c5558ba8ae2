/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/base/pool.h"

#ifdef __SANITIZE_ADDRESS__
#define KEEPS false
#define STEP  1 /* nor does it see what is written into the room behind a block */
#else
#define KEEPS true
#define STEP  GW_POOL_STEP
#endif

/* Stands in front of what the caller sees. */
struct gw_pool_block {
    union {
        struct gw_pool *pool;       /* in use */
        struct gw_pool_block *next; /* kept */
    };
    size_t size; /* a multiple of STEP, this head included */
};
_Static_assert(sizeof(struct gw_pool_block) % _Alignof(max_align_t) == 0, "blocks are aligned");

static size_t list_of(size_t size)
{
    return size / GW_POOL_STEP - 1;
}

void gw_pool_release(struct gw_pool *p)
{
    for (size_t i = 0; i < GW_COUNT(p->kept); i++) {
        while (p->kept[i]) {
            struct gw_pool_block *b = p->kept[i];
            p->kept[i] = b->next;
            free(b);
        }
        p->count[i] = 0;
    }
}

void *gw_pool_alloc(struct gw_pool *p, size_t size)
{
    if (size > SIZE_MAX - sizeof(struct gw_pool_block) - STEP)
        abort();
    size = (size + sizeof(struct gw_pool_block) + STEP - 1) & ~(size_t)(STEP - 1);
    struct gw_pool_block *b = KEEPS && size <= GW_POOL_BLOCK ? p->kept[list_of(size)] : NULL;
    if (b) {
        p->kept[list_of(size)] = b->next;
        p->count[list_of(size)]--;
    } else {
        b = gw_alloc(size);
        b->size = size;
    }
    b->pool = p;
    return b + 1;
}

void gw_pool_free(void *ptr)
{
    if (!ptr)
        return;
    struct gw_pool_block *b = (struct gw_pool_block *)ptr - 1;
    struct gw_pool *p = b->pool;
    size_t list = list_of(b->size);
    if (!KEEPS || b->size > GW_POOL_BLOCK || p->count[list] >= GW_POOL_KEPT) {
        free(b);
        return;
    }
    b->next = p->kept[list];
    p->kept[list] = b;
    p->count[list]++;
}

void *gw_pool_realloc(struct gw_pool *p, void *ptr, size_t size)
{
    size_t room = ptr ? ((struct gw_pool_block *)ptr - 1)->size - sizeof(struct gw_pool_block) : 0;
    if (ptr && size <= room)
        return ptr;
    void *larger = gw_pool_alloc(p, size);
    if (ptr) {
        memcpy(larger, ptr, room);
        gw_pool_free(ptr);
    }
    return larger;
}

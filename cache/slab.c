/* SPDX-License-Identifier: Apache-2.0 */
#include "cache/slab.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/mman.h>

#include "gateway/base/list.h"

#define SLOT_MIN  ((size_t)512)
#define SLOT_MAX  (CACHE_SLAB_SPAN / 2)
#define STEPS     8 /* sizes between one power of two and the next */
#define DOUBLINGS 8 /* from SLOT_MIN to SLOT_MAX */
#define CLASSES   (DOUBLINGS * STEPS + 1)
#define PAGE      ((size_t)4096)

struct slot {
    struct slot *next;
};

struct span {
    struct gw_list link; /* among its class's spans with holes, or the free ones */
    struct slot *holes;  /* slots that were used once */
    size_t slot_size;    /* 0: one large piece */
    size_t used;         /* bytes from its start that were given out */
    size_t backed;       /* bytes from its start that have pages: at least `used` */
    size_t live;         /* slots in use */
};

struct cache_slab {
    char *region; /* NULL: all from the heap */
    size_t span_count;
    struct span *spans;
    _Atomic uint64_t resident;
    pthread_mutex_t lock;      /* guards the rest and the spans */
    size_t span_used;          /* spans from here on were never used */
    struct gw_list warm_spans; /* free, but still backed */
    struct gw_list cold_spans;
    uint64_t keep; /* resident bytes up to which free spans stay warm */
    struct gw_list with_holes[CLASSES];
};

/* Index of the smallest size that holds `size` (at most SLOT_MAX), and that size. */
static size_t class_of(size_t size, size_t *slot_size)
{
    size_t base = SLOT_MIN, doubling = 0;
    for (; size > 2 * base; base *= 2)
        doubling++;
    size_t step = base / STEPS;
    size_t above = size > base ? (size - base + step - 1) / step : 0;
    *slot_size = base + above * step;
    return doubling * STEPS + above;
}

size_t cache_slab_size(size_t size)
{
    size_t slot_size;
    if (size > SLOT_MAX)
        return (size + PAGE - 1) & ~(PAGE - 1);
    class_of(size, &slot_size);
    return slot_size;
}

/* With the address sanitizer everything comes from the heap, where it can watch. */
static char *map_region(size_t size)
{
#ifdef __SANITIZE_ADDRESS__
    (void)size;
    return NULL;
#else
    void *region = mmap(NULL, size, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (region == MAP_FAILED)
        return NULL;
    /* A huge page would stay resident as a whole for one live slot. */
    madvise(region, size, MADV_NOHUGEPAGE);
    return region;
#endif
}

struct cache_slab *cache_slab_new(uint64_t expected)
{
    struct cache_slab *slab = gw_zalloc(sizeof(*slab));
    /* Pieces just over half a span take a span of address space each, and readers may hold as much
     * again; address space costs nothing. */
    slab->span_count = (size_t)(4 * expected / CACHE_SLAB_SPAN) + 2 * CLASSES;
    slab->region = map_region(slab->span_count * CACHE_SLAB_SPAN);
    slab->spans = gw_zalloc(slab->span_count * sizeof(*slab->spans));
    pthread_mutex_init(&slab->lock, NULL);
    gw_list_init(&slab->warm_spans);
    gw_list_init(&slab->cold_spans);
    slab->keep = expected + expected / 10;
    for (size_t i = 0; i < CLASSES; i++)
        gw_list_init(&slab->with_holes[i]);
    return slab;
}

void cache_slab_free(struct cache_slab *slab)
{
    if (slab->region)
        munmap(slab->region, slab->span_count * CACHE_SLAB_SPAN);
    pthread_mutex_destroy(&slab->lock);
    free(slab->spans);
    free(slab);
}

uint64_t cache_slab_resident(const struct cache_slab *slab)
{
    return atomic_load_explicit(&slab->resident, memory_order_relaxed);
}

static char *start_of(const struct cache_slab *slab, const struct span *span)
{
    return slab->region + (size_t)(span - slab->spans) * CACHE_SLAB_SPAN;
}

/* The next unused bytes of the span. */
static void *extend(struct cache_slab *slab, struct span *span, size_t bytes)
{
    void *piece = start_of(slab, span) + span->used;
    span->used += bytes;
    if (span->used > span->backed) {
        atomic_fetch_add_explicit(&slab->resident, span->used - span->backed, memory_order_relaxed);
        span->backed = span->used;
    }
    return piece;
}

/* With the lock held; NULL when the region is used up. */
static struct span *take_span(struct cache_slab *slab, size_t slot_size)
{
    struct gw_list *link = gw_list_pop(&slab->warm_spans);
    if (!link)
        link = gw_list_pop(&slab->cold_spans);
    struct span *span = link ? gw_list_entry(link, struct span, link) : NULL;
    if (!span && slab->region && slab->span_used < slab->span_count)
        span = &slab->spans[slab->span_used++];
    if (!span)
        return NULL;
    *span = (struct span){.slot_size = slot_size, .backed = span->backed};
    gw_list_init(&span->link);
    return span;
}

/* Gives the pages back first: nobody may take the span while that goes on. */
static void cool(struct cache_slab *slab, struct span *span)
{
    madvise(start_of(slab, span), span->backed, MADV_DONTNEED);
    atomic_fetch_sub_explicit(&slab->resident, span->backed, memory_order_relaxed);
    span->backed = 0;
    pthread_mutex_lock(&slab->lock);
    gw_list_push(&slab->cold_spans, &span->link);
    pthread_mutex_unlock(&slab->lock);
}

static void release_span(struct cache_slab *slab, struct span *span)
{
    if (cache_slab_resident(slab) > slab->keep) {
        cool(slab, span);
        return;
    }
    pthread_mutex_lock(&slab->lock);
    gw_list_push(&slab->warm_spans, &span->link);
    pthread_mutex_unlock(&slab->lock);
}

bool cache_slab_trim(struct cache_slab *slab)
{
    pthread_mutex_lock(&slab->lock);
    struct gw_list *link = gw_list_pop(&slab->warm_spans);
    pthread_mutex_unlock(&slab->lock);
    if (link)
        cool(slab, gw_list_entry(link, struct span, link));
    return link != NULL;
}

static bool is_full(const struct span *span)
{
    return !span->holes && span->used + span->slot_size > CACHE_SLAB_SPAN;
}

/* With the lock held. */
static void *take_slot(struct cache_slab *slab, size_t size)
{
    size_t slot_size;
    struct gw_list *with_holes = &slab->with_holes[class_of(size, &slot_size)];
    if (gw_list_empty(with_holes)) {
        struct span *fresh = take_span(slab, slot_size);
        if (!fresh)
            return NULL;
        gw_list_push(with_holes, &fresh->link);
    }
    struct span *span = gw_list_entry(with_holes->next, struct span, link);
    void *piece = span->holes;
    if (piece) {
        span->holes = span->holes->next;
    } else {
        piece = extend(slab, span, slot_size);
    }
    span->live++;
    if (is_full(span))
        gw_list_remove(&span->link);
    return piece;
}

void *cache_slab_take(struct cache_slab *slab, size_t size)
{
    void *piece = NULL;
    pthread_mutex_lock(&slab->lock);
    if (size <= SLOT_MAX) {
        piece = take_slot(slab, size);
    } else if (size <= CACHE_SLAB_SPAN) {
        struct span *span = take_span(slab, 0);
        if (span)
            piece = extend(slab, span, cache_slab_size(size));
    }
    pthread_mutex_unlock(&slab->lock);
    return piece ? piece : gw_alloc(size);
}

/* True when the span has no live slot left and is the caller's to release. */
static bool drop_slot(struct cache_slab *slab, struct span *span, struct slot *slot)
{
    size_t slot_size;
    pthread_mutex_lock(&slab->lock);
    bool was_full = is_full(span);
    slot->next = span->holes;
    span->holes = slot;
    bool empty = --span->live == 0;
    if (empty)
        gw_list_remove(&span->link);
    else if (was_full)
        gw_list_push(&slab->with_holes[class_of(span->slot_size, &slot_size)], &span->link);
    pthread_mutex_unlock(&slab->lock);
    return empty;
}

void cache_slab_drop(struct cache_slab *slab, void *piece, size_t size)
{
    size_t offset = (size_t)((char *)piece - slab->region);
    if (!slab->region || offset >= slab->span_count * CACHE_SLAB_SPAN) {
        free(piece);
        return;
    }
    struct span *span = &slab->spans[offset / CACHE_SLAB_SPAN];
    if (size > SLOT_MAX || drop_slot(slab, span, piece))
        release_span(slab, span);
}

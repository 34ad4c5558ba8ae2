/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* memfd_create */
#include "cache/slab.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <unistd.h>

#include "gateway/base/list.h"

#define SLOT_MIN  ((size_t)512)
#define SLOT_MAX  (CACHE_SLAB_SPAN / 2)
#define STEPS     8 /* sizes between one power of two and the next */
#define DOUBLINGS 8 /* from SLOT_MIN to SLOT_MAX */
#define CLASSES   (DOUBLINGS * STEPS + 1)
#define PAGE      ((size_t)4096)
/* From here on the sizes of slots are whole pages, which a piece then shares with nobody. */
#define LENT_MIN  (PAGE * STEPS)

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
    struct gw_mapping region; /* without a base: all from the heap; without a file: fd is -1 */
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

#ifndef __SANITIZE_ADDRESS__
/* A file of that size, of which nothing exists yet; -1 where there are none or RLIMIT_FSIZE forbids
 * it. */
static int make_file(size_t size)
{
    int fd = memfd_create("nearedge-cache", MFD_CLOEXEC);
    if (fd >= 0 && ftruncate(fd, (off_t)size) != 0) {
        close(fd);
        fd = -1;
    }
    return fd;
}
#endif

/* With the address sanitizer everything comes from the heap, where it can watch. */
static struct gw_mapping map_region(size_t size)
{
    struct gw_mapping region = {.fd = -1, .size = size, .least = LENT_MIN};
#ifndef __SANITIZE_ADDRESS__
    region.fd = make_file(size);
    int flags = region.fd >= 0 ? MAP_SHARED : MAP_PRIVATE | MAP_ANONYMOUS;
    void *base = mmap(NULL, size, PROT_READ | PROT_WRITE, flags | MAP_NORESERVE, region.fd, 0);
    if (base == MAP_FAILED) {
        if (region.fd >= 0)
            close(region.fd);
        region.fd = -1;
        return region;
    }
    /* A huge page would stay resident as a whole for one live slot. */
    madvise(base, size, MADV_NOHUGEPAGE);
    region.base = base;
#endif
    return region;
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
    if (slab->region.base)
        munmap(slab->region.base, slab->region.size);
    if (slab->region.fd >= 0)
        close(slab->region.fd);
    pthread_mutex_destroy(&slab->lock);
    free(slab->spans);
    free(slab);
}

const struct gw_mapping *cache_slab_mapping(const struct cache_slab *slab)
{
    return slab->region.fd >= 0 ? &slab->region : NULL;
}

uint64_t cache_slab_resident(const struct cache_slab *slab)
{
    return atomic_load_explicit(&slab->resident, memory_order_relaxed);
}

static char *start_of(const struct cache_slab *slab, const struct span *span)
{
    return slab->region.base + (size_t)(span - slab->spans) * CACHE_SLAB_SPAN;
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
    if (!span && slab->region.base && slab->span_used < slab->span_count)
        span = &slab->spans[slab->span_used++];
    if (!span)
        return NULL;
    *span = (struct span){.slot_size = slot_size, .backed = span->backed};
    gw_list_init(&span->link);
    return span;
}

/* Pages of a file have to be cut out of it; the next byte written there is in a fresh one. */
static void give_back(const struct cache_slab *slab, char *pages, size_t bytes)
{
    madvise(pages, bytes, slab->region.fd >= 0 ? MADV_REMOVE : MADV_DONTNEED);
}

/* Gives the pages back first: nobody may take the span while that goes on. */
static void cool(struct cache_slab *slab, struct span *span)
{
    give_back(slab, start_of(slab, span), span->backed);
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
    /* A slot that was used before: it has its pages. */
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

void cache_slab_drop(struct cache_slab *slab, void *piece, size_t size, bool lent)
{
    size_t offset = (size_t)((char *)piece - slab->region.base);
    if (!slab->region.base || offset >= slab->region.size) {
        free(piece);
        return;
    }
    /* Before anything else writes there, the list of holes included. It goes on counting as
     * resident, which its span will soon be again. */
    if (lent && size >= LENT_MIN)
        give_back(slab, piece, cache_slab_size(size));
    struct span *span = &slab->spans[offset / CACHE_SLAB_SPAN];
    if (size > SLOT_MAX || drop_slot(slab, span, piece))
        release_span(slab, span);
}

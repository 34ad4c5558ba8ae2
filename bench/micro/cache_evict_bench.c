/* SPDX-License-Identifier: Apache-2.0 */
/* How much of a trace the cache answers, beside an LRU that holds as many objects: requests with
 * Zipf's popularity, the same with objects that are asked for once (crawlers, tracking queries),
 * and with scans that walk through more than fits (a backup, a sitemap). One table row, and one
 * line of JSON, per trace and size.
 *
 *     cache_evict_bench [requests]   */

#include "bench/micro/cache_bench.h"

#define POPULAR   100000 /* objects that come again */
#define BODY_LEN  1000
#define SCAN_LEN  40000  /* of one scan … */
#define SCAN_EACH 200000 /* … that begins every so many requests */

enum trace { TRACE_ZIPF, TRACE_ONCE, TRACE_SCAN, TRACE_COUNT };
static const char *const trace_names[TRACE_COUNT] = {"zipf", "half asked for once",
                                                     "scans larger than the cache"};

struct source {
    enum trace trace;
    struct gw_rng rng;
    double *cumulative; /* of the popularity, POPULAR entries */
    size_t requests, once, scan_left;
};

static size_t draw_popular(struct source *s)
{
    double u = (double)(gw_rng_next(&s->rng) >> 11) * 0x1p-53;
    size_t low = 0, high = POPULAR - 1;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (s->cumulative[middle] < u)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Scans and what is asked for once have numbers of their own, never seen again: for any policy they
 * are misses, what counts is what they push out. */
static size_t next_request(struct source *s)
{
    s->requests++;
    if (s->trace == TRACE_SCAN && s->requests % SCAN_EACH == 0)
        s->scan_left = SCAN_LEN;
    if (s->scan_left || (s->trace == TRACE_ONCE && gw_rng_below(&s->rng, 2))) {
        s->scan_left -= s->scan_left > 0;
        return POPULAR + s->once++;
    }
    return draw_popular(s);
}

static void source_init(struct source *s, enum trace trace, double *cumulative)
{
    *s = (struct source){.trace = trace, .rng = {11}, .cumulative = cumulative};
    double sum = 0;
    for (size_t i = 0; i < POPULAR; i++)
        sum += 1.0 / (double)(i + 1);
    for (size_t i = 0; i < POPULAR; i++)
        cumulative[i] = (i ? cumulative[i - 1] : 0) + 1.0 / (double)(i + 1) / sum;
}

/* ---- the yardstick ---- */

/* Numbers are dense, so a table of neighbours is all an LRU needs. Entry 0 is the list's head. */
struct lru {
    uint32_t *next, *previous; /* by number + 1; next 0 and previous 0: not in the list */
    size_t count, cap;
};

static void unlink_number(struct lru *l, uint32_t n)
{
    l->next[l->previous[n]] = l->next[n];
    l->previous[l->next[n]] = l->previous[n];
    l->next[n] = l->previous[n] = 0;
    l->count--;
}

static bool lru_ask(struct lru *l, size_t number)
{
    uint32_t n = (uint32_t)number + 1;
    bool hit = l->next[n] || l->previous[n] || l->next[0] == n;
    if (hit)
        unlink_number(l, n);
    else if (l->count == l->cap)
        unlink_number(l, l->previous[0]);
    l->next[n] = l->next[0];
    l->previous[l->next[0]] = n;
    l->next[0] = n;
    l->previous[n] = 0;
    l->count++;
    return hit;
}

static double lru_share(struct source *s, size_t requests, size_t cap)
{
    struct lru l = {.cap = cap};
    size_t hits = 0;
    l.next = gw_zalloc((POPULAR + requests + 2) * sizeof(*l.next));
    l.previous = gw_zalloc((POPULAR + requests + 2) * sizeof(*l.previous));
    for (size_t i = 0; i < requests; i++)
        hits += lru_ask(&l, next_request(s));
    free(l.next);
    free(l.previous);
    return 100.0 * (double)hits / (double)requests;
}

/* ---- ours ---- */

/* *held becomes the most objects that were in the store at once. */
static double store_share(struct source *s, size_t requests, uint64_t max_size, size_t *held)
{
    struct bench_store b;
    size_t hits = 0;
    char name[32];
    bench_store_init(&b, max_size, MIB);
    for (size_t i = 0; i < requests; i++) {
        struct cache_lookup found;
        struct cache_stats stats;
        snprintf(name, sizeof(name), "/%zu.css", next_request(s));
        struct cache_place place = place_of(&b, gw_str_z(name));
        if (cache_store_begin(b.store, &place, 1000, &found) == CACHE_HIT) {
            cache_object_unref(found.object);
            hits++;
        } else {
            (void)fill_found(&found, BODY_LEN, true, cpu_ns());
        }
        if (i % 1000)
            continue;
        cache_store_stats(b.store, &stats);
        *held = stats.objects > *held ? (size_t)stats.objects : *held;
    }
    cache_store_free(b.store);
    return 100.0 * (double)hits / (double)requests;
}

int main(int argc, char **argv)
{
    static const uint64_t sizes_mib[] = {4, 16, 64};
    uint64_t requests = 2000000;
    if (argc > 1 && !gw_str_u64(gw_str_z(argv[1]), 100000000, &requests))
        return 2;
    double *cumulative = gw_alloc(POPULAR * sizeof(*cumulative));
    fprintf(stderr, "%-30s %9s %8s %8s\n", "trace", "objects", "S3-FIFO", "LRU");
    for (enum trace trace = 0; trace < TRACE_COUNT; trace++)
        for (size_t i = 0; i < GW_COUNT(sizes_mib); i++) {
            struct source s;
            size_t held = 1;
            char what[128];
            source_init(&s, trace, cumulative);
            double ours = store_share(&s, requests, sizes_mib[i] * MIB, &held);
            source_init(&s, trace, cumulative);
            double lru = lru_share(&s, requests, held);
            fprintf(stderr, "%-30s %9zu %7.1f%% %7.1f%%\n", trace_names[trace], held, ours, lru);
            snprintf(what, sizeof(what), "hit ratio, %s, %zu objects", trace_names[trace], held);
            report(what, ours, "%");
            snprintf(what, sizeof(what), "hit ratio of an LRU, %s, %zu objects", trace_names[trace],
                     held);
            report(what, lru, "%");
        }
    free(cumulative);
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/load/histogram.h"

#define LINEAR_BITS 11 /* values below 2^11 have a bucket each */
#define HALF        ((size_t)1 << (LINEAR_BITS - 1))

/* Above the linear part a value is cut to its 11 leading bits: they lie in [1024, 2048), so each
 * further shift begins 1024 buckets later and the linear part needs no case of its own there. */
static size_t bucket_of(uint64_t us)
{
    if (us < 2 * HALF)
        return (size_t)us;
    unsigned shift = 64 - (unsigned)__builtin_clzll(us) - LINEAR_BITS;
    return shift * HALF + (size_t)(us >> shift);
}

static uint64_t top_of(size_t bucket)
{
    if (bucket < 2 * HALF)
        return bucket;
    size_t shift = bucket / HALF - 1;
    return (((uint64_t)(bucket - shift * HALF) + 1) << shift) - 1;
}

void histogram_init(struct histogram *h)
{
    *h = (struct histogram){.counts = gw_zalloc(HISTOGRAM_BUCKETS * sizeof(*h->counts))};
}

void histogram_release(struct histogram *h)
{
    free(h->counts);
    *h = (struct histogram){0};
}

void histogram_clear(struct histogram *h)
{
    if (h->total)
        memset(h->counts, 0, HISTOGRAM_BUCKETS * sizeof(*h->counts));
    *h = (struct histogram){.counts = h->counts};
}

void histogram_add(struct histogram *h, uint64_t us, uint64_t times)
{
    if (!times)
        return;
    us = gw_min_u64(us, HISTOGRAM_MAX_US);
    h->min_us = h->total ? gw_min_u64(h->min_us, us) : us;
    h->max_us = gw_max_u64(h->max_us, us);
    h->counts[bucket_of(us)] += times;
    h->total += times;
    h->sum_us += (double)us * (double)times;
}

void histogram_merge(struct histogram *h, const struct histogram *from)
{
    if (!from->total)
        return;
    h->min_us = h->total ? gw_min_u64(h->min_us, from->min_us) : from->min_us;
    h->max_us = gw_max_u64(h->max_us, from->max_us);
    for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++)
        h->counts[i] += from->counts[i];
    h->total += from->total;
    h->sum_us += from->sum_us;
}

/* The rank is rounded up, so that p50 of two values is the first and p99 of ten the largest. */
uint64_t histogram_at(const struct histogram *h, double percent)
{
    double share = percent / 100 * (double)h->total;
    uint64_t rank = (uint64_t)share, seen = 0;
    rank += (double)rank < share - 1e-9;
    rank = gw_max_u64(rank, 1);
    for (size_t i = 0; i < HISTOGRAM_BUCKETS && h->total; i++) {
        seen += h->counts[i];
        if (seen >= rank)
            return gw_min_u64(top_of(i), h->max_us);
    }
    return h->max_us;
}

double histogram_mean(const struct histogram *h)
{
    return h->total ? h->sum_us / (double)h->total : 0;
}

bool histogram_next(const struct histogram *h, size_t *at, uint64_t *us, uint64_t *count)
{
    while (*at < HISTOGRAM_BUCKETS && !h->counts[*at])
        ++*at;
    if (*at == HISTOGRAM_BUCKETS)
        return false;
    *us = gw_min_u64(top_of(*at), h->max_us);
    *count = h->counts[(*at)++];
    return true;
}

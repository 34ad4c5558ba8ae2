/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Durations as a log-linear histogram (the idea is Gil Tene's HdrHistogram): exact below 2048 µs,
 * above that 1024 buckets an octave, so that any value read back is at most 0.1 % above the value
 * that went in: three significant digits from a microsecond to two hours.
 *
 * Why: percentiles of a million answers in fixed memory, and two histograms add up to what one
 * would have held, which no list of percentiles does. Owns: HISTOGRAM_BUCKETS counts on the heap,
 * touched only where values fall. Thread: one. Limits: values above HISTOGRAM_MAX_US count as it.
 */
#include "gateway/base/base.h"

#define HISTOGRAM_MAX_US  (((uint64_t)1 << 33) - 1)
#define HISTOGRAM_BUCKETS (22 * 1024 + 2048)

struct histogram {
    uint64_t *counts;
    uint64_t total, min_us, max_us; /* min and max are exact; 0 while total is 0 */
    double sum_us;
};

void histogram_init(struct histogram *h);
void histogram_release(struct histogram *h);
void histogram_clear(struct histogram *h);

void histogram_add(struct histogram *h, uint64_t us, uint64_t times);
/* Adds all of `from`. */
void histogram_merge(struct histogram *h, const struct histogram *from);

/* The value that `percent` (0 to 100) of the values do not exceed; 0 of an empty histogram. */
uint64_t histogram_at(const struct histogram *h, double percent);
double histogram_mean(const struct histogram *h);

/* Walks the buckets that hold something, upwards: start with *at = 0; false at the end. `us` is the
 * largest value of the bucket. */
GW_MUST bool histogram_next(const struct histogram *h, size_t *at, uint64_t *us, uint64_t *count);

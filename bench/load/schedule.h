/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* When requests are due: the open model. Instants depend on the plan alone, never on how fast
 * answers come, or the slow moments of the server would silence their own witnesses (coordinated
 * omission).
 *
 * A plan is a line of segments whose rate runs from one value to another: constant is one level
 * segment, a ramp one sloping, steps several level ones. The k-th request is due where the integral
 * of the rate reaches k. Poisson arrivals take the same curve and let the integral grow by
 * exponential amounts instead of one, so every shape has its random twin. Bursts are so many
 * requests at one instant, once or over and over.
 *
 * Thread: one. Owns: nothing; the plan is borrowed. Time: none is read; the seed decides. */
#include "gateway/base/hash.h"

struct schedule_segment {
    double duration_s;
    double from, to; /* requests a second at its beginning and end */
};

struct schedule_plan {
    const struct schedule_segment *segments;
    size_t segment_count;
    double duration_s; /* of all segments; of bursts: the phase */
    bool poisson;
    uint64_t burst; /* 0: segments; else so many at once … */
    double every_s; /* … at 0 and then with this distance; 0: once */
};

struct schedule {
    const struct schedule_plan *plan;
    struct gw_rng rng;
    double due;     /* value of the integral at which the next request is due */
    size_t segment; /* the one it lies in, and both integrals up to its beginning */
    double passed_s, passed_count;
    uint64_t bursts, left; /* begun so far; requests left of the last one */
};

void schedule_begin(struct schedule *s, const struct schedule_plan *plan, uint64_t seed);
/* The next request's instant in microseconds since the phase began; false at the end. Instants
 * never go back. */
GW_MUST bool schedule_next(struct schedule *s, uint64_t *at_us);
/* How many requests the plan holds; with Poisson arrivals on average. */
double schedule_expected(const struct schedule_plan *plan);
/* The highest rate of any moment; of bursts 0. */
double schedule_peak(const struct schedule_plan *plan);

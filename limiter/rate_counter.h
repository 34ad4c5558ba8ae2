/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The counter of one rate limiting rule for one combination of values (spec/limiter.md section b5).
 *
 * Cloudflare says that a counter above the threshold triggers the action, for a time or (timeout 0)
 * for the excess alone; the form of the window and what happens when the time is over are not
 * documented. The choices, all of them here:
 *
 *   - a period begins with the first request counted and does not slide: exact, so that a test can
 *     name the request that is refused;
 *   - while the action holds nothing is counted, as the counting engine that Cloudflare described
 *     in 2017 asks no counter then;
 *   - the end of the action does not empty the counter: when the period is longer than the timeout
 *     and still open, the next request is over the limit again;
 *   - the request that takes the counter over the limit starts the action, also when it was counted
 *     too late to be refused itself;
 *   - a clock that is put back by more than a minute starts the counter anew.
 *
 * A zeroed counter has counted nothing. It is a record of limiter/table.h. Thread: none, the caller
 * serialises. Time: the caller's wall clock. */
#include "gateway/base/base.h"

struct rate_counter {
    uint64_t ends_at_ms;    /* from then on it means nothing */
    uint64_t period_end_ms; /* first instant of the next period */
    uint64_t action_end_ms; /* first instant without the action */
    uint64_t count;         /* in the period */
};

struct rate_terms {
    uint64_t limit;
    uint64_t period_ms;  /* at least 1 */
    uint64_t timeout_ms; /* 0: the action is for the excess alone */
};

struct rate_reading {
    bool over;         /* the action holds for this request */
    uint64_t count;    /* in the open period, this request included */
    uint64_t until_ms; /* over: when a request would be admitted again, if nobody else comes */
};

/* Counts `cost` (0: nothing) and judges. */
struct rate_reading rate_counter_take(struct rate_counter *c, const struct rate_terms *terms,
                                      uint64_t cost, uint64_t now_ms);
/* The same with cost 0, leaving the counter as it is. */
struct rate_reading rate_counter_look(const struct rate_counter *c, const struct rate_terms *terms,
                                      uint64_t now_ms);

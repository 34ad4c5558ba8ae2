/* SPDX-License-Identifier: Apache-2.0 */
#include "limiter/rate_counter.h"

/* Saturates: an absurd time ends never, rather than in the past. */
static uint64_t later(uint64_t now_ms, uint64_t by_ms)
{
    return by_ms > UINT64_MAX - now_ms ? UINT64_MAX : now_ms + by_ms;
}

static bool acts(const struct rate_counter *c, uint64_t now_ms)
{
    return c->action_end_ms > now_ms;
}

static bool is_open(const struct rate_counter *c, uint64_t now_ms)
{
    return c->period_end_ms > now_ms;
}

struct rate_reading rate_counter_look(const struct rate_counter *c, const struct rate_terms *terms,
                                      uint64_t now_ms)
{
    bool open = is_open(c, now_ms), exceeded = open && c->count > terms->limit;
    struct rate_reading reading = {.over = exceeded || acts(c, now_ms),
                                   .count = open ? c->count : 0};
    if (reading.over)
        reading.until_ms = gw_max_u64(c->action_end_ms, exceeded ? c->period_end_ms : 0);
    return reading;
}

static void count_in(struct rate_counter *c, const struct rate_terms *terms, uint64_t cost,
                     uint64_t now_ms)
{
    if (cost && !is_open(c, now_ms)) {
        c->count = 0;
        c->period_end_ms = later(now_ms, terms->period_ms);
    }
    c->count = later(c->count, cost);
}

struct rate_reading rate_counter_take(struct rate_counter *c, const struct rate_terms *terms,
                                      uint64_t cost, uint64_t now_ms)
{
    if (!acts(c, now_ms)) {
        count_in(c, terms, cost, now_ms);
        if (terms->timeout_ms && is_open(c, now_ms) && c->count > terms->limit)
            c->action_end_ms = later(now_ms, terms->timeout_ms);
    }
    c->ends_at_ms = gw_max_u64(c->period_end_ms, c->action_end_ms);
    return rate_counter_look(c, terms, now_ms);
}

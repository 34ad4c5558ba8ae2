/* SPDX-License-Identifier: Apache-2.0 */
#include "limiter/rate_counter.h"

#define PUT_BACK_MS 60000

/* Saturates: an absurd time ends never, rather than in the past. */
static uint64_t later(uint64_t now_ms, uint64_t by_ms)
{
    return by_ms > UINT64_MAX - now_ms ? UINT64_MAX : now_ms + by_ms;
}

/* An end that is much further away than when it was set: the clock was put back. What was counted
 * before then is forgotten, or a correction by an hour would refuse visitors for an hour. Workers
 * read the clock at different moments; that is far less. */
static bool is_ahead(uint64_t end_ms, uint64_t span_ms, uint64_t now_ms)
{
    return end_ms > now_ms && end_ms - now_ms <= later(span_ms, PUT_BACK_MS);
}

static bool acts(const struct rate_counter *c, const struct rate_terms *terms, uint64_t now_ms)
{
    return is_ahead(c->action_end_ms, terms->timeout_ms, now_ms);
}

static bool is_open(const struct rate_counter *c, const struct rate_terms *terms, uint64_t now_ms)
{
    return is_ahead(c->period_end_ms, terms->period_ms, now_ms);
}

struct rate_reading rate_counter_look(const struct rate_counter *c, const struct rate_terms *terms,
                                      uint64_t now_ms)
{
    bool open = is_open(c, terms, now_ms), exceeded = open && c->count > terms->limit;
    bool acting = acts(c, terms, now_ms);
    struct rate_reading reading = {.over = exceeded || acting, .count = open ? c->count : 0};
    if (reading.over)
        reading.until_ms =
            gw_max_u64(acting ? c->action_end_ms : 0, exceeded ? c->period_end_ms : 0);
    return reading;
}

static void count_in(struct rate_counter *c, const struct rate_terms *terms, uint64_t cost,
                     uint64_t now_ms)
{
    if (cost && !is_open(c, terms, now_ms)) {
        c->count = 0;
        c->period_end_ms = later(now_ms, terms->period_ms);
    }
    c->count = later(c->count, cost);
}

struct rate_reading rate_counter_take(struct rate_counter *c, const struct rate_terms *terms,
                                      uint64_t cost, uint64_t now_ms)
{
    if (!acts(c, terms, now_ms)) {
        count_in(c, terms, cost, now_ms);
        if (terms->timeout_ms && is_open(c, terms, now_ms) && c->count > terms->limit)
            c->action_end_ms = later(now_ms, terms->timeout_ms);
    }
    c->ends_at_ms = gw_max_u64(c->period_end_ms, c->action_end_ms);
    return rate_counter_look(c, terms, now_ms);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "limiter/verdict.h"

/* Workers read their clocks at different moments, and Redis has its own: a window opened by another
 * may seem to begin a few milliseconds from now. Taken literally that would be "Retry-After: 61" in
 * a window of 60 s. A larger distance is no skew but an older, longer window, and stays. */
#define SKEW_MAX_MS 1000

static uint64_t not_before_opening(const struct window *w, struct window_rule rule, uint64_t now_ms)
{
    uint64_t opened_ms = w->reset_at_ms - gw_min_u64(rule.window_ms, w->reset_at_ms);
    bool is_skew = now_ms < opened_ms && opened_ms - now_ms < SKEW_MAX_MS;
    return is_skew ? opened_ms : now_ms;
}

struct limiter_verdict verdict_of(const struct window *w, bool admitted, struct window_rule rule,
                                  uint64_t now_ms, bool shadow)
{
    const uint64_t asked_ms = now_ms;
    now_ms = not_before_opening(w, rule, now_ms);
    return (struct limiter_verdict){
        .outcome = admitted || shadow ? LIMITER_ADMIT : LIMITER_DENY,
        .count = w->count,
        .limit = rule.limit,
        .reset_at_ms = w->reset_at_ms,
        .reset_in_ms = w->reset_at_ms - gw_min_u64(asked_ms, w->reset_at_ms),
        .retry_after_s = admitted ? 0 : window_retry_after_s(w->reset_at_ms, now_ms),
        .would_deny = !admitted && shadow,
    };
}

struct limiter_verdict verdict_fault(uint32_t limit, enum limiter_fault fault, uint32_t value)
{
    return (struct limiter_verdict){
        .outcome = LIMITER_ERROR, .fault = fault, .fault_value = value, .limit = limit};
}

void verdict_soften(struct limiter_verdict *v, bool shadow)
{
    if (!shadow || v->outcome == LIMITER_ADMIT)
        return;
    v->would_deny = true;
    v->outcome = LIMITER_ADMIT;
}

struct limiter_verdict verdict_uncounted(uint32_t limit, bool admitted, bool shadow)
{
    bool passes = admitted || shadow;
    return (struct limiter_verdict){
        .outcome = passes ? LIMITER_ADMIT : LIMITER_UNAVAILABLE,
        .limit = limit,
        .retry_after_s = passes ? 0 : 1,
        .degraded = true,
    };
}

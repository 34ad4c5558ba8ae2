/* SPDX-License-Identifier: Apache-2.0 */
#include "limiter/window.h"

uint32_t window_take(struct window *w, struct window_rule rule, uint32_t cost, uint64_t now_ms)
{
    if (window_is_full(w, rule.limit, now_ms))
        return 0;
    if (w->reset_at_ms <= now_ms) {
        w->count = 0;
        /* Saturates: an absurd window ends never, rather than in the past. */
        bool overflows = rule.window_ms > UINT64_MAX - now_ms;
        w->reset_at_ms = overflows ? UINT64_MAX : now_ms + rule.window_ms;
    }
    uint32_t free_places = rule.limit - w->count;
    uint32_t granted = cost < free_places ? cost : free_places;
    w->count += granted;
    return granted;
}

uint32_t window_retry_after_s(uint64_t reset_at_ms, uint64_t now_ms)
{
    /* A reset that lies behind us still answers 1: 0 would invite a retry storm, and the app never
     * sends it. */
    if (reset_at_ms <= now_ms)
        return 1;
    uint64_t left_s = (reset_at_ms - now_ms - 1) / 1000 + 1;
    return (uint32_t)gw_min_u64(left_s, UINT32_MAX);
}

/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The algorithm: a fixed window that the key's first request opens (spec/limiter.md a1).
 *
 *   1. no entry            -> count = 1, reset_at = now + window, admit
 *   2. reset_at <= now     -> the same: the instant now == reset_at belongs to the new window
 *   3. count >= limit      -> deny; nothing is written, so waiting clients never prolong their wait
 *   4. otherwise           -> count + 1, reset_at stays, admit
 *
 * Exactly `limit` requests pass in each window. Because nothing but the count moves inside a
 * window, n calls at one instant may be decided as one call of cost n that grants
 * min(n, limit - count): the same answers in the same order.
 *
 * A zeroed window is "no entry" (rule 2 treats it so). Thread: none, the caller serialises.
 * Time: the caller's wall clock; when it steps back an open window stays open until its reset_at.
 */
#include "gateway/base/base.h"

struct window {
    uint64_t reset_at_ms; /* first instant of the next window; 0: no entry */
    uint32_t count;       /* admissions so far, at most the limit it was opened under */
};

struct window_rule {
    uint32_t limit;     /* at least 1 */
    uint64_t window_ms; /* at least 1 */
};

/* How many of `cost` (at least 1) calls are admitted; they are the first ones in arrival order. 0
 * leaves *w untouched. */
GW_MUST uint32_t window_take(struct window *w, struct window_rule rule, uint32_t cost,
                             uint64_t now_ms);

/* Would a call at now_ms be refused? (Rule 3, without taking.) */
static inline bool window_is_full(const struct window *w, uint32_t limit, uint64_t now_ms)
{
    return w->reset_at_ms > now_ms && w->count >= limit;
}

/* Retry-After: the wait in whole seconds, rounded up, never 0. */
uint32_t window_retry_after_s(uint64_t reset_at_ms, uint64_t now_ms);

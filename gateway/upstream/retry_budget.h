/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* How many requests may be tried again: a share of those of the last RETRY_WINDOW_S seconds, or a
 * number a second if that is more. With every server failing, retries may not double the load that
 * makes them fail (Finagle's RetryBudget; a plain "3 tries" multiplies an outage by three).
 *
 * Pure: `now_ms` never goes back. Thread: the caller's lock. Memory: fixed, one slot a second. */
#include "config/origin.h"

#define RETRY_WINDOW_S 10

struct retry_slot {
    uint64_t second;
    uint32_t requests, retries;
};

struct retry_budget {
    struct retry_slot slots[RETRY_WINDOW_S];
};

void retry_budget_count(struct retry_budget *b, uint64_t now_ms);
/* True: one more try was taken from the budget. */
GW_MUST bool retry_budget_take(struct retry_budget *b, const struct config_retry *config,
                               uint64_t now_ms);

/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* From a window to what the caller is told. Thread: any. */
#include "limiter/limiter.h"

/* What one call got: `w` as it stood after that call, at `now_ms` of the clock that decided. */
struct limiter_verdict verdict_of(const struct window *w, bool admitted, struct window_rule rule,
                                  uint64_t now_ms, bool shadow);
/* The store failed. */
struct limiter_verdict verdict_fault(uint32_t limit, enum limiter_fault fault, uint32_t value);
/* In shadow mode what was no admission becomes one that says so. */
void verdict_soften(struct limiter_verdict *v, bool shadow);
/* Nobody could count and the failure policy says allow or deny. */
struct limiter_verdict verdict_uncounted(uint32_t limit, bool admitted, bool shadow);

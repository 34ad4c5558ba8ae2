/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What a run means: each expectation's verdict, and one for the whole.
 *
 * interrupted: it was stopped, nothing is claimed. inconclusive: the generator was the limit, or
 * something could not be found out; verdicts are shown but not believed. failed: something was not
 * as expected. passed: everything was, and something was expected. done: nothing was expected.
 * Thread: one. Owns: its texts. */
#include "bench/load/expect_judge.h"
#include "bench/load/run.h"

enum load_verdict { LOAD_DONE, LOAD_PASSED, LOAD_FAILED, LOAD_INCONCLUSIVE, LOAD_INTERRUPTED };

struct outcome_item {
    struct gw_str text, seen; /* what was expected, what was seen */
    const char *kind;         /* of the expectation; "call": of the admin listener */
    uint32_t phase;           /* EXPECT_NONE: of the run */
    enum expect_outcome outcome;
};

struct outcome {
    struct gw_arena arena;
    struct outcome_item *items;
    size_t count, failed;
    enum load_verdict verdict;
    struct gw_str why; /* of inconclusive */
};

void outcome_init(struct outcome *o, const struct load_plan *plan, const struct run_result *result);
void outcome_release(struct outcome *o);
/* "passed" and so on. */
const char *load_verdict_name(enum load_verdict verdict);
/* 0, 99 a threshold failed, 6 inconclusive, 130 interrupted. */
int load_verdict_exit(enum load_verdict verdict);

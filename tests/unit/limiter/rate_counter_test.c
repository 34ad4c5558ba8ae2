/* SPDX-License-Identifier: Apache-2.0 */
#include "limiter/rate_counter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct call {
    uint64_t now_ms, cost;
    bool over;
    uint64_t count, until_ms;
};

static void play(const struct rate_terms *terms, const struct call *calls, size_t count)
{
    struct rate_counter c = {0};
    for (size_t i = 0; i < count; i++) {
        struct rate_reading got = rate_counter_take(&c, terms, calls[i].cost, calls[i].now_ms);
        if (got.over != calls[i].over || got.count != calls[i].count ||
            got.until_ms != calls[i].until_ms)
            fail_msg("call %zu: over %d, count %llu, until %llu", i, got.over,
                     (unsigned long long)got.count, (unsigned long long)got.until_ms);
        struct rate_reading seen = rate_counter_look(&c, terms, calls[i].now_ms);
        assert_int_equal(seen.over, got.over);
        assert_int_equal(seen.count, got.count);
        assert_true(c.ends_at_ms >= got.until_ms);
    }
}

static void throttling_refuses_the_excess_of_each_period(void **state)
{
    (void)state;
    static const struct rate_terms terms = {.limit = 2, .period_ms = 1000};
    static const struct call calls[] = {
        {100, 1, false, 1, 0},    {100, 1, false, 2, 0},  {600, 1, true, 3, 1100},
        {1099, 1, true, 4, 1100}, {1100, 1, false, 1, 0}, {1500, 1, false, 2, 0},
        {2099, 1, true, 3, 2100}, {9000, 1, false, 1, 0},
    };
    play(&terms, calls, GW_COUNT(calls));
}

static void the_action_lasts_and_counts_nothing(void **state)
{
    (void)state;
    static const struct rate_terms terms = {.limit = 1, .period_ms = 1000, .timeout_ms = 5000};
    static const struct call calls[] = {
        {0, 1, false, 1, 0},       {400, 1, true, 2, 5400},  {999, 1, true, 2, 5400},
        {1000, 1, true, 0, 5400},  {5399, 1, true, 0, 5400}, {5400, 1, false, 1, 0},
        {5400, 1, true, 2, 10400},
    };
    play(&terms, calls, GW_COUNT(calls));
}

/* The end of the action does not empty the counter. */
static void a_period_longer_than_the_action_begins_it_again(void **state)
{
    (void)state;
    static const struct rate_terms terms = {.limit = 1, .period_ms = 6000, .timeout_ms = 1000};
    static const struct call calls[] = {
        {0, 1, false, 1, 0},      {100, 1, true, 2, 6000},  {1099, 1, true, 2, 6000},
        {1100, 1, true, 3, 6000}, {2100, 0, true, 3, 6000}, {6000, 1, false, 1, 0},
    };
    play(&terms, calls, GW_COUNT(calls));
}

/* As after a response: who comes next is the first to be refused. */
static void what_is_counted_late_refuses_the_next(void **state)
{
    (void)state;
    static const struct rate_terms terms = {.limit = 1, .period_ms = 1000, .timeout_ms = 3000};
    static const struct call calls[] = {
        {0, 0, false, 0, 0},    {10, 1, false, 1, 0},    {20, 0, false, 1, 0},
        {30, 1, true, 2, 3030}, {900, 0, true, 2, 3030}, {3030, 0, false, 0, 0},
    };
    play(&terms, calls, GW_COUNT(calls));
}

static void scores_add_up_and_never_overflow(void **state)
{
    (void)state;
    static const struct rate_terms terms = {.limit = 400, .period_ms = UINT64_MAX};
    static const struct call calls[] = {
        {5, 400, false, 400, 0},
        {6, 1, true, 401, UINT64_MAX},
        {7, UINT64_MAX, true, UINT64_MAX, UINT64_MAX},
        {8, 1, true, UINT64_MAX, UINT64_MAX},
    };
    play(&terms, calls, GW_COUNT(calls));
}

static void a_clock_that_is_put_back_refuses_nobody(void **state)
{
    (void)state;
    static const struct rate_terms terms = {.limit = 1, .period_ms = 1000, .timeout_ms = 3000};
    static const struct call calls[] = {
        {3600000, 1, false, 1, 0},      {3600000, 1, true, 2, 3603000},
        {3599000, 1, true, 2, 3603000}, /* another worker's turn began earlier */
        {60000, 1, false, 1, 0},        {60001, 1, true, 2, 63001},
    };
    play(&terms, calls, GW_COUNT(calls));
}

static void a_look_changes_nothing(void **state)
{
    (void)state;
    static const struct rate_terms terms = {.limit = 1, .period_ms = 1000, .timeout_ms = 10};
    struct rate_counter c = {0}, before;
    (void)rate_counter_take(&c, &terms, 2, 0);
    before = c;
    (void)rate_counter_look(&c, &terms, 500);
    assert_memory_equal(&c, &before, sizeof(c));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(throttling_refuses_the_excess_of_each_period),
        cmocka_unit_test(the_action_lasts_and_counts_nothing),
        cmocka_unit_test(a_period_longer_than_the_action_begins_it_again),
        cmocka_unit_test(what_is_counted_late_refuses_the_next),
        cmocka_unit_test(scores_add_up_and_never_overflow),
        cmocka_unit_test(a_clock_that_is_put_back_refuses_nobody),
        cmocka_unit_test(a_look_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

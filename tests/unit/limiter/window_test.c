/* SPDX-License-Identifier: Apache-2.0 */
#include "limiter/window.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/base/hash.h"

static const struct window_rule rule = {15, 60000};

/* shared/spec/oracle.md section 3: 15 admitted at t = 0, then the clock is set to each instant. */
static void boundaries_are_those_of_the_runtime(void **state)
{
    (void)state;
    const uint64_t t0 = 1700000000000;
    static const struct {
        uint64_t at_ms;
        uint32_t retry_after_s; /* 0: admitted */
        uint32_t count;
        uint64_t reset_ms;
    } cases[] = {
        {0, 60, 15, 60000},     {1, 60, 15, 60000},     {999, 60, 15, 60000},
        {1000, 59, 15, 60000},  {1001, 59, 15, 60000},  {58999, 2, 15, 60000},
        {59000, 1, 15, 60000},  {59001, 1, 15, 60000},  {59999, 1, 15, 60000},
        {60000, 0, 1, 120000},  {60000, 0, 2, 120000},  {60001, 0, 3, 120000},
        {119999, 0, 4, 120000}, {120000, 0, 1, 180000},
    };
    struct window w = {0};
    for (uint32_t i = 1; i <= 15; i++) {
        assert_int_equal(window_take(&w, rule, 1, t0), 1);
        assert_int_equal(w.count, i);
    }
    for (size_t i = 0; i < GW_COUNT(cases); i++) {
        struct window before = w;
        uint64_t now = t0 + cases[i].at_ms;
        uint32_t granted = window_take(&w, rule, 1, now);
        assert_int_equal(granted, cases[i].retry_after_s == 0);
        assert_int_equal(w.count, cases[i].count);
        assert_int_equal(w.reset_at_ms, t0 + cases[i].reset_ms);
        if (granted)
            continue;
        assert_int_equal(window_retry_after_s(w.reset_at_ms, now), cases[i].retry_after_s);
        assert_memory_equal(&w, &before, sizeof(w)); /* a refusal writes nothing */
    }
}

static void retry_after_is_rounded_up_and_never_zero(void **state)
{
    (void)state;
    static const struct {
        uint64_t left_ms;
        uint32_t seconds;
    } cases[] = {{60000, 60}, {59001, 60}, {59000, 59}, {1001, 2}, {1000, 1}, {1, 1}, {0, 1}};
    for (size_t i = 0; i < GW_COUNT(cases); i++)
        assert_int_equal(window_retry_after_s(5000000 + cases[i].left_ms, 5000000),
                         cases[i].seconds);
    assert_int_equal(window_retry_after_s(1, 5000), 1);
    assert_int_equal(window_retry_after_s(UINT64_MAX, 0), UINT32_MAX);
}

/* One call of cost n and n calls must agree, whatever came before. */
static void a_cost_is_as_many_calls(void **state)
{
    (void)state;
    struct gw_rng rng = {7};
    struct window one = {0}, many = {0};
    uint64_t now = 1000;
    for (int i = 0; i < 20000; i++) {
        struct window_rule r = {1 + (uint32_t)gw_rng_below(&rng, 9), 1 + gw_rng_below(&rng, 50)};
        uint32_t cost = 1 + (uint32_t)gw_rng_below(&rng, 12), granted = 0;
        now += gw_rng_below(&rng, 20);
        for (uint32_t k = 0; k < cost; k++) {
            uint32_t got = window_take(&many, r, 1, now);
            assert_true(got == 1 || granted + got == granted); /* a refusal ends the grants */
            granted += got;
        }
        assert_int_equal(window_take(&one, r, cost, now), granted);
        assert_int_equal(one.count, many.count);
        assert_int_equal(one.reset_at_ms, many.reset_at_ms);
    }
}

static void a_clock_that_steps_back_opens_nothing(void **state)
{
    (void)state;
    struct window w = {0};
    struct window_rule two = {2, 1000};
    assert_int_equal(window_take(&w, two, 2, 10000), 2);
    assert_int_equal(window_take(&w, two, 1, 4000), 0);
    assert_int_equal(w.reset_at_ms, 11000);
}

static void a_window_does_not_wrap_around(void **state)
{
    (void)state;
    struct window w = {0};
    assert_int_equal(window_take(&w, (struct window_rule){1, UINT64_MAX}, 1, 10), 1);
    assert_int_equal(w.reset_at_ms, UINT64_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(boundaries_are_those_of_the_runtime),
        cmocka_unit_test(retry_after_is_rounded_up_and_never_zero),
        cmocka_unit_test(a_cost_is_as_many_calls),
        cmocka_unit_test(a_clock_that_steps_back_opens_nothing),
        cmocka_unit_test(a_window_does_not_wrap_around),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

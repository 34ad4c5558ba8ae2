/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/api_purge_limit.h"

/* How many of one cost go through at one instant. */
static unsigned drain(struct api_purge_limit *limit, enum config_plan plan,
                      struct api_purge_cost cost, uint64_t now_ms, uint64_t *retry_ms)
{
    unsigned taken = 0;
    while (api_purge_take(limit, plan, cost, now_ms, retry_ms))
        taken++;
    return taken;
}

static void test_buckets(void **state)
{
    static const struct {
        enum config_plan plan;
        struct api_purge_cost cost;
        unsigned burst;
        uint64_t retry_ms, per_minute;
    } cases[] = {
        {CONFIG_PLAN_FREE, {1, 0}, 25, 12000, 5},    {CONFIG_PLAN_PRO, {1, 0}, 25, 200, 25},
        {CONFIG_PLAN_BUSINESS, {1, 0}, 50, 100, 50}, {CONFIG_PLAN_ENTERPRISE, {1, 0}, 500, 20, 500},
        {CONFIG_PLAN_FREE, {0, 100}, 8, 125, 8},     {CONFIG_PLAN_ENTERPRISE, {0, 500}, 6, 167, 6},
    };
    (void)state;
    for (size_t i = 0; i < GW_COUNT(cases); i++) {
        struct api_purge_limit limit = {0};
        uint64_t retry_ms, now_ms = 1000000;
        assert_int_equal(drain(&limit, cases[i].plan, cases[i].cost, now_ms, &retry_ms),
                         cases[i].burst);
        assert_int_equal(retry_ms, cases[i].retry_ms);
        assert_false(
            api_purge_take(&limit, cases[i].plan, cases[i].cost, now_ms + retry_ms - 1, &retry_ms));
        assert_true(api_purge_take(&limit, cases[i].plan, cases[i].cost, now_ms + cases[i].retry_ms,
                                   &retry_ms));
        /* What a minute brings, at most a full bucket. */
        assert_int_equal(drain(&limit, cases[i].plan, cases[i].cost,
                               now_ms + cases[i].retry_ms + 60000, &retry_ms),
                         cases[i].per_minute);
    }
}

static void test_all_or_nothing(void **state)
{
    struct api_purge_limit limit = {0};
    uint64_t retry_ms;
    (void)state;
    assert_int_equal(drain(&limit, CONFIG_PLAN_FREE, (struct api_purge_cost){1, 0}, 0, &retry_ms),
                     25);
    /* The URLs are not taken when the request is refused. */
    assert_false(
        api_purge_take(&limit, CONFIG_PLAN_FREE, (struct api_purge_cost){1, 800}, 0, &retry_ms));
    assert_true(
        api_purge_take(&limit, CONFIG_PLAN_FREE, (struct api_purge_cost){0, 800}, 0, &retry_ms));
    /* The later of two waits is told. */
    assert_false(
        api_purge_take(&limit, CONFIG_PLAN_FREE, (struct api_purge_cost){1, 1}, 0, &retry_ms));
    assert_int_equal(retry_ms, 12000);
    /* Another plan is another bucket. */
    assert_true(
        api_purge_take(&limit, CONFIG_PLAN_PRO, (struct api_purge_cost){1, 1}, 0, &retry_ms));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_buckets),
                                       cmocka_unit_test(test_all_or_nothing)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

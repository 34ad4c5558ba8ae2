/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/upstream/retry_budget.h"

static unsigned take_all(struct retry_budget *b, const struct config_retry *config, uint64_t now_ms)
{
    unsigned taken = 0;
    while (taken < 1000 && retry_budget_take(b, config, now_ms))
        taken++;
    return taken;
}

static void test_a_few_in_any_case(void **state)
{
    (void)state;
    const struct config_retry config = {.budget_percent = 20, .min_per_second = 3};
    struct retry_budget b = {0};
    assert_int_equal(take_all(&b, &config, 5000), 3);
    assert_int_equal(take_all(&b, &config, 5999), 0);
    assert_int_equal(take_all(&b, &config, 6000), 3);
}

static void test_a_share_of_the_requests(void **state)
{
    (void)state;
    const struct config_retry config = {.budget_percent = 20, .min_per_second = 0};
    struct retry_budget b = {0};
    for (size_t i = 0; i < 100; i++)
        retry_budget_count(&b, 1000 + i * 50); /* over five seconds */
    assert_int_equal(take_all(&b, &config, 6000), 20);
    assert_int_equal(take_all(&b, &config, 6000), 0);
    for (size_t i = 0; i < 9; i++)
        retry_budget_count(&b, 6500);
    assert_int_equal(take_all(&b, &config, 6500), 1);
}

static void test_the_window_moves_on(void **state)
{
    (void)state;
    const struct config_retry config = {.budget_percent = 50, .min_per_second = 0};
    struct retry_budget b = {0};
    for (size_t i = 0; i < 10; i++)
        retry_budget_count(&b, 1000);
    assert_int_equal(take_all(&b, &config, 10999), 5);
    struct retry_budget later = {0};
    for (size_t i = 0; i < 10; i++)
        retry_budget_count(&later, 1000);
    assert_int_equal(take_all(&later, &config, 11000), 0);
    assert_int_equal(take_all(&later, &config, 1000000), 0);
}

static void test_off(void **state)
{
    (void)state;
    const struct config_retry config = {0};
    struct retry_budget b = {0};
    for (size_t i = 0; i < 1000; i++)
        retry_budget_count(&b, 1000);
    assert_int_equal(take_all(&b, &config, 1000), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_few_in_any_case),
        cmocka_unit_test(test_a_share_of_the_requests),
        cmocka_unit_test(test_the_window_moves_on),
        cmocka_unit_test(test_off),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>

#include "bench/load/compare.h"

/* Worked by hand: ranks of b are 4, 5, 6; the sum is 15, its mean 10.5, its variance 5.25. */
static void test_rank_sum(void **state)
{
    static const double low[] = {1, 2, 3}, high[] = {4, 5, 6}, same[] = {7, 7, 7, 7};
    (void)state;
    assert_true(fabs(compare_rank_sum(low, 3, high, 3) - 4.5 / sqrt(5.25)) < 1e-9);
    assert_true(fabs(compare_rank_sum(high, 3, low, 3) + 4.5 / sqrt(5.25)) < 1e-9);
    assert_true(compare_rank_sum(same, 4, same, 4) == 0);
    assert_true(compare_rank_sum(low, 3, NULL, 0) == 0);
}

/* 10 of 100 and 30 of 100: pooled 0.2, error sqrt(0.2·0.8·0.02) = 0.0566, z 3.54. */
static void test_proportions(void **state)
{
    (void)state;
    assert_true(fabs(compare_proportions(10, 100, 30, 100) - 0.2 / sqrt(0.0032)) < 1e-9);
    assert_true(compare_proportions(0, 100, 0, 100) == 0);
    assert_true(compare_proportions(5, 0, 5, 100) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_rank_sum),
                                       cmocka_unit_test(test_proportions)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

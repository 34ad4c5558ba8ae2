/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bench/load/rotation.h"

static void test_every_cycle_has_each_as_often_as_its_weight(void **state)
{
    static const uint32_t weights[] = {5, 1, 0, 3};
    int64_t current[4];
    struct rotation r;
    (void)state;
    rotation_init(&r, weights, current, 4);
    for (int cycle = 0; cycle < 10; cycle++) {
        unsigned seen[4] = {0};
        for (int i = 0; i < 9; i++)
            seen[rotation_next(&r)]++;
        for (int i = 0; i < 4; i++)
            assert_int_equal(seen[i], weights[i]);
    }
}

/* 2:1 comes as a b a, not as a a b. */
static void test_spread_evenly(void **state)
{
    static const uint32_t weights[] = {2, 1};
    static const size_t expected[] = {0, 1, 0, 0, 1, 0};
    int64_t current[2];
    struct rotation r;
    (void)state;
    rotation_init(&r, weights, current, 2);
    for (size_t i = 0; i < GW_COUNT(expected); i++)
        assert_int_equal(rotation_next(&r), expected[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_cycle_has_each_as_often_as_its_weight),
        cmocka_unit_test(test_spread_evenly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "limiter/steps.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void every_number_lies_in_its_step(void **state)
{
    (void)state;
    for (uint64_t n = 0; n <= UINT32_MAX; n = n < 5000 ? n + 1 : n + n / 100) {
        uint32_t step = step_of((uint32_t)n);
        assert_true(step < STEPS);
        assert_true(step_floor(step) <= n && n - step_floor(step) <= n / 32);
        assert_true(step + 1 == STEPS || step_floor(step + 1) > n);
    }
    assert_int_equal(step_of(UINT32_MAX), STEPS - 1);
}

static void small_numbers_are_exact(void **state)
{
    (void)state;
    for (uint32_t n = 0; n < STEPS_EXACT; n++)
        assert_int_equal(step_floor(step_of(n)), n);
    assert_int_equal(step_floor(STEPS_EXACT), STEPS_EXACT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_number_lies_in_its_step),
                                       cmocka_unit_test(small_numbers_are_exact)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

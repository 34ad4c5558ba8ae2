/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/session_h2_guard.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static unsigned take_all(struct h2_guard *g, uint64_t now_ms)
{
    unsigned taken = 0;
    while (taken < 100000 && h2_guard_take(g, now_ms))
        taken++;
    return taken;
}

static void test_burst(void **state)
{
    (void)state;
    struct h2_guard g;
    h2_guard_init(&g, 1000);
    assert_int_equal(take_all(&g, 1000), H2_GUARD_BURST);
    assert_false(h2_guard_take(&g, 1000));
}

static void test_refill(void **state)
{
    (void)state;
    struct h2_guard g;
    h2_guard_init(&g, 0);
    take_all(&g, 0);
    assert_false(h2_guard_take(&g, 1000 / H2_GUARD_PER_S - 1));
    assert_true(h2_guard_take(&g, 1000 / H2_GUARD_PER_S));
    assert_int_equal(take_all(&g, 1000 / H2_GUARD_PER_S + 1000), H2_GUARD_PER_S);
    assert_int_equal(take_all(&g, UINT64_MAX), H2_GUARD_BURST); /* never more than full */
}

static void test_clock_that_goes_back(void **state)
{
    (void)state;
    struct h2_guard g;
    h2_guard_init(&g, 5000);
    take_all(&g, 5000);
    assert_false(h2_guard_take(&g, 0));
    assert_false(h2_guard_take(&g, 5000)); /* 5 s have not passed twice */
    assert_true(h2_guard_take(&g, 6000));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_burst),
        cmocka_unit_test(test_refill),
        cmocka_unit_test(test_clock_that_goes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

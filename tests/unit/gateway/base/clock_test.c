/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/base/clock.h"

static void test_virtual_stands_still_and_jumps(void **state)
{
    (void)state;
    struct gw_clock c;
    gw_clock_init(&c, GW_CLOCK_VIRTUAL);
    struct gw_time start = gw_clock_now(&c);
    uint64_t real = gw_kernel_mono_ms();
    while (gw_kernel_mono_ms() < real + 3) {
    }
    assert_true(gw_clock_now(&c).wall_ms == start.wall_ms);
    assert_true(gw_clock_now(&c).mono_ms == start.mono_ms);
    assert_true(gw_clock_advance(&c, 86400000));
    assert_true(gw_clock_advance(&c, 1));
    assert_true(gw_clock_advance(&c, 0));
    assert_true(gw_clock_now(&c).wall_ms - start.wall_ms == 86400001);
    assert_true(gw_clock_now(&c).mono_ms - start.mono_ms == 86400001);
    assert_false(gw_clock_advance(&c, UINT64_MAX));
    assert_true(gw_clock_now(&c).mono_ms - start.mono_ms == 86400001);
}

static void test_system_follows_the_kernel(void **state)
{
    (void)state;
    struct gw_clock c;
    gw_clock_init(&c, GW_CLOCK_SYSTEM);
    assert_false(gw_clock_advance(&c, 1));
    uint64_t before = gw_kernel_mono_ms();
    struct gw_time now = gw_clock_now(&c);
    uint64_t after = gw_kernel_mono_ms();
    assert_true(before <= now.mono_ms && now.mono_ms <= after);
    assert_true(now.wall_ms > 1600000000000); /* milliseconds, not seconds */
    assert_true(now.date_ms + 1000 > now.wall_ms && now.date_ms < now.wall_ms + 1000);
    uint64_t us = gw_kernel_mono_us();
    assert_in_range(us / 1000, after, after + 1000);
}

static void test_an_instant_as_a_date(void **state)
{
    (void)state;
    const uint64_t hour = 3600000;
    const struct gw_time ahead = {.wall_ms = 100 * hour, .date_ms = 102 * hour};
    const struct gw_time behind = {.wall_ms = 100 * hour, .date_ms = 98 * hour};
    assert_true(gw_time_date(ahead, 100 * hour) == 102 * hour);
    assert_true(gw_time_date(ahead, 99 * hour) == 101 * hour);
    assert_true(gw_time_date(behind, 101 * hour) == 99 * hour);
    assert_true(gw_time_date(behind, 0) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_virtual_stands_still_and_jumps),
        cmocka_unit_test(test_system_follows_the_kernel),
        cmocka_unit_test(test_an_instant_as_a_date),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bench/load/units.h"

static void test_durations(void **state)
{
    static const struct {
        const char *text;
        int64_t us; /* -1: refused */
    } cases[] = {{"10s", 10000000},   {"250ms", 250000},  {"1.5s", 1500000}, {"1m", 60000000},
                 {"2min", 120000000}, {"1h", 3600000000}, {"7us", 7},        {"0s", 0},
                 {"10 s", 10000000},  {"10", -1},         {"s", -1},         {"-1s", -1},
                 {"1e3s", -1},        {"10sec", -1},      {"1..s", -1},      {"", -1},
                 {"9999999h", -1},    {"0x10s", -1},      {"1s ", 1000000}};
    (void)state;
    for (size_t i = 0; i < GW_COUNT(cases); i++) {
        uint64_t us = 77;
        bool fine = units_duration(gw_str_z(cases[i].text), &us);
        assert_int_equal(fine, cases[i].us >= 0);
        assert_int_equal(us, fine ? cases[i].us : 77);
    }
}

static void test_rates(void **state)
{
    static const struct {
        const char *text;
        double per_s; /* -1: refused */
    } cases[] = {{"50/s", 50},   {"300/min", 5},        {"300/m", 5}, {"3600/h", 1},
                 {"0.5/s", 0.5}, {"10/5s", 2},          {"0/s", 0},   {" 5/s", -1},
                 {"50", -1},     {"50/", -1},           {"/s", -1},   {"50/0s", -1},
                 {"50/day", -1}, {"99999999999/s", -1}, {"5 / s", 5}};
    (void)state;
    for (size_t i = 0; i < GW_COUNT(cases); i++) {
        double rate = -7;
        bool fine = units_rate(gw_str_z(cases[i].text), &rate);
        assert_int_equal(fine, cases[i].per_s >= 0);
        assert_true(rate == (fine ? cases[i].per_s : -7));
    }
}

static void test_numbers_for_people(void **state)
{
    static const struct {
        double us;
        const char *text;
    } cases[] = {{0, "0 µs"},        {999.4, "999 µs"},  {1000, "1.00 ms"},   {12345, "12.3 ms"},
                 {123456, "123 ms"}, {999499, "999 ms"}, {1500000, "1.50 s"}, {61000000, "61.0 s"}};
    char space[64];
    (void)state;
    for (size_t i = 0; i < GW_COUNT(cases); i++) {
        struct gw_buf b = gw_buf_over(space, sizeof(space));
        units_add_us(&b, cases[i].us);
        assert_true(gw_str_eq(gw_buf_str(&b), gw_str_z(cases[i].text)));
    }
    struct gw_buf b = gw_buf_over(space, sizeof(space));
    units_add_count(&b, 1234567);
    gw_buf_char(&b, ' ');
    units_add_count(&b, 999);
    assert_true(gw_str_eq(gw_buf_str(&b), GW_STR("1,234,567 999")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_durations),
                                       cmocka_unit_test(test_rates),
                                       cmocka_unit_test(test_numbers_for_people)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

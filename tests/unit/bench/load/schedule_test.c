/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>

#include "bench/load/schedule.h"

struct run {
    uint64_t count, first, last;
    double sum_gaps_square; /* of gaps in seconds */
};

static struct run walk(const struct schedule_plan *plan, uint64_t seed)
{
    struct schedule s;
    struct run r = {0};
    uint64_t at;
    schedule_begin(&s, plan, seed);
    while (schedule_next(&s, &at)) {
        if (!r.count)
            r.first = at;
        assert_true(at >= r.last);
        r.sum_gaps_square += pow((double)(at - r.last) / 1e6, 2);
        r.last = at;
        r.count++;
    }
    return r;
}

static void test_constant(void **state)
{
    static const struct {
        double rate, seconds;
        uint64_t count;
    } cases[] = {{50, 10, 500}, {1, 60, 60},      {20000, 1, 20000}, {3, 0.1, 1},
                 {0, 5, 0},     {1.0 / 3, 10, 4}, {1000, 0.0305, 31}};
    (void)state;
    for (size_t i = 0; i < GW_COUNT(cases); i++) {
        struct schedule_segment g = {cases[i].seconds, cases[i].rate, cases[i].rate};
        struct schedule_plan plan = {&g, 1, cases[i].seconds, false, 0, 0};
        struct run r = walk(&plan, 1);
        assert_int_equal(r.count, cases[i].count);
        assert_int_equal(r.count, (uint64_t)schedule_expected(&plan));
        assert_int_equal(r.first, 0);
        assert_true(r.last < cases[i].seconds * 1e6);
        if (r.count > 1)
            assert_int_equal(r.last, llround((double)(r.count - 1) / cases[i].rate * 1e6));
    }
}

/* 0 to 100/s in 10 s: 500 requests, and by the middle a quarter of them. */
static void test_ramp(void **state)
{
    struct schedule_segment g = {10, 0, 100};
    struct schedule_plan plan = {&g, 1, 10, false, 0, 0};
    struct schedule s;
    uint64_t at, early = 0, all = 0;
    (void)state;
    schedule_begin(&s, &plan, 1);
    while (schedule_next(&s, &at)) {
        early += at < 5000000;
        all++;
    }
    assert_int_equal(all, 500);
    assert_int_equal(early, 125);
    assert_true(schedule_peak(&plan) == 100);
    struct schedule_segment down = {10, 100, 0};
    struct schedule_plan falling = {&down, 1, 10, false, 0, 0};
    assert_int_equal(walk(&falling, 1).count, 500);
}

static void test_steps(void **state)
{
    struct schedule_segment g[] = {{2, 10, 10}, {2, 0, 0}, {2, 50, 50}};
    struct schedule_plan plan = {g, 3, 6, false, 0, 0};
    struct schedule s;
    uint64_t at, in[3] = {0};
    (void)state;
    schedule_begin(&s, &plan, 1);
    while (schedule_next(&s, &at))
        in[at / 2000000]++;
    assert_int_equal(in[0], 20);
    assert_int_equal(in[1], 0);
    assert_int_equal(in[2], 100);
}

static void test_bursts(void **state)
{
    struct schedule_plan once = {NULL, 0, 0, false, 40, 0};
    struct schedule_plan every = {NULL, 0, 3, false, 5, 1};
    struct schedule s;
    uint64_t at;
    (void)state;
    struct run r = walk(&once, 1);
    assert_int_equal(r.count, 40);
    assert_int_equal(r.last, 0);
    schedule_begin(&s, &every, 1);
    for (int i = 0; i < 15; i++) {
        assert_true(schedule_next(&s, &at));
        assert_int_equal(at, i / 5 * 1000000);
    }
    assert_false(schedule_next(&s, &at));
    assert_int_equal((int)schedule_expected(&every), 15);
}

/* The count of a Poisson process has mean and variance λ; its gaps have twice the square of the
 * mean as their mean square. Equal seeds, equal instants. */
static void test_poisson(void **state)
{
    struct schedule_segment g = {100, 100, 100};
    struct schedule_plan plan = {&g, 1, 100, true, 0, 0};
    (void)state;
    struct run a = walk(&plan, 42), b = walk(&plan, 42), c = walk(&plan, 43);
    assert_int_equal(a.count, b.count);
    assert_int_equal(a.last, b.last);
    assert_true(a.last != c.last);
    assert_true(fabs((double)a.count - 10000) < 4 * 100);
    double mean_square = a.sum_gaps_square / (double)a.count;
    assert_true(fabs(mean_square / (2 * 0.01 * 0.01) - 1) < 0.1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_constant), cmocka_unit_test(test_ramp),
        cmocka_unit_test(test_steps),    cmocka_unit_test(test_bursts),
        cmocka_unit_test(test_poisson),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

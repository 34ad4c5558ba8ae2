/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bench/load/pace.h"

/* A ramp with a step behind it and a call in the middle; bursts over and over. */
static struct load_plan *make_plan(void)
{
    static const struct schedule_segment segments[] = {{4, 0, 100}, {6, 50, 50}};
    static struct load_action action;
    struct load_plan *p = load_plan_new();
    action = (struct load_action){.at_us = 3000000};
    p->phases = gw_arena_zalloc(&p->arena, 2 * sizeof(*p->phases));
    p->phase_count = 2;
    p->phases[0].schedule =
        (struct schedule_plan){.segments = segments, .segment_count = 2, .duration_s = 10};
    p->phases[0].actions = &action;
    p->phases[0].action_count = 1;
    p->phases[1].schedule = (struct schedule_plan){.burst = 7, .every_s = 2, .duration_s = 20};
    return p;
}

static void test_pace(void **state)
{
    static const struct {
        double scale, speed;
        double seconds, peak, requests, bursts; /* of the first phase; of the second */
        uint64_t action_us;
        size_t notes;
    } cases[] = {
        {0, 0, 10, 100, 500, 70, 3000000, 0},     {1, 1, 10, 100, 500, 70, 3000000, 0},
        {0.1, 0, 1, 100, 50, 7, 300000, 1},       {0, 4, 2.5, 400, 500, 70, 750000, 1},
        {0.5, 10, 0.5, 1000, 250, 35, 150000, 1}, {3, 1, 30, 100, 1500, 210, 9000000, 1},
    };
    (void)state;
    for (size_t i = 0; i < GW_COUNT(cases); i++) {
        struct load_plan *p = make_plan();
        load_plan_pace(p, cases[i].scale, cases[i].speed);
        const struct schedule_plan *s = &p->phases[0].schedule;
        assert_float_equal(s->duration_s, cases[i].seconds, 1e-9);
        assert_float_equal(schedule_peak(s), cases[i].peak, 1e-6);
        assert_float_equal(schedule_expected(s), cases[i].requests, 1e-6);
        assert_float_equal(schedule_expected(&p->phases[1].schedule), cases[i].bursts, 1e-6);
        assert_true(p->phases[0].actions[0].at_us == cases[i].action_us);
        assert_int_equal(p->note_count, cases[i].notes);
        load_plan_free(p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_pace)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

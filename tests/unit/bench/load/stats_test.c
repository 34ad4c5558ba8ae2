/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bench/load/stats.h"

static struct load_plan *make_plan(void)
{
    struct load_plan *p = load_plan_new();
    p->phases = gw_arena_zalloc(&p->arena, sizeof(*p->phases));
    p->requests = gw_arena_zalloc(&p->arena, sizeof(*p->requests));
    p->phase_count = p->request_count = p->identities = 1;
    p->phases[0].schedule.duration_s = 10;
    return p;
}

/* Due every 10 ms; the first `late` of them are taken up 30 ms after that, the others on time. */
static void feed(struct stats *s, uint64_t taken, uint64_t late, uint64_t dropped)
{
    for (uint64_t i = 0; i < taken; i++)
        stats_taken(s, i * 10000, i * 10000 + (i < late ? 30000 : 0), 20000);
    s->dropped = dropped;
}

/* More than 1 % late, and at least ten; or anything dropped. */
static void test_when_the_generator_was_the_limit(void **state)
{
    static const struct {
        uint64_t taken, late, dropped;
        const char *why; /* NULL: it was not */
    } cases[] = {{1000, 0, 0, NULL},
                 {1000, 10, 0, NULL},
                 {1000, 11, 0, "took up 11 of 1000 requests late"},
                 {100, 9, 0, NULL},
                 {100, 10, 0, "took up 10 of 100 requests late"},
                 {1000, 0, 1, "1 requests were dropped"}};
    (void)state;
    for (size_t i = 0; i < GW_COUNT(cases); i++) {
        struct load_plan *plan = make_plan();
        struct stats s;
        char space[200] = "";
        struct gw_buf why = gw_buf_over(space, sizeof(space) - 1);
        stats_init(&s, plan);
        feed(&s, cases[i].taken, cases[i].late, cases[i].dropped);
        assert_int_equal(s.late, cases[i].late);
        assert_int_equal(stats_inconclusive(&s, &why), cases[i].why != NULL);
        if (cases[i].why)
            assert_non_null(strstr(space, cases[i].why));
        stats_release(&s);
        load_plan_free(plan);
    }
}

/* The first one 30 ms late, the last one on time: 9.96 s instead of 9.99 s. */
static void test_schedule_error(void **state)
{
    struct load_plan *plan = make_plan();
    struct stats s;
    (void)state;
    stats_init(&s, plan);
    feed(&s, 1000, 0, 0);
    assert_float_equal(stats_schedule_error(&s), 0, 1e-9);
    stats_release(&s);
    stats_init(&s, plan);
    feed(&s, 1000, 1, 0);
    assert_float_equal(stats_schedule_error(&s), 100 * 0.03 / 9.99, 1e-6);
    stats_release(&s);
    load_plan_free(plan);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_when_the_generator_was_the_limit),
                                       cmocka_unit_test(test_schedule_error)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

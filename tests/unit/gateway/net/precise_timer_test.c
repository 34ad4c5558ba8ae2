/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/net/precise_timer.h"

struct watch {
    struct gw_loop *loop;
    struct precise_timer *timer;
    uint64_t due_us;
    unsigned fired, wanted;
    bool early;
};

static void on_fire(void *ctx)
{
    struct watch *w = ctx;
    uint64_t now_us = gw_loop_real_us(w->loop);
    w->early = w->early || now_us < w->due_us;
    if (++w->fired == w->wanted) {
        gw_loop_stop(w->loop);
        return;
    }
    w->due_us += 300;
    precise_timer_set(w->timer, w->due_us);
}

/* Far finer than libuv's millisecond, and never before its time. */
static void test_fires_at_its_microsecond(void **state)
{
    struct gw_clock clock;
    (void)state;
    gw_clock_init(&clock, GW_CLOCK_SYSTEM);
    struct watch w = {.loop = gw_loop_new(&clock), .wanted = 100};
    w.timer = precise_timer_new(w.loop, on_fire, &w);
    assert_non_null(w.timer);
    uint64_t start_us = gw_loop_real_us(w.loop);
    w.due_us = start_us + 300;
    precise_timer_set(w.timer, w.due_us);
    gw_loop_run(w.loop);
    uint64_t took_us = gw_loop_real_us(w.loop) - start_us;
    assert_int_equal(w.fired, 100);
    assert_false(w.early);
    assert_true(took_us >= 30000);
    precise_timer_free(w.timer);
    gw_loop_free(w.loop);
}

/* Set again before it fires: only the last instant counts. One in the past fires at once. */
static void test_moves_and_catches_up(void **state)
{
    struct gw_clock clock;
    (void)state;
    gw_clock_init(&clock, GW_CLOCK_SYSTEM);
    struct watch w = {.loop = gw_loop_new(&clock), .wanted = 1};
    w.timer = precise_timer_new(w.loop, on_fire, &w);
    precise_timer_set(w.timer, gw_loop_real_us(w.loop) + 3600000000u);
    precise_timer_set(w.timer, 0);
    gw_loop_run(w.loop);
    assert_int_equal(w.fired, 1);
    precise_timer_free(w.timer);
    precise_timer_free(NULL);
    gw_loop_free(w.loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_fires_at_its_microsecond),
                                       cmocka_unit_test(test_moves_and_catches_up)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

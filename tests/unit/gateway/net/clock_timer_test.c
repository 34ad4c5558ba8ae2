/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/net/clock_timer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/base/hash.h"

#define TIMERS 64

struct bench {
    struct gw_clock clock;
    struct gw_loop *loop;
    struct clock_timers *timers;
    struct entry {
        struct clock_timer timer;
        struct bench *bench;
        uint64_t again_ms; /* sets itself that much later, once */
    } entries[TIMERS];
    uint64_t fired[2 * TIMERS]; /* due times, in order */
    size_t order[2 * TIMERS], count, stop_at;
};

static void on_fire(struct clock_timer *t)
{
    struct entry *e = gw_container_of(t, struct entry, timer);
    struct bench *b = e->bench;
    b->fired[b->count] = t->due_ms;
    b->order[b->count++] = (size_t)(e - b->entries);
    if (e->again_ms)
        clock_timer_set(b->timers, t, t->due_ms + e->again_ms);
    e->again_ms = 0;
    if (b->count == b->stop_at)
        gw_loop_stop(b->loop);
}

static void open_bench(struct bench *b, enum gw_clock_mode mode)
{
    *b = (struct bench){.count = 0};
    gw_clock_init(&b->clock, mode);
    b->loop = gw_loop_new(&b->clock);
    b->timers = clock_timers_new(b->loop, mode);
    for (size_t i = 0; i < TIMERS; i++) {
        clock_timer_init(&b->entries[i].timer, on_fire);
        b->entries[i].bench = b;
    }
}

static void close_bench(struct bench *b)
{
    for (size_t i = 0; i < TIMERS; i++)
        clock_timer_cancel(b->timers, &b->entries[i].timer);
    clock_timers_free(b->timers);
    gw_loop_free(b->loop);
}

static uint64_t now(struct bench *b)
{
    return gw_loop_now(b->loop).mono_ms;
}

static void a_virtual_clock_is_noticed(void **state)
{
    (void)state;
    struct bench b;
    open_bench(&b, GW_CLOCK_VIRTUAL);
    uint64_t start = now(&b);
    clock_timer_set(b.timers, &b.entries[0].timer, start + 100);
    clock_timer_set(b.timers, &b.entries[1].timer, start + 101);
    assert_true(gw_clock_advance(&b.clock, 100));
    b.stop_at = 1;
    gw_loop_run(b.loop);
    assert_int_equal(b.order[0], 0);
    assert_int_equal(b.count, 1); /* not a millisecond early */
    assert_true(gw_clock_advance(&b.clock, 1));
    b.stop_at = 2;
    gw_loop_run(b.loop);
    assert_int_equal(b.order[1], 1);
    close_bench(&b);
}

/* A jump over everything runs as small steps would: by instant, what is set on the way included. */
static void a_jump_keeps_the_order(void **state)
{
    (void)state;
    struct bench b;
    open_bench(&b, GW_CLOCK_VIRTUAL);
    uint64_t start = now(&b);
    static const uint64_t due[] = {30, 10, 20, 10, 40};
    for (size_t i = 0; i < GW_COUNT(due); i++)
        clock_timer_set(b.timers, &b.entries[i].timer, start + due[i]);
    b.entries[1].again_ms = 15; /* 10, then 25 */
    clock_timer_cancel(b.timers, &b.entries[4].timer);
    clock_timers_run(b.timers, start + 9);
    assert_int_equal(b.count, 0);
    clock_timers_run(b.timers, start + 1000);
    static const size_t order[] = {1, 3, 2, 1, 0};
    static const uint64_t at[] = {10, 10, 20, 25, 30};
    assert_int_equal(b.count, GW_COUNT(order));
    for (size_t i = 0; i < GW_COUNT(order); i++) {
        assert_int_equal(b.order[i], order[i]);
        assert_int_equal(b.fired[i], start + at[i]);
    }
    close_bench(&b);
}

static void a_timer_can_be_moved(void **state)
{
    (void)state;
    struct bench b;
    open_bench(&b, GW_CLOCK_VIRTUAL);
    uint64_t start = now(&b);
    clock_timer_set(b.timers, &b.entries[0].timer, start + 10);
    clock_timer_set(b.timers, &b.entries[1].timer, start + 20);
    clock_timer_set(b.timers, &b.entries[0].timer, start + 30);
    clock_timers_run(b.timers, start + 29);
    assert_int_equal(b.count, 1);
    assert_int_equal(b.order[0], 1);
    clock_timers_run(b.timers, start + 30);
    assert_int_equal(b.count, 2);
    close_bench(&b);
}

static void random_timers_fire_in_order(void **state)
{
    (void)state;
    struct gw_rng rng = {11};
    for (int round = 0; round < 200; round++) {
        struct bench b;
        open_bench(&b, GW_CLOCK_VIRTUAL);
        uint64_t start = now(&b);
        size_t cancelled = 0;
        for (size_t i = 0; i < TIMERS; i++)
            clock_timer_set(b.timers, &b.entries[i].timer, start + gw_rng_below(&rng, 50));
        for (size_t i = 0; i < TIMERS; i += 1 + gw_rng_below(&rng, 7), cancelled++)
            clock_timer_cancel(b.timers, &b.entries[i].timer);
        for (uint64_t ms = 0; ms < 50; ms += 1 + gw_rng_below(&rng, 10))
            clock_timers_run(b.timers, start + ms);
        clock_timers_run(b.timers, start + 50);
        assert_int_equal(b.count, TIMERS - cancelled);
        for (size_t i = 1; i < b.count; i++)
            assert_true(b.fired[i] > b.fired[i - 1] ||
                        (b.fired[i] == b.fired[i - 1] && b.order[i] > b.order[i - 1]));
        close_bench(&b);
    }
}

/* Never early, and not by the tick of the deadlines late. */
static void the_system_clock_is_met(void **state)
{
    (void)state;
    struct bench b;
    open_bench(&b, GW_CLOCK_SYSTEM);
    uint64_t start = gw_kernel_mono_ms();
    clock_timer_set(b.timers, &b.entries[0].timer, start + 15);
    clock_timer_set(b.timers, &b.entries[1].timer, start + 5);
    b.stop_at = 2;
    gw_loop_run(b.loop);
    uint64_t took = gw_kernel_mono_ms() - start;
    assert_int_equal(b.order[0], 1);
    assert_true(took >= 15);
    assert_true(took < 1000); /* a busy machine may be late, but the timer is not lost */
    close_bench(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_virtual_clock_is_noticed), cmocka_unit_test(a_jump_keeps_the_order),
        cmocka_unit_test(a_timer_can_be_moved),       cmocka_unit_test(random_timers_fire_in_order),
        cmocka_unit_test(the_system_clock_is_met),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

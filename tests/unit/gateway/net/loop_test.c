/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>

#include "gateway/net/loop.h"

struct recorder {
    struct gw_task task;
    struct gw_deadline deadline;
    struct gw_loop *loop;
    int runs;
    uint64_t ran_at_ms;
    struct recorder *then_set; /* deadline to move from inside the callback */
    bool stop;
};

static void on_task(struct gw_task *task)
{
    struct recorder *r = gw_container_of(task, struct recorder, task);
    r->runs++;
    if (r->stop)
        gw_loop_stop(r->loop);
}

static void on_deadline(struct gw_deadline *d)
{
    struct recorder *r = gw_container_of(d, struct recorder, deadline);
    r->runs++;
    r->ran_at_ms = gw_loop_real_ms(r->loop);
    if (r->then_set)
        gw_deadline_cancel(&r->then_set->deadline);
    if (r->stop)
        gw_loop_stop(r->loop);
}

static struct gw_clock clock_of_tests;

static void recorder_init(struct recorder *r, struct gw_loop *loop)
{
    *r = (struct recorder){.loop = loop};
    gw_task_init(&r->task, on_task);
    gw_deadline_init(&r->deadline, on_deadline);
}

static struct gw_loop *new_loop(enum gw_clock_mode mode)
{
    gw_clock_init(&clock_of_tests, mode);
    return gw_loop_new(&clock_of_tests);
}

static void deferred_tasks_run_once_and_not_at_once(void **state)
{
    (void)state;
    struct gw_loop *loop = new_loop(GW_CLOCK_SYSTEM);
    struct recorder a, b, stop;
    recorder_init(&a, loop);
    recorder_init(&b, loop);
    recorder_init(&stop, loop);
    stop.stop = true;
    gw_loop_defer(loop, &a.task);
    gw_loop_defer(loop, &a.task);
    gw_loop_defer(loop, &b.task);
    gw_task_cancel(&b.task);
    gw_loop_defer(loop, &stop.task);
    assert_int_equal(a.runs, 0);
    gw_loop_run(loop);
    assert_int_equal(a.runs, 1);
    assert_int_equal(b.runs, 0);
    gw_loop_free(loop);
}

static void deadlines_fire_in_time_and_may_be_moved(void **state)
{
    (void)state;
    struct gw_loop *loop = new_loop(GW_CLOCK_SYSTEM);
    struct recorder soon, moved, cancelled, last;
    recorder_init(&soon, loop);
    recorder_init(&moved, loop);
    recorder_init(&cancelled, loop);
    recorder_init(&last, loop);
    last.stop = true;
    uint64_t start = gw_loop_real_ms(loop);
    gw_deadline_set(loop, &moved.deadline, 60);
    gw_deadline_set(loop, &moved.deadline, 250); /* later: a store */
    gw_deadline_set(loop, &soon.deadline, 60000);
    gw_deadline_set(loop, &soon.deadline, 100); /* earlier: relinked */
    gw_deadline_set(loop, &cancelled.deadline, 150);
    soon.then_set = &cancelled; /* cancelled by a neighbour, from inside its callback */
    gw_deadline_set(loop, &last.deadline, 450);
    gw_loop_run(loop);
    assert_int_equal(soon.runs, 1);
    assert_true(soon.ran_at_ms >= start + 100);
    assert_int_equal(moved.runs, 1);
    assert_true(moved.ran_at_ms >= start + 250);
    assert_int_equal(cancelled.runs, 0);
    gw_loop_free(loop);
}

static void *post_from_elsewhere(void *arg)
{
    struct recorder *r = arg;
    gw_loop_post(r->loop, &r->task);
    return NULL;
}

static void posted_tasks_come_from_other_threads(void **state)
{
    (void)state;
    struct gw_loop *loop = new_loop(GW_CLOCK_SYSTEM);
    struct recorder r;
    recorder_init(&r, loop);
    r.stop = true;
    pthread_t thread;
    pthread_create(&thread, NULL, post_from_elsewhere, &r);
    gw_loop_run(loop);
    pthread_join(thread, NULL);
    assert_int_equal(r.runs, 1);
    gw_loop_free(loop);
}

static void virtual_time_moves_only_when_told(void **state)
{
    (void)state;
    struct gw_loop *loop = new_loop(GW_CLOCK_VIRTUAL);
    struct gw_time before = gw_loop_now(loop);
    assert_true(gw_clock_advance(&clock_of_tests, 86400000));
    struct gw_time after = gw_loop_now(loop);
    assert_int_equal(after.wall_ms - before.wall_ms, 86400000);
    assert_int_equal(after.mono_ms - before.mono_ms, 86400000);
    gw_loop_free(loop);
}

/* Waits in line, moves one share when it is served, and notes in which turn that was. */
struct flow {
    struct gw_task task;
    struct gw_loop *loop;
    uint64_t served_in;
    size_t share;
    bool stop;
};

static void on_served(struct gw_task *task)
{
    struct flow *f = gw_container_of(task, struct flow, task);
    f->share = gw_loop_share(f->loop);
    f->served_in = gw_loop_turn(f->loop);
    gw_loop_spend(f->loop, f->share);
    if (f->stop)
        gw_loop_stop(f->loop);
}

static void a_turn_serves_no_more_of_the_line_than_its_bytes(void **state)
{
    (void)state;
    struct gw_loop *loop = new_loop(GW_CLOCK_SYSTEM);
    const size_t at_once = GW_TURN_BYTES / GW_SHARE;
    struct flow flows[10], gone = {.loop = loop};
    for (size_t i = 0; i < 10; i++) {
        flows[i] = (struct flow){.loop = loop, .stop = i == 9};
        gw_task_init(&flows[i].task, on_served);
        gw_loop_queue(loop, &flows[i].task);
    }
    gw_task_init(&gone.task, on_served);
    gw_loop_queue(loop, &gone.task);
    gw_task_cancel(&gone.task);
    assert_int_equal(gw_loop_share(loop), 0); /* others wait */
    assert_int_equal(gw_loop_share_new(loop), GW_SHARE_NEW);
    assert_int_equal(gw_loop_share_flow(loop), GW_SHARE_NEW);
    gw_loop_run(loop);
    for (size_t i = 0; i < 10; i++) {
        assert_int_equal(flows[i].share, GW_SHARE);
        assert_int_equal(flows[i].served_in, flows[0].served_in + i / at_once);
    }
    assert_int_equal(gone.served_in, 0);
    assert_int_equal(gw_loop_share(loop), GW_SHARE); /* nobody waits any more */
    gw_loop_spend(loop, GW_TURN_BYTES);
    assert_int_equal(gw_loop_share(loop), 0);
    gw_loop_spend(loop, GW_TURN_OVERDRAFT);
    assert_int_equal(gw_loop_share_new(loop), GW_SHARE_CROWD);
    assert_int_equal(gw_loop_share_flow(loop), 0);
    gw_loop_free(loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(deferred_tasks_run_once_and_not_at_once),
        cmocka_unit_test(deadlines_fire_in_time_and_may_be_moved),
        cmocka_unit_test(posted_tasks_come_from_other_threads),
        cmocka_unit_test(virtual_time_moves_only_when_told),
        cmocka_unit_test(a_turn_serves_no_more_of_the_line_than_its_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

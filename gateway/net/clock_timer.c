/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/net/clock_timer.h"

#include <uv.h>

#define CAP_MIN 16

struct clock_timers {
    struct gw_loop *loop;
    enum gw_clock_mode mode;
    uv_timer_t alarm;
    struct clock_timer **heap; /* heap[0] is the earliest; the parent of i is (i - 1) / 2 */
    size_t count, cap;
    uint64_t orders; /* handed out so far */
    bool running;
};

/* ---- the heap ---- */

static bool is_before(const struct clock_timer *a, const struct clock_timer *b)
{
    return a->due_ms != b->due_ms ? a->due_ms < b->due_ms : a->order < b->order;
}

static void put(struct clock_timers *timers, size_t at, struct clock_timer *t)
{
    timers->heap[at] = t;
    t->place = at + 1;
}

static size_t rise(struct clock_timers *timers, size_t at, struct clock_timer *t)
{
    for (; at > 0 && is_before(t, timers->heap[(at - 1) / 2]); at = (at - 1) / 2)
        put(timers, at, timers->heap[(at - 1) / 2]);
    put(timers, at, t);
    return at;
}

static void sink(struct clock_timers *timers, size_t at, struct clock_timer *t)
{
    for (size_t child; (child = 2 * at + 1) < timers->count; at = child) {
        if (child + 1 < timers->count && is_before(timers->heap[child + 1], timers->heap[child]))
            child++;
        if (is_before(t, timers->heap[child]))
            break;
        put(timers, at, timers->heap[child]);
    }
    put(timers, at, t);
}

/* The last one fills the gap. It comes from another branch, so it may have to go either way. */
static void take_out(struct clock_timers *timers, struct clock_timer *t)
{
    struct clock_timer *last = timers->heap[--timers->count];
    size_t gap = t->place - 1;
    t->place = 0;
    if (last != t)
        sink(timers, rise(timers, gap, last), last);
}

/* ---- the alarm ---- */

static void on_alarm(uv_timer_t *alarm);

static void arm(struct clock_timers *timers)
{
    if (timers->count == 0) {
        uv_timer_stop(&timers->alarm);
        return;
    }
    uint64_t wait_ms = CLOCK_TIMER_POLL_MS;
    if (timers->mode == GW_CLOCK_SYSTEM) {
        uint64_t now_ms = gw_loop_now(timers->loop).mono_ms, due_ms = timers->heap[0]->due_ms;
        wait_ms = due_ms > now_ms ? due_ms - now_ms : 0;
    }
    uv_timer_start(&timers->alarm, on_alarm, wait_ms, 0);
}

/* Not re-entrant, and what is set or cancelled meanwhile does not arm: once, at the end, is enough.
 * Each timer is out of the heap before it fires, since its owner may set it again or die. */
void clock_timers_run(struct clock_timers *timers, uint64_t now_ms)
{
    if (timers->running || timers->count == 0 || timers->heap[0]->due_ms > now_ms)
        return;
    timers->running = true;
    while (timers->count > 0 && timers->heap[0]->due_ms <= now_ms) {
        struct clock_timer *t = timers->heap[0];
        take_out(timers, t);
        t->fire(t);
    }
    timers->running = false;
    arm(timers);
}

/* libuv's time may lag a little behind the clock's, so the alarm may also come early: then nothing
 * has run, and nothing but this arms it again. */
static void on_alarm(uv_timer_t *alarm)
{
    struct clock_timers *timers = alarm->data;
    clock_timers_run(timers, gw_loop_now(timers->loop).mono_ms);
    arm(timers);
}

/* ---- for owners ---- */

void clock_timer_init(struct clock_timer *t, void (*fire)(struct clock_timer *))
{
    *t = (struct clock_timer){.fire = fire};
}

void clock_timer_set(struct clock_timers *timers, struct clock_timer *t, uint64_t due_ms)
{
    if (t->place)
        take_out(timers, t);
    if (timers->count == timers->cap) {
        timers->cap = timers->cap ? timers->cap * 2 : CAP_MIN;
        timers->heap = gw_realloc(timers->heap, timers->cap * sizeof(struct clock_timer *));
    }
    t->due_ms = due_ms;
    t->order = timers->orders++;
    bool is_first = rise(timers, timers->count++, t) == 0;
    if (is_first && !timers->running)
        arm(timers);
}

void clock_timer_cancel(struct clock_timers *timers, struct clock_timer *t)
{
    if (t->place)
        take_out(timers, t);
    /* While others are set the alarm may come for the one that went: it finds nothing due and is
     * set anew, which costs less than setting it with each cancel. */
    if (timers->count == 0 && !timers->running)
        arm(timers);
}

struct clock_timers *clock_timers_new(struct gw_loop *loop, enum gw_clock_mode mode)
{
    struct clock_timers *timers = gw_zalloc(sizeof(*timers));
    timers->loop = loop;
    timers->mode = mode;
    timers->alarm.data = timers;
    uv_timer_init(gw_loop_uv(loop), &timers->alarm);
    return timers;
}

static void on_closed(uv_handle_t *handle)
{
    struct clock_timers *timers = handle->data;
    free(timers->heap);
    free(timers);
}

void clock_timers_free(struct clock_timers *timers)
{
    if (timers)
        uv_close((uv_handle_t *)&timers->alarm, on_closed);
}

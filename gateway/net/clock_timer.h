/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Timers on the configured clock, to the millisecond: the latencies that a simulation pretends end
 * when that clock says so, and a virtual clock may jump over them. (gw_deadline is for sockets: it
 * runs on real time and is coarse.)
 *
 * Timers fire in the order of their instants, equal ones in the order they were set, each of them
 * once, also when the clock has jumped over many: a callback finds its own instant in due_ms, and
 * what it sets for an instant that has passed as well fires in its turn. So a simulation runs the
 * same in one jump and in many small steps.
 *
 * Why a heap: delays differ by limiter, and cancelling is rare. Why polling with a virtual clock:
 * any thread may advance it, and only tests have one; nothing polls while nothing waits.
 *
 * Thread: the loop's. Owns: nothing but its heap; timers are embedded in their owner, who cancels
 * them before it dies. Time: gw_loop_now().mono_ms, so that a wall clock that is set back holds
 * nobody up. */
#include "gateway/net/loop.h"

#define CLOCK_TIMER_POLL_MS 2 /* of real time, with a virtual clock */

struct clock_timers;

struct clock_timer {
    uint64_t due_ms;
    uint64_t order; /* of setting, among equals */
    size_t place;   /* in the heap, counted from 1; 0: not set */
    void (*fire)(struct clock_timer *);
};

/* `mode` is that of the loop's clock. */
struct clock_timers *clock_timers_new(struct gw_loop *loop, enum gw_clock_mode mode);
/* No timer is set any more. The memory goes when the loop next turns, or with the loop. NULL is
 * fine. */
void clock_timers_free(struct clock_timers *timers);

void clock_timer_init(struct clock_timer *t, void (*fire)(struct clock_timer *));
/* Sets it, or moves it. It fires from the loop, or from clock_timers_run; never from inside. */
void clock_timer_set(struct clock_timers *timers, struct clock_timer *t, uint64_t due_ms);
void clock_timer_cancel(struct clock_timers *timers, struct clock_timer *t);

/* Fires what is due at `now_ms`, for an owner that is about to act at that instant and wants to
 * find everything before it done. Not from inside a callback of a timer. */
void clock_timers_run(struct clock_timers *timers, uint64_t now_ms);

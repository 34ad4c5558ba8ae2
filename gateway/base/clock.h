/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The time that cache, limiter and rules see. Pure modules take `now` as an argument; only the loop
 * reads this clock, once a turn, so that everything in one turn happens at one instant (curl's
 * TIME-KEEPING tells what goes wrong otherwise).
 *
 * system: the kernel's clocks. The wall time is the calendar's as it was at gw_clock_init and goes
 * on with CLOCK_BOOTTIME, which nobody sets: when the calendar is set right by hours, nothing
 * becomes stale at once or stays fresh for ever, no window of a limiter freezes, and time asleep
 * counts (RFC 9111 section 4.2.3 wants the resident time as it passed). Dates for people and other
 * machines (Date, logs, timestamps of rules, what an origin's dates are compared with) are the
 * calendar's. virtual: all stand still and move only by gw_clock_advance, so that a day passes in a
 * test of a second. Socket timeouts never use this clock. Thread: any; advancing and reading are
 * atomic. */
#include "gateway/base/base.h"

struct gw_time {
    uint64_t wall_ms; /* since the epoch, never set: for durations that users configure */
    uint64_t date_ms; /* since the epoch by the calendar of this moment */
    uint64_t mono_ms; /* since an arbitrary start; never goes back */
};

/* What the calendar calls an instant of the wall clock, for people: the two differ once somebody
 * has set the calendar. 0, never, stays so. */
static inline uint64_t gw_time_date(struct gw_time now, uint64_t wall_ms)
{
    return wall_ms ? now.date_ms + (wall_ms - now.wall_ms) : 0;
}

enum gw_clock_mode { GW_CLOCK_SYSTEM, GW_CLOCK_VIRTUAL };

struct gw_clock {
    enum gw_clock_mode mode;
    struct gw_time start;         /* the instant at gw_clock_init */
    uint64_t start_boot_ms;       /* CLOCK_BOOTTIME at it */
    _Atomic uint64_t advanced_ms; /* virtual: sum of all advances */
};

void gw_clock_init(struct gw_clock *c, enum gw_clock_mode mode);
struct gw_time gw_clock_now(const struct gw_clock *c);
/* Virtual only; false on the system clock. ms: up to a century, more is refused. */
GW_MUST bool gw_clock_advance(struct gw_clock *c, uint64_t ms);

/* The kernel's own clocks, for measuring and for socket deadlines. */
uint64_t gw_kernel_wall_ms(void);
uint64_t gw_kernel_mono_ms(void);
uint64_t gw_kernel_mono_us(void);

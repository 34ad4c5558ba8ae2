/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The time that cache, limiter and rules see. Pure modules take `now` as an argument; only the loop
 * reads this clock, once a turn, so that everything in one turn happens at one instant (curl's
 * TIME-KEEPING tells what goes wrong otherwise).
 *
 * system: wall and monotonic time of the kernel. virtual: both stand still and move only by
 * gw_clock_advance, so that a day passes in a test of a second. Socket timeouts never use this
 * clock. Thread: any; advancing and reading are atomic. */
#include "gateway/base/base.h"

struct gw_time {
    uint64_t wall_ms; /* since the epoch */
    uint64_t mono_ms; /* since an arbitrary start; never goes back */
};

enum gw_clock_mode { GW_CLOCK_SYSTEM, GW_CLOCK_VIRTUAL };

struct gw_clock {
    enum gw_clock_mode mode;
    struct gw_time start;         /* virtual: the instant at gw_clock_init */
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

/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/base/clock.h"

#include <stdatomic.h>
#include <time.h>

#define CENTURY_MS (100ULL * 366 * 86400 * 1000)

static uint64_t read_us(clockid_t id)
{
    struct timespec ts;
    clock_gettime(id, &ts);
    return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

uint64_t gw_kernel_wall_ms(void)
{
    return read_us(CLOCK_REALTIME) / 1000;
}

uint64_t gw_kernel_mono_us(void)
{
    return read_us(CLOCK_MONOTONIC);
}

uint64_t gw_kernel_mono_ms(void)
{
    return gw_kernel_mono_us() / 1000;
}

void gw_clock_init(struct gw_clock *c, enum gw_clock_mode mode)
{
    c->mode = mode;
    uint64_t wall_ms = gw_kernel_wall_ms();
    c->start = (struct gw_time){wall_ms, wall_ms, gw_kernel_mono_ms()};
    c->start_boot_ms = read_us(CLOCK_BOOTTIME) / 1000;
    atomic_init(&c->advanced_ms, 0);
}

struct gw_time gw_clock_now(const struct gw_clock *c)
{
    if (c->mode == GW_CLOCK_SYSTEM) {
        uint64_t since_ms = read_us(CLOCK_BOOTTIME) / 1000 - c->start_boot_ms;
        return (struct gw_time){c->start.wall_ms + since_ms, gw_kernel_wall_ms(),
                                gw_kernel_mono_ms()};
    }
    uint64_t by = atomic_load_explicit(&((struct gw_clock *)c)->advanced_ms, memory_order_acquire);
    return (struct gw_time){c->start.wall_ms + by, c->start.date_ms + by, c->start.mono_ms + by};
}

bool gw_clock_advance(struct gw_clock *c, uint64_t ms)
{
    if (c->mode != GW_CLOCK_VIRTUAL || ms > CENTURY_MS)
        return false;
    atomic_fetch_add_explicit(&c->advanced_ms, ms, memory_order_acq_rel);
    return true;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/base/log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "gateway/base/clock.h"

#define LINE_MAX_BYTES 1024
#define QUIET_MS       1000 /* a site that keeps firing is written once in this time … */
#define BURST          5    /* … after this many lines in a row */

static _Atomic int log_level = GW_LOG_INFO;
static _Atomic int log_fd = 2;

void gw_log_setup(enum gw_log_level level, int fd)
{
    atomic_store(&log_level, (int)level);
    atomic_store(&log_fd, fd);
}

bool gw_log_on(enum gw_log_level level)
{
    return (int)level <= atomic_load_explicit(&log_level, memory_order_relaxed);
}

/* True when this line is written; *held is the number of lines since the last written one. */
static bool may_write(struct gw_log_site *site, uint64_t now_ms, uint64_t *held)
{
    uint64_t last = atomic_load_explicit(&site->last_ms, memory_order_relaxed);
    uint64_t waiting = atomic_fetch_add_explicit(&site->held, 1, memory_order_relaxed);
    *held = 0;
    if (now_ms - last < QUIET_MS)
        return waiting < BURST;
    if (!atomic_compare_exchange_strong(&site->last_ms, &last, now_ms))
        return false; /* another thread begins the new second */
    waiting = atomic_exchange(&site->held, 1);
    *held = waiting > BURST + 1 ? waiting - 1 - BURST : 0;
    return true;
}

void gw_log_write(struct gw_log_site *site, enum gw_log_level level, const char *fmt, ...)
{
    static const char *const names[] = {"error", "warn", "info", "debug"};
    uint64_t wall = gw_kernel_wall_ms(), held;
    if (level != GW_LOG_DEBUG && !may_write(site, gw_kernel_mono_ms(), &held))
        return;
    if (level == GW_LOG_DEBUG)
        held = 0;

    char line[LINE_MAX_BYTES];
    time_t seconds = (time_t)(wall / 1000);
    struct tm tm;
    gmtime_r(&seconds, &tm);
    size_t n = strftime(line, sizeof(line), "%Y-%m-%dT%H:%M:%S", &tm);
    n += (size_t)snprintf(line + n, sizeof(line) - n, ".%03uZ %s ", (unsigned)(wall % 1000),
                          names[level]);
    va_list args;
    va_start(args, fmt);
    int more = vsnprintf(line + n, sizeof(line) - n, fmt, args);
    va_end(args);
    /* Leaves room for " repeated=", twenty digits and the line end. */
    n = gw_min_size(n + (more > 0 ? (size_t)more : 0), sizeof(line) - 32);
    if (held)
        n += (size_t)snprintf(line + n, sizeof(line) - n, " repeated=%llu",
                              (unsigned long long)held);
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)line[i] < 0x20)
            line[i] = '?'; /* nobody forges a second line */
    line[n++] = '\n';
    if (write(atomic_load(&log_fd), line, n) < 0)
        return; /* there is nowhere left to complain */
}

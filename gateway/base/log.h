/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The operational log: one line per event on stderr, `TIME LEVEL event key=value …`, one write call
 * a line, so lines of several threads never mix. Of one call site no more than six lines a second
 * are written; the next one says how many were not
 * ("repeated=17"). Levels: error = a person must act; warn = degraded and going on, the line says
 * how; info = life cycle; debug = steps. No header values, cookies, bodies or limiter keys at info
 * or above. Thread: any. Limit: a line is cut at 1 KiB. */
#include "gateway/base/base.h"

enum gw_log_level { GW_LOG_ERROR, GW_LOG_WARN, GW_LOG_INFO, GW_LOG_DEBUG };

/* Level and descriptor of the process; before the first call: info, 2. */
void gw_log_setup(enum gw_log_level level, int fd);
bool gw_log_on(enum gw_log_level level);

/* What a call site remembers to summarise its repeats. */
struct gw_log_site {
    _Atomic uint64_t last_ms;
    _Atomic uint64_t held;
};

void gw_log_write(struct gw_log_site *site, enum gw_log_level level, const char *fmt, ...)
    GW_PRINTF(3, 4);

#define gw_log(level, ...)                                                                         \
    do {                                                                                           \
        static struct gw_log_site log_site;                                                        \
        if (gw_log_on(level))                                                                      \
            gw_log_write(&log_site, level, __VA_ARGS__);                                           \
    } while (0)
#define gw_log_error(...) gw_log(GW_LOG_ERROR, __VA_ARGS__)
#define gw_log_warn(...)  gw_log(GW_LOG_WARN, __VA_ARGS__)
#define gw_log_info(...)  gw_log(GW_LOG_INFO, __VA_ARGS__)
#define gw_log_debug(...) gw_log(GW_LOG_DEBUG, __VA_ARGS__)

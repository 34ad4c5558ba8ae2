/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The text of one access-log line, appended to a buffer: JSON with Logpush names, or the combined
 * log format. Every exchange pays for it, so it is written by hand into room reserved once.
 *
 * Masking: the value of a query parameter named in `mask` becomes "***", in the request's own query
 * and in the one of Referer. Names are compared decoded and without case, since the origin would
 * read "%74oken" and "Token" too. Cookie and Authorization are not read at all.
 *
 * Thread: one. Owns: nothing; the mask is borrowed. Limit: ACCESS_LINE_MAX bytes a line; what a
 * client can make long is cut, and the cut shows as "…". */
#include "config/sections.h"
#include "gateway/base/buf.h"

#define ACCESS_LINE_MAX ((size_t)80 << 10)

struct exchange;

struct access_line {
    enum config_log_format format;
    const struct gw_str *mask;
    size_t mask_count;
    uint64_t second; /* what `stamp` holds: most lines share it with the one before */
    char stamp[32];
};

void access_line_init(struct access_line *line, const struct config_log *settings);
/* Whether a query parameter's value is not to be written. The name is as sent, encoded. */
GW_MUST bool access_line_masks(const struct access_line *line, struct gw_str name);
/* What the visitor was told; 499, as Cloudflare and nginx say it, when he left before that. */
unsigned access_line_status(const struct exchange *x);
/* `took_us`: from the exchange's start until now. Ends with a line feed. */
void access_line_write(struct access_line *line, const struct exchange *x, uint64_t took_us,
                       struct gw_buf *out);

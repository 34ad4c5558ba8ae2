/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Durations and rates as people write them ("250ms", "1m", "50/s", "300/min"), and back.
 *
 * A number without a unit is refused: 50 what? Thread: any. Limits: UNITS_DURATION_MAX_US, and
 * UNITS_RATE_MAX a second. */
#include "gateway/base/buf.h"

#define UNITS_DURATION_MAX_US ((uint64_t)7 * 24 * 3600 * 1000000)
#define UNITS_RATE_MAX        10000000.0

/* A decimal number at the start of *rest, which then begins behind it. */
GW_MUST bool units_number(struct gw_str *rest, double *out);
/* us, ms, s, m or min, h. Zero is a duration. */
GW_MUST bool units_duration(struct gw_str text, uint64_t *us);
/* N/s, N/m, N/min, N/h, also with a number of them ("10/5s"); a second. */
GW_MUST bool units_rate(struct gw_str text, double *per_s);

/* "850 µs", "12.3 ms", "1.50 s": three significant digits. */
void units_add_us(struct gw_buf *out, double us);
/* "12.5/s", "20,000/s". */
void units_add_rate(struct gw_buf *out, double per_s);
/* "12,345" as it is grouped for people. */
void units_add_count(struct gw_buf *out, uint64_t count);

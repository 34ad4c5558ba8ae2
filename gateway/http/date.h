/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* HTTP dates both ways (RFC 9110 section 5.6.7), and ISO 8601 for logs and the API. No locale, no
 * allocation, no clock. Seconds since the epoch, UTC, years 1 to 9999. Thread: any. */
#include "gateway/base/str.h"

#define DATE_HTTP_LEN 29 /* Sun, 06 Nov 1994 08:49:37 GMT */
#define DATE_ISO_LEN  24 /* 1994-11-06T08:49:37.000Z */

/* IMF-fixdate, RFC 850 and asctime, in any case. The day's name must be one, but is not compared
 * with the date; a leap second counts as the next second. `now_s` decides the century of RFC 850's
 * two digits: not more than 50 years ahead. */
GW_MUST bool date_parse(struct gw_str text, int64_t now_s, int64_t *out_s);

/* Write exactly DATE_HTTP_LEN or DATE_ISO_LEN bytes, no NUL. Out of range is clamped. */
void date_format(int64_t s, char *out);
void date_format_iso(int64_t ms, char *out);

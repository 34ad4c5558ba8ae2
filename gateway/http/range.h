/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The Range header against an object of known size (RFC 9110 section 14.2;
 * spec/cache-behaviour.md section 2.11): what cannot be read, other units, too many, overlapping or
 * unordered ranges give the whole object. Thread: any. */
#include "gateway/base/str.h"

#define RANGE_COUNT_MAX 299

struct range {
    uint64_t first, last; /* inclusive, last < size */
};

enum range_result {
    RANGE_WHOLE,        /* answer 200 */
    RANGE_PART,         /* answer 206 with the ranges found: several, or one */
    RANGE_UNSATISFIABLE /* answer 416 */
};

/* Fills at most `cap` (up to RANGE_COUNT_MAX) ranges; more than that is RANGE_WHOLE. *count is 0
 * unless RANGE_PART. Ranges that lie behind the end are left out while another can be served. */
GW_MUST enum range_result range_parse(struct gw_str value, uint64_t size, struct range *out,
                                      size_t cap, size_t *count);

/* Content-Range values: "bytes 0-9/100", and the form for 416 that has a star for the range. */
#define RANGE_TEXT_MAX 70
size_t range_format(char *out, struct range r, uint64_t size);
size_t range_format_unsatisfied(char *out, uint64_t size);

/* "bytes 0-9/100" from an origin's 206; false unless well formed with a known size. */
GW_MUST bool range_parse_content(struct gw_str value, struct range *out, uint64_t *size);

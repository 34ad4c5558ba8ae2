/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Finds where a line or a field section ends, and checks its shape on the way: the first of the two
 * readers of h1_parse (the other is llhttp). Private to h1_parse.
 *
 * Shape (RFC 9112 section 2.2): lines end in CRLF and nothing else; CR and LF stand nowhere else;
 * no control byte but HTAB; no line begins with white space (obs-fold, and white space before the
 * first line). llhttp 8.1 lets a bare CR end a field line (CVE-2023-30589) and a bare LF end
 * others; after this scan it never meets either. Not HTTP at all (a TLS hello on the wrong port)
 * fails at the first byte. Resumable: what was seen is not read again. Thread: one. Owns: nothing.
 */
#include "gateway/base/str.h"

enum h1_scan_unit { SCAN_LINE, SCAN_SECTION };
enum h1_scan_result { SCAN_MORE, SCAN_END, SCAN_BAD };

/* Starts as {0}. */
struct h1_scan {
    size_t at;         /* everything before is checked; after SCAN_END the length of the unit */
    size_t line;       /* where the current line begins */
    size_t first_line; /* length of the first line without CRLF, once lines > 0 */
    unsigned lines;    /* complete ones, the empty one at the end not counted */
};

/* `bytes` is the unit from its beginning, longer or elsewhere in memory than last time. */
enum h1_scan_result h1_scan(struct h1_scan *s, struct gw_str bytes, enum h1_scan_unit unit);

/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What a client may cost an HTTP/2 connection without asking for anything: a budget for frames that
 * make work but no progress, which a well-behaved client uses a few of (RFC 9113 section 10.5).
 *
 * Each of these takes one: RST_STREAM, also one that the client's own mistake makes us send (rapid
 * reset, CVE-2023-44487, and its mirror CVE-2025-8671); PING, SETTINGS (CVE-2019-9512, -9515);
 * PRIORITY (-9513); DATA that is empty or may be all padding (-9518); WINDOW_UPDATE of few bytes
 * (-9511). Frames of unknown types cost nothing but their bytes. H2_GUARD_BURST at once,
 * H2_GUARD_PER_S again each second; beyond that the connection ends with ENHANCE_YOUR_CALM. A
 * header block may have H2_CONTINUATIONS CONTINUATION frames (VU#421644): with full ones that is
 * the default limit of heads.
 *
 * Invariant: 0 <= level <= burst. Time: monotonic milliseconds. Thread: the caller's. Owns:
 * nothing.
 */
#include "gateway/base/base.h"

#define H2_GUARD_BURST       500
#define H2_GUARD_PER_S       50
#define H2_GUARD_WINDOW_STEP 256 /* bytes; a smaller WINDOW_UPDATE counts */
#define H2_GUARD_PADDING     256 /* a padded DATA frame up to this may hold no data */
#define H2_CONTINUATIONS     7

struct h2_guard {
    uint64_t level; /* thousandths */
    uint64_t last_ms;
};

void h2_guard_init(struct h2_guard *g, uint64_t now_ms);
/* False: the budget is used up. */
GW_MUST bool h2_guard_take(struct h2_guard *g, uint64_t now_ms);

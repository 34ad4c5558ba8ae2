/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What a visitor gets who does not pass: the app's own 429 with the headers its wrapper adds, byte
 * for byte (spec/limiter.md a2), or the route's redirect; the app's 500 when its store failed (a3);
 * the 503 of a backend that is away.
 *
 * The texts are templates in read-only memory; rendering copies one and writes the numbers into
 * it. Thread: any. Limits: LIMITER_ANSWER_SIZE bytes of scratch. */
#include "limiter/limiter.h"

#define LIMITER_ANSWER_SIZE 640
#define LIMITER_FAULT_MAX   128

struct limiter_answer {
    unsigned status;
    struct gw_str head; /* whole header lines with CRLF; Content-Length and Date are the writer's */
    struct gw_str body;
};

/* The store's own words for a fault (spec/oracle.md section 6), in `out`; empty for none. */
struct gw_str limiter_fault_text(enum limiter_fault fault, uint32_t value,
                                 char out[LIMITER_FAULT_MAX]);
/* The header lines of the app's JSON answers. Static storage. */
struct gw_str limiter_answer_head(void);
/* The verdict is a DENY, UNAVAILABLE or ERROR. The slices live in `scratch` and the route's policy.
 */
struct limiter_answer limiter_answer(const struct limiter_route *route,
                                     const struct limiter_verdict *verdict,
                                     char scratch[LIMITER_ANSWER_SIZE]);

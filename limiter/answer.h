/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What a refused visitor gets: the app's own 429 with the headers its wrapper adds, byte for byte
 * (spec/limiter.md a2), or the route's redirect, or the 503 of a backend that is away.
 *
 * The texts are templates in read-only memory; rendering copies one and writes the seconds into
 * it. Thread: any. Limits: LIMITER_ANSWER_SIZE bytes of scratch. */
#include "limiter/limiter.h"

#define LIMITER_ANSWER_SIZE 512

struct limiter_answer {
    unsigned status;
    struct gw_str head; /* whole header lines with CRLF; Content-Length and Date are the writer's */
    struct gw_str body;
};

/* The verdict is a DENY or UNAVAILABLE. The slices live in `scratch` and the route's policy. */
struct limiter_answer limiter_answer(const struct limiter_route *route,
                                     const struct limiter_verdict *verdict,
                                     char scratch[LIMITER_ANSWER_SIZE]);

/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What of a stored object answers this client's request: all of it, nothing (304), a part (206) or
 * no part (416), by the client's conditions and Range (spec sections 2.10, 2.11). If-None-Match
 * beats If-Modified-Since and both beat Range. If-Match and If-Unmodified-Since are not evaluated,
 * as at Cloudflare. Ranges are cut as soon as the length is known, also while the body streams.
 *
 * Pure. Thread: any. Owns: the ranges lie in the caller's arena. */
#include "cache/range_plan.h"

enum cache_answer {
    CACHE_ANSWER_FULL,
    CACHE_ANSWER_NOT_MODIFIED, /* 304 */
    CACHE_ANSWER_RANGE,        /* 206: plan->ranges, one part or several */
    CACHE_ANSWER_UNSATISFIABLE /* 416 with an empty body; Content-Range from range.h */
};

/* plan is filled for RANGE only. */
enum cache_answer cache_answer(const struct cache_object *o, const struct headers *request,
                               struct gw_arena *arena, struct cache_range_plan *plan);

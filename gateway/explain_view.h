/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* An explanation as people and programs read it. All append to `out` and change nothing else.
 * Thread: any, the explanation is only read. Limits: the buffer's ceiling. */
#include "gateway/explain.h"

/* The status that the visitor would get; 0 while only the origin knows. */
unsigned explain_status(const struct explain *e);
/* One sentence: what the edge would do. */
void explain_verdict(const struct explain *e, struct gw_buf *out);
/* For people: the verdict, then the reasons as a tree. */
void explain_text(const struct explain *e, bool all_parts, bool color, struct gw_buf *out);
/* Cloudflare's trace API (spec/api-v4.md section 7) with its envelope; what it has no place for
 * stands in members "nearedge". */
void explain_json(const struct explain *e, struct gw_buf *out);
/* `2 "Bypass API"`: position from 1 and what a person knows a rule by. */
void explain_rule_name(const struct explain_rule *r, struct gw_buf *out);
/* As the limiters file says them. */
const char *explain_store_name(enum limiter_store store);
const char *explain_mode_name(enum limiter_mode mode);

/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What to write instead of an expression that Cloudflare refuses. The engine's own words
 * (spec/rules-language.md section 6) are what the API answers and stay as they are; a file's
 * messages for people have this behind them. Thread: static data. */
#include "config/rules/expr.h"

/* Appends "; did you mean ...?" or the like; nothing when the refusal says it all. `text` is the
 * expression that *err is about. */
void expr_hint(const struct expr_error *err, struct gw_str text, struct gw_buf *out);

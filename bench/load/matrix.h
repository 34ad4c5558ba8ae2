/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What several stores said about the same traffic, for people: the answer of
 * GET /api/admin/rate-limits/compare as text, and as a table of a report. Used by `limits compare`,
 * and by load tests against a gateway that compares.
 *
 * Thread: one. Owns: nothing; the answer is the caller's. Limits: MATRIX_ROWS_MAX limiters. */
#include "config/json.h"

#define MATRIX_ROWS_MAX 50

/* The limiters of an answer; NULL when it has none that compares. */
const struct json *matrix_limiters(const struct json *answer);

/* Some store has not given all its verdicts yet. */
bool matrix_is_pending(const struct json *answer);

/* Both write nothing for limiters that had no calls, unless `all`. */
void matrix_text(const struct json *answer, bool all, struct gw_buf *out);
void matrix_html(const struct json *answer, struct gw_buf *out);

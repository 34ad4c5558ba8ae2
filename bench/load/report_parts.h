/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the forms of a report share: numbers as words, and which identities to show. Private to the
 * report files. Thread: one. */
#include "bench/load/report.h"

extern const double report_percents[];
extern const size_t report_percent_count;

/* "200 × 15, 429 × 25, no connection × 2" */
void report_add_answers(const struct stats_group *g, struct gw_buf *out);
/* "HIT × 99, MISS × 1"; nothing when no answer had a status. */
void report_add_cache(const struct stats_group *g, struct gw_buf *out);
/* "limiter × 25" */
void report_add_refusals(const struct stats_group *g, struct gw_buf *out);
/* The identities with most requests, ties by number; at most REPORT_ROWS_MAX. Returns how many are
 * in `rows`; *all gets how many sent anything. */
size_t report_identities(const struct report *r, uint32_t rows[REPORT_ROWS_MAX], size_t *all);
/* The identity's address, or its number when it has none. */
void report_add_identity(const struct load_plan *plan, uint32_t identity, struct gw_buf *out);
/* Requests sent a second over the phases' time. */
double report_rate(const struct report *r);
/* "2.1 %" of answers that have a cache status; -1 without any. */
double report_hit_percent(const struct stats_group *g);
/* Text between tags and in attributes. */
void report_add_escaped(struct gw_str text, struct gw_buf *out);

/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Two reports of the same test: better, worse, or noise.
 *
 * The rule: each report's intervals are a sample of how things went. A latency differs when a
 * two-sided rank-sum test (Mann and Whitney, with ties) over the intervals says p < 0.01 and the
 * medians are more than COMPARE_EFFECT_PERCENT apart; a share of answers differs when a
 * two-proportion z test says p < 0.01 and the shares are more than one point apart. All else is
 * noise, and with fewer than COMPARE_INTERVALS_MIN intervals no latency gets a verdict. Ranks,
 * because latencies have tails that no mean survives; a least effect, because with enough
 * requests every difference is significant. Thread: one. */
#include "bench/load/report.h"
#include "config/json.h"

#define COMPARE_EFFECT_PERCENT 5
#define COMPARE_INTERVALS_MIN  8

/* Appends a table. False when the old file is no report; told in diags. */
GW_MUST bool compare_reports(const char *old_path, struct gw_str new_report, struct gw_buf *out,
                             struct gw_diags *diags);

/* z of the rank-sum test: positive when `b` tends to be larger. */
double compare_rank_sum(const double *a, size_t a_count, const double *b, size_t b_count);
/* z of two proportions: positive when the second is larger. */
double compare_proportions(double hits_a, double all_a, double hits_b, double all_b);

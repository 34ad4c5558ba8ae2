/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Recorded requests asked again: what would the edge do with them now, and what would it do
 * differently under a changed snapshot. Both are explanations (explain.h), so hindsight says what
 * the steps would do; what the origin would answer it does not know.
 *
 * Thread: any; snapshots and records are only read. Time: `now` is the configured clock's. Limits:
 * as many requests as the recorder holds; HINDSIGHT_CHANGES_MAX of them are named in the answer. */
#include "gateway/explain.h"
#include "gateway/record.h"

#define HINDSIGHT_CHANGES_MAX 200

/* What else is asked than rules: as in struct explain_question. */
struct hindsight_live {
    struct cache_store *store;
    struct rate_counters *rate;
};

/* NULL when the record is not whole, or has more secrets than can be hidden. `live` may be NULL.
 * explain_json will show none of the record's secrets. */
GW_MUST struct explain *hindsight_explain(const struct snapshot *s, const struct record *r,
                                          const struct hindsight_live *live, struct gw_time now);

/* Appends {"requests":N,"changed":M,"summary":[sentences],"changes":[…]}. */
void hindsight_compare(const struct snapshot *before, const struct snapshot *after,
                       struct record *const *records, size_t count, struct gw_time now,
                       struct gw_buf *out);

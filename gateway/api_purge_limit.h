/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* How often a cache may be purged (spec/cache-behaviour.md section 5.3): token buckets, one for
 * requests by tag, host, prefix or for everything, one for URLs, shared by purging and
 * invalidating. Limits are an account's, and there is one account: zones of one plan share.
 *
 * A bucket is the instant at which it will be full again (the generic cell rate algorithm), so it
 * needs no refilling. Pure. Thread: one. Time: a monotonic clock in ms. */
#include "config/zone.h"

#define API_PLANS 4

struct api_purge_limit {
    uint64_t requests_full_us[API_PLANS], urls_full_us[API_PLANS];
};

struct api_purge_cost {
    unsigned requests, urls;
};

/* Takes all of the cost or, answering false, nothing; *retry_ms is then when it could be taken. */
GW_MUST bool api_purge_take(struct api_purge_limit *limit, enum config_plan plan,
                            struct api_purge_cost cost, uint64_t now_ms, uint64_t *retry_ms);

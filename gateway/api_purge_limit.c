/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/api_purge_limit.h"

struct rate {
    uint64_t interval_us; /* of one token */
    uint64_t burst;       /* tokens of a full bucket */
};

/* The bucket of URLs is not documented: a second's worth. */
static const struct rate requests_rate[API_PLANS] = {
    {12000000, 25}, {200000, 25}, {100000, 50}, {20000, 500}};
static const struct rate urls_rate[API_PLANS] = {
    {1250, 800}, {667, 1500}, {667, 1500}, {333, 3000}};

/* When the bucket would be full again after taking; 0 when it does not hold that many. */
static uint64_t after(uint64_t full_us, const struct rate *rate, unsigned cost, uint64_t now_us,
                      uint64_t *wait_us)
{
    uint64_t next = gw_max_u64(full_us, now_us) + cost * rate->interval_us;
    uint64_t latest = now_us + rate->burst * rate->interval_us;
    if (next <= latest)
        return next;
    *wait_us = gw_max_u64(*wait_us, next - latest);
    return 0;
}

bool api_purge_take(struct api_purge_limit *limit, enum config_plan plan,
                    struct api_purge_cost cost, uint64_t now_ms, uint64_t *retry_ms)
{
    uint64_t now_us = now_ms * 1000, wait_us = 0;
    uint64_t *requests = &limit->requests_full_us[plan], *urls = &limit->urls_full_us[plan];
    uint64_t next_requests =
        after(*requests, &requests_rate[plan], cost.requests, now_us, &wait_us);
    uint64_t next_urls = after(*urls, &urls_rate[plan], cost.urls, now_us, &wait_us);
    *retry_ms = (wait_us + 999) / 1000;
    if (wait_us)
        return false;
    *requests = next_requests;
    *urls = next_urls;
    return true;
}

/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* How long a stored response may be used, as decided when it was stored. Directives that forbid
 * stale answers (must-revalidate, s-maxage …) are already resolved into windows of 0. Thread: a
 * plain value. */
#include "gateway/base/base.h"

#define CACHE_SIE_UNLIMITED UINT32_MAX
#define CACHE_TTL_MAX_S     ((uint32_t)INT32_MAX) /* larger values of an origin are cut to this */

struct cache_lifetime {
    uint32_t ttl_s; /* 0: stored as already stale, every use asks the origin */
    uint32_t swr_s; /* stale-while-revalidate window behind the TTL [0] */
    uint32_t sie_s; /* stale-if-error window behind the TTL [CACHE_SIE_UNLIMITED] */
};

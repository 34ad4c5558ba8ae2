/* SPDX-License-Identifier: Apache-2.0 */
#include "cache/status.h"

struct gw_str cache_status_name(enum cache_status status)
{
    switch (status) {
#define X(name, text)                                                                              \
    case CACHE_STATUS_##name:                                                                      \
        return GW_STR(text);
        CACHE_STATUSES(X)
#undef X
    }
    return GW_STR_EMPTY;
}

bool cache_status_is_cached(enum cache_status status)
{
    return status != CACHE_STATUS_NONE && status != CACHE_STATUS_BYPASS &&
           status != CACHE_STATUS_DYNAMIC;
}

bool cache_status_has_age(enum cache_status status)
{
    return status == CACHE_STATUS_HIT || status == CACHE_STATUS_STALE ||
           status == CACHE_STATUS_UPDATING;
}

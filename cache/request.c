/* SPDX-License-Identifier: Apache-2.0 */
#include "cache/request.h"

bool cache_policy_occ(const struct cache_policy *policy)
{
    if (policy->zone->plan < CONFIG_PLAN_ENTERPRISE)
        return true;
    const struct cache_settings *rule =
        cache_settings_get(policy->rules, CACHE_SETTING_ORIGIN_CACHE_CONTROL);
    return rule ? rule->origin_cache_control : policy->zone->settings.origin_cache_control;
}

struct gw_str cache_reason_text(enum cache_reason reason)
{
    switch (reason) {
    case CACHE_REASON_NONE:
        break;
#define X(name, text)                                                                              \
    case CACHE_REASON_##name:                                                                      \
        return GW_STR(text);
        CACHE_REASONS(X)
#undef X
    }
    return GW_STR("");
}

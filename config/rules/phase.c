/* SPDX-License-Identifier: Apache-2.0 */
#include "config/rules/phase.h"

static const char *const names[] = {
    [RULES_CACHE_REQUEST] = "http_request_cache_settings",
    [RULES_CACHE_RESPONSE] = "http_response_cache_settings",
    [RULES_RATELIMIT] = "http_ratelimit",
    [RULES_COUNTING] = "http_ratelimit",
    [RULES_OTHER] = "",
};

enum rules_phase rules_phase_of(struct gw_str name)
{
    for (size_t i = 0; i < RULES_OTHER; i++) {
        if (gw_str_eq(gw_str_z(names[i]), name))
            return (enum rules_phase)i;
    }
    return RULES_OTHER;
}

const char *rules_phase_name(enum rules_phase phase)
{
    return names[phase];
}

bool rules_phase_has_response(enum rules_phase phase)
{
    return phase == RULES_CACHE_RESPONSE || phase == RULES_COUNTING;
}

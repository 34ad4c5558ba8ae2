/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Where an expression runs. The phase decides which fields and functions it may name
 * (spec/rules-language.md sections 4 and 5). Thread: any; names are static. */
#include "gateway/base/str.h"

enum rules_phase {
    RULES_CACHE_REQUEST,  /* http_request_cache_settings */
    RULES_CACHE_RESPONSE, /* http_response_cache_settings: response fields too */
    RULES_RATELIMIT,      /* http_ratelimit, `expression` */
    RULES_COUNTING,       /* http_ratelimit, `counting_expression`: response fields too */
    RULES_OTHER,          /* a phase that is not simulated: parsed as a request phase */
};

/* RULES_OTHER for a name that is none of ours. */
enum rules_phase rules_phase_of(struct gw_str name);
/* Cloudflare's name; of RULES_COUNTING that of its ruleset. "" for RULES_OTHER. */
const char *rules_phase_name(enum rules_phase phase);
bool rules_phase_has_response(enum rules_phase phase);

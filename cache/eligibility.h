/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* May this request be answered from the cache at all (spec/cache-behaviour.md section 1.1)? If not,
 * it is proxied untouched, its status is DYNAMIC and nothing is looked up or stored. No cookie,
 * User-Agent or client Cache-Control takes part.
 *
 * Pure. Thread: any. */
#include "cache/request.h"

struct cache_eligibility {
    bool eligible;
    enum cache_reason reason;
};

struct cache_eligibility cache_eligible(const struct cache_request *request,
                                        const struct cache_policy *policy);

/* Cached by default; any case, without its dot (section 2.1). */
bool cache_extension_is_static(struct gw_str extension);

/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/load/sample.h"

#define X(name) GW_STR(#name),
static const struct gw_str cache_names[] = {LOAD_CACHE_STATUSES(X)};
#undef X
#define X(name, text) text,
static const char *const error_names[] = {LOAD_ERRORS(X)};
static const char *const refusal_names[] = {LOAD_REFUSALS(X)};
#undef X

struct gw_str load_cache_name(enum load_cache cache)
{
    return cache == LOAD_CACHE_NONE ? GW_STR_EMPTY : cache_names[cache];
}

enum load_cache load_cache_of(struct gw_str text)
{
    for (unsigned i = 1; i < LOAD_CACHE_COUNT; i++)
        if (gw_str_eq(text, cache_names[i]))
            return (enum load_cache)i;
    return LOAD_CACHE_NONE;
}

const char *load_error_name(enum load_error error)
{
    return error_names[error];
}

const char *load_refusal_name(enum load_refusal refusal)
{
    return refusal_names[refusal];
}

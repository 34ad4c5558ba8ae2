/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The nested values of cache settings: TTLs by mode and status, custom keys, the vary object
 * (spec/cache-behaviour.md sections 4.2 to 4.4 and 4.7). Lists and texts live in the ruleset's
 * arena. Thread: immutable after loading. Owns: nothing; the arena does. */
#include "gateway/base/str.h"

enum cache_ttl_mode {
    CACHE_TTL_RESPECT_ORIGIN,
    CACHE_TTL_OVERRIDE_ORIGIN,
    CACHE_TTL_BYPASS_BY_DEFAULT,
    CACHE_TTL_BYPASS, /* browser_ttl only */
};

#define CACHE_STATUS_NO_STORE (-1)
#define CACHE_STATUS_NO_CACHE 0
struct cache_status_ttl {
    uint16_t from, to; /* inclusive; an exact code has from == to */
    bool exact;        /* given as status_code: beats a range (section 4.3) */
    int64_t value;     /* seconds, or one of the two above */
};

struct cache_names {
    const struct gw_str *items;
    size_t count;
};
struct cache_named_values { /* a header name in lower case and its values */
    struct gw_str name;
    struct cache_names values;
};

enum cache_query_mode {
    CACHE_QUERY_ALL,     /* the default: the query as it is */
    CACHE_QUERY_NONE,    /* exclude all */
    CACHE_QUERY_INCLUDE, /* only the listed parameters */
    CACHE_QUERY_EXCLUDE, /* all but the listed ones */
};
struct cache_custom_key {
    enum cache_query_mode query_mode;
    struct cache_names query;
    struct cache_names header_include, header_presence; /* lower case, sorted */
    const struct cache_named_values *header_contains;
    size_t header_contains_count;
    bool exclude_origin;
    struct cache_names cookie_include, cookie_presence; /* sorted */
    bool user_device_type, user_geo, user_lang;
    bool host_resolved;
};

enum cache_vary_action { CACHE_VARY_NORMALIZE, CACHE_VARY_PASSTHROUGH, CACHE_VARY_BYPASS };
struct cache_vary_header {
    struct gw_str name; /* lower case */
    enum cache_vary_action action;
    struct cache_names media_types, languages; /* lower case; empty: no allowlist */
};

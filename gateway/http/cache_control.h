/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Cache-Control and its CDN variants as one struct (spec/cache-behaviour.md section 2.6, the
 * paragraph "Parsing"). Tolerant and never fails: names fold case, "," or ";" separate, values may
 * be quoted, lines of one field are one list, the last of a repeated directive wins, fractions are
 * cut off, large numbers are capped at 2^31-1, what cannot be read counts as absent. An unreadable
 * s-maxage takes max-age with it. Owns: nothing; field lists are slices of the header values.
 * Thread: any. */
#include "gateway/http/headers.h"

enum cc_flag {
    CC_NO_STORE = 1 << 0,
    CC_NO_CACHE = 1 << 1, /* also with a field list */
    CC_PRIVATE = 1 << 2,  /* also with a field list */
    CC_PUBLIC = 1 << 3,
    CC_MUST_REVALIDATE = 1 << 4,
    CC_PROXY_REVALIDATE = 1 << 5,
    CC_NO_TRANSFORM = 1 << 6,
    CC_IMMUTABLE = 1 << 7,
    CC_MUST_UNDERSTAND = 1 << 8,
    CC_ONLY_IF_CACHED = 1 << 9,
    CC_MAX_AGE = 1 << 10,  /* named, whether or not its value could be read */
    CC_S_MAXAGE = 1 << 11, /* likewise: it forbids stale answers even then */
};

struct cache_control {
    unsigned flags; /* enum cc_flag */
    bool present;   /* there was at least one line, even an empty one */
    /* Seconds; -1: absent or unreadable. */
    int64_t max_age, s_maxage, stale_while_revalidate, stale_if_error;
    /* The inside of the quotes: "Set-Cookie, X-Foo". Empty: the directive has no list. */
    struct gw_str private_fields, no_cache_fields;
};

struct cache_control cache_control_read(const struct headers *h, enum header_id id);
/* One value, for rules and tests. */
struct cache_control cache_control_parse(struct gw_str value);
/* Walks a field list: false at the end. */
bool cache_control_field_next(struct gw_str *rest, struct gw_str *name);

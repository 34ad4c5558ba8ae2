/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What to do with an object that was found, and with what the origin says about a stale one (spec
 * section 2.9). Pure: `now` is an argument. Thread: any. */
#include "cache/object.h"

enum cache_freshness {
    CACHE_FRESH,
    CACHE_STALE_SERVE,  /* answer UPDATING at once, refresh in the background */
    CACHE_STALE_VERIFY, /* ask the origin first: EXPIRED, REVALIDATED, or STALE if it fails */
};
enum cache_freshness cache_freshness(const struct cache_object *o,
                                     const struct cache_policy *policy, uint64_t now_ms);

enum cache_failure {
    CACHE_FAILED_TO_REACH,     /* no usable answer: the edge would make a 52x of it */
    CACHE_FAILED_SERVER_ERROR, /* the origin itself answered 5xx */
};
/* May the object answer (STALE) after this failure? */
bool cache_may_serve_stale(const struct cache_object *o, const struct cache_policy *policy,
                           enum cache_failure failure, uint64_t now_ms);

/* Seconds since it was stored or last confirmed, and what it was old then. */
uint64_t cache_age_s(const struct cache_object *o, uint64_t now_ms);

/* Validators for the request to the origin; empty ones are not sent. Both empty: ask for a full
 * response. */
struct cache_validators {
    struct gw_str if_none_match, if_modified_since;
};
struct cache_validators cache_validators(const struct cache_object *o);

/* Whether a 304 speaks of this object: by its tag, if both have one. Another tag names bytes that
 * are not ours and would stay on them for good, so such a 304 renews nothing (RFC 9111 section
 * 4.3.4), although Cloudflare's open engine takes it over (spec section 2.9). Tags are compared
 * weakly, since servers that compress weaken the tag of a 200 and not that of a 304. */
bool cache_304_fits(const struct cache_object *o, const struct headers *fresh);
/* The fields of the object with those that a 304 may change taken from it: all that it has, but
 * Content-Length, Content-Encoding, Content-Range, Age, Set-Cookie and hop-by-hop ones (RFC 9111
 * section 3.2). Decide about the result with
 * cache_response.revalidated set; not storable: cache_fill_keep. False when `out` is too small. */
GW_MUST bool cache_merge_304(const struct cache_object *o, const struct headers *fresh,
                             struct headers *out);

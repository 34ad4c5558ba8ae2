/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The Cache-Control that the visitor's browser gets (spec/cache-behaviour.md section 2.18). A
 * configured browser TTL lengthens the origin's max-age and never shortens it. It applies to cached
 * responses only, never to BYPASS or DYNAMIC, and touches no CDN-Cache-Control field.
 *
 * Pure. Thread: any. */
#include "cache/request.h"
#include "cache/status.h"
#include "gateway/base/buf.h"

/* What the settings want for browsers, whatever the origin says; all 0 wants nothing. An object
 * keeps the line that was made of its origin's for one such wish (head.h): hits want the same. */
struct cache_browser {
    uint64_t seconds; /* at least this max-age; 0: the origin's word stands */
    bool no_store, occ;
};

struct cache_browser cache_browser_of(const struct cache_policy *policy, enum cache_status status);
static inline bool cache_browser_same(struct cache_browser a, struct cache_browser b)
{
    return a.seconds == b.seconds && a.no_store == b.no_store && a.occ == b.occ;
}

enum cache_browser_ttl {
    CACHE_BROWSER_KEEP,    /* the origin's Cache-Control goes out unchanged (or none at all) */
    CACHE_BROWSER_REPLACE, /* send `out` as the only Cache-Control */
};

/* origin: the origin's Cache-Control lines joined by ", ", empty when there was none. Appends the
 * new value to `out` when the answer is REPLACE. */
enum cache_browser_ttl cache_browser_control(struct cache_browser browser, struct gw_str origin,
                                             struct gw_buf *out);

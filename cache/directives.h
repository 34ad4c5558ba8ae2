/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the origin asks for: the one header that controls the edge (spec/cache-behaviour.md sections
 * 1.3 f, 2.6, 2.7) and Expires. Private to the store decision. Pure. Thread: any. Owns: nothing;
 * slices are the headers'. */
#include "gateway/http/cache_control.h"

struct cache_directives {
    struct cache_control control; /* of Cloudflare-CDN-Cache-Control, else CDN-Cache-Control … */
    bool for_cdn;                 /* … and not of Cache-Control */
    int64_t expires_in_s;         /* -1: no usable Expires; 0: past or unreadable */
};

struct cache_directives cache_directives_read(const struct headers *headers, uint64_t now_ms);

/* no-cache for the whole response, not for some fields only. */
bool cache_directives_no_cache(const struct cache_directives *d);
bool cache_directives_private(const struct cache_directives *d);
/* private="…" or no-cache="…" names this field. */
bool cache_directives_names(const struct cache_directives *d, struct gw_str field);
/* s-maxage, max-age or Expires, in this order; -1 when none says anything. */
int64_t cache_directives_ttl(const struct cache_directives *d);

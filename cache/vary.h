/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What tells requests apart that a response varies on, under a cache rule's `vary` setting
 * (spec/cache-behaviour.md section 4.7): per header it is normalised, taken as it is, or bypasses
 * the cache. Without that setting Vary is ignored, but for its star.
 *
 *     Accept: text/html;level=1, IMAGE/PNG;q=0.9, a/b;q=0   ►  text/html,image/png,a/b;q=0
 *     Accept-Language: de-AT, de;q=0.8, en-GB;q=0.9         ►  de,en
 *
 * Pure. Thread: any. Limits: CACHE_VARY_NAMES_MAX names a response; of one header the first
 * CACHE_VARY_ITEMS_MAX items count. */
#include "cache/request.h"
#include "gateway/base/buf.h"

#define CACHE_VARY_NAMES_MAX 32
#define CACHE_VARY_ITEMS_MAX 100

/* Walks the names in all Vary lines, empty ones left out: start with {.headers = h}. */
struct cache_vary_walk {
    const struct headers *headers;
    size_t at;
    struct gw_str rest;
};
bool cache_vary_next(struct cache_vary_walk *w, struct gw_str *name);

/* `rule` is what the setting of that name came from. */
enum cache_vary_action cache_vary_action_of(const struct cache_settings *rule, struct gw_str name);
/* Appends what of the request's header counts; nothing when it has none. */
void cache_vary_value(const struct cache_settings *rule, const struct headers *request,
                      struct gw_str name, struct gw_buf *out);

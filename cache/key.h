/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The cache key: which requests share one object (spec/cache-behaviour.md sections 2.14, 4.4).
 *
 * The canonical bytes are lines of `name=value`, readable as they stand (`explain` shows them):
 *
 *     zone=0123…  edge=FRA  url=https://example.com/a.css?x=1  origin=…  x-host=…  header:x-t=…
 *
 * one a line. A value cannot forge a line: header values hold no control bytes, hosts, paths and
 * queries no raw line feed (gateway/http refuses them). Every edge has its own cache, so the edge
 * is part of the key. Not in it: method, cookies, body, the visitor's scheme.
 *
 * Pure. Thread: any. Limit: the buffer's; past it the key overflows and the caller must not cache.
 */
#include "cache/request.h"
#include "gateway/base/buf.h"
#include "gateway/base/hash.h"

/* A buffer with this ceiling holds the key of any request within the gateway's own limits (a URL of
 * 16 KiB, a head of 128 KiB, each in the key at most twice). */
#define CACHE_KEY_MAX ((size_t)320 * 1024)

/* Appends the key. */
void cache_key_build(const struct cache_request *request, const struct cache_policy *policy,
                     struct gw_buf *out);
/* True for the headers of section 2.14 whose values are in every key. */
bool cache_key_has(enum header_id id);
static inline struct gw_hash128 cache_key_hash(const struct gw_buf *key)
{
    return gw_hash128(gw_buf_str(key));
}

/* Appends the query as the settings leave it: sorted, filtered or dropped. `sorted` also serves the
 * zone setting that sends the sorted query to the origin. */
void cache_key_query(struct gw_str query, bool sorted, const struct cache_custom_key *custom,
                     struct gw_buf *out);

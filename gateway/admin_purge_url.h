/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Purges one URL: finds the cache keys under which visitors of each edge get it, by the zone's own
 * rules, and removes or invalidates what is stored there (spec/cache-behaviour.md section 5.1).
 *
 * As at Cloudflare the key must be hit exactly: a variant that differs by a header, a country or a
 * device goes only when the request names that header. Both schemes of a URL are purged, because a
 * visitor's scheme is part of the key only where the zone's origin speaks TLS.
 * Thread: worker 0's. Limits: PURGE_HEADERS_MAX headers. */
#include "cache/purge.h"
#include "config/json.h"
#include "gateway/snapshot.h"

#define PURGE_HEADERS_MAX 16

struct purge_scope {
    const struct snapshot *snapshot;
    const struct snapshot_zone *zone;
    struct cache_store *store;
    enum cache_purge_kind kind;
    struct gw_time now;
};

enum purge_url_result {
    PURGE_URL_OK,
    PURGE_URL_MALFORMED,
    PURGE_URL_FOREIGN, /* the host is not of this zone */
};

/* `headers` is an object of strings, or NULL. `check`: only says whether it could. */
enum purge_url_result purge_url(const struct purge_scope *scope, struct gw_str url,
                                const struct json *headers, bool check);

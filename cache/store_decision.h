/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* May this response be stored, for how long and without which fields (spec/cache-behaviour.md
 * sections 1.3, 2.2 to 2.8, 2.12, 4.3)? The tests run in the order of section 1.3; the first that
 * answers decides. The request was eligible; the origin answered anything but a 304 to our own
 * conditional request (freshness.h merges those and then asks here).
 *
 * Pure: `now` is an argument. Thread: any. Limits: CACHE_DROP_MAX fields named in private="…" and
 * no-cache="…"; a response that names more is not stored. */
#include "cache/browser_ttl.h"
#include "cache/lifetime.h"
#include "cache/request.h"
#include "cache/response_rules.h"
#include "cache/status.h"

#define CACHE_DROP_MAX 16

struct cache_response {
    uint16_t status;
    struct gw_str phrase; /* the origin's reason phrase; may be empty */
    const struct headers *headers;
    bool edge_made;    /* an error page of the edge: 520 to 530 */
    bool length_known; /* body_len is what Content-Length announced */
    bool revalidated;  /* headers are those that cache_merge_304 made, status is the stored one;
                          phrase and length are not looked at */
    uint64_t body_len;
    struct cache_ruled ruled; /* what response rules have made of `headers` */
};

struct cache_decision {
    bool store;
    enum cache_status status; /* MISS or EXPIRED when stored, else BYPASS (NONE: edge_made) */
    enum cache_reason reason;
    struct cache_lifetime life; /* all 0 unless stored */
    uint32_t age_s; /* old already when it came, by the origin's Age; 0 under a TTL of ours */
    bool strip_set_cookie;              /* from the stored head and from this client's response */
    struct gw_str drop[CACHE_DROP_MAX]; /* further field names to leave out of the stored head */
    size_t drop_count;
    struct cache_browser browser; /* what hits of the stored object will want, most likely */
};

/* had_object: a stale object is about to be replaced, the status is EXPIRED instead of MISS. The
 * request's Authorization is read from its headers. */
void cache_decide(const struct cache_policy *policy, const struct cache_request *request,
                  const struct cache_response *response, bool had_object, uint64_t now_ms,
                  struct cache_decision *out);

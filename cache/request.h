/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the cache wants to know of a request, and which policy rules it: plain facts that the
 * gateway fills once. All decisions of this room are functions of these two structs, the response
 * and `now`.
 *
 * Owns: nothing, every slice outlives the call. Thread: immutable while in use. */
#include "config/rules/settings.h"
#include "config/zone.h"
#include "gateway/http/headers.h"
#include "gateway/http/method.h"

struct cache_request {
    enum http_method method;
    struct gw_str edge;          /* name of the simulated place: every edge caches for itself */
    struct gw_str host;          /* as the visitor asked: lower case, without port */
    struct gw_str resolved_host; /* name the origin was found by (custom key "host.resolved") */
    struct gw_str path;          /* normalised as the zone says, starts with "/" */
    struct gw_str query;         /* likewise, without "?" */
    struct gw_str country;       /* two letters, upper case (custom key "user.geo") */
    uint16_t port;               /* as the visitor sees it */
    bool origin_https;           /* scheme towards the origin, not the visitor's (section 2.14) */
    bool upgrade;                /* asks to leave HTTP: a WebSocket */
    const struct headers *headers;
};

struct cache_policy {
    const struct config_zone *zone;
    const struct cache_settings_merged *rules; /* of the rules that matched; none matched: all 0 */
    uint64_t object_max; /* bytes of the largest storable body: cache_object_max of store.h */
};

/* Origin Cache Control: always on below Enterprise; there a rule decides, then the zone
 * (section 0). */
bool cache_policy_occ(const struct cache_policy *policy);

/* Every decision of this room has one reason, shown by `explain` and X-Nearedge-Decision. */
#define CACHE_REASONS(X)                                                                           \
    X(METHOD, "only GET and HEAD are cached")                                                      \
    X(DEVELOPMENT_MODE, "development mode is on")                                                  \
    X(UPGRADE, "the request upgrades the connection")                                              \
    X(PORT, "caching is off on this port")                                                         \
    X(RULE_OFF, "a cache rule says cache: false")                                                  \
    X(RULE_ON, "a cache rule says cache: true")                                                    \
    X(LEVEL_BYPASS, "the zone's cache level is bypass")                                            \
    X(LEVEL_BASIC, "cache level basic and a query string")                                         \
    X(EXTENSION, "the file extension is cached by default")                                        \
    X(ROBOTS, "robots.txt is cached by default")                                                   \
    X(NOT_STATIC, "the file extension is not cached by default")                                   \
    X(EDGE_ERROR, "an error page of the edge itself")                                              \
    X(VARY_ALL, "the response says Vary: *")                                                       \
    X(PARTIAL, "a part of a response that was asked for whole")                                    \
    X(TOO_LARGE, "larger than a cached object may be")                                             \
    X(STATUS_NO_STORE, "status_code_ttl forbids storing this status")                              \
    X(STATUS_TTL, "TTL from status_code_ttl")                                                      \
    X(EDGE_TTL, "TTL from edge_ttl override_origin")                                               \
    X(SET_COOKIE, "the response sets a cookie")                                                    \
    X(AUTHORIZATION, "the request had Authorization and the response does not allow sharing")      \
    X(NO_STORE, "the origin says no-store")                                                        \
    X(PRIVATE, "the origin says private")                                                          \
    X(NO_CACHE, "the origin says no-cache")                                                        \
    X(ZERO_TTL, "the origin says max-age=0 and Origin Cache Control is off")                       \
    X(S_MAXAGE, "TTL from s-maxage")                                                               \
    X(MAX_AGE, "TTL from max-age")                                                                 \
    X(EXPIRES, "TTL from Expires")                                                                 \
    X(BYPASS_BY_DEFAULT, "no TTL from the origin and the rule says bypass_by_default")             \
    X(DECEPTION, "cache deception armor: type and extension differ")                               \
    X(VARY_BYPASS, "the vary setting bypasses a header the response varies on")                    \
    X(DEFAULT_TTL, "default TTL of this status")                                                   \
    X(STATUS_UNCACHED, "this status has no default TTL")

#define X(name, text) CACHE_REASON_##name,
enum cache_reason { CACHE_REASON_NONE, CACHE_REASONS(X) };
#undef X

/* One phrase for people; "" for NONE. Static storage. */
struct gw_str cache_reason_text(enum cache_reason reason);

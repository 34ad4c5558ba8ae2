/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What CF-Cache-Status says about a response (spec/cache-behaviour.md section 3). NONE means that
 * the header is absent: the response was made before the cache was asked (a redirect, a refusal, a
 * Worker, an error page of the edge's own). Thread: any; names are static. */
#include "gateway/base/str.h"

#define CACHE_STATUSES(X)                                                                          \
    X(NONE, "")                   /* never saw the cache */                                        \
    X(HIT, "HIT")                 /* served from a fresh object, also a 304, 206 or 416 of it */   \
    X(MISS, "MISS")               /* no usable object; the response was fit to be stored */        \
    X(EXPIRED, "EXPIRED")         /* a stale object was replaced by a full response */             \
    X(REVALIDATED, "REVALIDATED") /* a stale object was confirmed by a 304 */                      \
    X(UPDATING, "UPDATING")       /* stale, served while it is refreshed in the background */      \
    X(STALE, "STALE")             /* stale, served because the origin fails */                     \
    X(BYPASS, "BYPASS")           /* eligible, but the response may not be stored */               \
    X(DYNAMIC, "DYNAMIC")         /* not eligible: the cache was not asked */

#define X(name, text) CACHE_STATUS_##name,
enum cache_status { CACHE_STATUSES(X) };
#undef X

/* Empty for NONE. Static storage. */
struct gw_str cache_status_name(enum cache_status status);
/* False on BYPASS, DYNAMIC and NONE: on those a browser TTL has no say (section 2.18). */
bool cache_status_is_cached(enum cache_status status);
/* True when the body comes from an object stored earlier and Age is sent (section 2.16). */
bool cache_status_has_age(enum cache_status status);

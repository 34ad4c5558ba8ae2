/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The head of the request to the origin, built anew from parsed parts: nothing of the client's
 * bytes is copied through unseen (spec/cache-behaviour.md section 7.1). Thread: the worker's. */
#include "cache/freshness.h"
#include "gateway/exchange.h"

enum origin_request_kind {
    ORIGIN_PASS, /* the client's own request: method, conditions, Range and body as they came */
    ORIGIN_FILL, /* GET of the whole object for the cache, whatever part or condition the client
                    asked for */
};

/* Starts the request; its events go to `events`. validators is for a FILL that may be answered by
 * 304, or NULL. */
struct upstream_request *origin_request_start(struct exchange *x, enum origin_request_kind kind,
                                              const struct cache_validators *validators,
                                              const struct upstream_events *events, void *ctx);

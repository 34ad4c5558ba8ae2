/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The origin side of a cache fill that one exchange leads: asks the origin (a conditional request
 * when a stale object is there), decides about the answer, and feeds the fill. It lives as long as
 * the origin's answer takes, which may be longer than the exchange:
 *
 *   - until the answer's head it holds the exchange, whose facts it needs: a client that leaves
 *     before ends it, unless it refreshes in the background (spec/cache-behaviour.md section 2.15);
 *   - a storable answer is fed to the fill until it ends, with or without its exchange;
 *   - an answer that may not be stored goes to the exchange, which takes the upstream request over.
 *
 * After the head the exchange hears of it through the fill alone. Thread: the worker's. Owns:
 * itself, its fill reference and upstream request. */
#include "gateway/exchange.h"

struct fetch;

/* Starts for x->cache.fill; x->fetch is set until the answer's head is decided. background: the
 * client is served a stale object meanwhile. */
void fetch_start(struct exchange *x, bool background);
/* The exchange ends. */
void fetch_client_gone(struct fetch *f);
/* The worker ends: fetches that go on without a client are given up. */
void fetch_stop_all(struct worker *worker);

/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* How an exchange holds on to the cache: its object, its fill and reader, and notifications that
 * may come from other workers' threads.
 *
 * A notification posts one task to the exchange's loop. Between the post and the task's run the
 * exchange must not be freed: exchange_cache_pending says so, and the driver then leaves the
 * freeing to the task. Thread: the worker's. */
#include "gateway/exchange.h"

/* What cache and rules know of the request, from what NORMALISE and RULES found. */
void exchange_cache_facts(struct exchange *x);
/* The WAIT of a step that watches the fill: true when it must wait, false when something changed
 * since x->cache.version was read. */
GW_MUST bool exchange_cache_wait(struct exchange *x);
/* Drops fill, reader and waiter; the object stays. */
void exchange_cache_leave_fill(struct exchange *x);
/* The fill is over and its object whole: delivers from that one, and leaves the fill. */
void exchange_cache_take_whole(struct exchange *x);
/* Drops everything. */
void exchange_cache_release(struct exchange *x);
bool exchange_cache_pending(const struct exchange *x);

/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The Workers rate limiting binding (spec/limiter.md b4): one counter for each edge, which every
 * machine there (an isolate, here) knows late. A call is judged at once, by what the edge was told
 * so far plus what the machine itself has let pass and not told yet; it tells of each admission
 * BINDING_LAG_MS later. So a burst that meets one machine is counted exactly, and several machines
 * together let through what the others have not heard of: about rate * lag more.
 *
 * This file holds what machines believe; the counters are ordinary windows under the storage key of
 * the edge. How late Cloudflare's machines are is not published ("asynchronously"); the lag is a
 * guess below a second.
 *
 * Thread: any. Owns: copies of the keys. Limits: BINDING_KEYS_MAX edges' keys and as many
 * machines'.
 */
#include "limiter/shards.h"
#include "limiter/window.h"

#define BINDING_LAG_MS   250
#define BINDING_KEYS_MAX ((size_t)1 << 17)

struct binding;

struct binding *binding_new(void);
void binding_free(struct binding *b);

struct binding_ask {
    struct gw_str edge, machine; /* storage keys: of the edge's counter, and with the isolate */
    struct window_rule rule;
    uint64_t now_ms; /* of the call */
};
/* *after is the window as the machine believes it to be. True: admitted, the counter is to be told.
 */
GW_MUST bool binding_take(struct binding *b, const struct binding_ask *ask, struct window *after);
/* Does the machine still have something to tell? Not after a reset: what it knew is forgotten. */
bool binding_has_news(struct binding *b, const struct binding_ask *ask);
/* The admission of `ask` was told, and this is how the counter stands. */
void binding_told(struct binding *b, const struct binding_ask *ask, const struct window *counter);
/* The storage keys of machines; as shards_visit. */
void binding_visit(struct binding *b,
                   bool (*visit)(void *ctx, struct gw_str machine, const void *record), void *ctx);
/* After the counter of an edge was reset: nobody knows anything of it. */
void binding_forget(struct binding *b, struct gw_str edge);

/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Store semantics: who shares a counter with whom. They are expressed in the storage key alone, so
 * that every backend is a plain map from key to window and knows nothing of stores.
 *
 *     rl:<name>:<key>                    durable_object, kv: one in the world; the app's form
 *     rl:<name>@<EDGE>.<isolate>:<key>   memory: one counter for each edge and isolate
 *     rl:<name>@<EDGE>.0:<key>           binding: one counter for each edge
 *     do:<name>:<key>                    how loaded a Durable Object is; no limiter's counter
 *     rl:<name>~<store>…                 the same for what judges beside the limiter (compare.h)
 *
 * Names hold neither ':' nor '@' nor '~' (policy.h), so the forms never meet. Thread: any. */
#include "limiter/limiter.h"

#define STORAGE_KEY_MAX  (LIMITER_KEY_MAX + LIMITER_NAME_MAX + 64)
#define STORAGE_NAME_MAX (LIMITER_NAME_MAX + 2)
#define STORAGE_EDGE_MAX 32 /* longer edge names are cut; Cloudflare's have three letters */

static inline bool store_is_placed(enum limiter_store store)
{
    return store == LIMITER_MEMORY || store == LIMITER_BINDING;
}

/* The storage key of an ask, in `out`. */
struct gw_str storage_key(const struct limiter_ask *ask, char out[STORAGE_KEY_MAX]);
/* Of an ask of a durable_object limiter: where the object's load is counted. */
struct gw_str load_key(const struct limiter_ask *ask, char out[STORAGE_KEY_MAX]);
/* The storage key from its parts; place NULL: the form without a place. */
struct gw_str storage_key_of(struct gw_str name, const struct limiter_place *place,
                             struct gw_str key, char out[STORAGE_KEY_MAX]);

/* What a store that judges beside limiter `name` is called: "aiGenerate~k". */
struct gw_str shadow_name(struct gw_str name, enum limiter_store store, char out[STORAGE_NAME_MAX]);

/* Reads a storage key of limiter `name` back into place and logical key; false when it belongs to
 * another limiter or is none of ours. The place's edge is empty in the form without one. */
GW_MUST bool storage_key_split(struct gw_str storage, struct gw_str name,
                               struct limiter_place *place, struct gw_str *key);

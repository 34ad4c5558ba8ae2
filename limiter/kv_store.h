/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Workers KV in this process: the central store (kv_key.h), and the copies that edges keep of what
 * they have read or written. With the redis backend the central store is there, for all processes;
 * the copies are always here, shared by all workers, because an edge is one place.
 *
 * A copy is kept for cache_ttl from the read or write that made it, "no such key" too unless
 * negative_cache is off; meanwhile the edge does not look at the central store. That Cloudflare
 * refreshes the copies of popular keys early is left out: it would blur what is to be seen here.
 *
 * Thread: any. Owns: copies of the keys. Limits: KV_KEYS_MAX keys and KV_COPIES_MAX copies; what
 * ends soonest gives way. */
#include "limiter/kv_key.h"

#define KV_KEYS_MAX   ((size_t)1 << 17)
#define KV_COPIES_MAX ((size_t)1 << 18)

struct kv_store;

struct kv_store *kv_store_new(void);
void kv_store_free(struct kv_store *kv);

/* ---- an edge's copies; a zeroed value is "no such key" ---- */

/* Asked before the central store is read or written, here or in Redis: what was learnt there before
 * a key was forgotten is no longer kept afterwards, or it would outlive the reset. */
uint64_t kv_copy_epoch(const struct kv_store *kv);
GW_MUST bool kv_copy_find(struct kv_store *kv, struct gw_str edge, struct gw_str key,
                          uint64_t at_ms, struct window *value);
struct kv_copy {
    uint64_t due_ms; /* no longer fresh */
    struct window value;
};
void kv_copy_keep(struct kv_store *kv, struct gw_str edge, struct gw_str key,
                  const struct kv_copy *copy, uint64_t epoch, uint64_t at_ms);

/* ---- the central store: kv_key_read and kv_key_write under a lock ---- */

struct window kv_store_read(struct kv_store *kv, struct gw_str key, uint64_t place, uint64_t at_ms);
GW_MUST bool kv_store_write(struct kv_store *kv, struct gw_str key,
                            const struct kv_settings *settings, const struct kv_write *write,
                            uint64_t *next_ms);

/* Forgets the key, centrally and at all edges; whether it was in the central store. */
bool kv_store_forget(struct kv_store *kv, struct gw_str key);
/* The newest value of each key, until `visit` says false; as shards_visit. */
void kv_store_visit(struct kv_store *kv,
                    bool (*visit)(void *ctx, struct gw_str key, const struct window *newest),
                    void *ctx);
/* Adds to both; copies do not count. */
void kv_store_count(struct kv_store *kv, uint64_t *keys, uint64_t *evictions);

/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* One key of Workers KV as the central store holds it (spec/limiter.md b1): the versions that were
 * written, which place sees which, and how often it may be written.
 *
 *   - The newest version that a place can see is its value: last write wins, nothing is added up.
 *   - A version is seen at once by the place that wrote it and by the others from its visible_ms
 *     on: propagation_ms after the write at the earliest, up to half as long again.
 *   - Writes are limited. strict: at most N in the second that the first of them opens.
 *     token_bucket: N a second, and KV_BURST_S seconds' worth of them at once. How strict
 * Cloudflare is was never published.
 *
 * The delay of a write is drawn from the seed, the key and the instant, not from a running
 * sequence: then the draws do not depend on which thread came first, and the same seed is the same
 * run with any number of workers and processes.
 *
 * What an edge keeps of it is in kv_store.h. The app's side (what it writes, and when it tries
 * again) is in decision_kv.c. backend_redis_script.h says the same as this file in Lua.
 *
 * Thread: none, the caller serialises. Time: `at_ms`, the simulated instant. Limits: KV_VERSIONS
 * versions: writes that follow each other within 1/KV_SPANS of the propagation share one, so that
 * the others see them later by that much, never earlier. */
#include "config/sections.h"
#include "limiter/policy.h"
#include "limiter/window.h"

#define KV_SPANS    8
#define KV_VERSIONS 14 /* under way for 1.5 times the propagation, one begun, one that all see */
#define KV_BURST_S  10
#define KV_KEY_MAX  512 /* bytes */
#define KV_TTL_MIN  60  /* seconds */

/* The settings of the configuration with those of the limiter over them. */
struct kv_settings {
    uint64_t cache_ttl_ms, read_ms, write_ms, propagation_ms;
    enum config_kv_write_limit write_limit;
    uint32_t writes_per_second, seed;
    bool negative_cache, clamp_ttl;
};
struct kv_settings kv_settings_of(const struct config_limiter *settings, const struct limiter *own);

struct kv_version {
    struct window value;
    uint64_t opened_ms, visible_ms;
    uint64_t place; /* that wrote it last */
};

struct kv_key {           /* zeroed: no such key, never written. A record for table.h */
    uint64_t due_ms;      /* nobody can tell it from a zeroed one any more */
    struct window second; /* strict: the writes of a second */
    uint64_t bucket_us;   /* token_bucket: when it will be full again */
    uint32_t count;
    struct kv_version versions[KV_VERSIONS]; /* oldest first */
};

struct kv_write {
    uint64_t place; /* equal for equal edges, see kv_place */
    uint64_t at_ms;
    struct window value;
    uint32_t ttl_s;
    uint64_t delay_ms; /* until others see it, see kv_delay_ms */
};

/* What a place is called in versions; the same in every process. */
uint64_t kv_place(struct gw_str edge);
uint64_t kv_delay_ms(const struct kv_settings *settings, struct gw_str key, uint64_t at_ms);

/* The value that the place sees; zeroed when there is none. */
struct window kv_key_read(const struct kv_key *k, uint64_t place, uint64_t at_ms);
/* The newest one, for lists. */
struct window kv_key_newest(const struct kv_key *k);
/* False: one write too many; *next_ms is when one would be taken. */
GW_MUST bool kv_key_write(struct kv_key *k, const struct kv_settings *settings,
                          const struct kv_write *write, uint64_t *next_ms);

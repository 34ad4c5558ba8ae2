/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A bounded map from storage key to window: one shard of the embedded backend, and a worker's
 * memory of refusals.
 *
 * Open addressing with linear probing and backward-shift deletion (no tombstones), beside it a
 * binary heap ordered by reset_at. Each insertion drops up to two expired entries, so memory
 * follows the live keys without a sweep that would make anybody wait; a full table gives up what
 * resets soonest, which loses the least. A hit touches one slot and one entry, allocates nothing
 * and leaves the heap alone. A timing wheel was the alternative; it cannot name the soonest entry.
 *
 * Cost: 24 to 48 bytes of slot, 8 to 16 of heap and one allocation of 24 bytes and the key: about
 * 120 bytes for a usual key. Thread: one at a time. Owns: copies of the keys. Limits: `max`
 * entries. */
#include "gateway/base/hash.h"
#include "limiter/window.h"

struct table_slot;
struct table_entry;

struct table {
    struct table_slot *slots; /* power of two, at most 2/3 full */
    struct table_entry **heap;
    size_t cap, heap_cap, count, max;
    uint64_t evictions; /* entries given up before their reset */
};

struct table_key {
    struct gw_str text;
    uint64_t hash; /* gw_hash(text) */
};

static inline struct table_key table_key(struct gw_str text)
{
    return (struct table_key){text, gw_hash(text)};
}

void table_init(struct table *t, size_t max);
void table_release(struct table *t);

/* window_take on the key's window, opened if need be; *after is the window as it then stands. */
GW_MUST uint32_t table_take(struct table *t, struct table_key key, struct window_rule rule,
                            uint32_t cost, uint64_t now_ms, struct window *after);
/* NULL when absent; valid until the next call that changes the table. */
const struct window *table_find(const struct table *t, struct table_key key);
/* Adds or replaces; now_ms says what may be dropped as expired. */
void table_put(struct table *t, struct table_key key, const struct window *w, uint64_t now_ms);
/* Whether it was there. */
bool table_del(struct table *t, struct table_key key);
void table_clear(struct table *t);

/* All entries, in no order, until `visit` says false; it must not change the table. */
void table_visit(const struct table *t,
                 bool (*visit)(void *ctx, struct gw_str key, const struct window *w), void *ctx);

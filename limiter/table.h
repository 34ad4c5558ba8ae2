/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A bounded map from storage key to a record that says when it ends: windows (a shard of the
 * embedded backend, a worker's memory of refusals), values of KV, copies at an edge.
 *
 * A record is a struct of fixed size whose first member is a uint64_t: the instant from which it
 * means nothing any more. struct window is one: its reset_at_ms stands first.
 *
 * Open addressing with linear probing and backward-shift deletion (no tombstones), beside it a
 * binary heap ordered by that instant. Each insertion drops up to two records that have ended, so
 * memory follows the live keys without a sweep that would make anybody wait; a full table gives up
 * what ends soonest, which loses the least. A hit touches one slot and one entry, allocates nothing
 * and leaves the heap alone. A timing wheel was the alternative; it cannot name the soonest entry.
 *
 * Cost: 24 to 48 bytes of slot, 8 to 16 of heap and one allocation of 8 bytes, the record and the
 * key: about 120 bytes for a window under a usual key. Thread: one at a time. Owns: copies of the
 * keys. Limits: `max` entries. */
#include "gateway/base/hash.h"
#include "limiter/window.h"

struct table_slot;
struct table_entry;

struct table {
    struct table_slot *slots; /* power of two, at most 2/3 full */
    struct table_entry **heap;
    size_t cap, heap_cap, count, max;
    size_t record_size;
    uint64_t evictions; /* entries given up before their end */
};

struct table_key {
    struct gw_str text;
    uint64_t hash; /* gw_hash(text) */
};

static inline struct table_key table_key(struct gw_str text)
{
    return (struct table_key){text, gw_hash(text)};
}

/* record_size: a multiple of 8. */
void table_init_records(struct table *t, size_t max, size_t record_size);
static inline void table_init(struct table *t, size_t max)
{
    table_init_records(t, max, sizeof(struct window));
}
void table_release(struct table *t);

/* NULL when absent. What is found lives until the next call that changes the table. */
void *table_find(const struct table *t, struct table_key key);
/* The same, but a zeroed record is added when there is none; now_ms says what may be dropped. When
 * the record's instant was changed, or it is new, table_settle follows. */
void *table_open(struct table *t, struct table_key key, uint64_t now_ms);
void table_settle(struct table *t, void *record);

/* Of windows: window_take on the key's, opened if need be; *after is how it then stands. */
GW_MUST uint32_t table_take(struct table *t, struct table_key key, struct window_rule rule,
                            uint32_t cost, uint64_t now_ms, struct window *after);
/* Adds or replaces a record. */
void table_put(struct table *t, struct table_key key, const void *record, uint64_t now_ms);
/* Whether it was there. */
bool table_del(struct table *t, struct table_key key);
/* Removes all that match. */
void table_del_where(struct table *t,
                     bool (*matches)(void *ctx, struct gw_str key, const void *record), void *ctx);
void table_clear(struct table *t);

/* All entries, in no order, until `visit` says false; it must not change the table. */
void table_visit(const struct table *t,
                 bool (*visit)(void *ctx, struct gw_str key, const void *record), void *ctx);

/* SPDX-License-Identifier: Apache-2.0 */
#include "limiter/table.h"

#define CAP_MIN            16
#define EXPIRED_PER_INSERT 2 /* more than one: a flood of one-time keys must not outrun it */

/* The record follows, then the key. */
struct table_entry {
    uint32_t heap_at; /* its place in the heap */
    uint32_t key_len;
    uint64_t record[]; /* record[0] is the instant of its end */
};

struct table_slot {
    uint64_t hash;
    struct table_entry *entry; /* NULL: free */
};

void table_init_records(struct table *t, size_t max, size_t record_size)
{
    *t = (struct table){.max = max ? max : 1, .record_size = record_size};
}

void table_release(struct table *t)
{
    table_clear(t);
    free(t->slots);
    free(t->heap);
    table_init_records(t, t->max, t->record_size);
}

void table_clear(struct table *t)
{
    for (size_t i = 0; i < t->count; i++)
        free(t->heap[i]);
    if (t->cap)
        memset(t->slots, 0, t->cap * sizeof(*t->slots));
    t->count = 0;
}

/* ---- the heap: the parent of i is (i - 1) / 2 and ends no later ---- */

static void heap_set(struct table *t, size_t at, struct table_entry *entry)
{
    t->heap[at] = entry;
    entry->heap_at = (uint32_t)at;
}

static void heap_up(struct table *t, size_t at, struct table_entry *entry)
{
    while (at > 0) {
        struct table_entry *parent = t->heap[(at - 1) / 2];
        if (parent->record[0] <= entry->record[0])
            break;
        heap_set(t, at, parent);
        at = (at - 1) / 2;
    }
    heap_set(t, at, entry);
}

static void heap_down(struct table *t, size_t at, struct table_entry *entry)
{
    for (size_t child; (child = 2 * at + 1) < t->count; at = child) {
        if (child + 1 < t->count && t->heap[child + 1]->record[0] < t->heap[child]->record[0])
            child++;
        if (entry->record[0] <= t->heap[child]->record[0])
            break;
        heap_set(t, at, t->heap[child]);
    }
    heap_set(t, at, entry);
}

/* The entry's end moved either way. */
static void heap_fix(struct table *t, struct table_entry *entry)
{
    heap_up(t, entry->heap_at, entry);
    heap_down(t, entry->heap_at, entry);
}

/* ---- slots ---- */

static char *key_at(const struct table *t, const struct table_entry *e)
{
    return (char *)(uintptr_t)e->record + t->record_size;
}

static struct gw_str key_of(const struct table *t, const struct table_entry *e)
{
    return gw_str(key_at(t, e), e->key_len);
}

static bool slot_is(const struct table *t, const struct table_slot *slot, struct table_key key)
{
    return slot->hash == key.hash && gw_str_eq(key_of(t, slot->entry), key.text);
}

/* The slot of the key, or the free slot where it belongs. The table has at least one free slot. */
static struct table_slot *probe(const struct table *t, struct table_key key)
{
    size_t at = key.hash & (t->cap - 1);
    while (t->slots[at].entry && !slot_is(t, &t->slots[at], key))
        at = (at + 1) & (t->cap - 1);
    return &t->slots[at];
}

static struct table_entry *find(const struct table *t, struct table_key key)
{
    return t->cap ? probe(t, key)->entry : NULL;
}

/* Closes the gap: every entry behind it that probed across it moves back. */
static void free_slot(struct table *t, size_t gap)
{
    size_t mask = t->cap - 1;
    for (size_t at = (gap + 1) & mask; t->slots[at].entry; at = (at + 1) & mask) {
        size_t home = t->slots[at].hash & mask;
        if (((at - home) & mask) < ((at - gap) & mask))
            continue;
        t->slots[gap] = t->slots[at];
        gap = at;
    }
    t->slots[gap].entry = NULL;
}

static void drop(struct table *t, struct table_slot *slot)
{
    struct table_entry *entry = slot->entry, *last = t->heap[--t->count];
    free_slot(t, (size_t)(slot - t->slots));
    if (last != entry) {
        heap_set(t, entry->heap_at, last);
        heap_fix(t, last);
    }
    free(entry);
}

static void drop_soonest(struct table *t)
{
    drop(t, probe(t, table_key(key_of(t, t->heap[0]))));
}

static void grow(struct table *t)
{
    struct table_slot *old = t->slots;
    size_t old_cap = t->cap;
    t->cap = old_cap ? old_cap * 2 : CAP_MIN;
    t->slots = gw_zalloc(t->cap * sizeof(*t->slots));
    for (size_t i = 0; i < old_cap; i++) {
        if (!old[i].entry)
            continue;
        size_t at = old[i].hash & (t->cap - 1);
        while (t->slots[at].entry)
            at = (at + 1) & (t->cap - 1);
        t->slots[at] = old[i];
    }
    free(old);
}

static void make_room(struct table *t, uint64_t now_ms)
{
    for (int i = 0; i < EXPIRED_PER_INSERT && t->count; i++)
        if (t->heap[0]->record[0] <= now_ms)
            drop_soonest(t);
    /* A full table gives up the window that would have opened anew first: the visitor it belonged
     * to gains the least. */
    if (t->count == t->max) {
        drop_soonest(t);
        t->evictions++;
    }
    if ((t->count + 1) * 3 > t->cap * 2)
        grow(t);
    if (t->count == t->heap_cap) {
        t->heap_cap = t->heap_cap ? t->heap_cap + t->heap_cap / 2 : CAP_MIN;
        t->heap = gw_realloc(t->heap, t->heap_cap * sizeof(struct table_entry *));
    }
}

/* record NULL: a zeroed one. */
static struct table_entry *insert(struct table *t, struct table_key key, const void *record,
                                  uint64_t now_ms)
{
    make_room(t, now_ms);
    struct table_entry *entry = gw_alloc(sizeof(*entry) + t->record_size + key.text.len);
    if (record)
        memcpy(entry->record, record, t->record_size);
    else
        memset(entry->record, 0, t->record_size);
    entry->key_len = (uint32_t)key.text.len;
    if (key.text.len)
        memcpy(key_at(t, entry), key.text.ptr, key.text.len);
    *probe(t, key) = (struct table_slot){key.hash, entry};
    t->count++;
    heap_up(t, t->count - 1, entry);
    return entry;
}

/* ---- operations ---- */

uint32_t table_take(struct table *t, struct table_key key, struct window_rule rule, uint32_t cost,
                    uint64_t now_ms, struct window *after)
{
    struct table_entry *entry = find(t, key);
    /* The window is opened before its entry is made, so that the heap gets it with the instant it
     * ends. */
    if (!entry) {
        *after = (struct window){0};
        uint32_t granted = window_take(after, rule, cost, now_ms);
        insert(t, key, after, now_ms);
        return granted;
    }
    struct window *w = (struct window *)entry->record;
    uint64_t reset_at_ms = w->reset_at_ms;
    uint32_t granted = window_take(w, rule, cost, now_ms);
    if (w->reset_at_ms != reset_at_ms)
        heap_fix(t, entry);
    *after = *w;
    return granted;
}

void *table_find(const struct table *t, struct table_key key)
{
    struct table_entry *entry = find(t, key);
    return entry ? entry->record : NULL;
}

void *table_open(struct table *t, struct table_key key, uint64_t now_ms)
{
    struct table_entry *entry = find(t, key);
    return entry ? entry->record : insert(t, key, NULL, now_ms)->record;
}

void table_settle(struct table *t, void *record)
{
    heap_fix(t, gw_container_of(record, struct table_entry, record));
}

void table_put(struct table *t, struct table_key key, const void *record, uint64_t now_ms)
{
    struct table_entry *entry = find(t, key);
    if (!entry) {
        insert(t, key, record, now_ms);
        return;
    }
    memcpy(entry->record, record, t->record_size);
    heap_fix(t, entry);
}

bool table_del(struct table *t, struct table_key key)
{
    if (!find(t, key))
        return false;
    drop(t, probe(t, key));
    return true;
}

/* By slots, not by the heap: what moves into a gap was not looked at yet, or (around the end) may
 * be looked at twice. */
void table_del_where(struct table *t,
                     bool (*matches)(void *ctx, struct gw_str key, const void *record), void *ctx)
{
    for (size_t at = 0; at < t->cap;) {
        const struct table_entry *e = t->slots[at].entry;
        if (e && matches(ctx, key_of(t, e), e->record))
            drop(t, &t->slots[at]);
        else
            at++;
    }
}

void table_visit(const struct table *t,
                 bool (*visit)(void *ctx, struct gw_str key, const void *record), void *ctx)
{
    for (size_t i = 0; i < t->count; i++)
        if (!visit(ctx, key_of(t, t->heap[i]), t->heap[i]->record))
            return;
}

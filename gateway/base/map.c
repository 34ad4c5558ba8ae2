/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/base/map.h"

#include "gateway/base/hash.h"

struct gw_map_slot {
    char *key; /* NULL: free */
    size_t key_len;
    uint64_t hash;
    void *value;
};

void gw_map_init(struct gw_map *m)
{
    *m = (struct gw_map){0};
}

void gw_map_release(struct gw_map *m)
{
    for (size_t i = 0; i < m->cap; i++)
        free(m->slots[i].key);
    free(m->slots);
    gw_map_init(m);
}

/* The slot that holds the key, or the free one where it belongs. It ends: a third of all slots is
 * free. */
static struct gw_map_slot *find(const struct gw_map *m, struct gw_str key, uint64_t hash)
{
    for (size_t i = hash;; i++) {
        struct gw_map_slot *slot = &m->slots[i & (m->cap - 1)];
        if (!slot->key || (slot->hash == hash && gw_str_eq(gw_str(slot->key, slot->key_len), key)))
            return slot;
    }
}

static void grow(struct gw_map *m)
{
    struct gw_map old = *m;
    m->cap = old.cap ? old.cap * 2 : 16;
    m->slots = gw_zalloc(m->cap * sizeof(*m->slots));
    for (size_t i = 0; i < old.cap; i++) {
        const struct gw_map_slot *slot = &old.slots[i];
        if (slot->key)
            *find(m, gw_str(slot->key, slot->key_len), slot->hash) = *slot;
    }
    free(old.slots);
}

void *gw_map_get(const struct gw_map *m, struct gw_str key)
{
    return m->count ? find(m, key, gw_hash(key))->value : NULL;
}

void *gw_map_put(struct gw_map *m, struct gw_str key, void *value)
{
    /* Asked before the key is looked for: replacing a value may double the table once, which spares
     * a second search whenever a key is new. */
    if ((m->count + 1) * 3 > m->cap * 2)
        grow(m);
    uint64_t hash = gw_hash(key);
    struct gw_map_slot *slot = find(m, key, hash);
    void *before = slot->value;
    if (!slot->key) {
        *slot = (struct gw_map_slot){gw_str_dupz(key), key.len, hash, NULL};
        m->count++;
    }
    slot->value = value;
    return before;
}

/* Closes the gap by moving later entries of the probe run back (no tombstones). */
static void close_gap(struct gw_map *m, size_t gap)
{
    size_t mask = m->cap - 1;
    for (size_t i = (gap + 1) & mask; m->slots[i].key; i = (i + 1) & mask) {
        size_t home = m->slots[i].hash & mask;
        /* Who is at home between the gap and here stays: in front of its home no search would find
         * it. */
        if (((i - home) & mask) >= ((i - gap) & mask)) {
            m->slots[gap] = m->slots[i];
            gap = i;
        }
    }
    m->slots[gap] = (struct gw_map_slot){0};
}

void *gw_map_del(struct gw_map *m, struct gw_str key)
{
    if (!m->count)
        return NULL;
    struct gw_map_slot *slot = find(m, key, gw_hash(key));
    void *value = slot->value;
    if (!slot->key)
        return NULL;
    free(slot->key);
    m->count--;
    close_gap(m, (size_t)(slot - m->slots));
    return value;
}

bool gw_map_next(const struct gw_map *m, size_t *at, struct gw_str *key, void **value)
{
    while (*at < m->cap) {
        const struct gw_map_slot *slot = &m->slots[(*at)++];
        if (slot->key) {
            *key = gw_str(slot->key, slot->key_len);
            *value = slot->value;
            return true;
        }
    }
    return false;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "config/rules/derive_map.h"

#include "config/rules/pairs.h"
#include "gateway/base/hash.h"

/* A map under construction. Values of one key are chained first and laid out side by side at the
 * end, so that the pairs are read once. */
struct builder {
    struct gw_arena *arena;
    struct rules_entry *entries;
    uint32_t *last;  /* per entry: its newest pair */
    uint32_t *chain; /* per pair: the pair of the same key before it, or itself */
    struct gw_str *values;
    uint32_t *table; /* open addressing: entry index + 1 */
    uint32_t mask;
    uint32_t keys, pairs;
};

static size_t count_pairs(const struct rules_request *r, enum rules_derived map)
{
    struct pairs p;
    struct gw_str name, value;
    size_t count = 0;
    pairs_start(&p, r, map);
    while (pairs_next(&p, &name, &value))
        count++;
    return count;
}

/* Half full at most. Twice as many cells as pairs, though there may be fewer keys: how many is not
 * known before they are read. */
static bool builder_init(struct builder *b, struct gw_arena *arena, size_t pairs)
{
    size_t cells = 4;
    while (cells < 2 * pairs)
        cells *= 2;
    *b = (struct builder){.arena = arena, .mask = (uint32_t)cells - 1};
    b->entries = gw_arena_alloc(arena, pairs * sizeof(*b->entries));
    b->last = gw_arena_alloc(arena, pairs * sizeof(*b->last));
    b->chain = gw_arena_alloc(arena, pairs * sizeof(*b->chain));
    b->values = gw_arena_alloc(arena, pairs * sizeof(*b->values));
    b->table = gw_arena_zalloc(arena, cells * sizeof(*b->table));
    return b->entries && b->last && b->chain && b->values && b->table;
}

static bool lower_key(struct gw_arena *arena, struct gw_str name, struct gw_str *key)
{
    char *text = gw_arena_alloc(arena, name.len + 1);
    if (!text)
        return false;
    for (size_t i = 0; i < name.len; i++)
        text[i] = gw_lower(name.ptr[i]);
    *key = gw_str(text, name.len);
    return true;
}

static bool decoded_key(struct gw_arena *arena, struct gw_str name, struct gw_str *key)
{
    if (gw_str_chr(name, '%') == GW_NPOS) {
        *key = name;
        return true;
    }
    char *text = gw_arena_alloc(arena, name.len + 1);
    if (!text)
        return false;
    size_t len = 0;
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        if (c == '%' && name.len - i > 2 && gw_hex_value(name.ptr[i + 1]) >= 0 &&
            gw_hex_value(name.ptr[i + 2]) >= 0) {
            c = (char)(gw_hex_value(name.ptr[i + 1]) << 4 | gw_hex_value(name.ptr[i + 2]));
            i += 2;
        }
        text[len++] = c;
    }
    *key = gw_str(text, len);
    return true;
}

static bool make_key(struct gw_arena *arena, enum rules_derived map, struct gw_str name,
                     struct gw_str *key)
{
    if (map == RULES_HEADERS || map == RULES_RESPONSE_HEADERS)
        return lower_key(arena, name, key);
    if (map == RULES_COOKIES)
        return decoded_key(arena, name, key);
    *key = name;
    return true;
}

/* The entry of a key, new or known. */
static uint32_t entry_of(struct builder *b, struct gw_str key)
{
    uint32_t cell = (uint32_t)gw_hash(key) & b->mask;
    while (b->table[cell]) {
        uint32_t entry = b->table[cell] - 1;
        if (gw_str_eq(b->entries[entry].key, key))
            return entry;
        cell = (cell + 1) & b->mask;
    }
    b->table[cell] = ++b->keys;
    b->entries[b->keys - 1] =
        (struct rules_entry){.key = key, .value = {.kind = RULES_VALUE_ARRAY}};
    b->last[b->keys - 1] = b->pairs;
    return b->keys - 1;
}

static void add_pair(struct builder *b, struct gw_str key, struct gw_str value)
{
    uint32_t entry = entry_of(b, key);
    b->values[b->pairs] = value;
    b->chain[b->pairs] = b->last[entry];
    b->last[entry] = b->pairs++;
    b->entries[entry].value.count++;
}

static bool lay_out(struct builder *b)
{
    struct rules_value *items = gw_arena_alloc(b->arena, b->pairs * sizeof(*items));
    if (!items)
        return false;
    for (uint32_t entry = 0; entry < b->keys; entry++) {
        struct rules_value *list = &b->entries[entry].value;
        uint32_t pair = b->last[entry];
        for (uint32_t i = list->count; i-- > 0; pair = b->chain[pair])
            items[i] = rules_bytes(b->values[pair]);
        list->items = items;
        items += list->count;
    }
    return true;
}

struct rules_value derive_map(struct rules_request *r, enum rules_derived map)
{
    size_t total = count_pairs(r, map);
    struct builder b;
    if (total == 0)
        return (struct rules_value){.kind = RULES_VALUE_MAP};
    if (!builder_init(&b, r->scratch, total))
        return RULES_NOTHING;
    struct pairs p;
    struct gw_str name, value, key;
    pairs_start(&p, r, map);
    while (pairs_next(&p, &name, &value)) {
        if (!make_key(r->scratch, map, name, &key))
            return RULES_NOTHING;
        add_pair(&b, key, value);
    }
    if (!lay_out(&b))
        return RULES_NOTHING;
    return (struct rules_value){.kind = RULES_VALUE_MAP, .count = b.keys, .entries = b.entries};
}

struct rules_value derive_column(struct rules_request *r, enum rules_derived map, bool values)
{
    size_t total = count_pairs(r, map), at = 0;
    struct rules_value *items = gw_arena_alloc(r->scratch, total * sizeof(*items));
    if (!items)
        return RULES_NOTHING;
    struct pairs p;
    struct gw_str name, value;
    pairs_start(&p, r, map);
    while (at < total && pairs_next(&p, &name, &value))
        items[at++] = rules_bytes(values ? value : name);
    return rules_array(items, at);
}

struct rules_value derive_languages(struct rules_request *r)
{
    const struct gw_str *header =
        r->headers ? headers_get(r->headers, HEADER_ACCEPT_LANGUAGE) : NULL;
    if (!header)
        return rules_array(NULL, 0);
    size_t most = 1, count = 0;
    for (size_t i = 0; i < header->len; i++)
        most += header->ptr[i] == ',';
    struct rules_value *items = gw_arena_alloc(r->scratch, most * sizeof(*items));
    if (!items)
        return RULES_NOTHING;
    struct gw_str rest = *header, item;
    while (gw_str_next(&rest, ',', &item)) {
        struct gw_str tag = gw_str_trim(gw_str_first(item, gw_str_chr(item, ';')));
        if (tag.len)
            items[count++] = rules_bytes(tag);
    }
    return rules_array(items, count);
}

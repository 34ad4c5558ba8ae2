/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Types and values of the Rules language (spec/rules-language.md section 2.3): Bool, Int, Ip,
 * Bytes, and arrays and maps of them, nested.
 *
 * A value borrows everything it points to. Thread: none. */
#include "gateway/base/buf.h"
#include "gateway/base/ip.h"

enum rules_base { RULES_BOOL, RULES_INT, RULES_IP, RULES_BYTES };

/* A base wrapped in `depth` layers. Bit i of `maps` says whether layer i (0: innermost) is a map
 * rather than an array: Map<Array<Bytes>> is {RULES_BYTES, 2, 0b10}. */
struct rules_type {
    uint8_t base; /* enum rules_base */
    uint8_t depth;
    uint8_t maps;
};

#define RULES_DEPTH_MAX         8 /* layers; the grammar cannot nest deeper than 4 */
#define RULES_TYPE(base)        ((struct rules_type){(uint8_t)(base), 0, 0})
#define RULES_ARRAY_OF(base)    ((struct rules_type){(uint8_t)(base), 1, 0})
#define RULES_MULTIMAP_OF(base) ((struct rules_type){(uint8_t)(base), 2, 2})

static inline bool rules_type_eq(struct rules_type a, struct rules_type b)
{
    return a.base == b.base && a.depth == b.depth && a.maps == b.maps;
}
static inline bool rules_type_is(struct rules_type t, enum rules_base base)
{
    return t.depth == 0 && t.base == base;
}
static inline bool rules_type_is_map(struct rules_type t)
{
    return t.depth > 0 && (t.maps >> (t.depth - 1) & 1);
}
static inline bool rules_type_is_array(struct rules_type t)
{
    return t.depth > 0 && !(t.maps >> (t.depth - 1) & 1);
}
/* What an array or map holds; only for depth > 0. */
static inline struct rules_type rules_type_item(struct rules_type t)
{
    t.depth--;
    t.maps &= (uint8_t)((1u << t.depth) - 1);
    return t;
}
static inline struct rules_type rules_type_array(struct rules_type item)
{
    item.depth++;
    return item;
}

#define RULES_TYPE_TEXT_MAX 64
/* "Array<Bytes>", or the engine's debug form "Array(Bytes)"; returns out[RULES_TYPE_TEXT_MAX]. */
const char *rules_type_text(struct rules_type t, bool debug, char *out);

enum rules_kind {
    RULES_MISSING, /* no value: an absent key, an index out of range, a function of such */
    RULES_VALUE_BOOL,
    RULES_VALUE_INT,
    RULES_VALUE_IP,
    RULES_VALUE_BYTES,
    RULES_VALUE_ARRAY,
    RULES_VALUE_MAP,
};

struct rules_value {
    uint8_t kind;   /* enum rules_kind */
    uint32_t count; /* of items or entries */
    union {
        bool b;
        int64_t i;
        const struct gw_ip *ip;
        struct gw_str s;
        const struct rules_value *items;   /* RULES_VALUE_ARRAY */
        const struct rules_entry *entries; /* RULES_VALUE_MAP, in order of first appearance */
    };
};

struct rules_entry {
    struct gw_str key;
    struct rules_value value;
};

#define RULES_NOTHING ((struct rules_value){.kind = RULES_MISSING})

static inline struct rules_value rules_bool(bool b)
{
    return (struct rules_value){.kind = RULES_VALUE_BOOL, .b = b};
}
static inline struct rules_value rules_int(int64_t i)
{
    return (struct rules_value){.kind = RULES_VALUE_INT, .i = i};
}
static inline struct rules_value rules_bytes(struct gw_str s)
{
    return (struct rules_value){.kind = RULES_VALUE_BYTES, .s = s};
}
static inline struct rules_value rules_array(const struct rules_value *items, size_t count)
{
    return (struct rules_value){
        .kind = RULES_VALUE_ARRAY, .count = (uint32_t)count, .items = items};
}

/* Missing when `map` is missing or has no such key. */
struct rules_value rules_map_get(struct rules_value map, struct gw_str key);
/* Appends a value for people to read. */
void rules_value_text(struct rules_value v, struct gw_buf *out);

/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The value side of a compiled expression: a field or a call, and the indexes behind it. Nodes lie
 * in the expression's arena and are immutable after parsing (config/rules/node.h has the logic
 * side). Thread: any. Owns: nothing; the arena does. */
#include "config/rules/derive.h"
#include "config/rules/fields.h"

struct logic;
struct rules_function; /* functions.h */

enum index_kind { INDEX_EACH, INDEX_AT, INDEX_KEY };
struct index {
    uint8_t kind; /* enum index_kind */
    uint32_t at;
    struct rules_key key;
};

enum arg_kind { ARG_LITERAL, ARG_ACCESS, ARG_LOGIC };
struct arg {
    uint8_t kind; /* enum arg_kind */
    struct rules_type type;
    size_t offset, width;
    struct rules_value literal;
    const struct access *access;
    struct logic *logic;
};

struct call {
    const struct rules_function *function;
    struct arg *args;
    size_t count;
    bool mapped; /* the first argument has [*]: applied to each, gives an array */
};

/* How the value is fetched; all but the last are short cuts that prepare.c finds. */
enum access_way {
    ACCESS_TEXT,       /* a slice of the request view */
    ACCESS_DERIVED,    /* a derived text */
    ACCESS_KEY_NTH,    /* map["k"][n] */
    ACCESS_KEY_VALUES, /* map["k"], map["k"][*] */
    ACCESS_WALK,       /* the base value, then index by index */
};
struct access {
    const struct rules_field *field; /* or else: */
    struct call *call;
    struct index *indexes;
    uint8_t index_count, each_count;
    uint8_t way;            /* enum access_way */
    struct rules_type type; /* behind all indexes, of one element */
    size_t offset, width;
};

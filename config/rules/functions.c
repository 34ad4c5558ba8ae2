/* SPDX-License-Identifier: Apache-2.0 */
#include "config/rules/functions.h"

#include "config/rules/functions_run.h"

static const char *check_url_options(const struct arg *arg, size_t i)
{
    for (size_t at = 0; i == 1 && at < arg->literal.s.len; at++) {
        if (arg->literal.s.ptr[at] != 'r' && arg->literal.s.ptr[at] != 'u')
            return "url_decode options are \"r\" and \"u\"";
    }
    return NULL;
}

/* cidr(ip, v4, v6): each literal by its place; cidr6 has the second kind only. */
static const char *check_prefix(const struct arg *arg, size_t i)
{
    int64_t most = i == 1 ? 32 : 128;
    return i > 0 && (arg->literal.i < 1 || arg->literal.i > most)
               ? "prefix length must be 1 to 32 for IPv4, 1 to 128 for IPv6"
               : NULL;
}

static const char *check_prefix6(const struct arg *arg, size_t i)
{
    return check_prefix(arg, i ? 2 : 0);
}

static const char *check_json_key(const struct arg *arg, size_t i)
{
    bool negative = i > 0 && arg->literal.kind == RULES_VALUE_INT && arg->literal.i < 0;
    return negative ? "array positions start at 0" : NULL;
}

static const char *check_split(const struct arg *arg, size_t i)
{
    if (i == 1 && arg->literal.s.len == 0)
        return "the separator cannot be empty";
    return i == 2 && (arg->literal.i < 1 || arg->literal.i > FUNCTION_SPLIT_MAX)
               ? "the limit must be 1 to 128"
               : NULL;
}

/* clang-format off */
#define FIELD(takes)   {NEED_FIELD, (takes)}
#define LITERAL(takes) {NEED_LITERAL, (takes)}
#define EITHER(takes)  {NEED_EITHER, (takes)}
#define BYTES          TAKES_BYTES
#define INT            TAKES_INT
#define ANYTHING       (TAKES_BYTES | TAKES_INT | TAKES_IP | TAKES_BOOL | TAKES_ARRAY | TAKES_MAP)
#define MANY           FUNCTION_ARGS_ANY

/* name, least and most arguments, parameters, result, how */
static const struct rules_function functions[] = {
    {"any", 1, 1, {FIELD(TAKES_BOOLS)}, RULES_BOOL, .run = run_any},
    {"all", 1, 1, {FIELD(TAKES_BOOLS)}, RULES_BOOL, .run = run_all},
    {"starts_with", 2, 2, {FIELD(BYTES), EITHER(BYTES)}, RULES_BOOL, .run = run_starts_with},
    {"ends_with", 2, 2, {FIELD(BYTES), EITHER(BYTES)}, RULES_BOOL, .run = run_ends_with},
    {"lower", 1, 1, {FIELD(BYTES)}, RULES_BYTES, .run = run_lower},
    {"upper", 1, 1, {FIELD(BYTES)}, RULES_BYTES, .run = run_upper},
    {"len", 1, 1, {FIELD(BYTES | TAKES_ARRAY)}, RULES_INT, .run = run_len},
    {"concat", 2, MANY, {EITHER(BYTES | TAKES_ARRAY), EITHER(0)}, GIVES_FIRST, .run = run_concat},
    {"substring", 2, 3, {FIELD(BYTES), LITERAL(INT), LITERAL(INT)}, RULES_BYTES,
     .run = run_substring},
    {"remove_bytes", 2, 2, {FIELD(BYTES), LITERAL(BYTES)}, RULES_BYTES, .run = run_remove_bytes},
    {"url_decode", 1, 2, {FIELD(BYTES), LITERAL(BYTES)}, RULES_BYTES, .run = run_url_decode,
     .check = check_url_options},
    {"lookup_json_string", 2, MANY, {FIELD(BYTES), LITERAL(BYTES | INT)}, RULES_BYTES,
     .run = run_json_string, .check = check_json_key},
    {"lookup_json_integer", 2, MANY, {FIELD(BYTES), LITERAL(BYTES | INT)}, RULES_INT,
     .run = run_json_integer, .check = check_json_key},
    {"has_key", 2, 2, {FIELD(TAKES_MAP), EITHER(BYTES)}, RULES_BOOL, .run = run_has_key},
    {"has_value", 2, 2, {FIELD(TAKES_MAP | TAKES_ARRAY), EITHER(BYTES)}, RULES_BOOL,
     .run = run_has_value},
    {"coalesce", 2, MANY, {EITHER(ANYTHING), EITHER(0)}, GIVES_FIRST, .run = run_coalesce},
    {"cidr", 3, 3, {FIELD(TAKES_IP), LITERAL(INT), LITERAL(INT)}, RULES_IP, .run = run_cidr,
     .check = check_prefix, .where = FUNCTION_IN_RATELIMIT},
    {"cidr6", 2, 2, {FIELD(TAKES_IP), LITERAL(INT)}, RULES_IP, .run = run_cidr6,
     .check = check_prefix6, .where = FUNCTION_IN_RATELIMIT},
    {"decode_base64", 1, 1, {FIELD(BYTES)}, RULES_BYTES, .run = run_decode_base64,
     .where = FUNCTION_IN_RATELIMIT},
    {"split", 3, 3, {FIELD(BYTES), LITERAL(BYTES), LITERAL(INT)}, GIVES_TEXTS, .run = run_split,
     .check = check_split, .where = FUNCTION_IN_RESPONSE},
    {"join", 2, 2, {FIELD(TAKES_TEXTS), EITHER(BYTES)}, RULES_BYTES, .run = run_join,
     .where = FUNCTION_IN_RESPONSE},
};
/* clang-format on */

static const struct {
    const char *name, *where;
} elsewhere[] = {
    {"hash_in_range", "sampling by cf.random_seed is not simulated"},
    {"to_string", "it belongs to rewrite and redirect expressions"},
    {"regex_replace", "it belongs to rewrite and redirect expressions"},
    {"wildcard_replace", "it belongs to rewrite and redirect expressions"},
    {"remove_query_args", "it belongs to URL rewrite expressions"},
    {"uuidv4", "it belongs to rewrite expressions"},
    {"encode_base64", "it belongs to header transform rules"},
    {"sha256", "it belongs to header transform rules"},
    {"is_timed_hmac_valid_v0", "it belongs to custom rules"},
    {"bit_slice", "it belongs to Magic Firewall rules"},
};

const struct rules_function *rules_function_find(struct gw_str name)
{
    for (size_t i = 0; i < GW_COUNT(functions); i++) {
        if (gw_str_eq(gw_str_z(functions[i].name), name))
            return &functions[i];
    }
    return NULL;
}

size_t rules_function_names(const char **names, size_t max)
{
    size_t count = gw_min_size(max, GW_COUNT(functions));
    for (size_t i = 0; i < count; i++)
        names[i] = functions[i].name;
    return count;
}

const char *rules_function_elsewhere(struct gw_str name)
{
    for (size_t i = 0; i < GW_COUNT(elsewhere); i++) {
        if (gw_str_eq(gw_str_z(elsewhere[i].name), name))
            return elsewhere[i].where;
    }
    return NULL;
}

struct rules_type rules_function_type(const struct call *call)
{
    const struct rules_function *f = call->function;
    struct rules_type type = f->gives == GIVES_FIRST   ? call->args[0].type
                             : f->gives == GIVES_TEXTS ? RULES_ARRAY_OF(RULES_BYTES)
                                                       : RULES_TYPE(f->gives);
    return call->mapped ? rules_type_array(type) : type;
}

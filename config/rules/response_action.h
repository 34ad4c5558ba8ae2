/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The actions set_cache_control and set_cache_tags of cache response rules, typed
 * (spec/cache-behaviour.md section 6). Lists and texts live in the ruleset's arena; immutable.
 * Thread: any. Owns: nothing. */
#include "config/rules/settings_values.h"

struct expr;

/* The directives a rule may set, in the order in which they are written. */
#define CACHE_DIRECTIVES(X)                                                                        \
    X(PUBLIC, "public", PLAIN)                                                                     \
    X(PRIVATE, "private", FIELDS)                                                                  \
    X(NO_STORE, "no-store", PLAIN)                                                                 \
    X(NO_CACHE, "no-cache", FIELDS)                                                                \
    X(MAX_AGE, "max-age", SECONDS)                                                                 \
    X(S_MAXAGE, "s-maxage", SECONDS)                                                               \
    X(STALE_WHILE_REVALIDATE, "stale-while-revalidate", SECONDS)                                   \
    X(STALE_IF_ERROR, "stale-if-error", SECONDS)                                                   \
    X(MUST_REVALIDATE, "must-revalidate", PLAIN)                                                   \
    X(PROXY_REVALIDATE, "proxy-revalidate", PLAIN)                                                 \
    X(MUST_UNDERSTAND, "must-understand", PLAIN)                                                   \
    X(NO_TRANSFORM, "no-transform", PLAIN)                                                         \
    X(IMMUTABLE, "immutable", PLAIN)

#define X(id, name, argument) CACHE_DIRECTIVE_##id,
enum cache_directive { CACHE_DIRECTIVES(X) CACHE_DIRECTIVE_COUNT };
#undef X
enum cache_directive_argument {
    CACHE_ARGUMENT_PLAIN,
    CACHE_ARGUMENT_SECONDS, /* a value */
    CACHE_ARGUMENT_FIELDS,  /* perhaps a list of header names */
};

struct cache_directive_info {
    struct gw_str name;
    enum cache_directive_argument argument;
};
extern const struct cache_directive_info cache_directives[CACHE_DIRECTIVE_COUNT];

/* What one rule does to one directive. */
struct cache_directive_change {
    bool given;
    bool remove;
    bool cloudflare_only; /* the header that clients see stays as it is */
    uint32_t seconds;
    struct cache_names fields; /* qualifiers */
};

enum cache_tags_operation { CACHE_TAGS_ADD, CACHE_TAGS_REMOVE, CACHE_TAGS_SET };
struct cache_tags_change {
    enum cache_tags_operation operation;
    struct cache_names values;
    const struct expr *expression; /* gives the values, see expr_value; NULL: they are listed */
};

/* One of the two is not NULL. */
struct cache_response_action {
    const struct cache_directive_change *control; /* by enum cache_directive */
    const struct cache_tags_change *tags;
};

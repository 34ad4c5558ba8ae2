/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The functions of the Rules language: what they take, what they give and where they may be used
 * (spec/rules-language.md section 4). Functions of other phases are known by name only, so that the
 * refusal can say so. Thread: static data. */
#include "config/rules/access.h"

struct eval;

enum arg_need { NEED_FIELD, NEED_LITERAL, NEED_EITHER };

/* What a parameter takes; bits, so that several can be allowed. */
enum {
    TAKES_BYTES = 1,
    TAKES_INT = 2,
    TAKES_IP = 4,
    TAKES_BOOL = 8,
    TAKES_ARRAY = 16, /* of anything */
    TAKES_MAP = 32,
    TAKES_BOOLS = 64,  /* Array<Bool> */
    TAKES_TEXTS = 128, /* Array<Bytes> */
};

struct param {
    uint8_t need;  /* enum arg_need */
    uint8_t takes; /* bits as above; 0: the type of the first argument */
};

#define FUNCTION_ARGS_ANY 255

/* The value for one call; `element` stands for the first argument of a mapped call. */
typedef struct rules_value function_run(struct eval *ev, const struct call *call,
                                        const struct rules_value *element);
/* A further check of a literal argument: NULL, or the reason, static. */
typedef const char *function_check(const struct arg *arg, size_t i);

#define GIVES_FIRST 0xff /* the type of the first argument */
#define GIVES_TEXTS 0xfe /* Array<Bytes> */

/* The phases that have a function. */
enum function_where { FUNCTION_ANYWHERE, FUNCTION_IN_RATELIMIT, FUNCTION_IN_RESPONSE };

struct rules_function {
    const char *name;
    uint8_t least, most;    /* arguments */
    struct param params[3]; /* the last holds for all further arguments */
    uint8_t gives;          /* enum rules_base, GIVES_FIRST or GIVES_TEXTS */
    function_run *run;
    function_check *check; /* or NULL */
    uint8_t where;         /* enum function_where */
};

/* NULL when no function of ours has this name. */
const struct rules_function *rules_function_find(struct gw_str name);
/* At most `max` names; how many. */
size_t rules_function_names(const char **names, size_t max);
/* For a function of Cloudflare that is not ours: where it may be used, else NULL. */
const char *rules_function_elsewhere(struct gw_str name);
/* What a call gives, [*] in its first argument considered. */
struct rules_type rules_function_type(const struct call *call);

/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Evaluation of compiled expressions. Recursion is as deep as the parser's nesting limit allows and
 * no deeper; what text functions and searches cost is taken off one allowance, and when that is
 * used up values read as missing. Thread: the request's. */
#include "config/rules/node.h"

/* Bytes that one evaluation may touch in functions, searches and [*]: well under a millisecond. */
#define EVAL_WORK_MAX (512 * 1024)

struct eval {
    struct rules_request *r;
    int64_t work; /* what is left */
};

/* Of a logic node that is no array. */
bool eval_bool(struct eval *ev, const struct logic *l);

struct bools {
    bool *items;
    size_t count;
};
/* Of a logic node that is an array. */
struct bools eval_bools(struct eval *ev, const struct logic *l);
/* any (want = true) and all (want = false): whether any element equals `want`. Stops early. */
bool eval_has(struct eval *ev, const struct logic *l, bool want);

/* One value, or with [*] the array of all elements. */
struct rules_value eval_access(struct eval *ev, const struct access *a);
/* Argument `i`; for argument 0 of a mapped call the element at hand. */
struct rules_value eval_arg(struct eval *ev, const struct call *call, size_t i,
                            const struct rules_value *element);
bool eval_compare(struct eval *ev, const struct compare *c, struct rules_value left);

/* Scratch memory within the allowance; NULL when either ends. */
static inline void *eval_alloc(struct eval *ev, size_t size)
{
    ev->work -= (int64_t)size;
    return gw_likely(ev->work >= 0) ? gw_arena_alloc(ev->r->scratch, size) : NULL;
}

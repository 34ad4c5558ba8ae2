/* SPDX-License-Identifier: Apache-2.0 */
#include "config/rules/eval.h"

#include "config/rules/functions.h"

/* How an expression becomes true or false: eval_access fetches, compare.c compares, decide joins.
 * "Missing" (spec section 7) is a kind of value and travels as such; it becomes a truth value where
 * it is compared (eval_compare) or counted (any, all). */

/* Applying [*]: every leaf is appended. `items` NULL: they are only counted. */
struct leaves {
    const struct access *access;
    struct rules_value *items;
    size_t count;
};

static struct rules_value step(struct rules_value v, const struct index *index)
{
    if (index->kind == INDEX_KEY)
        return rules_map_get(v, index->key.text);
    bool there = v.kind == RULES_VALUE_ARRAY && index->at < v.count;
    return there ? v.items[index->at] : RULES_NOTHING;
}

/* Recursion is as deep as there are [*] in one access, which the types bound. */
static void collect(struct leaves *leaves, struct rules_value v, size_t from)
{
    const struct access *a = leaves->access;
    for (size_t i = from; i < a->index_count; i++) {
        if (a->indexes[i].kind != INDEX_EACH) {
            v = step(v, &a->indexes[i]);
            continue;
        }
        for (uint32_t at = 0; at < v.count; at++)
            collect(leaves, v.kind == RULES_VALUE_MAP ? v.entries[at].value : v.items[at], i + 1);
        return;
    }
    if (v.kind == RULES_MISSING)
        return;
    if (leaves->items)
        leaves->items[leaves->count] = v;
    leaves->count++;
}

/* lower(h[*]): elements whose result is missing are dropped (section 2.3), which makes the array
 * shorter. */
static struct rules_value run_mapped(struct eval *ev, const struct call *call)
{
    struct rules_value first = eval_access(ev, call->args[0].access);
    if (first.kind == RULES_MISSING)
        return RULES_NOTHING;
    struct rules_value *items = eval_alloc(ev, first.count * sizeof(*items));
    size_t count = 0;
    for (uint32_t i = 0; items && i < first.count; i++) {
        items[count] = call->function->run(ev, call, &first.items[i]);
        count += items[count].kind != RULES_MISSING;
    }
    return items ? rules_array(items, count) : RULES_NOTHING;
}

static struct rules_value base_value(struct eval *ev, const struct access *a)
{
    if (a->field)
        return rules_field_value(a->field, ev->r);
    return a->call->mapped ? run_mapped(ev, a->call) : a->call->function->run(ev, a->call, NULL);
}

static struct rules_value walk_each(struct eval *ev, const struct access *a)
{
    struct rules_value v = base_value(ev, a);
    struct leaves leaves = {.access = a};
    size_t first = 0;
    while (a->indexes[first].kind != INDEX_EACH)
        v = step(v, &a->indexes[first++]);
    /* Only a single [*] at the very end tells "no such array" from "an empty one". */
    bool last = first + 1u == a->index_count;
    if (v.kind == RULES_MISSING && last)
        return RULES_NOTHING;
    if (v.kind == RULES_VALUE_ARRAY && last)
        return v;
    /* Walked twice, first to count: the arena takes nothing back, and the allowance is asked once,
     * for all. */
    collect(&leaves, v, first);
    leaves.items = eval_alloc(ev, leaves.count * sizeof(*leaves.items));
    if (!leaves.items)
        return RULES_NOTHING;
    leaves.count = 0;
    collect(&leaves, v, first);
    return rules_array(leaves.items, leaves.count);
}

static struct rules_value walk(struct eval *ev, const struct access *a)
{
    if (a->each_count)
        return walk_each(ev, a);
    struct rules_value v = base_value(ev, a);
    for (size_t i = 0; i < a->index_count; i++)
        v = step(v, &a->indexes[i]);
    return v;
}

struct rules_value eval_access(struct eval *ev, const struct access *a)
{
    struct gw_str value;
    enum rules_derived slot = a->field ? (enum rules_derived)a->field->at : RULES_DERIVED_COUNT;
    switch ((enum access_way)a->way) {
    case ACCESS_TEXT:
        return rules_bytes(*(const struct gw_str *)((const char *)ev->r + a->field->at));
    case ACCESS_DERIVED:
        return *rules_derive(ev->r, slot);
    case ACCESS_KEY_NTH:
        if (!rules_key_nth(ev->r, slot, &a->indexes[0].key, a->indexes[1].at, &value))
            return RULES_NOTHING;
        return rules_bytes(value);
    case ACCESS_KEY_VALUES:
        return rules_key_values(ev->r, slot, &a->indexes[0].key);
    case ACCESS_WALK:
        break;
    }
    return walk(ev, a);
}

static struct rules_value bools_value(struct eval *ev, struct bools bools)
{
    struct rules_value *items = eval_alloc(ev, bools.count * sizeof(*items));
    if (!items)
        return RULES_NOTHING;
    for (size_t i = 0; i < bools.count; i++)
        items[i] = rules_bool(bools.items[i]);
    return rules_array(items, bools.count);
}

struct rules_value eval_arg(struct eval *ev, const struct call *call, size_t i,
                            const struct rules_value *element)
{
    const struct arg *arg = &call->args[i];
    if (i == 0 && element)
        return *element;
    switch ((enum arg_kind)arg->kind) {
    case ARG_LITERAL:
        return arg->literal;
    case ARG_ACCESS:
        return eval_access(ev, arg->access);
    case ARG_LOGIC:
        break;
    }
    return arg->logic->array ? bools_value(ev, eval_bools(ev, arg->logic))
                             : rules_bool(eval_bool(ev, arg->logic));
}

/* Paths and hosts share their beginnings, so the last byte tells most of them apart. */
static inline bool same(const char *bytes, struct gw_str literal)
{
    size_t last = literal.len - 1;
    return literal.len == 0 ||
           (bytes[last] == literal.ptr[last] && memcmp(bytes, literal.ptr, last) == 0);
}

static inline bool test_text(const struct eval *ev, const struct logic *l)
{
    const struct gw_str *text = (const struct gw_str *)((const char *)ev->r + l->text_at);
    bool fits =
        l->kind == LOGIC_TEXT_EQ ? text->len == l->literal.len : text->len >= l->literal.len;
    return fits && same(text->ptr, l->literal);
}

static bool decide(struct eval *ev, const struct logic *l)
{
    bool odd = false;
    switch ((enum logic_kind)l->kind) {
    case LOGIC_AND:
    case LOGIC_OR:
        for (size_t i = 0; i < l->count; i++) {
            if (eval_bool(ev, l->sorted[i]) == (l->kind == LOGIC_OR))
                return l->kind == LOGIC_OR;
        }
        return l->kind == LOGIC_AND;
    case LOGIC_XOR:
        for (size_t i = 0; i < l->count; i++)
            odd ^= eval_bool(ev, l->items[i]);
        return odd;
    case LOGIC_NOT:
        return !eval_bool(ev, l->inner);
    case LOGIC_COMPARE:
        return eval_compare(ev, l->compare, eval_access(ev, l->compare->left));
    case LOGIC_TEXT_EQ:
    case LOGIC_TEXT_STARTS:
        break;
    }
    return test_text(ev, l);
}

/* A slot is one text that a ruleset has more than once. Known only until expr_share_reset: the
 * facts of a request change between its phases. */
static bool decide_shared(struct eval *ev, const struct logic *l)
{
    uint64_t bit = 1ull << l->slot;
    if (ev->r->shared_known & bit)
        return ev->r->shared_value & bit;
    bool value = decide(ev, l);
    ev->r->shared_known |= bit;
    ev->r->shared_value = value ? ev->r->shared_value | bit : ev->r->shared_value & ~bit;
    return value;
}

bool eval_bool(struct eval *ev, const struct logic *l)
{
    if (l->kind <= LOGIC_TEXT_STARTS)
        return test_text(ev, l);
    return l->slot == LOGIC_UNSHARED ? decide(ev, l) : decide_shared(ev, l);
}

/* The elements that a comparison with [*], or an array of Bool standing alone, speaks of. */
static struct rules_value elements(struct eval *ev, const struct compare *c)
{
    struct rules_value v = eval_access(ev, c->left);
    return v.kind == RULES_VALUE_ARRAY ? v : rules_array(NULL, 0);
}

/* Out of memory or allowance there are no elements: any() is false then and all() true, as over a
 * missing header. */
static struct bools compare_bools(struct eval *ev, const struct compare *c)
{
    struct rules_value v = elements(ev, c);
    struct bools out = {eval_alloc(ev, v.count), 0};
    while (out.items && out.count < v.count) {
        out.items[out.count] = eval_compare(ev, c, v.items[out.count]);
        out.count++;
    }
    return out;
}

/* Element by element, cut to the shorter side (section 2.3). All parts are evaluated: an element
 * that is settled says nothing about its neighbours. */
struct bools eval_bools(struct eval *ev, const struct logic *l)
{
    if (logic_is_compare(l->kind))
        return compare_bools(ev, l->compare);
    struct bools out = eval_bools(ev, l->kind == LOGIC_NOT ? l->inner : l->items[0]);
    if (l->kind == LOGIC_NOT) {
        for (size_t i = 0; i < out.count; i++)
            out.items[i] = !out.items[i];
        return out;
    }
    for (size_t n = 1; n < l->count; n++) {
        struct bools next = eval_bools(ev, l->items[n]);
        out.count = gw_min_size(out.count, next.count);
        for (size_t i = 0; i < out.count; i++) {
            if (l->kind == LOGIC_AND)
                out.items[i] = out.items[i] && next.items[i];
            else if (l->kind == LOGIC_OR)
                out.items[i] = out.items[i] || next.items[i];
            else
                out.items[i] ^= next.items[i];
        }
    }
    return out;
}

bool eval_has(struct eval *ev, const struct logic *l, bool want)
{
    if (logic_is_compare(l->kind)) {
        struct rules_value v = elements(ev, l->compare);
        for (uint32_t i = 0; i < v.count; i++) {
            if (eval_compare(ev, l->compare, v.items[i]) == want)
                return true;
        }
        return false;
    }
    struct bools bools = eval_bools(ev, l);
    return bools.count && memchr(bools.items, want, bools.count);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "config/rules/relate.h"

#include "config/rules/functions.h"

/* Both relations try each part of one side with each of the other, and so does what is inside: the
 * work multiplies with the depth. */
static bool may_go_on(struct relate *r)
{
    return ++r->steps < RELATE_STEPS_MAX;
}

/* Every item of a set may be tried on the other side. */
static bool may_compare(struct relate *r, const struct logic *a, const struct logic *b)
{
    if (!logic_is_compare(a->kind) || !logic_is_compare(b->kind))
        return false;
    r->steps += (unsigned)(a->compare->set_count + b->compare->set_count);
    return true;
}

static bool is_true(const struct logic *l)
{
    return logic_is_compare(l->kind) && l->compare->op == COMPARE_TRUE && l->compare->left->field &&
           l->compare->left->field->source == FIELD_TRUE;
}

/* The comparison inside any( … ) or all( … ), when there is just one. */
static const struct compare *quantified(const struct compare *c, function_run **how)
{
    const struct call *call = c->left->call;
    if (c->op != COMPARE_TRUE || !call || call->mapped || call->count != 1 ||
        call->args[0].kind != ARG_LOGIC || !logic_is_compare(call->args[0].logic->kind))
        return NULL;
    *how = call->function->run;
    return call->args[0].logic->compare;
}

/* any(x[*] eq "a") implies any(x[*] in {"a" "b"}), and so with all: item by item. */
static bool leaf_implies(const struct compare *a, const struct compare *b)
{
    function_run *how_a = NULL, *how_b = NULL;
    const struct compare *x = quantified(a, &how_a), *y = quantified(b, &how_b);
    if (x && y)
        return how_a == how_b && relate_compare_implies(x, y);
    return relate_compare_implies(a, b);
}

enum quantity { ANY_ITEM, ALL_ITEMS };

typedef bool relate_fn(struct relate *r, const struct logic *a, const struct logic *b);

/* relation(item, b), or with `turned` relation(b, item), for any or all items of the chain. */
static bool items_are(struct relate *r, const struct logic *chain, enum quantity how,
                      relate_fn *relation, const struct logic *b, bool turned)
{
    for (size_t i = 0; i < chain->count; i++) {
        const struct logic *item = chain->items[i];
        bool is = turned ? relation(r, b, item) : relation(r, item, b);
        if (is != (how == ALL_ITEMS))
            return is;
    }
    return how == ALL_ITEMS;
}

/* First what loses nothing (all parts must hold), then what tries each part. */
bool relate_implies(struct relate *r, const struct logic *a, const struct logic *b)
{
    if (!may_go_on(r) || a->array || b->array)
        return false;
    if (is_true(b) || relate_same(a, b))
        return true;
    if (b->kind == LOGIC_AND)
        return items_are(r, b, ALL_ITEMS, relate_implies, a, true);
    if (a->kind == LOGIC_OR)
        return items_are(r, a, ALL_ITEMS, relate_implies, b, false);
    if (a->kind == LOGIC_NOT && b->kind == LOGIC_NOT && relate_implies(r, b->inner, a->inner))
        return true;
    if (b->kind == LOGIC_NOT && relate_excludes(r, a, b->inner))
        return true;
    if (a->kind == LOGIC_AND && items_are(r, a, ANY_ITEM, relate_implies, b, false))
        return true;
    if (b->kind == LOGIC_OR)
        return items_are(r, b, ANY_ITEM, relate_implies, a, true);
    return may_compare(r, a, b) && leaf_implies(a->compare, b->compare);
}

bool relate_excludes(struct relate *r, const struct logic *a, const struct logic *b)
{
    if (!may_go_on(r) || a->array || b->array)
        return false;
    if (a->kind == LOGIC_OR)
        return items_are(r, a, ALL_ITEMS, relate_excludes, b, false);
    if (b->kind == LOGIC_OR)
        return items_are(r, b, ALL_ITEMS, relate_excludes, a, true);
    if (a->kind == LOGIC_NOT && relate_implies(r, b, a->inner))
        return true;
    if (b->kind == LOGIC_NOT && relate_implies(r, a, b->inner))
        return true;
    if (a->kind == LOGIC_AND && items_are(r, a, ANY_ITEM, relate_excludes, b, false))
        return true;
    if (b->kind == LOGIC_AND)
        return items_are(r, b, ANY_ITEM, relate_excludes, a, true);
    return may_compare(r, a, b) && relate_compare_excludes(a->compare, b->compare);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "config/rules/anchors.h"

static void of_logic(const struct logic *l, struct anchors *out);

/* `starts_with(x, "")` holds for every text, so it tells nothing. */
static void add(struct anchors *out, size_t text_at, struct gw_str literal, bool *bound)
{
    *bound = *bound && literal.len && out->count < ANCHORS_MAX;
    if (*bound)
        out->items[out->count++] = (struct anchor){text_at, literal};
}

/* Only texts of the view itself: they are never missing, so a comparison that does not find its
 * literal is false, whatever missing values give. */
static void of_compare(const struct compare *c, struct anchors *out)
{
    bool bound = c->left->way == ACCESS_TEXT && !c->right_access;
    size_t at = bound ? c->left->field->at : 0;
    if (c->op == COMPARE_EQ || c->op == COMPARE_STARTS) {
        add(out, at, c->right.s, &bound);
    } else if (c->op == COMPARE_IN && bound) {
        const struct gw_str *set = c->set;
        for (size_t i = 0; i < c->set_count; i++)
            add(out, at, set[i], &bound);
    } else {
        bound = false;
    }
    if (!bound)
        out->count = 0;
}

/* How many requests an anchor keeps away, roughly: rules of a zone share their hosts and methods,
 * and differ in longer beginnings of the path. */
static size_t selectivity(const struct anchors *a)
{
    size_t shortest = SIZE_MAX;
    for (size_t i = 0; i < a->count; i++) {
        bool path = a->items[i].text_at == offsetof(struct rules_request, path);
        shortest = gw_min_size(shortest, path ? 256 + a->items[i].literal.len : 1);
    }
    return a->count ? shortest : 0;
}

/* All parts must hold, so any bound one will do. */
static void of_and(const struct logic *l, struct anchors *out)
{
    struct anchors part;
    for (size_t i = 0; i < l->count; i++) {
        of_logic(l->items[i], &part);
        if (selectivity(&part) > selectivity(out))
            *out = part;
    }
}

/* One part must hold, nobody knows which. */
static void of_or(const struct logic *l, struct anchors *out)
{
    struct anchors part;
    bool bound = true;
    for (size_t i = 0; i < l->count && bound; i++) {
        of_logic(l->items[i], &part);
        bound = part.count > 0;
        for (size_t k = 0; k < part.count; k++)
            add(out, part.items[k].text_at, part.items[k].literal, &bound);
    }
    if (!bound)
        out->count = 0;
}

/* Recursion is as deep as the parser lets expressions nest. */
static void of_logic(const struct logic *l, struct anchors *out)
{
    out->count = 0;
    if (l->array)
        return;
    switch ((enum logic_kind)l->kind) {
    case LOGIC_TEXT_EQ:
    case LOGIC_TEXT_STARTS:
    case LOGIC_COMPARE:
        of_compare(l->compare, out);
        return;
    case LOGIC_AND:
        of_and(l, out);
        return;
    case LOGIC_OR:
        of_or(l, out);
        return;
    case LOGIC_XOR:
    case LOGIC_NOT:
        return;
    }
}

void anchors_of(const struct expr *e, struct anchors *out)
{
    of_logic(e->root, out);
}

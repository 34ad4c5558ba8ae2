/* SPDX-License-Identifier: Apache-2.0 */
#include "config/rules/prepare.h"

#include "config/rules/functions.h"
#include "gateway/base/map.h"

/* Rough nanoseconds on a usual request; only their order matters. */
#define COST_TEXT     1
#define COST_DERIVED  4
#define COST_KEY      20
#define COST_CALL     15u
#define COST_SHARABLE 12 /* below, looking up a shared result costs as much as the test */

static enum access_way way_of(const struct access *a)
{
    const struct rules_field *f = a->field;
    if (!f)
        return ACCESS_WALK;
    bool bare = a->index_count == 0;
    if (f->source == FIELD_TEXT && bare)
        return ACCESS_TEXT;
    if (f->source != FIELD_DERIVED)
        return ACCESS_WALK;
    if (bare)
        return ACCESS_DERIVED;
    if (!rules_is_multimap((enum rules_derived)f->at) || a->indexes[0].kind != INDEX_KEY)
        return ACCESS_WALK;
    if (a->index_count == 1 || a->indexes[1].kind == INDEX_EACH)
        return ACCESS_KEY_VALUES;
    return ACCESS_KEY_NTH;
}

void prepare_access(struct access *a)
{
    for (size_t i = 0; i < a->index_count; i++) {
        struct index *index = &a->indexes[i];
        if (index->kind == INDEX_KEY && a->field && a->field->source == FIELD_DERIVED)
            index->key = rules_key_prepare((enum rules_derived)a->field->at, index->key.text);
    }
    a->way = (uint8_t)way_of(a);
}

static unsigned access_cost(const struct access *a)
{
    static const unsigned ways[] = {
        [ACCESS_TEXT] = COST_TEXT,   [ACCESS_DERIVED] = COST_DERIVED,
        [ACCESS_KEY_NTH] = COST_KEY, [ACCESS_KEY_VALUES] = 2 * COST_KEY,
        [ACCESS_WALK] = COST_TEXT,
    };
    unsigned cost = ways[a->way] + (a->each_count ? 2 * COST_KEY : 0);
    for (size_t i = 0; a->call && i < a->call->count; i++) {
        const struct arg *arg = &a->call->args[i];
        cost += arg->kind == ARG_ACCESS  ? COST_CALL + access_cost(arg->access)
                : arg->kind == ARG_LOGIC ? COST_CALL + arg->logic->cost
                                         : 1u;
    }
    return (unsigned)gw_min_size(cost, UINT16_MAX);
}

static unsigned op_cost(enum compare_op op)
{
    switch (op) {
    case COMPARE_CONTAINS:
    case COMPARE_WILDCARD:
        return 12;
    case COMPARE_MATCHES:
        return 30;
    case COMPARE_IN:
        return 3;
    case COMPARE_IN_LIST:
        return 6;
    default:
        return 1;
    }
}

/* starts_with(field, "literal") standing alone is a comparison: no call, no arguments, and what
 * relates and lints comparisons sees it, too. A missing field gives false in either form. */
static void lower_call(struct compare *c)
{
    const struct access *a = c->left;
    if (c->op != COMPARE_TRUE || !a->call || a->index_count || a->call->count != 2 ||
        a->call->args[0].kind != ARG_ACCESS || a->call->args[1].kind != ARG_LITERAL)
        return;
    struct gw_str name = gw_str_z(a->call->function->name);
    bool starts = gw_str_eq(name, GW_STR("starts_with"));
    if (!starts && !gw_str_eq(name, GW_STR("ends_with")))
        return;
    c->left = a->call->args[0].access;
    c->op = starts ? COMPARE_STARTS : COMPARE_ENDS;
    c->base = RULES_BYTES;
    c->right = a->call->args[1].literal;
}

void prepare_compare(struct logic *l)
{
    struct compare *c = l->compare;
    lower_call(c);
    unsigned cost = access_cost(c->left) + op_cost((enum compare_op)c->op);
    cost += c->right_access ? access_cost(c->right_access) : 0;
    l->cost = (uint16_t)gw_min_size(cost, UINT16_MAX);
    if (c->left->way == ACCESS_TEXT && c->op == COMPARE_EQ && !c->right_access)
        l->kind = LOGIC_TEXT_EQ;
    if (c->left->way == ACCESS_TEXT && c->op == COMPARE_STARTS)
        l->kind = LOGIC_TEXT_STARTS;
    if (l->kind != LOGIC_COMPARE) {
        l->literal = c->right.s;
        l->text_at = c->left->field->at;
    }
}

/* Insertion by cost keeps the written order of equals. Chains of hundreds are rare and compiled
 * once. */
static void sort_by_cost(struct logic **sorted, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        struct logic *l = sorted[i];
        size_t at = i;
        for (; at > 0 && sorted[at - 1]->cost > l->cost; at--)
            sorted[at] = sorted[at - 1];
        sorted[at] = l;
    }
}

void prepare_chain(struct logic *l, struct logic *first, size_t count, struct gw_arena *arena)
{
    l->items = gw_arena_alloc(arena, count * sizeof(*l->items));
    l->sorted = gw_arena_alloc(arena, count * sizeof(*l->sorted));
    unsigned cost = 0;
    for (struct logic *item = first; item; item = item->next) {
        l->items[l->count] = l->sorted[l->count] = item;
        l->count++;
        cost += item->cost;
    }
    l->cost = (uint16_t)gw_min_size(cost, UINT16_MAX);
    sort_by_cost(l->sorted, count);
}

/* The first occurrence gets its slot only when a second one comes: a test that occurs once is not
 * slowed by looking for a result that nobody left. */
struct expr_share {
    struct gw_map seen; /* text of a test → its first node, which lives as long as the ruleset */
    unsigned slots;     /* at most 64: known and value are a word each (rules_request) */
};

struct expr_share *expr_share_new(void)
{
    struct expr_share *s = gw_zalloc(sizeof(*s));
    gw_map_init(&s->seen);
    return s;
}

void expr_share_free(struct expr_share *s)
{
    if (!s)
        return;
    gw_map_release(&s->seen);
    free(s);
}

static void share(struct expr_share *s, struct gw_str text, struct logic *l)
{
    struct logic *first = gw_map_get(&s->seen, text);
    if (!first) {
        gw_map_put(&s->seen, text, l);
        return;
    }
    if (first->slot == LOGIC_UNSHARED && s->slots < 64)
        first->slot = (uint8_t)s->slots++;
    l->slot = first->slot;
}

static void walk(struct expr_share *s, struct gw_str text, struct logic *l)
{
    switch ((enum logic_kind)l->kind) {
    case LOGIC_AND:
    case LOGIC_OR:
    case LOGIC_XOR:
        for (size_t i = 0; i < l->count; i++)
            walk(s, text, l->items[i]);
        return;
    case LOGIC_NOT:
        walk(s, text, l->inner);
        return;
    case LOGIC_TEXT_EQ:
    case LOGIC_TEXT_STARTS:
        return;
    case LOGIC_COMPARE:
        if (!l->array && l->cost >= COST_SHARABLE)
            share(s, gw_str(text.ptr + l->offset, l->width), l);
        return;
    }
}

void prepare_shared(struct expr_share *s, struct expr *e)
{
    walk(s, e->text, e->root);
}

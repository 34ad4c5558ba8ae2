/* SPDX-License-Identifier: Apache-2.0 */
#include "config/rules/hosts.h"

static bool holds(const struct host_set *set, struct gw_str host)
{
    for (size_t i = 0; i < set->count; i++) {
        if (gw_str_eq(set->items[i], host))
            return true;
    }
    return false;
}

static struct host_set of_compare(const struct compare *c)
{
    struct host_set set = {false, NULL, 0};
    bool is_host =
        c->left->way == ACCESS_TEXT && c->left->field->at == offsetof(struct rules_request, host);
    if (is_host && c->op == COMPARE_EQ && !c->right_access)
        set = (struct host_set){true, &c->right.s, 1};
    if (is_host && c->op == COMPARE_IN)
        set = (struct host_set){true, c->set, c->set_count};
    return set;
}

/* A host must satisfy every part that restricts. */
static struct host_set meet(struct host_set a, struct host_set b, struct gw_arena *arena)
{
    if (!a.restricted || !b.restricted)
        return a.restricted ? a : b;
    struct gw_str *items = gw_arena_alloc(arena, (a.count + 1) * sizeof(*items));
    struct host_set both = {true, items, 0};
    for (size_t i = 0; i < a.count; i++) {
        if (holds(&b, a.items[i]))
            items[both.count++] = a.items[i];
    }
    return both;
}

/* A host must satisfy one part; a part that does not restrict lets every host through. */
static struct host_set join(struct host_set a, struct host_set b, struct gw_arena *arena)
{
    if (!a.restricted || !b.restricted)
        return (struct host_set){false, NULL, 0};
    struct gw_str *items = gw_arena_alloc(arena, (a.count + b.count + 1) * sizeof(*items));
    struct host_set either = {true, items, 0};
    for (size_t i = 0; i < a.count; i++)
        items[either.count++] = a.items[i];
    for (size_t i = 0; i < b.count; i++) {
        if (!holds(&a, b.items[i]))
            items[either.count++] = b.items[i];
    }
    return either;
}

struct host_set hosts_of(const struct logic *l, struct gw_arena *arena)
{
    if (logic_is_compare(l->kind))
        return l->array ? (struct host_set){false, NULL, 0} : of_compare(l->compare);
    if (l->kind != LOGIC_AND && l->kind != LOGIC_OR)
        return (struct host_set){false, NULL, 0};
    struct host_set set = hosts_of(l->items[0], arena);
    for (size_t i = 1; i < l->count; i++) {
        struct host_set next = hosts_of(l->items[i], arena);
        set = l->kind == LOGIC_AND ? meet(set, next, arena) : join(set, next, arena);
    }
    return set;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "config/rules/lint.h"

#include <stdio.h>

#include "config/rules/functions.h"
#include "config/rules/lint_parts.h"
#include "config/rules/shapes.h"

#define QUOTE_MAX 100

struct found {
    struct lint_finding finding;
    bool value; /* about a value that no request has */
    bool dead;  /* why something is never true */
};

struct lint {
    const struct expr *e;
    struct relate relate;
    struct found found[LINT_FINDINGS_MAX];
    size_t count;
};

/* NULL when there are enough. */
static struct found *add(struct lint *x, size_t offset, size_t width, const struct gw_buf *text)
{
    if (x->count == LINT_FINDINGS_MAX)
        return NULL;
    struct found *f = &x->found[x->count++];
    f->finding.offset = offset;
    f->finding.width = width;
    snprintf(f->finding.text, sizeof(f->finding.text), "%.*s", GW_STR_ARG(gw_buf_str(text)));
    return f;
}

/* ---- values that no request has ---- */

struct value_check {
    const struct compare *c;
    struct gw_buf *why;
    bool odd;
};

static bool refuses(struct value_check *v, enum shape_part part, struct gw_str text, bool folds)
{
    enum shape_verdict verdict = shape_check(v->c->left, part, text, folds, v->why);
    v->odd |= verdict == SHAPE_ODD;
    return verdict == SHAPE_REFUSES;
}

/* Only the first item is explained; all of them must be impossible for the set to be. */
static bool set_refuses(struct value_check *v)
{
    const struct gw_str *items = v->c->set;
    struct gw_buf rest;
    size_t refused = 0;
    gw_buf_init(&rest, 4096);
    for (size_t i = 0; i < v->c->set_count; i++) {
        struct value_check one = {v->c, refused ? &rest : v->why, false};
        gw_buf_clear(&rest);
        refused += refuses(&one, SHAPE_WHOLE, items[i], false);
        v->odd |= one.odd;
    }
    gw_buf_release(&rest);
    return refused && refused == v->c->set_count;
}

static bool wildcard_refuses(struct value_check *v)
{
    const struct wildcard *w = &v->c->wildcard;
    for (size_t i = 0; i < w->count; i++) {
        enum shape_part part = w->count == 1      ? SHAPE_WHOLE
                               : i == 0           ? SHAPE_START
                               : i + 1 < w->count ? SHAPE_INSIDE
                                                  : SHAPE_END;
        if (refuses(v, part, w->pieces[i], !w->strict))
            return true;
    }
    return false;
}

static bool number_refuses(struct value_check *v)
{
    const struct int_range range = shape_numbers(v->c->left);
    const struct compare known = {
        .left = v->c->left, .op = COMPARE_IN, .base = RULES_INT, .set = &range, .set_count = 1};
    if (range.low == INT64_MIN || !relate_compare_excludes(v->c, &known))
        return false;
    gw_buf_printf(v->why, "the number is at least %lld", (long long)range.low);
    if (range.high < INT64_MAX)
        gw_buf_printf(v->why, " and at most %lld", (long long)range.high);
    return true;
}

/* Whether no value satisfies the comparison. v->why says what is wrong with it in any case. */
static bool value_refused(struct value_check *v)
{
    if (v->c->right_access)
        return false;
    if (v->c->base == RULES_INT)
        return number_refuses(v);
    if (v->c->base != RULES_BYTES)
        return false;
    switch ((enum compare_op)v->c->op) {
    case COMPARE_EQ:
        return refuses(v, SHAPE_WHOLE, v->c->right.s, false);
    case COMPARE_NE:
        (void)refuses(v, SHAPE_WHOLE, v->c->right.s, false);
        return false;
    case COMPARE_STARTS:
        return refuses(v, SHAPE_START, v->c->right.s, false);
    case COMPARE_ENDS:
        return refuses(v, SHAPE_END, v->c->right.s, false);
    case COMPARE_CONTAINS:
        return refuses(v, SHAPE_INSIDE, v->c->right.s, false);
    case COMPARE_WILDCARD:
        return wildcard_refuses(v);
    case COMPARE_IN:
        return set_refuses(v);
    default:
        return false;
    }
}

static bool check_value(struct lint *x, const struct logic *l)
{
    struct gw_buf why;
    struct value_check v = {l->compare, &why, false};
    gw_buf_init(&why, 4096);
    bool never = value_refused(&v);
    struct found *f = why.len ? add(x, l->offset, l->width, &why) : NULL;
    if (f) {
        f->value = !v.odd;
        f->dead = never;
    }
    gw_buf_release(&why);
    return never;
}

/* ---- values that are read where none is ---- */

static bool walk(struct lint *x, const struct logic *l, bool negated);

static void check_key(struct lint *x, const struct access *a)
{
    struct lint_item item;
    struct gw_buf text;
    if (!lint_item_of(a, &item) || !a->indexes[0].key.never)
        return;
    gw_buf_init(&text, 4096);
    gw_buf_printf(&text, "the names in %s are in lower case: write \"", item.field->name);
    for (size_t i = 0; i < item.key.len && i < QUOTE_MAX; i++)
        gw_buf_char(&text, gw_lower(item.key.ptr[i]));
    gw_buf_char(&text, '"');
    (void)add(x, a->offset, a->width, &text);
    gw_buf_release(&text);
}

/* True: what any( … ) asks for is never there. */
static bool check_access(struct lint *x, const struct access *a)
{
    bool never = false;
    check_key(x, a);
    for (size_t i = 0; a->call && i < a->call->count; i++) {
        const struct arg *arg = &a->call->args[i];
        if (arg->kind == ARG_ACCESS)
            check_access(x, arg->access);
        if (arg->kind == ARG_LOGIC)
            never = walk(x, arg->logic, false);
    }
    return never && gw_str_eq(gw_str_z(a->call->function->name), GW_STR("any"));
}

static void check_absent(struct lint *x, const struct logic *l, bool negated)
{
    struct gw_buf text;
    gw_buf_init(&text, 4096);
    if (lint_absent(x->e, l, negated, &text))
        (void)add(x, l->offset, l->width, &text);
    gw_buf_release(&text);
}

/* ---- contradictions ---- */

static struct gw_str text_of(const struct lint *x, size_t offset, size_t width)
{
    return gw_str(x->e->text.ptr + offset, gw_min_size(width, QUOTE_MAX));
}

static bool is_equality(const struct logic *l)
{
    return logic_is_compare(l->kind) && l->compare->op == COMPARE_EQ && !l->compare->right_access &&
           l->compare->base == RULES_BYTES;
}

static void tell_contradiction(struct lint *x, const struct logic *a, const struct logic *b)
{
    struct gw_buf text;
    gw_buf_init(&text, 4096);
    gw_buf_printf(&text, "never true together with %.*s before it: ",
                  GW_STR_ARG(text_of(x, a->offset, a->width)));
    if (is_equality(a) && is_equality(b)) {
        const struct access *left = b->compare->left;
        gw_buf_printf(&text, "write %.*s in {", GW_STR_ARG(text_of(x, left->offset, left->width)));
        gw_buf_json(&text, gw_str_first(a->compare->right.s, QUOTE_MAX));
        gw_buf_char(&text, ' ');
        gw_buf_json(&text, gw_str_first(b->compare->right.s, QUOTE_MAX));
        gw_buf_char(&text, '}');
    } else {
        gw_buf_add(&text, GW_STR("join them with \"or\", or drop one"));
    }
    struct found *f = add(x, b->offset, b->width, &text);
    if (f)
        f->dead = true;
    gw_buf_release(&text);
}

static bool check_pairs(struct lint *x, const struct logic *l)
{
    for (size_t k = 1; k < l->count; k++)
        for (size_t i = 0; i < k; i++)
            if (relate_excludes(&x->relate, l->items[i], l->items[k])) {
                tell_contradiction(x, l->items[i], l->items[k]);
                return true;
            }
    return false;
}

/* ---- the tree ---- */

static bool walk_items(struct lint *x, const struct logic *l)
{
    size_t dead = 0;
    for (size_t i = 0; i < l->count; i++)
        dead += walk(x, l->items[i], false);
    if (l->kind == LOGIC_OR)
        return dead == l->count;
    return l->kind == LOGIC_AND && (dead || check_pairs(x, l));
}

static bool walk_one(struct lint *x, const struct logic *l, bool negated)
{
    if (l->kind == LOGIC_NOT) {
        (void)walk(x, l->inner, !negated);
        return false;
    }
    if (!logic_is_compare(l->kind))
        return walk_items(x, l);
    bool never = check_access(x, l->compare->left);
    if (l->compare->right_access)
        check_access(x, l->compare->right_access);
    check_absent(x, l, negated);
    return l->compare->op == COMPARE_TRUE ? never : check_value(x, l);
}

/* True: never true. What is dead inside of something that lives (behind "not", beside an "or") is
 * no reason for anything further out. Recursion is as deep as the parser allows. */
static bool walk(struct lint *x, const struct logic *l, bool negated)
{
    size_t first = x->count;
    bool never = walk_one(x, l, negated);
    for (size_t i = first; !never && i < x->count; i++)
        x->found[i].dead = false;
    return never;
}

static void tell(const struct found *f, bool rule_is_dead, lint_fn *on_finding, void *ctx)
{
    struct lint_finding told = f->finding;
    const char *lead = rule_is_dead ? "this rule can never match: "
                       : f->value   ? "no request has this value: "
                                    : "";
    snprintf(told.text, sizeof(told.text), "%s%.600s", lead, f->finding.text);
    on_finding(ctx, &told);
}

/* The first reason for a dead rule says so; the others are its details. */
bool lint_expression(const struct expr *e, lint_fn *on_finding, void *ctx)
{
    struct lint x = {.e = e};
    bool never = walk(&x, e->root, false), told = false;
    for (size_t i = 0; i < x.count; i++) {
        bool first = never && !told && x.found[i].dead;
        tell(&x.found[i], first, on_finding, ctx);
        told |= first;
    }
    return never;
}

/* ---- rules among each other ---- */

static void tell_rule(lint_rule_fn *on_finding, void *ctx, const struct rule *rule,
                      const struct logic *l, struct gw_buf *text)
{
    struct lint_finding f = {.offset = l->offset, .width = l->width};
    snprintf(f.text, sizeof(f.text), "%.*s", GW_STR_ARG(gw_buf_str(text)));
    on_finding(ctx, rule, &f);
    gw_buf_clear(text);
}

static void ignore(void *ctx, const struct lint_finding *finding)
{
    (void)ctx;
    (void)finding;
}

/* A rule that never matches was told already. */
static bool is_alive(const struct rule *rule)
{
    return rule->enabled && rule->expr && !lint_expression(rule->expr, ignore, NULL);
}

void lint_rules(const struct rule *rules, size_t count, enum rules_phase phase,
                lint_rule_fn *on_finding, void *ctx)
{
    struct lint_set set = {rules, count, {0}};
    struct gw_buf text;
    if (phase != RULES_CACHE_REQUEST && phase != RULES_CACHE_RESPONSE)
        return;
    gw_buf_init(&text, 4096);
    for (size_t i = 0; i < count; i++) {
        if (!is_alive(&rules[i]))
            continue;
        const struct logic *l = rules[i].expr->root;
        if (lint_overruled(&set, i, &text) || lint_unkeyed(&set, i, &l, &text))
            tell_rule(on_finding, ctx, &rules[i], l, &text);
    }
    gw_buf_release(&text);
}

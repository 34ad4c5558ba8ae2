/* SPDX-License-Identifier: Apache-2.0 */
/* Two comparisons of one value, as sets of values: a finite set is tried item by item, numbers and
 * addresses are ranges, texts have beginnings, ends and parts. */
#include "config/rules/eval.h"
#include "config/rules/find.h"
#include "config/rules/relate.h"

static bool holds(const struct compare *c, struct rules_value value)
{
    struct eval ev = {.work = EVAL_WORK_MAX};
    return eval_compare(&ev, c, value);
}

/* ---- texts ---- */

/* The values of a comparison that only few texts satisfy; false: of any other. */
static bool texts_of(const struct compare *c, const struct gw_str **items, size_t *count)
{
    bool one = c->op == COMPARE_EQ;
    if (c->base != RULES_BYTES || (!one && c->op != COMPARE_IN))
        return false;
    *items = one ? &c->right.s : c->set;
    *count = one ? 1 : c->set_count;
    return true;
}

/* The same for all of them: every value satisfies c, or none does. */
static bool all_hold(const struct compare *c, const struct gw_str *items, size_t count, bool want)
{
    for (size_t i = 0; i < count; i++)
        if (holds(c, rules_bytes(items[i])) != want)
            return false;
    return true;
}

static bool is_prefix_wildcard(const struct compare *c)
{
    return c->op == COMPARE_WILDCARD && c->wildcard.count == 2 && c->wildcard.pieces[1].len == 0;
}

/* What a text begins with, or ends with, decides about its other beginnings, ends and parts. */
static bool text_implies(const struct compare *a, const struct compare *b)
{
    struct gw_str x = a->right.s, y = b->right.s;
    bool inside = b->op == COMPARE_CONTAINS && rules_contains(x, y);
    switch ((enum compare_op)a->op) {
    case COMPARE_STARTS:
        return inside || (b->op == COMPARE_STARTS && gw_str_starts(x, y)) ||
               (is_prefix_wildcard(b) && holds(b, rules_bytes(x)));
    case COMPARE_ENDS:
        return inside || (b->op == COMPARE_ENDS && gw_str_ends(x, y));
    case COMPARE_CONTAINS:
        return inside;
    case COMPARE_WILDCARD:
        return b->op == COMPARE_STARTS && a->wildcard.strict &&
               gw_str_starts(a->wildcard.pieces[0], y);
    default:
        return false;
    }
}

static bool text_excludes(const struct compare *a, const struct compare *b)
{
    struct gw_str x = a->right.s, y = b->right.s;
    if (a->op == COMPARE_STARTS && b->op == COMPARE_STARTS)
        return !gw_str_starts(x, y) && !gw_str_starts(y, x);
    if (a->op == COMPARE_ENDS && b->op == COMPARE_ENDS)
        return !gw_str_ends(x, y) && !gw_str_ends(y, x);
    return false;
}

/* ---- numbers ---- */

struct numbers {
    const struct int_range *ranges;
    size_t count;
    struct int_range one;
};

/* Of a comparison that is true in a few ranges; false: of any other. *n stays where it is. */
static bool numbers_of(const struct compare *c, struct numbers *n)
{
    int64_t v = c->right.i;
    if (c->base != RULES_INT)
        return false;
    *n = (struct numbers){.ranges = &n->one, .count = 1, .one = {INT64_MIN, INT64_MAX}};
    switch ((enum compare_op)c->op) {
    case COMPARE_IN:
        n->ranges = c->set;
        n->count = c->set_count;
        return true;
    case COMPARE_EQ:
        n->one = (struct int_range){v, v};
        return true;
    case COMPARE_LE:
        n->one.high = v;
        return true;
    case COMPARE_GE:
        n->one.low = v;
        return true;
    case COMPARE_LT:
        n->one.high = v - (v > INT64_MIN);
        n->count = v > INT64_MIN;
        return true;
    case COMPARE_GT:
        n->one.low = v + (v < INT64_MAX);
        n->count = v < INT64_MAX;
        return true;
    default:
        return false;
    }
}

static bool number_ranges(const struct numbers *a, const struct numbers *b, bool inside)
{
    for (size_t i = 0; i < a->count; i++) {
        bool covered = false, touched = false;
        for (size_t k = 0; k < b->count; k++) {
            const struct int_range *x = &a->ranges[i], *y = &b->ranges[k];
            covered |= y->low <= x->low && x->high <= y->high;
            touched |= x->low <= y->high && y->low <= x->high;
        }
        if (inside ? !covered : touched)
            return false;
    }
    return true;
}

/* ---- addresses ---- */

struct addresses {
    const struct ip_range *ranges;
    size_t count;
    struct ip_range one;
};

static bool addresses_of(const struct compare *c, struct addresses *n)
{
    if (c->base != RULES_IP || (c->op != COMPARE_EQ && c->op != COMPARE_IN))
        return false;
    *n = (struct addresses){.ranges = c->set, .count = c->set_count};
    if (c->op == COMPARE_EQ) {
        n->one = (struct ip_range){*c->right.ip, *c->right.ip};
        n->ranges = &n->one;
        n->count = 1;
    }
    return true;
}

static bool address_ranges(const struct addresses *a, const struct addresses *b, bool inside)
{
    for (size_t i = 0; i < a->count; i++) {
        bool covered = false, touched = false;
        for (size_t k = 0; k < b->count; k++) {
            const struct ip_range *x = &a->ranges[i], *y = &b->ranges[k];
            covered |= gw_ip_cmp(&y->low, &x->low) <= 0 && gw_ip_cmp(&x->high, &y->high) <= 0;
            touched |= gw_ip_cmp(&x->low, &y->high) <= 0 && gw_ip_cmp(&y->low, &x->high) <= 0;
        }
        if (inside ? !covered : touched)
            return false;
    }
    return true;
}

/* ---- any value ---- */

static bool comparable(const struct compare *a, const struct compare *b)
{
    return !a->right_access && !b->right_access && a->op != COMPARE_TRUE && b->op != COMPARE_TRUE &&
           relate_same_access(a->left, b->left);
}

/* A comparison that an absent value satisfies says nothing about values. */
bool relate_compare_implies(const struct compare *a, const struct compare *b)
{
    const struct gw_str *items;
    size_t count;
    struct numbers n, m;
    struct addresses p, q;
    if (relate_same_compare(a, b))
        return true;
    if (!comparable(a, b) || (a->when_missing && !b->when_missing))
        return false;
    if (b->op == COMPARE_NE)
        return !holds(a, b->right);
    if (texts_of(a, &items, &count))
        return all_hold(b, items, count, true);
    if (numbers_of(a, &n) && numbers_of(b, &m))
        return number_ranges(&n, &m, true);
    if (addresses_of(a, &p) && addresses_of(b, &q))
        return address_ranges(&p, &q, true);
    return a->base == RULES_BYTES && text_implies(a, b);
}

bool relate_compare_excludes(const struct compare *a, const struct compare *b)
{
    const struct gw_str *items;
    size_t count;
    struct numbers n, m;
    struct addresses p, q;
    if (!comparable(a, b) || (a->when_missing && b->when_missing))
        return false;
    if (texts_of(a, &items, &count))
        return all_hold(b, items, count, false);
    if (texts_of(b, &items, &count))
        return all_hold(a, items, count, false);
    if (numbers_of(a, &n) && numbers_of(b, &m))
        return number_ranges(&n, &m, false);
    if (addresses_of(a, &p) && addresses_of(b, &q))
        return address_ranges(&p, &q, false);
    if (a->op == COMPARE_EQ && a->base != RULES_BYTES)
        return !holds(b, a->right);
    if (b->op == COMPARE_EQ && b->base != RULES_BYTES)
        return !holds(a, b->right);
    return a->base == RULES_BYTES && text_excludes(a, b);
}

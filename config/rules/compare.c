/* SPDX-License-Identifier: Apache-2.0 */
/* One comparison of a value with what stands on its right (spec/rules-language.md section 2.4). */
#include "config/rules/eval.h"
#include "config/rules/find.h"

/* <0, 0, >0; *unordered for addresses of two families, which are neither less nor greater. */
static int order(const struct compare *c, struct rules_value left, struct rules_value right,
                 bool *unordered)
{
    *unordered = false;
    if (c->base == RULES_BYTES)
        return gw_str_cmp(left.s, right.s);
    if (c->base == RULES_INT)
        return left.i < right.i ? -1 : left.i > right.i;
    *unordered = left.ip->family != right.ip->family;
    return gw_ip_cmp(left.ip, right.ip);
}

static bool ordered(const struct compare *c, struct rules_value left, struct rules_value right)
{
    bool unordered;
    int rank = order(c, left, right, &unordered);
    switch (c->op) {
    case COMPARE_EQ:
        return rank == 0;
    case COMPARE_NE:
        return rank != 0;
    case COMPARE_LT:
        return !unordered && rank < 0;
    case COMPARE_LE:
        return !unordered && rank <= 0;
    case COMPARE_GT:
        return !unordered && rank > 0;
    default:
        return !unordered && rank >= 0;
    }
}

static bool in_set(const struct compare *c, struct rules_value left)
{
    if (c->base == RULES_BYTES)
        return strings_has(c->set, c->set_count, left.s);
    if (c->base == RULES_INT)
        return int_ranges_has(c->set, c->set_count, left.i);
    return ip_ranges_has(c->set, c->set_count, left.ip);
}

/* A managed list that nobody defined has no items. */
static bool in_list(const struct compare *c, struct rules_value left)
{
    if (!c->list)
        return false;
    if (c->base == RULES_BYTES)
        return rules_list_has_str(c->list, left.s);
    if (c->base == RULES_INT)
        return rules_list_has_int(c->list, left.i);
    return rules_list_has_ip(c->list, left.ip);
}

/* The searches that touch every byte of the value pay for it: a rule with 64 of them over a header
 * of 100 KiB must not take longer than the allowance says. */
static bool searched(struct eval *ev, const struct compare *c, struct gw_str left)
{
    ev->work -= (int64_t)(left.len / 8);
    if (ev->work < 0)
        return false;
    if (c->op == COMPARE_CONTAINS)
        return rules_contains(left, c->right.s);
    if (c->op == COMPARE_WILDCARD)
        return wildcard_match(&c->wildcard, left, &ev->work);
    return regex_match(c->regex, left);
}

bool eval_compare(struct eval *ev, const struct compare *c, struct rules_value left)
{
    if (left.kind == RULES_MISSING)
        return c->when_missing;
    switch ((enum compare_op)c->op) {
    case COMPARE_TRUE:
        return left.b;
    case COMPARE_EQ:
        if (c->base == RULES_BYTES && !c->right_access)
            return gw_str_eq(left.s, c->right.s);
        break;
    case COMPARE_STARTS:
        return gw_str_starts(left.s, c->right.s);
    case COMPARE_ENDS:
        return gw_str_ends(left.s, c->right.s);
    case COMPARE_CONTAINS:
    case COMPARE_MATCHES:
    case COMPARE_WILDCARD:
        return searched(ev, c, left.s);
    case COMPARE_IN:
        return in_set(c, left);
    case COMPARE_IN_LIST:
        return in_list(c, left);
    case COMPARE_BITS:
        return left.i & c->right.i;
    case COMPARE_NE:
    case COMPARE_LT:
    case COMPARE_LE:
    case COMPARE_GT:
    case COMPARE_GE:
        break;
    }
    struct rules_value right = c->right_access ? eval_access(ev, c->right_access) : c->right;
    return right.kind == RULES_MISSING ? c->when_missing : ordered(c, left, right);
}

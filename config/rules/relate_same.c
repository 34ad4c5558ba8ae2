/* SPDX-License-Identifier: Apache-2.0 */
#include "config/rules/functions.h"
#include "config/rules/relate.h"

/* ip.geoip.country is ip.src.country. Fields without a source have nothing but their name. */
static bool same_field(const struct rules_field *a, const struct rules_field *b)
{
    return a == b || (a && b && a->source == b->source && a->source != FIELD_UNKNOWN &&
                      a->at == b->at && rules_type_eq(a->type, b->type));
}

static bool same_literal(struct rules_value a, struct rules_value b)
{
    if (a.kind != b.kind)
        return false;
    switch ((enum rules_kind)a.kind) {
    case RULES_VALUE_BOOL:
        return a.b == b.b;
    case RULES_VALUE_INT:
        return a.i == b.i;
    case RULES_VALUE_IP:
        return gw_ip_cmp(a.ip, b.ip) == 0;
    case RULES_VALUE_BYTES:
        return gw_str_eq(a.s, b.s);
    case RULES_MISSING:
        return true;
    case RULES_VALUE_ARRAY:
    case RULES_VALUE_MAP:
        break;
    }
    return false;
}

static bool same_arg(const struct arg *a, const struct arg *b)
{
    if (a->kind != b->kind)
        return false;
    switch ((enum arg_kind)a->kind) {
    case ARG_LITERAL:
        return same_literal(a->literal, b->literal);
    case ARG_ACCESS:
        return relate_same_access(a->access, b->access);
    case ARG_LOGIC:
        break;
    }
    return relate_same(a->logic, b->logic);
}

/* Functions give the same for the same arguments, all of them. */
static bool same_call(const struct call *a, const struct call *b)
{
    if (!a || !b || a->function != b->function || a->count != b->count)
        return a == b;
    for (size_t i = 0; i < a->count; i++)
        if (!same_arg(&a->args[i], &b->args[i]))
            return false;
    return true;
}

static bool same_index(const struct index *a, const struct index *b)
{
    if (a->kind != b->kind)
        return false;
    if (a->kind == INDEX_KEY)
        return gw_str_eq(a->key.text, b->key.text);
    return a->kind == INDEX_EACH || a->at == b->at;
}

bool relate_same_access(const struct access *a, const struct access *b)
{
    if (!same_field(a->field, b->field) || !same_call(a->call, b->call) ||
        a->index_count != b->index_count)
        return false;
    for (size_t i = 0; i < a->index_count; i++)
        if (!same_index(&a->indexes[i], &b->indexes[i]))
            return false;
    return true;
}

/* In the same order: large sets are sorted; two small ones in another order are just "not known".
 */
static bool same_set(const struct compare *a, const struct compare *b)
{
    const struct int_range *x = a->set, *y = b->set;
    const struct ip_range *p = a->set, *q = b->set;
    const struct gw_str *s = a->set, *t = b->set;
    bool same = a->set_count == b->set_count;
    for (size_t i = 0; same && i < a->set_count; i++) {
        if (a->base == RULES_INT)
            same = x[i].low == y[i].low && x[i].high == y[i].high;
        else if (a->base == RULES_IP)
            same = gw_ip_cmp(&p[i].low, &q[i].low) == 0 && gw_ip_cmp(&p[i].high, &q[i].high) == 0;
        else
            same = gw_str_eq(s[i], t[i]);
    }
    return same;
}

bool relate_same_compare(const struct compare *a, const struct compare *b)
{
    if (a->op != b->op || a->when_missing != b->when_missing ||
        a->wildcard.strict != b->wildcard.strict || !relate_same_access(a->left, b->left))
        return false;
    if (a->right_access || b->right_access)
        return a->right_access && b->right_access &&
               relate_same_access(a->right_access, b->right_access);
    if (a->op == COMPARE_IN)
        return same_set(a, b);
    return same_literal(a->right, b->right);
}

bool relate_same(const struct logic *a, const struct logic *b)
{
    if (logic_is_compare(a->kind) || logic_is_compare(b->kind))
        return a->kind == b->kind && a->array == b->array &&
               relate_same_compare(a->compare, b->compare);
    if (a->kind != b->kind)
        return false;
    if (a->kind == LOGIC_NOT)
        return relate_same(a->inner, b->inner);
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (!relate_same(a->items[i], b->items[i]))
            return false;
    return true;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Functions over arrays, maps and addresses. */
#include "config/rules/functions_run.h"

/* A comparison over a missing array speaks of no element, so `all` holds; an array of Bool that is
 * itself missing has no answer. A call mapped over [*] is of the first kind. */
static struct rules_value quantify(struct eval *ev, const struct arg *arg, bool want)
{
    if (arg->kind == ARG_LOGIC)
        return rules_bool(eval_has(ev, arg->logic, want) ? want : !want);
    struct rules_value v = eval_access(ev, arg->access);
    bool mapped = arg->access->call && arg->access->call->mapped && arg->access->index_count == 0;
    if (v.kind == RULES_MISSING)
        return mapped ? rules_bool(!want) : v;
    for (uint32_t i = 0; i < v.count; i++) {
        if (v.items[i].b == want)
            return rules_bool(want);
    }
    return rules_bool(!want);
}

/* any: some element is true. all: no element is false. */
struct rules_value run_any(struct eval *ev, const struct call *call,
                           const struct rules_value *element)
{
    (void)element;
    return quantify(ev, &call->args[0], true);
}

struct rules_value run_all(struct eval *ev, const struct call *call,
                           const struct rules_value *element)
{
    (void)element;
    return quantify(ev, &call->args[0], false);
}

struct rules_value run_len(struct eval *ev, const struct call *call,
                           const struct rules_value *element)
{
    struct rules_value v = eval_arg(ev, call, 0, element);
    if (v.kind == RULES_MISSING)
        return v;
    return rules_int(v.kind == RULES_VALUE_BYTES ? (int64_t)v.s.len : (int64_t)v.count);
}

/* A map field as it stands is asked by key; it need not be built. */
static bool field_has_key(struct eval *ev, const struct access *a, struct gw_str text)
{
    enum rules_derived slot = (enum rules_derived)a->field->at;
    struct rules_key key = rules_key_prepare(slot, text);
    struct gw_str value;
    return rules_key_nth(ev->r, slot, &key, 0, &value);
}

struct rules_value run_has_key(struct eval *ev, const struct call *call,
                               const struct rules_value *element)
{
    const struct access *a = call->args[0].access;
    struct rules_value key = eval_arg(ev, call, 1, NULL);
    if (key.kind == RULES_MISSING)
        return key;
    if (!element && a->field && a->index_count == 0 && a->field->source == FIELD_DERIVED &&
        rules_is_multimap((enum rules_derived)a->field->at))
        return rules_bool(field_has_key(ev, a, key.s));
    struct rules_value map = eval_arg(ev, call, 0, element);
    if (map.kind == RULES_MISSING)
        return map;
    return rules_bool(rules_map_get(map, key.s).kind != RULES_MISSING);
}

static bool holds(struct rules_value v, struct gw_str wanted)
{
    if (v.kind == RULES_VALUE_BYTES)
        return gw_str_eq(v.s, wanted);
    for (uint32_t i = 0; i < v.count; i++) {
        if (holds(v.kind == RULES_VALUE_MAP ? v.entries[i].value : v.items[i], wanted))
            return true;
    }
    return false;
}

struct rules_value run_has_value(struct eval *ev, const struct call *call,
                                 const struct rules_value *element)
{
    struct rules_value v = eval_arg(ev, call, 0, element), wanted = eval_arg(ev, call, 1, NULL);
    if (v.kind == RULES_MISSING || wanted.kind == RULES_MISSING)
        return RULES_NOTHING;
    return rules_bool(holds(v, wanted.s));
}

struct rules_value run_coalesce(struct eval *ev, const struct call *call,
                                const struct rules_value *element)
{
    for (size_t i = 0; i < call->count; i++) {
        struct rules_value v = eval_arg(ev, call, i, element);
        if (v.kind != RULES_MISSING)
            return v;
    }
    return RULES_NOTHING;
}

static struct rules_value network(struct eval *ev, struct rules_value address, int64_t v4,
                                  int64_t v6)
{
    if (address.kind == RULES_MISSING || address.ip->family == GW_IP_NONE)
        return address;
    struct gw_ip *ip = eval_alloc(ev, sizeof(*ip));
    if (!ip)
        return RULES_NOTHING;
    *ip = gw_ip_mask(address.ip, (unsigned)(address.ip->family == GW_IP_V4 ? v4 : v6));
    return (struct rules_value){.kind = RULES_VALUE_IP, .ip = ip};
}

struct rules_value run_cidr(struct eval *ev, const struct call *call,
                            const struct rules_value *element)
{
    return network(ev, eval_arg(ev, call, 0, element), call->args[1].literal.i,
                   call->args[2].literal.i);
}

struct rules_value run_cidr6(struct eval *ev, const struct call *call,
                             const struct rules_value *element)
{
    return network(ev, eval_arg(ev, call, 0, element), 32, call->args[1].literal.i);
}

static char *put(char *to, struct gw_str text)
{
    if (text.len)
        memcpy(to, text.ptr, text.len);
    return to + text.len;
}

/* At most `limit` items; the last one keeps the rest, separators and all. */
struct rules_value run_split(struct eval *ev, const struct call *call,
                             const struct rules_value *element)
{
    struct rules_value v = eval_arg(ev, call, 0, element);
    struct gw_str separator = call->args[1].literal.s, rest = v.s;
    size_t limit = (size_t)call->args[2].literal.i, count = 0;
    struct rules_value *items =
        v.kind == RULES_MISSING ? NULL : eval_alloc(ev, limit * sizeof(*items));
    if (!items)
        return RULES_NOTHING;
    ev->work -= (int64_t)(v.s.len / 8);
    size_t at;
    while (count + 1 < limit && (at = gw_str_find(rest, separator)) != GW_NPOS) {
        items[count++] = rules_bytes(gw_str_first(rest, at));
        rest = gw_str_from(rest, at + separator.len);
    }
    items[count++] = rules_bytes(rest);
    return rules_array(items, count);
}

struct rules_value run_join(struct eval *ev, const struct call *call,
                            const struct rules_value *element)
{
    struct rules_value v = eval_arg(ev, call, 0, element), glue = eval_arg(ev, call, 1, NULL);
    if (v.kind == RULES_MISSING || glue.kind == RULES_MISSING)
        return RULES_NOTHING;
    size_t len = v.count ? (v.count - 1) * glue.s.len : 0;
    for (uint32_t i = 0; i < v.count; i++)
        len += v.items[i].s.len;
    char *text = eval_alloc(ev, len + 1), *to = text;
    for (uint32_t i = 0; text && i < v.count; i++) {
        to = put(to, i ? glue.s : GW_STR_EMPTY);
        to = put(to, v.items[i].s);
    }
    return text ? rules_bytes(gw_str(text, len)) : RULES_NOTHING;
}

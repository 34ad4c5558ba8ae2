/* SPDX-License-Identifier: Apache-2.0 */
/* Functions over text. What changes nothing returns its argument; the rest writes to scratch. */
#include "config/rules/functions_run.h"

struct rules_value run_starts_with(struct eval *ev, const struct call *call,
                                   const struct rules_value *element)
{
    struct rules_value v = eval_arg(ev, call, 0, element), prefix = eval_arg(ev, call, 1, NULL);
    if (v.kind == RULES_MISSING || prefix.kind == RULES_MISSING)
        return RULES_NOTHING;
    return rules_bool(gw_str_starts(v.s, prefix.s));
}

struct rules_value run_ends_with(struct eval *ev, const struct call *call,
                                 const struct rules_value *element)
{
    struct rules_value v = eval_arg(ev, call, 0, element), suffix = eval_arg(ev, call, 1, NULL);
    if (v.kind == RULES_MISSING || suffix.kind == RULES_MISSING)
        return RULES_NOTHING;
    return rules_bool(gw_str_ends(v.s, suffix.s));
}

static char to_upper(char c)
{
    return c >= 'a' && c <= 'z' ? (char)(c - 32) : c;
}

/* Most text is in the wanted case already: then nothing is written. */
static struct rules_value convert(struct eval *ev, struct rules_value v, char (*letter)(char))
{
    size_t same = 0;
    while (v.kind == RULES_VALUE_BYTES && same < v.s.len && letter(v.s.ptr[same]) == v.s.ptr[same])
        same++;
    if (v.kind == RULES_MISSING || same == v.s.len)
        return v;
    char *text = eval_alloc(ev, v.s.len);
    if (!text)
        return RULES_NOTHING;
    for (size_t i = 0; i < v.s.len; i++)
        text[i] = letter(v.s.ptr[i]);
    return rules_bytes(gw_str(text, v.s.len));
}

struct rules_value run_lower(struct eval *ev, const struct call *call,
                             const struct rules_value *element)
{
    return convert(ev, eval_arg(ev, call, 0, element), gw_lower);
}

struct rules_value run_upper(struct eval *ev, const struct call *call,
                             const struct rules_value *element)
{
    return convert(ev, eval_arg(ev, call, 0, element), to_upper);
}

static struct rules_value concat_bytes(struct eval *ev, const struct rules_value *parts,
                                       size_t count)
{
    size_t len = 0;
    for (size_t i = 0; i < count; i++)
        len += parts[i].s.len;
    char *text = eval_alloc(ev, len), *to = text;
    if (!text)
        return RULES_NOTHING;
    for (size_t i = 0; i < count; i++) {
        if (parts[i].s.len)
            memcpy(to, parts[i].s.ptr, parts[i].s.len);
        to += parts[i].s.len;
    }
    return rules_bytes(gw_str(text, len));
}

static struct rules_value concat_arrays(struct eval *ev, const struct rules_value *parts,
                                        size_t count)
{
    size_t total = 0;
    for (size_t i = 0; i < count; i++)
        total += parts[i].count;
    struct rules_value *items = eval_alloc(ev, total * sizeof(*items)), *to = items;
    if (!items)
        return RULES_NOTHING;
    for (size_t i = 0; i < count; i++) {
        for (uint32_t at = 0; at < parts[i].count; at++)
            *to++ = parts[i].items[at];
    }
    return rules_array(items, total);
}

/* Missing arguments are skipped; only when all are missing, the result is. */
struct rules_value run_concat(struct eval *ev, const struct call *call,
                              const struct rules_value *element)
{
    struct rules_value *parts = eval_alloc(ev, call->count * sizeof(*parts));
    size_t count = 0;
    for (size_t i = 0; parts && i < call->count; i++) {
        parts[count] = eval_arg(ev, call, i, element);
        count += parts[count].kind != RULES_MISSING;
    }
    if (!parts || count == 0)
        return RULES_NOTHING;
    return parts[0].kind == RULES_VALUE_ARRAY ? concat_arrays(ev, parts, count)
                                              : concat_bytes(ev, parts, count);
}

/* Positions beyond either end stand for that end. */
static size_t position(int64_t at, size_t len)
{
    if (at < 0)
        at = at < -(int64_t)len ? 0 : at + (int64_t)len;
    return gw_min_size((size_t)at, len);
}

struct rules_value run_substring(struct eval *ev, const struct call *call,
                                 const struct rules_value *element)
{
    struct rules_value v = eval_arg(ev, call, 0, element);
    if (v.kind == RULES_MISSING)
        return v;
    size_t start = position(call->args[1].literal.i, v.s.len);
    size_t end = call->count > 2 ? position(call->args[2].literal.i, v.s.len) : v.s.len;
    return rules_bytes(gw_str_first(gw_str_from(v.s, start), end > start ? end - start : 0));
}

struct rules_value run_remove_bytes(struct eval *ev, const struct call *call,
                                    const struct rules_value *element)
{
    struct rules_value v = eval_arg(ev, call, 0, element);
    if (v.kind == RULES_MISSING)
        return v;
    bool removed[256] = {false};
    struct gw_str bytes = call->args[1].literal.s;
    for (size_t i = 0; i < bytes.len; i++)
        removed[(uint8_t)bytes.ptr[i]] = true;
    char *text = eval_alloc(ev, v.s.len);
    size_t len = 0;
    for (size_t i = 0; text && i < v.s.len; i++) {
        if (!removed[(uint8_t)v.s.ptr[i]])
            text[len++] = v.s.ptr[i];
    }
    return text ? rules_bytes(gw_str(text, len)) : RULES_NOTHING;
}

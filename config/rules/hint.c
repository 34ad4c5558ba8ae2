/* SPDX-License-Identifier: Apache-2.0 */
#include "config/rules/hint.h"

#include <string.h>

#include "config/rules/fields.h"
#include "config/rules/functions.h"
#include "gateway/base/diag.h"

#define NAMES_MAX 256

/* Of fields and functions alike: which of them was meant, only who wrote it knows. */
static void hint_name(struct gw_str wrong, struct gw_buf *out)
{
    const char *names[NAMES_MAX];
    size_t count = rules_field_names(names, NAMES_MAX - 1);
    count += rules_function_names(names + count, NAMES_MAX - 1 - count);
    names[count] = NULL;
    const char *nearest = gw_nearest(wrong, names);
    if (nearest)
        gw_buf_printf(out, "; did you mean %s?", nearest);
}

/* The engine takes what has no quote for bytes in hexadecimal, a comma in a set included. */
static void hint_literal(struct gw_str wrong, struct gw_buf *out)
{
    if (gw_str_starts(wrong, GW_STR(",")))
        gw_buf_add(out, GW_STR("; the values of a set stand side by side, without commas"));
    else
        gw_buf_add(out, GW_STR("; a string stands in double quotes, as \"text\""));
}

static void hint_operator(struct gw_str wrong, struct gw_buf *out)
{
    if (gw_str_starts(wrong, GW_STR("=")))
        gw_buf_add(out, GW_STR("; write eq or =="));
    else
        gw_buf_add(out,
                   GW_STR("; write eq, ne, contains, matches, wildcard, in, lt, gt, le or ge"));
}

static void hint_array(struct gw_str wrong, struct gw_buf *out)
{
    (void)wrong;
    gw_buf_add(out, GW_STR("; a name may occur several times: compare its first value with [0], or "
                           "any of them with any(...[*] ...)"));
}

static const struct {
    const char *reason;
    void (*hint)(struct gw_str wrong, struct gw_buf *out);
} hints[] = {
    {"unknown identifier", hint_name},
    {"invalid digit found in string while parsing with radix 16", hint_literal},
    {"expected byte separator", hint_literal},
    {"expected ComparisonOp", hint_operator},
    {"cannot perform this operation on type Array(Bytes)", hint_array},
};

void expr_hint(const struct expr_error *err, struct gw_str text, struct gw_buf *out)
{
    struct gw_str wrong = gw_str_first(gw_str_from(text, err->offset), err->width);
    if (gw_str_ends(gw_str_first(text, err->offset), GW_STR("\\x"))) /* within a string */
        return;
    for (size_t i = 0; i < GW_COUNT(hints); i++)
        if (strcmp(err->reason, hints[i].reason) == 0)
            hints[i].hint(wrong, out);
}

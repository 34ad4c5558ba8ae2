/* SPDX-License-Identifier: Apache-2.0 */
/* Absent headers, cookies and arguments (spec/rules-language.md section 7): every comparison with
 * them is false, also "ne" as documented; the open engine says true there. */
#include "config/rules/lint_parts.h"

bool lint_item_of(const struct access *a, struct lint_item *item)
{
    if (!a->field || a->field->source != FIELD_DERIVED || !a->index_count ||
        a->indexes[0].kind != INDEX_KEY)
        return false;
    *item = (struct lint_item){a->field, a->indexes[0].key.text};
    return rules_is_multimap((enum rules_derived)a->field->at);
}

const char *lint_item_noun(const struct lint_item *item)
{
    if (item->field->at == RULES_COOKIES)
        return "cookie";
    if (item->field->at == RULES_HEADERS)
        return "header";
    return item->field->at == RULES_RESPONSE_HEADERS ? "response header" : "argument";
}

static void write_test(struct gw_buf *out, const char *before, const struct lint_item *item,
                       const char *op, struct gw_str value)
{
    gw_buf_printf(out, "%sany(%s[", before, item->field->name);
    gw_buf_json(out, gw_str_first(item->key, 60));
    gw_buf_printf(out, "][*] %s ", op);
    gw_buf_json(out, gw_str_first(value, 60));
    gw_buf_char(out, ')');
}

static void write_without(struct gw_buf *out, const struct lint_item *item)
{
    gw_buf_printf(out, "without the %s ", lint_item_noun(item));
    gw_buf_json(out, gw_str_first(item->key, 60));
}

/* The spellings offered give the same under both readings. */
static void tell_ne(struct gw_buf *out, const struct lint_item *item, const struct compare *c)
{
    write_without(out, item);
    gw_buf_add(out, c->when_missing
                        ? GW_STR(" this \"ne\" is true (setting missing_ne), but false as "
                                 "documented")
                        : GW_STR(" this \"ne\" is false as documented, but true in the open "
                                 "engine (setting missing_ne)"));
    write_test(out, ": write ", item, "ne", c->right.s);
    if (!c->right.s.len)
        return;
    write_test(out, " to ask for another value, or not ", item, "eq", c->right.s);
    gw_buf_add(out, GW_STR(" to match without it too"));
}

static void tell_empty(struct gw_buf *out, const struct lint_item *item, bool negated)
{
    write_without(out, item);
    if (negated) {
        write_test(out, " this is true, since \"eq\" is false: write ", item, "ne", GW_STR_EMPTY);
        return;
    }
    write_test(out, " this is false: write not ", item, "ne", GW_STR_EMPTY);
    gw_buf_add(out, GW_STR(" to match then too"));
}

/* What was already told to be written otherwise is not told twice. */
static bool has_note(const struct expr *e, size_t offset)
{
    for (size_t i = 0; i < e->note_count; i++)
        if (e->notes[i].offset == offset)
            return true;
    return false;
}

bool lint_absent(const struct expr *e, const struct logic *l, bool negated, struct gw_buf *out)
{
    const struct compare *c = l->compare;
    struct lint_item item;
    if (c->left->way != ACCESS_KEY_NTH || c->left->index_count != 2 || c->left->indexes[1].at ||
        c->right_access || !lint_item_of(c->left, &item) || item.field->type.base != RULES_BYTES ||
        has_note(e, c->left->offset))
        return false;
    if (c->op == COMPARE_NE)
        tell_ne(out, &item, c);
    else if (c->op == COMPARE_EQ && !c->right.s.len)
        tell_empty(out, &item, negated);
    return out->len > 0;
}

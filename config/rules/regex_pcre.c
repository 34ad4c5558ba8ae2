/* SPDX-License-Identifier: Apache-2.0 */
#include "config/rules/regex_pcre.h"

static void write_class(const struct regex_class *c, struct gw_buf *out)
{
    bool any = c->bits[0] | c->bits[1] | c->bits[2] | c->bits[3];
    gw_buf_add(out, any ? GW_STR("[") : GW_STR("(?!)"));
    for (unsigned low = 0; low < 256; low++) {
        unsigned high = low;
        if (!regex_class_has(c, low))
            continue;
        while (high < 255 && regex_class_has(c, high + 1))
            high++;
        gw_buf_printf(out, high > low ? "\\x%02x-\\x%02x" : "\\x%02x", low, high);
        low = high;
    }
    if (any)
        gw_buf_char(out, ']');
}

/* Look-around stands for what PCRE2 has no word for, or means differently: its own multi-line "^"
 * does not match behind a final newline. */
static const char *const looks[] = {
    [LOOK_TEXT_START] = "(?:\\A)",
    [LOOK_TEXT_END] = "(?:\\z)",
    [LOOK_LINE_START] = "(?:\\A|(?<=\\n))",
    [LOOK_LINE_END] = "(?:(?=\\n)|\\z)",
    [LOOK_WORD] = "(?:\\b)",
    [LOOK_NOT_WORD] = "(?:\\B)",
    [LOOK_WORD_START] = "(?:\\b(?=\\w))",
    [LOOK_WORD_END] = "(?:\\b(?<=\\w))",
    [LOOK_WORD_START_HALF] = "(?:(?<!\\w))",
    [LOOK_WORD_END_HALF] = "(?:(?!\\w))",
};

static void write_repeat(const struct regex_node *n, struct gw_buf *out)
{
    gw_buf_add(out, GW_STR("(?:"));
    regex_pcre_write(n->inner, out);
    if (n->most == REGEX_UNLIMITED)
        gw_buf_printf(out, "){%u,}", n->least);
    else
        gw_buf_printf(out, "){%u,%u}", n->least, n->most);
}

void regex_pcre_write(const struct regex_node *n, struct gw_buf *out)
{
    switch ((enum regex_kind)n->kind) {
    case REGEX_CLASS:
        write_class(&n->class, out);
        return;
    case REGEX_LOOK:
        gw_buf_add(out, gw_str_z(looks[n->look]));
        return;
    case REGEX_REPEAT:
        write_repeat(n, out);
        return;
    case REGEX_CONCAT:
    case REGEX_ALT:
        break;
    }
    gw_buf_add(out, GW_STR("(?:"));
    for (const struct regex_node *part = n->inner; part; part = part->next) {
        if (part != n->inner && n->kind == REGEX_ALT)
            gw_buf_char(out, '|');
        regex_pcre_write(part, out);
    }
    gw_buf_char(out, ')');
}

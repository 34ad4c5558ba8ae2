/* SPDX-License-Identifier: Apache-2.0 */
/* Texts of origins, their rules and faults. */
#include "config/forms.h"
#include "config/load.h"

#define WORD_MAX     64
#define PATH_MAX_LEN 1024 /* a probe's whole head has 2 KiB */

/* Compiled later, where the language lives; what is remembered is where it stands. */
static bool parse_expression(struct load *l, const struct json *v, struct gw_str text, void *out)
{
    *(struct config_expression *)out = (struct config_expression){gw_arena_dup(l->arena, text), v};
    return true;
}

/* Sent as it stands: whatever could end the request line is refused here. */
static bool parse_path(struct load *l, const struct json *v, struct gw_str text, void *out)
{
    if (text.len > PATH_MAX_LEN)
        return load_fail(l, v, "a path of more than %d bytes; shorten it", PATH_MAX_LEN);
    if (text.ptr[0] != '/')
        return load_fail(l, v, "a path begins with \"/\", such as /api/health");
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.ptr[i] <= ' ' || (unsigned char)text.ptr[i] >= 0x7f ||
            text.ptr[i] == '#')
            return load_fail(l, v, "\"%.*s\" is no path; write special characters as %%XX",
                             GW_STR_ARG(text));
    *(struct gw_str *)out = gw_arena_dup(l->arena, text);
    return true;
}

static bool is_word_char(char c)
{
    return gw_is_digit(c) || (gw_lower(c) >= 'a' && gw_lower(c) <= 'z') || strchr("-_.", c);
}

/* It stands in a path of the admin API and in a label of a metric. */
static bool parse_word(struct load *l, const struct json *v, struct gw_str text, void *out)
{
    bool fits = text.len <= WORD_MAX;
    for (size_t i = 0; i < text.len; i++)
        fits = fits && text.ptr[i] && is_word_char(text.ptr[i]);
    if (!fits)
        return load_fail(
            l, v, "\"%.*s\" is no name; use up to %d letters, digits, \"-\", \"_\" and \".\"",
            GW_STR_ARG(gw_str_first(text, 80)), WORD_MAX);
    *(struct gw_str *)out = gw_arena_dup(l->arena, text);
    return true;
}

const struct schema_form form_expression = {sizeof(struct config_expression), "an expression",
                                            parse_expression};
const struct schema_form form_path = {sizeof(struct gw_str), "a path such as \"/api/health\"",
                                      parse_path};
const struct schema_form form_word = {sizeof(struct gw_str), "a name", parse_word};

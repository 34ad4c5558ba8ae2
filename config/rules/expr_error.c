/* SPDX-License-Identifier: Apache-2.0 */
/* How a refused expression is put into words (spec/rules-language.md sections 6.1 and 6.2). */
#include "config/rules/expr.h"

#include "gateway/base/diag.h"

void expr_error_report(const struct expr_error *err, struct gw_str text, struct gw_buf *out)
{
    unsigned line, column;
    gw_line_column(text, err->offset, &line, &column);
    struct gw_str excerpt = gw_str_from(text, err->offset - (column - 1));
    excerpt = gw_str_first(excerpt, gw_str_chr(excerpt, '\n'));
    size_t left = excerpt.len - gw_min_size(column - 1, excerpt.len);
    size_t carets = gw_min_size(err->width, left);
    gw_buf_printf(out, "Filter parsing error (%u:%u):\n%.*s\n", line, column, GW_STR_ARG(excerpt));
    for (unsigned i = 1; i < column; i++)
        gw_buf_char(out, ' ');
    for (size_t i = 0; i == 0 || i < carets; i++)
        gw_buf_char(out, '^');
    gw_buf_printf(out, " %s\n", err->reason);
}

void expr_error_message(const struct expr_error *err, struct gw_str text, const char *field,
                        struct gw_buf *out)
{
    if (err->kind == EXPR_TOO_LONG || err->kind == EXPR_NOT_ENTITLED) {
        gw_buf_add(out, gw_str_z(err->reason));
        return;
    }
    gw_buf_char(out, '\'');
    gw_buf_add(out, err->kind == EXPR_BLANK ? GW_STR_EMPTY : text);
    gw_buf_printf(out, "' is not a valid value for %s because ", field);
    if (err->kind == EXPR_BLANK) {
        gw_buf_add(out, gw_str_z(err->reason));
        return;
    }
    gw_buf_add(out, GW_STR("could not parse filter expression: "));
    expr_error_report(err, text, out);
}

int expr_error_code(const struct expr_error *err)
{
    switch (err->kind) {
    case EXPR_BLANK:
        return 20125;
    case EXPR_TOO_LONG:
    case EXPR_UNPARSABLE:
        return 20127;
    case EXPR_NOT_ENTITLED:
        break;
    }
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "config/rules/report.h"

#include <stdarg.h>

#include "config/rules/hint.h"

#define MESSAGE_MAX (64 * 1024)

/* A pointer that is too long ends early: a place that is half told is better than none. */
size_t report_enter(struct report *r, struct gw_str member)
{
    size_t back = r->pointer_len;
    int len = snprintf(r->pointer + back, sizeof(r->pointer) - back, "/%.*s", GW_STR_ARG(member));
    r->pointer_len = gw_min_size(back + (size_t)len, sizeof(r->pointer) - 1);
    return back;
}

size_t report_enter_item(struct report *r, size_t index)
{
    char digits[20];
    return report_enter(r, gw_str(digits, gw_u64_digits(digits, index)));
}

void report_leave(struct report *r, size_t back)
{
    r->pointer[back] = '\0';
    r->pointer_len = back;
}

static void tell_api(struct report *r, int code, struct gw_str message)
{
    r->errors++;
    if (!r->options->on_problem)
        return;
    char *text = gw_str_dupz(message);
    struct ruleset_problem problem = {code, r->pointer, text};
    r->options->on_problem(r->options->ctx, &problem);
    free(text);
}

void report_error(struct report *r, const struct json *v, int code, const char *fmt, ...)
{
    struct gw_buf message;
    gw_buf_init(&message, MESSAGE_MAX);
    va_list args;
    va_start(args, fmt);
    gw_buf_vprintf(&message, fmt, args);
    va_end(args);
    json_error(r->doc, v, r->diags, "%.*s", GW_STR_ARG(gw_buf_str(&message)));
    tell_api(r, code, gw_buf_str(&message));
    gw_buf_release(&message);
}

void report_expression(struct report *r, const struct json *v, const struct expr_error *err,
                       const char *field)
{
    struct gw_buf message;
    gw_buf_init(&message, MESSAGE_MAX);
    expr_error_message(err, json_str(v), field, &message);
    size_t start = json_string_offset(r->doc, v, err->offset);
    size_t end = json_string_offset(r->doc, v, err->offset + err->width);
    tell_api(r, expr_error_code(err), gw_buf_str(&message));
    gw_buf_clear(&message);
    gw_buf_add(&message, gw_str_z(err->reason));
    expr_hint(err, json_str(v), &message);
    gw_diag_at(r->diags, GW_DIAG_ERROR, json_source(r->doc), start, end > start ? end - start : 1,
               "%.*s", GW_STR_ARG(gw_buf_str(&message)));
    gw_buf_release(&message);
}

static bool is_known(struct gw_str key, const char *const *known)
{
    for (; *known; known++) {
        if (gw_str_eq(gw_str_z(*known), key))
            return true;
    }
    return false;
}

void report_unknown(struct report *r, const struct json *object, const char *const *known)
{
    for (const struct json *m = json_first(object); m; m = json_next(m)) {
        struct gw_str key = json_key(m);
        if (is_known(key, known))
            continue;
        const char *nearest = gw_nearest(key, known);
        struct gw_buf message;
        gw_buf_init(&message, MESSAGE_MAX);
        gw_buf_printf(&message, "invalid JSON: unknown field \"%.*s\"", GW_STR_ARG(key));
        tell_api(r, REPORT_OTHER, gw_buf_str(&message));
        if (nearest)
            gw_buf_printf(&message, "; did you mean \"%s\"?", nearest);
        json_key_error(r->doc, m, r->diags, "%.*s", GW_STR_ARG(gw_buf_str(&message)));
        gw_buf_release(&message);
    }
}

const struct json *report_member(struct report *r, const struct json *object, const char *key,
                                 enum json_type type)
{
    const struct json *v = json_get(object, key);
    if (!v || json_type(v) == JSON_NULL)
        return NULL;
    if (json_type(v) == type)
        return v;
    size_t back = report_enter(r, gw_str_z(key));
    report_error(r, v, REPORT_OTHER, "\"%s\" must be %s, not %s", key, json_type_name(type),
                 json_type_name(json_type(v)));
    report_leave(r, back);
    return NULL;
}

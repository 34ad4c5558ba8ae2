/* SPDX-License-Identifier: Apache-2.0 */
/* ${VAR}, ${VAR:-default} and ${file:PATH} inside string values. It works on parsed strings, never
 * on the text of the file: what a variable holds cannot add keys to the configuration. */
#include <stdio.h>

#include "config/file.h"
#include "config/load.h"
#include "gateway/base/err.h"

#define VALUE_MAX 65536 /* bytes of one value and of a file in it */

struct expansion {
    struct load *load;
    const struct json *string;
    struct gw_buf out;
    bool missing;
};

/* Reports bytes [at, at + width) of the string. */
static bool report(struct expansion *x, enum gw_severity severity, size_t at, size_t width,
                   const char *text)
{
    size_t from = json_string_offset(x->load->doc, x->string, at);
    size_t to = json_string_offset(x->load->doc, x->string, at + width);
    gw_diag_at(x->load->diags, severity, json_source(x->load->doc), from, to - from, "%s", text);
    return false;
}

/* A secret that is not there. */
static bool report_missing(struct expansion *x, size_t at, size_t width, const char *text)
{
    if (!x->load->lenient_secrets)
        return report(x, GW_DIAG_ERROR, at, width, text);
    report(x, GW_DIAG_WARNING, at, width, text);
    x->missing = true;
    return true;
}

static bool is_name(struct gw_str name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        bool letter = (gw_lower(c) >= 'a' && gw_lower(c) <= 'z') || c == '_';
        if (!letter && !(i > 0 && gw_is_digit(c)))
            return false;
    }
    return name.len > 0;
}

/* Passwords in files end with the line end that editors add: exactly one is dropped. */
static struct gw_str without_line_end(struct gw_str text)
{
    if (gw_str_ends(text, GW_STR("\r\n")))
        return gw_str_first(text, text.len - 2);
    return gw_str_ends(text, GW_STR("\n")) ? gw_str_first(text, text.len - 1) : text;
}

static bool add_file(struct expansion *x, struct gw_str path, size_t at, size_t width)
{
    char message[512];
    struct gw_str name = file_resolve(x->load->arena, x->load->base, path);
    struct gw_buf content;
    gw_buf_init(&content, VALUE_MAX);
    int err = file_read(name.ptr, &content);
    struct gw_str text = without_line_end(gw_buf_str(&content));
    bool ok = false;
    if (err) {
        snprintf(message, sizeof(message), "cannot read \"%s\": %s", name.ptr, gw_strerror(err));
        ok = report_missing(x, at, width, message);
    } else if (gw_str_chr(text, '\0') != GW_NPOS) {
        snprintf(message, sizeof(message), "\"%s\" holds a NUL byte; expected a text", name.ptr);
        report(x, GW_DIAG_ERROR, at, width, message);
    } else {
        gw_buf_add(&x->out, text);
        ok = true;
    }
    gw_buf_release(&content);
    return ok;
}

/* ${VAR:-default} covers unset and empty, as in a shell; the default is taken as it stands. */
static bool add_variable(struct expansion *x, struct gw_str inside, size_t at, size_t width)
{
    char message[512];
    size_t split = gw_str_find(inside, GW_STR(":-"));
    struct gw_str name = split == GW_NPOS ? inside : gw_str_first(inside, split);
    if (!is_name(name)) {
        snprintf(message, sizeof(message),
                 "\"%.*s\" is no variable name; expected ${NAME}, ${NAME:-default} or "
                 "${file:PATH} (a literal \"${\" is written \"$${\")",
                 (int)gw_min_size(name.len, 80), name.ptr);
        return report(x, GW_DIAG_ERROR, at, width, message);
    }
    char *name_z = gw_str_dupz(name);
    const char *value = getenv(name_z);
    free(name_z);
    if (split != GW_NPOS && (!value || !*value)) {
        gw_buf_add(&x->out, gw_str_from(inside, split + 2));
        return true;
    }
    if (value) {
        gw_buf_add(&x->out, gw_str_z(value));
        return true;
    }
    snprintf(message, sizeof(message),
             "the environment variable %.*s is not set; set it, or give a default with "
             "${%.*s:-default}",
             GW_STR_ARG(name), GW_STR_ARG(name));
    return report_missing(x, at, width, message);
}

static bool expand_one(struct expansion *x, struct gw_str raw, size_t at, size_t *end)
{
    size_t close = gw_str_chr(gw_str_from(raw, at), '}');
    if (close == GW_NPOS)
        return report(x, GW_DIAG_ERROR, at, 2, "this \"${\" is never closed; expected \"}\"");
    *end = at + close + 1;
    struct gw_str inside = gw_str(raw.ptr + at + 2, close - 2);
    if (gw_str_starts(inside, GW_STR("file:")))
        return add_file(x, gw_str_from(inside, 5), at, close + 1);
    return add_variable(x, inside, at, close + 1);
}

/* One pass: what a variable or file brings is not looked at again, so that a "${" in a password is
 * two bytes of it. */
static bool expand_all(struct expansion *x, struct gw_str raw)
{
    size_t at = 0;
    while (at < raw.len) {
        struct gw_str rest = gw_str_from(raw, at);
        size_t dollar = gw_min_size(gw_str_chr(rest, '$'), rest.len);
        gw_buf_add(&x->out, gw_str_first(rest, dollar));
        at += dollar;
        rest = gw_str_from(raw, at);
        if (gw_str_starts(rest, GW_STR("$${"))) {
            gw_buf_add(&x->out, GW_STR("${"));
            at += 3;
        } else if (gw_str_starts(rest, GW_STR("${"))) {
            if (!expand_one(x, raw, at, &at))
                return false;
        } else if (rest.len) {
            gw_buf_char(&x->out, '$');
            at++;
        }
    }
    if (x->out.overflow)
        return report(x, GW_DIAG_ERROR, 0, raw.len, "this value is longer than 64 KiB");
    return true;
}

bool load_expand(struct load *l, const struct json *v, struct expanded *out)
{
    struct gw_str raw = json_str(v);
    struct expansion x = {.load = l, .string = v};
    gw_buf_init(&x.out, VALUE_MAX);
    bool ok = true;
    if (l->verbatim)
        gw_buf_add(&x.out, raw);
    else
        ok = expand_all(&x, raw);
    if (ok) {
        struct gw_str text = gw_buf_str(&x.out);
        out->text = gw_str(gw_arena_dupz(l->arena, text), text.len);
        out->literal = l->verbatim || gw_str_find(raw, GW_STR("${")) == GW_NPOS;
        out->missing = x.missing;
    }
    gw_buf_release(&x.out);
    return ok;
}

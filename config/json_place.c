/* SPDX-License-Identifier: Apache-2.0 */
/* Places of values: the text is walked in step with the tree until the wanted value comes by. Only
 * messages need this, so that nothing is stored for it. */
#include <stdarg.h>
#include <stdio.h>

#include "config/json.h"
#include "config/json_check.h"

#define MESSAGE_MAX 1024

struct span {
    size_t offset, width;
};

struct walk {
    struct gw_str text;
    size_t at;
    const struct json *wanted;
    struct span key, value; /* of the wanted value; its key is the last one passed */
};

static bool walk_value(struct walk *w, const struct json *v);

static size_t skip_scalar(struct gw_str text, size_t at)
{
    if (text.ptr[at] == '"')
        return json_skip_string(text, at);
    while (at < text.len && !strchr(",]} \t\r\n/", text.ptr[at]))
        at++;
    return at;
}

static void walk_key(struct walk *w)
{
    w->at = json_skip_space(w->text, w->at);
    size_t end = json_skip_string(w->text, w->at);
    w->key = (struct span){w->at, end - w->at};
    w->at = json_skip_space(w->text, end) + 1; /* the colon */
}

/* True when the wanted value was found: the walk ends. */
static bool walk_children(struct walk *w, const struct json *v, bool with_keys)
{
    w->at++;
    for (const struct json *child = json_first(v); child; child = json_next(child)) {
        if (with_keys)
            walk_key(w);
        if (walk_value(w, child))
            return true;
        w->at = json_skip_space(w->text, w->at);
        w->at += w->text.ptr[w->at] == ',';
    }
    w->at = json_skip_space(w->text, w->at) + 1;
    return false;
}

static bool walk_value(struct walk *w, const struct json *v)
{
    w->at = json_skip_space(w->text, w->at);
    size_t start = w->at;
    struct span key = w->key;
    enum json_type type = json_type(v);
    if (type != JSON_OBJECT && type != JSON_ARRAY)
        w->at = skip_scalar(w->text, w->at);
    else if (walk_children(w, v, type == JSON_OBJECT))
        return true;
    if (v != w->wanted)
        return false;
    w->key = key;
    w->value = (struct span){start, w->at - start};
    return true;
}

static struct walk find(const struct json_doc *doc, const struct json *v)
{
    struct walk w = {.text = json_source(doc)->text, .wanted = v};
    walk_value(&w, json_root(doc));
    return w;
}

void json_place(const struct json_doc *doc, const struct json *v, size_t *offset, size_t *width)
{
    struct walk w = find(doc, v);
    *offset = w.value.offset;
    *width = w.value.width;
}

void json_key_place(const struct json_doc *doc, const struct json *member, size_t *offset,
                    size_t *width)
{
    struct walk w = find(doc, member);
    *offset = w.key.offset;
    *width = w.key.width;
}

/* Lengths of one character of a string: in the text and, decoded to UTF-8, in memory. */
static void measure(struct gw_str text, size_t at, size_t *written, size_t *decoded)
{
    *written = *decoded = 1;
    if (text.ptr[at] != '\\')
        return;
    *written = 2;
    unsigned code;
    if (text.ptr[at + 1] != 'u' || !json_hex4(text, at + 2, &code))
        return;
    bool pair = code >= 0xd800 && code < 0xe000;
    *written = pair ? 12 : 6;
    *decoded = pair ? 4 : code < 0x80 ? 1 : code < 0x800 ? 2 : 3;
}

size_t json_string_offset(const struct json_doc *doc, const struct json *string, size_t at)
{
    struct walk w = find(doc, string);
    size_t offset = w.value.offset + 1, passed = 0;
    size_t end = w.value.offset + w.value.width - 1;
    while (offset < end) {
        size_t written, decoded;
        measure(w.text, offset, &written, &decoded);
        if (passed + decoded > at)
            break;
        passed += decoded;
        offset += written;
    }
    return offset;
}

/* The caret line shows one line: a value over several lines is marked up to the end of its first.
 */
static struct span first_line(struct gw_str text, struct span s)
{
    size_t end = gw_str_chr(gw_str(text.ptr + s.offset, s.width), '\n');
    return (struct span){s.offset, end == GW_NPOS ? s.width : end};
}

struct place {
    const struct json_doc *doc;
    const struct json *value;
    bool at_key;
};

static GW_PRINTF(4, 0) void message(struct place p, enum gw_severity severity,
                                    struct gw_diags *diags, const char *fmt, va_list args)
{
    char text[MESSAGE_MAX];
    vsnprintf(text, sizeof(text), fmt, args);
    /* A message that is only counted needs no place: a large file with a fault in every line would
     * take quadratic time. */
    struct walk w = {0};
    if (diags->count < GW_DIAG_MAX)
        w = find(p.doc, p.value);
    const struct gw_source *source = json_source(p.doc);
    struct span s = first_line(source->text, p.at_key ? w.key : w.value);
    gw_diag_at(diags, severity, source, s.offset, s.width, "%s", text);
}

void json_error(const struct json_doc *doc, const struct json *v, struct gw_diags *diags,
                const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    message((struct place){doc, v, false}, GW_DIAG_ERROR, diags, fmt, args);
    va_end(args);
}

void json_warn(const struct json_doc *doc, const struct json *v, struct gw_diags *diags,
               const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    message((struct place){doc, v, false}, GW_DIAG_WARNING, diags, fmt, args);
    va_end(args);
}

void json_key_error(const struct json_doc *doc, const struct json *member, struct gw_diags *diags,
                    const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    message((struct place){doc, member, true}, GW_DIAG_ERROR, diags, fmt, args);
    va_end(args);
}

void json_unknown_keys(const struct json_doc *doc, const struct json *object,
                       const char *const *known, struct gw_diags *diags)
{
    for (const struct json *member = json_first(object); member; member = json_next(member)) {
        struct gw_str key = json_key(member);
        const char *const *name = known;
        while (*name && !gw_str_eq(key, gw_str_z(*name)))
            name++;
        if (*name)
            continue;
        const char *nearest = gw_nearest(key, known);
        if (nearest)
            json_key_error(doc, member, diags, "unknown key \"%.*s\"; did you mean \"%s\"?",
                           GW_STR_ARG(key), nearest);
        else
            json_key_error(doc, member, diags, "unknown key \"%.*s\"", GW_STR_ARG(key));
    }
}

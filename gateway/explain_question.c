/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/explain_question.h"

#define HEADERS_MAX 256
#define COOKIES_MAX ((size_t)64 * 1024)

static const char *const own_members[] = {"url",  "method",  "headers",     "cookies",    "ip",
                                          "edge", "country", "tls_version", "tls_cipher", NULL};
static const char *const trace_members[] = {
    "url", "method", "headers", "cookies", "protocol", "body", "skip_response", "context", NULL};

/* `what` is the member's name. */
static bool fail(struct explain_asked *a, const struct json *v, const char *what,
                 const char *should)
{
    a->wrong = v;
    snprintf(a->error, sizeof(a->error), "\"%s\" %s", what, should);
    return false;
}

static bool check_members(struct explain_asked *a, const struct json *root,
                          const char *const *known)
{
    for (const struct json *m = json_first(root); m; m = json_next(m)) {
        const char *const *k = known;
        while (*k && !gw_str_eq(gw_str_z(*k), json_key(m)))
            k++;
        if (*k)
            continue;
        a->wrong = m;
        snprintf(a->error, sizeof(a->error), "invalid JSON: unknown field \"%.*s\"",
                 (int)gw_min_size(json_key(m).len, 64), json_key(m).ptr);
        return false;
    }
    return true;
}

static bool read_text(struct explain_asked *a, const struct json *root, const char *name,
                      struct gw_str *out)
{
    const struct json *v = json_get(root, name);
    if (v && json_type(v) != JSON_STRING)
        return fail(a, v, name, "must be a string");
    *out = v ? json_str(v) : GW_STR_EMPTY;
    return true;
}

/* {"name": "value"}, or a list of values for a field that stands several times. */
static bool read_headers(struct explain_asked *a, const struct json *object)
{
    static const char should[] = "must be an object of strings or lists of strings";
    if (object && json_type(object) != JSON_OBJECT)
        return fail(a, object, "headers", should);
    for (const struct json *h = object ? json_first(object) : NULL; h; h = json_next(h)) {
        bool list = json_type(h) == JSON_ARRAY;
        for (const struct json *v = list ? json_first(h) : h; v; v = list ? json_next(v) : NULL)
            if (json_type(v) != JSON_STRING || !headers_add(&a->headers, json_key(h), json_str(v)))
                return fail(a, object, "headers", should);
    }
    return true;
}

static bool read_cookies(struct explain_asked *a, const struct json *object, struct gw_arena *arena)
{
    struct gw_buf line;
    if (!object)
        return true;
    if (json_type(object) != JSON_OBJECT)
        return fail(a, object, "cookies", "must be an object of strings");
    gw_buf_init(&line, COOKIES_MAX);
    for (const struct json *c = json_first(object); c; c = json_next(c)) {
        gw_buf_add(&line, line.len ? GW_STR("; ") : GW_STR_EMPTY);
        gw_buf_add(&line, json_key(c));
        gw_buf_char(&line, '=');
        gw_buf_add(&line, json_str(c));
    }
    bool good = !line.overflow &&
                headers_add(&a->headers, GW_STR("Cookie"), gw_arena_dup(arena, gw_buf_str(&line)));
    gw_buf_release(&line);
    return good || fail(a, object, "cookies", "are too large");
}

static bool read_ip(struct explain_asked *a, const struct json *root)
{
    struct gw_str text;
    if (!read_text(a, root, "ip", &text))
        return false;
    return !text.len || gw_ip_parse(text, &a->question.ip) ||
           fail(a, json_get(root, "ip"), "ip", "must be an IP address");
}

bool explain_question_read(struct explain_asked *a, const struct json *object,
                           enum explain_form form, struct gw_arena *arena)
{
    struct explain_question *q = &a->question;
    bool trace = form == EXPLAIN_FORM_TRACE;
    const struct json *place = trace ? json_get(json_get(object, "context"), "geoloc") : object;
    headers_init(&a->headers, arena, HEADERS_MAX);
    q->headers = &a->headers;
    a->wrong = object;
    if (json_type(object) != JSON_OBJECT) {
        snprintf(a->error, sizeof(a->error), "invalid JSON: an object is expected");
        return false;
    }
    if (!check_members(a, object, trace ? trace_members : own_members) ||
        !read_text(a, object, "url", &q->url) || !read_text(a, object, "method", &q->method) ||
        !read_text(a, object, "edge", &q->edge) || !read_ip(a, object) ||
        !read_text(a, object, "tls_version", &q->tls.version) ||
        !read_text(a, object, "tls_cipher", &q->tls.cipher) ||
        !read_text(a, place, trace ? "iso_code" : "country", &q->country) ||
        !read_headers(a, json_get(object, "headers")) ||
        !read_cookies(a, json_get(object, "cookies"), arena))
        return false;
    if (!q->url.len)
        return fail(a, object, "url", "is required");
    return !trace || q->method.len || fail(a, object, "method", "is required");
}

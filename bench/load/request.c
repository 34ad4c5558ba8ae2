/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/load/request.h"

#include "gateway/http/headers.h"

#define HEAD_MAX  ((size_t)128 << 10)
#define PAIRS_MAX 256

/* The fields of one head on their way: a later one of the same name replaces the value. */
struct fields {
    struct load_pair list[PAIRS_MAX];
    size_t count;
};

static void set(struct fields *f, struct gw_str name, struct gw_str value)
{
    size_t i = 0;
    while (i < f->count && !gw_str_ieq(f->list[i].name, name))
        i++;
    if (i == PAIRS_MAX)
        return;
    f->list[i] = (struct load_pair){name, value};
    f->count += i == f->count;
}

static void set_all(struct fields *f, const struct load_pairs *pairs)
{
    for (size_t i = 0; i < pairs->count; i++)
        set(f, pairs->items[i].name, pairs->items[i].value);
}

/* The texts were checked when they were read. */
static void add(struct template *t, struct gw_str text)
{
    struct template_mistake mistake;
    bool fine = template_add(t, text, &mistake);
    (void)fine;
}

static void add_field(struct template *t, struct gw_str name, struct gw_str value)
{
    template_literal(t, name);
    template_literal(t, GW_STR(": "));
    add(t, value);
    template_literal(t, GW_STR("\r\n"));
}

/* One line: RFC 6265 section 5.4 forbids a second one. `given` is a Cookie header of the command
 * line. */
static void add_cookies(struct template *t, const struct fields *cookies, struct gw_str given)
{
    if (given.len || cookies->count)
        template_literal(t, GW_STR("Cookie: "));
    add(t, given);
    for (size_t i = 0; i < cookies->count; i++) {
        template_literal(t, i || given.len ? GW_STR("; ") : GW_STR_EMPTY);
        template_literal(t, cookies->list[i].name);
        template_literal(t, GW_STR("="));
        add(t, cookies->list[i].value);
    }
    if (given.len || cookies->count)
        template_literal(t, GW_STR("\r\n"));
}

static void collect(const struct load_plan *plan, const struct load_request *r,
                    const struct identity_group *g, struct fields *f)
{
    set(f, GW_STR("User-Agent"), GW_STR("nearedge-load"));
    set(f, GW_STR("Accept"), GW_STR("*/*"));
    if (g->has_address)
        set(f, GW_STR("CF-Connecting-IP"), GW_STR("${ip}"));
    if (g->edge_count)
        set(f, GW_STR("X-Nearedge-Edge"), GW_STR("${edge}"));
    if (g->isolates)
        set(f, GW_STR("X-Nearedge-Isolate"), GW_STR("${isolate}"));
    if (r->content_type.len)
        set(f, GW_STR("Content-Type"), r->content_type);
    if (r->csrf_cookie.len) {
        set(f, r->csrf_header, GW_STR("${csrf}"));
        set(f, GW_STR("Origin"), r->csrf_origin.len ? r->csrf_origin : plan->origin);
    }
    set_all(f, &plan->headers);
    set_all(f, &g->headers);
    set_all(f, &r->headers);
}

static void add_length(struct template *t, const struct load_request *r)
{
    char digits[20];
    template_literal(t, GW_STR("Content-Length: "));
    if (template_is_fixed(&r->body))
        template_literal(t, gw_str(digits, gw_u64_digits(digits, r->body.text.len)));
    else
        template_variable(t, TEMPLATE_LENGTH);
    template_literal(t, GW_STR("\r\n"));
}

/* RFC 9110 section 8.6: these methods say so when there is none. */
static bool expects_body(enum http_method method)
{
    return method == METHOD_POST || method == METHOD_PUT || method == METHOD_PATCH;
}

static void compile_head(const struct load_plan *plan, const struct load_request *r,
                         const struct identity_group *g, struct template *t)
{
    struct fields *f = gw_zalloc(2 * sizeof(*f)), *cookies = f + 1;
    struct gw_str given = GW_STR_EMPTY;
    template_init(t, HEAD_MAX);
    template_literal(t, r->method);
    template_literal(t, GW_STR(" "));
    add(t, r->path);
    template_literal(t, GW_STR(" HTTP/1.1\r\n"));
    add_field(t, GW_STR("Host"), plan->host_header);
    collect(plan, r, g, f);
    for (size_t i = 0; i < f->count; i++)
        if (gw_str_ieq(f->list[i].name, GW_STR("Cookie")))
            given = f->list[i].value;
        else
            add_field(t, f->list[i].name, f->list[i].value);
    set_all(cookies, &g->cookies);
    set_all(cookies, &r->cookies);
    if (r->csrf_cookie.len)
        set(cookies, r->csrf_cookie, GW_STR("${csrf}"));
    add_cookies(t, cookies, given);
    if (r->has_body || expects_body(r->method_id))
        add_length(t, r);
    template_literal(t, GW_STR("\r\n"));
    free(f);
}

void load_request_compile(const struct load_plan *plan, struct load_request *r)
{
    r->heads = gw_zalloc(plan->group_count * sizeof(*r->heads));
    for (size_t g = 0; g < plan->group_count; g++)
        compile_head(plan, r, &plan->groups[g], &r->heads[g]);
}

void load_request_render(const struct load_request *r, size_t group, struct template_values *values,
                         struct gw_buf *out, struct gw_buf *body)
{
    bool fixed = template_is_fixed(&r->body);
    if (!fixed) {
        gw_buf_clear(body);
        template_render(&r->body, values, body);
        values->length = body->len;
    }
    template_render(&r->heads[group], values, out);
    gw_buf_add(out, fixed ? gw_buf_str(&r->body.text) : gw_buf_str(body));
}

static bool check(struct gw_str text, bool path, struct template_mistake *m)
{
    struct template t;
    template_init(&t, HEAD_MAX);
    bool fine = template_add(&t, text, m);
    template_release(&t);
    for (size_t i = 0; fine && i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if (c >= 0x20 && c != 0x7f && !(path && c == ' '))
            continue;
        *m = (struct template_mistake){.at = i, .width = 1};
        snprintf(m->text, sizeof(m->text), "byte 0x%02x cannot stand in a %s", c,
                 path ? "request target" : "header");
        fine = false;
    }
    return fine;
}

bool load_request_check_value(struct gw_str text, struct template_mistake *mistake)
{
    return check(text, false, mistake);
}

bool load_request_check_path(struct gw_str text, struct template_mistake *mistake)
{
    if (text.len && text.ptr[0] == '/')
        return check(text, true, mistake);
    *mistake = (struct template_mistake){.width = gw_min_size(text.len, 1)};
    snprintf(mistake->text, sizeof(mistake->text), "a path begins with \"/\"");
    return false;
}

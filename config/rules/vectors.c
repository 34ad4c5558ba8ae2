/* SPDX-License-Identifier: Apache-2.0 */
#include "config/rules/vectors.h"

#include "config/json.h"
#include "config/rules/expr.h"
#include "gateway/http/headers.h"

#define HEADERS_MAX 1000

struct run {
    FILE *out;
    struct rules_vectors_totals *totals;
};

/* One vector made ready: its request, its lists, the memory of both. */
struct scene {
    struct gw_arena arena;
    struct headers headers;
    struct rules_request request;
    struct rules_lists *lists;
};

static struct gw_str text(const struct json *object, const char *key)
{
    const struct json *v = json_get(object, key);
    return v ? json_str(v) : GW_STR_EMPTY;
}

static void add_header(struct scene *scene, struct gw_str name, struct gw_str value)
{
    (void)!headers_add(&scene->headers, name, value);
}

/* A value, or an array of values for a repeated line. */
static void add_headers(struct scene *scene, const struct json *object)
{
    for (const struct json *h = json_first(object); h; h = json_next(h)) {
        if (json_type(h) != JSON_ARRAY)
            add_header(scene, json_key(h), json_str(h));
        for (const struct json *v = json_type(h) == JSON_ARRAY ? json_first(h) : NULL; v;
             v = json_next(v))
            add_header(scene, json_key(h), json_str(v));
    }
}

static void add_cookies(struct scene *scene, const struct json *object)
{
    for (const struct json *c = json_first(object); c; c = json_next(c)) {
        struct gw_buf pair;
        gw_buf_init(&pair, 8192);
        gw_buf_add(&pair, json_key(c));
        gw_buf_char(&pair, '=');
        gw_buf_add(&pair, json_str(c));
        add_header(scene, GW_STR("Cookie"), gw_arena_dup(&scene->arena, gw_buf_str(&pair)));
        gw_buf_release(&pair);
    }
}

static void add_lists(struct scene *scene, const struct json *lists)
{
    for (const struct json *list = json_first(lists); list; list = json_next(list)) {
        for (const struct json *item = json_first(list); item; item = json_next(item))
            (void)!rules_lists_add(scene->lists, json_key(list), json_str(item));
    }
}

static void scene_init(struct scene *scene, const struct json *vector)
{
    const struct json *request = json_get(vector, "request");
    struct rules_request *r = &scene->request;
    gw_arena_init(&scene->arena, NULL, 0, 0);
    headers_init(&scene->headers, &scene->arena, HEADERS_MAX);
    scene->lists = rules_lists_new();
    rules_request_init(r, &scene->arena);
    r->method = text(request, "method");
    r->host = text(request, "host");
    r->path = text(request, "path");
    r->query = text(request, "query");
    r->country = text(request, "country");
    r->https = gw_str_eq(text(request, "scheme"), GW_STR("https"));
    r->headers = &scene->headers;
    (void)!gw_ip_parse(text(request, "ip"), &r->client_ip);
    add_headers(scene, json_get(request, "headers"));
    add_cookies(scene, json_get(request, "cookies"));
    add_lists(scene, json_get(vector, "lists"));
}

static void scene_release(struct scene *scene)
{
    rules_lists_free(scene->lists);
    gw_arena_clear(&scene->arena);
}

static const char *word(const struct json *expect)
{
    if (json_type(expect) == JSON_BOOL)
        return json_bool(expect) ? "true" : "false";
    return gw_str_eq(json_str(expect), GW_STR("error")) ? "error" : "(not true, false or error)";
}

/* Everything anew for each vector: lists belong to it, and compiled expressions point into them. */
static void judge(struct run *run, const struct json *vector, const struct json *expect,
                  bool missing_ne)
{
    struct scene scene;
    struct expr_error err;
    scene_init(&scene, vector);
    struct expr_options options = {.plan = CONFIG_PLAN_ENTERPRISE,
                                   .phase = RULES_CACHE_REQUEST,
                                   .lists = scene.lists,
                                   .missing_ne = missing_ne};
    struct expr *e = expr_compile(text(vector, "expression"), &options, &err);
    const char *got = !e ? "error" : expr_eval(e, &scene.request) ? "true" : "false";
    const char *want = word(expect);
    bool passed = strcmp(got, want) == 0;
    run->totals->passed += passed;
    run->totals->failed += !passed;
    if (!passed && run->out)
        fprintf(run->out, "%.*s: expected %s, got %s%s%s\n    %.*s\n    %.*s\n",
                GW_STR_ARG(text(vector, "id")), want, got, e ? "" : ": ", e ? "" : err.reason,
                GW_STR_ARG(text(vector, "why")), GW_STR_ARG(text(vector, "expression")));
    expr_free(e);
    scene_release(&scene);
}

static bool check(const struct json_doc *doc, const struct json *vector, struct gw_diags *diags)
{
    const struct json *expression = json_get(vector, "expression");
    if (json_type(vector) == JSON_OBJECT && expression && json_type(expression) == JSON_STRING &&
        json_get(vector, "request") && json_get(vector, "expect"))
        return true;
    json_error(doc, vector, diags, "a vector needs \"expression\", \"request\" and \"expect\"");
    return false;
}

int rules_vectors_run(const char *path, FILE *out, struct rules_vectors_totals *totals,
                      struct gw_diags *diags)
{
    struct json_doc *doc = json_read(path, path, diags);
    struct run run = {out, totals};
    if (!doc)
        return -1;
    const struct json *root = json_root(doc);
    int rc = json_type(root) == JSON_ARRAY ? 0 : -1;
    if (rc)
        json_error(doc, root, diags, "a vector file is an array of vectors");
    for (const struct json *v = rc ? NULL : json_first(root); v; v = json_next(v)) {
        if (!check(doc, v, diags)) {
            rc = -1;
            continue;
        }
        judge(&run, v, json_get(v, "expect"), false);
        if (json_get(v, "expect_if_nil_ne_is_true"))
            judge(&run, v, json_get(v, "expect_if_nil_ne_is_true"), true);
    }
    json_doc_free(doc);
    return rc;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "config/json.h"
#include "config/sections.h"
#include "limiter/policy_file.h"

#define WINDOW_MAX_MS INT64_C(2678400000) /* 31 days */
#define LIMIT_MAX     INT64_C(1000000000)
#define REDIRECT_MAX  2048

struct load {
    struct limiter_policy *policy;
    const struct json_doc *doc;
    struct gw_diags *diags;
    const struct json **route_json; /* the text of routes[i], for the check of reach */
};

struct choice {
    const char *name;
    int value;
};

static const struct choice stores[] = {/* in the order of their enum */
                                       {"durable_object", LIMITER_DURABLE_OBJECT},
                                       {"memory", LIMITER_MEMORY},
                                       {"kv", LIMITER_KV},
                                       {"binding", LIMITER_BINDING},
                                       {NULL, 0}};
static const struct choice modes[] = {
    {"enforce", LIMITER_ENFORCE}, {"shadow", LIMITER_SHADOW}, {"off", LIMITER_OFF}, {NULL, 0}};
static const struct choice write_limits[] = {{"strict", CONFIG_KV_STRICT},
                                             {"token_bucket", CONFIG_KV_TOKEN_BUCKET},
                                             {"off", CONFIG_KV_OFF},
                                             {NULL, 0}};

/* ---- typed members; each reports what is wrong and then answers its default ---- */

static const struct json *member(struct load *l, const struct json *object, const char *key,
                                 enum json_type type)
{
    const struct json *v = json_get(object, key);
    if (!v || json_type(v) == type)
        return v;
    json_error(l->doc, v, l->diags, "\"%s\" must be %s, not %s", key, json_type_name(type),
               json_type_name(json_type(v)));
    return NULL;
}

static struct gw_str text_of(struct load *l, const struct json *object, const char *key)
{
    const struct json *v = member(l, object, key, JSON_STRING);
    return v ? gw_str_z(gw_arena_dupz(&l->policy->arena, json_str(v))) : GW_STR_EMPTY;
}

static int64_t integer_of(struct load *l, const struct json *object, const char *key, int64_t min,
                          int64_t max, int64_t otherwise)
{
    const struct json *v = json_get(object, key);
    int64_t value;
    if (!v)
        return otherwise;
    if (json_int(v, min, max, &value))
        return value;
    json_error(l->doc, v, l->diags, "\"%s\" must be a whole number from %lld to %lld", key,
               (long long)min, (long long)max);
    return otherwise;
}

static int flag_of(struct load *l, const struct json *object, const char *key, int otherwise)
{
    const struct json *v = member(l, object, key, JSON_BOOL);
    return v ? json_bool(v) : otherwise;
}

static int choice_at(struct load *l, const struct json *v, const char *what,
                     const struct choice *choices, int otherwise)
{
    const char *names[8] = {NULL};
    for (size_t i = 0; choices[i].name; i++) {
        if (gw_str_eq(json_str(v), gw_str_z(choices[i].name)))
            return choices[i].value;
        names[i] = choices[i].name;
    }
    const char *nearest = gw_nearest(json_str(v), names);
    json_error(l->doc, v, l->diags, "unknown %s; did you mean \"%s\"?", what,
               nearest ? nearest : names[0]);
    return otherwise;
}

static int choice_of(struct load *l, const struct json *object, const char *key,
                     const struct choice *choices, int otherwise)
{
    const struct json *v = member(l, object, key, JSON_STRING);
    return v ? choice_at(l, v, key, choices, otherwise) : otherwise;
}

static bool require(struct load *l, const struct json *object, const char *key)
{
    if (json_get(object, key))
        return true;
    json_error(l->doc, object, l->diags, "\"%s\" is missing", key);
    return false;
}

/* ---- limiters ---- */

static bool name_is_good(struct gw_str name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = gw_lower(name.ptr[i]);
        if (!gw_is_digit(c) && !(c >= 'a' && c <= 'z') && c != '.' && c != '_' && c != '-')
            return false;
    }
    return name.len > 0 && name.len <= LIMITER_NAME_MAX;
}

static void load_name(struct load *l, const struct json *object, struct limiter *limiter)
{
    if (!require(l, object, "name"))
        return;
    limiter->name = text_of(l, object, "name");
    const struct json *v = json_get(object, "name");
    if (json_type(v) != JSON_STRING)
        return;
    if (!name_is_good(limiter->name))
        json_error(l->doc, v, l->diags,
                   "a limiter's name has 1 to %d letters, digits, \".\", \"_\" and \"-\"",
                   LIMITER_NAME_MAX);
    else if (gw_map_get(&l->policy->by_name, limiter->name))
        json_error(l->doc, v, l->diags, "there is a limiter \"%s\" already", limiter->name.ptr);
    else
        gw_map_put(&l->policy->by_name, limiter->name, limiter);
}

static void load_key(struct load *l, const struct json *object, struct limiter *limiter)
{
    const struct json *v = member(l, object, "key", JSON_STRING);
    struct limiter_key_error error;
    limiter->key = limiter_key_compile(v ? json_str(v) : GW_STR("${ip}:${user}"), &error);
    if (limiter->key)
        return;
    size_t from = json_string_offset(l->doc, v, error.at);
    size_t to = json_string_offset(l->doc, v, error.at + error.width);
    gw_diag_at(l->diags, GW_DIAG_ERROR, json_source(l->doc), from, to - from, "%s", error.message);
}

/* "compare": the stores that judge beside the limiter's own. That one may be named, too: lists are
 * easier to keep when they are the same for all. */
static uint32_t load_compare(struct load *l, const struct json *object)
{
    const struct json *list = member(l, object, "compare", JSON_ARRAY);
    uint32_t compare = 0;
    for (const struct json *v = json_first(list); v; v = json_next(v)) {
        int store = choice_at(l, v, "store in \"compare\"", stores, -1);
        if (store >= 0 && compare & UINT32_C(1) << store)
            json_warn(l->doc, v, l->diags, "this store is named already");
        compare |= store < 0 ? 0 : UINT32_C(1) << store;
    }
    if (list && json_count(list) == 0)
        json_error(l->doc, list, l->diags,
                   "no store is listed: leave \"compare\" out to compare nothing");
    return compare;
}

/* What a store cannot do, be it the limiter's own or one that judges beside it. */
static void check_stores(struct load *l, const struct json *object, const struct limiter *limiter)
{
    const struct json *window = json_get(object, "window_ms"), *kv = json_get(object, "kv");
    uint32_t judging = limiter->compare | UINT32_C(1) << limiter->store;
    if (window && judging & UINT32_C(1) << LIMITER_BINDING && limiter->rule.window_ms != 10000 &&
        limiter->rule.window_ms != 60000)
        json_error(l->doc, window, l->diags, "a binding counts over 10000 or 60000 ms");
    if (kv && !(judging & UINT32_C(1) << LIMITER_KV))
        json_warn(l->doc, kv, l->diags, "\"kv\" has no effect: this limiter's store is \"%s\"",
                  stores[limiter->store].name);
    if (limiter->compare && limiter->mode == LIMITER_OFF)
        json_warn(l->doc, json_get(object, "compare"), l->diags,
                  "nothing is compared: the limiter's mode is \"off\"");
}

static struct limiter_kv load_kv(struct load *l, const struct json *object)
{
    static const char *const known[] = {"cache_ttl_s",    "negative_cache",
                                        "read_ms",        "write_ms",
                                        "propagation_ms", "write_limit",
                                        "seed",           "writes_per_key_per_second",
                                        "clamp_ttl",      NULL};
    const struct json *kv = member(l, object, "kv", JSON_OBJECT);
    if (kv)
        json_unknown_keys(l->doc, kv, known, l->diags);
    return (struct limiter_kv){
        .cache_ttl_s = integer_of(l, kv, "cache_ttl_s", 30, 86400, -1),
        .read_ms = integer_of(l, kv, "read_ms", 0, 3600000, -1),
        .write_ms = integer_of(l, kv, "write_ms", 0, 3600000, -1),
        .propagation_ms = integer_of(l, kv, "propagation_ms", 0, 3600000, -1),
        .seed = integer_of(l, kv, "seed", 0, UINT32_MAX, -1),
        .writes_per_key_per_second = integer_of(l, kv, "writes_per_key_per_second", 1, 1000000, -1),
        .negative_cache = flag_of(l, kv, "negative_cache", -1),
        .clamp_ttl = flag_of(l, kv, "clamp_ttl", 1),
        .write_limit = kv ? choice_of(l, kv, "write_limit", write_limits, -1) : -1,
    };
}

static void load_limiter(struct load *l, const struct json *object, struct limiter *limiter)
{
    static const char *const known[] = {"name", "limit", "window_ms", "store", "key",
                                        "mode", "kv",    "compare",   NULL};
    json_unknown_keys(l->doc, object, known, l->diags);
    load_name(l, object, limiter);
    if (require(l, object, "limit"))
        limiter->rule.limit = (uint32_t)integer_of(l, object, "limit", 1, LIMIT_MAX, 1);
    if (require(l, object, "window_ms"))
        limiter->rule.window_ms = (uint64_t)integer_of(l, object, "window_ms", 1, WINDOW_MAX_MS, 1);
    limiter->store =
        (enum limiter_store)choice_of(l, object, "store", stores, LIMITER_DURABLE_OBJECT);
    limiter->mode = (enum limiter_mode)choice_of(l, object, "mode", modes, LIMITER_ENFORCE);
    load_key(l, object, limiter);
    limiter->kv = load_kv(l, object);
    limiter->compare = load_compare(l, object);
    check_stores(l, object, limiter);
}

/* ---- routes ---- */

static uint32_t load_methods(struct load *l, const struct json *object)
{
    const struct json *list = member(l, object, "methods", JSON_ARRAY);
    if (!list)
        return UINT32_MAX;
    uint32_t methods = 0;
    for (const struct json *v = json_first(list); v; v = json_next(v)) {
        enum http_method method = http_method_of(json_str(v));
        if (method == METHOD_OTHER)
            json_error(l->doc, v, l->diags,
                       "not a method this limiter can tell apart; methods are upper case");
        methods |= UINT32_C(1) << method;
    }
    if (json_count(list) == 0)
        json_error(l->doc, list, l->diags,
                   "no method is listed: leave \"methods\" out to match all of them");
    return methods;
}

static bool load_path(struct load *l, const struct json *object, struct limiter_route *route)
{
    const struct json *v =
        require(l, object, "path") ? member(l, object, "path", JSON_STRING) : NULL;
    if (!v)
        return false;
    route->path = text_of(l, object, "path");
    size_t at;
    const char *wrong = route_pattern_error(route->path, &at);
    if (wrong)
        gw_diag_at(l->diags, GW_DIAG_ERROR, json_source(l->doc), json_string_offset(l->doc, v, at),
                   1, "%s", wrong);
    return !wrong;
}

static void unknown_limiter(struct load *l, const struct json *v)
{
    const struct limiter_policy *policy = l->policy;
    const char *names[LIMITERS_MAX + 1];
    size_t count = 0;
    for (size_t i = 0; i < policy->limiter_count; i++)
        if (policy->limiters[i].name.len)
            names[count++] = policy->limiters[i].name.ptr;
    names[count] = NULL;
    const char *nearest = gw_nearest(json_str(v), names);
    json_error(l->doc, v, l->diags, "there is no limiter \"%.*s\"%s%s%s",
               GW_STR_ARG(gw_str_first(json_str(v), LIMITER_NAME_MAX)),
               nearest ? "; did you mean \"" : "", nearest ? nearest : "", nearest ? "\"?" : "");
}

static void load_target(struct load *l, const struct json *object, struct limiter_route *route)
{
    if (!require(l, object, "limiter") || json_type(json_get(object, "limiter")) == JSON_NULL)
        return;
    const struct json *v = member(l, object, "limiter", JSON_STRING);
    if (!v)
        return;
    route->limiter = gw_map_get(&l->policy->by_name, json_str(v));
    if (!route->limiter)
        unknown_limiter(l, v);
}

/* The value becomes a Location line as it is: a control byte in it would let a file write headers
 * of its own. */
static void load_redirect(struct load *l, const struct json *object, struct limiter_route *route)
{
    route->redirect = text_of(l, object, "redirect");
    if (!route->redirect.len)
        return;
    bool good = route->redirect.len <= REDIRECT_MAX;
    for (size_t i = 0; i < route->redirect.len; i++)
        good = good && (unsigned char)route->redirect.ptr[i] > ' ' && route->redirect.ptr[i] != 127;
    if (!good)
        json_error(l->doc, json_get(object, "redirect"), l->diags,
                   "a redirect is a URL or path of at most %d bytes without spaces", REDIRECT_MAX);
    struct gw_buf head;
    gw_buf_init(&head, REDIRECT_MAX + 64);
    gw_buf_printf(&head, "Location: %.*s\r\n", GW_STR_ARG(route->redirect));
    route->redirect_head = gw_arena_dup(&l->policy->arena, gw_buf_str(&head));
    gw_buf_release(&head);
}

static void load_route(struct load *l, const struct json *object, struct limiter_route *route)
{
    static const char *const known[] = {"methods",      "path",     "limiter",       "csrf",
                                        "origin_check", "redirect", "limiter_first", NULL};
    json_unknown_keys(l->doc, object, known, l->diags);
    route->methods = load_methods(l, object);
    bool good = load_path(l, object, route);
    load_target(l, object, route);
    load_redirect(l, object, route);
    route->csrf = flag_of(l, object, "csrf", 0) != 0;
    route->origin_check = flag_of(l, object, "origin_check", 1) != 0;
    route->limiter_first = flag_of(l, object, "limiter_first", 0) != 0;
    uint32_t number = (uint32_t)(route - l->policy->routes);
    if (good)
        route_tree_add(l->policy->tree, route->path, route->methods, number);
    l->route_json[number] = good ? object : NULL;
}

/* A route behind one that takes all its requests is almost always an order turned around. */
static void warn_if_shadowed(struct load *l, size_t number)
{
    const struct limiter_route *routes = l->policy->routes, *route = &routes[number];
    for (size_t i = 0; i < number; i++) {
        if (!l->route_json[i] || (routes[i].methods & route->methods) != route->methods ||
            !route_covers(routes[i].path, route->path))
            continue;
        size_t offset, width;
        unsigned line, column;
        json_place(l->doc, l->route_json[i], &offset, &width);
        gw_line_column(json_source(l->doc)->text, offset, &line, &column);
        json_warn(l->doc, json_get(l->route_json[number], "path"), l->diags,
                  "this route is never reached: \"%.*s\" in line %u takes all its requests",
                  GW_STR_ARG(routes[i].path), line);
        return;
    }
}

/* ---- the file ---- */

/* The items of an array of objects that stands in the root; *count of them are to be loaded. */
static const struct json *objects_of(struct load *l, const struct json *root, const char *key,
                                     size_t max, size_t *count)
{
    const struct json *list = member(l, root, key, JSON_ARRAY);
    *count = list ? json_count(list) : 0;
    if (*count > max) {
        json_error(l->doc, list, l->diags, "more than %zu %s", max, key);
        *count = 0;
    }
    for (const struct json *v = json_first(list); v && *count; v = json_next(v)) {
        if (json_type(v) == JSON_OBJECT)
            continue;
        json_error(l->doc, v, l->diags, "%s are objects, not %s", key,
                   json_type_name(json_type(v)));
        *count = 0;
    }
    return *count ? json_first(list) : NULL;
}

/* An origin as browsers write it: scheme and authority, nothing behind (RFC 6454 section 6.2). */
static bool origin_is_good(struct gw_str origin)
{
    size_t from = gw_str_starts(origin, GW_STR("https://"))  ? 8
                  : gw_str_starts(origin, GW_STR("http://")) ? 7
                                                             : origin.len;
    struct gw_str authority = gw_str_from(origin, from);
    for (size_t i = 0; i < authority.len; i++) {
        unsigned char c = (unsigned char)authority.ptr[i];
        if (c <= ' ' || c >= 127 || strchr("/?#@,", c) || (c >= 'A' && c <= 'Z'))
            return false;
    }
    return authority.len > 0 && authority.len <= 255;
}

static void load_origins(struct load *l, const struct json *root)
{
    struct limiter_policy *policy = l->policy;
    const struct json *list = member(l, root, "allowed_origins", JSON_ARRAY);
    size_t count = list ? json_count(list) : 0;
    if (count > LIMITER_ORIGINS_MAX) {
        json_error(l->doc, list, l->diags, "more than %d allowed_origins", LIMITER_ORIGINS_MAX);
        return;
    }
    policy->origins = gw_arena_zalloc(&policy->arena, (count + 1) * sizeof(*policy->origins));
    for (const struct json *v = json_first(list); v; v = json_next(v)) {
        if (!origin_is_good(json_str(v)))
            json_error(l->doc, v, l->diags,
                       "an origin is a scheme and a host in lower case, such as "
                       "\"https://www.example.com\"");
        policy->origins[policy->origin_count++] = gw_arena_dup(&policy->arena, json_str(v));
    }
}

static void load_root(struct load *l, const struct json *root)
{
    static const char *const known[] = {"limiters", "routes", "allowed_origins", NULL};
    struct limiter_policy *policy = l->policy;
    if (json_type(root) != JSON_OBJECT) {
        json_error(l->doc, root, l->diags, "a limiters file is an object with \"limiters\"");
        return;
    }
    json_unknown_keys(l->doc, root, known, l->diags);
    require(l, root, "limiters");
    const struct json *v = objects_of(l, root, "limiters", LIMITERS_MAX, &policy->limiter_count);
    policy->limiters =
        gw_arena_zalloc(&policy->arena, policy->limiter_count * sizeof(*policy->limiters));
    for (size_t i = 0; v; v = json_next(v), i++)
        load_limiter(l, v, &policy->limiters[i]);

    load_origins(l, root);
    /* Behind the limiters, which they name. */
    v = objects_of(l, root, "routes", LIMITER_ROUTES_MAX, &policy->route_count);
    policy->routes = gw_arena_zalloc(&policy->arena, policy->route_count * sizeof(*policy->routes));
    l->route_json = gw_zalloc((policy->route_count + 1) * sizeof(*l->route_json));
    for (size_t i = 0; v; v = json_next(v), i++)
        load_route(l, v, &policy->routes[i]);
    for (size_t i = 0; i < policy->route_count; i++)
        if (l->route_json[i])
            warn_if_shadowed(l, i);
    route_tree_seal(policy->tree);
    free(l->route_json);
}

/* Takes the document. Reads on behind a mistake, to tell all of them at once; a policy with one is
 * thrown away whole. */
static struct limiter_policy *load(struct json_doc *doc, struct gw_diags *diags)
{
    if (!doc)
        return NULL;
    size_t errors_before = diags->errors;
    struct limiter_policy *policy = gw_zalloc(sizeof(*policy));
    atomic_init(&policy->refs, 1);
    gw_arena_init(&policy->arena, NULL, 0, 0);
    gw_map_init(&policy->by_name);
    policy->tree = route_tree_new();
    struct load l = {.policy = policy, .doc = doc, .diags = diags};
    load_root(&l, json_root(doc));
    json_doc_free(doc);
    if (diags->errors == errors_before)
        return policy;
    limiter_policy_unref(policy);
    return NULL;
}

struct limiter_policy *limiter_policy_load(const char *path, const char *name,
                                           struct gw_diags *diags)
{
    return load(json_read(path, name, diags), diags);
}

struct limiter_policy *limiter_policy_parse(const struct gw_source *source, struct gw_diags *diags)
{
    return load(json_parse(source, diags), diags);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* cache_key and its custom_key (spec/cache-behaviour.md sections 4.2 and 4.4). */
#include "config/rules/settings_read.h"

#define QUERY_NAMES_MAX 100
#define NAMES_MAX       100
#define CONTAINS_MAX    3

/* Headers whose value in a key would break caching or is in the key anyway. */
static const char *const forbidden[] = {"connection",
                                        "content-length",
                                        "cache-control",
                                        "if-match",
                                        "if-modified-since",
                                        "if-none-match",
                                        "if-unmodified-since",
                                        "range",
                                        "upgrade",
                                        "cookie",
                                        "host",
                                        "origin",
                                        NULL};
/* These have so many values that only `contains` may name them. */
static const char *const diverse[] = {
    "accept",          "accept-charset", "accept-encoding", "accept-datetime",
    "accept-language", "referer",        "user-agent",      NULL};

static bool is_one_of(struct gw_str name, const char *const *list)
{
    for (; *list; list++) {
        if (gw_str_eq(gw_str_z(*list), name))
            return true;
    }
    return false;
}

static bool header_allowed(struct settings_reader *s, const struct json *v, struct gw_str name,
                           bool by_value)
{
    if (is_one_of(name, forbidden) || gw_str_starts(name, GW_STR("cf-")))
        report_error(s->report, v, REPORT_OTHER, "header %.*s cannot be part of a cache key",
                     GW_STR_ARG(name));
    else if (by_value && is_one_of(name, diverse))
        report_error(s->report, v, REPORT_OTHER,
                     "header %.*s has too many values for a cache key: use \"contains\"",
                     GW_STR_ARG(name));
    else
        return true;
    return false;
}

static void header_names(struct settings_reader *s, const struct json *object, const char *key,
                         struct cache_names *out)
{
    const struct json *v = report_member(s->report, object, key, JSON_ARRAY);
    struct names_rule rule = {.max = NAMES_MAX, .lower = true, .sort = true};
    if (!v || json_count(v) == 0 || !settings_names(s, v, rule, out))
        return;
    for (size_t i = 0; i < out->count; i++)
        (void)header_allowed(s, v, out->items[i], strcmp(key, "include") == 0);
}

static void header_contains(struct settings_reader *s, const struct json *v,
                            struct cache_custom_key *out)
{
    struct names_rule rule = {.max = CONTAINS_MAX};
    struct cache_named_values *items =
        gw_arena_zalloc(s->arena, (json_count(v) + 1) * sizeof(*items));
    for (const struct json *m = json_first(v); m; m = json_next(m)) {
        struct cache_named_values *item = &items[out->header_contains_count];
        char *name = gw_arena_dupz(s->arena, json_key(m));
        for (char *c = name; *c; c++)
            *c = gw_lower(*c);
        item->name = gw_str_z(name);
        if (header_allowed(s, m, item->name, false) && settings_names(s, m, rule, &item->values))
            out->header_contains_count++;
    }
    out->header_contains = items;
}

static void read_header(struct settings_reader *s, const struct json *v,
                        struct cache_custom_key *out)
{
    static const char *const known[] = {"include", "check_presence", "contains", "exclude_origin",
                                        NULL};
    report_unknown(s->report, v, known);
    header_names(s, v, "include", &out->header_include);
    header_names(s, v, "check_presence", &out->header_presence);
    const struct json *contains = report_member(s->report, v, "contains", JSON_OBJECT);
    if (contains)
        header_contains(s, contains, out);
    settings_flag(s, v, "exclude_origin", &out->exclude_origin);
}

static void cookie_names(struct settings_reader *s, const struct json *object, const char *key,
                         struct cache_names *out)
{
    const struct json *v = report_member(s->report, object, key, JSON_ARRAY);
    struct names_rule rule = {.max = NAMES_MAX, .sort = true};
    if (!v || json_count(v) == 0 || !settings_names(s, v, rule, out))
        return;
    for (size_t i = 0; i < out->count; i++) {
        if (gw_str_starts(out->items[i], GW_STR("__cf")))
            report_error(s->report, v, REPORT_OTHER,
                         "cookie %.*s belongs to Cloudflare and cannot be part of a cache key",
                         GW_STR_ARG(out->items[i]));
    }
}

static void read_cookie(struct settings_reader *s, const struct json *v,
                        struct cache_custom_key *out)
{
    static const char *const known[] = {"include", "check_presence", NULL};
    report_unknown(s->report, v, known);
    cookie_names(s, v, "include", &out->cookie_include);
    cookie_names(s, v, "check_presence", &out->cookie_presence);
}

static void read_user(struct settings_reader *s, const struct json *v, struct cache_custom_key *out)
{
    static const char *const known[] = {"device_type", "geo", "lang", NULL};
    report_unknown(s->report, v, known);
    settings_flag(s, v, "device_type", &out->user_device_type);
    settings_flag(s, v, "geo", &out->user_geo);
    settings_flag(s, v, "lang", &out->user_lang);
}

static void read_host(struct settings_reader *s, const struct json *v, struct cache_custom_key *out)
{
    static const char *const known[] = {"resolved", NULL};
    report_unknown(s->report, v, known);
    settings_flag(s, v, "resolved", &out->host_resolved);
}

/* One of the spellings: "*", ["*"], ["a"], {"list": [...]}, {"all": true}. *all for every name. */
static bool query_names(struct settings_reader *s, const struct json *v, bool *all,
                        struct cache_names *out)
{
    static const char *const known[] = {"list", "all", NULL};
    struct names_rule rule = {.max = QUERY_NAMES_MAX, .sort = true};
    const struct json *list = v;
    *all = gw_str_eq(json_str(v), GW_STR("*"));
    if (json_type(v) == JSON_OBJECT) {
        report_unknown(s->report, v, known);
        settings_flag(s, v, "all", all);
        list = json_get(v, "list");
    }
    if (*all)
        return true;
    if (!list) {
        report_error(s->report, v, REPORT_OTHER, "\"list\" or \"all\" is required");
        return false;
    }
    if (!settings_names(s, list, rule, out))
        return false;
    *all = out->count == 1 && gw_str_eq(out->items[0], GW_STR("*"));
    return true;
}

/* Leaving the whole query out is possible on all plans, choosing parameters is not. */
static void read_query(struct settings_reader *s, const struct json *v,
                       struct cache_custom_key *out)
{
    static const char *const known[] = {"include", "exclude", NULL};
    report_unknown(s->report, v, known);
    /* Of any type: there are several spellings (spec/api-v4.md section 3.3), and null is none of
     * them but absence. */
    const struct json *include = json_get(v, "include"), *exclude = json_get(v, "exclude");
    include = include && json_type(include) != JSON_NULL ? include : NULL;
    exclude = exclude && json_type(exclude) != JSON_NULL ? exclude : NULL;
    if (!include == !exclude) {
        report_error(s->report, v, REPORT_OTHER, "either \"include\" or \"exclude\" is required");
        return;
    }
    bool all = false;
    if (!query_names(s, include ? include : exclude, &all, &out->query))
        return;
    out->query_mode = include ? (all ? CACHE_QUERY_ALL : CACHE_QUERY_INCLUDE)
                              : (all ? CACHE_QUERY_NONE : CACHE_QUERY_EXCLUDE);
    if (out->query_mode != CACHE_QUERY_NONE && out->query_mode != CACHE_QUERY_ALL)
        (void)settings_entitled(s, v, CONFIG_PLAN_ENTERPRISE, "a list in custom_key.query_string");
}

static const struct {
    const char *key, *path;
    void (*read)(struct settings_reader *, const struct json *, struct cache_custom_key *);
    enum config_plan plan;
} parts[] = {
    {"query_string", "custom_key.query_string", read_query, CONFIG_PLAN_FREE},
    {"header", "custom_key.header", read_header, CONFIG_PLAN_ENTERPRISE},
    {"cookie", "custom_key.cookie", read_cookie, CONFIG_PLAN_ENTERPRISE},
    {"user", "custom_key.user", read_user, CONFIG_PLAN_ENTERPRISE},
    {"host", "custom_key.host", read_host, CONFIG_PLAN_ENTERPRISE},
};

static void read_custom(struct settings_reader *s, const struct json *v,
                        struct cache_custom_key *out)
{
    const char *known[GW_COUNT(parts) + 1] = {NULL};
    for (size_t i = 0; i < GW_COUNT(parts); i++)
        known[i] = parts[i].key;
    report_unknown(s->report, v, known);
    for (size_t i = 0; i < GW_COUNT(parts); i++) {
        const struct json *part = report_member(s->report, v, parts[i].key, JSON_OBJECT);
        if (!part)
            continue;
        size_t back = report_enter(s->report, gw_str_z(parts[i].key));
        if (settings_entitled(s, part, parts[i].plan, parts[i].path))
            parts[i].read(s, part, out);
        report_leave(s->report, back);
    }
}

void settings_read_key(struct settings_reader *s, const struct json *v, struct cache_settings *out)
{
    static const char *const known[] = {"cache_by_device_type", "cache_deception_armor",
                                        "ignore_query_strings_order", "custom_key", NULL};
    report_unknown(s->report, v, known);
    settings_flag(s, v, "cache_by_device_type", &out->key.by_device_type);
    settings_flag(s, v, "cache_deception_armor", &out->key.deception_armor);
    settings_flag(s, v, "ignore_query_strings_order", &out->key.ignore_query_order);
    const struct json *custom = report_member(s->report, v, "custom_key", JSON_OBJECT);
    if (!custom)
        return;
    struct cache_custom_key *key = gw_arena_zalloc(s->arena, sizeof(*key));
    size_t back = report_enter(s->report, GW_STR("custom_key"));
    read_custom(s, custom, key);
    report_leave(s->report, back);
    out->key.custom = key;
    const struct json *user = json_get(custom, "user");
    if (out->key.by_device_type && user && json_type(user) != JSON_NULL)
        report_error(s->report, user, REPORT_OTHER,
                     "custom_key.user and cache_by_device_type exclude each other");
}

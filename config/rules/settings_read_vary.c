/* SPDX-License-Identifier: Apache-2.0 */
/* The vary object (spec/cache-behaviour.md section 4.7). */
#include "config/rules/settings_read.h"

#define VARY_HEADERS_MAX 50
#define NAME_MAX_LEN     128
#define MEDIA_TYPES_MAX  10
#define LANGUAGES_MAX    20

static const char *const actions[] = {"normalize", "passthrough", "bypass", NULL};

/* Hop-by-hop fields and those that make no sense as a variant. */
static const char *const forbidden[] = {"connection",
                                        "keep-alive",
                                        "te",
                                        "trailer",
                                        "upgrade",
                                        "proxy-authenticate",
                                        "proxy-authorization",
                                        "transfer-encoding",
                                        "host",
                                        "cache-control",
                                        NULL};

static bool read_action(struct settings_reader *s, const struct json *object,
                        enum cache_vary_action *out)
{
    unsigned choice;
    const struct json *v = report_member(s->report, object, "action", JSON_STRING);
    if (!v) {
        report_error(s->report, object, REPORT_OTHER, "\"action\" is required");
        return false;
    }
    if (!settings_choice(s, v, "action", actions, &choice))
        return false;
    *out = (enum cache_vary_action)choice;
    return true;
}

/* Refused and not folded when in capitals: the names are keys of an object, and "Accept" beside
 * "accept" would be one header with two actions. */
static bool name_allowed(struct gw_str name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        if (!gw_is_digit(c) && !(c >= 'a' && c <= 'z') && c != '-' && c != '_')
            return false;
    }
    for (size_t i = 0; forbidden[i]; i++) {
        if (gw_str_eq(gw_str_z(forbidden[i]), name))
            return false;
    }
    return name.len > 0 && name.len <= NAME_MAX_LEN && !gw_str_starts(name, GW_STR("cf-")) &&
           !gw_str_starts(name, GW_STR("cf_"));
}

static void allowlist(struct settings_reader *s, const struct json *object, const char *key,
                      struct gw_str only_for, struct cache_names *out)
{
    const struct json *v = report_member(s->report, object, key, JSON_ARRAY);
    bool media = strcmp(key, "media_types") == 0;
    struct names_rule rule = {.max = media ? MEDIA_TYPES_MAX : LANGUAGES_MAX, .lower = true};
    if (!v)
        return;
    if (!gw_str_eq(json_key(object), only_for)) {
        report_error(s->report, v, REPORT_OTHER, "\"%s\" is possible for %.*s only", key,
                     GW_STR_ARG(only_for));
        return;
    }
    if (!settings_names(s, v, rule, out))
        return;
    for (size_t i = 0; i < out->count; i++) {
        for (size_t at = 0; at < out->items[i].len; at++) {
            char c = out->items[i].ptr[at];
            if (c < ' ' || c > '~') {
                report_error(s->report, v, REPORT_OTHER, "must be printable ASCII");
                return;
            }
        }
    }
}

static bool read_one(struct settings_reader *s, const struct json *v, struct cache_vary_header *out)
{
    static const char *const known[] = {"action", "media_types", "languages", NULL};
    struct gw_str name = json_key(v);
    if (json_type(v) != JSON_OBJECT || !name_allowed(name)) {
        report_error(s->report, v, REPORT_OTHER,
                     "'%.*s' is not a valid value for headers because it must be an object under "
                     "a lower-case header name that caches may vary on",
                     GW_STR_ARG(gw_str_first(name, NAME_MAX_LEN)));
        return false;
    }
    report_unknown(s->report, v, known);
    out->name = gw_arena_dup(s->arena, name);
    allowlist(s, v, "media_types", GW_STR("accept"), &out->media_types);
    allowlist(s, v, "languages", GW_STR("accept-language"), &out->languages);
    return read_action(s, v, &out->action);
}

static void read_headers(struct settings_reader *s, const struct json *v,
                         struct cache_settings *out)
{
    size_t count = json_count(v);
    if (count > VARY_HEADERS_MAX) {
        report_error(s->report, v, REPORT_OTHER, "at most %d headers", VARY_HEADERS_MAX);
        return;
    }
    struct cache_vary_header *items = gw_arena_zalloc(s->arena, (count + 1) * sizeof(*items));
    for (const struct json *m = json_first(v); m; m = json_next(m)) {
        size_t back = report_enter(s->report, json_key(m));
        out->vary.count += read_one(s, m, &items[out->vary.count]);
        report_leave(s->report, back);
    }
    out->vary.headers = items;
}

void settings_read_vary(struct settings_reader *s, const struct json *v, struct cache_settings *out)
{
    static const char *const known[] = {"default", "headers", NULL};
    static const char *const fallback_known[] = {"action", NULL};
    report_unknown(s->report, v, known);
    const struct json *fallback = report_member(s->report, v, "default", JSON_OBJECT);
    if (fallback) {
        report_unknown(s->report, fallback, fallback_known);
        (void)read_action(s, fallback, &out->vary.fallback);
    } else {
        report_error(s->report, v, REPORT_OTHER, "\"default\" is required");
    }
    const struct json *headers = report_member(s->report, v, "headers", JSON_OBJECT);
    if (!headers)
        return;
    size_t back = report_enter(s->report, GW_STR("headers"));
    read_headers(s, headers, out);
    report_leave(s->report, back);
}

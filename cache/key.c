/* SPDX-License-Identifier: Apache-2.0 */
#include "cache/key.h"

#include "cache/device.h"
#include "cache/eligibility.h"
#include "gateway/http/cookie.h"
#include "gateway/http/url.h"

/* Headers whose value origins are known to build URLs or whole responses from (section 2.14): two
 * requests that differ in one of them must not share an object, or one could poison the other. */
static const enum header_id keyed_headers[] = {
    HEADER_X_HTTP_METHOD_OVERRIDE, HEADER_X_HTTP_METHOD, HEADER_X_METHOD_OVERRIDE,
    HEADER_X_FORWARDED_HOST,       HEADER_X_HOST,        HEADER_X_FORWARDED_SCHEME,
    HEADER_X_ORIGINAL_URL,         HEADER_X_REWRITE_URL, HEADER_FORWARDED,
};

/* Each part on a line of its own. Neither a URL nor a field can hold a line feed here, so no value
 * can pass for another line and no visitor can write another one's key. */
static void line(struct gw_buf *out, struct gw_str kind, struct gw_str name, struct gw_str value)
{
    gw_buf_add(out, kind);
    gw_buf_add(out, name);
    gw_buf_char(out, '=');
    gw_buf_add(out, value);
    gw_buf_char(out, '\n');
}

static void add_url(const struct cache_request *request, const struct cache_policy *policy,
                    const struct cache_settings *key, struct gw_buf *out)
{
    const struct config_settings *zone = &policy->zone->settings;
    const struct cache_custom_key *custom = key ? key->key.custom : NULL;
    gw_buf_add(out, request->origin_https ? GW_STR("url=https://") : GW_STR("url=http://"));
    gw_buf_add(out, custom && custom->host_resolved ? request->resolved_host : request->host);
    /* Another port is another service at the origin: Cloudflare goes to the port it was asked on.
     */
    if (request->port != 80 && request->port != 443) {
        gw_buf_char(out, ':');
        gw_buf_u64(out, request->port);
    }
    gw_buf_add(out, request->path);
    /* "Simplified" drops queries of static files only: of an app's page the query says which page
     * it is (section 2.14). */
    bool ignored = zone->cache_level == CONFIG_CACHE_SIMPLIFIED &&
                   cache_extension_is_static(url_path_extension(request->path));
    if (request->query.len && !ignored) {
        size_t mark = out->len;
        gw_buf_char(out, '?');
        cache_key_query(request->query,
                        zone->sort_query_string_for_cache || (key && key->key.ignore_query_order),
                        custom, out);
        if (out->len == mark + 1)
            out->len = mark; /* nothing was left of the query */
    }
    gw_buf_char(out, '\n');
}

bool cache_key_has(enum header_id id)
{
    for (size_t i = 0; i < GW_COUNT(keyed_headers); i++)
        if (keyed_headers[i] == id)
            return true;
    return false;
}

static bool is_http_scheme(struct gw_str value)
{
    return gw_str_ieq(value, GW_STR("http")) || gw_str_ieq(value, GW_STR("https"));
}

static void add_keyed_headers(const struct headers *headers, struct gw_buf *out)
{
    for (size_t i = 0; i < GW_COUNT(keyed_headers); i++) {
        enum header_id id = keyed_headers[i];
        const struct gw_str *value;
        if (!headers_has(headers, id))
            continue;
        for (size_t at = 0; (value = headers_next(headers, id, &at));) {
            /* These two are what honest proxies send; another value is somebody trying what the app
             * makes of it. */
            if (id == HEADER_X_FORWARDED_SCHEME && is_http_scheme(*value))
                continue;
            line(out, GW_STR_EMPTY, header_name(id), *value);
        }
    }
}

/* An answer with Access-Control-Allow-Origin for one site is an error for the next. All lines:
 * which of two an origin believes is its own affair. */
static void add_origin(const struct headers *headers, struct gw_buf *out)
{
    const struct gw_str *value;
    for (size_t at = 0; (value = headers_next(headers, HEADER_ORIGIN, &at));)
        line(out, GW_STR_EMPTY, header_name(HEADER_ORIGIN), *value);
}

static bool contains_folded(struct gw_str text, struct gw_str word)
{
    for (size_t at = 0; at + word.len <= text.len; at++)
        if (gw_str_ieq(gw_str(text.ptr + at, word.len), word))
            return true;
    return false;
}

static bool any_line_contains(const struct headers *headers, struct gw_str name, struct gw_str word)
{
    const struct gw_str *value;
    for (size_t at = 0; (value = headers_find_next(headers, name, &at));)
        if (contains_folded(*value, word))
            return true;
    return false;
}

/* The configured values that occur in the header, so that an Accept-Encoding with a hundred
 * spellings makes as many objects as the rule tells apart. */
static void add_contained(const struct headers *headers, const struct cache_named_values *wanted,
                          struct gw_buf *out)
{
    if (!headers_find(headers, wanted->name))
        return;
    gw_buf_add(out, GW_STR("header~"));
    gw_buf_add(out, wanted->name);
    for (size_t i = 0; i < wanted->values.count; i++) {
        if (!any_line_contains(headers, wanted->name, wanted->values.items[i]))
            continue;
        gw_buf_char(out, '=');
        gw_buf_add(out, wanted->values.items[i]);
    }
    gw_buf_char(out, '\n');
}

static void add_custom_headers(const struct headers *headers, const struct cache_custom_key *custom,
                               struct gw_buf *out)
{
    const struct gw_str *value;
    for (size_t i = 0; i < custom->header_include.count; i++) {
        struct gw_str name = custom->header_include.items[i];
        for (size_t at = 0; (value = headers_find_next(headers, name, &at));)
            line(out, GW_STR("header:"), name, *value);
    }
    for (size_t i = 0; i < custom->header_presence.count; i++)
        if (headers_find(headers, custom->header_presence.items[i]))
            line(out, GW_STR("header?"), custom->header_presence.items[i], GW_STR("present"));
    for (size_t i = 0; i < custom->header_contains_count; i++)
        add_contained(headers, &custom->header_contains[i], out);
}

static void add_cookies(const struct headers *headers, const struct cache_custom_key *custom,
                        struct gw_buf *out)
{
    struct gw_str value;
    for (size_t i = 0; i < custom->cookie_include.count; i++)
        if (cookie_find(headers, custom->cookie_include.items[i], &value))
            line(out, GW_STR("cookie:"), custom->cookie_include.items[i], value);
    for (size_t i = 0; i < custom->cookie_presence.count; i++)
        if (cookie_find(headers, custom->cookie_presence.items[i], &value))
            line(out, GW_STR("cookie?"), custom->cookie_presence.items[i], GW_STR("present"));
}

/* "de" of "de-AT;q=0.9, fr". */
static struct gw_str first_language(const struct headers *headers)
{
    const struct gw_str *value = headers_get(headers, HEADER_ACCEPT_LANGUAGE);
    size_t n = 0;
    while (value && n < value->len && gw_lower(value->ptr[n]) >= 'a' &&
           gw_lower(value->ptr[n]) <= 'z')
        n++;
    return value ? gw_str_first(*value, n) : GW_STR_EMPTY;
}

static void add_user(const struct cache_request *request, const struct cache_settings *key,
                     struct gw_buf *out)
{
    const struct cache_custom_key *custom = key->key.custom;
    if (key->key.by_device_type || (custom && custom->user_device_type)) {
        const struct gw_str *agent = headers_get(request->headers, HEADER_USER_AGENT);
        enum cache_device device = cache_device_of(agent ? *agent : GW_STR_EMPTY);
        line(out, GW_STR_EMPTY, GW_STR("device"), cache_device_name(device));
    }
    if (custom && custom->user_geo)
        line(out, GW_STR_EMPTY, GW_STR("geo"), request->country);
    if (custom && custom->user_lang)
        line(out, GW_STR_EMPTY, GW_STR("lang"), first_language(request->headers));
}

void cache_key_build(const struct cache_request *request, const struct cache_policy *policy,
                     struct gw_buf *out)
{
    const struct cache_settings *key = cache_settings_get(policy->rules, CACHE_SETTING_CACHE_KEY);
    const struct cache_custom_key *custom = key ? key->key.custom : NULL;
    line(out, GW_STR_EMPTY, GW_STR("zone"), policy->zone->id);
    line(out, GW_STR_EMPTY, GW_STR("edge"), request->edge);
    add_url(request, policy, key, out);
    if (headers_has(request->headers, HEADER_ORIGIN) && !(custom && custom->exclude_origin))
        add_origin(request->headers, out);
    add_keyed_headers(request->headers, out);
    if (!key)
        return;
    if (custom) {
        add_custom_headers(request->headers, custom, out);
        add_cookies(request->headers, custom, out);
    }
    add_user(request, key, out);
}

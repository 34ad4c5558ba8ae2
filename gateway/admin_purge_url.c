/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/admin_purge_url.h"

#include "cache/key.h"
#include "gateway/http/url.h"

#define ARENA_MAX ((size_t)1 << 20)

/* The URL as a visitor would have sent it. */
struct visit {
    const struct purge_scope *scope;
    struct gw_arena *arena;
    struct gw_str host, path, query;
    uint16_t port;
    struct headers headers;
    struct gw_str country; /* CF-IPCountry; empty: the edge's */
};

/* A caller names a class, the key is made from a User-Agent: any agent of that class will do. */
static struct gw_str agent_of(struct gw_str device)
{
    if (gw_str_ieq(device, GW_STR("mobile")))
        return GW_STR("Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) Mobile");
    if (gw_str_ieq(device, GW_STR("tablet")))
        return GW_STR("Mozilla/5.0 (iPad; CPU OS 17_0 like Mac OS X)");
    return GW_STR("Mozilla/5.0 (X11; Linux x86_64)");
}

/* Two of Cloudflare's names stand for facts that are no header of the visitor's request. */
static bool add_header(struct visit *v, struct gw_str name, struct gw_str value)
{
    if (gw_str_ieq(name, GW_STR("CF-IPCountry"))) {
        v->country = value;
        return true;
    }
    if (gw_str_ieq(name, GW_STR("CF-Device-Type")))
        return headers_add_id(&v->headers, HEADER_USER_AGENT, agent_of(value));
    return header_name_valid(name) && header_value_valid(value) &&
           headers_add(&v->headers, name, value);
}

static bool add_headers(struct visit *v, const struct json *headers)
{
    headers_init(&v->headers, v->arena, PURGE_HEADERS_MAX);
    for (const struct json *h = headers ? json_first(headers) : NULL; h; h = json_next(h))
        if (json_type(h) != JSON_STRING || !add_header(v, json_key(h), json_str(h)))
            return false;
    return true;
}

/* The same normal form that a visitor's request gets, or the key would be another one. */
static bool read_url(struct visit *v, struct gw_str text)
{
    const struct config_settings *settings = &v->scope->zone->config->settings;
    struct url url;
    struct url_host host;
    if (!url_parse(text, false, &url) || url.form != URL_ABSOLUTE_FORM ||
        !url_host_parse(url.authority, v->arena, &host))
        return false;
    enum url_normalization mode =
        settings->url_normalization.type == CONFIG_URL_CLOUDFLARE ? URL_CLOUDFLARE : URL_RFC3986;
    if (settings->url_normalization.scope == CONFIG_URL_NONE)
        mode = URL_AS_IS;
    v->host = host.name;
    v->port = host.port;
    return url_normalize_path(url.path.len ? url.path : GW_STR("/"), mode, v->arena, &v->path) &&
           url_normalize_query(url.query, mode, v->arena, &v->query);
}

/* The rules decide what is in the key, so they are asked as for a visitor. What only a real one has
 * (an address, a Ray id, cookies) is empty: a rule that needs it does not match here, as it does
 * not at Cloudflare. */
static void match_rules(struct visit *v, const struct config_edge *edge, bool https,
                        struct ruleset_result *result)
{
    struct rules_request facts;
    if (!v->scope->zone->cache_rules)
        return;
    rules_request_init(&facts, v->arena);
    facts.method = GW_STR("GET");
    facts.version = GW_STR("HTTP/1.1");
    facts.host = v->host;
    facts.path = v->path;
    facts.query = v->query;
    facts.https = https;
    facts.headers = &v->headers;
    facts.country = v->country.len ? v->country : edge->country;
    facts.continent = edge->continent;
    facts.asnum = edge->asnum;
    facts.edge_port = v->port ? v->port : https ? 443 : 80;
    facts.wall_ms = v->scope->now_ms;
    facts.zone_name = v->scope->zone->config->name;
    ruleset_match(v->scope->zone->cache_rules, &facts, result);
}

static void purge_at(struct visit *v, size_t edge, bool https)
{
    const struct snapshot_zone *zone = v->scope->zone;
    const struct config_edge *place = v->scope->snapshot->edges[edge].config;
    struct ruleset_result rules = {0};
    match_rules(v, place, https, &rules);
    const struct cache_request request = {
        .method = METHOD_GET,
        .edge = place->name,
        .host = v->host,
        .resolved_host = zone->config->origin.host,
        .path = v->path,
        .query = v->query,
        .country = v->country.len ? v->country : place->country,
        .port = v->port ? v->port
                : https ? 443
                        : 80,
        .origin_https = https && zone->config->settings.ssl >= CONFIG_SSL_FULL,
        .headers = &v->headers,
    };
    const struct cache_policy policy = {
        .zone = zone->config, .rules = &rules.settings, .object_max = zone->object_max};
    struct gw_buf key;
    gw_buf_init(&key, CACHE_KEY_MAX);
    cache_key_build(&request, &policy, &key);
    const struct cache_place at = {.hash = cache_key_hash(&key), .space = zone->spaces[edge]};
    if (!key.overflow)
        cache_purge_key(v->scope->store, &at, v->scope->kind, v->scope->now_ms);
    gw_buf_release(&key);
}

enum purge_url_result purge_url(const struct purge_scope *scope, struct gw_str url,
                                const struct json *headers, bool check)
{
    enum purge_url_result result = PURGE_URL_MALFORMED;
    char space[4096] __attribute__((aligned(16)));
    struct gw_arena arena;
    gw_arena_init(&arena, space, sizeof(space), ARENA_MAX);
    struct visit v = {.scope = scope, .arena = &arena};
    if (read_url(&v, url) && add_headers(&v, headers))
        result = snapshot_zone_of(scope->snapshot, v.host) == scope->zone ? PURGE_URL_OK
                                                                          : PURGE_URL_FOREIGN;
    size_t edges = result == PURGE_URL_OK && !check ? scope->snapshot->edge_count : 0;
    for (size_t edge = 0; edge < edges; edge++) {
        purge_at(&v, edge, false);
        purge_at(&v, edge, true);
    }
    gw_arena_clear(&arena);
    return result;
}

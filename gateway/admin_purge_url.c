/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/admin_purge_url.h"

#include "cache/key.h"
#include "gateway/destination.h"
#include "gateway/visit.h"

#define ARENA_MAX ((size_t)1 << 20)

/* The URL as a visitor would send it. */
struct target {
    const struct purge_scope *scope;
    struct gw_arena *arena;
    struct h1_message request;
    struct gw_str path, query;
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
static bool add_header(struct target *t, struct gw_str name, struct gw_str value)
{
    if (gw_str_ieq(name, GW_STR("CF-IPCountry"))) {
        t->country = value;
        return true;
    }
    if (gw_str_ieq(name, GW_STR("CF-Device-Type")))
        return headers_add_id(&t->request.headers, HEADER_USER_AGENT, agent_of(value));
    return header_name_valid(name) && header_value_valid(value) &&
           headers_add(&t->request.headers, name, value);
}

static bool add_headers(struct target *t, const struct json *headers)
{
    headers_init(&t->request.headers, t->arena, PURGE_HEADERS_MAX);
    for (const struct json *h = headers ? json_first(headers) : NULL; h; h = json_next(h))
        if (json_type(h) != JSON_STRING || !add_header(t, json_key(h), json_str(h)))
            return false;
    return true;
}

/* The same normal form that a visitor's request gets, or the key would be another one. */
static bool read_url(struct target *t, struct gw_str text)
{
    struct url *url = &t->request.url;
    t->request.method = GW_STR("GET");
    t->request.method_id = METHOD_GET;
    t->request.minor = 1;
    if (!url_parse(text, false, url) || url->form != URL_ABSOLUTE_FORM ||
        !url_host_parse(url->authority, t->arena, &t->request.host))
        return false;
    if (!url->path.len)
        url->path = GW_STR("/");
    return visit_normalise(t->scope->zone->config, url, t->arena, &t->path, &t->query);
}

/* The rules decide what is in the key, so they are asked as for a visitor. What only a real one has
 * (an address, a Ray id, cookies) is empty: a rule that needs it does not match here, as it does
 * not at Cloudflare. */
static void match_rules(const struct visit *v, struct gw_arena *arena,
                        struct ruleset_result *result)
{
    struct rules_request facts;
    if (!v->zone->cache_rules)
        return;
    visit_rules(v, arena, &facts);
    ruleset_match(v->zone->cache_rules, &facts, result);
}

static void purge_at(const struct target *t, size_t edge, bool https)
{
    const struct config_edge *place = t->scope->snapshot->edges[edge].config;
    uint16_t port = t->request.host.port;
    struct visit v = {
        .zone = t->scope->zone,
        .edge = place,
        .request = &t->request,
        .path = t->path,
        .query = t->query,
        .country = t->country.len ? t->country : place->country,
        .continent = place->continent,
        .https = https,
        .port = port    ? port
                : https ? 443
                        : 80,
        .wall_ms = t->scope->now.wall_ms,
        .date_ms = t->scope->now.date_ms,
    };
    v.origin = destination_of_visit(t->scope->snapshot, &v, t->arena).origin->config;
    struct ruleset_result rules = {0};
    match_rules(&v, t->arena, &rules);
    const struct cache_request request = visit_cache(&v);
    const struct cache_policy policy = visit_policy(&v, &rules.settings);
    struct gw_buf key;
    gw_buf_init(&key, CACHE_KEY_MAX);
    cache_key_build(&request, &policy, &key);
    const struct cache_place at = {.hash = cache_key_hash(&key), .space = v.zone->spaces[edge]};
    if (!key.overflow)
        cache_purge_key(t->scope->store, &at, t->scope->kind, t->scope->now.wall_ms);
    gw_buf_release(&key);
}

enum purge_url_result purge_url(const struct purge_scope *scope, struct gw_str url,
                                const struct json *headers, bool check)
{
    enum purge_url_result result = PURGE_URL_MALFORMED;
    char space[4096] __attribute__((aligned(16)));
    struct gw_arena arena;
    gw_arena_init(&arena, space, sizeof(space), ARENA_MAX);
    struct target t = {.scope = scope, .arena = &arena};
    if (read_url(&t, url) && add_headers(&t, headers))
        result = snapshot_zone_of(scope->snapshot, t.request.host.name) == scope->zone
                     ? PURGE_URL_OK
                     : PURGE_URL_FOREIGN;
    size_t edges = result == PURGE_URL_OK && !check ? scope->snapshot->edge_count : 0;
    /* However visitors came: with ssl "full" the key has their scheme (spec/cache-behaviour.md
     * section 2.14); with another mode the second finds nothing any more. */
    for (size_t edge = 0; edge < edges; edge++) {
        purge_at(&t, edge, false);
        purge_at(&t, edge, true);
    }
    gw_arena_clear(&arena);
    return result;
}

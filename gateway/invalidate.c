/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/invalidate.h"

#include "cache/choices.h"
#include "cache/key.h"
#include "cache/purge.h"
#include "gateway/exchange_visit.h"
#include "gateway/server.h"

/* RFC 9110 section 9.2.1; a method that nobody knows is not safe. */
static bool is_safe(enum http_method method)
{
    return method == METHOD_GET || method == METHOD_HEAD || method == METHOD_OPTIONS ||
           method == METHOD_TRACE || method == METHOD_CONNECT;
}

/* The key under which a GET with these headers finds the object. Rules may ask for the method, so
 * they are matched anew. False when it has none. */
static bool key_of(struct exchange *x, const struct visit *v, struct gw_hash128 *out)
{
    struct ruleset_result rules = {0};
    struct rules_request facts;
    if (v->zone->cache_rules) {
        visit_rules(v, &x->arena, &facts);
        ruleset_match(v->zone->cache_rules, &facts, &rules);
    }
    const struct cache_request request = visit_cache(v);
    const struct cache_policy policy = visit_policy(v, &rules.settings);
    struct gw_buf *key = &x->worker->key;
    gw_buf_clear(key);
    cache_key_build(&request, &policy, key);
    *out = cache_key_hash(key);
    return !key->overflow;
}

static void forget(struct exchange *x, struct gw_str path, struct gw_str query)
{
    struct h1_message own = x->request, plain;
    own.method = GW_STR("GET");
    own.method_id = METHOD_GET;
    plain = own;
    headers_init(&plain.headers, &x->arena, 1);
    const struct h1_message *variants[] = {&plain, &own};
    struct visit v = exchange_visit(x);
    v.path = path;
    v.query = query;
    for (size_t edge = 0; edge < x->ws->snapshot->edge_count; edge++) {
        v.edge = x->ws->snapshot->edges[edge].config;
        v.country = v.edge->country;
        v.continent = v.edge->continent;
        for (size_t i = 0; i < GW_COUNT(variants); i++) {
            struct cache_place place = {.space = x->zone->spaces[edge]};
            v.request = variants[i];
            v.origin = destination_of_visit(x->ws->snapshot, &v, &x->arena).origin->config;
            if (key_of(x, &v, &place.hash))
                cache_purge_key(x->worker->server->cache, &place, CACHE_PURGE_REMOVE,
                                x->now.wall_ms);
        }
    }
}

/* ---- Location and Content-Location ---- */

/* Where the authority or the first segment ends. */
static size_t first_end(struct gw_str s)
{
    size_t slash = gw_str_chr(s, '/'), query = gw_str_chr(s, '?');
    return slash < query ? slash : query;
}

static bool same_host(struct exchange *x, struct gw_str authority)
{
    struct url_host host;
    uint16_t usual = x->client.https ? 443 : 80;
    return url_host_parse(authority, &x->arena, &host) &&
           gw_str_eq(host.name, x->request.host.name) &&
           (host.port ? host.port : usual) == (x->request.host.port ? x->request.host.port : usual);
}

/* Takes "http://host" or "//host" off the front; false when that is another origin. A reference
 * that begins with neither, but with a scheme, is one too. base: what the rest is relative to. */
static bool take_origin(struct exchange *x, struct gw_str *reference, struct gw_str *base)
{
    *base = x->request.url.path;
    struct gw_str scheme = x->client.https ? GW_STR("https:") : GW_STR("http:");
    size_t colon = gw_str_chr(gw_str_first(*reference, first_end(*reference)), ':');
    if (colon != GW_NPOS) {
        if (!gw_str_ieq(gw_str_first(*reference, colon + 1), scheme))
            return false;
        *reference = gw_str_from(*reference, colon + 1);
    }
    if (!gw_str_starts(*reference, GW_STR("//")))
        return colon == GW_NPOS;
    struct gw_str rest = gw_str_from(*reference, 2);
    size_t end = first_end(rest);
    *reference = gw_str_from(rest, end);
    *base = GW_STR("/");
    return same_host(x, gw_str_first(rest, end));
}

/* RFC 3986 section 5.3; dot segments go with the normal form. */
static bool resolve(struct exchange *x, struct gw_str base, struct gw_str reference,
                    struct url *out)
{
    size_t mark = gw_str_chr(reference, '?');
    struct gw_str path = gw_str_first(reference, mark);
    *out = (struct url){.form = URL_ORIGIN_FORM,
                        .path = path,
                        .query = mark == GW_NPOS ? GW_STR_EMPTY : gw_str_from(reference, mark + 1),
                        .has_query = mark != GW_NPOS};
    if (!path.len)
        out->path = base;
    if (!path.len || path.ptr[0] == '/')
        return true;
    struct gw_str folder = gw_str_first(base, gw_str_rchr(base, '/') + 1);
    char *joined = gw_arena_alloc(&x->arena, folder.len + path.len);
    if (!joined)
        return false;
    memcpy(joined, folder.ptr, folder.len);
    memcpy(joined + folder.len, path.ptr, path.len);
    out->path = gw_str(joined, folder.len + path.len);
    return true;
}

static void forget_reference(struct exchange *x, struct gw_str reference)
{
    struct url url;
    struct gw_str path, query, base;
    reference = gw_str_trim(gw_str_first(reference, gw_str_chr(reference, '#')));
    if (reference.len && take_origin(x, &reference, &base) && resolve(x, base, reference, &url) &&
        visit_normalise(exchange_zone(x), &url, &x->arena, &path, &query))
        forget(x, path, query);
}

void invalidate_after(struct exchange *x, const struct h1_message *answer)
{
    static const enum header_id named[] = {HEADER_LOCATION, HEADER_CONTENT_LOCATION};
    if (!CACHE_UNSAFE_METHOD_INVALIDATES || is_safe(x->request.method_id) || answer->status < 200 ||
        answer->status >= 400)
        return;
    forget(x, x->path, x->query);
    for (size_t i = 0; i < GW_COUNT(named); i++) {
        const struct gw_str *reference = headers_get(&answer->headers, named[i]);
        if (reference)
            forget_reference(x, *reference);
    }
}

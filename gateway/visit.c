/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/visit.h"

#include "gateway/base/buf.h"
#include "gateway/http/cookie.h"

/* ---- who and where ---- */

static bool is_trusted(const struct config *config, const struct gw_ip *ip)
{
    for (size_t i = 0; i < config->trusted_proxy_count; i++)
        if (gw_cidr_has(&config->trusted_proxies[i], ip))
            return true;
    return false;
}

/* The right-most address that no trusted proxy added: everything left of it is hearsay. */
static bool last_untrusted(const struct config *config, const struct headers *headers,
                           struct gw_ip *out)
{
    bool found = false;
    size_t at = 0;
    for (const struct gw_str *line; (line = headers_next(headers, HEADER_X_FORWARDED_FOR, &at));) {
        struct gw_str rest = *line, item;
        while (gw_str_next(&rest, ',', &item)) {
            struct gw_ip ip;
            if (!gw_ip_parse(gw_str_trim(item), &ip))
                continue;
            if (!found || !is_trusted(config, &ip)) {
                *out = ip;
                found = true;
            }
        }
    }
    return found;
}

struct gw_ip visit_client(const struct config *config, const struct headers *headers,
                          const struct gw_ip *peer, bool *trusted)
{
    struct gw_ip ip;
    *trusted = is_trusted(config, peer);
    if (!*trusted)
        return *peer;
    const struct gw_str *said = headers_get(headers, HEADER_CF_CONNECTING_IP);
    if ((said && gw_ip_parse(*said, &ip)) || last_untrusted(config, headers, &ip))
        return ip;
    return *peer;
}

void visit_place(const struct snapshot *s, const struct headers *headers, bool trusted,
                 size_t *edge, uint32_t *isolate)
{
    const struct gw_str *name = headers_get(headers, HEADER_X_NEAREDGE_EDGE);
    if (name && trusted) {
        size_t index = snapshot_edge_of(s, *name);
        if (index != GW_NPOS)
            *edge = index;
    }
    const struct gw_str *said = headers_get(headers, HEADER_X_NEAREDGE_ISOLATE);
    uint64_t number;
    if (said && trusted && gw_str_u64(*said, UINT32_MAX, &number))
        *isolate = (uint32_t)number;
    *isolate %= s->edges[*edge].config->isolates;
}

/* ---- whose ---- */

/* Our own name in CDN-Loop (RFC 8586): the origin sent the request back to us. */
static bool is_loop(const struct headers *headers)
{
    size_t at = 0;
    for (const struct gw_str *line; (line = headers_next(headers, HEADER_CDN_LOOP, &at));) {
        struct gw_str rest = *line, item;
        while (gw_str_next(&rest, ',', &item)) {
            struct gw_str name = gw_str_trim(gw_str_first(item, gw_str_chr(item, ';')));
            if (gw_str_ieq(name, GW_STR("cloudflare")))
                return true;
        }
    }
    return false;
}

unsigned visit_zone(const struct snapshot *s, const struct h1_message *request,
                    const struct snapshot_zone **zone)
{
    /* We are a gateway, not a forward proxy; TRACE would show cookies and our own fields to scripts
     * (RFC 9110 sections 9.3.6, 9.3.8). */
    if (request->method_id == METHOD_CONNECT || request->method_id == METHOD_TRACE)
        return 405;
    *zone = snapshot_zone_of(s, request->host.name);
    if (!*zone)
        return 404;
    if (headers_has(&request->headers, HEADER_CDN_LOOP) && is_loop(&request->headers))
        return 403;
    return 0;
}

bool visit_normalise(const struct config_zone *zone, const struct url *url, struct gw_arena *arena,
                     struct gw_str *path, struct gw_str *query)
{
    enum url_normalization mode = zone->settings.url_normalization.type == CONFIG_URL_CLOUDFLARE
                                      ? URL_CLOUDFLARE
                                      : URL_RFC3986;
    if (zone->settings.url_normalization.scope == CONFIG_URL_NONE || url->form == URL_ASTERISK_FORM)
        mode = URL_AS_IS;
    return url_normalize_path(url->path, mode, arena, path) &&
           url_normalize_query(url->query, mode, arena, query);
}

/* ---- for the limiter ---- */

/* Who `${user}` is: what the zone's user_from says, else nobody ("anonymous"). */
static struct gw_str find_user(const struct config_user_from *from, const struct headers *headers)
{
    struct gw_str user = GW_STR_EMPTY;
    switch (from->kind) {
    case CONFIG_USER_NONE:
        break;
    case CONFIG_USER_COOKIE:
        if (!cookie_find(headers, from->name, &user))
            user = GW_STR_EMPTY;
        break;
    case CONFIG_USER_HEADER: {
        const struct gw_str *value = headers_find(headers, from->name);
        if (value)
            user = *value;
        break;
    }
    }
    return user;
}

struct limiter_subject visit_subject(const struct visit *v)
{
    const struct headers *headers = &v->request->headers;
    return (struct limiter_subject){
        .ip = v->ip,
        .ip_text = v->ip_text,
        .user = find_user(&v->zone->config->user_from, headers),
        .host = v->request->host.name,
        .path = v->path,
        .headers = headers,
    };
}

/* ---- for the app's own checks ---- */

/* Scheme and authority as the visitor wrote them; the scheme's own port is not written. */
static struct gw_str own_origin(const struct visit *v, struct gw_arena *arena)
{
    const struct url_host *host = &v->request->host;
    size_t room = host->name.len + sizeof("https://:65535");
    char *space = gw_arena_alloc(arena, room);
    if (!space)
        return GW_STR_EMPTY;
    struct gw_buf origin = gw_buf_over(space, room);
    gw_buf_add(&origin, v->https ? GW_STR("https://") : GW_STR("http://"));
    gw_buf_add(&origin, host->name);
    if (host->port && host->port != (v->https ? 443 : 80))
        gw_buf_printf(&origin, ":%u", host->port);
    return gw_buf_str(&origin);
}

enum app_check visit_app_check(const struct visit *v, const struct limiter_route *route,
                               bool is_decided, struct gw_arena *arena)
{
    if (!v->zone->config->mirror_checks || (is_decided && !route->limiter_first))
        return APP_CHECK_PASSES;
    const struct app_request request = {v->request->method_id, &v->request->headers,
                                        own_origin(v, arena)};
    enum app_check check = is_decided ? APP_CHECK_PASSES : app_check_form(&request);
    if (check == APP_CHECK_PASSES && route->limiter_first == is_decided)
        check = app_check_route(v->zone->limiters, route, &request);
    return check;
}

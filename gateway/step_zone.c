/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/exchange.h"
#include "gateway/reply.h"

static enum step_result refuse(struct exchange *x, unsigned status)
{
    reply_error(x, status);
    return STEP_MORE;
}

/* Our own name in CDN-Loop (RFC 8586): the origin sent the request back to us. */
static bool is_loop(const struct exchange *x)
{
    size_t at = 0;
    for (const struct gw_str *line;
         (line = headers_next(&x->request.headers, HEADER_CDN_LOOP, &at));) {
        struct gw_str rest = *line, item;
        while (gw_str_next(&rest, ',', &item)) {
            struct gw_str name = gw_str_trim(gw_str_first(item, gw_str_chr(item, ';')));
            if (gw_str_ieq(name, GW_STR("cloudflare")))
                return true;
        }
    }
    return false;
}

/* Rules and cache key see the normalised URL; the origin only when the zone says so
 * (spec/cache-behaviour.md section 2.14). */
static bool normalise_url(struct exchange *x)
{
    const struct config_settings *settings = &exchange_zone(x)->settings;
    const struct url *url = &x->request.url;
    enum url_normalization mode =
        settings->url_normalization.type == CONFIG_URL_CLOUDFLARE ? URL_CLOUDFLARE : URL_RFC3986;
    if (settings->url_normalization.scope == CONFIG_URL_NONE || url->form == URL_ASTERISK_FORM)
        mode = URL_AS_IS;
    x->origin_path = x->path = url->path;
    x->origin_query = x->query = url->query;
    if (!url_normalize_path(url->path, mode, &x->arena, &x->path) ||
        !url_normalize_query(url->query, mode, &x->arena, &x->query))
        return false;
    if (settings->url_normalization.scope == CONFIG_URL_BOTH) {
        x->origin_path = x->path;
        x->origin_query = x->query;
    }
    return true;
}

enum step_result step_zone(struct exchange *x)
{
    const struct snapshot *snapshot = x->ws->snapshot;
    /* We are a gateway, not a forward proxy; TRACE would show cookies and our own fields to scripts
     * (RFC 9110 sections 9.3.6, 9.3.8). */
    if (x->request.method_id == METHOD_CONNECT || x->request.method_id == METHOD_TRACE)
        return refuse(x, 405);
    x->zone = snapshot_zone_of(snapshot, x->request.host.name);
    if (!x->zone)
        return refuse(x, 404);
    if (headers_has(&x->request.headers, HEADER_CDN_LOOP) && is_loop(x))
        return refuse(x, 403);
    if (!normalise_url(x))
        return refuse(x, 414);
    x->body_max = snapshot->config->limits.body_size;
    if (x->request.framing == H1_BODY_LENGTH && x->request.content_length > x->body_max)
        return refuse(x, 413);
    x->step = STEP_RULES;
    return STEP_MORE;
}

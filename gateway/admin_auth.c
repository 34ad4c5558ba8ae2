/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/admin_auth.h"

#include "gateway/admin_route.h"
#include "gateway/base/hash.h"
#include "gateway/exchange.h"
#include "gateway/net/tls.h"
#include "gateway/session.h"

/* ---- Host and Origin ---- */

/* 0.0.0.0 or ::, bound to every address of the machine. */
static bool is_unspecified(const struct gw_ip *ip)
{
    static const uint8_t zero[16];
    return memcmp(ip->bytes, zero, sizeof(zero)) == 0;
}

/* `name` as the parser left it: lower case, IPv6 in brackets. */
static bool host_is_ours(const struct admin_auth *auth)
{
    struct gw_str name = auth->request->host.name;
    const struct gw_ip *own = &auth->config->address.ip;
    struct gw_ip ip;
    if (name.len == 0) /* HTTP/1.0 without Host: no browser does that */
        return true;
    if (gw_str_eq(name, GW_STR("localhost")) || gw_str_ends(name, GW_STR(".localhost")))
        return true; /* RFC 6761 section 6.3: never anything else */
    if (auth->tls && tls_server_covers(auth->tls, name))
        return true;
    if (name.len > 2 && name.ptr[0] == '[')
        name = gw_str(name.ptr + 1, name.len - 2);
    if (!gw_ip_parse(name, &ip))
        return false;
    return gw_ip_is_loopback(&ip) || gw_ip_cmp(&ip, own) == 0 || is_unspecified(own);
}

/* Our own page names itself in Origin when it writes and when it loads its modules. It is told from
 * every other page by an Origin that is this very listener, port included, and, where there is
 * anything to protect, by a field that no page can send to another origin without being allowed to
 * first, which we allow nobody (Fetch standard, section 4.8). */
static bool is_own_page(const struct admin_auth *auth, struct gw_str origin)
{
    const struct headers *headers = &auth->request->headers;
    const struct gw_str *host = headers_get(headers, HEADER_HOST);
    struct gw_str scheme = auth->tls ? GW_STR("https://") : GW_STR("http://");
    return host && (auth->open || headers_find(headers, GW_STR("X-Nearedge-Inspector"))) &&
           gw_str_starts(origin, scheme) && gw_str_ieq(gw_str_from(origin, scheme.len), *host);
}

/* ---- credentials ---- */

/* RFC 6750 section 2.1; the scheme is case-insensitive (RFC 9110 section 11.1). */
static bool bearer_token(struct gw_str value, struct gw_str *token)
{
    size_t space = gw_str_chr(value, ' ');
    if (space == GW_NPOS || !gw_str_ieq(gw_str_first(value, space), GW_STR("Bearer")))
        return false;
    *token = gw_str_trim(gw_str_from(value, space + 1));
    return token->len > 0;
}

/* Both are compared in any case: time must not tell which of them was right. */
static enum admin_verdict check_pair(const struct admin_auth *auth)
{
    const struct headers *headers = &auth->request->headers;
    const struct gw_str *email = headers_find(headers, GW_STR("X-Auth-Email"));
    const struct gw_str *key = headers_find(headers, GW_STR("X-Auth-Key"));
    if (!email || !key)
        return ADMIN_AUTH_MISSING;
    bool key_fits = auth->config->api_key.len > 0 && gw_secret_eq(*key, auth->config->api_key);
    bool email_fits = gw_str_ieq(*email, auth->config->api_email);
    return key_fits && email_fits ? ADMIN_AUTH_OK : ADMIN_AUTH_KEY;
}

static enum admin_verdict check_credentials(const struct admin_auth *auth)
{
    const struct gw_str *value = headers_get(&auth->request->headers, HEADER_AUTHORIZATION);
    struct gw_str token;
    if (!auth->config->token.len && !auth->config->api_key.len)
        return auth->peer_is_local ? ADMIN_AUTH_OK : ADMIN_AUTH_REMOTE;
    if (!value)
        return check_pair(auth);
    if (!bearer_token(*value, &token))
        return ADMIN_AUTH_MALFORMED;
    bool known = auth->config->token.len > 0 && gw_secret_eq(token, auth->config->token);
    return known ? ADMIN_AUTH_OK : ADMIN_AUTH_TOKEN;
}

/* Browsers first: a page that guessed the token must not get further than one that did not. */
enum admin_verdict admin_auth_check(const struct admin_auth *auth)
{
    const struct gw_str *origin = headers_get(&auth->request->headers, HEADER_ORIGIN);
    const struct gw_ip *bound = &auth->config->address.ip;
    if (origin && (bound->family == GW_IP_NONE || !is_own_page(auth, *origin)))
        return ADMIN_AUTH_ORIGIN;
    if (bound->family != GW_IP_NONE && !host_is_ours(auth))
        return ADMIN_AUTH_HOST;
    return auth->open ? ADMIN_AUTH_OK : check_credentials(auth);
}

/* ---- the answer ---- */

/* Runs before the body is read: strangers cannot make us hold 16 MiB. */
bool admin_authorize(struct admin_call *call)
{
    static const struct admin_refusal refusals[] = {
        [ADMIN_AUTH_HOST] = {403, 0, "forbidden", "The Host header names another server"},
        [ADMIN_AUTH_ORIGIN] = {403, 0, "forbidden", "Requests from web pages are not served"},
        [ADMIN_AUTH_REMOTE] = {403, 0, "forbidden", "No token is configured: local peers only"},
        [ADMIN_AUTH_MISSING] = {401, 0, "auth_error",
                                "Missing X-Auth-Key, X-Auth-Email or Authorization headers"},
        [ADMIN_AUTH_MALFORMED] = {401, 0, "auth_error", "Invalid request headers"},
        [ADMIN_AUTH_TOKEN] = {401, 0, "auth_error", "Authentication error"},
        [ADMIN_AUTH_KEY] = {403, 0, "auth_error", "Unknown X-Auth-Key or X-Auth-Email"},
    };
    uint32_t allowed;
    const struct admin_route *route =
        admin_route_find(call->request->method_id, call->path, &allowed);
    const struct worker *worker = call->worker;
    const struct admin_auth auth = {.request = call->request,
                                    .config = &admin_snapshot(call)->config->admin,
                                    .tls = worker->doors[worker->door_count].tls,
                                    .peer_is_local = call->peer_is_local,
                                    .open = route && route->open};
    enum admin_verdict verdict = admin_auth_check(&auth);
    if (verdict == ADMIN_AUTH_OK)
        return true;
    if (!admin_is_api_v4(call->path) || !admin_auth_refuse_v4(call, verdict))
        admin_refuse(call, &refusals[verdict]);
    if (call->status == 401)
        gw_buf_add(&call->lines, GW_STR("WWW-Authenticate: Bearer realm=\"nearedge\"\r\n"));
    return false;
}

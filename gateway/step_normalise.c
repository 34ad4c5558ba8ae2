/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/exchange.h"
#include "gateway/ray.h"

/* Peers on a Unix socket have no address; they are this machine's own. */
static const struct gw_ip loopback = {GW_IP_V4, {127, 0, 0, 1}};

static bool is_trusted(const struct config *config, const struct gw_ip *ip)
{
    for (size_t i = 0; i < config->trusted_proxy_count; i++)
        if (gw_cidr_has(&config->trusted_proxies[i], ip))
            return true;
    return false;
}

/* The right-most address that no trusted proxy added: everything left of it is hearsay. */
static bool last_untrusted(const struct exchange *x, struct gw_ip *out)
{
    const struct config *config = x->ws->snapshot->config;
    bool found = false;
    size_t at = 0;
    for (const struct gw_str *line;
         (line = headers_next(&x->request.headers, HEADER_X_FORWARDED_FOR, &at));) {
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

static void find_client(struct exchange *x)
{
    struct exchange_client *client = &x->client;
    client->ip = net_address_is_unix(&client->peer) ? loopback : net_address_to_ip(&client->peer);
    client->trusted = is_trusted(x->ws->snapshot->config, &client->ip);
    if (client->trusted) {
        const struct gw_str *said = headers_get(&x->request.headers, HEADER_CF_CONNECTING_IP);
        struct gw_ip ip;
        if ((said && gw_ip_parse(*said, &ip)) || last_untrusted(x, &ip))
            client->ip = ip;
    }
    client->ip_text_len = (uint8_t)gw_ip_format(&client->ip, client->ip_text);
}

/* A trusted peer may play a visitor of another place (design/interface.md section 4). */
static void find_place(struct exchange *x)
{
    const struct snapshot *snapshot = x->ws->snapshot;
    const struct gw_str *edge = headers_get(&x->request.headers, HEADER_X_NEAREDGE_EDGE);
    if (edge && x->client.trusted) {
        size_t index = snapshot_edge_of(snapshot, *edge);
        if (index != GW_NPOS)
            x->edge = index;
    }
    uint32_t isolates = snapshot->edges[x->edge].config->isolates;
    const struct gw_str *isolate = headers_get(&x->request.headers, HEADER_X_NEAREDGE_ISOLATE);
    uint64_t number;
    if (isolate && x->client.trusted && gw_str_u64(*isolate, UINT32_MAX, &number))
        x->isolate = (uint32_t)number;
    x->isolate %= isolates;
}

enum step_result step_normalise(struct exchange *x)
{
    find_client(x);
    find_place(x);
    ray_next(x->worker, x->ray);
    x->step = STEP_ZONE;
    return STEP_MORE;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/exchange.h"
#include "gateway/ray.h"
#include "gateway/visit.h"

/* Peers on a Unix socket have no address; they are this machine's own. */
static const struct gw_ip loopback = {GW_IP_V4, {127, 0, 0, 1}};

static void find_client(struct exchange *x)
{
    struct exchange_client *client = &x->client;
    struct gw_ip peer =
        net_address_is_unix(&client->peer) ? loopback : net_address_to_ip(&client->peer);
    client->ip =
        visit_client(x->ws->snapshot->config, &x->request.headers, &peer, &client->trusted);
    client->ip_text_len = (uint8_t)gw_ip_format(&client->ip, client->ip_text);
}

enum step_result step_normalise(struct exchange *x)
{
    find_client(x);
    visit_place(x->ws->snapshot, &x->request.headers, x->client.trusted, &x->edge, &x->isolate);
    ray_next(x->worker, x->ray);
    /* Also who speaks no HTTP has an address and gets a Ray id. */
    x->step = x->error ? STEP_REPLY : STEP_ZONE;
    return STEP_MORE;
}

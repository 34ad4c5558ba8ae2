/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* An exchange seen as a visit, from what NORMALISE and ZONE found out. Inline, so that a step pays
 * only for the members its question reads. */
#include "gateway/exchange.h"
#include "gateway/visit.h"

static inline struct visit exchange_visit(const struct exchange *x)
{
    const struct config_edge *edge = x->ws->snapshot->edges[x->edge].config;
    return (struct visit){
        .zone = x->zone,
        .edge = edge,
        .request = &x->request,
        .path = x->path,
        .query = x->query,
        .country = edge->country,
        .continent = edge->continent,
        .ip = x->client.ip,
        .ip_text = gw_str(x->client.ip_text, x->client.ip_text_len),
        .ray_id = gw_str(x->ray, 16),
        .https = x->client.https,
        .port = x->client.port,
        .wall_ms = x->now.wall_ms,
    };
}

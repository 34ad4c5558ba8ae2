/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* An exchange seen as a visit, from what NORMALISE and ZONE found out. Inline, so that a step pays
 * only for the members its question reads. Thread: the worker's. Owns: nothing; a visit borrows
 * from its exchange. */
#include "gateway/exchange.h"
#include "gateway/visit.h"

/* Whether the zone has rules about requests: RULES has then filled x->facts. */
static inline bool exchange_has_facts(const struct exchange *x)
{
    return x->zone->cache_rules || x->zone->rate_rules || x->zone->origin_rule_count ||
           x->ws->snapshot->faults;
}

static inline enum step exchange_after_rules(const struct exchange *x)
{
    return x->zone->rate_rules ? STEP_RATE : STEP_LIMIT;
}

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
        .origin = x->destination.origin ? x->destination.origin->config : NULL,
        .https = x->client.https,
        .tls = x->client.tls,
        .port = x->client.port,
        .wall_ms = x->now.wall_ms,
        .date_ms = x->now.date_ms,
    };
}

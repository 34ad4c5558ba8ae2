/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/exchange.h"

/* What expressions may ask about. Facts the edge cannot know come from its configuration (country,
 * network). */
static void fill_facts(struct exchange *x)
{
    struct rules_request *facts = &x->facts;
    const struct config_edge *edge = x->ws->snapshot->edges[x->edge].config;
    rules_request_init(facts, &x->arena);
    facts->method = x->request.method;
    facts->version = x->request.minor ? GW_STR("HTTP/1.1") : GW_STR("HTTP/1.0");
    facts->host = x->request.host.name;
    facts->path = x->path;
    facts->query = x->query;
    facts->raw_path = x->request.url.path;
    facts->raw_query = x->request.url.query;
    facts->https = x->client.https;
    facts->headers = &x->request.headers;
    facts->client_ip = x->client.ip;
    facts->country = edge->country;
    facts->continent = edge->continent;
    facts->asnum = edge->asnum;
    facts->edge_port = x->client.port;
    facts->wall_ms = x->now.wall_ms;
    facts->ray_id = gw_str(x->ray, 16);
    facts->zone_name = exchange_zone(x)->name;
}

static void count_matches(const struct exchange *x)
{
    for (size_t word = 0; word < GW_COUNT(x->rules.matched); word++)
        for (uint64_t rest = x->rules.matched[word]; rest; rest &= rest - 1) {
            size_t rule = word * 64 + (size_t)__builtin_ctzll(rest);
            metrics_inc(x->worker->metrics, METRIC_RULE_MATCHES, x->worker->cache_phase_label,
                        x->zone->rule_labels[rule]);
        }
}

enum step_result step_rules(struct exchange *x)
{
    if (x->zone->cache_rules) {
        fill_facts(x);
        ruleset_match(x->zone->cache_rules, &x->facts, &x->rules);
        count_matches(x);
    }
    x->step = STEP_LIMIT;
    return STEP_MORE;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/destination.h"

#include "gateway/visit.h"

static struct destination own(const struct snapshot *s, const struct snapshot_zone *zone)
{
    const struct snapshot_origin *origin = &s->origins[zone->first_origin];
    return (struct destination){.origin = origin, .host_header = origin->config->host_header};
}

struct destination destination_of(const struct snapshot *s, const struct snapshot_zone *zone,
                                  struct rules_request *facts)
{
    struct destination d = own(s, zone);
    for (size_t i = 0; i < zone->origin_rule_count; i++) {
        const struct snapshot_origin_rule *rule = &zone->origin_rules[i];
        if (!expr_eval(rule->expr, facts))
            continue;
        d.rule = rule;
        d.origin = &s->origins[rule->origin];
        d.host_header =
            rule->config->has_origin ? rule->config->origin.host_header : rule->config->host_header;
        return d;
    }
    return d;
}

struct destination destination_of_visit(const struct snapshot *s, const struct visit *v,
                                        struct gw_arena *scratch)
{
    struct rules_request facts;
    if (v->zone->origin_rule_count)
        visit_rules(v, scratch, &facts);
    return destination_of(s, v->zone, &facts);
}

enum servers_speech destination_speech(const struct config_zone *zone, bool https)
{
    if (!visit_origin_https(zone, https))
        return SERVERS_PLAIN;
    return zone->settings.ssl == CONFIG_SSL_STRICT ? SERVERS_TLS_CHECKED : SERVERS_TLS;
}

void destination_describe(const struct destination *d, struct gw_buf *out)
{
    const struct config_origin *origin = d->origin->config;
    gw_buf_printf(out, "origin %.*s", GW_STR_ARG(origin->url));
    if (origin->server_count > 1)
        gw_buf_printf(out, " and %zu more", origin->server_count - 1);
    if (d->rule)
        gw_buf_printf(out, " by origin rule \"%.*s\"",
                      GW_STR_ARG(gw_str_first(d->rule->config->name, 200)));
    if (d->host_header.len)
        gw_buf_printf(out, ", Host %.*s", GW_STR_ARG(d->host_header));
}

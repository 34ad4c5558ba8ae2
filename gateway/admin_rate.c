/* SPDX-License-Identifier: Apache-2.0 */
/* GET and DELETE /api/rate-rules: what rate limiting rules have counted in this process, and a new
 * start for all of them. The list is bounded: it is a look, not an export. */
#include "gateway/admin_route.h"
#include "gateway/exchange.h"
#include "gateway/server.h"

#define LIST_MAX 1000

struct listing {
    struct admin_call *call;
    const struct snapshot *snapshot;
    uint64_t now_ms;
    size_t count;
};

/* NULL when the rule was changed or taken away since it counted. */
static const struct rule *rule_of(const struct snapshot_zone *zone, struct gw_str name)
{
    size_t count = zone->rate_rules ? ruleset_count(zone->rate_rules) : 0;
    for (size_t i = 0; i < count; i++) {
        const struct rule *rule = ruleset_rule(zone->rate_rules, i);
        if (rule->rate && gw_str_eq(gw_str_z(rule->rate->name), name))
            return rule;
    }
    return NULL;
}

static const struct snapshot_zone *zone_of(const struct snapshot *s, struct gw_str id)
{
    for (size_t i = 0; i < s->zone_count; i++)
        if (gw_str_eq(s->zones[i].config->id, id))
            return &s->zones[i];
    return NULL;
}

static void add_entry(struct gw_buf *out, const struct rate_entry *entry,
                      const struct snapshot_zone *zone, const struct rule *rule)
{
    const struct rate_counter *c = &entry->counter;
    gw_buf_add(out, GW_STR("{\"zone\":"));
    gw_buf_json(out, zone->config->name);
    gw_buf_printf(out, ",\"rule\":%u,\"id\":", rule->index + 1u);
    gw_buf_json(out, rule->id);
    gw_buf_add(out, GW_STR(",\"edge\":"));
    gw_buf_json(out, entry->edge);
    gw_buf_add(out, GW_STR(",\"values\":"));
    gw_buf_json(out, entry->values);
    gw_buf_printf(out,
                  ",\"count\":%llu,\"limit\":%llu,\"period_end_ms\":%llu,\"action_end_ms\":%llu}",
                  (unsigned long long)c->count, (unsigned long long)rule->rate->limit,
                  (unsigned long long)c->period_end_ms, (unsigned long long)c->action_end_ms);
}

static bool on_entry(void *ctx, const struct rate_entry *entry)
{
    struct listing *l = ctx;
    const struct snapshot_zone *zone = zone_of(l->snapshot, entry->zone);
    const struct rule *rule = zone ? rule_of(zone, entry->rule) : NULL;
    if (!rule || entry->counter.ends_at_ms <= l->now_ms)
        return true;
    if (l->count++)
        gw_buf_char(&l->call->out, ',');
    add_entry(&l->call->out, entry, zone, rule);
    return l->count < LIST_MAX;
}

enum admin_result admin_rate_list(struct admin_call *call)
{
    struct listing l = {
        .call = call, .snapshot = admin_snapshot(call), .now_ms = call->exchange->now.wall_ms};
    gw_buf_add(&call->out, GW_STR("{\"counters\":["));
    rate_counters_list(call->server->rate, on_entry, &l);
    gw_buf_printf(&call->out, "],\"cut\":%s}\n", l.count == LIST_MAX ? "true" : "false");
    return ADMIN_DONE;
}

enum admin_result admin_rate_clear(struct admin_call *call)
{
    gw_buf_printf(&call->out, "{\"forgotten\":%zu}\n", rate_counters_clear(call->server->rate));
    return ADMIN_DONE;
}

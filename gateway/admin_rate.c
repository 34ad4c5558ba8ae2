/* SPDX-License-Identifier: Apache-2.0 */
/* GET and DELETE /api/rate-rules: what rate limiting rules have counted in this process, and a new
 * start for all of them. The list is bounded: it is a look, not an export. */
#include "gateway/admin_route.h"
#include "gateway/base/json_out.h"
#include "gateway/exchange.h"
#include "gateway/server.h"

#define LIST_MAX 1000

struct listing {
    struct admin_call *call;
    const struct snapshot *snapshot;
    struct gw_time now;
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

static void add_entry(struct gw_buf *out, const struct rate_entry *entry,
                      const struct snapshot_zone *zone, const struct rule *rule, struct gw_time now)
{
    const struct rate_counter *c = &entry->counter;
    gw_json_object(out, NULL);
    gw_json_text(out, "zone", zone->config->name);
    gw_json_u64(out, "rule", rule->index + 1u);
    gw_json_text(out, "id", rule->id);
    gw_json_text(out, "edge", entry->edge);
    gw_json_text(out, "values", entry->values);
    gw_json_u64(out, "count", c->count);
    gw_json_u64(out, "limit", rule->rate->limit);
    gw_json_u64(out, "period_end_ms", gw_time_date(now, c->period_end_ms));
    gw_json_u64(out, "action_end_ms", gw_time_date(now, c->action_end_ms));
    gw_buf_char(out, '}');
}

static bool on_entry(void *ctx, const struct rate_entry *entry)
{
    struct listing *l = ctx;
    const struct snapshot_zone *zone = snapshot_zone_with_id(l->snapshot, entry->zone);
    const struct rule *rule = zone ? rule_of(zone, entry->rule) : NULL;
    if (!rule || entry->counter.ends_at_ms <= l->now.wall_ms)
        return true;
    l->count++;
    add_entry(&l->call->out, entry, zone, rule, l->now);
    return l->count < LIST_MAX;
}

enum admin_result admin_rate_list(struct admin_call *call)
{
    struct listing l = {.call = call, .snapshot = admin_snapshot(call), .now = call->exchange->now};
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

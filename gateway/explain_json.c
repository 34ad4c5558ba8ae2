/* SPDX-License-Identifier: Apache-2.0 */
/* The trace API's shape: one "ruleset" step a phase, one "rule" step a rule, then the "cache" step
 * with the key (spec/api-v4.md section 7). Names of steps are not documented: the phase's name and
 * the rule's id are used. */
#include "gateway/base/json_out.h"
#include "gateway/explain_view.h"

#define SEEN_MAX ((size_t)1 << 20) /* no text of a request is longer */

/* A text that came with the request. */
static void add_seen(struct gw_buf *out, const struct explain *e, const char *name,
                     struct gw_str text)
{
    struct gw_buf shown;
    if (!e->veil.show) {
        gw_json_text(out, name, text);
        return;
    }
    gw_buf_init(&shown, SEEN_MAX);
    e->veil.show(e->veil.ctx, text, &shown);
    gw_json_text(out, name, gw_buf_str(&shown));
    gw_buf_release(&shown);
}

/* What a document left out is left out. */
static void add_given(struct gw_buf *out, const char *name, struct gw_str text)
{
    if (text.len)
        gw_json_text(out, name, text);
}

/* A rule too large to be kept as text has no value to show. */
static void add_json(struct gw_buf *out, const char *name, const struct json *value)
{
    gw_json_name(out, name);
    if (value)
        json_write(value, out);
    else
        gw_buf_add(out, GW_STR("null"));
}

/* ---- rules ----
 * Texts of rules are the operator's and stand as they are; what a rule found in the request is the
 * visitor's and goes through add_seen. */

static void add_part(struct gw_buf *out, const struct explain *e, const struct explain_part *part)
{
    gw_json_object(out, NULL);
    gw_json_text(out, "text", part->text);
    gw_json_u64(out, "depth", part->depth);
    gw_json_bool(out, "value", part->value);
    gw_json_bool(out, "decided", part->decided);
    if (part->comparison && part->missing)
        gw_json_null(out, "left");
    else if (part->comparison && part->veiled)
        gw_json_text(out, "left", GW_STR("***"));
    else if (part->comparison)
        add_seen(out, e, "left", part->left);
    gw_buf_char(out, '}');
}

/* Counters as they stand now: asking counts nothing. */
static void add_rate(struct gw_buf *out, const struct explain *e, const struct explain_rule *r)
{
    static const char *const moments[] = {[RATE_AT_REQUEST] = "request",
                                          [RATE_AT_ORIGIN] = "origin",
                                          [RATE_AT_RESPONSE] = "response"};
    const struct rate_limit *limit = r->rule->rate;
    const struct rate_look *look = &r->rate->look;
    const struct gw_time now = {.wall_ms = e->visit.wall_ms, .date_ms = e->visit.date_ms};
    gw_json_object(out, "ratelimit");
    add_seen(out, e, "values", r->rate->values);
    gw_json_u64(out, limit->score_header.len ? "score_per_period" : "requests_per_period",
                limit->limit);
    gw_json_u64(out, "period", limit->period_ms / 1000);
    gw_json_u64(out, "mitigation_timeout", limit->timeout_ms / 1000);
    gw_json_text(out, "counted_with", gw_str_z(moments[limit->moment]));
    if (r->rate->counted) {
        gw_json_u64(out, "count", look->now.count);
        gw_json_bool(out, "would_act", look->next.over);
        if (look->next.over)
            gw_json_u64(out, "until_ms", gw_time_date(now, look->next.until_ms));
    }
    gw_buf_char(out, '}');
}

static void add_rule(struct gw_buf *out, const struct explain *e, const struct explain_rule *r)
{
    const struct rule *rule = r->rule;
    char position[24];
    snprintf(position, sizeof(position), "rules/%u", rule->index);
    gw_json_object(out, NULL);
    gw_json_text(out, "step_name",
                 rule->id.len    ? rule->id
                 : rule->ref.len ? rule->ref
                                 : gw_str_z(position));
    gw_json_text(out, "type", GW_STR("rule"));
    gw_json_bool(out, "matched", r->matched);
    add_given(out, "description", rule->description);
    gw_json_text(out, "action", rule->action);
    if (r->parameters)
        add_json(out, "action_parameters", r->parameters);
    gw_json_text(out, "expression", rule->expression);
    gw_json_object(out, "nearedge");
    gw_json_u64(out, "position", rule->index + 1u);
    add_given(out, "ref", rule->ref);
    gw_json_bool(out, "enabled", rule->enabled);
    gw_json_bool(out, "evaluated", r->evaluated);
    gw_json_list(out, "parts");
    for (size_t i = 0; i < r->part_count; i++)
        add_part(out, e, &r->parts[i]);
    gw_buf_char(out, ']');
    if (r->rate)
        add_rate(out, e, r);
    gw_buf_add(out, GW_STR("}}"));
}

/* Settings accumulate over the rules of the phase: what holds in the end stands at the ruleset. */
static void add_effective(struct gw_buf *out, const struct explain *e)
{
    gw_json_object(out, "action_parameters");
    for (size_t i = 0; i < e->setting_count; i++) {
        add_json(out, cache_setting_name(e->settings[i].key), e->settings[i].value);
    }
    gw_buf_char(out, '}');
}

static void add_phase(struct gw_buf *out, const struct explain *e, const struct explain_phase *p)
{
    const struct ruleset_info *info = ruleset_info(p->ruleset);
    gw_json_object(out, NULL);
    gw_json_text(out, "step_name", info->phase_name);
    gw_json_text(out, "type", GW_STR("ruleset"));
    gw_json_bool(out, "matched", p->matched > 0);
    add_given(out, "name", info->name);
    add_given(out, "kind", info->kind);
    add_given(out, "description", info->description);
    if (p->simulated && info->phase != RULES_RATELIMIT)
        add_effective(out, e);
    gw_json_list(out, "trace");
    for (size_t i = 0; i < p->rule_count; i++)
        add_rule(out, e, &p->rules[i]);
    gw_buf_char(out, ']');
    gw_json_object(out, "nearedge");
    add_given(out, "id", info->id);
    gw_json_bool(out, "simulated", p->simulated);
    gw_json_u64(out, "rules", p->rule_count);
    gw_json_u64(out, "rules_matched", p->matched);
    gw_buf_add(out, GW_STR("}}"));
}

/* ---- cache ---- */

static void add_uri(struct gw_buf *out, const struct explain *e)
{
    struct gw_buf uri;
    gw_buf_init(&uri, SEEN_MAX);
    gw_buf_add(&uri, e->visit.path);
    if (e->visit.query.len)
        gw_buf_char(&uri, '?');
    gw_buf_add(&uri, e->visit.query);
    add_seen(out, e, "uri", gw_buf_str(&uri));
    gw_buf_release(&uri);
}

static void add_found(struct gw_buf *out, const struct explain_lookup *found)
{
    static const char *const names[] = {
        [EXPLAIN_ABSENT] = "absent", [EXPLAIN_FRESH] = "fresh", [EXPLAIN_STALE] = "stale"};
    if (found->found == EXPLAIN_NOT_ASKED) {
        gw_json_null(out, "lookup");
        return;
    }
    gw_json_object(out, "lookup");
    gw_json_text(out, "found", gw_str_z(names[found->found]));
    if (found->found != EXPLAIN_ABSENT) {
        gw_json_u64(out, "status", found->status);
        gw_json_u64(out, "age_s", found->age_s);
        gw_json_u64(out, "fresh_ms", found->fresh_ms);
        gw_json_bool(out, "serve_stale", found->serve_stale);
    }
    gw_buf_char(out, '}');
}

static void add_cache(struct gw_buf *out, const struct explain *e)
{
    gw_json_object(out, NULL);
    gw_json_text(out, "step_name", GW_STR("request"));
    gw_json_text(out, "type", GW_STR("cache"));
    gw_json_bool(out, "matched", e->eligibility.eligible);
    gw_json_text(out, "public_name", GW_STR("Cache Parameters"));
    gw_json_object(out, "cache");
    gw_json_object(out, "key");
    gw_json_text(out, "zone_id", e->visit.zone->config->id);
    gw_json_text(out, "scheme", e->cache_request.origin_https ? GW_STR("https") : GW_STR("http"));
    gw_json_text(out, "host", e->cache_request.host);
    add_uri(out, e);
    gw_buf_char(out, '}');
    add_seen(out, e, "key_string", gw_buf_str(&e->key));
    gw_buf_char(out, '}');
    gw_json_object(out, "nearedge");
    gw_json_bool(out, "eligible", e->eligibility.eligible);
    gw_json_text(out, "reason", cache_reason_text(e->eligibility.reason));
    gw_json_bool(out, "key_too_long", e->key.overflow);
    add_found(out, &e->lookup);
    gw_buf_add(out, GW_STR("}}"));
}

/* ---- what the trace API has no place for ---- */

static void add_limiter(struct gw_buf *out, const struct explain *e)
{
    const struct limiter *limiter = e->limit.limiter;
    if (!limiter) {
        gw_json_null(out, "limiter");
        return;
    }
    gw_json_object(out, "limiter");
    gw_json_text(out, "name", limiter->name);
    gw_json_text(out, "route", e->limit.route->path);
    gw_json_u64(out, "limit", limiter->rule.limit);
    gw_json_u64(out, "window_ms", limiter->rule.window_ms);
    gw_json_text(out, "store", gw_str_z(explain_store_name(limiter->store)));
    gw_json_text(out, "mode", gw_str_z(explain_mode_name(limiter->mode)));
    add_seen(out, e, "key", e->limit.key);
    if (e->limit.counted) {
        gw_json_u64(out, "count", e->limit.count);
        gw_json_u64(out, "reset_at_ms", e->limit.reset_at_ms);
        gw_json_bool(out, "would_refuse", explain_is_limited(e));
    }
    gw_buf_char(out, '}');
}

static void add_check(struct gw_buf *out, const struct explain *e)
{
    if (!e->check) {
        gw_json_null(out, "mirror_checks");
        return;
    }
    gw_json_object(out, "mirror_checks");
    gw_json_u64(out, "status", 403);
    gw_json_text(out, "message", gw_str_z(app_check_text(e->check)));
    gw_json_bool(out, "limiter_first", e->check_behind_limiter);
    gw_buf_char(out, '}');
}

static void add_settings(struct gw_buf *out, const struct explain *e)
{
    gw_json_object(out, "settings");
    for (size_t i = 0; i < e->setting_count; i++) {
        const struct explain_setting *s = &e->settings[i];
        gw_json_object(out, cache_setting_name(s->key));
        add_json(out, "value", s->value);
        gw_json_u64(out, "rule", s->rule->rule->index + 1u);
        gw_json_bool(out, "simulated", cache_setting_simulated(s->key));
        gw_buf_char(out, '}');
    }
    gw_buf_char(out, '}');
}

static void add_request(struct gw_buf *out, const struct explain *e)
{
    const struct visit *v = &e->visit;
    gw_json_object(out, "request");
    add_seen(out, e, "url", e->url);
    gw_json_text(out, "method", e->request.method);
    gw_json_text(out, "host", e->request.host.name);
    add_seen(out, e, "raw_path", e->request.url.path);
    add_seen(out, e, "raw_query", e->request.url.query);
    if (v->zone) {
        add_seen(out, e, "path", v->path);
        add_seen(out, e, "query", v->query);
    }
    gw_json_text(out, "client_ip", v->ip_text);
    gw_json_bool(out, "peer_trusted", e->trusted);
    gw_json_text(out, "edge", v->edge->name);
    gw_json_text(out, "country", v->country);
    gw_json_u64(out, "isolate", e->isolate);
    gw_buf_char(out, '}');
}

static void add_zone(struct gw_buf *out, const struct explain *e)
{
    const struct config_zone *zone = e->visit.zone->config;
    const struct destination *to = &e->destination;
    gw_json_object(out, "zone");
    gw_json_text(out, "name", zone->name);
    gw_json_text(out, "id", zone->id);
    gw_json_text(out, "plan", gw_str_z(config_plan_names[zone->plan]));
    gw_json_text(out, "origin", to->origin->config->url);
    if (to->rule)
        gw_json_text(out, "origin_rule", to->rule->config->name);
    add_given(out, "host_header", to->host_header);
    gw_json_bool(out, "worker_first", zone->worker_first);
    gw_buf_char(out, '}');
}

static void add_extras(struct gw_buf *out, const struct explain *e)
{
    struct gw_buf verdict;
    gw_buf_init(&verdict, 64 * 1024);
    explain_verdict(e, &verdict);
    gw_json_object(out, "nearedge");
    gw_json_text(out, "verdict", gw_buf_str(&verdict));
    add_request(out, e);
    if (e->visit.zone) {
        add_zone(out, e);
        add_settings(out, e);
        add_check(out, e);
        add_limiter(out, e);
    } else {
        gw_json_null(out, "zone");
    }
    gw_json_bool(out, "parts_cut", e->parts_cut);
    gw_buf_char(out, '}');
    gw_buf_release(&verdict);
}

void explain_json(const struct explain *e, struct gw_buf *out)
{
    unsigned status = explain_status(e);
    gw_buf_char(out, '{');
    gw_json_object(out, "result");
    if (status)
        gw_json_u64(out, "status_code", status);
    else
        gw_json_null(out, "status_code");
    gw_json_list(out, "trace");
    for (size_t i = 0; i < e->phase_count; i++)
        add_phase(out, e, &e->phases[i]);
    if (e->visit.zone)
        add_cache(out, e);
    gw_buf_char(out, ']');
    add_extras(out, e);
    gw_buf_add(out, GW_STR("},\"success\":true,\"errors\":[],\"messages\":[]}\n"));
}

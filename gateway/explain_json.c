/* SPDX-License-Identifier: Apache-2.0 */
/* The trace API's shape: one "ruleset" step a phase, one "rule" step a rule, then the "cache" step
 * with the key (spec/api-v4.md section 7). Names of steps are not documented: the phase's name and
 * the rule's id are used. */
#include "gateway/explain_view.h"

#define SEEN_MAX ((size_t)1 << 20) /* no text of a request is longer */

/* A comma unless it would be the first member: what was written last tells. */
static void separate(struct gw_buf *out)
{
    char last = out->len ? out->data[out->len - 1] : '{';
    if (last != '{' && last != '[')
        gw_buf_char(out, ',');
}

static void add_name(struct gw_buf *out, const char *name)
{
    separate(out);
    gw_buf_printf(out, "\"%s\":", name);
}

static void add_text(struct gw_buf *out, const char *name, struct gw_str text)
{
    add_name(out, name);
    gw_buf_json(out, text);
}

/* A text that came with the request. */
static void add_seen(struct gw_buf *out, const struct explain *e, const char *name,
                     struct gw_str text)
{
    struct gw_buf shown;
    if (!e->veil.show) {
        add_text(out, name, text);
        return;
    }
    gw_buf_init(&shown, SEEN_MAX);
    e->veil.show(e->veil.ctx, text, &shown);
    add_text(out, name, gw_buf_str(&shown));
    gw_buf_release(&shown);
}

/* What a document left out is left out. */
static void add_given(struct gw_buf *out, const char *name, struct gw_str text)
{
    if (text.len)
        add_text(out, name, text);
}

static void add_bool(struct gw_buf *out, const char *name, bool value)
{
    add_name(out, name);
    gw_buf_add(out, value ? GW_STR("true") : GW_STR("false"));
}

static void add_number(struct gw_buf *out, const char *name, uint64_t value)
{
    add_name(out, name);
    gw_buf_u64(out, value);
}

static void add_null(struct gw_buf *out, const char *name)
{
    add_name(out, name);
    gw_buf_add(out, GW_STR("null"));
}

/* A rule too large to be kept as text has no value to show. */
static void add_json(struct gw_buf *out, const char *name, const struct json *value)
{
    add_name(out, name);
    if (value)
        json_write(value, out);
    else
        gw_buf_add(out, GW_STR("null"));
}

static void open_object(struct gw_buf *out, const char *name)
{
    add_name(out, name);
    gw_buf_char(out, '{');
}

static void open_list(struct gw_buf *out, const char *name)
{
    add_name(out, name);
    gw_buf_char(out, '[');
}

/* ---- rules ----
 * Texts of rules are the operator's and stand as they are; what a rule found in the request is the
 * visitor's and goes through add_seen. */

static void add_part(struct gw_buf *out, const struct explain *e, const struct explain_part *part)
{
    separate(out);
    gw_buf_char(out, '{');
    add_text(out, "text", part->text);
    add_number(out, "depth", part->depth);
    add_bool(out, "value", part->value);
    add_bool(out, "decided", part->decided);
    if (part->comparison && part->missing)
        add_null(out, "left");
    else if (part->comparison && part->veiled)
        add_text(out, "left", GW_STR("***"));
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
    open_object(out, "ratelimit");
    add_seen(out, e, "values", r->rate->values);
    add_number(out, limit->score_header.len ? "score_per_period" : "requests_per_period",
               limit->limit);
    add_number(out, "period", limit->period_ms / 1000);
    add_number(out, "mitigation_timeout", limit->timeout_ms / 1000);
    add_text(out, "counted_with", gw_str_z(moments[limit->moment]));
    if (r->rate->counted) {
        add_number(out, "count", look->now.count);
        add_bool(out, "would_act", look->next.over);
        if (look->next.over)
            add_number(out, "until_ms", look->next.until_ms);
    }
    gw_buf_char(out, '}');
}

static void add_rule(struct gw_buf *out, const struct explain *e, const struct explain_rule *r)
{
    const struct rule *rule = r->rule;
    char position[24];
    snprintf(position, sizeof(position), "rules/%u", rule->index);
    separate(out);
    gw_buf_char(out, '{');
    add_text(out, "step_name",
             rule->id.len    ? rule->id
             : rule->ref.len ? rule->ref
                             : gw_str_z(position));
    add_text(out, "type", GW_STR("rule"));
    add_bool(out, "matched", r->matched);
    add_given(out, "description", rule->description);
    add_text(out, "action", rule->action);
    if (r->parameters)
        add_json(out, "action_parameters", r->parameters);
    add_text(out, "expression", rule->expression);
    open_object(out, "nearedge");
    add_number(out, "position", rule->index + 1u);
    add_given(out, "ref", rule->ref);
    add_bool(out, "enabled", rule->enabled);
    add_bool(out, "evaluated", r->evaluated);
    open_list(out, "parts");
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
    open_object(out, "action_parameters");
    for (size_t i = 0; i < e->setting_count; i++) {
        add_json(out, cache_setting_name(e->settings[i].key), e->settings[i].value);
    }
    gw_buf_char(out, '}');
}

static void add_phase(struct gw_buf *out, const struct explain *e, const struct explain_phase *p)
{
    const struct ruleset_info *info = ruleset_info(p->ruleset);
    separate(out);
    gw_buf_char(out, '{');
    add_text(out, "step_name", info->phase_name);
    add_text(out, "type", GW_STR("ruleset"));
    add_bool(out, "matched", p->matched > 0);
    add_given(out, "name", info->name);
    add_given(out, "kind", info->kind);
    add_given(out, "description", info->description);
    if (p->simulated && info->phase != RULES_RATELIMIT)
        add_effective(out, e);
    open_list(out, "trace");
    for (size_t i = 0; i < p->rule_count; i++)
        add_rule(out, e, &p->rules[i]);
    gw_buf_char(out, ']');
    open_object(out, "nearedge");
    add_given(out, "id", info->id);
    add_bool(out, "simulated", p->simulated);
    add_number(out, "rules", p->rule_count);
    add_number(out, "rules_matched", p->matched);
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
        add_null(out, "lookup");
        return;
    }
    open_object(out, "lookup");
    add_text(out, "found", gw_str_z(names[found->found]));
    if (found->found != EXPLAIN_ABSENT) {
        add_number(out, "status", found->status);
        add_number(out, "age_s", found->age_s);
        add_number(out, "fresh_ms", found->fresh_ms);
        add_bool(out, "serve_stale", found->serve_stale);
    }
    gw_buf_char(out, '}');
}

static void add_cache(struct gw_buf *out, const struct explain *e)
{
    separate(out);
    gw_buf_char(out, '{');
    add_text(out, "step_name", GW_STR("request"));
    add_text(out, "type", GW_STR("cache"));
    add_bool(out, "matched", e->eligibility.eligible);
    add_text(out, "public_name", GW_STR("Cache Parameters"));
    open_object(out, "cache");
    open_object(out, "key");
    add_text(out, "zone_id", e->visit.zone->config->id);
    add_text(out, "scheme", e->cache_request.origin_https ? GW_STR("https") : GW_STR("http"));
    add_text(out, "host", e->cache_request.host);
    add_uri(out, e);
    gw_buf_char(out, '}');
    add_seen(out, e, "key_string", gw_buf_str(&e->key));
    gw_buf_char(out, '}');
    open_object(out, "nearedge");
    add_bool(out, "eligible", e->eligibility.eligible);
    add_text(out, "reason", cache_reason_text(e->eligibility.reason));
    add_bool(out, "key_too_long", e->key.overflow);
    add_found(out, &e->lookup);
    gw_buf_add(out, GW_STR("}}"));
}

/* ---- what the trace API has no place for ---- */

static void add_limiter(struct gw_buf *out, const struct explain *e)
{
    const struct limiter *limiter = e->limit.limiter;
    if (!limiter) {
        add_null(out, "limiter");
        return;
    }
    open_object(out, "limiter");
    add_text(out, "name", limiter->name);
    add_text(out, "route", e->limit.route->path);
    add_number(out, "limit", limiter->rule.limit);
    add_number(out, "window_ms", limiter->rule.window_ms);
    add_text(out, "store", gw_str_z(explain_store_name(limiter->store)));
    add_text(out, "mode", gw_str_z(explain_mode_name(limiter->mode)));
    add_seen(out, e, "key", e->limit.key);
    if (e->limit.counted) {
        add_number(out, "count", e->limit.count);
        add_number(out, "reset_at_ms", e->limit.reset_at_ms);
        add_bool(out, "would_refuse", explain_is_limited(e));
    }
    gw_buf_char(out, '}');
}

static void add_check(struct gw_buf *out, const struct explain *e)
{
    if (!e->check) {
        add_null(out, "mirror_checks");
        return;
    }
    open_object(out, "mirror_checks");
    add_number(out, "status", 403);
    add_text(out, "message", gw_str_z(app_check_text(e->check)));
    add_bool(out, "limiter_first", e->check_behind_limiter);
    gw_buf_char(out, '}');
}

static void add_settings(struct gw_buf *out, const struct explain *e)
{
    open_object(out, "settings");
    for (size_t i = 0; i < e->setting_count; i++) {
        const struct explain_setting *s = &e->settings[i];
        open_object(out, cache_setting_name(s->key));
        add_json(out, "value", s->value);
        add_number(out, "rule", s->rule->rule->index + 1u);
        add_bool(out, "simulated", cache_setting_simulated(s->key));
        gw_buf_char(out, '}');
    }
    gw_buf_char(out, '}');
}

static void add_request(struct gw_buf *out, const struct explain *e)
{
    const struct visit *v = &e->visit;
    open_object(out, "request");
    add_seen(out, e, "url", e->url);
    add_text(out, "method", e->request.method);
    add_text(out, "host", e->request.host.name);
    add_seen(out, e, "raw_path", e->request.url.path);
    add_seen(out, e, "raw_query", e->request.url.query);
    if (v->zone) {
        add_seen(out, e, "path", v->path);
        add_seen(out, e, "query", v->query);
    }
    add_text(out, "client_ip", v->ip_text);
    add_bool(out, "peer_trusted", e->trusted);
    add_text(out, "edge", v->edge->name);
    add_text(out, "country", v->country);
    add_number(out, "isolate", e->isolate);
    gw_buf_char(out, '}');
}

static void add_zone(struct gw_buf *out, const struct explain *e)
{
    const struct config_zone *zone = e->visit.zone->config;
    const struct destination *to = &e->destination;
    open_object(out, "zone");
    add_text(out, "name", zone->name);
    add_text(out, "id", zone->id);
    add_text(out, "plan", gw_str_z(config_plan_names[zone->plan]));
    add_text(out, "origin", to->origin->config->url);
    if (to->rule)
        add_text(out, "origin_rule", to->rule->config->name);
    add_given(out, "host_header", to->host_header);
    add_bool(out, "worker_first", zone->worker_first);
    gw_buf_char(out, '}');
}

static void add_extras(struct gw_buf *out, const struct explain *e)
{
    struct gw_buf verdict;
    gw_buf_init(&verdict, 64 * 1024);
    explain_verdict(e, &verdict);
    open_object(out, "nearedge");
    add_text(out, "verdict", gw_buf_str(&verdict));
    add_request(out, e);
    if (e->visit.zone) {
        add_zone(out, e);
        add_settings(out, e);
        add_check(out, e);
        add_limiter(out, e);
    } else {
        add_null(out, "zone");
    }
    add_bool(out, "parts_cut", e->parts_cut);
    gw_buf_char(out, '}');
    gw_buf_release(&verdict);
}

void explain_json(const struct explain *e, struct gw_buf *out)
{
    unsigned status = explain_status(e);
    gw_buf_char(out, '{');
    open_object(out, "result");
    if (status)
        add_number(out, "status_code", status);
    else
        add_null(out, "status_code");
    open_list(out, "trace");
    for (size_t i = 0; i < e->phase_count; i++)
        add_phase(out, e, &e->phases[i]);
    if (e->visit.zone)
        add_cache(out, e);
    gw_buf_char(out, ']');
    add_extras(out, e);
    gw_buf_add(out, GW_STR("},\"success\":true,\"errors\":[],\"messages\":[]}\n"));
}

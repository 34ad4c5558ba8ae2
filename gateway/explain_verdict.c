/* SPDX-License-Identifier: Apache-2.0 */
/* The answer in one sentence. It names the first thing that settles the matter and what follows
 * from it; the tree below it has the reasons. */
#include "cache/status.h"
#include "gateway/explain_view.h"

const char *explain_store_name(enum limiter_store store)
{
    static const char *const names[] = {[LIMITER_DURABLE_OBJECT] = "durable_object",
                                        [LIMITER_MEMORY] = "memory",
                                        [LIMITER_KV] = "kv",
                                        [LIMITER_BINDING] = "binding"};
    return names[store];
}

const char *explain_mode_name(enum limiter_mode mode)
{
    static const char *const names[] = {
        [LIMITER_ENFORCE] = "enforce", [LIMITER_SHADOW] = "shadow", [LIMITER_OFF] = "off"};
    return names[mode];
}

void explain_rule_name(const struct explain_rule *r, struct gw_buf *out)
{
    const struct rule *rule = r->rule;
    struct gw_str name = rule->description.len ? rule->description
                         : rule->ref.len       ? rule->ref
                                               : rule->expression;
    gw_buf_u64(out, rule->index + 1u);
    gw_buf_char(out, ' ');
    gw_buf_json(out, name);
}

static unsigned refusing_status(const struct rate_limit *rate)
{
    return rate->action == RATE_CHALLENGE ? 403 : rate->response.status;
}

unsigned explain_status(const struct explain *e)
{
    if (e->refused)
        return e->refused;
    if (e->refusing)
        return refusing_status(e->refusing->rule->rate);
    if (e->check && !e->check_behind_limiter)
        return 403;
    if (explain_is_limited(e))
        return e->limit.route->redirect.len ? 302 : 429;
    if (e->check)
        return 403;
    return e->lookup.found == EXPLAIN_FRESH || e->lookup.serve_stale ? e->lookup.status : 0;
}

static void add_seconds(struct gw_buf *out, uint64_t ms)
{
    gw_buf_printf(out, "%llu.%03u s", (unsigned long long)(ms / 1000), (unsigned)(ms % 1000));
}

/* "counts it against aiGenerate (15 in 60 s), then " */
static void add_limiter(const struct explain *e, struct gw_buf *out)
{
    const struct limiter *limiter = e->limit.limiter;
    if (!limiter || limiter->mode == LIMITER_OFF)
        return;
    gw_buf_printf(out, "counts it against limiter \"%.*s\" (%u in ", GW_STR_ARG(limiter->name),
                  limiter->rule.limit);
    if (limiter->rule.window_ms % 1000)
        gw_buf_printf(out, "%llu ms", (unsigned long long)limiter->rule.window_ms);
    else
        gw_buf_printf(out, "%llu s", (unsigned long long)limiter->rule.window_ms / 1000);
    gw_buf_add(out, limiter->mode == LIMITER_SHADOW ? GW_STR(", refusing nobody), then ")
                                                    : GW_STR("), then "));
}

static void add_refusal(const struct explain *e, struct gw_buf *out)
{
    const struct explain_limit *limit = &e->limit;
    gw_buf_printf(out,
                  "answers %u: limiter \"%.*s\" has admitted %llu of %u, and its window ends in ",
                  explain_status(e), GW_STR_ARG(limit->limiter->name),
                  (unsigned long long)limit->count, limit->limiter->rule.limit);
    add_seconds(out, limit->reset_at_ms - e->visit.date_ms);
    gw_buf_char(out, '.');
}

static void add_check(const struct explain *e, struct gw_buf *out)
{
    gw_buf_printf(out, "answers 403 as the app would (mirror_checks): %s; ",
                  app_check_text(e->check));
    gw_buf_add(out, e->check_behind_limiter ? GW_STR("its limiter has counted it.")
                                            : GW_STR("its limiter does not count it."));
}

static void add_rate_refusal(const struct explain *e, struct gw_buf *out)
{
    const struct explain_rule *r = e->refusing;
    const struct rate_limit *limit = r->rule->rate;
    const struct rate_look *look = &r->rate->look;
    gw_buf_printf(out, "answers %u: rate limiting rule ", explain_status(e));
    explain_rule_name(r, out);
    gw_buf_printf(out, " has counted %llu at %.*s and allows %llu in %llu s; it ends in ",
                  (unsigned long long)look->now.count, GW_STR_ARG(e->visit.edge->name),
                  (unsigned long long)limit->limit, (unsigned long long)limit->period_ms / 1000);
    add_seconds(out, look->next.until_ms - e->visit.wall_ms);
    gw_buf_char(out, '.');
}

/* Which rule a decision about eligibility rests on, if one does. */
static void add_reason(const struct explain *e, struct gw_buf *out)
{
    const struct explain_setting *cache = explain_setting_of(e, GW_STR("cache"));
    enum cache_reason reason = e->eligibility.reason;
    if (cache && (reason == CACHE_REASON_RULE_ON || reason == CACHE_REASON_RULE_OFF)) {
        gw_buf_add(out, GW_STR("rule "));
        explain_rule_name(cache->rule, out);
        gw_buf_add(out, reason == CACHE_REASON_RULE_ON ? GW_STR(" says cache: true")
                                                       : GW_STR(" says cache: false"));
        return;
    }
    gw_buf_add(out, cache_reason_text(reason));
}

/* How long an answer is kept; what the origin says is not known yet. */
static void add_lifetime(const struct explain *e, struct gw_buf *out)
{
    const struct cache_settings *s = cache_settings_get(&e->rules.settings, CACHE_SETTING_EDGE_TTL);
    enum cache_ttl_mode mode = s ? s->edge_ttl.mode : CACHE_TTL_RESPECT_ORIGIN;
    switch (mode) {
    case CACHE_TTL_OVERRIDE_ORIGIN:
        gw_buf_printf(out, "keeps its answer for %llu s", (unsigned long long)s->edge_ttl.seconds);
        break;
    case CACHE_TTL_BYPASS_BY_DEFAULT:
        gw_buf_add(out, GW_STR("keeps its answer only if the origin says for how long"));
        break;
    case CACHE_TTL_RESPECT_ORIGIN:
    case CACHE_TTL_BYPASS:
        gw_buf_add(out,
                   GW_STR("keeps its answer as long as the origin says, or else by its status"));
        break;
    }
    if (s && s->edge_ttl.status_count)
        gw_buf_add(out, GW_STR(" (other TTLs for some statuses)"));
}

static void add_lookup(const struct explain *e, struct gw_buf *out)
{
    switch (e->lookup.found) {
    case EXPLAIN_NOT_ASKED:
        gw_buf_add(out, GW_STR("answers from the cache, or else asks the origin and "));
        add_lifetime(e, out);
        return;
    case EXPLAIN_ABSENT:
        gw_buf_add(out, GW_STR("finds nothing in the cache (MISS), asks the origin and "));
        add_lifetime(e, out);
        return;
    case EXPLAIN_FRESH:
        gw_buf_printf(out, "answers %u from the cache (HIT), fresh for another ", e->lookup.status);
        add_seconds(out, e->lookup.fresh_ms);
        return;
    case EXPLAIN_STALE:
        gw_buf_add(out, e->lookup.serve_stale
                            ? GW_STR("answers from a stale object (UPDATING) and refreshes it")
                            : GW_STR("finds a stale object and asks the origin about it (EXPIRED "
                                     "or REVALIDATED)"));
        return;
    }
}

/* In the order of the steps: zone, rate limiting rules, the app's checks before its limiter, the
 * limiter, the checks behind it, the cache. The first that settles it has the word. */
void explain_verdict(const struct explain *e, struct gw_buf *out)
{
    gw_buf_add(out, GW_STR("The edge "));
    if (e->refused) {
        gw_buf_printf(out, "answers %u: %s.", e->refused, e->refusal);
        return;
    }
    if (e->refusing) {
        add_rate_refusal(e, out);
        return;
    }
    if (e->check && !e->check_behind_limiter) {
        add_check(e, out);
        return;
    }
    if (explain_is_limited(e)) {
        add_refusal(e, out);
        return;
    }
    if (e->check) {
        add_check(e, out);
        return;
    }
    add_limiter(e, out);
    if (!e->eligibility.eligible) {
        gw_buf_add(out, GW_STR("passes it to the origin and keeps nothing (DYNAMIC), because "));
        add_reason(e, out);
    } else if (e->key.overflow) {
        gw_buf_add(
            out, GW_STR("passes it to the origin and keeps nothing (BYPASS), because the cache key "
                        "would be too long"));
    } else {
        add_lookup(e, out);
        gw_buf_add(out, GW_STR(", because "));
        add_reason(e, out);
    }
    gw_buf_char(out, '.');
}

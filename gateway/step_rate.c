/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/step_rate.h"

#include "gateway/exchange_visit.h"
#include "gateway/reply.h"
#include "gateway/server.h"

#define RESPONSE_FIELDS_MAX 1024

static struct rate_visit visit_at(struct exchange *x, uint64_t now_ms)
{
    return (struct rate_visit){
        .counters = x->worker->server->rate,
        .rules = x->zone->rate_rules,
        .facts = &x->facts,
        .zone = exchange_zone(x)->id,
        .edge = exchange_edge_name(x),
        .key = &x->worker->key,
        .now_ms = now_ms,
    };
}

/* What a rule that matched has done: one of the actions, or nothing. */
static enum worker_decision decision_of(const struct rate_verdict *verdict, size_t rule)
{
    static const enum worker_decision decisions[] = {[RATE_BLOCK] = DECISION_DENY,
                                                     [RATE_CHALLENGE] = DECISION_CHALLENGE,
                                                     [RATE_LOG] = DECISION_LOG};
    for (size_t i = 0; i < verdict->act_count; i++)
        if (verdict->acts[i].rule == rule)
            return decisions[verdict->acts[i].action];
    return DECISION_ADMIT;
}

static void count(const struct exchange *x, const struct rate_verdict *verdict)
{
    struct metrics_worker *metrics = x->worker->metrics;
    uint16_t phase = x->worker->rate_phase_label;
    for (size_t word = 0; word < GW_COUNT(verdict->matched); word++)
        for (uint64_t rest = verdict->matched[word]; rest; rest &= rest - 1) {
            size_t rule = word * 64 + (size_t)__builtin_ctzll(rest);
            uint16_t label = x->zone->rate_labels[rule];
            metrics_inc(metrics, METRIC_RULE_MATCHES, phase, label);
            metrics_inc(metrics, METRIC_LIMITER_DECISIONS, label, phase,
                        x->worker->decision_labels[decision_of(verdict, rule)]);
        }
}

/* Before the cache, so that a stored object is no way around a limit, and before the app's
 * limiters, which Cloudflare runs in the Worker (spec/limiter.md section b5). Under the pressure of
 * a huge head it fails open, as Cloudflare says its own does. */
enum step_result step_rate(struct exchange *x)
{
    x->step = STEP_LIMIT;
    if (!x->zone->rate_rules)
        return STEP_MORE;
    struct exchange_rate *rate = gw_arena_alloc(&x->arena, sizeof(*rate));
    if (!rate)
        return STEP_MORE;
    const struct rate_visit visit = visit_at(x, x->now.wall_ms);
    rate->asked_origin = false;
    rate_rules_request(&visit, &rate->verdict);
    x->rate = rate;
    count(x, &rate->verdict);
    if (rate->verdict.refused)
        reply_rate_limited(x);
    return STEP_MORE;
}

void rate_on_origin(struct exchange *x)
{
    struct exchange_rate *rate = x->rate;
    if (!rate || rate->asked_origin)
        return;
    /* Noted even if no rule counts now: one that counts with the answer may ask whether the origin
     * was. */
    rate->asked_origin = true;
    if (!rate->verdict.waits_for_origin)
        return;
    const struct rate_visit visit = visit_at(x, gw_loop_now(x->worker->loop).wall_ms);
    rate_rules_origin(&visit, &rate->verdict);
}

/* Whole lines, as the session gets them; a status line among them has no colon before its first
 * space and is passed over. */
static void add_fields(struct headers *fields, struct gw_str lines)
{
    struct gw_str line;
    while (gw_str_next(&lines, '\n', &line)) {
        size_t colon = gw_str_chr(line, ':');
        struct gw_str name = gw_str_first(line, colon);
        if (colon == GW_NPOS || gw_str_chr(name, ' ') != GW_NPOS)
            continue;
        struct gw_str value = gw_str_from(line, colon + 1);
        if (gw_str_ends(value, GW_STR("\r")))
            value.len--;
        if (!headers_add(fields, name, gw_str_trim(value)))
            return; /* the rest reads as missing */
    }
}

void rate_on_response(struct exchange *x, const struct response *response)
{
    const struct exchange_rate *rate = x->rate;
    if (!rate || !rate->verdict.waits_for_response)
        return;
    struct headers fields;
    /* The fields as they go out, the edge's own included: they are text by now and are read back,
     * for the few zones whose rules ask. */
    headers_init(&fields, &x->arena, RESPONSE_FIELDS_MAX);
    add_fields(&fields, response->head);
    for (size_t i = 0; i < GW_COUNT(response->lines); i++)
        add_fields(&fields, response->lines[i]);
    rules_request_response(&x->facts, (int)response->status, &fields);
    const struct rate_visit visit = visit_at(x, gw_loop_now(x->worker->loop).wall_ms);
    rate_rules_response(&visit, &rate->verdict, rate->asked_origin);
    /* They borrow from lines that the next request overwrites. */
    rules_request_response(&x->facts, 0, NULL);
}

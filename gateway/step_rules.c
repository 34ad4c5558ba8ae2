/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/exchange_visit.h"

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
    if (exchange_has_facts(x)) {
        const struct visit visit = exchange_visit(x);
        visit_rules(&visit, &x->arena, &x->facts);
    }
    if (x->zone->cache_rules) {
        ruleset_match(x->zone->cache_rules, &x->facts, &x->rules);
        count_matches(x);
    }
    x->destination = destination_of(x->ws->snapshot, x->zone, &x->facts);
    x->step = x->ws->snapshot->faults ? STEP_FAULT : exchange_after_rules(x);
    return STEP_MORE;
}

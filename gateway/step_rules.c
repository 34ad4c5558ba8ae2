/* SPDX-License-Identifier: Apache-2.0 */
/* Which cache rules match, and to which origin the request goes. Rules see the URL's normal form
 * and the visitor's own address, so this comes behind NORMALISE and ZONE; everything behind it may
 * read x->facts, x->rules and x->destination. */
#include "gateway/exchange_visit.h"

/* Here and not in LOG: what matched is a fact, whatever refuses the request afterwards. */
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
    /* A zone without rules does not pay for the facts: nobody is going to ask for one. */
    if (exchange_has_facts(x)) {
        const struct visit visit = exchange_visit(x);
        visit_rules(&visit, &x->arena, &x->facts);
    }
    if (x->zone->cache_rules) {
        ruleset_match(x->zone->cache_rules, &x->facts, &x->rules);
        count_matches(x);
    }
    x->destination = destination_of(x->ws->snapshot, x->zone, &x->facts);
    /* Faults have expressions too: they need the facts, and are to break what would otherwise work.
     */
    x->step = x->ws->snapshot->faults ? STEP_FAULT : exchange_after_rules(x);
    return STEP_MORE;
}

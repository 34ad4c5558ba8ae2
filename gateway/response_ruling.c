/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/response_ruling.h"

#include "gateway/exchange_visit.h"

struct cache_ruled response_ruling(struct exchange *x, uint16_t status,
                                   const struct headers **fields)
{
    const struct ruleset *rules = x->zone->response_rules;
    if (!rules || status < 200)
        return (struct cache_ruled){0};
    if (!exchange_has_facts(x)) { /* otherwise the step RULES has made them */
        const struct visit visit = exchange_visit(x);
        visit_rules(&visit, &x->arena, &x->facts);
    }
    return cache_rule_response(rules, &x->facts, status, fields);
}

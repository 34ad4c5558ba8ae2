/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Which rules of a ruleset a request can match at all, found without asking each of them: a zone
 * may have 300 rules, most of which begin with "when the path starts with …". One search in a
 * sorted table of those beginnings replaces their evaluation; rules that anchors.h cannot bind are
 * always candidates.
 *
 * Invariant: a rule that matches is a candidate (never the other way round).
 * Thread: one builds, then any reads. Owns: nothing; all of it lies in the builder's arena, the
 * literals in the expressions. Limits: RULESET_RULES_MAX rules, ANCHORS_MAX beginnings each. */
#include "config/rules/ruleset.h"

#define RULE_SET_WORDS ((RULESET_RULES_MAX + 63) / 64)

/* A bit per rule. */
struct rule_set {
    uint64_t words[RULE_SET_WORDS];
};

struct rule_index;

/* Rules that are not enabled, or have no expression, are never candidates. */
GW_MUST const struct rule_index *rule_index_new(const struct rule *rules, size_t count,
                                                struct gw_arena *arena);
void rule_index_find(const struct rule_index *index, const struct rules_request *r,
                     struct rule_set *candidates);

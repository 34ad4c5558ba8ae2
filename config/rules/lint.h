/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Rules that compile and yet do not do what they say: what `check` warns about. Found by looking at
 * compiled expressions, without any request:
 *
 *   - a comparison with a value that no request has (shapes.h), a condition that contradicts itself
 *   - a comparison that turns out differently than it reads when a header or cookie is absent
 *   - a rule that later rules always overrule, since per setting the last matching rule wins
 *   - answers that are cached by URL although they depend on who asks
 *
 * Conservative: a finding is true, and what cannot be told is passed over. Every finding says what
 * to write instead. Thread: any. Limits: LINT_FINDINGS_MAX an expression. */
#include "config/rules/ruleset.h"

#define LINT_FINDINGS_MAX 16

struct lint_finding {
    size_t offset, width; /* in the expression */
    char text[640];
};

typedef void lint_fn(void *ctx, const struct lint_finding *finding);
/* True: the expression can never be true. */
bool lint_expression(const struct expr *e, lint_fn *on_finding, void *ctx);

typedef void lint_rule_fn(void *ctx, const struct rule *rule, const struct lint_finding *finding);
/* The rules of a cache phase among each other; of other phases nothing is known. */
void lint_rules(const struct rule *rules, size_t count, enum rules_phase phase,
                lint_rule_fn *on_finding, void *ctx);

/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What an explanation (explain.h) says about rules: phase by phase, rule by rule, part by part.
 * Owns: nothing, all lies in the explanation's arena; documents are freed with it. Thread: one.
 * Limits: EXPLAIN_PARTS_MAX parts in all. */
#include "config/json.h"
#include "config/rules/ruleset.h"
#include "limiter/rate_rules.h"

#define EXPLAIN_PARTS_MAX 20000
#define EXPLAIN_LEFT_MAX  256

/* One sub-expression, outermost first, in the order written; see struct expr_step. */
struct explain_part {
    struct gw_str text;
    struct gw_str left;
    uint16_t depth;
    bool value, decided, comparison, missing;
    bool veiled; /* `left` was computed from what may not be shown, and shows it in another form */
};

/* Of a rate limiting rule that was evaluated. */
struct explain_rate {
    struct gw_str values; /* of its characteristics */
    bool counted;         /* live: what follows is known */
    struct rate_look look;
};

struct explain_rule {
    const struct rule *rule;
    bool evaluated; /* switched off, or of a phase that needs the response: not */
    bool matched;
    const struct explain_part *parts;
    size_t part_count;
    struct json_doc *doc;
    const struct json *parameters; /* action_parameters as written, or NULL */
    const struct explain_rate *rate;
};

struct explain_phase {
    const struct ruleset *ruleset;
    bool simulated; /* its rules have an effect here */
    struct explain_rule *rules;
    size_t rule_count, matched;
};

struct explain_setting {
    enum cache_setting key;
    const struct explain_rule *rule; /* the last one that matched and named it */
    const struct json *value;
};

/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Reads the rules of a ruleset. Everything wrong is reported; the caller throws the ruleset away
 * when report->errors is not 0. Thread: one. */
#include "config/rules/report.h"

struct rule_reader {
    struct report *report;
    struct gw_arena *arena; /* of the ruleset */
    enum rules_phase phase;
    struct gw_str phase_name;
    struct expr_share *share;
};

void rule_read(struct rule_reader *reader, const struct json *v, struct rule *out);
/* `ratelimit` and the parameters of http_ratelimit; the action is read already. */
void rule_read_ratelimit(struct rule_reader *reader, const struct json *v, struct rule *out);
/* The parameters of set_cache_control and set_cache_tags. */
void rule_read_response(struct rule_reader *reader, const struct json *params, struct rule *out);
/* NULL after an error. `field` is the member's name. */
struct expr *rule_read_expression(struct rule_reader *reader, const struct json *v,
                                  enum rules_phase phase, const char *field);
/* The same for an expression that gives texts (expr_compile_value). */
struct expr *rule_read_value(struct rule_reader *reader, const struct json *v, const char *field);
/* The same for one that tells visitors apart (expr_options.key), without the plan's limits; the
 * report is at the value. */
struct expr *rule_read_key(struct rule_reader *reader, const struct json *v, const char *field);
/* The phase that an action belongs to; RULES_OTHER when it does not tell. */
enum rules_phase rule_phase_of(const struct json *rule);

/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Tells the findings of lint.h as warnings at their places in the file. Thread: one. */
#include "config/rules/report.h"

/* `v` is the text that `e` was compiled from. True: it can never be true, and that was told. */
bool lint_report_expression(struct report *r, const struct json *v, const struct expr *e);
/* `v` is the list that the rules were read from. */
void lint_report_rules(struct report *r, const struct json *v, const struct rule *rules,
                       size_t count, enum rules_phase phase);

/* SPDX-License-Identifier: Apache-2.0 */
#include "config/rules/lint_report.h"

#include "config/rules/lint.h"

struct place {
    struct report *report;
    const struct json *v; /* the expression, or the list of rules */
};

static void warn(struct report *r, const struct json *v, const struct lint_finding *f)
{
    size_t start = json_string_offset(r->doc, v, f->offset);
    size_t end = json_string_offset(r->doc, v, f->offset + f->width);
    gw_diag_at(r->diags, GW_DIAG_WARNING, json_source(r->doc), start, end > start ? end - start : 1,
               "%s", f->text);
}

static void on_finding(void *ctx, const struct lint_finding *f)
{
    const struct place *p = ctx;
    warn(p->report, p->v, f);
}

bool lint_report_expression(struct report *r, const struct json *v, const struct expr *e)
{
    return lint_expression(e, on_finding, &(struct place){r, v});
}

static void on_rule_finding(void *ctx, const struct rule *rule, const struct lint_finding *f)
{
    const struct place *p = ctx;
    const struct json *v = json_first(p->v);
    for (size_t i = 0; i < rule->index; i++)
        v = json_next(v);
    warn(p->report, json_get(v, "expression"), f);
}

void lint_report_rules(struct report *r, const struct json *v, const struct rule *rules,
                       size_t count, enum rules_phase phase)
{
    lint_rules(rules, count, phase, on_rule_finding, &(struct place){r, v});
}

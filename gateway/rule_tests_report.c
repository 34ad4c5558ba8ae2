/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/base/json_out.h"
#include "gateway/rule_tests.h"

static struct gw_str name_of(const struct rule *rule)
{
    return rule->description.len ? rule->description : rule->ref.len ? rule->ref : rule->expression;
}

/* The zone is said only where there are several. */
static void print_gap(const struct rule_tests *t, const struct rule_tests_rule *r, FILE *out)
{
    fprintf(out, "%s: rule %u of %zu", json_source(t->doc)->name, r->rule->index + 1u, r->of);
    if (t->snapshot->zone_count > 1)
        fprintf(out, " of zone %.*s", GW_STR_ARG(r->zone));
    fprintf(out, " never matched: %.*s\n", GW_STR_ARG(name_of(r->rule)));
}

void rule_tests_print(const struct rule_tests *t, FILE *out, bool color)
{
    gw_diags_print(&t->failures, out, color);
    for (size_t i = 0; i < t->rule_count; i++)
        if (!t->rules[i].matches)
            print_gap(t, &t->rules[i], out);
    fprintf(out, "%s: %zu of %zu rules matched at least once\n", json_source(t->doc)->name,
            t->rules_matched, t->rule_count);
}

static void add_failures(const struct rule_tests *t, const struct rule_tests_case *c,
                         struct gw_buf *out)
{
    gw_json_list(out, "failures");
    for (size_t i = 0; i < c->failures && c->first_failure + i < t->failures.count; i++) {
        const struct gw_diag *item = &t->failures.items[c->first_failure + i];
        gw_json_object(out, NULL);
        gw_json_u64(out, "line", item->line);
        gw_json_u64(out, "column", item->column);
        gw_json_text(out, "message", gw_str_z(item->message));
        gw_buf_char(out, '}');
    }
    gw_buf_char(out, ']');
}

static void add_coverage(const struct rule_tests *t, struct gw_buf *out)
{
    gw_json_object(out, "coverage");
    gw_json_u64(out, "rules", t->rule_count);
    gw_json_u64(out, "matched", t->rules_matched);
    gw_json_list(out, "never");
    for (size_t i = 0; i < t->rule_count; i++) {
        const struct rule_tests_rule *r = &t->rules[i];
        if (r->matches)
            continue;
        gw_json_object(out, NULL);
        gw_json_text(out, "zone", r->zone);
        gw_json_u64(out, "position", r->rule->index + 1u);
        gw_json_text(out, "rule", name_of(r->rule));
        gw_buf_char(out, '}');
    }
    gw_buf_add(out, GW_STR("]}"));
}

void rule_tests_json(const struct rule_tests *t, struct gw_buf *out)
{
    gw_json_object(out, NULL);
    gw_json_text(out, "file", gw_str_z(json_source(t->doc)->name));
    gw_json_u64(out, "passed", t->passed);
    gw_json_u64(out, "failed", t->failed);
    gw_json_list(out, "cases");
    for (size_t i = 0; i < t->case_count; i++) {
        gw_json_object(out, NULL);
        gw_json_text(out, "name", t->cases[i].name);
        gw_json_bool(out, "passed", !t->cases[i].failures);
        add_failures(t, &t->cases[i], out);
        gw_buf_char(out, '}');
    }
    gw_buf_char(out, ']');
    add_coverage(t, out);
    gw_buf_char(out, '}');
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/rule_tests.h"

#include "gateway/explain_question.h"
#include "gateway/rule_tests_inside.h"

static const char *const case_keys[] = {"name", "request", "expect", NULL};

bool rule_tests_fits(const struct json_doc *doc)
{
    return json_type(json_root(doc)) == JSON_OBJECT && json_get(json_root(doc), "cases");
}

/* ---- shape: checked whole before anything runs ---- */

static bool check_case(const struct json_doc *doc, const struct json *c, struct gw_diags *problems)
{
    static const char *const needed[] = {"request", "expect"};
    size_t before = problems->errors;
    if (json_type(c) != JSON_OBJECT) {
        json_error(doc, c, problems, "a case is an object");
        return false;
    }
    json_unknown_keys(doc, c, case_keys, problems);
    const struct json *name = json_get(c, "name");
    if (!name || json_type(name) != JSON_STRING || !json_str(name).len)
        json_error(doc, name ? name : c, problems, "a case needs a \"name\", a string");
    for (size_t i = 0; i < GW_COUNT(needed); i++) {
        const struct json *v = json_get(c, needed[i]);
        if (!v || json_type(v) != JSON_OBJECT)
            json_error(doc, v ? v : c, problems, "a case needs \"%s\", an object", needed[i]);
    }
    return problems->errors == before;
}

static bool check_cases(const struct json_doc *doc, struct gw_diags *problems)
{
    const struct json *cases = json_get(json_root(doc), "cases");
    size_t before = problems->errors;
    if (json_type(cases) != JSON_ARRAY || !json_count(cases) ||
        json_count(cases) > RULE_TESTS_CASES_MAX) {
        json_error(doc, cases, problems, "\"cases\" is a list of 1 to %d cases",
                   RULE_TESTS_CASES_MAX);
        return false;
    }
    for (const struct json *c = json_first(cases); c; c = json_next(c))
        (void)check_case(doc, c, problems);
    return problems->errors == before;
}

/* ---- coverage ---- */

/* Rules that are switched off cannot match: they are no gap in a test. */
static void list_rules(struct rule_tests *t)
{
    size_t room = 0;
    for (size_t z = 0; z < t->snapshot->zone_count; z++) {
        const struct ruleset *rs = t->snapshot->zones[z].cache_rules;
        room += rs ? ruleset_count(rs) : 0;
    }
    t->rules = gw_arena_zalloc(&t->arena, (room + 1) * sizeof(*t->rules));
    for (size_t z = 0; z < t->snapshot->zone_count; z++) {
        const struct snapshot_zone *zone = &t->snapshot->zones[z];
        for (size_t i = 0; zone->cache_rules && i < ruleset_count(zone->cache_rules); i++)
            if (ruleset_rule(zone->cache_rules, i)->enabled)
                t->rules[t->rule_count++] =
                    (struct rule_tests_rule){.zone = zone->config->name,
                                             .rule = ruleset_rule(zone->cache_rules, i),
                                             .of = ruleset_count(zone->cache_rules)};
    }
}

static void count_matches(struct rule_tests *t, const struct explain *e)
{
    for (size_t p = 0; p < e->phase_count; p++)
        for (size_t i = 0; i < e->phases[p].rule_count; i++)
            for (size_t k = 0; e->phases[p].rules[i].matched && k < t->rule_count; k++)
                if (t->rules[k].rule == e->phases[p].rules[i].rule)
                    t->rules_matched += t->rules[k].matches++ == 0;
}

/* ---- running ---- */

/* A request that cannot be asked is a failure of its case, not of the file. */
static void run_case(struct rule_tests *t, const struct json *c)
{
    struct rule_tests_case *result = &t->cases[t->case_count++];
    const uint64_t now_ms = gw_kernel_wall_ms();
    struct explain_asked asked = {.question = {.now_ms = now_ms, .date_ms = now_ms}};
    size_t before = t->failures.errors;
    const struct json *request = json_get(c, "request");
    struct explain *e = NULL;
    result->name = json_str(json_get(c, "name"));
    result->first_failure = t->failures.count;
    if (explain_question_read(&asked, request, EXPLAIN_FORM_OWN, &t->arena)) {
        asked.wrong = request;
        e = explain_new(t->snapshot, &asked.question, asked.error);
    }
    if (e) {
        const struct rule_tests_judge judge = {t, result->name, e};
        rule_tests_expect(&judge, json_get(c, "expect"));
        count_matches(t, e);
    } else {
        json_error(t->doc, asked.wrong ? asked.wrong : request, &t->failures, "%.*s: %s",
                   GW_STR_ARG(result->name), asked.error);
    }
    explain_free(e);
    result->failures = t->failures.errors - before;
    t->passed += result->failures == 0;
    t->failed += result->failures != 0;
}

struct rule_tests *rule_tests_run(struct json_doc *doc, struct gw_diags *problems, bool *bad_config)
{
    struct rule_tests *t = gw_zalloc(sizeof(*t));
    t->doc = doc;
    gw_arena_init(&t->arena, NULL, 0, 0);
    gw_diags_init(&t->failures);
    *bad_config = false;
    if (check_cases(doc, problems))
        t->snapshot = rule_tests_load(t, problems, bad_config);
    if (!t->snapshot) {
        rule_tests_free(t);
        return NULL;
    }
    const struct json *cases = json_get(json_root(doc), "cases");
    t->cases = gw_arena_zalloc(&t->arena, json_count(cases) * sizeof(*t->cases));
    list_rules(t);
    for (const struct json *c = json_first(cases); c; c = json_next(c))
        run_case(t, c);
    return t;
}

void rule_tests_free(struct rule_tests *t)
{
    if (!t)
        return;
    snapshot_unref(t->snapshot);
    metrics_free(t->metrics);
    gw_diags_release(&t->failures);
    json_doc_free(t->doc);
    gw_arena_clear(&t->arena);
    free(t);
}

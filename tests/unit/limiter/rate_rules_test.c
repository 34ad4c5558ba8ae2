/* SPDX-License-Identifier: Apache-2.0 */
#include "limiter/rate_rules.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/http/headers.h"

#define LIMIT(more)                                                                                \
    "\"ratelimit\":{\"characteristics\":[\"cf.colo.id\",\"ip.src\"],\"period\":10," more "}"
#define RULE(action, expression, limit)                                                            \
    "{\"action\":\"" action "\",\"expression\":\"" expression "\"," limit "}"
#define TWO LIMIT("\"requests_per_period\":2")

struct fixture {
    struct ruleset *rules;
    struct rate_counters *counters;
    struct gw_arena arena;
    struct headers headers, answer;
    struct rules_request facts;
    struct gw_buf key;
    struct rate_visit visit;
};

static struct ruleset *load(const char *rules)
{
    struct gw_buf text;
    struct gw_diags diags;
    const struct ruleset_options options = {.plan = CONFIG_PLAN_ENTERPRISE};
    gw_buf_init(&text, 1 << 20);
    gw_buf_printf(&text, "{\"phase\":\"http_ratelimit\",\"rules\":[%s]}", rules);
    gw_diags_init(&diags);
    const struct gw_source source = {"rate.json", gw_buf_str(&text)};
    struct json_doc *doc = json_parse(&source, &diags);
    struct ruleset *rs = ruleset_load(doc, &options, &diags);
    if (!rs)
        fail_msg("%s", diags.items[0].message);
    json_doc_free(doc);
    gw_diags_release(&diags);
    gw_buf_release(&text);
    return rs;
}

static void arrange(struct fixture *f, const char *rules)
{
    f->rules = load(rules);
    f->counters = rate_counters_new(1000);
    gw_arena_init(&f->arena, NULL, 0, 1 << 20);
    headers_init(&f->headers, &f->arena, 20);
    headers_init(&f->answer, &f->arena, 20);
    rules_request_init(&f->facts, &f->arena);
    f->facts.path = GW_STR("/");
    f->facts.headers = &f->headers;
    assert_true(gw_ip_parse(GW_STR("203.0.113.7"), &f->facts.client_ip));
    gw_buf_init(&f->key, 1 << 16);
    f->visit = (struct rate_visit){.counters = f->counters,
                                   .rules = f->rules,
                                   .facts = &f->facts,
                                   .zone = GW_STR("zone"),
                                   .edge = GW_STR("FRA"),
                                   .key = &f->key,
                                   .now_ms = 1000};
}

static void release(struct fixture *f)
{
    ruleset_unref(f->rules);
    rate_counters_free(f->counters);
    gw_arena_clear(&f->arena);
    gw_buf_release(&f->key);
}

static struct rate_verdict ask(struct fixture *f)
{
    struct rate_verdict verdict;
    rate_rules_request(&f->visit, &verdict);
    return verdict;
}

/* How many of `count` requests are not refused. */
static unsigned admitted(struct fixture *f, unsigned count)
{
    unsigned passed = 0;
    for (unsigned i = 0; i < count; i++)
        passed += !ask(f).refused;
    return passed;
}

static void counters_are_by_rule_place_zone_and_values(void **state)
{
    (void)state;
    struct fixture f;
    arrange(&f, RULE("block", "true", TWO));
    assert_int_equal(admitted(&f, 5), 2);
    f.visit.edge = GW_STR("AMS");
    assert_int_equal(admitted(&f, 5), 2);
    f.visit.zone = GW_STR("other");
    assert_int_equal(admitted(&f, 5), 2);
    assert_true(gw_ip_parse(GW_STR("203.0.113.8"), &f.facts.client_ip));
    assert_int_equal(admitted(&f, 5), 2);
    f.visit.now_ms += 10000;
    assert_int_equal(admitted(&f, 5), 2);
    release(&f);
}

static void equal_rules_have_counters_of_their_own(void **state)
{
    (void)state;
    struct fixture f;
    arrange(&f,
            RULE("log", "true", TWO) "," RULE("log", "true", TWO) "," RULE("block", "true", TWO));
    assert_int_equal(admitted(&f, 5), 2);
    const char *names[3];
    for (size_t i = 0; i < 3; i++)
        names[i] = ruleset_rule(f.rules, i)->rate->name;
    assert_string_not_equal(names[0], names[1]);
    assert_string_not_equal(names[1], names[2]);
    assert_string_not_equal(names[0], names[2]);
    release(&f);
}

/* What the API does on every write: the ruleset is compiled anew. */
static void counters_outlive_the_ruleset(void **state)
{
    (void)state;
    struct fixture f;
    arrange(&f, RULE("block", "true", TWO));
    assert_int_equal(admitted(&f, 2), 2);
    ruleset_unref(f.rules);
    f.visit.rules = f.rules =
        load(RULE("log", "ssl", TWO) ",{\"action\":\"challenge\",\"description\":\"new words\","
                                     "\"expression\":\"true\"," TWO "}");
    assert_int_equal(admitted(&f, 2), 0);
    ruleset_unref(f.rules);
    f.visit.rules = f.rules = load(RULE("block", "true", LIMIT("\"requests_per_period\":3")));
    assert_int_equal(admitted(&f, 5), 3);
    release(&f);
}

static void block_ends_the_phase_and_log_does_not(void **state)
{
    (void)state;
    struct fixture f;
    arrange(&f, RULE("log", "true", LIMIT("\"requests_per_period\":1")) "," RULE(
                    "block", "true", TWO) "," RULE("log", "true", TWO));
    (void)admitted(&f, 2);
    struct rate_verdict v = ask(&f);
    assert_true(v.refused);
    assert_int_equal(v.act_count, 2);
    assert_int_equal(v.acts[0].rule, 0);
    assert_int_equal(v.acts[0].action, RATE_LOG);
    assert_int_equal(v.acts[1].rule, 1);
    assert_int_equal(v.acts[1].action, RATE_BLOCK);
    assert_int_equal(v.matched[0], 3); /* the third was not reached */
    assert_int_equal(v.until_ms, 11000);
    release(&f);
}

static void only_so_many_acts_are_named_and_always_the_last(void **state)
{
    (void)state;
    struct fixture f;
    struct gw_buf rules;
    gw_buf_init(&rules, 1 << 16);
    for (unsigned i = 0; i < 20; i++)
        gw_buf_printf(&rules, RULE("log", "true", LIMIT("\"requests_per_period\":1")) ",");
    gw_buf_printf(&rules, RULE("block", "true", LIMIT("\"requests_per_period\":1")));
    gw_buf_char(&rules, '\0');
    arrange(&f, rules.data);
    (void)ask(&f);
    struct rate_verdict v = ask(&f);
    assert_true(v.refused);
    assert_int_equal(v.act_count, RATE_ACTS_MAX);
    assert_int_equal(v.acts[RATE_ACTS_MAX - 1].rule, 20);
    gw_buf_release(&rules);
    release(&f);
}

static void the_origin_is_counted_when_it_is_asked(void **state)
{
    (void)state;
    struct fixture f;
    arrange(&f,
            RULE("block", "true", LIMIT("\"requests_per_period\":1,\"requests_to_origin\":true")));
    assert_int_equal(admitted(&f, 9), 9);
    struct rate_verdict v = ask(&f);
    assert_true(v.waits_for_origin);
    assert_false(v.waits_for_response);
    rate_rules_origin(&f.visit, &v);
    assert_int_equal(admitted(&f, 1), 1);
    rate_rules_origin(&f.visit, &v);
    v = ask(&f);
    assert_true(v.refused);
    assert_false(v.waits_for_origin);
    release(&f);
}

static void respond(struct fixture *f, const struct rate_verdict *v, int status, bool asked)
{
    rules_request_response(&f->facts, status, &f->answer);
    rate_rules_response(&f->visit, v, asked);
    rules_request_response(&f->facts, 0, NULL);
}

static void responses_are_counted_by_their_own_expression(void **state)
{
    (void)state;
    struct fixture f;
    arrange(&f, RULE("block", "true",
                     LIMIT("\"requests_per_period\":1,\"requests_to_origin\":true,"
                           "\"counting_expression\":\"http.response.code eq 401\"")));
    struct rate_verdict v = ask(&f);
    assert_true(v.waits_for_response);
    for (int i = 0; i < 5; i++) {
        respond(&f, &v, 200, true);
        respond(&f, &v, 401, false); /* from the cache */
    }
    assert_int_equal(admitted(&f, 1), 1);
    respond(&f, &v, 401, true);
    assert_int_equal(admitted(&f, 1), 1);
    respond(&f, &v, 401, true);
    assert_int_equal(admitted(&f, 1), 0);
    release(&f);
}

static void scores_come_from_the_answer(void **state)
{
    (void)state;
    struct fixture f;
    arrange(&f, RULE("block", "true",
                     LIMIT("\"score_per_period\":10,\"score_response_header_name\":\"X-Score\"")));
    struct rate_verdict v = ask(&f);
    respond(&f, &v, 200, true);
    static const char *const scores[] = {"0", "-1", "1000001", "ten", "10", "1"};
    for (size_t i = 0; i < GW_COUNT(scores); i++) {
        assert_int_equal(admitted(&f, 1), 1);
        f.answer.count = 0;
        assert_true(headers_add(&f.answer, GW_STR("x-score"), gw_str_z(scores[i])));
        respond(&f, &v, 200, true);
    }
    assert_int_equal(admitted(&f, 1), 0);
    release(&f);
}

static void long_values_are_hashed_and_missing_is_not_empty(void **state)
{
    (void)state;
    struct fixture f;
    char text[2][3000];
    arrange(&f, "{\"action\":\"block\",\"expression\":\"true\",\"ratelimit\":{\"characteristics\":["
                "\"cf.colo.id\",\"http.request.headers[\\\"x-key\\\"]\"],\"period\":10,"
                "\"requests_per_period\":1}}");
    assert_int_equal(admitted(&f, 3), 1);
    const char *const values[] = {"", "(missing)", "a", "a\", \"b", text[0], text[1]};
    for (size_t i = 0; i < 2; i++) {
        memset(text[i], 'k', sizeof(text[i]));
        text[i][sizeof(text[i]) - 2] = (char)('0' + i);
        text[i][sizeof(text[i]) - 1] = '\0';
    }
    for (size_t i = 0; i < GW_COUNT(values); i++) {
        rules_request_init(&f.facts, &f.arena);
        headers_init(&f.headers, &f.arena, 20);
        f.facts.headers = &f.headers;
        assert_true(headers_add(&f.headers, GW_STR("X-Key"), gw_str_z(values[i])));
        if (admitted(&f, 3) != 1)
            fail_msg("%.20s shares a counter", values[i]);
        assert_in_range(f.key.len, 1, RATE_KEY_MAX);
    }
    release(&f);
}

static void a_look_foretells_and_counts_nothing(void **state)
{
    (void)state;
    struct fixture f;
    struct gw_buf values;
    gw_buf_init(&values, 100);
    arrange(&f, RULE("block", "true", TWO));
    (void)admitted(&f, 2);
    for (int i = 0; i < 3; i++) {
        gw_buf_clear(&values);
        struct rate_look look = rate_rules_look(&f.visit, ruleset_rule(f.rules, 0), &values);
        assert_int_equal(look.now.count, 2);
        assert_false(look.now.over);
        assert_int_equal(look.next.count, 3);
        assert_true(look.next.over);
        assert_true(gw_str_eq(gw_buf_str(&values), GW_STR("203.0.113.7")));
    }
    f.visit.counters = NULL;
    assert_false(rate_rules_look(&f.visit, ruleset_rule(f.rules, 0), &values).next.over);
    gw_buf_release(&values);
    release(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counters_are_by_rule_place_zone_and_values),
        cmocka_unit_test(equal_rules_have_counters_of_their_own),
        cmocka_unit_test(counters_outlive_the_ruleset),
        cmocka_unit_test(block_ends_the_phase_and_log_does_not),
        cmocka_unit_test(only_so_many_acts_are_named_and_always_the_last),
        cmocka_unit_test(the_origin_is_counted_when_it_is_asked),
        cmocka_unit_test(responses_are_counted_by_their_own_expression),
        cmocka_unit_test(scores_come_from_the_answer),
        cmocka_unit_test(long_values_are_hashed_and_missing_is_not_empty),
        cmocka_unit_test(a_look_foretells_and_counts_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "config/rules/rate_limit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "config/rules/ruleset.h"

#define BOTH            "\"characteristics\":[\"cf.colo.id\",\"ip.src\"]"
#define LIMIT(more)     "\"ratelimit\":{" BOTH ",\"period\":10,\"requests_per_period\":5" more "}"
#define RULE(more)      "{\"action\":\"block\",\"expression\":\"true\"," more "}"
#define AT(member)      "/rules/0/ratelimit/" member
#define RESPONSE(inner) RULE(LIMIT("") ",\"action_parameters\":{\"response\":" inner "}")

struct problems {
    int code;
    size_t count;
    char pointer[128], message[512];
};

/* The first one. */
static void on_problem(void *ctx, const struct ruleset_problem *problem)
{
    struct problems *found = ctx;
    if (found->count++)
        return;
    found->code = problem->code;
    snprintf(found->pointer, sizeof(found->pointer), "%s", problem->pointer);
    snprintf(found->message, sizeof(found->message), "%s", problem->message);
}

static struct ruleset *load(const char *rules, enum config_plan plan, struct problems *found,
                            struct gw_diags *diags)
{
    struct gw_buf text;
    const struct ruleset_options options = {.plan = plan, .on_problem = on_problem, .ctx = found};
    gw_buf_init(&text, 1 << 20);
    gw_buf_printf(&text, "{\"phase\":\"http_ratelimit\",\"rules\":[%s]}", rules);
    gw_diags_init(diags);
    const struct gw_source source = {"rate.json", gw_buf_str(&text)};
    struct json_doc *doc = json_parse(&source, diags);
    assert_non_null(doc);
    struct ruleset *rs = ruleset_load(doc, &options, diags);
    json_doc_free(doc);
    gw_buf_release(&text);
    return rs;
}

static struct ruleset *load_one(const char *rule)
{
    struct problems found = {0};
    struct gw_diags diags;
    struct ruleset *rs = load(rule, CONFIG_PLAN_ENTERPRISE, &found, &diags);
    if (!rs)
        fail_msg("%s: %s", rule, found.message);
    gw_diags_release(&diags);
    return rs;
}

static void everything_is_typed(void **state)
{
    (void)state;
    struct ruleset *rs = load_one(
        "{\"action\":\"block\",\"expression\":\"ssl\",\"ratelimit\":{\"characteristics\":["
        "\"ip.src\",\"cf.colo.id\",\"http.request.headers[\\\"x-key\\\"]\"],\"period\":60,"
        "\"requests_per_period\":7,\"mitigation_timeout\":600,\"requests_to_origin\":true,"
        "\"counting_expression\":\"http.response.code eq 401\"},\"action_parameters\":{"
        "\"response\":{\"status_code\":403,\"content\":\"no\",\"content_type\":\"text/plain\"}}}");
    const struct rate_limit *rate = ruleset_rule(rs, 0)->rate;
    assert_int_equal(rate->action, RATE_BLOCK);
    assert_int_equal(rate->limit, 7);
    assert_int_equal(rate->period_ms, 60000);
    assert_int_equal(rate->timeout_ms, 600000);
    assert_int_equal(rate->moment, RATE_AT_RESPONSE);
    assert_true(rate->to_origin);
    assert_non_null(rate->counting);
    assert_int_equal(rate->characteristic_count, 2);
    assert_null(rate->characteristics[0].value);
    assert_non_null(rate->characteristics[1].value);
    assert_int_equal(rate->response.status, 403);
    assert_true(gw_str_eq(rate->response.content, GW_STR("no")));
    assert_true(gw_str_eq(rate->response.content_type, GW_STR("text/plain")));
    ruleset_unref(rs);
}

static void moments(void **state)
{
    (void)state;
    static const struct {
        const char *limit;
        enum rate_moment moment;
    } cases[] = {
        {LIMIT(""), RATE_AT_REQUEST},
        {LIMIT(",\"counting_expression\":\"\",\"requests_to_origin\":null"), RATE_AT_REQUEST},
        {LIMIT(",\"counting_expression\":\"ssl\""), RATE_AT_REQUEST},
        {LIMIT(",\"requests_to_origin\":true"), RATE_AT_ORIGIN},
        {LIMIT(",\"counting_expression\":\"ssl\",\"requests_to_origin\":true"), RATE_AT_ORIGIN},
        {LIMIT(",\"counting_expression\":\"ssl or "
               "len(http.response.headers[\\\"x\\\"]) gt 0\""),
         RATE_AT_RESPONSE},
        {"\"ratelimit\":{" BOTH ",\"period\":10,\"score_per_period\":5,"
         "\"score_response_header_name\":\"s\"}",
         RATE_AT_RESPONSE},
    };
    for (size_t i = 0; i < GW_COUNT(cases); i++) {
        char rule[512];
        snprintf(rule, sizeof(rule), "{\"action\":\"log\",\"expression\":\"true\",%s}",
                 cases[i].limit);
        struct ruleset *rs = load_one(rule);
        assert_int_equal(ruleset_rule(rs, 0)->rate->moment, cases[i].moment);
        assert_int_equal(ruleset_rule(rs, 0)->rate->response.status, 429);
        ruleset_unref(rs);
    }
}

static const struct {
    enum config_plan plan;
    const char *rules;
    int code;
    const char *pointer, *message;
} refusals[] = {
    {CONFIG_PLAN_ENTERPRISE, RULE("\"enabled\":true"), 0, "/rules/0/ratelimit",
     "\"ratelimit\" is required in phase http_ratelimit"},
    {CONFIG_PLAN_ENTERPRISE, RULE("\"ratelimit\":{" BOTH ",\"period\":10}"), 0,
     "/rules/0/ratelimit", "\"period\" and \"requests_per_period\" are required"},
    {CONFIG_PLAN_ENTERPRISE,
     RULE("\"ratelimit\":{" BOTH ",\"requests_per_period\":1,"
          "\"period\":null}"),
     0, "/rules/0/ratelimit", "\"period\" and \"requests_per_period\" are required"},
    {CONFIG_PLAN_ENTERPRISE,
     RULE("\"ratelimit\":{\"characteristics\":[\"ip.src\"],\"period\":10,"
          "\"requests_per_period\":1}"),
     20155, AT("characteristics"),
     "characteristics field is missing 'cf.colo.id', this is required as ratelimiting counting is "
     "processed at colocation level only"},
    {CONFIG_PLAN_ENTERPRISE,
     RULE("\"ratelimit\":{\"characteristics\":[\"cf.colo.id\",\"ip.src\","
          "\"cf.unique_visitor_id\"],\"period\":10,\"requests_per_period\":1}"),
     0, AT("characteristics"),
     "'cf.unique_visitor_id' is not a valid value for characteristics because it cannot be "
     "combined with 'ip.src'"},
    {CONFIG_PLAN_ENTERPRISE,
     RULE("\"ratelimit\":{\"characteristics\":[\"cf.colo.id\","
          "\"http.request.headers[\\\"X-Key\\\"]\"],\"period\":10,\"requests_per_period\":1}"),
     0, AT("characteristics"),
     "'http.request.headers[\"X-Key\"]' is not a valid value for characteristics because header "
     "names are written in lower case"},
    {CONFIG_PLAN_ENTERPRISE,
     RULE("\"ratelimit\":{\"characteristics\":[\"cf.colo.id\",\"http.request.headers\"],"
          "\"period\":10,\"requests_per_period\":1}"),
     20127, AT("characteristics"), NULL},
    {CONFIG_PLAN_ENTERPRISE,
     RULE("\"ratelimit\":{\"characteristics\":[\"cf.colo.id\",\"http.response.code\"],"
          "\"period\":10,\"requests_per_period\":1}"),
     20127, AT("characteristics"), NULL},
    {CONFIG_PLAN_ENTERPRISE,
     RULE("\"ratelimit\":{\"characteristics\":[],\"period\":10,\"requests_per_period\":1}"), 0,
     "/rules/0/ratelimit", "\"characteristics\" must be a list of strings"},
    {CONFIG_PLAN_ENTERPRISE, RULE(LIMIT(",\"mitigation_timeout\":86401")), 0,
     AT("mitigation_timeout"), "\"mitigation_timeout\" must be a number from 0 to 86400"},
    {CONFIG_PLAN_ENTERPRISE, RULE(LIMIT(",\"score_per_period\":1")), 0, AT("score_per_period"),
     "\"score_per_period\" and \"requests_per_period\" exclude each other"},
    {CONFIG_PLAN_ENTERPRISE, RULE(LIMIT(",\"score_response_header_name\":\"x\"")), 0,
     "/rules/0/ratelimit",
     "\"score_per_period\" and \"score_response_header_name\" need each other"},
    {CONFIG_PLAN_ENTERPRISE, RULE(LIMIT(",\"requests\":1")), 0, "/rules/0/ratelimit",
     "invalid JSON: unknown field \"requests\""},
    {CONFIG_PLAN_PRO, RULE(LIMIT(",\"mitigation_timeout\":10,\"counting_expression\":\"ssl\"")), 0,
     "/rules/0/ratelimit",
     "not entitled: the use of counting_expression is not allowed, a Business plan is required"},
    {CONFIG_PLAN_ENTERPRISE, RESPONSE("{\"status_code\":500}"), 0,
     "/rules/0/action_parameters/response", "\"status_code\" must be a number from 400 to 499"},
    {CONFIG_PLAN_ENTERPRISE, RESPONSE("{\"content\":\"x\",\"content_type\":\"image/png\"}"), 0,
     "/rules/0/action_parameters/response",
     "'image/png' is not a valid value for content_type because it must be application/json, "
     "text/html, text/xml or text/plain"},
    {CONFIG_PLAN_ENTERPRISE,
     "{\"action\":\"log\",\"expression\":\"true\"," LIMIT(
         "") ",\"action_parameters\":{\"response\":{\"status_code\":403}}}",
     0, "/rules/0/action_parameters", "invalid JSON: unknown field \"response\""},
    {CONFIG_PLAN_ENTERPRISE, "{\"action\":\"skip\",\"expression\":\"true\"," LIMIT("") "}", 20016,
     "/rules/0/action",
     "'skip' is not a valid value for action because it is not possible to use the skip action in "
     "a ruleset with phase http_ratelimit and kind zone"},
};

static void refusals_have_code_pointer_and_words(void **state)
{
    (void)state;
    for (size_t i = 0; i < GW_COUNT(refusals); i++) {
        struct problems found = {0};
        struct gw_diags diags;
        if (load(refusals[i].rules, refusals[i].plan, &found, &diags))
            fail_msg("%s is accepted", refusals[i].rules);
        if (refusals[i].message && strcmp(found.message, refusals[i].message) != 0)
            fail_msg("%s: %s", refusals[i].rules, found.message);
        if (strcmp(found.pointer, refusals[i].pointer) != 0)
            fail_msg("%s: %s", refusals[i].rules, found.pointer);
        assert_int_equal(found.code, refusals[i].code);
        assert_int_equal(found.count, diags.errors);
        gw_diags_release(&diags);
    }
}

static void names_follow_the_definition(void **state)
{
    (void)state;
    static const char *const same[] = {
        RULE(LIMIT("")),
        RULE("\"id\":\"a\",\"description\":\"words\",\"enabled\":false," LIMIT("")),
        "{\"action\":\"log\",\"expression\":\"true\"," LIMIT(",\"requests_to_origin\":false") "}",
        "{\"action\":\"log\",\"expression\":\"ssl\"," LIMIT("") "}," RULE(LIMIT("")),
    };
    static const char *const other[] = {
        RULE(LIMIT(",\"mitigation_timeout\":1")),
        RULE(LIMIT(",\"requests_to_origin\":true")),
        RULE(LIMIT(",\"counting_expression\":\"true\"")),
        "{\"action\":\"block\",\"expression\":\"ssl\"," LIMIT("") "}",
        RULE(LIMIT("")) "," RULE(LIMIT("")),
    };
    char name[17] = "";
    for (size_t i = 0; i < GW_COUNT(same) + GW_COUNT(other); i++) {
        bool is_same = i < GW_COUNT(same);
        const char *rules = is_same ? same[i] : other[i - GW_COUNT(same)];
        struct ruleset *rs = load_one(rules);
        const char *found = ruleset_rule(rs, ruleset_count(rs) - 1)->rate->name;
        if (i == 0)
            memcpy(name, found, sizeof(name));
        if ((strcmp(name, found) == 0) != is_same)
            fail_msg("%s is named %s", rules, found);
        ruleset_unref(rs);
    }
}

static void what_is_played_by_something_else_is_said(void **state)
{
    (void)state;
    struct problems found = {0};
    struct gw_diags diags;
    struct ruleset *rs = load("{\"action\":\"challenge\",\"expression\":\"true\",\"ratelimit\":{"
                              "\"characteristics\":[\"cf.colo.id\",\"cf.unique_visitor_id\"],"
                              "\"period\":10,\"requests_per_period\":1}}",
                              CONFIG_PLAN_ENTERPRISE, &found, &diags);
    assert_non_null(rs);
    assert_int_equal(diags.warnings, 2);
    assert_non_null(strstr(diags.items[0].message, "simulated as the client's address"));
    assert_non_null(strstr(diags.items[1].message, "simulated as a page with status 403"));
    ruleset_unref(rs);
    gw_diags_release(&diags);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_is_typed),
        cmocka_unit_test(moments),
        cmocka_unit_test(refusals_have_code_pointer_and_words),
        cmocka_unit_test(names_follow_the_definition),
        cmocka_unit_test(what_is_played_by_something_else_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "config/rules/ruleset.h"

#include "tests/unit/config/rules/rules_request_fixture.h"

static struct ruleset_options enterprise = {.plan = CONFIG_PLAN_ENTERPRISE};

static struct ruleset *load(const char *text, const struct ruleset_options *o, struct gw_diags *d)
{
    struct gw_source source = {"rules.json", gw_str_z(text)};
    gw_diags_init(d);
    struct json_doc *doc = json_parse(&source, d);
    assert_non_null(doc);
    struct ruleset *rs = ruleset_load(doc, o, d);
    json_doc_free(doc);
    return rs;
}

static struct ruleset *load_file(const char *name, const struct ruleset_options *o,
                                 struct gw_diags *d)
{
    char path[1024];
    snprintf(path, sizeof(path), "%s/tests/rules/team/%s", SOURCE_DIR, name);
    gw_diags_init(d);
    struct json_doc *doc = json_read(path, name, d);
    assert_non_null(doc);
    struct ruleset *rs = ruleset_load(doc, o, d);
    json_doc_free(doc);
    return rs;
}

static bool says(const struct gw_diags *d, enum gw_severity severity, const char *part)
{
    for (size_t i = 0; i < d->count; i++) {
        if (d->items[i].severity == severity && strstr(d->items[i].message, part))
            return true;
    }
    return false;
}

static void team_files_load(void **state)
{
    (void)state;
    static const struct {
        const char *file;
        size_t rules, warnings;
        const char *name;
    } files[] = {
        {"cache-rules-ci.json", 4, 2, ""},
        {"cache-rules-create.json", 4, 0, "ci-cache-rules"},
        {"cache-rules-rules.json", 4, 0, ""},
        {"sample-ruleset-export.json", 6, 0, "default"},
    };
    for (size_t i = 0; i < GW_COUNT(files); i++) {
        struct gw_diags d;
        struct ruleset *rs = load_file(files[i].file, &enterprise, &d);
        assert_non_null(rs);
        assert_int_equal(d.errors, 0);
        assert_int_equal(d.warnings, files[i].warnings);
        assert_int_equal(ruleset_count(rs), files[i].rules);
        assert_true(gw_str_eq(ruleset_info(rs)->name, gw_str_z(files[i].name)));
        assert_int_equal(ruleset_info(rs)->phase, RULES_CACHE_REQUEST);
        ruleset_unref(rs);
        gw_diags_release(&d);
    }
}

/* People are told what to write; the API answers in Cloudflare's words alone, see `refusals`. */
static void a_file_gets_a_hint(void **state)
{
    (void)state;
    static const char text[] = "{\"rules\":[{\"action\":\"set_cache_settings\",\"expression\":"
                               "\"http.hots eq 1\",\"action_parameters\":{\"cache\":true}}]}";
    struct gw_diags d;
    assert_null(load(text, &(struct ruleset_options){.plan = CONFIG_PLAN_FREE}, &d));
    assert_true(says(&d, GW_DIAG_ERROR, "unknown identifier; did you mean http.host?"));
    gw_diags_release(&d);
}

/* On the team's plan the session and regex rules are refused, each at its place in the file. */
static void plans_refuse_at_the_place(void **state)
{
    (void)state;
    struct ruleset_options free_plan = {.plan = CONFIG_PLAN_FREE};
    struct gw_diags d;
    assert_null(load_file("cache-rules-ci.json", &free_plan, &d));
    assert_int_equal(d.errors, 2);
    assert_string_equal(d.items[0].message,
                        "not entitled: the use of field http.request.cookies is not allowed, a Pro "
                        "plan is required");
    assert_int_equal(d.items[0].line, 9);
    assert_int_equal(d.items[0].column, 67);
    assert_int_equal(d.items[0].width, strlen("http.request.cookies"));
    assert_string_equal(d.items[1].message,
                        "not entitled: the use of operator Matches is not allowed, a Business plan "
                        "or a WAF Advanced plan is required");
    assert_int_equal(d.items[1].line, 16);
    gw_diags_release(&d);
}

static void the_export_is_read_in_full(void **state)
{
    (void)state;
    struct gw_diags d;
    struct ruleset *rs = load_file("sample-ruleset-export.json", &enterprise, &d);
    const struct ruleset_info *info = ruleset_info(rs);
    assert_true(gw_str_eq(info->id, GW_STR("3b1f6d0a9c7e4f28b5d4a1e60f82c973")));
    assert_true(gw_str_eq(info->version, GW_STR("9")));
    assert_true(gw_str_eq(info->phase_name, GW_STR("http_request_cache_settings")));
    const struct rule *r = ruleset_rule(rs, 1);
    assert_true(gw_str_eq(r->ref, GW_STR("ci_public_pages")));
    assert_true(gw_str_eq(r->description, GW_STR("Public pages on CI, two minutes")));
    assert_true(gw_str_starts(r->json, GW_STR("{\"action\":\"set_cache_settings\"")));
    assert_true(r->enabled);
    assert_false(ruleset_rule(rs, 5)->enabled);
    const struct cache_settings *s = r->settings;
    assert_int_equal(s->present, 1u << CACHE_SETTING_CACHE | 1u << CACHE_SETTING_EDGE_TTL |
                                     1u << CACHE_SETTING_SERVE_STALE);
    assert_int_equal(s->edge_ttl.mode, CACHE_TTL_OVERRIDE_ORIGIN);
    assert_int_equal(s->edge_ttl.seconds, 120);
    assert_int_equal(s->edge_ttl.status_count, 3);
    assert_int_equal(s->edge_ttl.statuses[0].from, 300);
    assert_int_equal(s->edge_ttl.statuses[0].to, 399);
    assert_true(s->edge_ttl.statuses[1].exact);
    assert_int_equal(s->edge_ttl.statuses[2].to, 999);
    assert_int_equal(s->edge_ttl.statuses[2].value, CACHE_STATUS_NO_STORE);
    assert_int_equal(ruleset_rule(rs, 0)->settings->key.custom->query_mode, CACHE_QUERY_NONE);
    const struct cache_settings *images = ruleset_rule(rs, 2)->settings;
    assert_true(images->key.deception_armor && images->key.ignore_query_order);
    assert_int_equal(images->key.custom->query_mode, CACHE_QUERY_INCLUDE);
    assert_true(gw_str_eq(images->key.custom->query.items[0], GW_STR("q")));
    assert_true(gw_str_eq(images->key.custom->header_include.items[0], GW_STR("x-image-tier")));
    ruleset_unref(rs);
    gw_diags_release(&d);
}

#define CACHE_RULE(expression, params)                                                             \
    "{\"action\":\"set_cache_settings\",\"expression\":\"" expression                              \
    "\",\"action_parameters\":" params "}"

static void the_last_matching_rule_wins_per_key(void **state)
{
    (void)state;
    static const char text[] =
        "{\"rules\":[" CACHE_RULE("ssl", "{\"cache\":true,\"respect_strong_etags\":true}") "," //
        CACHE_RULE("http.host eq \\\"other\\\"", "{\"cache\":true}") ","                       //
        CACHE_RULE("true", "{\"cache\":false}") "]}";
    struct gw_diags d;
    struct fixture f;
    struct ruleset_result result;
    struct ruleset *rs = load(text, &enterprise, &d);
    fixture_init(&f);
    ruleset_match(rs, &f.request, &result);
    assert_true(ruleset_matched(&result, 0));
    assert_false(ruleset_matched(&result, 1));
    assert_true(ruleset_matched(&result, 2));
    const struct cache_settings *s = cache_settings_get(&result.settings, CACHE_SETTING_CACHE);
    assert_non_null(s);
    assert_false(s->cache);
    assert_int_equal(result.settings.rule[CACHE_SETTING_CACHE], 2);
    assert_int_equal(result.settings.rule[CACHE_SETTING_RESPECT_STRONG_ETAGS], 0);
    assert_null(cache_settings_get(&result.settings, CACHE_SETTING_EDGE_TTL));
    struct ruleset *second = ruleset_ref(rs);
    ruleset_unref(rs);
    assert_int_equal(ruleset_count(second), 3);
    ruleset_unref(second);
    fixture_release(&f);
    gw_diags_release(&d);
}

static void phases(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum rules_phase phase;
        bool warned;
    } cases[] = {
        {"{\"rules\":[]}", RULES_CACHE_REQUEST, false},
        {"{\"result\":{\"rules\":[]},\"success\":true,\"errors\":[],\"messages\":[]}",
         RULES_CACHE_REQUEST, false},
        {"{\"rules\":[{\"action\":\"set_cache_settings\",\"expression\":\"http.response.code eq "
         "200\",\"action_parameters\":{\"strip_etags\":true}}]}",
         RULES_CACHE_RESPONSE, false},
        {"{\"rules\":[{\"action\":\"set_cache_tags\",\"expression\":\"true\",\"action_parameters\":"
         "{\"operation\":\"set\",\"values\":[\"a\"]}}]}",
         RULES_CACHE_RESPONSE, false},
        {"{\"rules\":[{\"action\":\"block\",\"expression\":\"true\",\"ratelimit\":{"
         "\"characteristics\":[\"ip.src\",\"cf.colo.id\"],\"period\":10,\"requests_per_period\":5,"
         "\"counting_expression\":\"http.response.code eq 401\"}}]}",
         RULES_RATELIMIT, false},
        {"{\"phase\":\"http_request_firewall_custom\",\"rules\":[{\"action\":\"block\","
         "\"expression\":\"cf.something.new eq 1\"}]}",
         RULES_OTHER, true},
    };
    for (size_t i = 0; i < GW_COUNT(cases); i++) {
        struct gw_diags d;
        struct ruleset *rs = load(cases[i].text, &enterprise, &d);
        if (!rs)
            fail_msg("%s: %s", cases[i].text, d.items[0].message);
        assert_int_equal(ruleset_info(rs)->phase, cases[i].phase);
        assert_int_equal(says(&d, GW_DIAG_WARNING, "accepted but not simulated"), cases[i].warned);
        ruleset_unref(rs);
        gw_diags_release(&d);
    }
}

static void hosts_are_compared_with_the_zone(void **state)
{
    (void)state;
    static const struct gw_str hosts[] = {{"a.test", 6}, {"b.test", 6}};
    struct ruleset_options o = {.plan = CONFIG_PLAN_FREE, .hosts = hosts, .host_count = 2};
    static const struct {
        const char *expression, *warning;
    } cases[] = {
        {"http.host eq \\\"a.test\\\"", NULL},
        {"http.host in {\\\"x.test\\\" \\\"b.test\\\"}", NULL},
        {"http.host eq \\\"x.test\\\" and ssl", "\"x.test\" is no host of the zone"},
        {"http.host eq \\\"a.test\\\" and http.host eq \\\"b.test\\\"",
         "this rule can never match"},
        {"http.host in {\\\"a\\\" \\\"b\\\"} and http.host in {\\\"b\\\" \\\"c\\\"} and "
         "http.host in {\\\"a\\\" \\\"c\\\"}",
         "no host satisfies"},
    };
    for (size_t i = 0; i < GW_COUNT(cases); i++) {
        char text[1000];
        struct gw_diags d;
        snprintf(text, sizeof(text),
                 "{\"rules\":[{\"action\":\"set_cache_settings\",\"expression\":\"%s\","
                 "\"action_parameters\":{\"cache\":true}}]}",
                 cases[i].expression);
        struct ruleset *rs = load(text, &o, &d);
        assert_non_null(rs);
        assert_int_equal(d.warnings, cases[i].warning != NULL);
        if (cases[i].warning)
            assert_non_null(strstr(d.items[0].message, cases[i].warning));
        ruleset_unref(rs);
        gw_diags_release(&d);
    }
}

struct problems {
    size_t count;
    int code;
    char pointer[128], message[512];
};

static void on_problem(void *ctx, const struct ruleset_problem *p)
{
    struct problems *first = ctx;
    if (first->count++ > 0)
        return;
    first->code = p->code;
    snprintf(first->pointer, sizeof(first->pointer), "%s", p->pointer);
    snprintf(first->message, sizeof(first->message), "%s", p->message);
}

#define RULE(members) "{\"rules\":[{" members "}]}"
#define PARAMS(params)                                                                             \
    RULE("\"action\":\"set_cache_settings\",\"expression\":\"true\",\"action_"                     \
         "parameters\":" params)

static const struct {
    enum config_plan plan;
    const char *text;
    int code;
    const char *pointer, *message;
} refusals[] = {
    {CONFIG_PLAN_FREE, "[]", 0, "", "a ruleset is an object, not an array"},
    {CONFIG_PLAN_FREE, "{\"rulez\":[]}", 0, "", "invalid JSON: unknown field \"rulez\""},
    {CONFIG_PLAN_FREE, RULE("\"action\":\"block\",\"expression\":\"true\""), 0, "",
     "\"phase\" is required: the actions of the rules do not tell it"},
    {CONFIG_PLAN_FREE,
     RULE("\"action\":\"set_cache_settings\",\"expression\":\"foo\",\"action_parameters\":{"
          "\"cache\":true}"),
     20127, "/rules/0/expression",
     "'foo' is not a valid value for expression because could not parse filter expression: Filter "
     "parsing error (1:1):\nfoo\n^^^ unknown identifier\n"},
    {CONFIG_PLAN_FREE,
     RULE("\"action\":\"set_cache_settings\",\"expression\":\"\",\"action_parameters\":{"
          "\"cache\":true}"),
     20125, "/rules/0/expression",
     "'' is not a valid value for expression because the expression cannot be blank"},
    {CONFIG_PLAN_FREE,
     RULE("\"action\":\"set_cache_settings\",\"action_parameters\":{\"cache\":true}"), 20125,
     "/rules/0/expression",
     "'' is not a valid value for expression because the expression cannot be blank"},
    {CONFIG_PLAN_FREE, RULE("\"action\":\"set_cache_settings\",\"expression\":\"true\""), 20106,
     "/rules/0/action_parameters",
     "action parameters are required for the set_cache_settings action"},
    {CONFIG_PLAN_FREE,
     "{\"phase\":\"http_request_cache_settings\",\"rules\":[{\"action\":\"block\",\"expression\":"
     "\"true\"}]}",
     20016, "/rules/0/action",
     "'block' is not a valid value for action because it is not possible to use the block action "
     "in a ruleset with phase http_request_cache_settings and kind zone"},
    {CONFIG_PLAN_FREE,
     RULE("\"action\":\"set_cache_settings\",\"expression\":\"true\",\"logging\":{},"
          "\"action_parameters\":{\"cache\":true}"),
     20018, "/rules/0", "logging options are only allowed with the skip action"},
    {CONFIG_PLAN_FREE, PARAMS("{\"cach\":true}"), 0, "/rules/0/action_parameters",
     "invalid JSON: unknown field \"cach\""},
    {CONFIG_PLAN_FREE, PARAMS("{\"cache\":\"yes\"}"), 0, "/rules/0/action_parameters/cache",
     "\"cache\" must be true or false, not a string"},
    {CONFIG_PLAN_FREE, PARAMS("{\"edge_ttl\":{}}"), 0, "/rules/0/action_parameters/edge_ttl",
     "\"mode\" is required"},
    {CONFIG_PLAN_FREE, PARAMS("{\"edge_ttl\":{\"mode\":\"bypass\"}}"), 0,
     "/rules/0/action_parameters/edge_ttl",
     "'bypass' is not a valid value for mode because it is none of respect_origin, "
     "override_origin, bypass_by_default"},
    {CONFIG_PLAN_FREE, PARAMS("{\"edge_ttl\":{\"mode\":\"override_origin\"}}"), 0,
     "/rules/0/action_parameters/edge_ttl", "\"default\" is required with override_origin"},
    {CONFIG_PLAN_FREE, PARAMS("{\"edge_ttl\":{\"mode\":\"respect_origin\",\"default\":1}}"), 0,
     "/rules/0/action_parameters/edge_ttl",
     "\"default\" is possible with mode override_origin only"},
    {CONFIG_PLAN_FREE, PARAMS("{\"edge_ttl\":{\"mode\":\"override_origin\",\"default\":7199}}"), 0,
     "/rules/0/action_parameters/edge_ttl",
     "not entitled: an edge TTL below 7200 seconds is not allowed on this plan"},
    {CONFIG_PLAN_PRO, PARAMS("{\"edge_ttl\":{\"mode\":\"override_origin\",\"default\":3599}}"), 0,
     "/rules/0/action_parameters/edge_ttl",
     "not entitled: an edge TTL below 3600 seconds is not allowed on this plan"},
    {CONFIG_PLAN_FREE,
     PARAMS("{\"edge_ttl\":{\"mode\":\"respect_origin\",\"status_code_ttl\":[{\"status_code\":99,"
            "\"value\":1}]}}"),
     0, "/rules/0/action_parameters/edge_ttl/status_code_ttl/0",
     "a status code is a number from 100 to 999"},
    {CONFIG_PLAN_FREE,
     PARAMS("{\"edge_ttl\":{\"mode\":\"respect_origin\",\"status_code_ttl\":[{"
            "\"status_code_range\":{},\"value\":1}]}}"),
     0, "/rules/0/action_parameters/edge_ttl/status_code_ttl/0",
     "\"from\", \"to\" or both are required"},
    {CONFIG_PLAN_FREE, PARAMS("{\"read_timeout\":200}"), 0,
     "/rules/0/action_parameters/read_timeout",
     "not entitled: the use of read_timeout is not allowed, an Enterprise plan is required"},
    {CONFIG_PLAN_ENTERPRISE, PARAMS("{\"read_timeout\":99}"), 0,
     "/rules/0/action_parameters/read_timeout", "must be 100 to 6000 seconds"},
    {CONFIG_PLAN_ENTERPRISE, PARAMS("{\"additional_cacheable_ports\":[0]}"), 0,
     "/rules/0/action_parameters/additional_cacheable_ports", "a port is a number from 1 to 65535"},
    {CONFIG_PLAN_FREE, PARAMS("{\"strip_etags\":true,\"cache\":true}"), 0,
     "/rules/0/action_parameters/cache",
     "cache is not possible in phase http_response_cache_settings"},
    {CONFIG_PLAN_FREE,
     PARAMS("{\"cache_key\":{\"custom_key\":{\"query_string\":{\"include\":[\"a\"]}}}}"), 0,
     "/rules/0/action_parameters/cache_key/custom_key/query_string",
     "not entitled: the use of a list in custom_key.query_string is not allowed, an Enterprise "
     "plan is required"},
    {CONFIG_PLAN_ENTERPRISE,
     PARAMS("{\"cache_key\":{\"custom_key\":{\"header\":{\"include\":[\"Cookie\"]}}}}"), 0,
     "/rules/0/action_parameters/cache_key/custom_key/header",
     "header cookie cannot be part of a cache key"},
    {CONFIG_PLAN_ENTERPRISE,
     PARAMS("{\"cache_key\":{\"custom_key\":{\"header\":{\"include\":[\"Accept\"]}}}}"), 0,
     "/rules/0/action_parameters/cache_key/custom_key/header",
     "header accept has too many values for a cache key: use \"contains\""},
    {CONFIG_PLAN_ENTERPRISE,
     PARAMS("{\"cache_key\":{\"cache_by_device_type\":true,\"custom_key\":{\"user\":{\"geo\":true}"
            "}}}"),
     0, "/rules/0/action_parameters/cache_key",
     "custom_key.user and cache_by_device_type exclude each other"},
    {CONFIG_PLAN_FREE, PARAMS("{\"vary\":{}}"), 0, "/rules/0/action_parameters/vary",
     "\"default\" is required"},
    {CONFIG_PLAN_FREE,
     PARAMS("{\"vary\":{\"default\":{\"action\":\"bypass\"},\"headers\":{\"Accept\":{}}}}"), 0,
     "/rules/0/action_parameters/vary/headers/Accept",
     "'Accept' is not a valid value for headers because it must be an object under a lower-case "
     "header name that caches may vary on"},
    {CONFIG_PLAN_FREE,
     "{\"rules\":[{\"id\":\"a\",\"action\":\"set_cache_settings\",\"expression\":\"true\","
     "\"action_parameters\":{\"cache\":true}},{\"id\":\"a\",\"action\":\"set_cache_settings\","
     "\"expression\":\"true\",\"action_parameters\":{\"cache\":true}}]}",
     0, "/rules/1", "rule id \"a\" occurs twice"},
};

static void refusals_have_code_pointer_and_words(void **state)
{
    (void)state;
    for (size_t i = 0; i < GW_COUNT(refusals); i++) {
        struct problems found = {0};
        struct gw_diags d;
        struct ruleset_options o = {
            .plan = refusals[i].plan, .on_problem = on_problem, .ctx = &found};
        if (load(refusals[i].text, &o, &d))
            fail_msg("%s is accepted", refusals[i].text);
        if (strcmp(found.message, refusals[i].message) != 0)
            fail_msg("%s: %s", refusals[i].text, found.message);
        if (strcmp(found.pointer, refusals[i].pointer) != 0)
            fail_msg("%s: %s", refusals[i].text, found.pointer);
        assert_int_equal(found.code, refusals[i].code);
        assert_int_equal(found.count, d.errors);
        gw_diags_release(&d);
    }
}

static void rules_are_counted_by_plan(void **state)
{
    (void)state;
    static const size_t most[] = {10, 25, 50, 300};
    for (size_t plan = 0; plan < GW_COUNT(most); plan++) {
        for (size_t count = most[plan]; count <= most[plan] + 1; count++) {
            struct ruleset_options o = {.plan = (enum config_plan)plan};
            struct gw_buf text;
            struct gw_diags d;
            gw_buf_init(&text, 1 << 20);
            gw_buf_printf(&text, "{\"rules\":[");
            for (size_t i = 0; i < count; i++)
                gw_buf_printf(&text, "%s" CACHE_RULE("ssl", "{\"cache\":true}"), i ? "," : "");
            gw_buf_printf(&text, "]}");
            gw_buf_char(&text, '\0');
            struct ruleset *rs = load(text.data, &o, &d);
            assert_int_equal(rs != NULL, count == most[plan]);
            assert_int_equal(says(&d, GW_DIAG_ERROR, "exceeded maximum number of rules"), !rs);
            ruleset_unref(rs);
            gw_buf_release(&text);
            gw_diags_release(&d);
        }
    }
}

/* What is kept of a rule for the API is all of it or nothing. */
static void a_rule_has_a_size(void **state)
{
    (void)state;
    static const size_t sizes[] = {200 * 1024, 300 * 1024};
    for (size_t i = 0; i < GW_COUNT(sizes); i++) {
        struct gw_diags d;
        struct gw_buf text;
        char *long_text = gw_zalloc(sizes[i] + 1);
        memset(long_text, 'd', sizes[i]);
        gw_buf_init(&text, 1 << 20);
        gw_buf_printf(&text,
                      "{\"rules\": [{\"action\": \"set_cache_settings\", \"expression\": \"true\","
                      "\"action_parameters\": {\"cache\": true}, \"description\": \"%s\"}]}",
                      long_text);
        gw_buf_char(&text, '\0');
        struct ruleset *rs = load(text.data, &enterprise, &d);
        assert_int_equal(rs != NULL, i == 0);
        assert_int_equal(says(&d, GW_DIAG_ERROR, "256 KiB"), i == 1);
        ruleset_unref(rs);
        gw_buf_release(&text);
        gw_diags_release(&d);
        free(long_text);
    }
}

static void everything_typed(void **state)
{
    (void)state;
    static const char text[] = PARAMS(
        "{\"browser_ttl\":{\"mode\":\"bypass\"},\"origin_cache_control\":true,"
        "\"additional_cacheable_ports\":[8443,2053],\"read_timeout\":900,"
        "\"cache_reserve\":{\"eligible\":true,\"minimum_file_size\":10},"
        "\"origin_range_requests\":{\"mode\":\"on\"},\"shared_dictionary\":{\"match_pattern\":"
        "\"/*\"},\"origin_error_page_passthru\":null,"
        "\"cache_key\":{\"custom_key\":{\"query_string\":{\"exclude\":\"*\"},\"header\":{"
        "\"check_presence\":[\"X-B\",\"X-A\"],\"contains\":{\"Accept\":[\"webp\"]},"
        "\"exclude_origin\":true},\"cookie\":{\"include\":[\"b\",\"a\"]},\"user\":{\"lang\":true},"
        "\"host\":{\"resolved\":true}}},"
        "\"vary\":{\"default\":{\"action\":\"bypass\"},\"headers\":{\"accept\":{\"action\":"
        "\"normalize\",\"media_types\":[\"Image/WebP\"]},\"accept-language\":{\"action\":"
        "\"passthrough\",\"languages\":[\"de\",\"en\"]}}}}");
    struct gw_diags d;
    struct ruleset *rs = load(text, &enterprise, &d);
    if (!rs)
        fail_msg("%s", d.items[0].message);
    assert_int_equal(d.warnings, 3);
    const struct cache_settings *s = ruleset_rule(rs, 0)->settings;
    assert_false(cache_settings_has(s, CACHE_SETTING_ORIGIN_ERROR_PAGE_PASSTHRU));
    assert_int_equal(s->browser_ttl.mode, CACHE_TTL_BYPASS);
    assert_true(s->origin_cache_control);
    assert_int_equal(s->port_count, 2);
    assert_int_equal(s->ports[1], 2053);
    assert_int_equal(s->read_timeout, 900);
    const struct cache_custom_key *key = s->key.custom;
    assert_int_equal(key->query_mode, CACHE_QUERY_NONE);
    assert_true(gw_str_eq(key->header_presence.items[0], GW_STR("x-a")));
    assert_true(gw_str_eq(key->header_contains[0].name, GW_STR("accept")));
    assert_true(gw_str_eq(key->header_contains[0].values.items[0], GW_STR("webp")));
    assert_true(gw_str_eq(key->cookie_include.items[0], GW_STR("a")));
    assert_true(key->exclude_origin && key->user_lang && key->host_resolved);
    assert_int_equal(s->vary.fallback, CACHE_VARY_BYPASS);
    assert_int_equal(s->vary.count, 2);
    assert_true(gw_str_eq(s->vary.headers[0].media_types.items[0], GW_STR("image/webp")));
    assert_int_equal(s->vary.headers[1].action, CACHE_VARY_PASSTHROUGH);
    assert_int_equal(s->vary.headers[1].languages.count, 2);
    ruleset_unref(rs);
    gw_diags_release(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(team_files_load),
        cmocka_unit_test(a_file_gets_a_hint),
        cmocka_unit_test(plans_refuse_at_the_place),
        cmocka_unit_test(the_export_is_read_in_full),
        cmocka_unit_test(the_last_matching_rule_wins_per_key),
        cmocka_unit_test(phases),
        cmocka_unit_test(hosts_are_compared_with_the_zone),
        cmocka_unit_test(refusals_have_code_pointer_and_words),
        cmocka_unit_test(rules_are_counted_by_plan),
        cmocka_unit_test(a_rule_has_a_size),
        cmocka_unit_test(everything_typed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

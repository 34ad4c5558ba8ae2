/* SPDX-License-Identifier: Apache-2.0 */
#include "config/rules/lint.h"

#include "tests/unit/config/rules/rules_request_fixture.h"

/* ---- one expression ---- */

struct told {
    size_t count;
    struct lint_finding first;
};

static void on_finding(void *ctx, const struct lint_finding *f)
{
    struct told *told = ctx;
    if (told->count++ == 0)
        told->first = *f;
}

struct expectation {
    const char *text;
    const char *place;   /* what the finding points to; NULL: there is none */
    const char *message; /* a part of it */
};

static void check_one(struct fixture *f, const struct expectation *c)
{
    struct expr_error err;
    struct told told = {0};
    struct expr *e = expr_compile(gw_str_z(c->text), &f->options, &err);
    if (!e)
        fail_msg("%s: %s", c->text, err.reason);
    bool never = lint_expression(e, on_finding, &told);
    if (told.count != (c->place != NULL))
        fail_msg("%s: %zu findings: %s", c->text, told.count, told.first.text);
    if (c->place) {
        struct gw_str place = gw_str(c->text + told.first.offset, told.first.width);
        if (!gw_str_eq(place, gw_str_z(c->place)) || !strstr(told.first.text, c->message))
            fail_msg("%s: at %.*s: %s", c->text, GW_STR_ARG(place), told.first.text);
    }
    if (never != (strstr(told.first.text, "this rule can never match") != NULL))
        fail_msg("%s: never: %d, %s", c->text, never, told.first.text);
    expr_free(e);
}

static void check_all(const struct expectation *cases, size_t count, bool missing_ne)
{
    struct fixture f;
    fixture_init(&f);
    f.options.missing_ne = missing_ne;
    f.options.phase = RULES_CACHE_RESPONSE;
    for (size_t i = 0; i < count; i++)
        check_one(&f, &cases[i]);
    fixture_release(&f);
}

#define DEAD  "this rule can never match: "
#define VALUE "no request has this value: "

static void values_that_no_request_has(void **state)
{
    (void)state;
    static const struct expectation cases[] = {
        {"http.host eq \"CI.test\"", "http.host eq \"CI.test\"",
         DEAD "http.host is in lower case: write \"ci.test\""},
        {"ssl or http.host eq \"CI.test\"", "http.host eq \"CI.test\"",
         VALUE "http.host is in lower case: write \"ci.test\""},
        {"http.host ne \"CI.test\"", "http.host ne \"CI.test\"", VALUE},
        {"not http.host eq \"CI.test\"", "http.host eq \"CI.test\"", VALUE},
        {"http.host in {\"a.test\" \"B.test\"}", "http.host in {\"a.test\" \"B.test\"}",
         VALUE "http.host is in lower case: write \"b.test\""},
        {"http.host in {\"A\" \"B\"}", "http.host in {\"A\" \"B\"}", DEAD},
        {"ends_with(http.host, \".Test\")", "ends_with(http.host, \".Test\")", DEAD},
        {"http.host contains \"Test\"", "http.host contains \"Test\"", DEAD},
        {"http.host strict wildcard \"*.Test\"", "http.host strict wildcard \"*.Test\"", DEAD},
        {"http.host wildcard \"*.Test\"", NULL, NULL},
        {"http.host matches \"^CI\"", NULL, NULL},
        {"http.host eq \"ci.test:8443\"", "http.host eq \"ci.test:8443\"",
         DEAD "http.host is without the port: write \"ci.test\""},
        {"http.host contains \":8443\"", NULL, NULL}, /* it may be of an IPv6 host */
        {"http.host eq \"[::1]\"", NULL, NULL},
        {"http.host eq \"[::ffff:1.2.3.4]\"", NULL, NULL},
        {"ends_with(http.host, \":8443\")", "ends_with(http.host, \":8443\")", DEAD},
        {"http.host eq \"https://ci.test\"", "http.host eq \"https://ci.test\"", DEAD},
        {"http.host eq \"\"", NULL, NULL},
        {"http.request.uri.path eq \"login\"", "http.request.uri.path eq \"login\"",
         DEAD "http.request.uri.path begins with \"/\": write \"/login\""},
        {"starts_with(http.request.uri.path, \"api/\")",
         "starts_with(http.request.uri.path, \"api/\")", DEAD},
        {"http.request.uri.path wildcard \"api/*\"", "http.request.uri.path wildcard \"api/*\"",
         DEAD},
        {"http.request.uri.path wildcard \"*api/*\"", NULL, NULL},
        {"http.request.uri.path contains \"api\"", NULL, NULL},
        {"ends_with(http.request.uri.path, \"api\")", NULL, NULL},
        {"http.request.uri.path eq \"*\"", NULL, NULL}, /* OPTIONS * */
        {"http.request.uri.path eq \"/A?b=1\"", "http.request.uri.path eq \"/A?b=1\"",
         DEAD "http.request.uri.path ends before the query"},
        {"http.request.uri eq \"/A?b=1\"", NULL, NULL},
        {"http.request.uri.query eq \"?a=1\"", "http.request.uri.query eq \"?a=1\"",
         "only a URL with two of them fits: write \"a=1\""},
        {"http.request.uri.query contains \"?\"", NULL, NULL},
        {"http.request.uri.path.extension eq \".css\"",
         "http.request.uri.path.extension eq \".css\"", ": write \"css\""},
        {"http.request.uri.path.extension in {\"CSS\" \"js\"}",
         "http.request.uri.path.extension in {\"CSS\" \"js\"}", ": write \"css\""},
        {"http.request.uri.path.extension eq \"css\"", NULL, NULL},
        {"http.request.full_uri wildcard \"ci.test/*\"", NULL, NULL},
        {"http.request.full_uri strict wildcard \"ci.test/*\"",
         "http.request.full_uri strict wildcard \"ci.test/*\"", DEAD},
        {"starts_with(http.request.full_uri, \"http\")", NULL, NULL},
        {"http.request.method eq \"get\"", "http.request.method eq \"get\"", ": write \"GET\""},
        {"http.request.method in {\"GET\" \"PURGE\"}", NULL, NULL},
        {"http.request.version eq \"HTTP/2.0\"", "http.request.version eq \"HTTP/2.0\"", DEAD},
        {"http.request.version eq \"HTTP/2\"", NULL, NULL},
        {"ip.src.country eq \"de\"", "ip.src.country eq \"de\"", ": write \"DE\""},
        {"ip.src.country in {\"DE\" \"UK\"}", "ip.src.country in {\"DE\" \"UK\"}",
         ": write \"GB\""},
        {"ip.geoip.country in {\"T1\" \"XX\" \"XK\"}", NULL, NULL},
        {"ip.src.continent eq \"EU\"", NULL, NULL},
        {"ip.src.continent eq \"US\"", "ip.src.continent eq \"US\"", DEAD},
        {"lower(http.user_agent) contains \"Bot\"", "lower(http.user_agent) contains \"Bot\"",
         ": write \"bot\""},
        {"lower(http.user_agent) contains \"bot\"", NULL, NULL},
        {"http.user_agent contains \"Bot\"", NULL, NULL},
        {"any(lower(http.request.headers[\"x\"][*])[*] eq \"A\")",
         "lower(http.request.headers[\"x\"][*])[*] eq \"A\"", DEAD},
        {"http.request.headers[\"X-Role\"][0] eq \"a\"", "http.request.headers[\"X-Role\"][0]",
         "are in lower case: write \"x-role\""},
        {"http.request.cookies[\"SID\"][0] eq \"a\"", NULL, NULL},
        {"http.response.code eq 2000", "http.response.code eq 2000", DEAD},
        {"http.response.code ge 400", NULL, NULL},
        {"len(http.host) lt 0", "len(http.host) lt 0", DEAD},
        {"len(http.host) ge 0", NULL, NULL},
    };
    check_all(cases, GW_COUNT(cases), false);
}

static void conditions_that_contradict_themselves(void **state)
{
    (void)state;
    static const struct expectation cases[] = {
        {"http.request.uri.path eq \"/a\" and http.request.uri.path eq \"/b\"",
         "http.request.uri.path eq \"/b\"",
         DEAD "never true together with http.request.uri.path eq \"/a\" before it: write "
              "http.request.uri.path in {\"/a\" \"/b\"}"},
        {"http.request.method eq \"GET\" and ssl and http.request.method eq \"POST\"",
         "http.request.method eq \"POST\"", DEAD},
        {"ssl and not ssl", "not ssl", DEAD},
        {"ssl and not (ssl or cf.client.bot)", "not (ssl or cf.client.bot)", DEAD},
        {"cf.client.bot or (ssl and not ssl)", "not ssl", "never true together with ssl"},
        {"starts_with(http.request.uri.path, \"/a/\") and http.request.uri.path in {\"/b\" \"/c\"}",
         "http.request.uri.path in {\"/b\" \"/c\"}", DEAD},
        {"starts_with(http.request.uri.path, \"/a/\") and ends_with(http.request.uri.path, \"b\")",
         NULL, NULL},
        {"http.request.uri.path eq \"/a\" or http.request.uri.path eq \"/b\"", NULL, NULL},
        {"http.request.uri.path eq \"/a\" and http.request.uri eq \"/b\"", NULL, NULL},
        {"any(http.request.headers[\"x\"][*] eq \"a\") and any(http.request.headers[\"x\"][*] eq "
         "\"b\")",
         NULL, NULL},
        {"ssl and (not ssl or cf.client.bot)", NULL, NULL},
        {"ip.src in {10.0.0.0/8} and not ip.src in {10.1.0.0/16}", NULL, NULL},
        {"ip.src in {10.1.0.0/16} and not ip.src in {10.0.0.0/8}", "not ip.src in {10.0.0.0/8}",
         DEAD},
        {"ssl xor not ssl", NULL, NULL},
    };
    check_all(cases, GW_COUNT(cases), false);
}

#define HEADER "http.request.headers[\"x\"]"
#define COOKIE "http.request.cookies[\"sid\"]"

static void comparisons_with_what_may_be_absent(void **state)
{
    (void)state;
    static const struct expectation cases[] = {
        {COOKIE "[0] ne \"\"", COOKIE "[0] ne \"\"",
         "without the cookie \"sid\" this \"ne\" is false as documented, but true in the open "
         "engine (setting missing_ne): write any(" COOKIE "[*] ne \"\")"},
        {HEADER "[0] ne \"a\"", HEADER "[0] ne \"a\"",
         "or not any(" HEADER "[*] eq \"a\") to match without it too"},
        {"not " HEADER "[0] ne \"a\"", HEADER "[0] ne \"a\"", "without the header \"x\""},
        {"not " HEADER "[0] eq \"\"", HEADER "[0] eq \"\"",
         "this is true, since \"eq\" is false: write any(" HEADER "[*] ne \"\")"},
        {HEADER "[0] eq \"\"", HEADER "[0] eq \"\"",
         "this is false: write not any(" HEADER "[*] ne \"\")"},
        {"http.request.uri.args[\"a\"][0] ne \"1\"", "http.request.uri.args[\"a\"][0] ne \"1\"",
         "without the argument \"a\""},
        {HEADER "[0] eq \"a\"", NULL, NULL},
        {"not " HEADER "[0] eq \"a\"", NULL, NULL},
        {"any(" HEADER "[*] ne \"\")", NULL, NULL},
        {"http.cookie ne \"\"", NULL, NULL},
        {"http.user_agent eq \"\"", NULL, NULL},
        {"coalesce(" HEADER "[0], \"\") ne \"a\"", NULL, NULL},
    };
    static const struct expectation by_setting[] = {
        {COOKIE "[0] ne \"\"", COOKIE "[0] ne \"\"",
         "this \"ne\" is true (setting missing_ne), but false as documented"},
    };
    check_all(cases, GW_COUNT(cases), false);
    check_all(by_setting, GW_COUNT(by_setting), true);
}

/* The note says what to write; a second warning at the same place would not help. */
static void on_dead(void *ctx, const struct lint_finding *f)
{
    if (strstr(f->text, DEAD))
        *(struct lint_finding *)ctx = *f;
}

/* Of several findings the one that is to blame says so. */
static void the_reason_is_the_one_that_kills(void **state)
{
    (void)state;
    static const struct {
        const char *text, *reason; /* NULL: it lives */
    } cases[] = {
        {"not http.host eq \"A\" and http.request.method eq \"get\"",
         "http.request.method eq \"get\""},
        {"(http.host eq \"A\" or ssl) and http.request.method eq \"get\"",
         "http.request.method eq \"get\""},
        {"http.host eq \"A\" or ssl", NULL},
        {"not (http.host eq \"A\" and ssl)", NULL},
    };
    struct fixture f;
    fixture_init(&f);
    for (size_t i = 0; i < GW_COUNT(cases); i++) {
        struct expr_error err;
        struct lint_finding dead = {0};
        struct expr *e = expr_compile(gw_str_z(cases[i].text), &f.options, &err);
        assert_non_null(e);
        assert_int_equal(lint_expression(e, on_dead, &dead), cases[i].reason != NULL);
        struct gw_str place = gw_str(cases[i].text + dead.offset, dead.width);
        if (cases[i].reason && !gw_str_eq(place, gw_str_z(cases[i].reason)))
            fail_msg("%s: at %.*s", cases[i].text, GW_STR_ARG(place));
        expr_free(e);
    }
    fixture_release(&f);
}

static void a_note_is_enough(void **state)
{
    (void)state;
    struct fixture f;
    static const struct expectation one = {COOKIE " ne \"\"", NULL, NULL};
    fixture_init(&f);
    f.options.cookie_array_as_first = true;
    check_one(&f, &one);
    fixture_release(&f);
}

/* ---- rules ---- */

struct rule_case {
    const char *rules[4][2]; /* expression, action_parameters; a leading "-" disables */
    int index;               /* of the rule warned about; -1: none */
    const char *message;
};

static void rules_json(const struct rule_case *c, const char *phase, struct gw_buf *out)
{
    gw_buf_printf(out, "{\"phase\":\"%s\",\"rules\":[", phase);
    for (size_t i = 0; i < 4 && c->rules[i][0]; i++) {
        const char *text = c->rules[i][0], *params = c->rules[i][1];
        bool disabled = text[0] == '-';
        const char *action = strstr(params, "operation")
                                 ? strstr(params, "values") ? "set_cache_tags" : "set_cache_control"
                                 : "set_cache_settings";
        gw_buf_printf(out, "%s\n{\"action\":\"%s\",\"enabled\":%s,\"description\":\"R%zu\",",
                      i ? "," : "", action, disabled ? "false" : "true", i + 1);
        gw_buf_add(out, GW_STR("\"expression\":"));
        gw_buf_json(out, gw_str_z(text + disabled));
        gw_buf_printf(out, ",\"action_parameters\":%s}", params);
    }
    gw_buf_add(out, GW_STR("]}"));
}

static void check_rules(const struct rule_case *c, const char *phase)
{
    const struct ruleset_options options = {.plan = CONFIG_PLAN_ENTERPRISE};
    struct gw_diags d;
    struct gw_buf text;
    gw_diags_init(&d);
    gw_buf_init(&text, 1 << 20);
    rules_json(c, phase, &text);
    struct gw_source source = {"rules.json", gw_buf_str(&text)};
    struct json_doc *doc = json_parse(&source, &d);
    struct ruleset *rs = ruleset_load(doc, &options, &d);
    if (!rs || d.warnings != (c->index >= 0))
        fail_msg("%s: %zu warnings: %s", source.text.ptr, d.warnings,
                 d.count ? d.items[0].message : "");
    if (c->index >= 0 &&
        (d.items[0].line != (unsigned)c->index + 2 || !strstr(d.items[0].message, c->message)))
        fail_msg("line %u: %s", d.items[0].line, d.items[0].message);
    ruleset_unref(rs);
    json_doc_free(doc);
    gw_buf_release(&text);
    gw_diags_release(&d);
}

#define ON      "{\"cache\":true}"
#define OFF     "{\"cache\":false}"
#define BROWSER "{\"browser_ttl\":{\"mode\":\"respect_origin\"}}"
#define BOTH    "{\"cache\":true,\"browser_ttl\":{\"mode\":\"respect_origin\"}}"
#define API     "starts_with(http.request.uri.path, \"/api/\")"

static void rules_that_are_overruled(void **state)
{
    (void)state;
    static const struct rule_case cases[] = {
        {{{API, OFF}, {"true", ON}},
         0,
         "this rule has no effect: whenever it matches, rule 2 (\"R2\") below matches too and "
         "overrides all it sets: move it behind, or delete it"},
        {{{API, OFF}, {API, ON}}, 0, "rule 2"},
        {{{API " and ssl", OFF}, {"http.host eq \"a\"", ON}, {API, ON}}, 0, "rule 3"},
        {{{API, BOTH}, {"true", ON}, {"true", BROWSER}}, 0, "rule 3 (\"R3\") and rule 2 (\"R2\")"},
        {{{"true", ON}, {API, OFF}}, -1, NULL},
        {{{API, OFF}, {API " and ssl", ON}}, -1, NULL},
        {{{API, BOTH}, {"true", ON}}, -1, NULL},
        {{{"ssl and not ssl", OFF}, {"true", ON}}, 0, "this rule can never match"},
        {{{API, OFF}, {"-true", ON}}, -1, NULL},
        {{{"-" API, OFF}, {"true", ON}}, -1, NULL},
        {{{API, OFF}, {"true", BROWSER}}, -1, NULL},
        {{{API, OFF}, {"http.host eq \"a\" or ssl", ON}}, -1, NULL},
    };
    for (size_t i = 0; i < GW_COUNT(cases); i++)
        check_rules(&cases[i], "http_request_cache_settings");
}

#define SET_TAGS "{\"operation\":\"set\",\"values\":[\"a\"]}"
#define ADD_TAGS "{\"operation\":\"add\",\"values\":[\"a\"]}"
#define MAX_AGE  "{\"max-age\":{\"operation\":\"set\",\"value\":60}}"
#define NO_AGE   "{\"max-age\":{\"operation\":\"remove\"}}"
#define EDGE_AGE "{\"max-age\":{\"operation\":\"set\",\"value\":60,\"cloudflare_only\":true}}"

static void response_rules_that_are_overruled(void **state)
{
    (void)state;
    static const struct rule_case cases[] = {
        {{{"ssl", "{\"strip_etags\":true}"}, {"true", "{\"strip_etags\":false}"}}, 0, "rule 2"},
        {{{"ssl", MAX_AGE}, {"true", NO_AGE}}, 0, "rule 2"},
        {{{"ssl", MAX_AGE}, {"true", EDGE_AGE}}, -1, NULL},
        {{{"ssl", ADD_TAGS}, {"true", SET_TAGS}}, 0, "rule 2"},
        {{{"ssl", SET_TAGS}, {"true", ADD_TAGS}}, -1, NULL},
        {{{"ssl", MAX_AGE}, {"true", SET_TAGS}}, -1, NULL},
    };
    for (size_t i = 0; i < GW_COUNT(cases); i++)
        check_rules(&cases[i], "http_response_cache_settings");
}

#define KEYED(member, name)                                                                        \
    "{\"cache\":true,\"cache_key\":{\"custom_key\":{\"" member "\":{\"include\":[\"" name "\"]}}}" \
    "}"
#define VARY "{\"vary\":{\"default\":{\"action\":\"normalize\"}}}"
#define TIER "http.request.headers[\"x-tier\"][0]"

static void caches_that_mix_visitors(void **state)
{
    (void)state;
    static const struct rule_case cases[] = {
        {{{"http.cookie contains \"session_id=\"", ON}},
         0,
         "requests that have the cookie \"session_id\", which is not in the cache key"},
        {{{"any(http.request.headers[\"authorization\"][*] ne \"\")", ON}},
         0,
         "cache_key.custom_key.header.include: [\"authorization\"]"},
        {{{"len(http.request.cookies[\"hub_sid\"]) >= 0 and ssl", ON}}, 0, "\"hub_sid\""},
        {{{"has_key(http.request.cookies, \"auth_token\")", ON}}, 0, "\"auth_token\""},
        {{{TIER " in {\"gold\" \"silver\"}", ON}},
         0,
         "several values of the header \"x-tier\", which is not in the cache key"},
        {{{TIER " eq \"gold\" or " TIER " eq \"silver\"", ON}}, 0, "\"x-tier\""},
        {{{"http.request.headers[\"accept-language\"][0] in {\"de\" \"en\"}", ON}},
         0,
         "cache_key.custom_key.header.contains: {\"accept-language\": […]}"},
        {{{"not http.cookie contains \"session_id=\"", ON}}, -1, NULL},
        {{{"http.cookie contains \"session_id=\"", OFF}}, -1, NULL},
        {{{"http.cookie contains \"session_id=1\"", ON}}, -1, NULL},
        {{{"http.cookie contains \"theme=\"", ON}}, -1, NULL},
        {{{"http.cookie contains \"president=\"", ON}}, -1, NULL},
        {{{TIER " eq \"gold\"", ON}}, -1, NULL},
        {{{"(" TIER " eq \"gold\" and http.request.uri.path eq \"/a\") or (" TIER
           " eq \"silver\" and http.request.uri.path eq \"/b\")",
           ON}},
         -1,
         NULL},
        {{{"(" TIER " eq \"gold\" and http.request.uri.path eq \"/a\") or (" TIER
           " eq \"silver\" and ssl)",
           ON}},
         0,
         "\"x-tier\""},
        {{{TIER " eq \"gold\" or http.request.headers[\"x-b\"][0] eq \"silver\"", ON}}, -1, NULL},
        {{{TIER " in {\"gold\" \"silver\"}", KEYED("header", "x-tier")}}, -1, NULL},
        {{{TIER " in {\"gold\" \"silver\"}", ON}, {"ssl", VARY}}, -1, NULL},
        {{{"http.cookie contains \"session_id=\"", KEYED("cookie", "session_id")}}, -1, NULL},
        {{{"ssl or http.cookie contains \"session_id=\"", ON},
          {"http.cookie contains \"session_id\"", OFF}},
         -1,
         NULL},
        {{{"http.request.headers[\"origin\"][0] in {\"a\" \"b\"}", ON}}, -1, NULL},
        {{{"http.request.uri.args[\"a\"][0] in {\"a\" \"b\"}", ON}}, -1, NULL},
    };
    for (size_t i = 0; i < GW_COUNT(cases); i++)
        check_rules(&cases[i], "http_request_cache_settings");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_that_no_request_has),
        cmocka_unit_test(conditions_that_contradict_themselves),
        cmocka_unit_test(comparisons_with_what_may_be_absent),
        cmocka_unit_test(the_reason_is_the_one_that_kills),
        cmocka_unit_test(a_note_is_enough),
        cmocka_unit_test(rules_that_are_overruled),
        cmocka_unit_test(response_rules_that_are_overruled),
        cmocka_unit_test(caches_that_mix_visitors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

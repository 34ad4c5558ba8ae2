/* SPDX-License-Identifier: Apache-2.0 */
#include "config/rules/expr.h"

#include "tests/unit/config/rules/rules_request_fixture.h"

/* What the vectors leave open: fields, corners of functions, missing values. */
static void values(void **state)
{
    (void)state;
    static const struct truth cases[] = {
        {"http.request.uri.path.basename eq \"index.HTML\"", true},
        {"http.request.uri.path.extension eq \"html\"", true},
        {"raw.http.request.uri.path eq \"/de/Kurse/./index.HTML\"", true},
        {"raw.http.request.uri.query eq http.request.uri.query", true},
        {"http.request.uri eq \"/de/Kurse/index.HTML?a=1&b=&a=2&c\"", true},
        {"ip.src.asnum in {1 64496..64511}", true},
        {"cf.edge.server_port eq 443", true},
        {"http.request.timestamp.sec eq 1767225600", true},
        {"http.request.timestamp.msec eq 123", true},
        {"http.request.version eq \"HTTP/1.1\"", true},
        {"http.user_agent eq \"\"", true},
        {"cf.bot_management.score eq 0", true},
        {"http.request.uri.args[\"c\"][0] eq \"\"", true},
        {"len(http.request.uri.args.names) eq 4", true},
        {"http.request.cookies[\"a b\"][0] eq \"1\"", true},
        {"http.request.cookies[\"a%20b\"][0] eq \"1\"", false},
        {"len(http.request.cookies[\"theme\"]) eq 2", true},
        {"http.request.cookies[\"empty\"][0] eq \"\"", true},
        {"any(http.request.headers[*][*] eq \"Admin\")", true},
        {"any(http.request.headers[*][1] eq \"Admin\")", true},
        {"any(http.request.headers[*][2] eq \"Admin\")", false},
        {"has_value(http.request.headers, \"Admin\")", true},
        {"has_key(http.request.headers, \"X-Role\")", false},
        {"has_key(http.request.uri.args, lower(http.request.method))", false},
        {"http.request.headers[\"x-role\"][1] in {\"Admin\"}", true},
        {"len(concat(http.request.uri.args[\"a\"], http.request.uri.args[\"b\"])) eq 3", true},
        {"substring(http.host, 50) eq \"\"", true},
        {"substring(http.host, -500, 2) eq \"ci\"", true},
        {"substring(http.host, 5, 2) eq \"\"", true},
        {"url_decode(http.request.headers[\"x-none\"][0]) eq \"\"", false},
        {"not any(http.request.headers[\"x-none\"][*] eq \"a\")", true},
        {"all(http.request.headers[\"x-none\"][*] eq \"a\")", true},
        {"all(starts_with(http.request.headers[\"x-none\"][*], \"a\"))", true},
        {"coalesce(http.request.headers[\"x-none\"][0], \"x\") ne \"\"", true},
        {"len(coalesce(http.request.headers[\"x-none\"], http.request.uri.args[\"a\"])) eq 2",
         true},
        {"ip.src lt 2001:db8::1 or ip.src gt 2001:db8::1", false},
        {"http.host in {}", false},
        {"ip.src in {0.0.0.0/0}", true},
        {"len(http.host) bitwise_and 0x10", true},
        {"\xc2\xa0http.host eq \"ci.hub-evolution.com\"\t\n", true},
    };
    struct fixture f;
    fixture_init(&f);
    fixture_check(&f, cases, GW_COUNT(cases));
    fixture_release(&f);
}

static void missing_ne_is_a_setting(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f);
    const char *text = "http.request.headers[\"x-none\"][0] ne \"a\"";
    const char *dynamic = "http.host ne http.request.headers[\"x-none\"][0]";
    assert_false(fixture_eval(&f, text));
    assert_false(fixture_eval(&f, dynamic));
    f.options.missing_ne = true;
    assert_true(fixture_eval(&f, text));
    assert_true(fixture_eval(&f, dynamic));
    fixture_release(&f);
}

static void several_lines_of_a_header_read_as_one(void **state)
{
    (void)state;
    static const struct truth cases[] = {
        {"http.cookie eq \"theme=dark; a%20b=1; theme=light; empty=; late=1\"", true},
        {"http.request.cookies[\"late\"][0] eq \"1\"", true},
        {"len(http.request.headers[\"cookie\"]) eq 2", true},
    };
    struct fixture f;
    fixture_init(&f);
    add(&f.headers, GW_STR("cookie"), GW_STR("late=1"));
    fixture_check(&f, cases, GW_COUNT(cases));
    fixture_release(&f);
}

static void response_fields(void **state)
{
    (void)state;
    static const struct truth cases[] = {
        {"http.response.code eq 404", true},
        {"http.response.headers[\"x-a\"][0] eq \"1\"", true},
        {"any(http.response.headers.names[*] eq \"X-A\")", true},
        {"http.response.content_type.media_type eq \"text/html\"", true},
        {"http.host eq \"ci.hub-evolution.com\"", true},
    };
    struct fixture f;
    fixture_init(&f);
    add(&f.response_headers, GW_STR("X-A"), GW_STR("1"));
    add(&f.response_headers, GW_STR("Content-Type"), GW_STR("Text/HTML ; charset=utf-8"));
    f.options.phase = RULES_CACHE_RESPONSE;
    assert_false(fixture_eval(&f, cases[1].text));
    rules_request_response(&f.request, 404, &f.response_headers);
    fixture_check(&f, cases, GW_COUNT(cases));
    fixture_release(&f);
}

static void ratelimit_functions(void **state)
{
    (void)state;
    static const struct truth cases[] = {
        {"cidr(ip.src, 24, 64) eq 203.0.113.0", true},
        {"cidr6(ip.src, 64) eq 203.0.113.7", true},
        {"decode_base64(http.request.headers[\"x-b64\"][0]) eq \"hello\"", true},
        {"decode_base64(http.host) eq \"\"", false},
    };
    struct fixture f;
    fixture_init(&f);
    add(&f.headers, GW_STR("X-B64"), GW_STR("aGVsbG8="));
    f.options.phase = RULES_RATELIMIT;
    fixture_check(&f, cases, GW_COUNT(cases));
    fixture_release(&f);
}

static void response_functions(void **state)
{
    (void)state;
    static const struct truth cases[] = {
        {"split(http.host, \".\", 2)[0] eq \"ci\"", true},
        {"split(http.host, \".\", 2)[1] eq \"hub-evolution.com\"", true},
        {"len(split(http.host, \".\", 128)) eq 3", true},
        {"len(split(http.host, \"x\", 128)) eq 1", true},
        {"split(http.host, \"-evo\", 1)[0] eq http.host", true},
        {"split(http.referer, \",\", 3)[0] eq \"\"", true},
        {"has_value(split(http.request.uri.query, \"&\", 9), \"a=2\")", true},
        {"any(split(http.host, \".\", 9)[*] eq \"com\")", true},
        {"len(split(http.request.headers[\"none\"][0], \",\", 9)) >= 0", false},
        {"join(http.request.headers[\"x-role\"], \"|\") eq \"user|Admin\"", true},
        {"join(http.request.headers[\"x-role\"], http.request.method) eq \"userGETAdmin\"", true},
        {"join(split(http.host, \".\", 3), \"\") eq \"cihub-evolutioncom\"", true},
        {"join(http.request.headers[\"none\"], \",\") eq \"\"", false},
        {"join(http.response.headers.names, \",\") eq \"\"", true},
    };
    static const struct {
        const char *text, *reason;
    } errors[] = {
        {"split(http.host, \".\")[0] eq \"a\"", "invalid number of arguments"},
        {"split(http.host, \"\", 1)[0] eq \"a\"", "the separator cannot be empty"},
        {"split(http.host, \".\", 0)[0] eq \"a\"", "the limit must be 1 to 128"},
        {"join(http.host, \".\") eq \"a\"",
         "invalid type of argument #0: expected value of type Array<Bytes>, but got Bytes"},
    };
    struct fixture f;
    struct expr_error err;
    fixture_init(&f);
    f.options.phase = RULES_CACHE_RESPONSE;
    rules_request_response(&f.request, 200, &f.response_headers);
    fixture_check(&f, cases, GW_COUNT(cases));
    for (size_t i = 0; i < GW_COUNT(errors); i++) {
        assert_null(expr_compile(gw_str_z(errors[i].text), &f.options, &err));
        assert_string_equal(err.reason, errors[i].reason);
    }
    f.options.phase = RULES_CACHE_REQUEST;
    assert_null(expr_compile(gw_str_z(cases[0].text), &f.options, &err));
    assert_string_equal(err.reason, "function split is not available in this phase: it belongs to "
                                    "cache response rules");
    fixture_release(&f);
}

static void json_functions(void **state)
{
    (void)state;
    static const struct truth cases[] = {
        {"lookup_json_string(http.request.headers[\"x-json\"][0], \"e\") eq \"\\xc3\\xa9\\\"\"",
         true},
        {"lookup_json_integer(http.request.headers[\"x-json\"][0], \"n\") eq -7", true},
        {"lookup_json_integer(http.request.headers[\"x-json\"][0], \"l\", 1) eq 2", true},
        {"lookup_json_integer(http.request.headers[\"x-json\"][0], \"l\", 2) eq 2", false},
        {"lookup_json_string(http.request.headers[\"x-json\"][0], \"d\") eq \"last\"", true},
        {"lookup_json_string(http.request.headers[\"x-json\"][0], \"n\") eq \"-7\"", false},
        {"lookup_json_string(http.request.headers[\"x-bad\"][0], \"a\") eq \"1\"", false},
        {"lookup_json_string(http.request.headers[\"x-deep\"][0], 0) eq \"1\"", false},
    };
    struct fixture f;
    fixture_init(&f);
    add(&f.headers, GW_STR("X-Json"),
        GW_STR("{\"e\":\"\\u00e9\\\"\",\"n\":-7,\"l\":[1,2],\"d\":\"first\",\"d\":\"last\"}"));
    add(&f.headers, GW_STR("X-Bad"), GW_STR("{\"a\":\"1\"} trailing"));
    char deep[201];
    memset(deep, '[', 200);
    deep[200] = '\0';
    add(&f.headers, GW_STR("X-Deep"), gw_str_z(deep));
    fixture_check(&f, cases, GW_COUNT(cases));
    fixture_release(&f);
}

static void named_lists(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f);
    struct rules_lists *lists = rules_lists_new();
    static const char *const items[] = {"203.0.113.0/29", "2001:db8::/32", "64500",
                                        "ci.hub-evolution.com"};
    for (size_t i = 0; i < GW_COUNT(items); i++)
        assert_true(rules_lists_add(lists, GW_STR("mixed"), gw_str_z(items[i])));
    assert_false(rules_lists_add(lists, GW_STR("Upper"), GW_STR("x")));
    assert_false(rules_lists_add(lists, GW_STR(".x"), GW_STR("x")));
    f.options.lists = lists;
    static const struct truth cases[] = {
        {"ip.src in $mixed", true},
        {"http.host in $mixed", true},
        {"http.request.method in $mixed", false},
        {"ip.src.asnum in $mixed", true},
        {"cf.edge.server_port in $mixed", false},
        {"ip.src in $cf.open_proxies", false},
    };
    fixture_check(&f, cases, GW_COUNT(cases));
    rules_lists_free(lists);
    fixture_release(&f);
}

static void notes_are_kept(void **state)
{
    (void)state;
    static const struct {
        const char *text, *part, *word;
    } cases[] = {
        {"ssl and http.request.cookies[\"s\"] ne \"\"", "http.request.cookies[\"s\"]",
         "http.request.cookies[\"s\"][0]"},
        {"cf.threat_score eq 0", "cf.threat_score", "not simulated"},
        {"ip.src in $cf.malware", "$cf.malware", "matches nothing"},
    };
    for (size_t i = 0; i < GW_COUNT(cases); i++) {
        struct expr_options options = {.plan = CONFIG_PLAN_ENTERPRISE,
                                       .cookie_array_as_first = true};
        struct expr_error err;
        struct expr *e = expr_compile(gw_str_z(cases[i].text), &options, &err);
        assert_non_null(e);
        size_t count;
        const struct expr_note *notes = expr_notes(e, &count);
        assert_int_equal(count, 1);
        assert_non_null(strstr(notes[0].text, cases[i].word));
        assert_int_equal(notes[0].width, strlen(cases[i].part));
        assert_memory_equal(cases[i].text + notes[0].offset, cases[i].part, notes[0].width);
        expr_free(e);
    }
}

static void cookies_only_are_read_leniently(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f);
    f.options.cookie_array_as_first = true;
    assert_true(fixture_eval(&f, "http.request.cookies[\"theme\"] eq \"dark\""));
    assert_false(fixture_eval(&f, "http.request.cookies[\"none\"] ne \"\""));
    struct expr_error err;
    assert_null(expr_compile(GW_STR("http.request.headers[\"a\"] eq \"b\""), &f.options, &err));
    assert_string_equal(err.reason, "cannot perform this operation on type Array(Bytes)");
    f.options.cookie_array_as_first = false;
    assert_null(expr_compile(GW_STR("http.request.cookies[\"a\"] eq \"b\""), &f.options, &err));
    fixture_release(&f);
}

static void hosts_of_an_expression(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool restricted;
        const char *hosts; /* joined by spaces */
    } cases[] = {
        {"http.host eq \"a\" and ssl", true, "a"},
        {"http.host in {\"b\" \"a\"} and ssl", true, "a b"},
        {"http.host eq \"a\" or http.host eq \"b\" and ssl", true, "a b"},
        {"http.host eq \"a\" or ssl", false, ""},
        {"not http.host eq \"a\"", false, ""},
        {"http.host ne \"a\"", false, ""},
        {"http.host eq \"a\" and http.host eq \"b\"", true, ""},
        {"http.host eq \"a\" and http.host in {\"a\" \"c\"}", true, "a"},
        {"http.host eq \"a\" xor ssl", false, ""},
    };
    for (size_t i = 0; i < GW_COUNT(cases); i++) {
        struct expr_options options = {.plan = CONFIG_PLAN_ENTERPRISE};
        struct expr_error err;
        struct expr *e = expr_compile(gw_str_z(cases[i].text), &options, &err);
        assert_non_null(e);
        const struct gw_str *hosts;
        size_t count;
        struct gw_buf joined;
        gw_buf_init(&joined, 100);
        assert_int_equal(expr_hosts(e, &hosts, &count), cases[i].restricted);
        for (size_t h = 0; h < count; h++)
            gw_buf_printf(&joined, "%s%.*s", h ? " " : "", GW_STR_ARG(hosts[h]));
        assert_true(gw_str_eq(gw_buf_str(&joined), gw_str_z(cases[i].hosts)));
        gw_buf_release(&joined);
        expr_free(e);
    }
}

/* Nothing that a client sends may make an expression slow: every case must end at once, whatever
 * it answers (the test's timeout is the judge, the work allowance the reason). */
static void evaluation_is_bounded(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f);
    enum { SIZE = 128 * 1024 };
    char *long_text = gw_arena_alloc(&f.arena, SIZE);
    for (size_t i = 0; i < SIZE; i++)
        long_text[i] = "a&"[i % 2];
    f.request.query = gw_str(long_text, SIZE);
    char *path = gw_arena_alloc(&f.arena, SIZE);
    memset(path, 'a', SIZE);
    f.request.path = gw_str(path, SIZE);
    add(&f.headers, GW_STR("X-Long"), f.request.path);
    static const char *const texts[] = {
        "http.request.uri.path matches \"(a|b)*c\"",
        "http.request.uri.path matches \"(a+)+$x\"",
        "http.request.uri.path matches \"(a|b)*a[ab]{14}c\"",
        "http.request.uri.path wildcard \"*aaaaaaaaaaaaaaaab*aaaab*\"",
        "http.request.uri.path contains \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab\"",
        "any(lower(http.request.headers.values[*])[*] eq \"\")",
        "any(concat(http.request.uri.args.names[*], http.request.uri.path)[*] eq \"\")",
        "has_value(http.request.uri.args, \"x\")",
        "lookup_json_string(http.request.uri.path, \"a\") eq \"\"",
        "url_decode(http.request.uri.query, \"ru\") eq \"\"",
    };
    for (int round = 0; round < 20; round++) {
        for (size_t i = 0; i < GW_COUNT(texts); i++)
            fixture_eval(&f, texts[i]);
    }
    fixture_release(&f);
}

static void the_deepest_nesting_evaluates(void **state)
{
    (void)state;
    struct fixture f;
    char text[1200];
    size_t len = 0;
    fixture_init(&f);
    for (int i = 0; i < 128; i++, len += 6)
        memcpy(text + len, "lower(", 6);
    len += (size_t)snprintf(text + len, 20, "http.host");
    for (int i = 0; i < 128; i++)
        text[len++] = ')';
    snprintf(text + len, 40, " eq \"ci.hub-evolution.com\"");
    assert_true(fixture_eval(&f, text));
    fixture_release(&f);
}

static void a_full_scratch_arena_reads_as_missing(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f);
    struct gw_arena tiny;
    char block[32];
    gw_arena_init(&tiny, block, sizeof(block), 32);
    f.request.scratch = &tiny;
    assert_true(fixture_eval(&f, "http.host eq \"ci.hub-evolution.com\""));
    assert_false(fixture_eval(&f, "any(http.request.headers.values[*] eq \"Admin\")"));
    assert_false(fixture_eval(&f, "http.request.full_uri contains \"https\""));
    gw_arena_clear(&tiny);
    fixture_release(&f);
}

static void shared_tests_are_asked_once_and_never_stale(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f);
    f.options.share = expr_share_new();
    struct expr_error err;
    const char *text = "ssl and http.cookie contains \"theme\"";
    struct expr *first = expr_compile(gw_str_z(text), &f.options, &err);
    struct expr *second = expr_compile(gw_str_z(text), &f.options, &err);
    expr_share_reset(&f.request);
    assert_true(expr_eval_shared(first, &f.request));
    assert_int_not_equal(f.request.shared_known, 0);
    assert_true(expr_eval_shared(second, &f.request));
    /* Another request with the same view object. */
    f.headers.count = 0;
    rules_request_init(&f.request, &f.arena);
    f.request.https = true;
    assert_false(expr_eval(second, &f.request));
    expr_free(first);
    expr_free(second);
    expr_share_free(f.options.share);
    fixture_release(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values),
        cmocka_unit_test(missing_ne_is_a_setting),
        cmocka_unit_test(several_lines_of_a_header_read_as_one),
        cmocka_unit_test(response_fields),
        cmocka_unit_test(ratelimit_functions),
        cmocka_unit_test(response_functions),
        cmocka_unit_test(json_functions),
        cmocka_unit_test(named_lists),
        cmocka_unit_test(notes_are_kept),
        cmocka_unit_test(cookies_only_are_read_leniently),
        cmocka_unit_test(hosts_of_an_expression),
        cmocka_unit_test(evaluation_is_bounded),
        cmocka_unit_test(the_deepest_nesting_evaluates),
        cmocka_unit_test(a_full_scratch_arena_reads_as_missing),
        cmocka_unit_test(shared_tests_are_asked_once_and_never_stale),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

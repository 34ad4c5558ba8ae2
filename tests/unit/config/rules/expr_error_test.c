/* SPDX-License-Identifier: Apache-2.0 */
/* Refused expressions: the engine's reason, its place, and the words around it. */
#include "tests/unit/config/rules/rules_request_fixture.h"

static struct expr_options options = {.plan = CONFIG_PLAN_ENTERPRISE};

static void refuse(const char *text, struct expr_error *err)
{
    struct expr *e = expr_compile(gw_str_z(text), &options, err);
    if (e)
        fail_msg("%s is accepted", text);
}

static void reasons_and_places(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t offset, width;
        const char *reason;
    } cases[] = {
        {"http.host eq \"a\" garbage", 16, 8, "unrecognised input"},
        {"http.host eq a", 13, 1, "expected 2 characters, but found 1"},
        {"foo.bar eq \"a\"", 0, 7, "unknown identifier"},
        {"http.host = \"a\"", 10, 5, "expected ComparisonOp"},
        {"http..host eq \"a\"", 5, 12, "expected identifier character"},
        {"(http.host eq \"a\"", 17, 0, "expected literal \")\""},
        {"ip.src contains \"203\"", 7, 8, "cannot perform this operation on type Ip"},
        {"http.request.headers[\"a\"][*] eq \"b\"", 0, 35,
         "expected value of type Bool, but got Array<Bool>"},
        {"http.request.headers[0] eq \"b\"", 20, 3,
         "cannot access index ArrayIndex(0) for type Map(Array(Bytes))"},
        {"http.request.headers[\"a\"][-1] eq \"b\"", 26, 2,
         "expected literal \"expected positive integer as index\""},
        {"http.request.headers['a'][0] eq \"b\"", 21, 14,
         "expected literal \"expected quoted utf8 string or positive integer\""},
        {"http.request.headers[\"\\xed\\xa0\\x80\"][0] eq \"b\"", 21, 14,
         "expected literal \"expected quoted utf8 string\""},
        {"http.request.headers[\"\\xe0\\x80\\xaf\"][0] eq \"b\"", 21, 14,
         "expected literal \"expected quoted utf8 string\""},
        {"starts_with(http.host)", 21, 1, "invalid number of arguments"},
        {"starts_with(\"abc\", \"a\")", 12, 5,
         "invalid kind of argument #0: expected argument of kind Field, but got Literal"},
        {"lower(ssl) eq \"a\"", 6, 3,
         "invalid type of argument #0: expected value of type Bytes, but got Bool"},
        {"starts_with(http.host, http.request.headers.names[*])", 23, 29,
         "invalid use of map each access operator"},
        {"any(http.request.headers[\"a\"][*] eq \"b\" or ssl)", 40, 7, "expected literal \")\""},
        {"http.host in {\"a\", \"b\"}", 17, 2,
         "invalid digit found in string while parsing with radix 16"},
        {"http.host eq \"a\\nb\"", 16, 1, "expected \", xHH or OOO after \\"},
        {"http.host eq \"\\400\"", 15, 3,
         "number too large to fit in target type while parsing with radix 8"},
        {"http.host eq r#\"a\"", 14, 4, "could not find an ending quote"},
        {"http.host eq r\'a\'", 14, 3, "expected \" or #"},
        {"http.host matches 5", 18, 1, "expected \" or r"},
        {"http.host eq 47", 15, 0, "expected 1 characters, but found 0"},
        {"http.host eq 47 ", 15, 0, "expected 1 characters, but found 0"},
        {"http.host eq 47x", 15, 1, "expected byte separator"},
        {"len(http.host) eq x", 18, 1, "expected digit"},
        {"len(http.host) eq 08", 18, 2, "invalid digit found in string while parsing with radix 8"},
        {"len(http.host) eq 9223372036854775808", 18, 19,
         "number too large to fit in target type while parsing with radix 10"},
        {"len(http.host) in {9..3}", 19, 4, "incompatible range bounds"},
        {"ip.src eq x", 10, 1, "expected IP address character"},
        {"ip.src in {203.0.113.7/24}", 11, 11, "host part of address was not zero"},
        {"ip.src in {203.0.113.0/33}", 11, 14,
         "invalid length for network: Network length 33 is too long for Ipv4 (maximum: 32)"},
        {"ip.src in {300.1.1.1}", 11, 9,
         "couldn't parse address in network: invalid IP address syntax"},
        {"ip.src in $Office", 11, 6, "invalid list name \"Office\""},
        {"ip.src in $office", 11, 6, "list \"office\" is not defined"},
        {"http.host wildcard \"a**b\"", 19, 6, "wildcard contains a double star"},
        {"http.host wildcard r\"a\\qb\"", 19, 7,
         "invalid wildcard: wildcard syntax error at position 1: invalid escape sequence"},
        {"http.host matches \"(\"", 18, 3,
         "regex parse error:\n    (\n    ^\nerror: unclosed group"},
        {"to_string(ssl) eq \"a\"", 0, 9,
         "function to_string is not available in this phase: it belongs to rewrite and redirect "
         "expressions"},
        {"cidr(ip.src, 24, 64) eq 1.2.3.0", 0, 4,
         "function cidr is not available in this phase: it belongs to rate limiting rules"},
        {"http.response.code eq 200", 0, 18,
         "field http.response.code is available in response phases and counting expressions only"},
        {"http.host eq len(http.host)", 13, 14, "expected value of type Bytes, but got Int"},
        {"ssl xor any(http.request.headers.names[*] eq \"a\") and (http.request.headers.names[*] "
         "eq \"b\")",
         92, 0, "expected value of type Bool, but got Array<Bool>"},
    };
    for (size_t i = 0; i < GW_COUNT(cases); i++) {
        struct expr_error err;
        refuse(cases[i].text, &err);
        if (strcmp(err.reason, cases[i].reason) != 0)
            fail_msg("%s: %s", cases[i].text, err.reason);
        if (err.offset != cases[i].offset || err.width != cases[i].width)
            fail_msg("%s: at %zu, %zu wide", cases[i].text, err.offset, err.width);
        assert_int_equal(err.kind, EXPR_UNPARSABLE);
        assert_int_equal(expr_error_code(&err), 20127);
    }
}

static void nesting_is_limited(void **state)
{
    (void)state;
    char text[600];
    for (int depth = 128; depth <= 129; depth++) {
        memset(text, '(', (size_t)depth);
        memcpy(text + depth, "ssl", 3);
        memset(text + depth + 3, ')', (size_t)depth);
        struct expr_error err;
        struct expr *e = expr_compile(gw_str(text, 2u * (size_t)depth + 3), &options, &err);
        assert_int_equal(e != NULL, depth == 128);
        expr_free(e);
        if (depth == 129) {
            assert_string_equal(err.reason, "maximum nesting depth exceeded (limit: 128)");
            assert_int_equal(err.offset, 128);
        }
    }
    size_t len = 0;
    for (int i = 0; i < 129; i++, len += 4)
        memcpy(text + len, "not ", 4);
    memcpy(text + len, "ssl", 3);
    struct expr_error err;
    assert_null(expr_compile(gw_str(text, len + 3), &options, &err));
}

static void messages_of_the_api(void **state)
{
    (void)state;
    static const struct {
        const char *text, *message;
        int code;
    } cases[] = {
        {"  ", "'' is not a valid value for expression because the expression cannot be blank",
         20125},
        {"ssl and foo",
         "'ssl and foo' is not a valid value for expression because could not parse filter "
         "expression: Filter parsing error (1:9):\nssl and foo\n        ^^^ unknown identifier\n",
         20127},
        {"ssl and\n  foo or",
         "'ssl and\n  foo or' is not a valid value for expression because could not parse filter "
         "expression: Filter parsing error (2:3):\n  foo or\n  ^^^ unknown identifier\n",
         20127},
        {"(ssl\n",
         "'(ssl\n' is not a valid value for expression because could not parse filter expression: "
         "Filter parsing error (1:5):\n(ssl\n    ^ expected literal \")\"\n",
         20127},
    };
    for (size_t i = 0; i < GW_COUNT(cases); i++) {
        struct expr_error err;
        struct gw_buf out;
        gw_buf_init(&out, 10000);
        refuse(cases[i].text, &err);
        expr_error_message(&err, gw_str_z(cases[i].text), "expression", &out);
        gw_buf_char(&out, '\0');
        assert_string_equal(out.data, cases[i].message);
        assert_int_equal(expr_error_code(&err), cases[i].code);
        gw_buf_release(&out);
    }
}

static void too_long(void **state)
{
    (void)state;
    char text[4200];
    memset(text, ' ', sizeof(text));
    memcpy(text, "ssl", 3);
    struct expr_error err;
    assert_null(expr_compile(gw_str(text, 4097), &options, &err));
    assert_int_equal(err.kind, EXPR_TOO_LONG);
    assert_string_equal(err.reason, "expression size 4097 exceeded maximum 4096");
    struct expr *e = expr_compile(gw_str(text, 4096), &options, &err);
    assert_non_null(e);
    expr_free(e);
}

static void regexes_are_counted(void **state)
{
    (void)state;
    struct gw_buf text;
    gw_buf_init(&text, 10000);
    for (int i = 0; i < 65; i++)
        gw_buf_printf(&text, "%shttp.host matches \"a\"", i ? " or " : "");
    struct expr_error err;
    assert_null(expr_compile(gw_buf_str(&text), &options, &err));
    assert_string_equal(err.reason, "exceeded maximum number of regular expressions (64)");
    gw_buf_release(&text);
}

static void entitlements(void **state)
{
    (void)state;
    static const struct {
        enum config_plan plan;
        enum rules_phase phase;
        const char *text;
        const char *reason; /* NULL: allowed */
    } cases[] = {
        {CONFIG_PLAN_FREE, RULES_CACHE_REQUEST, "http.host matches \"a\"",
         "not entitled: the use of operator Matches is not allowed, a Business plan or a WAF "
         "Advanced plan is required"},
        {CONFIG_PLAN_PRO, RULES_CACHE_REQUEST, "http.host matches \"a\"",
         "not entitled: the use of operator Matches is not allowed, a Business plan or a WAF "
         "Advanced plan is required"},
        {CONFIG_PLAN_BUSINESS, RULES_CACHE_REQUEST, "http.host matches \"a\"", NULL},
        {CONFIG_PLAN_FREE, RULES_CACHE_REQUEST, "http.request.cookies[\"a\"][0] eq \"b\"",
         "not entitled: the use of field http.request.cookies is not allowed, a Pro plan is "
         "required"},
        {CONFIG_PLAN_PRO, RULES_CACHE_REQUEST, "http.request.cookies[\"a\"][0] eq \"b\"", NULL},
        {CONFIG_PLAN_FREE, RULES_RATELIMIT, "http.request.uri.path eq \"/\"", NULL},
        {CONFIG_PLAN_FREE, RULES_RATELIMIT, "http.host eq \"a\"",
         "not entitled: the use of field http.host is not allowed, an higher Advanced Rate "
         "Limiting plan is required"},
        {CONFIG_PLAN_BUSINESS, RULES_RATELIMIT, "http.request.uri.path matches \"a\"",
         "not entitled: the use of operator Matches is not allowed, an Advanced Rate Limiting plan "
         "is required"},
        {CONFIG_PLAN_FREE, RULES_CACHE_REQUEST, "http.host in {\"a\"} and len(http.host) gt 1",
         NULL},
        /* What does not parse is reported first. */
        {CONFIG_PLAN_FREE, RULES_CACHE_REQUEST, "http.host matches \"a\" and foo",
         "unknown identifier"},
    };
    for (size_t i = 0; i < GW_COUNT(cases); i++) {
        struct expr_options o = {.plan = cases[i].plan, .phase = cases[i].phase};
        struct expr_error err = {.reason = ""};
        struct expr *e = expr_compile(gw_str_z(cases[i].text), &o, &err);
        assert_int_equal(e == NULL, cases[i].reason != NULL);
        if (cases[i].reason)
            assert_string_equal(err.reason, cases[i].reason);
        expr_free(e);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reasons_and_places),  cmocka_unit_test(nesting_is_limited),
        cmocka_unit_test(messages_of_the_api), cmocka_unit_test(too_long),
        cmocka_unit_test(regexes_are_counted), cmocka_unit_test(entitlements),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

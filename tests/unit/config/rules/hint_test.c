/* SPDX-License-Identifier: Apache-2.0 */
#include "config/rules/hint.h"

#include "tests/unit/config/rules/rules_request_fixture.h"

static void test_hints(void **state)
{
    (void)state;
    static const struct {
        const char *text, *hint;
    } cases[] = {
        {"http.request.uri.pth eq \"/a\"", "; did you mean http.request.uri.path?"},
        {"http.hots eq \"a\"", "; did you mean http.host?"},
        {"startswith(http.host, \"a\")", "; did you mean starts_with?"},
        {"foo.bar eq \"a\"", ""},
        {"http.host eq 'a.com'", "; a string stands in double quotes, as \"text\""},
        {"http.request.method eq GET", "; a string stands in double quotes, as \"text\""},
        {"http.host eq ab.com", "; a string stands in double quotes, as \"text\""},
        {"http.host in {\"a\", \"b\"}", "; the values of a set stand side by side, without commas"},
        {"http.host eq \"\\xzz\"", ""},
        {"http.host = \"a\"", "; write eq or =="},
        {"http.host is \"a\"", "; write eq, ne, contains, matches, wildcard, in, lt, gt, le or ge"},
        {"http.request.headers[\"x\"] eq \"1\"",
         "; a name may occur several times: compare its first value with [0], or any of them with "
         "any(...[*] ...)"},
        {"(http.host eq \"a\"", ""},
    };
    for (size_t i = 0; i < GW_COUNT(cases); i++) {
        const struct expr_options options = {.phase = RULES_CACHE_REQUEST,
                                             .plan = CONFIG_PLAN_ENTERPRISE};
        struct gw_str text = gw_str_z(cases[i].text);
        struct expr_error err;
        struct gw_buf out;
        struct expr *e = expr_compile(text, &options, &err);
        assert_null(e);
        gw_buf_init(&out, 4096);
        expr_hint(&err, text, &out);
        if (!gw_str_eq(gw_buf_str(&out), gw_str_z(cases[i].hint)))
            fail_msg("%s: %s: %.*s", cases[i].text, err.reason, GW_STR_ARG(gw_buf_str(&out)));
        gw_buf_release(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_hints)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

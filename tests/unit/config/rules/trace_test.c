/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/config/rules/rules_request_fixture.h"

/* One line a step: indentation, text, = value, ! when it decided, and the left side. */
static void write_step(void *ctx, const struct expr_step *step)
{
    struct gw_buf *out = ctx;
    gw_buf_printf(out, "%*s%.*s = %s%s", (int)step->depth, "", GW_STR_ARG(step->text),
                  step->value ? "true" : "false", step->decided ? "!" : "");
    if (step->comparison)
        gw_buf_printf(out, " %.*s", GW_STR_ARG(step->left));
    gw_buf_char(out, '\n');
}

static const struct {
    const char *text;
    bool value;
    const char *steps;
} cases[] = {
    {"ssl and http.host eq \"b\" and http.request.method eq \"POST\"", false,
     "ssl and http.host eq \"b\" and http.request.method eq \"POST\" = false!\n"
     " ssl = true true\n"
     " http.host eq \"b\" = false! \"ci.hub-evolution.com\"\n"
     " http.request.method eq \"POST\" = false \"GET\"\n"},
    {"ssl and not (http.host eq \"b\" or http.request.headers[\"x\"][0] eq \"1\")", true,
     "ssl and not (http.host eq \"b\" or http.request.headers[\"x\"][0] eq \"1\") = true!\n"
     " ssl = true! true\n"
     " not (http.host eq \"b\" or http.request.headers[\"x\"][0] eq \"1\") = true!\n"
     "  (http.host eq \"b\" or http.request.headers[\"x\"][0] eq \"1\") = false!\n"
     "   http.host eq \"b\" = false! \"ci.hub-evolution.com\"\n"
     "   http.request.headers[\"x\"][0] eq \"1\" = false! (missing)\n"},
    {"any(http.request.headers[\"x-role\"][*] eq \"Admin\")", true,
     "any(http.request.headers[\"x-role\"][*] eq \"Admin\") = true! true\n"
     " http.request.headers[\"x-role\"][*] eq \"Admin\" = true! [\"user\", \"Admin\"]\n"},
    {"http.request.method eq \"GET\" or ssl", true,
     "http.request.method eq \"GET\" or ssl = true!\n"
     " http.request.method eq \"GET\" = true! \"GET\"\n"
     " ssl = true true\n"},
};

static void steps_and_what_decided(void **state)
{
    (void)state;
    for (size_t i = 0; i < GW_COUNT(cases); i++) {
        struct fixture f;
        struct expr_error err;
        struct gw_buf out;
        fixture_init(&f);
        gw_buf_init(&out, 10000);
        struct expr *e = expr_compile(gw_str_z(cases[i].text), &f.options, &err);
        assert_non_null(e);
        assert_int_equal(expr_trace(e, &f.request, write_step, &out), cases[i].value);
        gw_buf_char(&out, '\0');
        assert_string_equal(out.data, cases[i].steps);
        expr_free(e);
        gw_buf_release(&out);
        fixture_release(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(steps_and_what_decided)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

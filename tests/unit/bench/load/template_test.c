/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bench/load/template.h"

static struct gw_rng rng;
static const struct template_values values = {.n = 42,
                                              .identity = 7,
                                              .isolate = 1,
                                              .seed = 9,
                                              .length = 5,
                                              .ip = {"203.0.113.7", 11},
                                              .edge = {"FRA", 3},
                                              .rng = &rng};

static void render(const char *text, char *out, size_t size)
{
    struct template t;
    struct template_mistake m;
    struct gw_buf b = gw_buf_over(out, size);
    template_init(&t, 4096);
    assert_true(template_add(&t, gw_str_z(text), &m));
    template_render(&t, &values, &b);
    out[b.len] = 0;
    template_release(&t);
}

static void test_variables(void **state)
{
    static const struct {
        const char *text, *rendered;
    } cases[] = {{"", ""},
                 {"plain", "plain"},
                 {"${n}", "42"},
                 {"a${n}b${identity}c", "a42b7c"},
                 {"${ip}@${edge}/${isolate}", "203.0.113.7@FRA/1"},
                 {"$${n}", "${n}"},
                 {"100$", "100$"},
                 {"{n}", "{n}"},
                 {"${random:5-5}", "5"},
                 {"x$${", "x${"},
                 {"${env:LOAD_TEST_WORD}", "moin"}};
    char out[256];
    (void)state;
    setenv("LOAD_TEST_WORD", "moin", 1);
    for (size_t i = 0; i < GW_COUNT(cases); i++) {
        render(cases[i].text, out, sizeof(out));
        assert_string_equal(out, cases[i].rendered);
    }
}

static void test_random_values_keep_to_their_form(void **state)
{
    char out[256], again[256];
    (void)state;
    for (uint64_t seed = 0; seed < 200; seed++) {
        rng.state = seed;
        render("${random:10-12}", out, sizeof(out));
        assert_true(!strcmp(out, "10") || !strcmp(out, "11") || !strcmp(out, "12"));
        render("${random:red|green|blue}", out, sizeof(out));
        assert_true(!strcmp(out, "red") || !strcmp(out, "green") || !strcmp(out, "blue"));
        render("${random:hex:21}", out, sizeof(out));
        assert_int_equal(strlen(out), 21);
        assert_int_equal(strspn(out, "0123456789abcdef"), 21);
        render("${random:uuid}", out, sizeof(out));
        assert_int_equal(strlen(out), 36);
        assert_true(out[14] == '4' && strchr("89ab", out[19]) && out[8] == '-' && out[23] == '-');
    }
    rng.state = 5;
    render("${random:hex:16}", out, sizeof(out));
    rng.state = 5;
    render("${random:hex:16}", again, sizeof(again));
    assert_string_equal(out, again);
}

static void test_mistakes_say_where(void **state)
{
    static const struct {
        const char *text;
        size_t at, width;
        const char *says;
    } cases[] = {{"ab${identiy}", 2, 10, "did you mean \"identity\""},
                 {"${n", 0, 2, "without"},
                 {"${random:9-1}", 0, 13, "1-100"},
                 {"${random:hex:0}", 0, 15, "digits"},
                 {"${env:LOAD_TEST_NOT_THERE}", 0, 26, "environment"},
                 {"${env:LOAD_TEST_LINES}", 0, 22, "control"}};
    (void)state;
    setenv("LOAD_TEST_LINES", "a\r\nb", 1);
    for (size_t i = 0; i < GW_COUNT(cases); i++) {
        struct template t;
        struct template_mistake m = {0};
        template_init(&t, 4096);
        assert_false(template_add(&t, gw_str_z(cases[i].text), &m));
        assert_int_equal(m.at, cases[i].at);
        assert_int_equal(m.width, cases[i].width);
        assert_non_null(strstr(m.text, cases[i].says));
        template_release(&t);
    }
}

/* The token is the identity's own and stays the same. */
static void test_csrf_tokens(void **state)
{
    char a[64], b[64];
    (void)state;
    render("${csrf}", a, sizeof(a));
    render("${csrf}", b, sizeof(b));
    assert_string_equal(a, b);
    assert_int_equal(strlen(a), 32);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_variables), cmocka_unit_test(test_random_values_keep_to_their_form),
        cmocka_unit_test(test_mistakes_say_where), cmocka_unit_test(test_csrf_tokens)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

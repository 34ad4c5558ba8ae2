/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "gateway/rule_tests.h"

#define FILE_NAME SOURCE_DIR "/config/hub-evolution/tests/x.test.json"
#define HEAD      "{\"config\":\"../nearedge.json\",\"cases\":"
#define LOGIN     "\"request\":{\"url\":\"https://ci.hub-evolution.com/en/login\"}"

static struct rule_tests *run(const char *text, struct gw_diags *problems, bool *bad_config)
{
    const struct gw_source source = {FILE_NAME, gw_str_z(text)};
    struct json_doc *doc = json_parse(&source, problems);
    assert_non_null(doc);
    return rule_tests_run(doc, problems, bad_config);
}

/* Errors among the warnings about the configuration. */
static void test_shapes(void **state)
{
    static const struct {
        const char *text;
        bool runs, bad_config;
    } cases[] = {
        {HEAD "[{\"name\":\"a\"," LOGIN ",\"expect\":{\"rules\":[2]}}]}", true, false},
        {HEAD "[]}", false, false},
        {HEAD "{}}", false, false},
        {HEAD "[1]}", false, false},
        {HEAD "[{" LOGIN ",\"expect\":{}}]}", false, false},
        {HEAD "[{\"name\":\"a\",\"expect\":{}}]}", false, false},
        {HEAD "[{\"name\":\"a\"," LOGIN ",\"expect\":[]}]}", false, false},
        {HEAD "[{\"name\":\"a\"," LOGIN ",\"expect\":{},\"x\":1}]}", false, false},
        {"{\"config\":\"missing.json\",\"cases\":[{\"name\":\"a\"," LOGIN
         ",\"expect\":{\"rules\":[]}}]}",
         false, false},
        {"{\"config\":\"../limiters.json\",\"cases\":[{\"name\":\"a\"," LOGIN
         ",\"expect\":{\"rules\":[]}}]}",
         false, true},
        {"{\"rules\":\"../limiters.json\",\"cases\":[{\"name\":\"a\"," LOGIN
         ",\"expect\":{\"rules\":[]}}]}",
         false, true},
    };
    (void)state;
    for (size_t i = 0; i < GW_COUNT(cases); i++) {
        struct gw_diags problems;
        bool bad_config;
        gw_diags_init(&problems);
        struct rule_tests *t = run(cases[i].text, &problems, &bad_config);
        if ((t != NULL) != cases[i].runs || bad_config != cases[i].bad_config ||
            (problems.errors == 0) != cases[i].runs)
            fail_msg("%s", cases[i].text);
        rule_tests_free(t);
        gw_diags_release(&problems);
    }
}

static void test_run(void **state)
{
    static const char text[] =
        HEAD "[{\"name\":\"good\"," LOGIN ",\"expect\":{\"rules\":[2]}},"
             "{\"name\":\"bad\"," LOGIN ",\"expect\":{\"rules\":[1,3],\"cache\":\"eligible\"}}]}";
    struct gw_diags problems;
    bool bad_config;
    (void)state;
    gw_diags_init(&problems);
    struct rule_tests *t = run(text, &problems, &bad_config);
    assert_non_null(t);
    assert_int_equal(t->passed, 1);
    assert_int_equal(t->failed, 1);
    assert_int_equal(t->case_count, 2);
    assert_int_equal(t->cases[0].failures, 0);
    assert_int_equal(t->cases[1].failures, 3);
    assert_int_equal(t->failures.errors, 3);
    assert_non_null(strstr(t->failures.items[0].message, "bad: rule 1"));
    assert_true(t->failures.items[0].line == 1 && t->failures.items[0].column > 100);
    assert_int_equal(t->rule_count, 4);
    assert_int_equal(t->rules_matched, 1);
    assert_int_equal(t->rules[1].matches, 2);
    rule_tests_free(t);
    gw_diags_release(&problems);
}

static void test_fits(void **state)
{
    static const struct {
        const char *text;
        bool want;
    } cases[] = {{"{\"cases\":[]}", true}, {"[]", false}, {"{}", false}, {"{\"rules\":[]}", false}};
    (void)state;
    for (size_t i = 0; i < GW_COUNT(cases); i++) {
        const struct gw_source source = {"x", gw_str_z(cases[i].text)};
        struct gw_diags diags;
        gw_diags_init(&diags);
        struct json_doc *doc = json_parse(&source, &diags);
        assert_int_equal(rule_tests_fits(doc), cases[i].want);
        json_doc_free(doc);
        gw_diags_release(&diags);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_shapes), cmocka_unit_test(test_run),
                                       cmocka_unit_test(test_fits)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

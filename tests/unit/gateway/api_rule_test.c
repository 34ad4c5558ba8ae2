/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/api_rule.h"

#define ID   "\"id\":\"i\",\"last_updated\":\"t\""
#define TAIL "\"ref\":\"r\",\"version\":\"7\"}"

/* What is read is written in alphabetical order, and nothing in it is touched but null. */
static void test_round_trip(void **state)
{
    static const struct {
        const char *in, *out;
    } cases[] = {
        {"{}", "{\"enabled\":true," ID "," TAIL},
        {"{\"expression\":\"a\\nb\",\"action\":\"x\",\"enabled\":false,\"position\":{},\"id\":"
         "\"z\"}",
         "{\"action\":\"x\",\"enabled\":false,\"expression\":\"a\\u000ab\"," ID "," TAIL},
        {"{\"action_parameters\":{\"z\":null,\"b\":{\"c\":{},\"d\":[null,{\"e\":null}]},\"a\":1.50}"
         "}",
         "{\"action_parameters\":{\"b\":{\"c\":{},\"d\":[null,{}]},\"a\":1.5},\"enabled\":true," ID
         "," TAIL},
        {"{\"description\":null,\"logging\":null,\"enabled\":null}",
         "{\"enabled\":true," ID "," TAIL},
        {"{\"action\":\"skip\"}",
         "{\"action\":\"skip\",\"enabled\":true," ID ",\"logging\":{\"enabled\":true}," TAIL},
        {"{\"action\":\"skip\",\"logging\":{\"enabled\":false}}",
         "{\"action\":\"skip\",\"enabled\":true," ID ",\"logging\":{\"enabled\":false}," TAIL},
        {"{\"ratelimit\":{}}",
         "{\"enabled\":true," ID ",\"ratelimit\":{\"mitigation_timeout\":0,\"requests_to_origin\":"
         "false}," TAIL},
        {"{\"ratelimit\":{\"period\":10,\"mitigation_timeout\":5}}",
         "{\"enabled\":true," ID ",\"ratelimit\":{\"period\":10,\"mitigation_timeout\":5,"
         "\"requests_to_origin\":false}," TAIL},
        {"{\"expression\":5}", "{\"enabled\":true,\"expression\":5," ID "," TAIL},
    };
    (void)state;
    for (size_t i = 0; i < GW_COUNT(cases); i++) {
        const struct gw_source source = {"test", gw_str_z(cases[i].in)};
        struct gw_diags diags;
        struct gw_arena arena;
        struct gw_buf out;
        struct api_rule rule = {
            .id = GW_STR("i"), .ref = GW_STR("r"), .last_updated = GW_STR("t"), .version = 7};
        gw_diags_init(&diags);
        gw_arena_init(&arena, NULL, 0, 0);
        gw_buf_init(&out, 4096);
        struct json_doc *doc = json_parse(&source, &diags);
        assert_true(api_definition_read(json_root(doc), &arena, &rule.definition));
        json_doc_free(doc); /* nothing points into it */
        struct api_rule copy = api_rule_copy(&rule, &arena);
        assert_true(api_definition_eq(&copy.definition, &rule.definition));
        api_rule_write(&copy, &out);
        gw_buf_char(&out, '\0');
        assert_string_equal(out.data, cases[i].out);
        gw_buf_release(&out);
        gw_arena_clear(&arena);
        gw_diags_release(&diags);
    }
}

static void test_too_large(void **state)
{
    struct gw_buf text;
    struct gw_diags diags;
    struct gw_arena arena;
    struct api_definition definition;
    (void)state;
    gw_buf_init(&text, 2 * API_RULE_MAX);
    gw_diags_init(&diags);
    gw_arena_init(&arena, NULL, 0, 0);
    gw_buf_add(&text, GW_STR("{\"description\":\""));
    while (text.len < API_RULE_MAX + 100)
        gw_buf_char(&text, 'x');
    gw_buf_add(&text, GW_STR("\"}"));
    const struct gw_source source = {"test", gw_buf_str(&text)};
    struct json_doc *doc = json_parse(&source, &diags);
    assert_non_null(doc);
    assert_false(api_definition_read(json_root(doc), &arena, &definition));
    json_doc_free(doc);
    gw_arena_clear(&arena);
    gw_diags_release(&diags);
    gw_buf_release(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_round_trip),
                                       cmocka_unit_test(test_too_large)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

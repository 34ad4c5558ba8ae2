/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/api_draft.h"

#define EPOCH "1970-01-01T00:00:00.000000Z"

struct fixture {
    struct gw_arena arena;
    struct api_problems problems;
    struct json_doc *doc;
    struct api_draft draft;
};

static const struct json *parse(struct fixture *f, const char *text)
{
    const struct gw_source source = {"test", gw_str_z(text)};
    struct gw_diags diags;
    gw_diags_init(&diags);
    json_doc_free(f->doc);
    f->doc = json_parse(&source, &diags);
    gw_diags_release(&diags);
    assert_non_null(f->doc);
    return json_root(f->doc);
}

/* Rules a, b and c: ids of 32 letters, refs of one. */
static struct api_rule rules[] = {
    {.id = GW_STR("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"), .ref = GW_STR("a")},
    {.id = GW_STR("bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"), .ref = GW_STR("b")},
    {.id = GW_STR("cccccccccccccccccccccccccccccccc"), .ref = GW_STR("c")},
};

static void setup(struct fixture *f)
{
    *f = (struct fixture){0};
    gw_arena_init(&f->arena, NULL, 0, 0);
    api_problems_init(&f->problems);
    for (size_t i = 0; i < GW_COUNT(rules); i++) {
        rules[i].version = 1;
        rules[i].last_updated = GW_STR("old");
        rules[i].definition = (struct api_definition){
            .text = {[API_RULE_EXPRESSION] = GW_STR("\"x\""), [API_RULE_ENABLED] = GW_STR("true")}};
    }
    const struct api_version current = {.rules = rules, .count = GW_COUNT(rules)};
    api_draft_init(&f->draft, &f->arena, &current, 0, &f->problems);
}

static void teardown(struct fixture *f)
{
    json_doc_free(f->doc);
    api_problems_release(&f->problems);
    gw_arena_clear(&f->arena);
}

/* '?' for a fresh id: 32 random digits, not one of them 32 times. */
static char letter_of(struct gw_str id)
{
    for (size_t i = 1; i < id.len; i++)
        if (id.ptr[i] != id.ptr[0])
            return '?';
    return id.ptr[0];
}

/* One letter a rule. */
static const char *order(const struct fixture *f)
{
    static char text[16];
    size_t i = 0;
    for (; i < f->draft.count; i++)
        text[i] = letter_of(f->draft.rules[i].id);
    text[i] = '\0';
    return text;
}

static void test_replace(void **state)
{
    static const struct {
        const char *rules, *order, *versions, *refs; /* NULL order: refused */
    } cases[] = {
        {"[]", "", "", ""},
        {"[{\"id\":\"cccccccccccccccccccccccccccccccc\",\"expression\":\"x\"},"
         "{\"ref\":\"a\",\"expression\":\"y\"}]",
         "ca", "12", "ca"},
        {"[{\"id\":\"dddddddddddddddddddddddddddddddd\",\"ref\":\"b\",\"expression\":\"x\"}]", "b",
         "1", "b"},
        {"[{\"id\":\"dddddddddddddddddddddddddddddddd\",\"ref\":\"d\",\"expression\":\"x\"}]", "d",
         "1", "d"},
        {"[{\"id\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\",\"ref\":\"n\",\"expression\":\"x\","
         "\"enabled\":true,\"version\":\"9\",\"last_updated\":\"never\",\"description\":null}]",
         "a", "2", "n"},
        {"[{\"id\":null,\"ref\":\"b\",\"expression\":\"x\"}]", "b", "1", "b"},
        {"[{\"id\":\"short\"}]", NULL, NULL, NULL},
        {"[{\"ref\":\"\"}]", NULL, NULL, NULL},
        {"[{\"ref\":5}]", NULL, NULL, NULL},
        {"[{\"position\":{\"index\":1}}]", NULL, NULL, NULL},
        {"[{\"nothing\":1}]", NULL, NULL, NULL},
        {"[5]", NULL, NULL, NULL},
        {"{}", NULL, NULL, NULL},
    };
    (void)state;
    for (size_t i = 0; i < GW_COUNT(cases); i++) {
        struct fixture f;
        setup(&f);
        bool ok = api_draft_replace(&f.draft, parse(&f, cases[i].rules));
        if (ok != (cases[i].order != NULL) || ok != (f.problems.count == 0))
            fail_msg("%s", cases[i].rules);
        if (ok)
            assert_string_equal(order(&f), cases[i].order);
        for (size_t n = 0; ok && n < f.draft.count; n++) {
            const struct api_rule *rule = &f.draft.rules[n];
            assert_int_equal(rule->version, cases[i].versions[n] - '0');
            assert_int_equal(rule->ref.ptr[0], cases[i].refs[n]);
            bool old = gw_str_eq(rule->last_updated, GW_STR("old"));
            assert_true(old || gw_str_eq(rule->last_updated, GW_STR(EPOCH)));
            assert_true(rule->version == 1 || !old);
        }
        teardown(&f);
    }
}

static void test_new_rules_get_fresh_ids(void **state)
{
    struct fixture f;
    (void)state;
    setup(&f);
    assert_true(api_draft_replace(&f.draft, parse(&f, "[{},{}]")));
    for (size_t i = 0; i < 2; i++) {
        assert_true(api_is_id(f.draft.rules[i].id));
        assert_true(gw_str_eq(f.draft.rules[i].id, f.draft.rules[i].ref));
        assert_true(gw_str_eq(f.draft.rules[i].last_updated, GW_STR(EPOCH)));
    }
    assert_false(gw_str_eq(f.draft.rules[0].id, f.draft.rules[1].id));
    teardown(&f);
}

#define B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

static void test_positions(void **state)
{
    static const struct {
        const char *position, *add, *move_a; /* NULL: refused */
    } cases[] = {
        {"null", "abc?", "abc"},
        {"{\"before\":\"\"}", "?abc", "abc"},
        {"{\"after\":\"\"}", "abc?", "bca"},
        {"{\"before\":\"" B "\"}", "a?bc", "abc"},
        {"{\"after\":\"" B "\"}", "ab?c", "bac"},
        {"{\"index\":1}", "?abc", "abc"},
        {"{\"index\":2}", "a?bc", "bac"},
        {"{\"index\":3}", "ab?c", "bca"},
        {"{\"index\":4}", "abc?", NULL},
        {"{\"index\":5}", NULL, NULL},
        {"{\"index\":0}", NULL, NULL},
        {"{\"index\":\"1\"}", NULL, NULL},
        {"{\"before\":\"\",\"index\":1}", NULL, NULL},
        {"{\"before\":\"nobody\"}", NULL, NULL},
        {"{\"before\":7}", NULL, NULL},
        {"{\"beside\":\"\"}", NULL, NULL},
        {"{}", NULL, NULL},
        {"[]", NULL, NULL},
    };
    (void)state;
    for (size_t i = 0; i < 2 * GW_COUNT(cases); i++) {
        bool add = i % 2;
        const char *wanted = add ? cases[i / 2].add : cases[i / 2].move_a;
        struct fixture f;
        char body[256];
        size_t index = 0;
        setup(&f);
        snprintf(body, sizeof(body), "{\"position\":%s}", cases[i / 2].position);
        const struct json *rule = parse(&f, body);
        bool ok =
            add ? api_draft_add(&f.draft, rule, &index) : api_draft_change(&f.draft, rule, &index);
        if (ok != (wanted != NULL) || (ok && strcmp(order(&f), wanted) != 0))
            fail_msg("%s of %s: %s", add ? "add" : "move", body, ok ? order(&f) : "refused");
        if (ok)
            assert_int_equal(order(&f)[index], add ? '?' : 'a');
        if (ok && !add) { /* moving is no change of the rule */
            assert_int_equal(f.draft.rules[index].version, 1);
            assert_true(gw_str_eq(f.draft.rules[index].definition.text[API_RULE_EXPRESSION],
                                  GW_STR("\"x\"")));
        }
        teardown(&f);
    }
}

static void test_change_replaces(void **state)
{
    struct fixture f;
    size_t index = 1;
    (void)state;
    setup(&f);
    rules[1].definition.text[API_RULE_DESCRIPTION] = GW_STR("\"d\"");
    assert_true(api_draft_change(&f.draft, parse(&f, "{\"expression\":\"z\"}"), &index));
    const struct api_rule *rule = &f.draft.rules[1];
    assert_string_equal(order(&f), "abc");
    assert_int_equal(rule->version, 2);
    assert_true(gw_str_eq(rule->ref, GW_STR("b")));
    assert_int_equal(rule->definition.text[API_RULE_DESCRIPTION].len, 0);
    assert_true(gw_str_eq(rule->definition.text[API_RULE_ENABLED], GW_STR("true")));
    assert_false(api_draft_change(
        &f.draft, parse(&f, "{\"id\":\"dddddddddddddddddddddddddddddddd\"}"), &index));
    teardown(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_replace), cmocka_unit_test(test_new_rules_get_fresh_ids),
        cmocka_unit_test(test_positions), cmocka_unit_test(test_change_replaces)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

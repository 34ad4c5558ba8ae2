/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/api_rulesets_store.h"

static const struct api_ruleset cache = {
    .id = GW_STR("c"), .name = GW_STR("default"), .phase = GW_STR("http_request_cache_settings")};
static const struct api_ruleset limit = {
    .id = GW_STR("l"), .name = GW_STR("default"), .phase = GW_STR("http_ratelimit")};

/* The set with one more version; the set that was given is let go. */
static struct api_rulesets *with(struct api_rulesets *set, const struct api_ruleset *head,
                                 uint64_t number, size_t description)
{
    char *text = gw_zalloc(description + 1);
    memset(text, 'x', description);
    const struct api_version like = {.number = number, .description = gw_str(text, description)};
    struct api_version *version = api_version_new(&like);
    struct api_rulesets *next = api_rulesets_with(set, head, version);
    api_version_unref(version);
    api_rulesets_unref(set);
    free(text);
    return next;
}

static void test_sets_are_immutable(void **state)
{
    (void)state;
    struct api_rulesets *empty = api_rulesets_new();
    struct api_rulesets *one = with(api_rulesets_ref(empty), &cache, 1, 0);
    struct api_rulesets *two = with(api_rulesets_ref(one), &cache, 2, 0);
    struct api_rulesets *both = with(api_rulesets_ref(two), &limit, 1, 0);
    struct api_rulesets *less = api_rulesets_without(both, api_ruleset_find(both, cache.id));
    struct api_rulesets *gap =
        api_rulesets_without_version(two, api_ruleset_find(two, cache.id), 1);
    assert_int_equal(empty->count, 0);
    assert_int_equal(api_ruleset_find(one, cache.id)->count, 1);
    assert_int_equal(api_ruleset_find(two, cache.id)->count, 2);
    assert_int_equal(api_newest(api_ruleset_of_phase(both, cache.phase))->number, 2);
    assert_null(api_ruleset_find(less, cache.id));
    assert_non_null(api_ruleset_of_phase(less, limit.phase));
    assert_null(api_ruleset_version(api_ruleset_find(gap, cache.id), 1));
    assert_non_null(api_ruleset_version(api_ruleset_find(gap, cache.id), 2));
    assert_non_null(api_ruleset_version(api_ruleset_find(two, cache.id), 1));
    struct api_rulesets *all[] = {empty, one, two, both, less, gap};
    for (size_t i = 0; i < GW_COUNT(all); i++)
        api_rulesets_unref(all[i]);
}

static void test_history_is_bounded(void **state)
{
    (void)state;
    struct api_rulesets *set = api_rulesets_new();
    for (uint64_t n = 1; n <= API_VERSIONS_MAX + 20; n++)
        set = with(set, &cache, n, 0);
    const struct api_ruleset *rs = api_ruleset_find(set, cache.id);
    assert_int_equal(rs->count, API_VERSIONS_MAX);
    assert_int_equal(rs->versions[0]->number, 21);
    api_rulesets_unref(set);

    set = api_rulesets_new(); /* three quarters of a MiB each */
    for (uint64_t n = 1; n <= 30; n++)
        set = with(set, &cache, n, (size_t)3 << 18);
    rs = api_ruleset_find(set, cache.id);
    assert_in_range(rs->count, 9, 11);
    assert_int_equal(api_newest(rs)->number, 30);
    api_rulesets_unref(set);
}

static struct ruleset *load(const char *text)
{
    const struct gw_source source = {"test", gw_str_z(text)};
    const struct ruleset_options options = {.plan = CONFIG_PLAN_ENTERPRISE};
    struct gw_diags diags;
    gw_diags_init(&diags);
    struct json_doc *doc = json_parse(&source, &diags);
    struct ruleset *rs = ruleset_load(doc, &options, &diags);
    assert_non_null(rs);
    json_doc_free(doc);
    gw_diags_release(&diags);
    return rs;
}

#define RULE "\"action\":\"set_cache_settings\",\"action_parameters\":{\"cache\":true}"

static void test_seed(void **state)
{
    (void)state;
    struct ruleset *rs = load("{\"rules\":[{" RULE ",\"expression\":\"true\"},{" RULE
                              ",\"expression\":\"true\",\"ref\":\"mine\",\"version\":\"4\"}]}");
    struct api_rulesets *set = api_rulesets_new(), *again = api_rulesets_new();
    api_rulesets_seed(set, GW_STR("zone"), rs, GW_STR("a.json"), 0);
    api_rulesets_seed(again, GW_STR("zone"), rs, GW_STR("a.json"), 0);
    const struct api_ruleset *first = &set->rulesets[0], *second = &again->rulesets[0];
    const struct api_version *v = api_newest(first);
    assert_true(api_is_id(first->id) && gw_str_eq(first->id, second->id));
    assert_true(gw_str_eq(v->rules[0].id, api_newest(second)->rules[0].id));
    assert_false(gw_str_eq(v->rules[0].id, v->rules[1].id));
    assert_true(gw_str_eq(v->rules[0].ref, v->rules[0].id));
    assert_true(gw_str_eq(v->rules[1].ref, GW_STR("mine")));
    assert_int_equal(v->number, 1);
    assert_int_equal(v->rules[1].version, 4);
    assert_true(gw_str_eq(v->last_updated, GW_STR("1970-01-01T00:00:00.000000Z")));
    assert_string_equal(api_rulesets_file(set, first->phase), "a.json");
    assert_null(api_rulesets_file(set, GW_STR("http_ratelimit")));
    api_rulesets_unref(set);
    api_rulesets_unref(again);
    ruleset_unref(rs);
}

/* What the API shows can be loaded again, and shows the same. */
static void test_document_is_a_ruleset_file(void **state)
{
    (void)state;
    struct ruleset *rs = load("{\"rules\":[{" RULE ",\"expression\":\"true\"}]}");
    struct gw_buf texts[2];
    for (size_t i = 0; i < 2; i++) {
        struct api_rulesets *set = api_rulesets_new();
        api_rulesets_seed(set, GW_STR("zone"), rs, GW_STR("a.json"), 1000 * i);
        gw_buf_init(&texts[i], 65536);
        api_ruleset_write(&set->rulesets[0], api_newest(&set->rulesets[0]), true, &texts[i]);
        gw_buf_char(&texts[i], '\0');
        api_rulesets_unref(set);
        ruleset_unref(rs);
        rs = load(texts[i].data);
    }
    assert_string_equal(texts[0].data, texts[1].data);
    ruleset_unref(rs);
    gw_buf_release(&texts[0]);
    gw_buf_release(&texts[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sets_are_immutable), cmocka_unit_test(test_history_is_bounded),
        cmocka_unit_test(test_seed), cmocka_unit_test(test_document_is_a_ruleset_file)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

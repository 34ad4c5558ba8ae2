/* SPDX-License-Identifier: Apache-2.0 */
#include "cache/response_rules.h"
#include "tests/unit/cache/fixture.h"

static struct ruleset *load(const char *rules)
{
    char text[2048];
    struct gw_diags diags;
    gw_diags_init(&diags);
    snprintf(text, sizeof(text), "{\"phase\":\"http_response_cache_settings\",\"rules\":[%s]}",
             rules);
    const struct gw_source source = {.name = "rules.json", .text = gw_str_z(text)};
    struct json_doc *doc = json_parse(&source, &diags);
    assert_non_null(doc);
    struct ruleset *rs =
        ruleset_load(doc, &(struct ruleset_options){.plan = CONFIG_PLAN_ENTERPRISE}, &diags);
    if (!rs)
        fail_msg("%s", diags.items[0].message);
    json_doc_free(doc);
    gw_diags_release(&diags);
    return rs;
}

static bool says(const struct headers *h, enum header_id id, const char *expected)
{
    size_t at = 0;
    const struct gw_str *value = headers_next(h, id, &at);
    if (!expected || !value)
        return !expected && !value;
    return gw_str_eq(*value, gw_str_z(expected)) && !headers_next(h, id, &at);
}

#define CONTROL(params)                                                                            \
    "{\"action\":\"set_cache_control\",\"expression\":\"true\",\"action_parameters\":{" params "}" \
    "}"
#define TAGS(params)                                                                               \
    "{\"action\":\"set_cache_tags\",\"expression\":\"true\",\"action_parameters\":{" params "}}"
#define SET(value)  "{\"operation\":\"set\",\"value\":" value "}"
#define HIDE(value) "{\"operation\":\"set\",\"cloudflare_only\":true,\"value\":" value "}"
#define REMOVE      "{\"operation\":\"remove\"}"

/* Section 6: what clients see, what the edge goes by, and whether that beats an edge TTL. */
static void test_control(void **state)
{
    (void)state;
    static const struct {
        const char *rules, *fields, *client, *edge, *tags;
        bool matched, ttl;
    } cases[] = {
        {"{\"action\":\"set_cache_control\",\"expression\":\"http.response.code eq 404\","
         "\"action_parameters\":{\"max-age\":" SET("1") "}}",
         "Cache-Control: max-age=9", "max-age=9", NULL, NULL, false, false},
        {CONTROL("\"max-age\":" SET("1")),
         "Cache-Control: MAX-AGE=9, foo=\"a,b\"\nCache-Control: x", "foo=\"a,b\", x, max-age=1",
         NULL, NULL, true, true},
        {CONTROL("\"s-maxage\":" HIDE("1")), "Cache-Control: s-maxage=9, max-age = 2",
         "s-maxage=9, max-age = 2", "s-maxage=1", NULL, true,
         true}, /* what is no structured field would spoil the rest */
        {CONTROL("\"max-age\":" REMOVE), "Cache-Control: max-age=9", NULL, NULL, NULL, true, false},
        {CONTROL("\"max-age\":{\"operation\":\"remove\",\"cloudflare_only\":true}"),
         "Cache-Control: max-age=9", "max-age=9", "none", NULL, true, false},
        {CONTROL("\"max-age\":" HIDE("1")) "," CONTROL("\"max-age\":" SET("2")),
         "Cache-Control: max-age=9", "max-age=2", "max-age=2", NULL, true, true},
        {CONTROL("\"stale-if-error\":" SET("5")),
         "CDN-Cache-Control: max-age=9\nCache-Control: public", "public, stale-if-error=5",
         "public, stale-if-error=5", NULL, true, false},
        {CONTROL("\"private\":{\"operation\":\"set\",\"qualifiers\":[\"a\",\"b\"]}"), "",
         "private=\"a, b\"", NULL, NULL, true, true},
        {TAGS("\"operation\":\"add\",\"values\":[\"c\"]"), "Cache-Tag: a\nCache-Tag: b", NULL, NULL,
         "a,b,c", true, false},
        {TAGS("\"operation\":\"remove\",\"values\":[\"A\",\"b\"]"), "Cache-Tag: a, b,c", NULL, NULL,
         "c", true, false},
        {TAGS("\"operation\":\"remove\",\"values\":[\"a\"]"), "Cache-Tag: a", NULL, NULL, NULL,
         true, false},
        {TAGS("\"operation\":\"set\",\"expression\":\"http.response.headers[\\\"x-t\\\"]\""),
         "Cache-Tag: a\nX-T: b,c\nX-T: d", NULL, NULL, "b,c,d", true, false},
        {TAGS("\"operation\":\"set\",\"expression\":\"http.response.headers[\\\"x-none\\\"][0]\""),
         "Cache-Tag: a", NULL, NULL, NULL, true, false},
    };
    for (size_t i = 0; i < GW_COUNT(cases); i++) {
        struct fixture f;
        struct rules_request facts;
        fixture_init(&f);
        f.response_headers = fixture_headers(&f.arena, cases[i].fields);
        rules_request_init(&facts, &f.arena);
        facts.headers = &f.request_headers;
        struct ruleset *rs = load(cases[i].rules);
        const struct headers *fields = &f.response_headers;
        struct cache_ruled ruled = cache_rule_response(rs, &facts, 200, &fields);
        if (ruled.matched != cases[i].matched || ruled.sets_ttl != cases[i].ttl ||
            !says(fields, HEADER_CACHE_CONTROL, cases[i].client) ||
            !says(fields, HEADER_CLOUDFLARE_CDN_CACHE_CONTROL, cases[i].edge) ||
            !says(fields, HEADER_CACHE_TAG, cases[i].tags))
            fail_msg("case %zu", i);
        ruleset_unref(rs);
        fixture_release(&f);
    }
}

static void test_strip(void **state)
{
    (void)state;
    struct fixture f;
    struct rules_request facts;
    fixture_init(&f);
    f.response_headers =
        fixture_headers(&f.arena, "ETag: \"a\"\nLast-Modified: x\nSet-Cookie: a=1\nX-A: 1");
    rules_request_init(&facts, &f.arena);
    facts.headers = &f.request_headers;
    struct ruleset *rs =
        load("{\"action\":\"set_cache_settings\",\"expression\":\"true\","
             "\"action_parameters\":{\"strip_etags\":true,\"strip_set_cookie\":true,"
             "\"strip_last_modified\":false}}");
    const struct headers *fields = &f.response_headers;
    struct cache_ruled ruled = cache_rule_response(rs, &facts, 200, &fields);
    assert_true(ruled.matched && ruled.no_validators && !ruled.sets_ttl);
    assert_false(headers_has(fields, HEADER_ETAG) || headers_has(fields, HEADER_SET_COOKIE));
    assert_true(headers_has(fields, HEADER_LAST_MODIFIED) && fields->count == 2);
    ruleset_unref(rs);
    fixture_release(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_control),
                                       cmocka_unit_test(test_strip)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

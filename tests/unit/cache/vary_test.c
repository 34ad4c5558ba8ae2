/* SPDX-License-Identifier: Apache-2.0 */
#include "cache/vary.h"
#include "tests/unit/cache/fixture.h"

static const struct gw_str media[] = {{"text/html", 9}, {"image/webp", 10}};
static const struct gw_str tongues[] = {{"en", 2}, {"de-at", 5}};

/* Section 4.7. */
static void test_values(void **state)
{
    (void)state;
    static const struct {
        const char *name, *request, *expected;
        enum cache_vary_action action;
        bool listed;
    } cases[] = {
        {"accept", "Accept: TEXT/HTML;level=1, a/b;q=0.5,c/d ; q=0.9", "text/html,c/d,a/b", 0, 0},
        {"Accept", "Accept: c/d, a/b", "a/b,c/d", 0, 0},
        {"accept", "Accept: a/b;q=0, x / y", "x/y,a/b;q=0", 0, 0},
        {"accept", "Accept: a/b;q=0.3, a/b", "a/b", 0, 0},
        {"accept", "Accept: a/b\nAccept: c/d;q=0.999", "a/b,c/d", 0, 0},
        {"accept", "Accept: image/webp;q=0.2, */*, text/html;q=0.1", "image/webp,text/html", 0, 1},
        {"accept", "Accept: image/png", "", 0, 1},
        {"accept", "Accept: c/d, a/b;q=0.1", "c/d, a/b;q=0.1", CACHE_VARY_PASSTHROUGH, 0},
        {"accept", "", "", 0, 0},
        {"accept-language", "Accept-Language: de-AT, de;q=0.8, en-GB;q=0.9", "de,en", 0, 0},
        {"accept-language", "Accept-Language: en-GB, de-AT;q=0.9, de-CH;q=0.8, fr", "en,de-at", 0,
         1},
        {"accept-encoding", "Accept-Encoding: gzip, br;q=1, deflate;q=0.0", "br,gzip,deflate;q=0",
         0, 0},
        {"x-a", "X-A: b , a\nx-a: C", "b , a,C", 0, 0},
        {"x-a", "X-A: b\nX-A: c", "b,c", CACHE_VARY_PASSTHROUGH, 0},
        {"user-agent", "", "", 0, 0},
    };
    for (size_t i = 0; i < GW_COUNT(cases); i++) {
        struct fixture f;
        struct gw_buf out;
        fixture_init(&f);
        gw_buf_init(&out, 1024);
        const struct cache_vary_header headers[] = {
            {GW_STR("accept"), CACHE_VARY_NORMALIZE, {media, 2}, {0}},
            {GW_STR("accept-language"), CACHE_VARY_NORMALIZE, {0}, {tongues, 2}},
        };
        f.rule.vary.fallback = cases[i].action;
        f.rule.vary.headers = headers;
        f.rule.vary.count = cases[i].listed ? 2 : 0;
        f.request_headers = fixture_headers(&f.arena, cases[i].request);
        cache_vary_value(&f.rule, &f.request_headers, gw_str_z(cases[i].name), &out);
        if (!gw_str_eq(gw_buf_str(&out), gw_str_z(cases[i].expected)))
            fail_msg("case %zu: %.*s", i, GW_STR_ARG(gw_buf_str(&out)));
        gw_buf_release(&out);
        fixture_release(&f);
    }
}

/* What a client can send is cut off, not refused. */
static void test_bounds(void **state)
{
    (void)state;
    struct fixture f;
    struct gw_buf line, out;
    fixture_init(&f);
    gw_buf_init(&line, 65536);
    gw_buf_init(&out, 65536);
    gw_buf_add(&line, GW_STR("Accept: "));
    for (int i = 0; i < 500; i++)
        gw_buf_printf(&line, "t/%03d,", i);
    for (int i = 0; i < 200; i++)
        gw_buf_char(&line, 'x');
    gw_buf_char(&line, '\0');
    f.request_headers = fixture_headers(&f.arena, line.data);
    cache_vary_value(&f.rule, &f.request_headers, GW_STR("accept"), &out);
    assert_int_equal(out.len, CACHE_VARY_ITEMS_MAX * 6 - 1);
    gw_buf_release(&line);
    gw_buf_release(&out);
    fixture_release(&f);
}

static void test_names(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f);
    f.response_headers = fixture_headers(&f.arena, "Vary: , Accept ,x\nVary: Y,,");
    struct cache_vary_walk walk = {.headers = &f.response_headers};
    static const char *const expected[] = {"Accept", "x", "Y"};
    struct gw_str name;
    size_t n = 0;
    while (cache_vary_next(&walk, &name))
        assert_true(n < 3 && gw_str_eq(name, gw_str_z(expected[n++])));
    assert_int_equal(n, 3);
    fixture_release(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

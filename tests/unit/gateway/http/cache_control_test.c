/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "gateway/http/cache_control.h"

#define S(text)                                                                                    \
    {                                                                                              \
        text, sizeof(text) - 1                                                                     \
    }

static void test_directives(void **state)
{
    static const struct {
        const char *text;
        unsigned flags;
        int64_t max_age, s_maxage, swr, sie;
        struct gw_str private_fields, no_cache_fields;
    } rows[] = {
        {"", 0, -1, -1, -1, -1, S(""), S("")},
        {"max-age=60", CC_MAX_AGE, 60, -1, -1, -1, S(""), S("")},
        {"MAX-AGE=60", CC_MAX_AGE, 60, -1, -1, -1, S(""), S("")},
        {"max-age=\"60\"", CC_MAX_AGE, 60, -1, -1, -1, S(""), S("")},
        {"max-age=0", CC_MAX_AGE, 0, -1, -1, -1, S(""), S("")},
        {"max-age=3.9", CC_MAX_AGE, 3, -1, -1, -1, S(""), S("")},
        {"max-age=3.", CC_MAX_AGE, 3, -1, -1, -1, S(""), S("")},
        {"max-age=.5", CC_MAX_AGE, -1, -1, -1, -1, S(""), S("")},
        {"max-age=-5", CC_MAX_AGE, -1, -1, -1, -1, S(""), S("")},
        {"max-age=+5", CC_MAX_AGE, -1, -1, -1, -1, S(""), S("")},
        {"max-age=abc", CC_MAX_AGE, -1, -1, -1, -1, S(""), S("")},
        {"max-age=5s", CC_MAX_AGE, -1, -1, -1, -1, S(""), S("")},
        {"max-age", CC_MAX_AGE, -1, -1, -1, -1, S(""), S("")},
        {"max-age=", CC_MAX_AGE, -1, -1, -1, -1, S(""), S("")},
        {"max-age=2147483648", CC_MAX_AGE, 2147483647, -1, -1, -1, S(""), S("")},
        {"max-age=99999999999999999999999", CC_MAX_AGE, 2147483647, -1, -1, -1, S(""), S("")},
        {"max-age=1, max-age=2", CC_MAX_AGE, 2, -1, -1, -1, S(""), S("")},
        {"max-age=1, max-age=x", CC_MAX_AGE, -1, -1, -1, -1, S(""), S("")},
        {"max-age=1;s-maxage=2", CC_MAX_AGE | CC_S_MAXAGE, 1, 2, -1, -1, S(""), S("")},
        {"s-maxage=x, max-age=9", CC_MAX_AGE | CC_S_MAXAGE, -1, -1, -1, -1, S(""), S("")},
        {"max-age=9, s-maxage=-1", CC_MAX_AGE | CC_S_MAXAGE, -1, -1, -1, -1, S(""), S("")},
        {" ,, public ,;\tno-transform; ", CC_PUBLIC | CC_NO_TRANSFORM, -1, -1, -1, -1, S(""),
         S("")},
        {"no-store,no-cache,must-revalidate,proxy-revalidate,immutable,must-understand",
         CC_NO_STORE | CC_NO_CACHE | CC_MUST_REVALIDATE | CC_PROXY_REVALIDATE | CC_IMMUTABLE |
             CC_MUST_UNDERSTAND,
         -1, -1, -1, -1, S(""), S("")},
        {"no-storex, xno-store, x=\"no-store\", x=\"a, no-store\"", 0, -1, -1, -1, -1, S(""),
         S("")},
        {"stale-while-revalidate=30, stale-if-error=\"60\"", 0, -1, -1, 30, 60, S(""), S("")},
        {"stale-if-error", 0, -1, -1, -1, -1, S(""), S("")},
        {"private", CC_PRIVATE, -1, -1, -1, -1, S(""), S("")},
        {"private=\"Set-Cookie, X-Foo\", max-age=1", CC_PRIVATE | CC_MAX_AGE, 1, -1, -1, -1,
         S("Set-Cookie, X-Foo"), S("")},
        {"private=X-Foo", CC_PRIVATE, -1, -1, -1, -1, S("X-Foo"), S("")},
        {"private=\"a\", private", CC_PRIVATE, -1, -1, -1, -1, S(""), S("")},
        {"no-cache=\" b \"", CC_NO_CACHE, -1, -1, -1, -1, S(""), S("b")},
        {"no-cache=\"open, max-age=5", CC_NO_CACHE, -1, -1, -1, -1, S(""), S("open, max-age=5")},
        {"no-cache=\"a\\\"b\", public", CC_NO_CACHE | CC_PUBLIC, -1, -1, -1, -1, S(""),
         S("a\\\"b")},
        {"max-age = 5", CC_MAX_AGE, 5, -1, -1, -1, S(""), S("")},
    };
    (void)state;
    for (size_t i = 0; i < GW_COUNT(rows); i++) {
        struct cache_control cc = cache_control_parse(gw_str_z(rows[i].text));
        bool ok = cc.present && cc.flags == rows[i].flags && cc.max_age == rows[i].max_age &&
                  cc.s_maxage == rows[i].s_maxage && cc.stale_while_revalidate == rows[i].swr &&
                  cc.stale_if_error == rows[i].sie &&
                  gw_str_eq(cc.private_fields, rows[i].private_fields) &&
                  gw_str_eq(cc.no_cache_fields, rows[i].no_cache_fields);
        if (!ok)
            fprintf(stderr, "wrong: %s\n", rows[i].text);
        assert_true(ok);
    }
}

static void test_lines_are_one_list(void **state)
{
    struct gw_arena arena;
    struct headers h;
    (void)state;
    gw_arena_init(&arena, NULL, 0, 0);
    headers_init(&h, &arena, 10);
    struct cache_control cc = cache_control_read(&h, HEADER_CACHE_CONTROL);
    assert_false(cc.present);
    assert_int_equal(cc.max_age, -1);
    assert_true(headers_add(&h, GW_STR("Cache-Control"), GW_STR("public, max-age=1")));
    assert_true(headers_add(&h, GW_STR("CDN-Cache-Control"), GW_STR("no-store")));
    assert_true(headers_add(&h, GW_STR("cache-control"), GW_STR("max-age=2")));
    cc = cache_control_read(&h, HEADER_CACHE_CONTROL);
    assert_true(cc.present);
    assert_int_equal(cc.max_age, 2);
    assert_int_equal(cc.flags, CC_PUBLIC | CC_MAX_AGE);
    cc = cache_control_read(&h, HEADER_CDN_CACHE_CONTROL);
    assert_int_equal(cc.flags, CC_NO_STORE);
    gw_arena_clear(&arena);
}

static void test_field_list(void **state)
{
    struct gw_str rest = GW_STR(" a ,, b,"), name;
    (void)state;
    assert_true(cache_control_field_next(&rest, &name));
    assert_true(gw_str_eq(name, GW_STR("a")));
    assert_true(cache_control_field_next(&rest, &name));
    assert_true(gw_str_eq(name, GW_STR("b")));
    assert_false(cache_control_field_next(&rest, &name));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_directives),
        cmocka_unit_test(test_lines_are_one_list),
        cmocka_unit_test(test_field_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

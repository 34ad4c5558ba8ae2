/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "gateway/http/etag.h"

static void test_validity(void **state)
{
    static const char *const good[] = {"\"\"", "\"x\"", "W/\"x\"", "\"a,b;W/\"", "\"\xc3\xa4\""};
    static const char *const bad[] = {"",       "x",        "\"",      "\"x",     "x\"",
                                      "W/",     "W/x",      "w/\"x\"", "\"a b\"", "\"a\"b\"",
                                      "\"x\" ", "W/ \"x\"", "'x'"};
    (void)state;
    for (size_t i = 0; i < GW_COUNT(good); i++)
        assert_true(etag_valid(gw_str_z(good[i])));
    for (size_t i = 0; i < GW_COUNT(bad); i++)
        assert_false(etag_valid(gw_str_z(bad[i])));
}

/* The table of RFC 9110 section 8.8.3.2. */
static void test_comparison(void **state)
{
    struct gw_str weak1 = GW_STR("W/\"1\""), weak2 = GW_STR("W/\"2\""), one = GW_STR("\"1\"");
    (void)state;
    assert_true(etag_weak_eq(weak1, weak1));
    assert_false(etag_strong_eq(weak1, weak1));
    assert_false(etag_weak_eq(weak1, weak2));
    assert_true(etag_weak_eq(weak1, one));
    assert_false(etag_strong_eq(weak1, one));
    assert_false(etag_strong_eq(one, weak1));
    assert_true(etag_weak_eq(one, one));
    assert_true(etag_strong_eq(one, one));
    assert_false(etag_weak_eq(GW_STR("x"), GW_STR("x")));
    assert_false(etag_strong_eq(GW_STR(""), GW_STR("")));
}

static void test_lists(void **state)
{
    static const struct {
        const char *list, *etag;
        bool weak, strong;
    } rows[] = {
        {"\"x\"", "\"x\"", true, true},
        {"W/\"x\"", "\"x\"", true, false},
        {"\"x\"", "W/\"x\"", true, false},
        {"\"a\", \"x\"", "\"x\"", true, true},
        {"\"a\",\"x\"", "\"x\"", true, true},
        {" , \"a\" ,, W/\"x\" ,", "\"x\"", true, false},
        {"\"a,b\", \"x\"", "\"b\"", false, false},
        {"*", "\"x\"", true, true},
        {"*", "", true, true},
        {"\"x\"", "", false, false},
        {"", "\"x\"", false, false},
        {"x", "\"x\"", false, false},
        {"x, \"x\"", "\"x\"", false, false},
        {"\"x", "\"x\"", false, false},
        {"\"a\" \"x\"", "\"x\"", false, false},
        {"*, \"a\"", "\"x\"", false, false},
    };
    struct gw_arena arena;
    (void)state;
    gw_arena_init(&arena, NULL, 0, 0);
    for (size_t i = 0; i < GW_COUNT(rows); i++) {
        struct headers h;
        struct gw_str etag = gw_str_z(rows[i].etag);
        headers_init(&h, &arena, 4);
        assert_false(etag_listed(&h, HEADER_IF_NONE_MATCH, etag, ETAG_WEAK));
        assert_true(headers_add_id(&h, HEADER_IF_NONE_MATCH, GW_STR("\"other\"")));
        assert_true(headers_add_id(&h, HEADER_IF_NONE_MATCH, gw_str_z(rows[i].list)));
        assert_int_equal(etag_listed(&h, HEADER_IF_NONE_MATCH, etag, ETAG_WEAK), rows[i].weak);
        assert_int_equal(etag_listed(&h, HEADER_IF_NONE_MATCH, etag, ETAG_STRONG), rows[i].strong);
    }
    gw_arena_clear(&arena);
}

static void test_if_range(void **state)
{
    struct gw_str date = GW_STR("Sun, 06 Nov 1994 08:49:37 GMT");
    (void)state;
    assert_true(etag_if_range(GW_STR("\"x\""), GW_STR("\"x\""), date));
    assert_false(etag_if_range(GW_STR("W/\"x\""), GW_STR("W/\"x\""), date));
    assert_false(etag_if_range(GW_STR("\"x\""), GW_STR("W/\"x\""), date));
    assert_false(etag_if_range(GW_STR("\"y\""), GW_STR("\"x\""), date));
    assert_true(etag_if_range(date, GW_STR("\"x\""), date));
    assert_false(etag_if_range(GW_STR("Sun, 06 Nov 1994 08:49:38 GMT"), GW_STR(""), date));
    assert_false(etag_if_range(GW_STR(""), GW_STR(""), GW_STR("")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_validity),
        cmocka_unit_test(test_comparison),
        cmocka_unit_test(test_lists),
        cmocka_unit_test(test_if_range),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

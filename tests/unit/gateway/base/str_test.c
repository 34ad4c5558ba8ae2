/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/base/str.h"

static void test_compare(void **state)
{
    (void)state;
    static const struct {
        struct gw_str a, b;
        int order;
        bool eq, ieq, starts, ends; /* a starts and ends with b */
    } cases[] = {
        {GW_STR(""), GW_STR(""), 0, true, true, true, true},
        {{NULL, 0}, GW_STR(""), 0, true, true, true, true},
        {GW_STR("a"), {NULL, 0}, 1, false, false, true, true},
        {GW_STR("abc"), GW_STR("abd"), -1, false, false, false, false},
        {GW_STR("ab"), GW_STR("abc"), -1, false, false, false, false},
        {GW_STR("abcab"), GW_STR("ab"), 1, false, false, true, true},
        {GW_STR("Host"), GW_STR("hOST"), -1, false, true, false, false},
        /* Only ASCII letters fold: '[' and '{' differ by the same bit, and so do Latin-1 letters.
         */
        {GW_STR("["), GW_STR("{"), -1, false, false, false, false},
        {GW_STR("\xc4"), GW_STR("\xe4"), -1, false, false, false, false},
        {GW_STR("a\0b"), GW_STR("a\0c"), -1, false, false, false, false},
        {GW_STR("\xff"), GW_STR("a"), 1, false, false, false, false},
    };
    for (size_t i = 0; i < GW_COUNT(cases); i++) {
        int order = gw_str_cmp(cases[i].a, cases[i].b);
        assert_int_equal((order > 0) - (order < 0), cases[i].order);
        order = gw_str_cmp(cases[i].b, cases[i].a);
        assert_int_equal((order > 0) - (order < 0), -cases[i].order);
        assert_int_equal(gw_str_eq(cases[i].a, cases[i].b), cases[i].eq);
        assert_int_equal(gw_str_ieq(cases[i].a, cases[i].b), cases[i].ieq);
        assert_int_equal(gw_str_starts(cases[i].a, cases[i].b), cases[i].starts);
        assert_int_equal(gw_str_ends(cases[i].a, cases[i].b), cases[i].ends);
    }
}

static void test_search(void **state)
{
    (void)state;
    struct gw_str path = GW_STR("/a/bb/a");
    assert_int_equal(gw_str_chr(path, '/'), 0);
    assert_int_equal(gw_str_chr(path, 'b'), 3);
    assert_true(gw_str_chr(path, 'x') == GW_NPOS);
    assert_int_equal(gw_str_rchr(path, '/'), 5);
    assert_true(gw_str_rchr(path, 'x') == GW_NPOS);
    assert_true(gw_str_chr(GW_STR_EMPTY, 'x') == GW_NPOS);
    assert_true(gw_str_rchr(GW_STR_EMPTY, 'x') == GW_NPOS);
    assert_int_equal(gw_str_find(path, GW_STR("/a")), 0);
    assert_int_equal(gw_str_find(path, GW_STR("b/")), 4);
    assert_int_equal(gw_str_find(path, GW_STR("")), 0);
    assert_int_equal(gw_str_find(GW_STR_EMPTY, GW_STR_EMPTY), 0);
    assert_true(gw_str_find(path, GW_STR("/a/bb/aa")) == GW_NPOS);
    assert_true(gw_str_find(GW_STR_EMPTY, GW_STR("a")) == GW_NPOS);
}

static void test_slices_are_clamped(void **state)
{
    (void)state;
    struct gw_str s = GW_STR("edge");
    assert_true(gw_str_eq(gw_str_from(s, 2), GW_STR("ge")));
    assert_int_equal(gw_str_from(s, 9).len, 0);
    assert_int_equal(gw_str_from(GW_STR_EMPTY, 3).len, 0);
    assert_true(gw_str_eq(gw_str_first(s, 2), GW_STR("ed")));
    assert_true(gw_str_eq(gw_str_first(s, GW_NPOS), s));
    assert_int_equal(gw_str_z(NULL).len, 0);
}

static void test_trim(void **state)
{
    (void)state;
    static const struct {
        struct gw_str in, out;
    } cases[] = {
        {GW_STR("a b"), GW_STR("a b")},
        {GW_STR(" \t a\t "), GW_STR("a")},
        {GW_STR(" \t "), GW_STR("")},
        {GW_STR(""), GW_STR("")},
        {GW_STR("\r\na "), GW_STR("\r\na")}, /* line ends are never white space in a header */
        {{NULL, 0}, GW_STR("")},
    };
    for (size_t i = 0; i < GW_COUNT(cases); i++)
        assert_true(gw_str_eq(gw_str_trim(cases[i].in), cases[i].out));
}

static void test_split(void **state)
{
    (void)state;
    static const struct {
        struct gw_str text;
        const char *items[5];
    } cases[] = {
        {GW_STR("a,,b"), {"a", "", "b"}},
        {GW_STR("a"), {"a"}},
        {GW_STR(",a,"), {"", "a", ""}},
        {GW_STR(""), {""}},
        {{NULL, 0}, {NULL}},
    };
    for (size_t i = 0; i < GW_COUNT(cases); i++) {
        struct gw_str rest = cases[i].text, item;
        for (const char *const *want = cases[i].items; *want; want++) {
            assert_true(gw_str_next(&rest, ',', &item));
            assert_true(gw_str_eq(item, gw_str_z(*want)));
        }
        assert_false(gw_str_next(&rest, ',', &item));
    }
}

static void test_u64(void **state)
{
    (void)state;
    static const struct {
        struct gw_str text;
        uint64_t max;
        bool ok;
        uint64_t value;
    } cases[] = {
        {GW_STR("0"), 0, true, 0},
        {GW_STR("1"), 0, false, 0},
        {GW_STR("007"), 7, true, 7},
        {GW_STR("255"), 255, true, 255},
        {GW_STR("256"), 255, false, 0},
        {GW_STR("18446744073709551615"), UINT64_MAX, true, UINT64_MAX},
        {GW_STR("18446744073709551616"), UINT64_MAX, false, 0},
        {GW_STR("99999999999999999999999"), UINT64_MAX, false, 0},
        {GW_STR("9"), 5, false, 0},
        {GW_STR(""), 9, false, 0},
        {GW_STR("-1"), 9, false, 0},
        {GW_STR("+1"), 9, false, 0},
        {GW_STR(" 1"), 9, false, 0},
        {GW_STR("1x"), 9, false, 0},
    };
    for (size_t i = 0; i < GW_COUNT(cases); i++) {
        uint64_t value = 4711;
        assert_int_equal(gw_str_u64(cases[i].text, cases[i].max, &value), cases[i].ok);
        assert_true(value == (cases[i].ok ? cases[i].value : 4711));
    }
}

static void test_hex(void **state)
{
    (void)state;
    for (int c = 0; c < 256; c++) {
        const char *digits = "0123456789abcdef";
        const char *at = c ? strchr(digits, gw_lower((char)c)) : NULL;
        assert_int_equal(gw_hex_value((char)c), at ? at - digits : -1);
    }
}

static void test_utf8(void **state)
{
    (void)state;
    static const struct {
        struct gw_str text;
        size_t length;
    } cases[] = {
        {GW_STR("a"), 1},
        {GW_STR("\xc3\xa4x"), 2},
        {GW_STR("\xe2\x82\xac"), 3},
        {GW_STR("\xf0\x9f\x98\x80"), 4},
        {GW_STR("\xf4\x8f\xbf\xbf"), 4}, /* U+10FFFF */
        {GW_STR("\xf4\x90\x80\x80"), 0}, /* behind it */
        {GW_STR("\xc0\x80"), 0},         /* overlong */
        {GW_STR("\xe0\x9f\xbf"), 0},     /* overlong */
        {GW_STR("\xf0\x8f\xbf\xbf"), 0}, /* overlong */
        {GW_STR("\xed\xa0\x80"), 0},     /* surrogate */
        {GW_STR("\xc3"), 0},             /* cut */
        {GW_STR("\xe2\x82"), 0},         /* cut */
        {GW_STR("\x80"), 0},             /* continuation first */
        {GW_STR("\xc3\x28"), 0},
        {GW_STR("\xff"), 0},
    };
    for (size_t i = 0; i < GW_COUNT(cases); i++)
        assert_int_equal(gw_utf8_length(cases[i].text), cases[i].length);
}

static void test_dupz(void **state)
{
    (void)state;
    char *copy = gw_str_dupz(gw_str("abcdef", 3));
    assert_string_equal(copy, "abc");
    free(copy);
    copy = gw_str_dupz(GW_STR_EMPTY);
    assert_string_equal(copy, "");
    free(copy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_compare),
        cmocka_unit_test(test_search),
        cmocka_unit_test(test_slices_are_clamped),
        cmocka_unit_test(test_trim),
        cmocka_unit_test(test_split),
        cmocka_unit_test(test_u64),
        cmocka_unit_test(test_hex),
        cmocka_unit_test(test_utf8),
        cmocka_unit_test(test_dupz),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

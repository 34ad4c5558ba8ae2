/* SPDX-License-Identifier: Apache-2.0 */
#include "config/rules/sets.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "config/rules/find.h"
#include "config/rules/wildcard.h"

static void int_ranges_merge(void **state)
{
    (void)state;
    struct int_range ranges[] = {
        {10, 12}, {1, 3}, {4, 5}, {11, 20}, {INT64_MAX, INT64_MAX}, {INT64_MIN, INT64_MIN}};
    size_t count = int_ranges_finish(ranges, GW_COUNT(ranges));
    assert_int_equal(count, 4);
    static const struct {
        int64_t value;
        bool in;
    } cases[] = {{0, false}, {1, true},   {5, true},         {6, false},
                 {20, true}, {21, false}, {INT64_MAX, true}, {INT64_MIN, true}};
    for (size_t i = 0; i < GW_COUNT(cases); i++)
        assert_int_equal(int_ranges_has(ranges, count, cases[i].value), cases[i].in);
    assert_false(int_ranges_has(ranges, 0, 1));
}

static struct gw_ip ip(const char *text)
{
    struct gw_ip out;
    assert_true(gw_ip_parse(gw_str_z(text), &out));
    return out;
}

static void ip_ranges_keep_families_apart(void **state)
{
    (void)state;
    struct ip_range ranges[] = {
        {ip("2001:db8::"), ip("2001:db8::ff")},
        {ip("10.0.0.5"), ip("10.0.0.9")},
        {ip("10.0.0.1"), ip("10.0.0.6")},
    };
    size_t count = ip_ranges_finish(ranges, GW_COUNT(ranges));
    assert_int_equal(count, 2);
    static const struct {
        const char *text;
        bool in;
    } cases[] = {{"10.0.0.1", true},  {"10.0.0.9", true},        {"10.0.0.10", false},
                 {"10.0.0.0", false}, {"2001:db8::1", true},     {"2001:db8::1:0", false},
                 {"::a00:1", false},  {"255.255.255.255", false}};
    for (size_t i = 0; i < GW_COUNT(cases); i++) {
        struct gw_ip address = ip(cases[i].text);
        assert_int_equal(ip_ranges_has(ranges, count, &address), cases[i].in);
    }
}

static void strings_are_found(void **state)
{
    (void)state;
    struct gw_str items[] = {GW_STR("bb"), GW_STR(""), GW_STR("a"), GW_STR("ccc"), GW_STR("ab")};
    strings_finish(items, GW_COUNT(items));
    static const struct {
        const char *text;
        bool in;
    } cases[] = {{"", true},    {"a", true},  {"bb", true},
                 {"ccc", true}, {"b", false}, {"cccc", false}};
    for (size_t i = 0; i < GW_COUNT(cases); i++)
        assert_int_equal(strings_has(items, GW_COUNT(items), gw_str_z(cases[i].text)), cases[i].in);
}

/* Every place and length near the block size against the plain search. */
static void contains_agrees_with_a_plain_search(void **state)
{
    (void)state;
    char text[80], needle[80];
    for (size_t len = 0; len < sizeof(text); len++) {
        for (size_t i = 0; i < len; i++)
            text[i] = "abac"[i % 4];
        for (size_t at = 0; at < len; at++) {
            for (size_t size = 1; size <= 20 && at + size <= len; size++) {
                memcpy(needle, text + at, size);
                assert_true(rules_contains(gw_str(text, len), gw_str(needle, size)));
                needle[size - 1] = 'x';
                assert_false(rules_contains(gw_str(text, len), gw_str(needle, size)));
                text[at] ^= 0x40;
                memcpy(needle, text + at, size);
                assert_true(rules_contains(gw_str(text, len), gw_str(needle, size)));
                text[at] ^= 0x40;
            }
        }
    }
    assert_true(rules_contains(GW_STR_EMPTY, GW_STR_EMPTY));
    assert_false(rules_contains(GW_STR_EMPTY, GW_STR("a")));
}

static void wildcards(void **state)
{
    (void)state;
    static const struct {
        const char *pattern, *value;
        bool strict, match;
    } cases[] = {
        {"*", "", false, true},           {"", "", false, true},
        {"", "a", false, false},          {"a*", "A", false, true},
        {"a*", "A", true, false},         {"*a*b*", "xaxbx", false, true},
        {"*a*b*", "xbxax", false, false}, {"a*a", "a", false, false},
        {"a*a", "aa", false, true},       {"*ab", "aab", false, true},
        {"a\\*", "a*", false, true},      {"a\\*", "ab", false, false},
        {"a\\\\b", "a\\b", true, true},   {"*.x.*.x", "a.x.x.x", false, true},
    };
    for (size_t i = 0; i < GW_COUNT(cases); i++) {
        struct gw_arena arena;
        struct wildcard w;
        int64_t work = 1000;
        gw_arena_init(&arena, NULL, 0, 0);
        assert_null(wildcard_compile(&w, gw_str_z(cases[i].pattern), cases[i].strict, &arena));
        if (wildcard_match(&w, gw_str_z(cases[i].value), &work) != cases[i].match)
            fail_msg("%s on %s", cases[i].pattern, cases[i].value);
        gw_arena_clear(&arena);
    }
}

static void wildcard_errors(void **state)
{
    (void)state;
    static const char *const patterns[] = {"**", "a**b", "*a**", "\\q", "a\\"};
    for (size_t i = 0; i < GW_COUNT(patterns); i++) {
        struct gw_arena arena;
        struct wildcard w;
        gw_arena_init(&arena, NULL, 0, 0);
        assert_non_null(wildcard_compile(&w, gw_str_z(patterns[i]), false, &arena));
        gw_arena_clear(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(int_ranges_merge),  cmocka_unit_test(ip_ranges_keep_families_apart),
        cmocka_unit_test(strings_are_found), cmocka_unit_test(contains_agrees_with_a_plain_search),
        cmocka_unit_test(wildcards),         cmocka_unit_test(wildcard_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

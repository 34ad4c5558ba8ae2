/* SPDX-License-Identifier: Apache-2.0 */
#include "limiter/route.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <stdio.h>

#include <cmocka.h>

#include "gateway/base/hash.h"

static void patterns_match(void **state)
{
    (void)state;
    static const struct {
        const char *pattern, *path;
        bool matches;
    } cases[] = {
        {"/api/tools", "/api/tools", true},
        {"/api/tools", "/api/tools/", false},
        {"/api/tools/", "/api/tools", false},
        {"/api/tools", "/api/tool", false},
        {"/api/tools", "/API/tools", false},
        {"/", "/", true},
        {"/", "", false},
        {"/api/*", "/api/", true},
        {"/api/*", "/api/a/b/c", true},
        {"/api/*", "/api", false},
        {"/api*", "/api", true},
        {"/api*", "/apix/y", true},
        {"/api*", "/ap", false},
        {"/*", "/", true},
        {"/*", "*", false},
        {"/c/:id", "/c/7", true},
        {"/c/:id", "/c/", false},
        {"/c/:id", "/c/7/", false},
        {"/c/:id/report", "/c/7/report", true},
        {"/c/:id/report", "/c/7/8/report", false},
        {"/c/:id/*", "/c/7/x/y", true},
        {"/c/:id/*", "/c//x", false},
        {"/a//b", "/a//b", true},
        {"/a//b", "/a/b", false},
        {"/a/x:y", "/a/x:y", true},
    };
    for (size_t i = 0; i < GW_COUNT(cases); i++) {
        struct route_tree *tree = route_tree_new();
        size_t at;
        assert_null(route_pattern_error(gw_str_z(cases[i].pattern), &at));
        route_tree_add(tree, gw_str_z(cases[i].pattern), UINT32_MAX, 0);
        route_tree_seal(tree);
        bool matches = route_tree_find(tree, METHOD_GET, gw_str_z(cases[i].path)) == 0;
        if (matches != cases[i].matches)
            print_error("%s against %s\n", cases[i].pattern, cases[i].path);
        assert_int_equal(matches, cases[i].matches);
        route_tree_free(tree);
    }
}

static void malformed_patterns_say_where(void **state)
{
    (void)state;
    static const struct {
        const char *pattern;
        size_t at;
    } cases[] = {{"", 0},     {"api", 0},   {"/a/*/b", 3}, {"/a/x*y", 3},
                 {"/a/:", 3}, {"/:id*", 1}, {"/a?b=1", 2}, {"/x/a#f", 4}};
    for (size_t i = 0; i < GW_COUNT(cases); i++) {
        size_t at;
        assert_non_null(route_pattern_error(gw_str_z(cases[i].pattern), &at));
        assert_int_equal(at, cases[i].at);
    }
}

static void covering(void **state)
{
    (void)state;
    static const struct {
        const char *outer, *inner;
        bool covers;
    } cases[] = {
        {"/*", "/a/:id", true},      {"/api/*", "/api/a", true},  {"/api/*", "/api/:id", true},
        {"/api/*", "/api/x*", true}, {"/api/*", "/api", false},   {"/api/a*", "/api/:id", false},
        {"/api/a*", "/api/a", true}, {"/a/:x", "/a/b", true},     {"/a/:x", "/a/:y", true},
        {"/a/:x", "/a/", false},     {"/a/b", "/a/:x", false},    {"/a/:x", "/a/*", false},
        {"/a/:x", "/a/b/c", false},  {"/a/:x/*", "/a/b/c", true}, {"/a", "/a", true},
        {"/a/x*", "/a/xy/z", true},  {"/a/xy*", "/a/x*", false},  {"/a/", "/a", false},
    };
    for (size_t i = 0; i < GW_COUNT(cases); i++) {
        bool covers = route_covers(gw_str_z(cases[i].outer), gw_str_z(cases[i].inner));
        if (covers != cases[i].covers)
            print_error("%s over %s\n", cases[i].outer, cases[i].inner);
        assert_int_equal(covers, cases[i].covers);
    }
}

/* ---- against trying the patterns one by one ---- */

#define ROUTES 60

/* Byte by byte, sharing nothing with the tree. */
static bool naive_fits(const char *pattern, const char *path)
{
    for (; *pattern; pattern++) {
        if (*pattern == '*')
            return true;
        if (*pattern == ':' && pattern[-1] == '/') {
            if (*path == '/' || !*path)
                return false;
            path += strcspn(path, "/");
            pattern += strcspn(pattern, "/") - 1;
            continue;
        }
        if (*pattern != *path++)
            return false;
    }
    return !*path;
}

static void random_text(struct gw_rng *rng, char *out, bool is_pattern)
{
    static const char *const words[] = {"a", "b", "ab", "abc", ""};
    size_t segments = 1 + gw_rng_below(rng, 4), len = 0;
    for (size_t i = 0; i < segments; i++) {
        bool is_parameter = is_pattern && gw_rng_below(rng, 4) == 0;
        len += (size_t)snprintf(out + len, 8, "/%s",
                                is_parameter ? ":p" : words[gw_rng_below(rng, GW_COUNT(words))]);
        if (is_pattern && !is_parameter && i + 1 == segments && gw_rng_below(rng, 3) == 0)
            snprintf(out + len, 2, "*");
    }
}

static void the_tree_answers_like_a_list(void **state)
{
    (void)state;
    static char patterns[ROUTES][64];
    static uint32_t methods[ROUTES];
    struct gw_rng rng = {2024};
    for (int round = 0; round < 300; round++) {
        struct route_tree *tree = route_tree_new();
        for (uint32_t i = 0; i < ROUTES; i++) {
            random_text(&rng, patterns[i], true);
            methods[i] = (uint32_t)gw_rng_below(&rng, 4) ? UINT32_MAX : UINT32_C(1) << METHOD_POST;
            route_tree_add(tree, gw_str_z(patterns[i]), methods[i], i);
        }
        route_tree_seal(tree);
        for (int i = 0; i < 200; i++) {
            char path[64];
            random_text(&rng, path, false);
            uint32_t expect = 0;
            while (expect < ROUTES && !(methods[expect] & UINT32_C(1) << METHOD_GET &&
                                        naive_fits(patterns[expect], path)))
                expect++;
            uint32_t got = route_tree_find(tree, METHOD_GET, gw_str_z(path));
            assert_int_equal(got, expect == ROUTES ? LIMITER_NO_ROUTE : expect);
        }
        route_tree_free(tree);
    }
}

/* Whatever one pattern covers, the other must not match alone. */
static void covering_agrees_with_matching(void **state)
{
    (void)state;
    struct gw_rng rng = {99};
    for (int i = 0; i < 20000; i++) {
        char outer[64], inner[64], path[64];
        random_text(&rng, outer, true);
        random_text(&rng, inner, true);
        random_text(&rng, path, false);
        if (route_covers(gw_str_z(outer), gw_str_z(inner)) && naive_fits(inner, path))
            assert_true(naive_fits(outer, path));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(patterns_match),
        cmocka_unit_test(malformed_patterns_say_where),
        cmocka_unit_test(covering),
        cmocka_unit_test(the_tree_answers_like_a_list),
        cmocka_unit_test(covering_agrees_with_matching),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

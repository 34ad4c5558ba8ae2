/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* open_memstream */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/base/diag.h"

static char *printed(const struct gw_diags *d, bool color)
{
    char *text;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    gw_diags_print(d, out, color);
    fclose(out);
    return text;
}

static void assert_prints(struct gw_diags *d, bool color, const char *want)
{
    char *text = printed(d, color);
    assert_string_equal(text, want);
    free(text);
    gw_diags_release(d);
}

static void test_place_and_caret(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t offset, width;
        const char *want;
    } cases[] = {
        {"{\n  \"lisen\": 1\n}", 4, 7, "f:2:3: error: m\n      \"lisen\": 1\n      ^~~~~~~\n"},
        {"abc", 0, 0, "f:1:1: error: m\n    abc\n    ^\n"},
        {"abc", 2, 99, "f:1:3: error: m\n    abc\n      ^\n"}, /* marks end with the line */
        {"abc", 3, 1, "f:1:4: error: m\n    abc\n       ^\n"}, /* end of the text */
        {"abc", 999, 1, "f:1:4: error: m\n    abc\n       ^\n"},
        {"\tx y", 3, 1, "f:1:4: error: m\n    \tx y\n    \t  ^\n"}, /* tabs keep the caret true */
        {"a\r\nb", 0, 1, "f:1:1: error: m\n    a\n    ^\n"},
        {"\"\xc3\xa4\xc3\xb6\" x\xc3\xa4", 7, 3,
         "f:1:8: error: m\n    \"\xc3\xa4\xc3\xb6\" x\xc3\xa4\n         ^~\n"}, /* two bytes, one
                                                                                   place */
        {"", 0, 1, "f:1:1: error: m\n    \n    ^\n"},
    };
    for (size_t i = 0; i < GW_COUNT(cases); i++) {
        struct gw_source source = {"f", gw_str_z(cases[i].text)};
        struct gw_diags d;
        gw_diags_init(&d);
        gw_diag_at(&d, GW_DIAG_ERROR, &source, cases[i].offset, cases[i].width, "m");
        assert_prints(&d, false, cases[i].want);
    }
}

static void test_without_place(void **state)
{
    (void)state;
    struct gw_diags d;
    gw_diags_init(&d);
    gw_diag_file(&d, GW_DIAG_ERROR, "c.json", "no %s", "file");
    gw_diag_file(&d, GW_DIAG_WARNING, NULL, "hm");
    gw_diag_at(&d, GW_DIAG_WARNING, NULL, 7, 7, "nowhere");
    assert_int_equal(d.errors, 1);
    assert_int_equal(d.warnings, 2);
    assert_prints(&d, true,
                  "c.json: \033[31merror\033[0m: no file\n\033[33mwarning\033[0m: hm\n"
                  "\033[33mwarning\033[0m: nowhere\n");
    assert_int_equal(d.count + d.errors + d.warnings, 0);
}

static void test_long_line_is_cut_around_the_place(void **state)
{
    (void)state;
    char line[1000];
    memset(line, 'x', sizeof(line));
    memcpy(line + 500, "bad", 3);
    struct gw_source source = {"f", gw_str(line, sizeof(line))};
    struct gw_diags d;
    gw_diags_init(&d);
    gw_diag_at(&d, GW_DIAG_ERROR, &source, 500, 3, "m");
    assert_int_equal(d.count, 1);
    assert_true(strlen(d.items[0].excerpt) < 200);
    assert_memory_equal(d.items[0].excerpt + 500 - d.items[0].excerpt_at, "bad", 3);
    char expected[400];
    snprintf(expected, sizeof(expected), "f:1:501: error: m\n    %.50sbad%.67s\n    %*s^~~\n", line,
             line, 50, "");
    assert_prints(&d, false, expected);
}

static void test_flood_is_counted(void **state)
{
    (void)state;
    struct gw_source source = {"f", GW_STR("x")};
    struct gw_diags d;
    gw_diags_init(&d);
    for (int i = 0; i < GW_DIAG_MAX + 5; i++)
        gw_diag_at(&d, GW_DIAG_ERROR, &source, 0, 1, "%d", i);
    assert_int_equal(d.count, GW_DIAG_MAX);
    assert_int_equal(d.errors, GW_DIAG_MAX + 5);
    assert_string_equal(d.items[GW_DIAG_MAX - 1].message, "999");
    char *text = printed(&d, false);
    assert_non_null(strstr(text, "\n5 more messages not shown\n"));
    free(text);
    gw_diags_release(&d);
}

static void test_line_column(void **state)
{
    (void)state;
    static const struct {
        size_t offset;
        unsigned line, column;
    } cases[] = {{0, 1, 1}, {1, 1, 2}, {2, 2, 1}, {3, 3, 1}, {4, 3, 2}, {99, 3, 2}};
    for (size_t i = 0; i < GW_COUNT(cases); i++) {
        unsigned line, column;
        gw_line_column(GW_STR("a\n\nb"), cases[i].offset, &line, &column);
        assert_int_equal(line, cases[i].line);
        assert_int_equal(column, cases[i].column);
    }
}

static void test_nearest(void **state)
{
    (void)state;
    static const char *const known[] = {"listen", "limiter",   "log", "cache",
                                        "caches", "window_ms", NULL};
    static const struct {
        const char *word, *nearest;
    } cases[] = {
        {"lisen", "listen"}, {"Listen", "listen"}, {"limitter", "limiter"},
        {"lag", "log"},      {"cache", "cache"},   {"caches", "caches"},
        {"cachex", "cache"}, {"zones", NULL},      {"lxxten", "listen"},
        {"xxxten", NULL},    {"xy", NULL},         {"lsiten", "listen"},
        {"lgo", "log"},      {"cahce", "cache"},   {"xwindow", NULL},
        {"", NULL},          {"win", NULL},        {"window", "window_ms"},
    };
    for (size_t i = 0; i < GW_COUNT(cases); i++) {
        const char *nearest = gw_nearest(gw_str_z(cases[i].word), known);
        if (cases[i].nearest)
            assert_string_equal(nearest, cases[i].nearest);
        else
            assert_null(nearest);
    }
    char word[5000];
    memset(word, 'l', sizeof(word));
    assert_null(gw_nearest(gw_str(word, sizeof(word)), known));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_place_and_caret),
        cmocka_unit_test(test_without_place),
        cmocka_unit_test(test_long_line_is_cut_around_the_place),
        cmocka_unit_test(test_flood_is_counted),
        cmocka_unit_test(test_line_column),
        cmocka_unit_test(test_nearest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

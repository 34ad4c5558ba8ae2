/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "gateway/base/buf.h"
#include "gateway/http/range.h"

/* "whole", "416", or the ranges. */
static const char *describe(const char *value, uint64_t size, size_t cap, char *out)
{
    struct range r[RANGE_COUNT_MAX];
    size_t count = 77, len = 0;
    enum range_result result = range_parse(gw_str_z(value), size, r, cap, &count);
    if (result != RANGE_PART) {
        assert_int_equal(count, 0);
        return result == RANGE_WHOLE ? "whole" : "416";
    }
    for (size_t i = 0; i < count; i++) {
        assert_true(r[i].first <= r[i].last && r[i].last < size);
        len += (size_t)snprintf(out + len, 200 - len, "%s%llu-%llu", i ? "," : "",
                                (unsigned long long)r[i].first, (unsigned long long)r[i].last);
    }
    return out;
}

static void test_ranges(void **state)
{
    static const struct {
        const char *value, *want;
    } rows[] = {
        {"bytes=0-9", "0-9"},
        {"Bytes=0-9", "0-9"},
        {"bytes=0-", "0-99"},
        {"bytes=99-", "99-99"},
        {"bytes=0-999", "0-99"},
        {"bytes=0-18446744073709551616", "0-99"},
        {"bytes=-1", "99-99"},
        {"bytes=-100", "0-99"},
        {"bytes=-101", "0-99"},
        {"bytes=-99999999999999999999999", "0-99"},
        {"bytes=0-1,4-5", "0-1,4-5"},
        {"bytes= 0-1 ,\t4-5 ,,", "0-1,4-5"},
        {"bytes=0-0,-1", "0-0,99-99"},
        {"bytes=0-1,200-300", "0-1"},
        {"bytes=5-4,7-8", "7-8"},
        {"bytes=0-1,2-3", "0-1,2-3"},
        {"bytes=", "416"},
        {"bytes=,", "416"},
        {"bytes=-0", "416"},
        {"bytes=5-4", "416"},
        {"bytes=100-", "416"},
        {"bytes=18446744073709551616-", "416"},
        {"bytes=100-200,300-400", "416"},
        {"", "whole"},
        {"bytes", "whole"},
        {"bytes 0-1", "whole"},
        {"items=0-1", "whole"},
        {"bytes =0-1", "whole"},
        {"bytes=a-b", "whole"},
        {"bytes=0", "whole"},
        {"bytes=-", "whole"},
        {"bytes=--1", "whole"},
        {"bytes=+0-1", "whole"},
        {"bytes=0x0-1", "whole"},
        {"bytes=0 - 1", "whole"},
        {"bytes=0-1;2-3", "whole"},
        {"bytes=0-1,x", "whole"},
        {"bytes=0-5,5-9", "whole"},
        {"bytes=4-5,0-1", "whole"},
        {"bytes=0-,0-", "whole"},
        {"bytes=0-0,1-1,2-2,3-3,4-4", "whole"},
    };
    char out[200];
    (void)state;
    for (size_t i = 0; i < GW_COUNT(rows); i++) {
        const char *got = describe(rows[i].value, 100, 4, out);
        if (strcmp(got, rows[i].want) != 0)
            fprintf(stderr, "%s: expected %s, got %s\n", rows[i].value, rows[i].want, got);
        assert_string_equal(got, rows[i].want);
    }
    assert_string_equal(describe("bytes=0-", 0, 4, out), "416");
    assert_string_equal(describe("bytes=-5", 0, 4, out), "416");
}

/* 299 ranges are served, 300 are not: also when most of them lie behind the end. */
static void test_count(void **state)
{
    struct gw_buf b;
    char out[200];
    (void)state;
    gw_buf_init(&b, 1 << 16);
    for (unsigned beyond = 0; beyond < 2; beyond++) {
        gw_buf_clear(&b);
        gw_buf_add(&b, GW_STR("bytes=0-0"));
        for (unsigned i = 1; i < RANGE_COUNT_MAX + beyond; i++)
            gw_buf_printf(&b, ",%u-", 1000 + i);
        gw_buf_char(&b, '\0');
        assert_string_equal(describe(b.data, 100, 4, out), beyond ? "whole" : "0-0");
    }
    gw_buf_release(&b);
}

static void test_text(void **state)
{
    char out[RANGE_TEXT_MAX];
    struct range r = {0, UINT64_MAX - 1};
    (void)state;
    size_t n = range_format(out, r, UINT64_MAX);
    assert_true(
        gw_str_eq(gw_str(out, n), GW_STR("bytes 0-18446744073709551614/18446744073709551615")));
    n = range_format_unsatisfied(out, 100);
    assert_true(gw_str_eq(gw_str(out, n), GW_STR("bytes */100")));
}

static void test_content_range(void **state)
{
    static const char *const bad[] = {"",
                                      "bytes",
                                      "bytes 0-9",
                                      "bytes 0-9/*",
                                      "bytes */10",
                                      "bytes 9-0/10",
                                      "bytes 0-10/10",
                                      "items 0-9/10",
                                      "bytes 0-9/10x",
                                      "bytes /10",
                                      "bytes -/",
                                      "bytes 5/1-2"};
    struct range r = {7, 7};
    uint64_t size = 7;
    (void)state;
    for (size_t i = 0; i < GW_COUNT(bad); i++)
        assert_false(range_parse_content(gw_str_z(bad[i]), &r, &size));
    assert_int_equal(r.first + r.last + size, 21);
    assert_true(range_parse_content(GW_STR("bytes 0-9/10"), &r, &size));
    assert_int_equal(r.first, 0);
    assert_int_equal(r.last, 9);
    assert_int_equal(size, 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ranges),
        cmocka_unit_test(test_count),
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_content_range),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/base/buf.h"

static void assert_holds(const struct gw_buf *b, struct gw_str want)
{
    assert_int_equal(b->len, want.len);
    assert_true(gw_str_eq(gw_buf_str(b), want));
}

static void test_append(void **state)
{
    (void)state;
    struct gw_buf b;
    gw_buf_init(&b, 1 << 20);
    gw_buf_add(&b, GW_STR_EMPTY);
    gw_buf_printf(&b, "%s", "");
    assert_int_equal(b.len, 0);
    gw_buf_add(&b, GW_STR("a"));
    gw_buf_char(&b, '=');
    gw_buf_u64(&b, 0);
    gw_buf_char(&b, ' ');
    gw_buf_u64(&b, UINT64_MAX);
    gw_buf_printf(&b, " %s-%03d", "x", 7);
    assert_holds(&b, GW_STR("a=0 18446744073709551615 x-007"));
    gw_buf_clear(&b);
    for (int i = 0; i < 5000; i++)
        gw_buf_printf(&b, "%04d", i);
    assert_int_equal(b.len, 20000);
    assert_memory_equal(b.data + 4 * 4321, "4321", 4);
    assert_false(b.overflow);
    gw_buf_release(&b);
    assert_null(b.data);
}

static void test_ceiling(void **state)
{
    (void)state;
    for (size_t max = 0; max < 600; max++) {
        struct gw_buf b;
        gw_buf_init(&b, max);
        for (size_t i = 0; i < max; i++)
            gw_buf_printf(&b, "%c", 'x'); /* exactly full is not over */
        assert_false(b.overflow);
        assert_int_equal(b.len, max);
        gw_buf_char(&b, 'y');
        assert_true(b.overflow);
        assert_int_equal(b.len, max);
        assert_true(b.cap <= max);
        assert_null(gw_buf_reserve(&b, SIZE_MAX));
        gw_buf_release(&b);
    }
}

static void test_goes_on_after_overflow(void **state)
{
    (void)state;
    struct gw_buf b;
    gw_buf_init(&b, 4);
    gw_buf_add(&b, GW_STR("ab"));
    gw_buf_add(&b, GW_STR("long"));
    assert_true(b.overflow);
    gw_buf_printf(&b, "%d", 12345);
    gw_buf_add(&b, GW_STR("cd"));
    assert_holds(&b, GW_STR("abcd"));
    assert_true(b.overflow);
    gw_buf_clear(&b);
    assert_false(b.overflow);
    gw_buf_release(&b);
}

static void test_json(void **state)
{
    (void)state;
    static const struct {
        struct gw_str in, out;
    } cases[] = {
        {GW_STR(""), GW_STR("\"\"")},
        {GW_STR("plain text"), GW_STR("\"plain text\"")},
        {GW_STR("a\"b\\c/"), GW_STR("\"a\\\"b\\\\c/\"")},
        {GW_STR("\n\t\0\x1f\x7f"), GW_STR("\"\\u000a\\u0009\\u0000\\u001f\\u007f\"")},
        {GW_STR("\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"),
         GW_STR("\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\"")},
        {GW_STR("a\xffz"), GW_STR("\"a\xef\xbf\xbdz\"")},
        {GW_STR("\xed\xa0\x80"),
         GW_STR("\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"")}, /* surrogate */
        {GW_STR("\xc3"), GW_STR("\"\xef\xbf\xbd\"")},
        {GW_STR("\xc3\""), GW_STR("\"\xef\xbf\xbd\\\"\"")}, /* a cut sequence eats no quote */
    };
    for (size_t i = 0; i < GW_COUNT(cases); i++) {
        struct gw_buf b;
        gw_buf_init(&b, 1000);
        gw_buf_json(&b, cases[i].in);
        assert_holds(&b, cases[i].out);
        gw_buf_release(&b);
    }
}

static void test_consume(void **state)
{
    (void)state;
    struct gw_buf b;
    gw_buf_init(&b, 100);
    gw_buf_consume(&b, 5);
    gw_buf_add(&b, GW_STR("abcdef"));
    gw_buf_consume(&b, 0);
    gw_buf_consume(&b, 2);
    assert_holds(&b, GW_STR("cdef"));
    gw_buf_consume(&b, 99);
    assert_int_equal(b.len, 0);
    gw_buf_release(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_append),
        cmocka_unit_test(test_ceiling),
        cmocka_unit_test(test_goes_on_after_overflow),
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_consume),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

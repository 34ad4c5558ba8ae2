/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/base/json_out.h"

static void assert_written(const struct gw_buf *out, const char *expected)
{
    assert_int_equal(out->len, strlen(expected));
    assert_memory_equal(out->data, expected, out->len);
}

/* Every kind of value as the first member, the last one, and the element of a list. */
static void test_members(void **state)
{
    (void)state;
    struct gw_buf out;
    gw_buf_init(&out, 4096);
    gw_json_object(&out, NULL);
    gw_json_text(&out, "text", GW_STR("a\"b"));
    gw_json_u64(&out, "number", UINT64_MAX);
    gw_json_object(&out, "object");
    gw_json_bool(&out, "yes", true);
    gw_json_bool(&out, "no", false);
    gw_buf_char(&out, '}');
    gw_json_list(&out, "list");
    gw_json_null(&out, NULL);
    gw_json_u64(&out, NULL, 0);
    gw_json_list(&out, NULL);
    gw_buf_char(&out, ']');
    gw_json_object(&out, NULL);
    gw_buf_char(&out, '}');
    gw_json_text(&out, NULL, GW_STR_EMPTY);
    gw_buf_char(&out, ']');
    gw_json_null(&out, "null");
    gw_buf_char(&out, '}');
    assert_written(&out, "{\"text\":\"a\\\"b\",\"number\":18446744073709551615,"
                         "\"object\":{\"yes\":true,\"no\":false},"
                         "\"list\":[null,0,[],{},\"\"],\"null\":null}");
    gw_buf_release(&out);
}

/* The last byte decides, and no text of a visitor may decide it. */
static void test_text_that_ends_like_an_opening(void **state)
{
    (void)state;
    static const char *const texts[] = {"{", "[", ":", ",", "\\", "\""};
    for (size_t i = 0; i < GW_COUNT(texts); i++) {
        struct gw_buf out;
        gw_buf_init(&out, 4096);
        gw_json_list(&out, NULL);
        gw_json_text(&out, NULL, gw_str_z(texts[i]));
        size_t before = out.len;
        gw_json_u64(&out, NULL, 1);
        assert_int_equal(out.len, before + 2);
        assert_memory_equal(out.data + before, ",1", 2);
        gw_buf_release(&out);
    }
}

/* Values that others write: behind a name, and in a list. */
static void test_foreign_values(void **state)
{
    (void)state;
    struct gw_buf out;
    gw_buf_init(&out, 4096);
    gw_json_name(&out, "outer");
    gw_json_object(&out, NULL);
    gw_json_list(&out, "list");
    for (int i = 0; i < 2; i++) {
        gw_json_next(&out);
        gw_buf_printf(&out, "%d.5", i);
    }
    gw_buf_add(&out, GW_STR("]}"));
    assert_written(&out, "\"outer\":{\"list\":[0.5,1.5]}");
    gw_buf_release(&out);
}

/* A full buffer says so, and nothing is written behind its end. */
static void test_full(void **state)
{
    (void)state;
    char space[9];
    struct gw_buf out = gw_buf_over(space, sizeof(space));
    gw_json_object(&out, NULL);
    gw_json_u64(&out, "a", 1);
    assert_false(out.overflow);
    gw_json_u64(&out, "b", 2);
    assert_true(out.overflow);
    assert_true(out.len <= out.cap);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_members),
        cmocka_unit_test(test_text_that_ends_like_an_opening),
        cmocka_unit_test(test_foreign_values),
        cmocka_unit_test(test_full),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

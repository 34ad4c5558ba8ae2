/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/http/bytes.h"
#include "gateway/http/headers.h"
#include "gateway/http/method.h"

#define X(id, name) {name, sizeof(name) - 1},
static const struct gw_str listed[] = {{NULL, 0}, HEADER_NAMES(X)};
#undef X

static void change_case(struct gw_str in, char *out, bool upper)
{
    for (size_t i = 0; i < in.len; i++) {
        char c = gw_lower(in.ptr[i]);
        out[i] = upper && c >= 'a' && c <= 'z' ? (char)(c - 0x20) : c;
    }
}

static void test_every_name_is_found(void **state)
{
    (void)state;
    for (enum header_id id = 1; id < HEADER_COUNT; id++) {
        char text[64];
        assert_true(gw_str_eq(header_name(id), listed[id]));
        assert_int_equal(header_id_of(listed[id]), id);
        change_case(listed[id], text, true);
        assert_int_equal(header_id_of(gw_str(text, listed[id].len)), id);
        change_case(listed[id], text, false);
        assert_int_equal(header_id_of(gw_str(text, listed[id].len)), id);
        assert_true(id == 1 || listed[id - 1].len <= listed[id].len);
    }
}

/* One byte changed anywhere to anything but the letter's other case is another name. */
static void test_no_other_name_is_found(void **state)
{
    (void)state;
    for (enum header_id id = 1; id < HEADER_COUNT; id++) {
        char text[64];
        size_t len = listed[id].len;
        for (size_t at = 0; at < len; at++)
            for (unsigned byte = 0; byte < 256; byte++) {
                memcpy(text, listed[id].ptr, len);
                text[at] = (char)byte;
                bool same = gw_str_ieq(gw_str(text, len), listed[id]);
                assert_int_equal(header_id_of(gw_str(text, len)) == id, same);
            }
        assert_int_not_equal(header_id_of(gw_str(listed[id].ptr, len - 1)), id);
    }
    assert_int_equal(header_id_of(GW_STR_EMPTY), HEADER_OTHER);
    assert_int_equal(header_id_of(GW_STR("A-Name-That-Is-Longer-Than-All-Of-Them")), HEADER_OTHER);
}

static void test_byte_classes(void **state)
{
    (void)state;
    for (unsigned b = 0; b < 256; b++) {
        char c = (char)b;
        bool digit = b >= '0' && b <= '9', upper = b >= 'A' && b <= 'Z';
        bool alpha = upper || (b >= 'a' && b <= 'z');
        bool mark = b && b < 128;
        assert_int_equal(byte_is(c, BYTE_TOKEN),
                         alpha || digit || (mark && strchr("!#$%&'*+-.^_`|~", c)));
        assert_int_equal(byte_is(c, BYTE_METHOD), upper || c == '-' || c == '_');
        assert_int_equal(byte_is(c, BYTE_HOST), alpha || digit || (mark && strchr("-._", c)));
        assert_int_equal(byte_is(c, BYTE_UNRESERVED),
                         alpha || digit || (mark && strchr("-._~", c)));
        assert_int_equal(byte_is(c, BYTE_RESERVED), mark && strchr(":/?#[]@!$&'()*+,;=", c));
        assert_int_equal(byte_is(c, BYTE_HEX), gw_hex_value(c) >= 0);
    }
}

/* The wide loops against the plain definition: every byte, at every place of runs of all sizes. */
static void test_find_control(void **state)
{
    char data[40];
    (void)state;
    for (size_t len = 0; len <= sizeof(data); len++)
        for (size_t at = 0; at < len; at++)
            for (unsigned b = 0; b < 256; b++) {
                memset(data, 0xff, sizeof(data));
                data[at] = (char)b;
                bool control = b < 0x20 || b == 0x7f;
                assert_int_equal(bytes_find_control(data, len, 0), control ? at : len);
                if (len >= 8 && at < 8)
                    assert_int_equal(bytes_control(bytes_load(data)) != 0, control);
            }
}

static void test_list(void **state)
{
    struct gw_arena arena;
    struct headers h;
    size_t at = 0;
    (void)state;
    gw_arena_init(&arena, NULL, 0, 0);
    headers_init(&h, &arena, 40);
    assert_null(headers_get(&h, HEADER_HOST));
    assert_null(headers_find(&h, GW_STR("x")));
    assert_true(headers_add(&h, GW_STR("host"), GW_STR("a")));
    assert_true(headers_add(&h, GW_STR("X"), GW_STR("1")));
    assert_true(headers_add_id(&h, HEADER_COOKIE, GW_STR("c=1")));
    assert_true(headers_add(&h, GW_STR("x"), GW_STR("2")));
    assert_true(headers_add(&h, GW_STR("COOKIE"), GW_STR("c=2")));
    assert_true(gw_str_eq(*headers_get(&h, HEADER_HOST), GW_STR("a")));
    assert_true(gw_str_eq(*headers_find(&h, GW_STR("HOST")), GW_STR("a")));
    assert_true(gw_str_eq(*headers_find(&h, GW_STR("x")), GW_STR("1")));
    assert_true(gw_str_eq(h.items[2].name, GW_STR("Cookie")));
    assert_false(headers_has(&h, HEADER_DATE));
    assert_true(gw_str_eq(*headers_next(&h, HEADER_COOKIE, &at), GW_STR("c=1")));
    assert_true(gw_str_eq(*headers_next(&h, HEADER_COOKIE, &at), GW_STR("c=2")));
    assert_null(headers_next(&h, HEADER_COOKIE, &at));
    at = 0;
    assert_true(gw_str_eq(*headers_find_next(&h, GW_STR("x"), &at), GW_STR("1")));
    assert_true(gw_str_eq(*headers_find_next(&h, GW_STR("x"), &at), GW_STR("2")));
    assert_null(headers_find_next(&h, GW_STR("x"), &at));
    while (h.count < 40)
        assert_true(headers_add(&h, GW_STR("Y"), GW_STR("")));
    assert_false(headers_add(&h, GW_STR("Y"), GW_STR("")));
    assert_false(headers_reserve(&h, 41));
    assert_true(gw_str_eq(*headers_get(&h, HEADER_HOST), GW_STR("a")));
    gw_arena_clear(&arena);
}

static void test_full_arena(void **state)
{
    char block[64];
    struct gw_arena arena;
    struct headers h;
    (void)state;
    gw_arena_init(&arena, block, sizeof(block), 1);
    headers_init(&h, &arena, 100);
    assert_false(headers_reserve(&h, 50));
    assert_false(headers_add(&h, GW_STR("a"), GW_STR("b")));
    assert_int_equal(h.count, 0);
    gw_arena_clear(&arena);
}

static void test_valid(void **state)
{
    (void)state;
    assert_true(header_name_valid(GW_STR("X-A")));
    assert_false(header_name_valid(GW_STR("")));
    assert_false(header_name_valid(GW_STR("X A")));
    assert_false(header_name_valid(GW_STR("X:")));
    assert_true(header_value_valid(GW_STR("")));
    assert_true(header_value_valid(GW_STR("a\tb \xff long enough for the wide loop")));
    assert_false(header_value_valid(GW_STR("a\tb\r\nX: y")));
    assert_false(header_value_valid(GW_STR("a\0b")));
}

static void test_methods(void **state)
{
    (void)state;
    for (enum http_method m = METHOD_OTHER + 1; m < METHOD_COUNT; m++)
        assert_int_equal(http_method_of(http_method_name(m)), m);
    assert_int_equal(http_method_of(GW_STR("QUERY")), METHOD_OTHER);
    assert_int_equal(http_method_of(GW_STR("get")), METHOD_OTHER);
    assert_int_equal(http_method_of(GW_STR_EMPTY), METHOD_OTHER);
    assert_int_equal(http_method_name(METHOD_OTHER).len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_name_is_found),
        cmocka_unit_test(test_no_other_name_is_found),
        cmocka_unit_test(test_byte_classes),
        cmocka_unit_test(test_find_control),
        cmocka_unit_test(test_list),
        cmocka_unit_test(test_full_arena),
        cmocka_unit_test(test_valid),
        cmocka_unit_test(test_methods),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

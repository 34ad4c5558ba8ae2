/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "gateway/http/h1_write.h"

static void test_heads(void **state)
{
    struct gw_buf b;
    (void)state;
    gw_buf_init(&b, 1000);
    assert_true(h1_write_status(&b, 200, GW_STR_EMPTY));
    assert_true(h1_write_status(&b, 522, GW_STR_EMPTY));
    assert_true(h1_write_status(&b, 299, GW_STR("Odd")));
    assert_true(h1_write_status(&b, 799, GW_STR_EMPTY));
    assert_true(h1_write_request(&b, GW_STR("GET"), GW_STR("/a?b")));
    assert_true(h1_write_field(&b, GW_STR("X-A"), GW_STR("b\tc")));
    assert_true(h1_write_id(&b, HEADER_CF_RAY, GW_STR_EMPTY));
    h1_write_u64(&b, HEADER_CONTENT_LENGTH, UINT64_MAX);
    h1_write_end(&b);
    assert_true(gw_str_eq(gw_buf_str(&b), GW_STR("HTTP/1.1 200 OK\r\n"
                                                 "HTTP/1.1 522 Connection Timed Out\r\n"
                                                 "HTTP/1.1 299 Odd\r\n"
                                                 "HTTP/1.1 799 Unknown\r\n"
                                                 "GET /a?b HTTP/1.1\r\n"
                                                 "X-A: b\tc\r\n"
                                                 "CF-Ray: \r\n"
                                                 "Content-Length: 18446744073709551615\r\n"
                                                 "\r\n")));
    gw_buf_release(&b);
}

static void test_injection_is_refused(void **state)
{
    static const struct gw_str bad[] = {
        {"a\r\nX: y", 7}, {"a\n", 2}, {"a\r", 2}, {"a\0b", 3}, {"\x7f", 1}};
    struct gw_buf b;
    (void)state;
    gw_buf_init(&b, 1000);
    for (size_t i = 0; i < GW_COUNT(bad); i++) {
        assert_false(h1_write_field(&b, GW_STR("X"), bad[i]));
        assert_false(h1_write_field(&b, bad[i], GW_STR("x")));
        assert_false(h1_write_id(&b, HEADER_LOCATION, bad[i]));
        assert_false(h1_write_status(&b, 200, bad[i]));
        assert_false(h1_write_request(&b, bad[i], GW_STR("/")));
        assert_false(h1_write_request(&b, GW_STR("GET"), bad[i]));
    }
    assert_false(h1_write_request(&b, GW_STR("GET"), GW_STR("/a b")));
    assert_false(h1_write_request(&b, GW_STR("GET"), GW_STR("/a\tb")));
    assert_false(h1_write_request(&b, GW_STR("GET"), GW_STR("")));
    assert_false(h1_write_request(&b, GW_STR("G T"), GW_STR("/")));
    assert_false(h1_write_field(&b, GW_STR(""), GW_STR("x")));
    assert_false(h1_write_field(&b, GW_STR("X Y"), GW_STR("x")));
    assert_false(h1_write_field(&b, GW_STR("X:"), GW_STR("x")));
    assert_false(h1_write_status(&b, 99, GW_STR_EMPTY));
    assert_false(h1_write_status(&b, 1000, GW_STR_EMPTY));
    assert_int_equal(b.len, 0);
    gw_buf_release(&b);
}

/* A line that does not fit leaves no half of itself. */
static void test_full_buffer(void **state)
{
    struct gw_buf b;
    (void)state;
    gw_buf_init(&b, 10);
    assert_true(h1_write_field(&b, GW_STR("A"), GW_STR("b")));
    assert_true(h1_write_field(&b, GW_STR("C"), GW_STR("d")));
    assert_true(b.overflow);
    assert_true(gw_str_eq(gw_buf_str(&b), GW_STR("A: b\r\n")));
    gw_buf_release(&b);
}

static void test_chunk_lines(void **state)
{
    static const struct {
        uint64_t size;
        const char *line;
    } rows[] = {{1, "1\r\n"},
                {15, "f\r\n"},
                {16, "10\r\n"},
                {0x1a2b3, "1a2b3\r\n"},
                {UINT64_MAX, "ffffffffffffffff\r\n"}};
    char out[H1_CHUNK_LINE_MAX];
    (void)state;
    for (size_t i = 0; i < GW_COUNT(rows); i++)
        assert_true(
            gw_str_eq(gw_str(out, h1_chunk_line(out, rows[i].size)), gw_str_z(rows[i].line)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_heads),
        cmocka_unit_test(test_injection_is_refused),
        cmocka_unit_test(test_full_buffer),
        cmocka_unit_test(test_chunk_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

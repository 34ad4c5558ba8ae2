/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/session_h2_fields.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "gateway/base/buf.h"

static void expect(const struct h2_fields *f, const char *expected)
{
    char space[1024];
    struct gw_buf said = gw_buf_over(space, sizeof(space));
    for (size_t i = 0; i < f->count; i++)
        gw_buf_printf(&said, "%.*s=%.*s%s|", (int)f->items[i].namelen, (char *)f->items[i].name,
                      (int)f->items[i].valuelen, (char *)f->items[i].value,
                      f->items[i].flags & NGHTTP2_NV_FLAG_NO_INDEX ? "!" : "");
    said.data[said.len] = 0;
    assert_string_equal(said.data, expected);
}

static void test_lines(void **state)
{
    (void)state;
    struct h2_fields f;
    h2_fields_init(&f, 404);
    h2_fields_head(&f, GW_STR("HTTP/1.1 404 Not: Found\r\nX-A: b: c\r\n"));
    h2_fields_lines(&f, GW_STR_EMPTY);
    h2_fields_lines(&f, GW_STR("Empty: \r\nSet-Cookie: a=1\r\nCF-Ray: 1-FRA\r\n"));
    h2_fields_length(&f, 12345678901234567890u);
    expect(&f, ":status=404|X-A=b: c|Empty=|Set-Cookie=a=1!|CF-Ray=1-FRA!|"
               "content-length=12345678901234567890|");
    h2_fields_release(&f);
}

static void test_what_is_of_a_connection_is_left_out(void **state)
{
    (void)state;
    struct h2_fields f;
    h2_fields_init(&f, 200);
    h2_fields_lines(&f, GW_STR("Connection: upgrade\r\nUpgrade: websocket\r\nKeep-Alive: 5\r\n"
                               "TRANSFER-ENCODING: chunked\r\nProxy-Connection: x\r\n"
                               "Sec-WebSocket-Accept: y\r\nSec-WebSocket-Protocol: chat\r\n"));
    expect(&f, ":status=200|Sec-WebSocket-Protocol=chat|");
    h2_fields_release(&f);
}

static void test_a_long_list_grows(void **state)
{
    (void)state;
    struct h2_fields f;
    h2_fields_init(&f, 100);
    for (size_t i = 0; i < 300; i++)
        h2_fields_lines(&f, GW_STR("X: 1\r\n"));
    assert_int_equal(f.count, 301);
    assert_memory_equal(f.items[0].value, "100", 3);
    assert_memory_equal(f.items[300].name, "X", 1);
    h2_fields_release(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_what_is_of_a_connection_is_left_out),
        cmocka_unit_test(test_a_long_list_grows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

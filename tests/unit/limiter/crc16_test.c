/* SPDX-License-Identifier: Apache-2.0 */
/* Known answers: the check value of CRC-16/XMODEM, and slots as Redis itself deals them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "limiter/crc16.h"

static void known_answers(void **state)
{
    (void)state;
    assert_int_equal(crc16(GW_STR("123456789")), 0x31c3);
    assert_int_equal(crc16(GW_STR("")), 0);
    assert_int_equal(crc16(GW_STR("A")), 0x58e5);
    assert_int_equal(crc16(GW_STR("foo")) % 16384, 12182);
    assert_int_equal(crc16(GW_STR("bar")) % 16384, 5061);
    assert_int_equal(crc16(GW_STR("hello")) % 16384, 866);
}

/* The remainder itself, bit by bit, is the definition. */
static uint16_t by_definition(struct gw_str data)
{
    uint16_t crc = 0;
    for (size_t i = 0; i < data.len; i++) {
        crc ^= (uint16_t)((unsigned char)data.ptr[i] << 8);
        for (int bit = 0; bit < 8; bit++)
            crc = (uint16_t)(crc & 0x8000 ? crc << 1 ^ 0x1021 : crc << 1);
    }
    return crc;
}

static void every_byte_value(void **state)
{
    (void)state;
    char bytes[256];
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (char)i;
    for (size_t from = 0; from < sizeof(bytes); from += 7)
        for (size_t len = 0; from + len <= sizeof(bytes); len += 13)
            assert_int_equal(crc16(gw_str(bytes + from, len)),
                             by_definition(gw_str(bytes + from, len)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_answers),
        cmocka_unit_test(every_byte_value),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/base/ip.h"

static void test_parse_and_format(void **state)
{
    (void)state;
    static const struct {
        struct gw_str text;
        const char *canonical; /* NULL: no address */
    } cases[] = {
        {GW_STR("192.0.2.1"), "192.0.2.1"},
        {GW_STR("0.0.0.0"), "0.0.0.0"},
        {GW_STR("255.255.255.255"), "255.255.255.255"},
        {GW_STR("2001:DB8:0:0:0:0:0:1"), "2001:db8::1"},
        {GW_STR("2001:db8:0:1:1:1:1:1"), "2001:db8:0:1:1:1:1:1"}, /* one group is not shortened */
        {GW_STR("2001:0:0:1:0:0:0:1"), "2001:0:0:1::1"},          /* the longest run is */
        {GW_STR("::"), "::"},
        {GW_STR("::1"), "::1"},
        {GW_STR("::ffff:192.0.2.1"), "::ffff:192.0.2.1"},
        {GW_STR("fe80::1%eth0"), NULL},
        {GW_STR("192.0.2.01"), NULL}, /* leading zeros mean octal to some */
        {GW_STR("192.0.2.256"), NULL},
        {GW_STR("192.0.2"), NULL},
        {GW_STR("192.0.2.1."), NULL},
        {GW_STR(" 192.0.2.1"), NULL},
        {GW_STR("0x7f.1"), NULL},
        {GW_STR("2130706433"), NULL},
        {GW_STR("[::1]"), NULL},
        {GW_STR(":::"), NULL},
        {GW_STR("1:2:3:4:5:6:7:8:9"), NULL},
        {GW_STR("12345::"), NULL},
        {GW_STR(""), NULL},
        {GW_STR("::1\0"), NULL},
        {GW_STR("0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000"), NULL},
    };
    for (size_t i = 0; i < GW_COUNT(cases); i++) {
        struct gw_ip ip = {.family = 99};
        bool ok = gw_ip_parse(cases[i].text, &ip);
        assert_int_equal(ok, cases[i].canonical != NULL);
        if (!ok) {
            assert_int_equal(ip.family, 99);
            continue;
        }
        char text[GW_IP_TEXT_MAX];
        assert_int_equal(gw_ip_format(&ip, text), strlen(cases[i].canonical));
        assert_string_equal(text, cases[i].canonical);
    }
    struct gw_ip none = {0};
    char text[GW_IP_TEXT_MAX];
    assert_int_equal(gw_ip_format(&none, text), 0);
}

static struct gw_ip ip_of(const char *text)
{
    struct gw_ip ip;
    assert_true(gw_ip_parse(gw_str_z(text), &ip));
    return ip;
}

static void test_order(void **state)
{
    (void)state;
    static const char *const sorted[] = {"0.0.0.0", "9.0.0.0", "10.0.0.1", "255.0.0.0",
                                         "::",      "::1",     "2001::",   "ff00::"};
    for (size_t i = 0; i < GW_COUNT(sorted); i++)
        for (size_t j = 0; j < GW_COUNT(sorted); j++) {
            struct gw_ip a = ip_of(sorted[i]), b = ip_of(sorted[j]);
            int order = gw_ip_cmp(&a, &b);
            assert_int_equal((order > 0) - (order < 0), (i > j) - (i < j));
        }
}

static void test_mask(void **state)
{
    (void)state;
    static const struct {
        const char *ip;
        unsigned prefix;
        const char *masked;
    } cases[] = {
        {"255.255.255.255", 0, "0.0.0.0"},        {"255.255.255.255", 1, "128.0.0.0"},
        {"255.255.255.255", 23, "255.255.254.0"}, {"192.0.2.77", 24, "192.0.2.0"},
        {"192.0.2.77", 32, "192.0.2.77"},         {"ffff:ffff:ffff::1", 47, "ffff:ffff:fffe::"},
        {"2001:db8::1", 64, "2001:db8::"},        {"2001:db8::1", 128, "2001:db8::1"},
    };
    for (size_t i = 0; i < GW_COUNT(cases); i++) {
        struct gw_ip ip = ip_of(cases[i].ip), want = ip_of(cases[i].masked);
        struct gw_ip masked = gw_ip_mask(&ip, cases[i].prefix);
        assert_int_equal(gw_ip_cmp(&masked, &want), 0);
    }
}

static void test_cidr_parse(void **state)
{
    (void)state;
    static const struct {
        struct gw_str text;
        bool strict, lenient;
        const char *network;
        unsigned prefix;
    } cases[] = {
        {GW_STR("192.0.2.0/24"), true, true, "192.0.2.0", 24},
        {GW_STR("192.0.2.1/24"), false, true, "192.0.2.0", 24},
        {GW_STR("192.0.2.1"), true, true, "192.0.2.1", 32},
        {GW_STR("0.0.0.0/0"), true, true, "0.0.0.0", 0},
        {GW_STR("2001:db8::/32"), true, true, "2001:db8::", 32},
        {GW_STR("::1"), true, true, "::1", 128},
        {GW_STR("192.0.2.0/33"), false, false, NULL, 0},
        {GW_STR("::/129"), false, false, NULL, 0},
        {GW_STR("192.0.2.0/"), false, false, NULL, 0},
        {GW_STR("192.0.2.0/-1"), false, false, NULL, 0},
        {GW_STR("192.0.2.0/2x"), false, false, NULL, 0},
        {GW_STR("/24"), false, false, NULL, 0},
        {GW_STR(""), false, false, NULL, 0},
    };
    for (size_t i = 0; i < GW_COUNT(cases); i++) {
        struct gw_cidr block;
        assert_int_equal(gw_cidr_parse(cases[i].text, false, &block), cases[i].strict);
        assert_int_equal(gw_cidr_parse(cases[i].text, true, &block), cases[i].lenient);
        if (!cases[i].lenient)
            continue;
        struct gw_ip want = ip_of(cases[i].network);
        assert_int_equal(gw_ip_cmp(&block.ip, &want), 0);
        assert_int_equal(block.prefix, cases[i].prefix);
    }
}

static void test_cidr_has(void **state)
{
    (void)state;
    static const struct {
        const char *block, *ip;
        bool has;
    } cases[] = {
        {"192.0.2.0/24", "192.0.2.255", true},
        {"192.0.2.0/24", "192.0.3.0", false},
        {"192.0.2.128/25", "192.0.2.128", true},
        {"192.0.2.128/25", "192.0.2.127", false},
        {"192.0.2.4/31", "192.0.2.5", true},
        {"192.0.2.4/31", "192.0.2.6", false},
        {"192.0.2.4", "192.0.2.4", true},
        {"192.0.2.4", "192.0.2.5", false},
        {"0.0.0.0/0", "255.1.2.3", true},
        {"0.0.0.0/0", "::", false},
        {"::/0", "2001:db8::1", true},
        {"::/0", "192.0.2.1", false},
        {"::ffff:0:0/96", "192.0.2.1", false},
        {"::ffff:0:0/96", "::ffff:192.0.2.1", true},
        {"2001:db8::/33", "2001:db8:7fff::", true},
        {"2001:db8::/33", "2001:db8:8000::", false},
        {"2001:db8::1", "2001:db8::1", true},
        {"2001:db8::1", "2001:db8::2", false},
    };
    for (size_t i = 0; i < GW_COUNT(cases); i++) {
        struct gw_cidr block;
        assert_true(gw_cidr_parse(gw_str_z(cases[i].block), false, &block));
        struct gw_ip ip = ip_of(cases[i].ip);
        assert_int_equal(gw_cidr_has(&block, &ip), cases[i].has);
    }
}

static void test_loopback(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool loopback;
    } cases[] = {{"127.0.0.1", true},  {"127.255.0.9", true},      {"::1", true},
                 {"128.0.0.1", false}, {"126.9.9.9", false},       {"::", false},
                 {"::2", false},       {"::ffff:127.0.0.1", false}};
    for (size_t i = 0; i < GW_COUNT(cases); i++) {
        struct gw_ip ip;
        assert_true(gw_ip_parse(gw_str_z(cases[i].text), &ip));
        assert_int_equal(gw_ip_is_loopback(&ip), cases[i].loopback);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse_and_format),
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_mask),
        cmocka_unit_test(test_cidr_parse),
        cmocka_unit_test(test_cidr_has),
        cmocka_unit_test(test_loopback),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>

#include "gateway/net/address.h"

static void test_parse(void **state)
{
    static const struct {
        const char *text, *want; /* NULL: refused */
    } cases[] = {
        {"127.0.0.1:8081", "127.0.0.1:8081"},
        {"[::1]:80", "[::1]:80"},
        {"localhost:1", "127.0.0.1:1"},
        {":8081", "127.0.0.1:8081"},
        {"unix:/run/a", "unix:/run/a"},
        {"unix:", NULL},
        {"127.0.0.1", NULL},
        {"127.0.0.1:", NULL},
        {"127.0.0.1:0", NULL},
        {"127.0.0.1:65536", NULL},
        {"example.com:80", NULL},
        {"", NULL},
        {"http://127.0.0.1:80", NULL},
    };
    (void)state;
    for (size_t i = 0; i < GW_COUNT(cases); i++) {
        struct net_address address;
        char text[NET_ADDRESS_TEXT_MAX];
        bool ok = net_address_parse(gw_str_z(cases[i].text), &address);
        if (ok != (cases[i].want != NULL))
            fail_msg("%s", cases[i].text);
        if (!ok)
            continue;
        net_address_format(&address, text);
        assert_string_equal(text, cases[i].want);
    }
}

/* The longest path that fits, and one byte more: an abstract or cut name would be another place. */
static void test_https(void **state)
{
    static const struct {
        const char *text, *host; /* NULL: plain */
        bool ok;
    } cases[] = {
        {"127.0.0.1:8081", NULL, true},
        {"unix:/run/x", NULL, true},
        {"https://127.0.0.1:8081", "127.0.0.1", true},
        {"https://[2001:db8::1]:8081", "2001:db8::1", true},
        {"https://localhost:8081", "localhost", true},
        {"https://:8081", "localhost", true},
        {"https://unix:/run/x", "localhost", true},
        {"https://", NULL, false},
        {"https://127.0.0.1", NULL, false},
        {"https://127.0.0.1:8081/", NULL, false},
        {"https://edge.example.test:8081", NULL, false},
        {"http://127.0.0.1:8081", NULL, false},
    };
    (void)state;
    for (size_t i = 0; i < GW_COUNT(cases); i++) {
        struct net_address address;
        struct gw_str host;
        if (net_address_parse_https(gw_str_z(cases[i].text), &address, &host) != cases[i].ok ||
            !gw_str_eq(host, gw_str_z(cases[i].host)) || !host.ptr != !cases[i].host)
            fail_msg("%s", cases[i].text);
    }
}

static void test_unix_path(void **state)
{
    (void)state;
    struct net_address address;
    char path[sizeof(address.un.sun_path)];
    memset(path, 'p', sizeof(path));
    assert_int_equal(net_address_unix(gw_str(path, sizeof(path)), &address), -ENAMETOOLONG);
    assert_int_equal(net_address_unix(gw_str(path, sizeof(path) - 1), &address), 0);
    assert_true(net_address_is_unix(&address));
    assert_int_equal(net_address_port(&address), 0);
    assert_int_equal(net_address_to_ip(&address).family, GW_IP_NONE);
}

/* A listener on "::" hands out IPv4 visitors as ::ffff:a.b.c.d; rules and limiters see a.b.c.d. */
static void test_mapped(void **state)
{
    (void)state;
    char text[NET_ADDRESS_TEXT_MAX];
    struct net_address address;
    assert_true(net_address_parse(GW_STR("[::ffff:192.0.2.7]:80"), &address));
    assert_int_equal(net_address_to_ip(&address).family, GW_IP_V4);
    net_address_format(&address, text);
    assert_string_equal(text, "192.0.2.7:80");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_https),
        cmocka_unit_test(test_unix_path),
        cmocka_unit_test(test_mapped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "limiter/key.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/http/headers.h"

static struct gw_ip ip_of(const char *text)
{
    struct gw_ip ip;
    assert_true(gw_ip_parse(gw_str_z(text), &ip));
    return ip;
}

static struct limiter_key *compile(const char *text)
{
    struct limiter_key_error error;
    struct limiter_key *key = limiter_key_compile(gw_str_z(text), &error);
    if (!key)
        print_error("%s: %s\n", text, error.message);
    assert_non_null(key);
    return key;
}

static void assert_renders(const char *text, const struct limiter_subject *who, const char *expect)
{
    char out[LIMITER_KEY_MAX];
    struct limiter_key *key = compile(text);
    struct gw_str got = limiter_key_render(key, who, out);
    if (!gw_str_eq(got, gw_str_z(expect)))
        print_error("%s: got %.*s\n", text, GW_STR_ARG(got));
    assert_true(gw_str_eq(got, gw_str_z(expect)));
    limiter_key_free(key);
}

static void parts_render(void **state)
{
    (void)state;
    char block[4096];
    struct gw_arena arena;
    struct headers headers;
    gw_arena_init(&arena, block, sizeof(block), 1 << 16);
    headers_init(&headers, &arena, 16);
    assert_true(headers_add(&headers, GW_STR("Cookie"), GW_STR("a=1; session_id=s7")));
    assert_true(headers_add(&headers, GW_STR("X-Api-Key"), GW_STR("k9")));
    const struct limiter_subject who = {.ip = ip_of("203.0.113.77"),
                                        .user = GW_STR("u1"),
                                        .host = GW_STR("ci.hub-evolution.com"),
                                        .path = GW_STR("/api/tools"),
                                        .headers = &headers};
    static const struct {
        const char *text, *expect;
    } cases[] = {
        {"${ip}:${user}", "203.0.113.77:u1"},
        {"${ip/24}", "203.0.113.0/24"},
        {"${ip/32}", "203.0.113.77"},
        {"${ip/64}", "203.0.113.77"},
        {"${cookie:session_id}|${cookie:none}|", "s7||"},
        {"${header:x-api-key}${header:X-None}", "k9"},
        {"${host}${path}", "ci.hub-evolution.com/api/tools"},
        {"all", "all"},
        {"$5 {x} ${user}", "$5 {x} u1"},
    };
    for (size_t i = 0; i < GW_COUNT(cases); i++)
        assert_renders(cases[i].text, &who, cases[i].expect);
    gw_arena_clear(&arena);
}

static void addresses_of_both_families(void **state)
{
    (void)state;
    const struct limiter_subject who = {.ip = ip_of("2001:db8:1:2:3:4:5:6")};
    assert_renders("${ip}:${user}", &who, "2001:db8:1:2:3:4:5:6:anonymous");
    assert_renders("${ip/64}", &who, "2001:db8:1:2::/64");
    assert_renders("${ip/48}", &who, "2001:db8:1::/48");
    /* A template written for IPv4 must not let an IPv6 client hop within its network. */
    assert_renders("${ip/24}", &who, "2001:db8:1:2::/64");
    const struct limiter_subject text = {.ip = ip_of("::1"), .ip_text = GW_STR("as given")};
    assert_renders("${ip}", &text, "as given");
    const struct limiter_subject nobody = {0};
    assert_renders("${ip}:${user}:${host}${cookie:a}", &nobody, ":anonymous:");
}

static void malformed_templates_say_where(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t at, width;
        const char *message;
    } cases[] = {
        {"", 0, 1, "a key template has 1 to 512 bytes"},
        {"${ip", 0, 4, "\"${\" without \"}\""},
        {"a${ipp}", 3, 3, "unknown key part \"ipp\"; did you mean ${ip}?"},
        {"${ip/0}", 5, 1, "\"0\" is not a number of network bits (1 to 128)"},
        {"${ip/129}", 5, 3, "\"129\" is not a number of network bits (1 to 128)"},
        {"${ip:x}", 2, 4, "${ip} takes nothing more"},
        {"${user}${cookie}", 9, 6, "${cookie:NAME} needs a name"},
        {"${header:}", 2, 7, "${header:NAME} needs a name"},
        {"${header:a b}", 2, 10, "${header:NAME} needs a name"},
    };
    for (size_t i = 0; i < GW_COUNT(cases); i++) {
        struct limiter_key_error error;
        assert_null(limiter_key_compile(gw_str_z(cases[i].text), &error));
        assert_string_equal(error.message, cases[i].message);
        assert_int_equal(error.at, cases[i].at);
        assert_int_equal(error.width, cases[i].width);
    }
}

static void too_many_parts_are_refused(void **state)
{
    (void)state;
    char text[LIMITER_KEY_MAX];
    struct limiter_key_error error;
    size_t len = 0;
    for (int i = 0; i < LIMITER_KEY_PARTS_MAX + 1; i++, len += 5)
        memcpy(text + len, "${ip}", 5);
    assert_null(limiter_key_compile(gw_str(text, len), &error));
}

static void a_long_key_ends_in_a_hash(void **state)
{
    (void)state;
    static char path[2000];
    memset(path, 'a', sizeof(path));
    path[0] = '/';
    struct limiter_subject who = {.user = GW_STR("u"), .path = gw_str(path, 600)};
    struct limiter_key *key = compile("${user}${path}");
    char first[LIMITER_KEY_MAX], second[LIMITER_KEY_MAX];
    assert_int_equal(limiter_key_render(key, &who, first).len, LIMITER_KEY_MAX);
    assert_true(first[0] == 'u' && first[1] == '/' && first[LIMITER_KEY_MAX - 33] == '~');
    who.path.len = 601;
    assert_int_equal(limiter_key_render(key, &who, second).len, LIMITER_KEY_MAX);
    assert_memory_not_equal(first, second, LIMITER_KEY_MAX);
    assert_memory_equal(first, second, LIMITER_KEY_MAX - 32);
    who.path.len = LIMITER_KEY_MAX - 1; /* fits exactly */
    struct gw_str whole = limiter_key_render(key, &who, second);
    assert_int_equal(whole.len, LIMITER_KEY_MAX);
    assert_int_equal(second[LIMITER_KEY_MAX - 33], 'a');
    limiter_key_free(key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_render),
        cmocka_unit_test(addresses_of_both_families),
        cmocka_unit_test(malformed_templates_say_where),
        cmocka_unit_test(too_many_parts_are_refused),
        cmocka_unit_test(a_long_key_ends_in_a_hash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/admin_auth.h"

struct headers_in {
    const char *name, *value;
};

/* Runs one check with up to three headers. */
static enum admin_verdict check(const struct config_admin *config, const char *host,
                                const struct headers_in *in, bool local, bool open)
{
    char space[1024];
    struct gw_arena arena;
    struct h1_message request = {.host.name = gw_str_z(host)};
    gw_arena_init(&arena, space, sizeof(space), 0);
    headers_init(&request.headers, &arena, 8);
    for (size_t i = 0; i < 3 && in && in[i].name; i++)
        assert_true(headers_add(&request.headers, gw_str_z(in[i].name), gw_str_z(in[i].value)));
    const struct admin_auth auth = {
        .request = &request, .config = config, .peer_is_local = local, .open = open};
    enum admin_verdict verdict = admin_auth_check(&auth);
    gw_arena_clear(&arena);
    return verdict;
}

static struct config_admin listening_at(const char *ip)
{
    struct config_admin config = {.enabled = true};
    if (*ip)
        assert_true(gw_ip_parse(gw_str_z(ip), &config.address.ip));
    return config;
}

static void test_host(void **state)
{
    static const struct {
        const char *bound, *host;
        enum admin_verdict want;
    } cases[] = {
        {"127.0.0.1", "127.0.0.1", ADMIN_AUTH_OK},
        {"127.0.0.1", "localhost", ADMIN_AUTH_OK},
        {"127.0.0.1", "edge.localhost", ADMIN_AUTH_OK},
        {"127.0.0.1", "127.1.2.3", ADMIN_AUTH_OK},
        {"127.0.0.1", "[::1]", ADMIN_AUTH_OK},
        {"127.0.0.1", "", ADMIN_AUTH_OK},
        {"127.0.0.1", "example.com", ADMIN_AUTH_HOST},
        {"127.0.0.1", "notlocalhost", ADMIN_AUTH_HOST},
        {"127.0.0.1", "localhost.example.com", ADMIN_AUTH_HOST},
        {"127.0.0.1", "127.0.0.1.example.com", ADMIN_AUTH_HOST},
        {"127.0.0.1", "192.0.2.1", ADMIN_AUTH_HOST},
        {"127.0.0.1", "[2001:db8::1]", ADMIN_AUTH_HOST},
        {"192.0.2.1", "192.0.2.1", ADMIN_AUTH_OK},
        {"192.0.2.1", "192.0.2.2", ADMIN_AUTH_HOST},
        {"2001:db8::1", "[2001:db8::1]", ADMIN_AUTH_OK},
        {"0.0.0.0", "192.0.2.9", ADMIN_AUTH_OK},
        {"0.0.0.0", "gateway", ADMIN_AUTH_HOST},
        {"::", "[2001:db8::1]", ADMIN_AUTH_OK},
        {"", "anything.example", ADMIN_AUTH_OK}, /* a Unix socket */
    };
    (void)state;
    for (size_t i = 0; i < GW_COUNT(cases); i++) {
        struct config_admin config = listening_at(cases[i].bound);
        enum admin_verdict got = check(&config, cases[i].host, NULL, true, false);
        if (got != cases[i].want)
            fail_msg("bound %s, Host %s: %d", cases[i].bound, cases[i].host, (int)got);
    }
}

static void test_origin(void **state)
{
    static const char *const origins[] = {"http://example.com", "null", "http://127.0.0.1:8081",
                                          ""};
    (void)state;
    struct config_admin config = listening_at("127.0.0.1"), unix_socket = listening_at("");
    for (size_t i = 0; i < GW_COUNT(origins); i++) {
        const struct headers_in in[] = {{"Origin", origins[i]}, {NULL, NULL}};
        assert_int_equal(check(&config, "127.0.0.1", in, true, false), ADMIN_AUTH_ORIGIN);
        assert_int_equal(check(&config, "127.0.0.1", in, true, true), ADMIN_AUTH_ORIGIN);
        assert_int_equal(check(&unix_socket, "x", in, true, false), ADMIN_AUTH_ORIGIN);
    }
}

static void test_own_page(void **state)
{
    static const struct {
        const char *name, *host, *origin, *field;
        enum admin_verdict want;
    } cases[] = {
        {"127.0.0.1", "127.0.0.1:8081", "http://127.0.0.1:8081", "1", ADMIN_AUTH_OK},
        {"localhost", "localhost:8081", "http://localhost:8081", "1", ADMIN_AUTH_OK},
        {"127.0.0.1", "127.0.0.1:8081", "http://127.0.0.1:8081", NULL, ADMIN_AUTH_ORIGIN},
        {"127.0.0.1", "127.0.0.1:8081", "http://127.0.0.1:3000", "1", ADMIN_AUTH_ORIGIN},
        {"127.0.0.1", "127.0.0.1:8081", "https://127.0.0.1:8081", "1", ADMIN_AUTH_ORIGIN},
        {"rebound.example", "rebound.example:8081", "http://rebound.example:8081", "1",
         ADMIN_AUTH_HOST},
    };
    (void)state;
    struct config_admin config = listening_at("127.0.0.1"), unix_socket = listening_at("");
    for (size_t i = 0; i < GW_COUNT(cases); i++) {
        const struct headers_in in[] = {{"Host", cases[i].host},
                                        {"Origin", cases[i].origin},
                                        {cases[i].field ? "X-Nearedge-Inspector" : "X-Other", "1"},
                                        {NULL, NULL}};
        assert_int_equal(check(&config, cases[i].name, in, true, false), cases[i].want);
        assert_int_equal(check(&unix_socket, cases[i].name, in, true, false), ADMIN_AUTH_ORIGIN);
    }
}

static void test_token(void **state)
{
    static const struct {
        const char *authorization;
        enum admin_verdict want;
    } cases[] = {
        {NULL, ADMIN_AUTH_MISSING},          {"Bearer s3cret", ADMIN_AUTH_OK},
        {"bearer s3cret", ADMIN_AUTH_OK},    {"Bearer  s3cret", ADMIN_AUTH_OK},
        {"Bearer s3cre", ADMIN_AUTH_TOKEN},  {"Bearer s3cretx", ADMIN_AUTH_TOKEN},
        {"Bearer S3cret", ADMIN_AUTH_TOKEN}, {"Bearer", ADMIN_AUTH_MALFORMED},
        {"Bearer ", ADMIN_AUTH_MALFORMED},   {"Basic s3cret", ADMIN_AUTH_MALFORMED},
        {"s3cret", ADMIN_AUTH_MALFORMED},    {"", ADMIN_AUTH_MALFORMED},
    };
    (void)state;
    struct config_admin config = listening_at("127.0.0.1");
    config.token = GW_STR("s3cret");
    for (size_t i = 0; i < GW_COUNT(cases); i++) {
        const struct headers_in in[] = {{"Authorization", cases[i].authorization}, {NULL, NULL}};
        const struct headers_in *sent = cases[i].authorization ? in : NULL;
        /* Being local does not replace a token that is configured. */
        assert_int_equal(check(&config, "localhost", sent, true, false), cases[i].want);
        assert_int_equal(check(&config, "localhost", sent, false, false), cases[i].want);
        assert_int_equal(check(&config, "localhost", sent, false, true), ADMIN_AUTH_OK);
    }
}

static void test_key_pair(void **state)
{
    static const struct {
        struct headers_in in[4];
        enum admin_verdict want;
    } cases[] = {
        {{{"X-Auth-Email", "Me@example.com"}, {"X-Auth-Key", "k3y"}}, ADMIN_AUTH_OK},
        {{{"X-Auth-Email", "me@example.com"}, {"X-Auth-Key", "key"}}, ADMIN_AUTH_KEY},
        {{{"X-Auth-Email", "you@example.com"}, {"X-Auth-Key", "k3y"}}, ADMIN_AUTH_KEY},
        {{{"X-Auth-Key", "k3y"}}, ADMIN_AUTH_MISSING},
        {{{NULL, NULL}}, ADMIN_AUTH_MISSING},
        {{{"X-Auth-Email", "me@example.com"}, {"X-Auth-Key", "k3y"}, {"Authorization", "Bearer x"}},
         ADMIN_AUTH_TOKEN}, /* Authorization wins */
    };
    (void)state;
    struct config_admin config = listening_at("127.0.0.1");
    config.api_email = GW_STR("me@example.com");
    config.api_key = GW_STR("k3y");
    for (size_t i = 0; i < GW_COUNT(cases); i++)
        assert_int_equal(check(&config, "localhost", cases[i].in, true, false), cases[i].want);
    config.token = GW_STR("s3cret");
    config.api_key = config.api_email = GW_STR_EMPTY; /* an empty key is no key */
    const struct headers_in empty[] = {{"X-Auth-Email", ""}, {"X-Auth-Key", ""}, {NULL, NULL}};
    assert_int_equal(check(&config, "localhost", empty, true, false), ADMIN_AUTH_KEY);
}

static void test_no_secret(void **state)
{
    (void)state;
    struct config_admin config = listening_at("127.0.0.1");
    assert_int_equal(check(&config, "localhost", NULL, true, false), ADMIN_AUTH_OK);
    assert_int_equal(check(&config, "localhost", NULL, false, false), ADMIN_AUTH_REMOTE);
    assert_int_equal(check(&config, "localhost", NULL, false, true), ADMIN_AUTH_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_host),     cmocka_unit_test(test_origin),
        cmocka_unit_test(test_own_page), cmocka_unit_test(test_token),
        cmocka_unit_test(test_key_pair), cmocka_unit_test(test_no_secret)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

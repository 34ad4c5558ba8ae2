/* SPDX-License-Identifier: Apache-2.0 */
#include "config/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#include "config/json.h"

#define ORIGIN "\"origin\": \"http://127.0.0.1:9000\""
#define ZONES  "\"zones\": [{ \"name\": \"a.example\", " ORIGIN " }]"

static struct config *load(const char *text, const struct config_overrides *o, struct gw_diags *d)
{
    gw_diags_init(d);
    return config_load_text(&(struct gw_source){"t.json", gw_str_z(text)}, o, d);
}

/* For texts that must load; *warnings as many as expected. */
static struct config *load_good(const char *text, size_t warnings)
{
    struct gw_diags d;
    struct config *config = load(text, NULL, &d);
    if (!config || d.warnings != warnings) {
        gw_diags_print(&d, stderr, false);
        fail_msg("%s", text);
    }
    gw_diags_release(&d);
    return config;
}

/* The one message that the text gives. */
static void expect_message(const char *text, const char *part)
{
    struct gw_diags d;
    config_free(load(text, NULL, &d));
    if (d.count != 1 || !strstr(d.items[0].message, part)) {
        gw_diags_print(&d, stderr, false);
        fail_msg("expected \"%s\" for %s", part, text);
    }
    gw_diags_release(&d);
}

static void assert_text(struct gw_str text, const char *expected)
{
    if (!gw_str_eq(text, gw_str_z(expected)))
        fail_msg("\"%.*s\" is not \"%s\"", GW_STR_ARG(text), expected);
    assert_int_equal(text.ptr[text.len], '\0');
}

static void check_global_defaults(const struct config *c)
{
    assert_int_equal(c->listen_count, 1);
    assert_text(c->listen[0].address.text, "127.0.0.1:8080");
    assert_int_equal(c->listen[0].address.port, 8080);
    assert_int_equal(c->listen[0].visitor_port, 80);
    assert_text(c->listen[0].edge_name, "FRA");
    assert_int_equal(c->edge_count, 1);
    assert_text(c->edges[0].country, "DE");
    assert_text(c->edges[0].continent, "EU");
    assert_int_equal(c->edges[0].isolates, 1);
    assert_false(c->admin.enabled);
    assert_int_equal(c->workers, 0);
    assert_int_equal(c->clock, GW_CLOCK_SYSTEM);
    assert_text(c->server_header, "cloudflare");
    assert_true(c->cache.max_size == 256u << 20);
    assert_true(c->cache.max_object_size == 512000000);
    assert_int_equal(c->limiter.backend.kind, CONFIG_BACKEND_EMBEDDED);
    assert_int_equal(c->limiter.on_backend_failure, CONFIG_FAIL_MEMORY);
    assert_int_equal(c->limiter.kv.cache_ttl_s, 60);
    assert_true(c->limiter.kv.negative_cache);
    assert_int_equal(c->limiter.kv.writes_per_key_per_second, 1);
    assert_int_equal(c->timeouts.header_ms, 15000);
    assert_int_equal(c->timeouts.idle_ms, 400000);
    assert_true(c->limits.uri_size == 16384);
    assert_true(c->limits.body_size == 100000000);
    assert_int_equal(c->log.access, CONFIG_LOG_STDOUT);
    assert_int_equal(c->log.level, GW_LOG_INFO);
}

static void check_zone_defaults(const struct config_zone *z)
{
    assert_int_equal(z->plan, CONFIG_PLAN_FREE);
    assert_int_equal(z->host_count, 1);
    assert_text(z->hosts[0], "a.example");
    assert_false(z->any_host);
    assert_text(z->origin.host, "127.0.0.1");
    assert_int_equal(z->origin.port, 9000);
    assert_true(z->origin.host_is_ip);
    assert_text(z->origin.authority, "127.0.0.1:9000");
    assert_int_equal(z->origin.host_header.len, 0);
    assert_int_equal(z->origin.connect_timeout_ms, 19000);
    assert_int_equal(z->origin.read_timeout_ms, 120000);
    assert_int_equal(z->origin.write_timeout_ms, 30000);
    assert_int_equal(z->origin.idle_timeout_ms, 900000);
    assert_true(z->origin.tls.verify);
    assert_int_equal(z->settings.browser_cache_ttl, 14400);
    assert_int_equal(z->settings.cache_level, CONFIG_CACHE_AGGRESSIVE);
    assert_int_equal(z->settings.url_normalization.scope, CONFIG_URL_INCOMING);
    assert_true(z->settings.origin_cache_control);
    assert_int_equal(z->settings.ssl, CONFIG_SSL_FLEXIBLE);
    assert_int_equal(z->user_from.kind, CONFIG_USER_NONE);
    assert_null(z->limiters.ptr);
    assert_int_equal(z->ruleset_count, 0);
}

static void what_is_not_said_has_its_default(void **state)
{
    (void)state;
    struct config *c = load_good("{" ZONES "}", 0);
    check_global_defaults(c);
    check_zone_defaults(&c->zones[0]);
    config_free(c);
    config_free(NULL);
}

static void zone_ids_follow_from_names(void **state)
{
    (void)state;
    struct config *a = load_good("{" ZONES "}", 0);
    struct config *b = load_good("{\"zones\": [{\"name\": \"A.Example\", " ORIGIN "},"
                                 "{\"name\": \"b.example\", " ORIGIN "}]}",
                                 0);
    assert_int_equal(a->zones[0].id.len, 32);
    assert_true(gw_str_eq(a->zones[0].id, b->zones[0].id));
    assert_false(gw_str_eq(b->zones[0].id, b->zones[1].id));
    assert_text(a->zones[0].id, "b609433a7fe3f281ce61f2499604d9fa");
    config_free(a);
    config_free(b);
}

static void listeners_stand_for_public_ports(void **state)
{
    (void)state;
    struct config *c = load_good(
        "{\"listen\": [\":0\", {\"address\": \"[::1]:0\", \"visitor_scheme\": \"https\", \"edge\": "
        "\"AMS\"}, {\"address\": \"unix:/run/x.sock\", \"visitor_port\": 8443}],"
        "\"edges\": [{\"name\": \"FRA\", \"country\": \"DE\"}, {\"name\": \"AMS\", \"country\": "
        "\"NL\"}, {\"name\": \"SIN\", \"country\": \"SG\"}]," ZONES "}",
        0);
    assert_int_equal(c->listen_count, 3);
    assert_int_equal(c->listen[0].address.ip.family, GW_IP_V4);
    assert_int_equal(c->listen[0].visitor_port, 80);
    assert_int_equal(c->listen[0].edge, 0);
    assert_int_equal(c->listen[1].address.ip.family, GW_IP_V6);
    assert_int_equal(c->listen[1].visitor_port, 443);
    assert_true(c->listen[1].visitor_https);
    assert_int_equal(c->listen[1].edge, 1);
    assert_text(c->listen[2].address.unix_path, "/run/x.sock");
    assert_int_equal(c->listen[2].visitor_port, 8443);
    assert_text(c->edges[2].continent, "AS");
    config_free(c);
}

static void origins_say_their_scheme_or_leave_it_open(void **state)
{
    (void)state;
    static const struct {
        const char *url, *authority;
        enum config_scheme scheme;
        uint16_t port, tls_port;
    } cases[] = {
        {"http://h", "h", CONFIG_SCHEME_HTTP, 80, 443},
        {"https://h", "h", CONFIG_SCHEME_HTTPS, 443, 443},
        {"https://h:9443/", "h:9443", CONFIG_SCHEME_HTTPS, 9443, 9443},
        {"https://h:80", "h:80", CONFIG_SCHEME_HTTPS, 80, 80},
        {"http://h:443", "h:443", CONFIG_SCHEME_HTTP, 443, 443},
        {"//h", "h", CONFIG_SCHEME_OPEN, 80, 443},
        {"//[::1]:81", "[::1]:81", CONFIG_SCHEME_OPEN, 81, 81},
    };
    for (size_t i = 0; i < GW_COUNT(cases); i++) {
        char text[256];
        snprintf(text, sizeof(text), "{\"zones\": [{\"name\": \"a\", \"origin\": \"%s\"}]}",
                 cases[i].url);
        struct config *c = load_good(text, 0);
        const struct config_origin *o = &c->zones[0].origin.servers[0];
        assert_int_equal(o->scheme, cases[i].scheme);
        assert_int_equal(o->port, cases[i].port);
        assert_int_equal(o->tls_port, cases[i].tls_port);
        assert_true(o->tls.verify); /* what the mode makes of it is decided for each request */
        assert_text(o->authority, cases[i].authority);
        config_free(c);
    }
}

static void listeners_have_one_certificate_or_several(void **state)
{
    (void)state;
    struct config *c = load_good(
        "{\"listen\": [\":0\", {\"address\": \":1\", \"tls\": {\"local_ca\": true}}, {\"address\": "
        "\":2\", \"tls\": [{\"local_ca\": true, \"local_ca_dir\": \"x\"}, {\"local_ca\": "
        "true}]}]," ZONES "}",
        0);
    assert_int_equal(c->listen[0].tls_count, 0);
    assert_false(c->listen[0].visitor_https);
    assert_int_equal(c->listen[1].tls_count, 1);
    assert_true(c->listen[1].tls[0].local_ca);
    assert_true(c->listen[1].visitor_https);
    assert_int_equal(c->listen[1].visitor_port, 443);
    assert_int_equal(c->listen[2].tls_count, 2);
    assert_null(c->listen[1].tls[0].local_ca_dir.ptr);
    assert_non_null(c->listen[2].tls[0].local_ca_dir.ptr);
    config_free(c);
    expect_message("{\"listen\": [{\"address\": \":1\", \"tls\": []}]," ZONES "}", "is empty");
    expect_message("{\"listen\": [{\"address\": \":1\", \"tls\": true}]," ZONES "}",
                   "must be an array");
    expect_message("{\"listen\": [{\"address\": \":1\", \"h2c\": true, \"tls\": {\"local_ca\": "
                   "true}}]," ZONES "}",
                   "without TLS");
}

static void backends_are_taken_apart(void **state)
{
    (void)state;
    static const struct {
        const char *url, *host, *user, *password, *unix_path;
        unsigned port, db;
    } cases[] = {
        {"redis://127.0.0.1", "127.0.0.1", NULL, NULL, NULL, 6379, 0},
        {"redis://Redis.example:7000/3", "redis.example", NULL, NULL, NULL, 7000, 3},
        {"redis://:${T_PASS}@[::1]:6380/", "::1", NULL, "p@ss", NULL, 6380, 0},
        {"redis://app:${T_PASS}@r", "r", "app", "p@ss", NULL, 6379, 0},
        {"redis+unix:///run/redis.sock?db=2", NULL, NULL, NULL, "/run/redis.sock", 0, 2},
        {"redis+cluster://:${T_PASS}@One:7000,[::1]:7001,three/0", "one", NULL, "p@ss", NULL, 7000,
         0},
    };
    setenv("T_PASS", "p@ss", 1);
    for (size_t i = 0; i < GW_COUNT(cases); i++) {
        char text[512];
        snprintf(text, sizeof(text), "{\"limiter\": {\"backend\": \"%s\"}, " ZONES "}",
                 cases[i].url);
        struct config *c = load_good(text, 0);
        const struct config_backend *b = &c->limiter.backend;
        assert_int_equal(b->kind, CONFIG_BACKEND_REDIS);
        assert_true(gw_str_eq(b->host, gw_str_z(cases[i].host)));
        assert_true(gw_str_eq(b->user, gw_str_z(cases[i].user)));
        assert_true(gw_str_eq(b->password, gw_str_z(cases[i].password)));
        assert_true(gw_str_eq(b->unix_path, gw_str_z(cases[i].unix_path)));
        assert_int_equal(b->port, cases[i].port);
        assert_int_equal(b->db, cases[i].db);
        config_free(c);
    }
    unsetenv("T_PASS");
}

static void sizes_take_units(void **state)
{
    (void)state;
    static const struct {
        const char *json;
        uint64_t bytes;
    } cases[] = {
        {"4096", 4096},       {"\"4096\"", 4096},     {"\"1B\"", 1},
        {"\"3KB\"", 3000},    {"\"3KiB\"", 3072},     {"\"2 MiB\"", 2 << 20},
        {"\"5MB\"", 5000000}, {"\"1GiB\"", 1u << 30}, {"\"2GB\"", 2000000000},
        {"\"0\"", 0},
    };
    for (size_t i = 0; i < GW_COUNT(cases); i++) {
        char text[256];
        snprintf(text, sizeof(text), "{\"cache\": {\"max_size\": %s}, " ZONES "}", cases[i].json);
        struct config *c = load_good(text, 0);
        assert_true(c->cache.max_size == cases[i].bytes);
        config_free(c);
    }
    expect_message("{\"cache\": {\"max_size\": \"18446744073709551615GB\"}, " ZONES "}",
                   "must be a size");
    expect_message("{\"cache\": {\"max_size\": -1}, " ZONES "}", "must be a size");
}

static void variables_and_files_expand(void **state)
{
    (void)state;
    char path[] = "/tmp/nearedge-config-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "from file\n\n", 11), 11);
    close(fd);
    setenv("T_SET", "set", 1);
    setenv("T_EMPTY", "", 1);
    setenv("T_NUMBER", "7", 1);
    setenv("T_INJECT", "\", \"workers\": 3, \"x\": \"", 1);
    setenv("T_FILE", path, 1);
    static const struct {
        const char *text, *expected;
    } cases[] = {
        {"${T_SET}", "set"},
        {"a${T_SET}b${T_SET}", "asetbset"},
        {"${T_SET:-other}", "set"},
        {"${T_UNSET:-other}", "other"},
        {"${T_EMPTY:-other}", "other"},
        {"x${T_EMPTY}", "x"},
        {"${T_UNSET:-}y", "y"},
        {"$T_SET $ 5", "$T_SET $ 5"},
        {"$${T_SET}", "${T_SET}"},
        {"${T_INJECT}", "\", \"workers\": 3, \"x\": \""},
    };
    for (size_t i = 0; i < GW_COUNT(cases); i++) {
        char text[256];
        snprintf(text, sizeof(text), "{\"server_header\": \"%s\", " ZONES "}", cases[i].text);
        struct config *c = load_good(text, 0);
        assert_text(c->server_header, cases[i].expected);
        assert_int_equal(c->workers, 0);
        config_free(c);
    }
    char text[256];
    snprintf(text, sizeof(text), "{\"admin\": {\"token\": \"${file:%s}\"}, " ZONES "}", path);
    struct config *c = load_good(text, 0);
    assert_text(c->admin.token, "from file\n");
    config_free(c);
    c = load_good(
        "{\"workers\": \"${T_NUMBER}\", \"debug_headers\": \"${T_UNSET:-true}\", " ZONES "}", 0);
    assert_int_equal(c->workers, 7);
    assert_true(c->debug_headers);
    config_free(c);
    unlink(path);
}

static void checks_work_without_secrets(void **state)
{
    (void)state;
    static const char text[] =
        "{\"admin\": {\"address\": \"0.0.0.0:1\", \"token\": \"${T_UNSET}\"},"
        "\"limiter\": {\"backend\": \"redis://:${file:/nonexistent}@h\"}, " ZONES "}";
    struct gw_diags d;
    assert_null(load(text, NULL, &d));
    assert_int_equal(d.errors, 2);
    assert_int_equal(d.items[0].column, 46);
    assert_int_equal(d.items[0].width, strlen("${T_UNSET}"));
    gw_diags_release(&d);
    struct config *c = load(text, &(struct config_overrides){.lenient_secrets = true}, &d);
    assert_non_null(c);
    assert_int_equal(d.warnings, 3); /* and that the token is not encrypted */
    assert_int_equal(c->admin.token.len, 0);
    assert_non_null(c->admin.token.ptr);
    gw_diags_release(&d);
    config_free(c);
}

static void doubtful_settings_are_warnings(void **state)
{
    (void)state;
    expect_message("{\"admin\": {\"token\": \"literal\"}, " ZONES "}", "stands in the file");
    expect_message("{\"admin\": {\"address\": \"*:1\", \"token\": \"${T_UNSET:-x}\"}, " ZONES "}",
                   "travels in clear text");
    expect_message("{\"limiter\": {\"backend\": \"redis://:pw@h\"}, " ZONES "}",
                   "the password stands in the file");
    expect_message("{\"zones\": [{\"name\": \"a\", " ORIGIN
                   ", \"settings\": {\"always_online\": \"on\"}}]}",
                   "\"always_online\" is accepted, but not simulated");
    expect_message("{\"zones\": [{\"name\": \"a\", \"origin\": {\"url\": \"https://h\", \"tls\": "
                   "{\"verify\": false}}}]}",
                   "lets anybody");
    config_free(
        load_good("{\"limiter\": {\"kv\": {\"read_ms\": 0}}, \"zones\": [{\"name\": \"a\", " ORIGIN
                  ", \"settings\": {\"always_online\": \"off\"}}]}",
                  0));
}

static void all_errors_come_at_once(void **state)
{
    (void)state;
    struct gw_diags d;
    assert_null(load("{\"workers\": -1,\n\"clock\": 5,\n\"cach\": {},\n\"edges\": [{\"name\": "
                     "\"fra\", \"country\": \"DE\"}],\n\"log\": {\"level\": null, \"mask\": [1]},\n"
                     "\"zones\": [{}, {\"name\": true, \"origin\": {\"port\": 1}}]}",
                     NULL, &d));
    static const unsigned lines[] = {3, 1, 2, 4, 6, 6, 6, 6, 6, 5, 5};
    assert_int_equal(d.errors, GW_COUNT(lines));
    for (size_t i = 0; i < GW_COUNT(lines); i++)
        assert_int_equal(d.items[i].line, lines[i]);
    gw_diags_release(&d);
}

static void the_plan_can_be_replaced(void **state)
{
    (void)state;
    struct gw_diags d;
    struct config *c = load("{" ZONES "}", &(struct config_overrides){.plan = "enterprise"}, &d);
    assert_non_null(c);
    assert_int_equal(c->zones[0].plan, CONFIG_PLAN_ENTERPRISE);
    assert_false(c->zones[0].settings.origin_cache_control);
    config_free(c);
    gw_diags_release(&d);
    assert_null(load("{" ZONES "}", &(struct config_overrides){.plan = "gold"}, &d));
    assert_int_equal(d.errors, 1);
    gw_diags_release(&d);
}

static void flags_are_a_configuration(void **state)
{
    (void)state;
    static const char *const hosts[] = {"B.example, c.example", "*", NULL};
    static const char *const rules[] = {SOURCE_DIR "/config/examples/rulesets/cache.json", NULL};
    struct config_flags flags = {.origin = "http://[::1]",
                                 .hosts = hosts,
                                 .rules = rules,
                                 .limiters = SOURCE_DIR "/config/examples/limiters.json",
                                 .plan = "business",
                                 .listen = "127.0.0.1:0",
                                 .admin = "127.0.0.1:0"};
    struct gw_diags d;
    gw_diags_init(&d);
    struct config *c = config_from_flags(&flags, &d);
    assert_non_null(c);
    assert_null(c->path.ptr);
    assert_true(c->admin.enabled);
    assert_int_equal(c->listen[0].address.port, 0);
    const struct config_zone *z = &c->zones[0];
    assert_text(z->name, "b.example");
    assert_int_equal(z->host_count, 3);
    assert_text(z->hosts[1], "c.example");
    assert_true(z->any_host);
    assert_text(z->origin.authority, "[::1]");
    assert_text(z->rulesets[0], rules[0]);
    assert_text(z->limiters, flags.limiters);
    assert_int_equal(z->plan, CONFIG_PLAN_BUSINESS);
    config_free(c);

    flags.origin = "127.0.0.1:9000";
    assert_null(config_from_flags(&flags, &d));
    assert_string_equal(d.items[0].file, "command line");
    flags.origin = NULL;
    assert_null(config_from_flags(&flags, &d));
    assert_int_equal(d.errors, 2);
    gw_diags_release(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_said_has_its_default),
        cmocka_unit_test(zone_ids_follow_from_names),
        cmocka_unit_test(listeners_stand_for_public_ports),
        cmocka_unit_test(origins_say_their_scheme_or_leave_it_open),
        cmocka_unit_test(listeners_have_one_certificate_or_several),
        cmocka_unit_test(backends_are_taken_apart),
        cmocka_unit_test(sizes_take_units),
        cmocka_unit_test(variables_and_files_expand),
        cmocka_unit_test(checks_work_without_secrets),
        cmocka_unit_test(doubtful_settings_are_warnings),
        cmocka_unit_test(all_errors_come_at_once),
        cmocka_unit_test(the_plan_can_be_replaced),
        cmocka_unit_test(flags_are_a_configuration),
    };
    return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}

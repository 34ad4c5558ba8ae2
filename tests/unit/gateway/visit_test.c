/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/visit.h"

/* Two edges, one zone, one trusted block. */
struct world {
    struct gw_arena arena;
    struct config config;
    struct config_edge config_edges[2];
    struct snapshot_edge edges[2];
    struct config_zone zone;
    struct snapshot_zone zones[1];
    struct gw_cidr trusted[1];
    struct snapshot snapshot;
    struct h1_message request;
};

static void world_init(struct world *w)
{
    *w = (struct world){
        .config_edges = {{.name = GW_STR("FRA"), .country = GW_STR("DE"), .isolates = 2},
                         {.name = GW_STR("AMS"), .country = GW_STR("NL"), .isolates = 3}},
        .zone = {.name = GW_STR("example.test"), .origin.host = GW_STR("origin.test")},
        .request = {.method = GW_STR("GET"), .method_id = METHOD_GET, .minor = 1},
    };
    gw_arena_init(&w->arena, NULL, 0, 0);
    assert_true(gw_cidr_parse(GW_STR("10.0.0.0/8"), false, &w->trusted[0]));
    w->config.trusted_proxies = w->trusted;
    w->config.trusted_proxy_count = 1;
    for (size_t i = 0; i < 2; i++)
        w->edges[i].config = &w->config_edges[i];
    w->zones[0].config = &w->zone;
    w->snapshot = (struct snapshot){.config = &w->config,
                                    .zones = w->zones,
                                    .zone_count = 1,
                                    .edges = w->edges,
                                    .edge_count = 2};
    gw_map_init(&w->snapshot.hosts);
    gw_map_put(&w->snapshot.hosts, GW_STR("www.example.test"), &w->zones[0]);
    headers_init(&w->request.headers, &w->arena, 16);
}

static void world_release(struct world *w)
{
    gw_map_release(&w->snapshot.hosts);
    gw_arena_clear(&w->arena);
}

static void add(struct world *w, const char *name, const char *value)
{
    assert_true(headers_add(&w->request.headers, gw_str_z(name), gw_str_z(value)));
}

static void test_client(void **state)
{
    static const struct {
        const char *peer, *connecting, *forwarded, *want;
        bool trusted;
    } cases[] = {
        {"192.0.2.1", NULL, NULL, "192.0.2.1", false},
        {"192.0.2.1", "198.51.100.1", "198.51.100.2", "192.0.2.1", false},
        {"10.0.0.1", NULL, NULL, "10.0.0.1", true},
        {"10.0.0.1", "198.51.100.1", "198.51.100.2", "198.51.100.1", true},
        {"10.0.0.1", "nonsense", "198.51.100.2", "198.51.100.2", true},
        {"10.0.0.1", NULL, "203.0.113.1, 198.51.100.2, 10.0.0.9", "198.51.100.2", true},
        {"10.0.0.1", NULL, "10.0.0.3, 10.0.0.9", "10.0.0.3", true},
        {"10.0.0.1", NULL, "x, ,", "10.0.0.1", true},
    };
    (void)state;
    for (size_t i = 0; i < GW_COUNT(cases); i++) {
        struct world w;
        struct gw_ip peer;
        bool trusted;
        char text[GW_IP_TEXT_MAX];
        world_init(&w);
        assert_true(gw_ip_parse(gw_str_z(cases[i].peer), &peer));
        if (cases[i].connecting)
            add(&w, "CF-Connecting-IP", cases[i].connecting);
        if (cases[i].forwarded)
            add(&w, "X-Forwarded-For", cases[i].forwarded);
        struct gw_ip ip = visit_client(&w.config, &w.request.headers, &peer, &trusted);
        text[gw_ip_format(&ip, text)] = 0;
        if (strcmp(text, cases[i].want) || trusted != cases[i].trusted)
            fail_msg("case %zu: %s", i, text);
        world_release(&w);
    }
}

static void test_place(void **state)
{
    static const struct {
        const char *edge, *isolate;
        bool trusted;
        size_t want_edge;
        uint32_t want_isolate;
    } cases[] = {
        {NULL, NULL, true, 0, 1},  {"AMS", NULL, true, 1, 2},        {"AMS", "4", true, 1, 1},
        {"AMS", "4", false, 0, 1}, {"QQQ", "0", true, 0, 0},         {"ams", NULL, true, 0, 1},
        {NULL, "-1", true, 0, 1},  {NULL, "4294967295", true, 0, 1},
    };
    (void)state;
    for (size_t i = 0; i < GW_COUNT(cases); i++) {
        struct world w;
        size_t edge = 0;
        uint32_t isolate = 5; /* of the connection: any number */
        world_init(&w);
        if (cases[i].edge)
            add(&w, "X-Nearedge-Edge", cases[i].edge);
        if (cases[i].isolate)
            add(&w, "X-Nearedge-Isolate", cases[i].isolate);
        visit_place(&w.snapshot, &w.request.headers, cases[i].trusted, &edge, &isolate);
        if (edge != cases[i].want_edge || isolate != cases[i].want_isolate)
            fail_msg("case %zu: %zu %u", i, edge, isolate);
        world_release(&w);
    }
}

static void test_zone(void **state)
{
    static const struct {
        enum http_method method;
        const char *host, *loop;
        unsigned want;
        bool zone;
    } cases[] = {
        {METHOD_GET, "www.example.test", NULL, 0, true},
        {METHOD_OTHER, "www.example.test", "other; x=1, fastly", 0, true},
        {METHOD_GET, "www.example.test", "other, CloudFlare; x=1", 403, true},
        {METHOD_GET, "www.other.test", NULL, 404, false},
        {METHOD_TRACE, "www.example.test", NULL, 405, false},
        {METHOD_CONNECT, "www.example.test", NULL, 405, false},
    };
    (void)state;
    for (size_t i = 0; i < GW_COUNT(cases); i++) {
        struct world w;
        const struct snapshot_zone *zone = NULL;
        world_init(&w);
        w.request.method_id = cases[i].method;
        w.request.host.name = gw_str_z(cases[i].host);
        if (cases[i].loop)
            add(&w, "CDN-Loop", cases[i].loop);
        assert_int_equal(visit_zone(&w.snapshot, &w.request, &zone), cases[i].want);
        assert_int_equal(zone != NULL, cases[i].zone);
        world_release(&w);
    }
}

static void test_normalise(void **state)
{
    static const struct {
        enum config_url_norm_type type;
        enum config_url_norm_scope scope;
        const char *path, *query;
    } cases[] = {
        {CONFIG_URL_RFC3986, CONFIG_URL_INCOMING, "/b//c%5Cd", "q=A"},
        {CONFIG_URL_CLOUDFLARE, CONFIG_URL_BOTH, "/b/c/d", "q=A"},
        {CONFIG_URL_CLOUDFLARE, CONFIG_URL_NONE, "/a/../%62//c\\d", "q=%41"},
    };
    (void)state;
    for (size_t i = 0; i < GW_COUNT(cases); i++) {
        struct world w;
        struct url url = {.path = GW_STR("/a/../%62//c\\d"), .query = GW_STR("q=%41")};
        struct gw_str path, query;
        world_init(&w);
        w.zone.settings.url_normalization.type = cases[i].type;
        w.zone.settings.url_normalization.scope = cases[i].scope;
        assert_true(visit_normalise(&w.zone, &url, &w.arena, &path, &query));
        if (!gw_str_eq(path, gw_str_z(cases[i].path)) ||
            !gw_str_eq(query, gw_str_z(cases[i].query)))
            fail_msg("case %zu: %.*s ? %.*s", i, GW_STR_ARG(path), GW_STR_ARG(query));
        world_release(&w);
    }
}

static void test_subject(void **state)
{
    static const struct {
        enum config_user_kind kind;
        const char *name, *want;
    } cases[] = {
        {CONFIG_USER_NONE, "sid", ""},       {CONFIG_USER_COOKIE, "sid", "eve"},
        {CONFIG_USER_COOKIE, "other", ""},   {CONFIG_USER_HEADER, "x-user", "bob"},
        {CONFIG_USER_HEADER, "x-other", ""},
    };
    (void)state;
    for (size_t i = 0; i < GW_COUNT(cases); i++) {
        struct world w;
        world_init(&w);
        add(&w, "Cookie", "a=1; sid=eve");
        add(&w, "X-User", "bob");
        w.zone.user_from = (struct config_user_from){cases[i].kind, gw_str_z(cases[i].name)};
        const struct visit v = {.zone = &w.zones[0], .request = &w.request, .path = GW_STR("/p")};
        struct limiter_subject who = visit_subject(&v);
        assert_true(gw_str_eq(who.user, gw_str_z(cases[i].want)));
        assert_true(gw_str_eq(who.path, GW_STR("/p")));
        world_release(&w);
    }
}

/* The scheme towards the origin is the visitor's only where the zone speaks TLS to it. */
static void test_cache_view(void **state)
{
    struct world w;
    (void)state;
    world_init(&w);
    struct visit v = {.zone = &w.zones[0],
                      .edge = &w.config_edges[1],
                      .request = &w.request,
                      .country = GW_STR("JP"),
                      .https = true,
                      .port = 8443};
    w.zone.settings.ssl = CONFIG_SSL_FLEXIBLE;
    assert_false(visit_cache(&v).origin_https);
    w.zone.settings.ssl = CONFIG_SSL_FULL;
    struct cache_request request = visit_cache(&v);
    assert_true(request.origin_https);
    assert_true(gw_str_eq(request.edge, GW_STR("AMS")));
    assert_true(gw_str_eq(request.country, GW_STR("JP")));
    assert_int_equal(request.port, 8443);
    v.https = false;
    assert_false(visit_cache(&v).origin_https);
    world_release(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_client),  cmocka_unit_test(test_place),
        cmocka_unit_test(test_zone),    cmocka_unit_test(test_normalise),
        cmocka_unit_test(test_subject), cmocka_unit_test(test_cache_view),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

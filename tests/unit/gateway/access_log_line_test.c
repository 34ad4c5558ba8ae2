/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "config/json.h"
#include "gateway/access_log_line.h"
#include "gateway/exchange.h"

/* An exchange as it is when its log line is written. */
struct fixture {
    struct exchange x;
    struct config_edge edge;
    struct snapshot_edge edges[1];
    struct snapshot snapshot;
    struct worker_snapshot ws;
    struct config_zone zone_config;
    struct snapshot_zone zone;
    struct limiter limiter;
    struct limiter_route route;
    struct gw_arena arena;
    struct config_log settings;
    struct gw_buf out;
};

static int set_up(void **state)
{
    struct fixture *f = gw_zalloc(sizeof(*f));
    f->edge.name = GW_STR("FRA");
    f->edges[0].config = &f->edge;
    f->snapshot.edges = f->edges;
    f->snapshot.edge_count = 1;
    f->ws.snapshot = &f->snapshot;
    f->zone_config.name = GW_STR("example.test");
    f->zone.config = &f->zone_config;
    f->limiter.name = GW_STR("aiGenerate");
    f->route.limiter = &f->limiter;
    gw_arena_init(&f->arena, NULL, 0, 0);
    gw_buf_init(&f->out, 1 << 20);
    struct exchange *x = &f->x;
    x->ws = &f->ws;
    x->zone = &f->zone;
    memcpy(x->ray, "0123456789abcdef", 17);
    memcpy(x->client.ip_text, "192.0.2.7", 9);
    x->client.ip_text_len = 9;
    x->now.date_ms = 784111777042; /* 1994-11-06T08:49:37.042Z */
    x->request.method = GW_STR("GET");
    x->request.minor = 1;
    x->request.host.name = GW_STR("www.example.test");
    x->request.url.path = GW_STR("/a");
    headers_init(&x->request.headers, &f->arena, 16);
    x->status = 200;
    x->responded = true;
    x->bytes_sent = 1234;
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    gw_arena_clear(&f->arena);
    gw_buf_release(&f->out);
    free(f);
    return 0;
}

/* The line, without its line feed. */
static struct gw_str write_line(struct fixture *f, uint64_t took_us)
{
    struct access_line line;
    access_line_init(&line, &f->settings);
    gw_buf_clear(&f->out);
    access_line_write(&line, &f->x, took_us, &f->out);
    assert_false(f->out.overflow);
    assert_true(f->out.len <= ACCESS_LINE_MAX);
    assert_int_equal(gw_str_chr(gw_buf_str(&f->out), '\n'), f->out.len - 1);
    return gw_str_first(gw_buf_str(&f->out), f->out.len - 1);
}

static struct json_doc *parse_line(struct fixture *f)
{
    const struct gw_source source = {"line", write_line(f, 2500)};
    struct gw_diags diags;
    gw_diags_init(&diags);
    struct json_doc *doc = json_parse(&source, &diags);
    gw_diags_release(&diags);
    assert_non_null(doc);
    return doc;
}

static void assert_text(const struct json_doc *doc, const char *name, const char *want)
{
    const struct json *v = json_get(json_root(doc), name);
    assert_non_null(v);
    struct gw_str text = json_str(v);
    if (!gw_str_eq(text, gw_str_z(want)))
        fail_msg("%s is \"%.*s\", not \"%s\"", name, GW_STR_ARG(text), want);
}

static void assert_number(const struct json_doc *doc, const char *name, double want)
{
    const struct json *v = json_get(json_root(doc), name);
    assert_non_null(v);
    assert_int_equal(json_type(v), JSON_NUMBER);
    assert_true(json_number(v) == want);
}

static void test_json(void **state)
{
    struct fixture *f = *state;
    struct exchange *x = &f->x;
    x->client.https = true;
    x->request.url.query = GW_STR("b=1&c");
    x->request.url.has_query = true;
    x->cache.status = CACHE_STATUS_REVALIDATED;
    x->origin_status = 304;
    x->origin_us = 17999;
    assert_true(headers_add_id(&x->request.headers, HEADER_USER_AGENT, GW_STR("say \"hi\"\\\xff")));
    assert_true(headers_add_id(&x->request.headers, HEADER_COOKIE, GW_STR("session=s3cret")));
    assert_true(headers_add_id(&x->request.headers, HEADER_AUTHORIZATION, GW_STR("Bearer s3cret")));
    struct json_doc *doc = parse_line(f);
    assert_text(doc, "RayID", "0123456789abcdef");
    assert_text(doc, "ClientIP", "192.0.2.7");
    assert_text(doc, "ClientRequestHost", "www.example.test");
    assert_text(doc, "ClientRequestMethod", "GET");
    assert_text(doc, "ClientRequestURI", "/a?b=1&c");
    assert_text(doc, "ClientRequestScheme", "https");
    assert_text(doc, "ClientRequestProtocol", "HTTP/1.1");
    assert_text(doc, "ClientSSLProtocol", "none"); /* something in front speaks TLS for this edge */
    assert_text(doc, "ClientSSLCipher", "NONE");
    assert_text(doc, "ClientRequestUserAgent", "say \"hi\"\\\xEF\xBF\xBD");
    assert_text(doc, "ClientRequestReferer", "");
    assert_text(doc, "EdgeStartTimestamp", "1994-11-06T08:49:37.042Z");
    assert_text(doc, "EdgeEndTimestamp", "1994-11-06T08:49:37.044Z");
    assert_number(doc, "EdgeResponseStatus", 200);
    assert_number(doc, "EdgeResponseBytes", 1234);
    assert_text(doc, "EdgeColoCode", "FRA");
    assert_text(doc, "CacheCacheStatus", "revalidated");
    assert_number(doc, "OriginResponseStatus", 304);
    assert_number(doc, "OriginResponseDurationMs", 17);
    assert_text(doc, "ZoneName", "example.test");
    assert_text(doc, "Limiter", "");
    assert_text(doc, "LimiterDecision", "");
    assert_text(doc, "LimiterKey", "");
    json_doc_free(doc);
    assert_int_equal(gw_str_find(gw_buf_str(&f->out), GW_STR("s3cret")), GW_NPOS);
}

/* A second later the cached date is another one. */
static void test_time_moves(void **state)
{
    struct fixture *f = *state;
    f->x.now.date_ms = 784111777999;
    struct json_doc *doc = parse_line(f);
    assert_text(doc, "EdgeStartTimestamp", "1994-11-06T08:49:37.999Z");
    assert_text(doc, "EdgeEndTimestamp", "1994-11-06T08:49:38.001Z");
    json_doc_free(doc);
}

/* A request that never was one: nothing is known of it. */
static void test_empty(void **state)
{
    struct fixture *f = *state;
    f->x.zone = NULL;
    memset(&f->x.request, 0, sizeof(f->x.request));
    f->x.status = 400;
    struct json_doc *doc = parse_line(f);
    assert_text(doc, "ClientRequestMethod", "");
    assert_text(doc, "ClientRequestURI", "");
    assert_text(doc, "CacheCacheStatus", "unknown");
    assert_text(doc, "ZoneName", "");
    assert_number(doc, "EdgeResponseStatus", 400);
    json_doc_free(doc);
    f->x.gone = true;
    f->x.responded = false;
    doc = parse_line(f);
    assert_number(doc, "EdgeResponseStatus", 499);
    json_doc_free(doc);
}

static void test_limiter(void **state)
{
    static const struct {
        struct limiter_verdict verdict;
        bool decided;
        const char *want;
    } cases[] = {{{.outcome = LIMITER_ADMIT}, true, "admit"},
                 {{.outcome = LIMITER_ADMIT, .would_deny = true}, true, "shadow_deny"},
                 {{.outcome = LIMITER_DENY}, true, "deny"},
                 {{.outcome = LIMITER_UNAVAILABLE}, true, "unavailable"},
                 {{.outcome = LIMITER_ADMIT}, false, "undecided"}};
    struct fixture *f = *state;
    f->x.limit.route = &f->route;
    f->x.limit.asked = true;
    f->x.limit.key_hash = 0x00ab00000000cdef;
    for (size_t i = 0; i < GW_COUNT(cases); i++) {
        f->x.limit.verdict = cases[i].verdict;
        f->x.limit.decided = cases[i].decided;
        struct json_doc *doc = parse_line(f);
        assert_text(doc, "Limiter", "aiGenerate");
        assert_text(doc, "LimiterDecision", cases[i].want);
        assert_text(doc, "LimiterKey", "00ab00000000cdef");
        json_doc_free(doc);
    }
}

static void test_mask(void **state)
{
    static const struct {
        const char *query, *want;
    } cases[] = {
        {"token=abc", "/a?token=***"},
        {"a=1&token=abc&b=2", "/a?a=1&token=***&b=2"},
        {"TOKEN=abc&tOkEn=", "/a?TOKEN=***&tOkEn=***"},
        {"%74oke%6E=abc", "/a?%74oke%6E=***"},
        {"token", "/a?token"},
        {"tokens=abc&atoken=abc", "/a?tokens=abc&atoken=abc"},
        {"token=a=b&api_key=%00", "/a?token=***&api_key=***"},
        {"&&token=x&", "/a?&&token=***&"},
        {"%7", "/a?%7"},
        {"token%=x&token%2=x", "/a?token%=x&token%2=x"},
        {"", "/a?"},
    };
    struct gw_str mask[] = {GW_STR("token"), GW_STR("api_key")};
    struct fixture *f = *state;
    f->settings.mask = mask;
    f->settings.mask_count = 2;
    f->x.request.url.has_query = true;
    for (size_t i = 0; i < GW_COUNT(cases); i++) {
        f->x.request.url.query = gw_str_z(cases[i].query);
        struct json_doc *doc = parse_line(f);
        assert_text(doc, "ClientRequestURI", cases[i].want);
        json_doc_free(doc);
    }
    assert_true(headers_add_id(&f->x.request.headers, HEADER_REFERER,
                               GW_STR("https://www.example.test/x?q=1&token=abc#top")));
    struct json_doc *doc = parse_line(f);
    assert_text(doc, "ClientRequestReferer", "https://www.example.test/x?q=1&token=***");
    json_doc_free(doc);
}

/* Whatever a client sends, the line stays under its ceiling, is valid, and hides its secret. */
static void test_long(void **state)
{
    struct gw_str mask[] = {GW_STR("token")};
    struct fixture *f = *state;
    size_t len = 100000;
    char *text = gw_alloc(len);
    f->settings.mask = mask;
    f->settings.mask_count = 1;
    for (int fill = 0; fill < 3; fill++) {
        memset(text,
               "\"\xff"
               "a"[fill],
               len);
        text[0] = '/';
        f->x.request.url.path = gw_str(text, fill == 2 ? 8190 : len);
        f->x.request.url.query = GW_STR("token=s3cret");
        f->x.request.url.has_query = true;
        headers_init(&f->x.request.headers, &f->arena, 16);
        assert_true(headers_add_id(&f->x.request.headers, HEADER_USER_AGENT, gw_str(text, len)));
        assert_true(headers_add_id(&f->x.request.headers, HEADER_REFERER, gw_str(text, len)));
        f->x.request.method = gw_str(text, len);
        f->x.request.host.name = gw_str(text, len);
        f->settings.format = CONFIG_LOG_JSON;
        struct json_doc *doc = parse_line(f);
        struct gw_str uri = json_str(json_get(json_root(doc), "ClientRequestURI"));
        assert_true(gw_str_ends(uri, GW_STR("…")));
        json_doc_free(doc);
        assert_int_equal(gw_str_find(gw_buf_str(&f->out), GW_STR("s3cret")), GW_NPOS);
        f->settings.format = CONFIG_LOG_COMMON;
        write_line(f, 0);
        assert_int_equal(gw_str_find(gw_buf_str(&f->out), GW_STR("s3cret")), GW_NPOS);
    }
    free(text);
}

static void test_combined(void **state)
{
    struct fixture *f = *state;
    f->settings.format = CONFIG_LOG_COMMON;
    assert_true(headers_add_id(&f->x.request.headers, HEADER_USER_AGENT, GW_STR("a\"b\\c\x01")));
    struct gw_str got = write_line(f, 0);
    struct gw_str want =
        GW_STR("192.0.2.7 - - [06/Nov/1994:08:49:37 +0000] \"GET /a HTTP/1.1\" 200 "
               "1234 \"-\" \"a\\x22b\\x5Cc\\x01\"");
    if (!gw_str_eq(got, want))
        fail_msg("%.*s", GW_STR_ARG(got));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {TEST(test_json),    TEST(test_time_moves), TEST(test_empty),
                                       TEST(test_limiter), TEST(test_mask),       TEST(test_long),
                                       TEST(test_combined)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

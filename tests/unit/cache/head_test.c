/* SPDX-License-Identifier: Apache-2.0 */
#include "cache/head.h"

#include "tests/unit/cache/fixture.h"

struct written {
    struct gw_arena arena;
    struct headers headers;
    struct cache_response response;
    struct cache_decision decision;
    struct gw_buf text;
    struct cache_head head;
};

static void written_init(struct written *w, int status, const char *fields)
{
    *w = (struct written){.decision.store = true};
    gw_arena_init(&w->arena, NULL, 0, 0);
    gw_buf_init(&w->text, CACHE_TEXT_MAX);
    w->headers = fixture_headers(&w->arena, fields);
    w->response = (struct cache_response){
        .status = (uint16_t)status, .headers = &w->headers, .length_known = true, .body_len = 100};
}

static void written_release(struct written *w)
{
    gw_buf_release(&w->text);
    gw_arena_clear(&w->arena);
}

static void write_head(struct written *w)
{
    assert_true(cache_head_write(&w->response, &w->decision, NOW_MS, &w->text, &w->head));
}

static struct gw_str part(const struct written *w, uint32_t from, uint32_t to)
{
    return gw_str(w->text.data + from, to - from);
}

static struct gw_str value(const struct written *w, struct cache_slice s)
{
    return gw_str(w->text.data + s.at, s.len);
}

static void test_order_of_parts(void **state)
{
    (void)state;
    struct written w;
    written_init(&w, 200,
                 "Content-Type: text/css\nCache-Control: max-age=5\nETag: \"x\"\nX-A: 1\n"
                 "Date: Tue, 14 Nov 2023 22:00:00 GMT\nCache-Control: public\nX-A: 2\n"
                 "Content-Encoding: gzip\nContent-Length: 7");
    write_head(&w);
    const struct cache_head *h = &w.head;
    assert_true(gw_str_eq(part(&w, 0, h->fields_at), GW_STR("HTTP/1.1 200 OK\r\n")));
    assert_true(gw_str_eq(part(&w, h->fields_at, h->content_at),
                          GW_STR("ETag: \"x\"\r\nX-A: 1\r\n"
                                 "Date: Tue, 14 Nov 2023 22:00:00 GMT\r\nX-A: 2\r\n")));
    assert_true(gw_str_eq(part(&w, h->content_at, h->control_at),
                          GW_STR("Content-Type: text/css\r\nContent-Encoding: gzip\r\n")));
    assert_true(gw_str_eq(part(&w, h->control_at, h->length_at),
                          GW_STR("Cache-Control: max-age=5\r\nCache-Control: public\r\n")));
    assert_true(gw_str_eq(part(&w, h->length_at, h->end), GW_STR("Content-Length: 100\r\n")));
    assert_true(gw_str_eq(value(&w, h->etag), GW_STR("\"x\"")));
    assert_true(gw_str_eq(value(&w, h->content_type), GW_STR("text/css")));
    assert_true(gw_str_eq(value(&w, h->cache_control), GW_STR("max-age=5, public")));
    assert_int_equal(h->last_modified.len, 0);
    written_release(&w);
}

static void test_what_is_left_out(void **state)
{
    (void)state;
    static const char *const gone[] = {"Connection: X-Hop",
                                       "X-Hop: 1",
                                       "Keep-Alive: timeout=5",
                                       "Age: 7",
                                       "Server: nginx",
                                       "CF-Ray: 1-FRA",
                                       "CF-Anything: 1",
                                       "Cache-Tag: a,b",
                                       "Cloudflare-CDN-Cache-Control: max-age=9",
                                       "ETag: unquoted",
                                       "X-Accel-Buffering: no",
                                       "Transfer-Encoding: chunked",
                                       "X-Secret: 1",
                                       "Set-Cookie: s=1"};
    struct written w;
    struct gw_buf fields;
    gw_buf_init(&fields, 10000);
    for (size_t i = 0; i < GW_COUNT(gone); i++)
        gw_buf_printf(&fields, "%s\n", gone[i]);
    gw_buf_printf(&fields, "CDN-Cache-Control: max-age=8\nLast-Modified: x\nDate: y%c", 0);
    written_init(&w, 200, fields.data);
    w.decision.strip_set_cookie = true;
    w.decision.drop[w.decision.drop_count++] = GW_STR("x-secret");
    write_head(&w);
    assert_true(
        gw_str_eq(part(&w, w.head.fields_at, w.head.length_at),
                  GW_STR("CDN-Cache-Control: max-age=8\r\nLast-Modified: x\r\nDate: y\r\n")));
    assert_true(gw_str_eq(value(&w, w.head.tags), GW_STR("a,b")));
    assert_true(gw_str_eq(value(&w, w.head.edge_control), GW_STR("max-age=9")));
    assert_true(gw_str_eq(value(&w, w.head.server), GW_STR("nginx")));
    written_release(&w);
    gw_buf_release(&fields);
}

static void test_set_cookie_stays_unless_stripped(void **state)
{
    (void)state;
    struct written w;
    written_init(&w, 200, "Set-Cookie: s=1\nDate: y\nETag: \"x\"");
    write_head(&w);
    assert_true(gw_str_eq(part(&w, w.head.fields_at, w.head.content_at),
                          GW_STR("Set-Cookie: s=1\r\nDate: y\r\nETag: \"x\"\r\n")));
    written_release(&w);
}

/* Section 2.9, Smart Edge Revalidation. */
static void test_own_last_modified(void **state)
{
    (void)state;
    static const struct {
        int status;
        const char *fields;
        bool own;
    } cases[] = {{200, "", true},
                 {200, "ETag: \"x\"", false},
                 {200, "Last-Modified: Tue, 14 Nov 2023 22:00:00 GMT", false},
                 {200, "ETag: malformed", true},
                 {404, "", false}};
    for (size_t i = 0; i < GW_COUNT(cases); i++) {
        struct written w;
        written_init(&w, cases[i].status, cases[i].fields);
        write_head(&w);
        assert_int_equal(w.head.own_last_modified, cases[i].own);
        if (cases[i].own)
            assert_true(gw_str_eq(value(&w, w.head.last_modified),
                                  GW_STR("Tue, 14 Nov 2023 22:13:20 GMT")));
        assert_true(gw_str_find(gw_buf_str(&w.text),
                                GW_STR("Date: Tue, 14 Nov 2023 22:13:20 GMT\r\n")) != GW_NPOS);
        written_release(&w);
    }
}

/* The 304's own phrase and (missing) length are not those of the stored response. */
static void test_confirmed(void **state)
{
    (void)state;
    struct written w;
    written_init(&w, 200, "ETag: \"x\"\nContent-Length: 1234");
    w.response.revalidated = true;
    w.response.phrase = GW_STR("Not Modified");
    w.response.body_len = 0;
    write_head(&w);
    assert_true(gw_str_eq(part(&w, 0, w.head.fields_at), GW_STR("HTTP/1.1 200 OK\r\n")));
    assert_true(
        gw_str_eq(part(&w, w.head.length_at, w.head.end), GW_STR("Content-Length: 1234\r\n")));
    written_release(&w);
}

static void test_too_long(void **state)
{
    (void)state;
    struct written w;
    struct gw_buf small;
    written_init(&w, 200, "X-A: 0123456789012345678901234567890123456789\nETag: \"x\"");
    for (size_t max = 0; max < 150; max++) {
        gw_buf_init(&small, max);
        bool fits = cache_head_write(&w.response, &w.decision, NOW_MS, &small, &w.head);
        assert_int_equal(fits, !small.overflow);
        gw_buf_release(&small);
    }
    written_release(&w);
}

/* For visitors who are sent what the settings of the moment of storing want. */
static void test_line_for_browsers(void **state)
{
    static const struct {
        const char *fields;
        struct cache_browser browser;
        const char *line; /* empty: the origin's stands */
    } cases[] = {
        {"Cache-Control: max-age=5", {0}, ""},
        {"Cache-Control: max-age=5",
         {.seconds = 60, .occ = true},
         "Cache-Control: public, max-age=60\r\n"},
        {"Cache-Control: no-store", {.seconds = 60, .occ = true}, ""},
        {"X: 1", {.seconds = 60}, "Cache-Control: max-age=60\r\n"},
        {"X: 1", {.no_store = true}, "Cache-Control: no-store\r\n"},
    };
    (void)state;
    for (size_t i = 0; i < GW_COUNT(cases); i++) {
        struct written w;
        written_init(&w, 200, cases[i].fields);
        w.decision.browser = cases[i].browser;
        write_head(&w);
        assert_true(cache_browser_same(w.head.browser, cases[i].browser));
        assert_true(gw_str_eq(value(&w, w.head.browser_control), gw_str_z(cases[i].line)));
        assert_true(w.head.browser_control.at >= w.head.end || !w.head.browser_control.len);
        written_release(&w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order_of_parts),
        cmocka_unit_test(test_what_is_left_out),
        cmocka_unit_test(test_set_cookie_stays_unless_stripped),
        cmocka_unit_test(test_own_last_modified),
        cmocka_unit_test(test_confirmed),
        cmocka_unit_test(test_too_long),
        cmocka_unit_test(test_line_for_browsers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

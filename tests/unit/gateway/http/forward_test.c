/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "gateway/http/cookie.h"
#include "gateway/http/forward.h"

struct list {
    struct gw_arena arena;
    struct headers h;
};

/* "Name: value" lines, NULL at the end. */
static void fill(struct list *l, const char *const *lines)
{
    gw_arena_init(&l->arena, NULL, 0, 0);
    headers_init(&l->h, &l->arena, 50);
    for (; *lines; lines++) {
        struct gw_str line = gw_str_z(*lines);
        size_t colon = gw_str_chr(line, ':');
        assert_true(headers_add(&l->h, gw_str_first(line, colon),
                                gw_str_trim(gw_str_from(line, colon + 1))));
    }
}

static void test_hop_by_hop(void **state)
{
    static const char *const lines[] = {
        "Connection: X-Mine, close, keep-alive,, Cookie, Content-Length",
        "Connection: x-yours , Host, CF-Connecting-IP", "Keep-Alive: 1", "Proxy-Connection: x",
        "TE: trailers", "Trailer: a", "Transfer-Encoding: chunked", "Upgrade: x",
        "HTTP2-Settings: x", "Proxy-Authorization: x", "Proxy-Authenticate: x", "x-mine: 1",
        "X-YOURS: 1",
        /* These cross. */
        "X-Other: 1", "Cookie: a", "Content-Length: 1", "Host: a", "CF-Connecting-IP: 1.2.3.4",
        "close: 1", "X-Min: 1", NULL};
    struct list l;
    struct forward f;
    (void)state;
    fill(&l, lines);
    forward_prepare(&f, &l.h);
    for (size_t i = 0; i < l.h.count; i++)
        assert_int_equal(forward_is_hop_by_hop(&f, &l.h.items[i]), i < 13 || i == 18);
    gw_arena_clear(&l.arena);
}

/* As many names as are kept are looked for; one more, and nothing without an id crosses. */
static void test_many_names(void **state)
{
    static const char *const lines[] = {"Connection: a1,a2,a3,a4,a5,a6,a7,a8",
                                        "Connection: b1,b2,b3,b4,b5,b6,b7,b8,Cookie",
                                        "B8: 1",
                                        "X-Other: 1",
                                        "Cookie: a",
                                        "Connection: c1",
                                        NULL};
    struct list l;
    struct forward f;
    (void)state;
    fill(&l, lines);
    l.h.count--;
    forward_prepare(&f, &l.h);
    assert_true(forward_is_hop_by_hop(&f, &l.h.items[2]));
    assert_false(forward_is_hop_by_hop(&f, &l.h.items[3]));
    assert_false(forward_is_hop_by_hop(&f, &l.h.items[4]));
    l.h.count++;
    forward_prepare(&f, &l.h);
    assert_true(forward_is_hop_by_hop(&f, &l.h.items[2]));
    assert_true(forward_is_hop_by_hop(&f, &l.h.items[3]));
    assert_false(forward_is_hop_by_hop(&f, &l.h.items[4]));
    gw_arena_clear(&l.arena);
}

static void test_no_connection(void **state)
{
    static const char *const lines[] = {"Upgrade: x", "X-Other: 1", NULL};
    struct list l;
    struct forward f;
    (void)state;
    fill(&l, lines);
    forward_prepare(&f, &l.h);
    assert_true(forward_is_hop_by_hop(&f, &l.h.items[0]));
    assert_false(forward_is_hop_by_hop(&f, &l.h.items[1]));
    assert_false(forward_connection_has(&l.h, GW_STR("close")));
    assert_false(forward_te_trailers(&l.h));
    gw_arena_clear(&l.arena);
}

static void test_options(void **state)
{
    static const char *const lines[] = {"Connection: , foo", "Connection: Upgrade",
                                        "TE: gzip, Trailers", NULL};
    struct list l;
    (void)state;
    fill(&l, lines);
    assert_true(forward_connection_has(&l.h, GW_STR("upgrade")));
    assert_true(forward_connection_has(&l.h, GW_STR("foo")));
    assert_false(forward_connection_has(&l.h, GW_STR("fo")));
    assert_false(forward_connection_has(&l.h, GW_STR("")));
    assert_true(forward_te_trailers(&l.h));
    gw_arena_clear(&l.arena);
}

static void test_trailers(void **state)
{
    static const char *const lines[] = {"Server-Timing: a",
                                        "ETag: x",
                                        "Digest: x",
                                        "Host: a",
                                        "Content-Length: 1",
                                        "Transfer-Encoding: x",
                                        "Authorization: x",
                                        "Set-Cookie: x",
                                        "Cache-Control: x",
                                        "Content-Encoding: x",
                                        "Content-Type: x",
                                        "Trailer: x",
                                        "CF-Connecting-IP: x",
                                        "X-Forwarded-For: x",
                                        NULL};
    struct list l;
    (void)state;
    fill(&l, lines);
    for (size_t i = 0; i < l.h.count; i++)
        assert_int_equal(forward_trailer_allowed(&l.h.items[i]), i < 3);
    gw_arena_clear(&l.arena);
}

static void test_cookies(void **state)
{
    static const char *const lines[] = {"Cookie: a=1; b=\"2\";c; =4;; a=5 ;d=x=y", "Cookie: e=6",
                                        "X: f=7", NULL};
    static const struct {
        const char *name, *value; /* NULL: absent */
    } rows[] = {{"a", "1"},   {"b", "\"2\""}, {"c", ""},   {"", "4"},
                {"d", "x=y"}, {"e", "6"},     {"f", NULL}, {"A", NULL}};
    struct list l;
    struct gw_str value;
    (void)state;
    fill(&l, lines);
    for (size_t i = 0; i < GW_COUNT(rows); i++) {
        value = GW_STR("untouched");
        bool found = cookie_find(&l.h, gw_str_z(rows[i].name), &value);
        assert_int_equal(found, rows[i].value != NULL);
        assert_true(gw_str_eq(value, gw_str_z(found ? rows[i].value : "untouched")));
    }
    gw_arena_clear(&l.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hop_by_hop),    cmocka_unit_test(test_many_names),
        cmocka_unit_test(test_no_connection), cmocka_unit_test(test_options),
        cmocka_unit_test(test_trailers),      cmocka_unit_test(test_cookies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

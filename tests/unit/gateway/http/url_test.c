/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "gateway/http/url.h"

#define S(text)                                                                                    \
    {                                                                                              \
        text, sizeof(text) - 1                                                                     \
    }

static void check(struct gw_str got, struct gw_str want, struct gw_str input)
{
    if (!gw_str_eq(got, want))
        fprintf(stderr, "%.*s: expected %.*s, got %.*s\n", GW_STR_ARG(input), GW_STR_ARG(want),
                GW_STR_ARG(got));
    assert_true(gw_str_eq(got, want));
}

static void test_targets(void **state)
{
    static const struct {
        struct gw_str target;
        bool connect, ok;
        struct url want;
    } rows[] = {
        {S("/"), false, true, {URL_ORIGIN_FORM, S(""), S(""), S("/"), S(""), false}},
        {S("/a?"), false, true, {URL_ORIGIN_FORM, S(""), S(""), S("/a"), S(""), true}},
        {S("/a?b?c"), false, true, {URL_ORIGIN_FORM, S(""), S(""), S("/a"), S("b?c"), true}},
        {S("//h/p"), false, true, {URL_ORIGIN_FORM, S(""), S(""), S("//h/p"), S(""), false}},
        {S("*"), false, true, {URL_ASTERISK_FORM, S(""), S(""), S("*"), S(""), false}},
        {S("http://h"), false, true, {URL_ABSOLUTE_FORM, S("http"), S("h"), S("/"), S(""), false}},
        {S("HTTPS://h:1/p?q"),
         false,
         true,
         {URL_ABSOLUTE_FORM, S("HTTPS"), S("h:1"), S("/p"), S("q"), true}},
        {S("http://h?q"),
         false,
         true,
         {URL_ABSOLUTE_FORM, S("http"), S("h"), S("/"), S("q"), true}},
        {S("h:1"), true, true, {URL_AUTHORITY_FORM, S(""), S("h:1"), S(""), S(""), false}},
        {.target = S("")},
        {.target = S("a")},
        {.target = S("/a#b")},
        {.target = S("/a?b#c")},
        {.target = S("http://")},
        {.target = S("http:///p")},
        {.target = S("http:/h")},
        {.target = S("httpx://h")},
        {.target = S("http://h#f")},
        {.target = S("?q")},
    };
    (void)state;
    for (size_t i = 0; i < GW_COUNT(rows); i++) {
        struct url u = {.form = 99};
        assert_int_equal(url_parse(rows[i].target, rows[i].connect, &u), rows[i].ok);
        if (!rows[i].ok) {
            assert_int_equal(u.form, 99);
            continue;
        }
        assert_int_equal(u.form, rows[i].want.form);
        check(u.scheme, rows[i].want.scheme, rows[i].target);
        check(u.authority, rows[i].want.authority, rows[i].target);
        check(u.path, rows[i].want.path, rows[i].target);
        check(u.query, rows[i].want.query, rows[i].target);
        assert_int_equal(u.has_query, rows[i].want.has_query);
    }
}

static void test_hosts(void **state)
{
    static const struct {
        struct gw_str text, name;
        uint16_t port;
    } rows[] = {
        {S("a"), S("a"), 0},
        {S("A.Example.COM:8080"), S("a.example.com"), 8080},
        {S("a_b-c.d.:"), S("a_b-c.d"), 0},
        {S("10.0.0.1:65535"), S("10.0.0.1"), 65535},
        {S("[2001:DB8::1]:443"), S("[2001:db8::1]"), 443},
        {S(""), S(""), 0},
        {S("."), S(""), 0},
        {S(".a"), S(""), 0},
        {S("a..b"), S(""), 0},
        {S("a.."), S(""), 0},
        {S("a:0"), S(""), 0},
        {S("a:000001"), S(""), 0},
        {S("a:99999"), S(""), 0},
        {S("a:+1"), S(""), 0},
        {S("a b"), S(""), 0},
        {S("a%41"), S(""), 0},
        {S("[]"), S(""), 0},
        {S("[::1%25eth0]"), S(""), 0},
        {S("[::1]a"), S(""), 0},
    };
    struct gw_arena arena;
    (void)state;
    gw_arena_init(&arena, NULL, 0, 0);
    for (size_t i = 0; i < GW_COUNT(rows); i++) {
        struct url_host host = {S("untouched"), 9};
        bool ok = url_host_parse(rows[i].text, &arena, &host);
        assert_int_equal(ok, rows[i].name.len > 0);
        check(host.name, ok ? rows[i].name : GW_STR("untouched"), rows[i].text);
        assert_int_equal(host.port, ok ? rows[i].port : 9);
    }
    gw_arena_clear(&arena);
    char longest[260];
    memset(longest, 'a', sizeof(longest));
    struct url_host host;
    assert_true(url_host_parse(gw_str(longest, 253), &arena, &host));
    assert_false(url_host_parse(gw_str(longest, 254), &arena, &host));
    gw_arena_clear(&arena);
}

static void test_normalisation(void **state)
{
    static const struct {
        struct gw_str in, rfc, cloudflare;
    } rows[] = {
        {S("/"), S("/"), S("/")},
        {S("/a/b.c"), S("/a/b.c"), S("/a/b.c")},
        {S("/%68ello"), S("/hello"), S("/hello")},
        {S("/a%2Fb"), S("/a%2Fb"), S("/a%2Fb")},
        {S("/a%2fb"), S("/a%2Fb"), S("/a%2Fb")},
        {S("/%7e%2D%5f%2E"), S("/~-_."), S("/~-_.")},
        {S("/%c3%a4"), S("/%C3%A4"), S("/%C3%A4")},
        {S("/\xc3\xa4"), S("/%C3%A4"), S("/%C3%A4")},
        {S("/a\"<>^`{|} "), S("/a%22%3C%3E%5E%60%7B%7C%7D%20"), S("/a%22%3C%3E%5E%60%7B%7C%7D%20")},
        {S("/!$&'()*+,;=:@[]"), S("/!$&'()*+,;=:@[]"), S("/!$&'()*+,;=:@[]")},
        {S("/a//b"), S("/a//b"), S("/a/b")},
        {S("/a\\b"), S("/a%5Cb"), S("/a/b")},
        {S("/a\\\\/b"), S("/a%5C%5C/b"), S("/a/b")},
        {S("//"), S("//"), S("/")},
        {S("/a/./b"), S("/a/b"), S("/a/b")},
        {S("/a/../b"), S("/b"), S("/b")},
        {S("/../../a"), S("/a"), S("/a")},
        {S("/a/.."), S("/"), S("/")},
        {S("/a/b/.."), S("/a/"), S("/a/")},
        {S("/a/."), S("/a/"), S("/a/")},
        {S("/."), S("/"), S("/")},
        {S("/a/%2e%2E/b"), S("/b"), S("/b")},
        {S("/a/.%2e/b"), S("/b"), S("/b")},
        {S("/a/..%2fb"), S("/a/..%2Fb"), S("/a/..%2Fb")},
        {S("/a\\..\\b"), S("/a%5C..%5Cb"), S("/b")},
        {S("/.well-known/..."), S("/.well-known/..."), S("/.well-known/...")},
        {S("/a//../b"), S("/a/b"), S("/b")},
        {S("/%"), S("/%25"), S("/%25")},
        {S("/%zz%4"), S("/%25zz%254"), S("/%25zz%254")},
        {S("/%%34%31"), S("/%2541"), S("/%2541")},
        {S("/%2541"), S("/%2541"), S("/%2541")},
        {S("/%00"), S("/%00"), S("/%00")},
        {S("*"), S("*"), S("*")},
        {S(""), S(""), S("")},
    };
    struct gw_arena arena;
    struct gw_str out, again;
    (void)state;
    gw_arena_init(&arena, NULL, 0, 0);
    for (size_t i = 0; i < GW_COUNT(rows); i++) {
        assert_true(url_normalize_path(rows[i].in, URL_RFC3986, &arena, &out));
        check(out, rows[i].rfc, rows[i].in);
        assert_true(url_normalize_path(out, URL_RFC3986, &arena, &again));
        check(again, out, rows[i].in);
        assert_true(url_normalize_path(rows[i].in, URL_CLOUDFLARE, &arena, &out));
        check(out, rows[i].cloudflare, rows[i].in);
        assert_true(url_normalize_path(rows[i].in, URL_AS_IS, &arena, &out));
        assert_ptr_equal(out.ptr, rows[i].in.ptr);
    }
    gw_arena_clear(&arena);
}

static void test_query_normalisation(void **state)
{
    static const struct gw_str rows[][2] = {
        {S("a=1&b=.././/x?y"), S("a=1&b=.././/x?y")},
        {S("%61=\\&%c3"), S("a=%5C&%C3")},
        {S("a=\xff b+c"), S("a=%FF%20b+c")},
    };
    struct gw_arena arena;
    struct gw_str out;
    (void)state;
    gw_arena_init(&arena, NULL, 0, 0);
    for (size_t i = 0; i < GW_COUNT(rows); i++)
        for (enum url_normalization mode = URL_RFC3986; mode <= URL_CLOUDFLARE; mode++) {
            assert_true(url_normalize_query(rows[i][0], mode, &arena, &out));
            check(out, rows[i][1], rows[i][0]);
        }
    gw_arena_clear(&arena);
}

/* The usual URL costs no memory; a full arena is an answer, not a wrong URL. */
static void test_memory(void **state)
{
    struct gw_arena arena;
    struct gw_str plain = GW_STR("/a/b-c_d~e/x%20y.js"), out = GW_STR("untouched");
    char block[16];
    (void)state;
    gw_arena_init(&arena, block, sizeof(block), 1);
    assert_true(url_normalize_path(plain, URL_CLOUDFLARE, &arena, &out));
    assert_ptr_equal(out.ptr, plain.ptr);
    assert_true(url_decode(GW_STR("a+b"), false, &arena, &out));
    struct url_host host;
    assert_true(url_host_parse(GW_STR("a.example"), &arena, &host));
    assert_ptr_equal(arena.next, block);
    out = GW_STR("untouched");
    assert_false(url_normalize_path(GW_STR("/%41%41%41%41%41%41"), URL_RFC3986, &arena, &out));
    assert_false(url_decode(GW_STR("%41%41%41%41%41%41"), false, &arena, &out));
    assert_false(url_host_parse(GW_STR("A.example.of.some.length"), &arena, &host));
    check(out, GW_STR("untouched"), plain);
    gw_arena_clear(&arena);
}

static void test_names(void **state)
{
    static const struct gw_str rows[][3] = {
        {S("/"), S(""), S("")},
        {S("/foo.MP3"), S("foo.MP3"), S("MP3")},
        {S("/a.b/c"), S("c"), S("")},
        {S("/.mp3"), S(".mp3"), S("")},
        {S("/.foo.mp3"), S(".foo.mp3"), S("mp3")},
        {S("/foo."), S("foo."), S("")},
        {S("/x.tar.gz"), S("x.tar.gz"), S("gz")},
        {S("*"), S("*"), S("")},
    };
    (void)state;
    for (size_t i = 0; i < GW_COUNT(rows); i++) {
        check(url_path_basename(rows[i][0]), rows[i][1], rows[i][0]);
        check(url_path_extension(rows[i][0]), rows[i][2], rows[i][0]);
    }
}

static void test_decoding(void **state)
{
    static const struct {
        struct gw_str in, plain, plus;
    } rows[] = {
        {S("a%20b+c"), S("a b+c"), S("a b c")},
        {S("%"), S("%"), S("%")},
        {S("%4"), S("%4"), S("%4")},
        {S("%zz%41"), S("%zzA"), S("%zzA")},
        {S("%2541"), S("%41"), S("%41")},
        {S("%00"), S("\0"), S("\0")},
        {S(""), S(""), S("")},
    };
    struct gw_arena arena;
    struct gw_str out;
    (void)state;
    gw_arena_init(&arena, NULL, 0, 0);
    for (size_t i = 0; i < GW_COUNT(rows); i++) {
        assert_true(url_decode(rows[i].in, false, &arena, &out));
        check(out, rows[i].plain, rows[i].in);
        assert_true(url_decode(rows[i].in, true, &arena, &out));
        check(out, rows[i].plus, rows[i].in);
    }
    gw_arena_clear(&arena);
}

static void test_query_items(void **state)
{
    struct gw_str rest = GW_STR("&a=1&&b&c==2&=3&"), name, value;
    static const struct gw_str want[][2] = {
        {S("a"), S("1")}, {S("b"), S("")}, {S("c"), S("=2")}, {S(""), S("3")}};
    (void)state;
    for (size_t i = 0; i < GW_COUNT(want); i++) {
        assert_true(url_query_next(&rest, &name, &value));
        check(name, want[i][0], rest);
        check(value, want[i][1], rest);
    }
    assert_false(url_query_next(&rest, &name, &value));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_targets),       cmocka_unit_test(test_hosts),
        cmocka_unit_test(test_normalisation), cmocka_unit_test(test_query_normalisation),
        cmocka_unit_test(test_memory),        cmocka_unit_test(test_names),
        cmocka_unit_test(test_decoding),      cmocka_unit_test(test_query_items),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

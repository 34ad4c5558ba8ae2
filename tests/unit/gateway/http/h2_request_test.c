/* SPDX-License-Identifier: Apache-2.0 */
/* Field lists of HTTP/2 as requests: what they mean, and above all what is refused. */
#include "gateway/http/h2_request.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "gateway/base/buf.h"

/* One field a line, "name=value"; G and P are whole heads. */
#define HEAD(method) ":method=" method "\n:scheme=http\n:authority=a.test\n:path=/p?q\n"
#define G            HEAD("GET")
#define P            HEAD("POST")

static const struct h1_limits limits = {200, 2000, 20};

struct vector {
    const char *name, *fields;
    bool ended;
    const char *expected; /* of describe(), or the name of an error */
};

static const struct vector accepted[] = {
    {"bare", G, true, "GET /p ?q @a.test:0 none {host:a.test}"},
    {"https", ":method=GET\n:scheme=https\n:authority=a.test:8443\n:path=/\n", true,
     "GET / @a.test:8443 none {host:a.test:8443}"},
    {"upper-case authority", ":method=GET\n:scheme=http\n:authority=A.Test\n:path=/\n", true,
     "GET / @a.test:0 none {host:A.Test}"},
    {"Host alone", ":method=GET\n:scheme=http\n:path=/\nhost=a.test\n", true,
     "GET / @a.test:0 none {host:a.test}"},
    {"Host agrees", G "host=A.TEST:80\n", true, "GET /p ?q @a.test:0 none {host:a.test}"},
    {"asterisk", ":method=OPTIONS\n:scheme=http\n:authority=a.test\n:path=*\n", true,
     "OPTIONS * @a.test:0 none {host:a.test}"},
    {"unknown method", HEAD("QUERY"), true, "QUERY /p ?q @a.test:0 none {host:a.test}"},
    {"other fields", G "x-a=1\nx-a=2\nx-b=\n", true,
     "GET /p ?q @a.test:0 none {x-a:1} {x-a:2} {x-b:} {host:a.test}"},
    {"TE trailers", G "te=trailers\n", true,
     "GET /p ?q @a.test:0 none {te:trailers} {host:a.test}"},
    {"one cookie", G "cookie=a=1\n", true, "GET /p ?q @a.test:0 none {cookie:a=1} {host:a.test}"},
    {"crumbs", G "cookie=a=1\nx=y\ncookie=b\ncookie=\ncookie=c=3\n", true,
     "GET /p ?q @a.test:0 none {x:y} {cookie:a=1; b; c=3} {host:a.test}"},
    {"no body, length 0", P "content-length=0\n", true,
     "POST /p ?q @a.test:0 none=0 {content-length:0} {host:a.test}"},
    {"body without length", P, false, "POST /p ?q @a.test:0 chunked {host:a.test}"},
    {"body with length", P "content-length=5\n", false,
     "POST /p ?q @a.test:0 length=5 {content-length:5} {host:a.test}"},
    {"CONNECT", ":method=CONNECT\n:authority=a.test:443\n", false,
     "CONNECT  @a.test:443 none {host:a.test:443}"},
    {"WebSocket",
     ":method=CONNECT\n:protocol=websocket\n:scheme=https\n:authority=a.test\n:path=/ws\n", false,
     "GET /ws @a.test:0 none upgrade {host:a.test} {upgrade:websocket}"},
};

static const struct vector refused[] = {
    {"nothing", "", true, "EPARSE"},
    {"no method", ":scheme=http\n:authority=a\n:path=/\n", true, "EPARSE"},
    {"lower-case method", HEAD("get"), true, "EPARSE"},
    {"space in the method", HEAD("GET /"), true, "EPARSE"},
    {"no scheme", ":method=GET\n:authority=a\n:path=/\n", true, "EPARSE"},
    {"odd scheme", ":method=GET\n:scheme=ftp\n:authority=a\n:path=/\n", true, "EPARSE"},
    {"no path", ":method=GET\n:scheme=http\n:authority=a\n", true, "EPARSE"},
    {"empty path", ":method=GET\n:scheme=http\n:authority=a\n:path=\n", true, "EPARSE"},
    {"path without slash", ":method=GET\n:scheme=http\n:authority=a\n:path=p\n", true, "EPARSE"},
    {"whole URL", ":method=GET\n:scheme=http\n:authority=a\n:path=http://b/\n", true, "EPARSE"},
    {"space in the path", ":method=GET\n:scheme=http\n:authority=a\n:path=/a b\n", true, "EPARSE"},
    {"CR in the path", ":method=GET\n:scheme=http\n:authority=a\n:path=/a\r\n", true, "EPARSE"},
    {"asterisk for GET", ":method=GET\n:scheme=http\n:authority=a\n:path=*\n", true, "EPARSE"},
    {"no authority", ":method=GET\n:scheme=http\n:path=/\n", true, "EPARSE"},
    {"user in the authority", ":method=GET\n:scheme=http\n:authority=u@a\n:path=/\n", true,
     "EPARSE"},
    {"other Host", G "host=b.test\n", true, "EPARSE"},
    {"other port", G "host=a.test:81\n", true, "EPARSE"},
    {"two Hosts", G "host=a.test\nhost=a.test\n", true, "EPARSE"},
    {"repeated pseudo-field", G ":path=/p\n", true, "EPARSE"},
    {"late pseudo-field", ":method=GET\nx-a=1\n:scheme=http\n:authority=a\n:path=/\n", true,
     "EPARSE"},
    {"unknown pseudo-field", ":status=200\n" G, true, "EPARSE"},
    {"upper-case name", G "X-a=1\n", true, "EPARSE"},
    {"empty name", G "=1\n", true, "EPARSE"},
    {"space in a name", G "x a=1\n", true, "EPARSE"},
    {"CR in a name", G "x\ra=1\n", true, "EPARSE"},
    {"CR in a value", G "x-a=1\rb\n", true, "EPARSE"},
    {"space before a value", G "x-a= 1\n", true, "EPARSE"},
    {"tab behind a value", G "x-a=1\t\n", true, "EPARSE"},
    {"Connection", G "connection=close\n", true, "EPARSE"},
    {"Keep-Alive", G "keep-alive=1\n", true, "EPARSE"},
    {"Proxy-Connection", G "proxy-connection=1\n", true, "EPARSE"},
    {"Transfer-Encoding", P "transfer-encoding=chunked\n", false, "EPARSE"},
    {"Upgrade", G "upgrade=h2c\n", true, "EPARSE"},
    {"TE gzip", G "te=gzip\n", true, "EPARSE"},
    {"TE list", G "te=trailers, gzip\n", true, "EPARSE"},
    {"length and no body", P "content-length=5\n", true, "EPARSE"},
    {"two lengths", P "content-length=5\ncontent-length=5\n", false, "EPARSE"},
    {"list of lengths", P "content-length=5, 5\n", false, "EPARSE"},
    {"signed length", P "content-length=+5\n", false, "EPARSE"},
    {"CONNECT with a path", HEAD("CONNECT"), false, "EPARSE"},
    {"CONNECT without port", ":method=CONNECT\n:authority=a\n", false, "EPARSE"},
    {"CONNECT with a length", ":method=CONNECT\n:authority=a:1\ncontent-length=5\n", false,
     "EPARSE"},
    {"protocol for GET", ":protocol=websocket\n" G, false, "EPARSE"},
    {"unknown protocol", ":protocol=x\n" HEAD("CONNECT"), false, "ENOTIMPL"},
    {"WebSocket that has ended", ":protocol=websocket\n" HEAD("CONNECT"), true, "EPARSE"},
};

static const char *error_name(int err)
{
    switch (err) {
    case GW_EPARSE:
        return "EPARSE";
    case GW_EURI:
        return "EURI";
    case GW_EHEADERS:
        return "EHEADERS";
    case GW_ENOTIMPL:
        return "ENOTIMPL";
    default:
        return "?";
    }
}

static void describe(const struct h1_message *m, struct gw_buf *b)
{
    static const char *const framing[] = {"none", "length", "chunked", "close"};
    gw_buf_printf(b, "%.*s %.*s", GW_STR_ARG(m->method), GW_STR_ARG(m->url.path));
    if (m->url.has_query)
        gw_buf_printf(b, " ?%.*s", GW_STR_ARG(m->url.query));
    gw_buf_printf(b, " @%.*s:%u %s", GW_STR_ARG(m->host.name), m->host.port, framing[m->framing]);
    if (m->has_content_length)
        gw_buf_printf(b, "=%llu", (unsigned long long)m->content_length);
    if (m->upgrade)
        gw_buf_printf(b, " upgrade");
    for (size_t i = 0; i < m->headers.count; i++)
        gw_buf_printf(b, " {%.*s:%.*s}", GW_STR_ARG(m->headers.items[i].name),
                      GW_STR_ARG(m->headers.items[i].value));
}

/* Each field from memory of its own, which is gone before the head ends. */
static int read_fields(struct gw_arena *arena, struct h1_message *m, struct gw_str fields,
                       bool ended)
{
    struct h2_request r;
    struct gw_str line;
    h2_request_begin(&r, arena, m, &limits);
    while (gw_str_next(&fields, '\n', &line)) {
        if (!line.len)
            continue;
        char *copy = gw_str_dupz(line);
        size_t at = gw_str_chr(gw_str_from(line, 1), '=') + 1;
        if (line.ptr[0] == '=')
            at = 0;
        h2_request_field(&r, gw_str(copy, at), gw_str(copy + at + 1, line.len - at - 1));
        free(copy);
    }
    return h2_request_end(&r, ended);
}

static void check(const struct vector *v)
{
    struct gw_arena arena;
    struct h1_message m;
    char space[1024];
    struct gw_buf said = gw_buf_over(space, sizeof(space));
    gw_arena_init(&arena, NULL, 0, 1 << 16);
    int err = read_fields(&arena, &m, gw_str_z(v->fields), v->ended);
    assert_int_equal(m.error, err);
    assert_true(m.h2);
    if (err)
        gw_buf_printf(&said, "%s", error_name(err));
    else
        describe(&m, &said);
    if (!gw_str_eq(gw_buf_str(&said), gw_str_z(v->expected)))
        fail_msg("%s: %.*s", v->name, GW_STR_ARG(gw_buf_str(&said)));
    gw_arena_clear(&arena);
}

static void test_accepted(void **state)
{
    (void)state;
    for (size_t i = 0; i < GW_COUNT(accepted); i++)
        check(&accepted[i]);
}

static void test_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < GW_COUNT(refused); i++)
        check(&refused[i]);
}

/* The same bounds as in text, and the method is known whatever was too large. */
static void check_limit(size_t path, size_t value, size_t count, int expected)
{
    struct gw_arena arena;
    struct h1_message m;
    struct gw_buf fields;
    gw_arena_init(&arena, NULL, 0, 1 << 20);
    gw_buf_init(&fields, 1 << 20);
    gw_buf_add(&fields, GW_STR(":method=HEAD\n:scheme=http\n:authority=a\n:path=/"));
    for (size_t i = 1; i < path; i++)
        gw_buf_char(&fields, 'p');
    gw_buf_add(&fields, GW_STR("\nx-a="));
    for (size_t i = 0; i < value; i++)
        gw_buf_char(&fields, 'v');
    for (size_t i = 2; i < count; i++)
        gw_buf_add(&fields, GW_STR("\nx=1"));
    assert_int_equal(read_fields(&arena, &m, gw_buf_str(&fields), true), expected);
    assert_int_equal(m.method_id, METHOD_HEAD);
    gw_buf_release(&fields);
    gw_arena_clear(&arena);
}

static void test_limits(void **state)
{
    (void)state;
    check_limit(200, 1, 1, GW_OK);
    check_limit(201, 1, 1, GW_EURI);
    check_limit(1, 1900, 1, GW_OK);
    check_limit(1, 2000, 1, GW_EHEADERS);
    check_limit(1, 1, 20, GW_OK); /* Host, which is written, is one of them */
    check_limit(1, 1, 21, GW_EHEADERS);
}

static void test_what_the_decoder_refuses_stays_refused(void **state)
{
    (void)state;
    struct gw_arena arena;
    struct h1_message m;
    struct h2_request r;
    gw_arena_init(&arena, NULL, 0, 1 << 16);
    h2_request_begin(&r, &arena, &m, &limits);
    h2_request_field(&r, GW_STR(":method"), GW_STR("GET"));
    h2_request_field(&r, GW_STR(":scheme"), GW_STR("http"));
    h2_request_field(&r, GW_STR(":authority"), GW_STR("a"));
    h2_request_field(&r, GW_STR(":path"), GW_STR("/"));
    h2_request_refuse(&r);
    assert_int_equal(h2_request_end(&r, true), GW_EPARSE);
    gw_arena_clear(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accepted),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_what_the_decoder_refuses_stays_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

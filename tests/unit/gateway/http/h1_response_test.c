/* SPDX-License-Identifier: Apache-2.0 */
/* Responses from an origin: held to the same rules, plus where a body ends (RFC 9112 section 6.3).
 */
#include "tests/unit/gateway/http/h1_trace.h"

#define OK_ "HTTP/1.1 200 OK\r\n"
#define C   OK_ "Transfer-Encoding: chunked\r\n\r\n"

static const struct h1_limits limits = {200, 2000, 20};

static const struct h1_vector accepted[] = {
    RESPONSE("length", GET, OK_ "Content-Length: 2\r\n\r\nhi",
             "1.1 200 (OK) length=2 keep; \"hi\"; end"),
    RESPONSE("length zero", GET, OK_ "Content-Length: 0\r\n\r\n", "1.1 200 (OK) none=0 keep; end"),
    RESPONSE("chunked", GET, C "2\r\nhi\r\n0\r\n\r\n", "1.1 200 (OK) chunked keep; \"hi\"; end"),
    RESPONSE("chunked with trailer", GET, C "2\r\nhi\r\n0\r\nServer-Timing: a\r\n\r\n",
             "1.1 200 (OK) chunked keep; \"hi\"; end {Server-Timing:a}"),
    RESPONSE("until close", GET, OK_ "\r\nhello", "1.1 200 (OK) close; \"hello\"; end"),
    RESPONSE("until close, empty", GET, OK_ "\r\n", "1.1 200 (OK) close; end"),
    RESPONSE("until close, looks like a response", GET, OK_ "\r\n" OK_,
             "1.1 200 (OK) close; \"HTTP/1.1 200 OK\r\n\"; end"),
    RESPONSE("1.0 until close", GET, "HTTP/1.0 200 OK\r\n\r\nx", "1.0 200 (OK) close; \"x\"; end"),
    RESPONSE("1.0 with length", GET, "HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx",
             "1.0 200 (OK) length=1; \"x\"; end"),
    RESPONSE("1.0 keep-alive", GET,
             "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\nx",
             "1.0 200 (OK) length=1 keep; \"x\"; end"),
    RESPONSE("close", GET, OK_ "Connection: close\r\nContent-Length: 1\r\n\r\nx",
             "1.1 200 (OK) length=1; \"x\"; end"),
    RESPONSE("to HEAD", HEAD, OK_ "Content-Length: 9\r\n\r\n", "1.1 200 (OK) none=9 keep; end"),
    RESPONSE("to HEAD, chunked", HEAD, C, "1.1 200 (OK) none keep; end"),
    RESPONSE("to HEAD, nothing announced", HEAD, OK_ "\r\n", "1.1 200 (OK) none keep; end"),
    RESPONSE("to HEAD, with a body", HEAD, OK_ "Content-Length: 2\r\n\r\nhi",
             "1.1 200 (OK) none=2 keep; end +2"),
    RESPONSE("204", GET, "HTTP/1.1 204 No Content\r\n\r\n", "1.1 204 (No Content) none keep; end"),
    RESPONSE("204 with length", GET, "HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\nhi",
             "1.1 204 (No Content) none=2 keep; end +2"),
    RESPONSE("304", GET, "HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\n\r\n",
             "1.1 304 (Not Modified) none=99 keep; end"),
    RESPONSE("205 has a length like others", GET, "HTTP/1.1 205 R\r\nContent-Length: 1\r\n\r\nx",
             "1.1 205 (R) length=1 keep; \"x\"; end"),
    RESPONSE("no reason", GET, "HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n",
             "1.1 200 () none=0 keep; end"),
    RESPONSE("no reason, no space", GET, "HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n",
             "1.1 200 () none=0 keep; end"),
    RESPONSE("reason of words and bytes", GET,
             "HTTP/1.1 404 No\tsuch \xc3\xa4 (x)\r\nContent-Length: 0\r\n\r\n",
             "1.1 404 (No\tsuch \xc3\xa4 (x)) none=0 keep; end"),
    RESPONSE("odd status", GET, "HTTP/1.1 999 Denied\r\nContent-Length: 0\r\n\r\n",
             "1.1 999 (Denied) none=0 keep; end"),
    RESPONSE("more than announced", GET, OK_ "Content-Length: 1\r\n\r\nxHTTP/1.1 200 OK\r\n\r\n",
             "1.1 200 (OK) length=1 keep; \"x\"; end +19"),
    RESPONSE("more behind the last chunk", GET, C "0\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
             "1.1 200 (OK) chunked keep; end +19"),
    RESPONSE("100 first", POST,
             "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n",
             "1.1 100 (Continue) none keep;1.1 201 (Created) none=0 keep; end"),
    RESPONSE("hints do not stay", GET,
             "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" OK_
             "Content-Length: 2\r\nX: y\r\n\r\nhi",
             "1.1 103 (Early Hints) none keep {Link:</a>};1.1 200 (OK) length=2 keep {X:y}; "
             "\"hi\"; end"),
    RESPONSE("100 and nothing more", POST, "HTTP/1.1 100 Continue\r\n\r\n",
             "1.1 100 (Continue) none keep; ETRUNCATED"),
    RESPONSE("101", GET,
             "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: "
             "websocket\r\n\r\n\x81\x00",
             "1.1 101 (Switching Protocols) none upgrade; end +2"),
    RESPONSE("to CONNECT", CONNECT, OK_ "\r\n\x16\x03", "1.1 200 (OK) none; end +2"),
    RESPONSE("to CONNECT, with length", CONNECT, OK_ "Content-Length: 2\r\n\r\nhi",
             "1.1 200 (OK) none=2; end +2"),
    RESPONSE("to CONNECT, refused", CONNECT, "HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nhi",
             "1.1 403 (No) length=2 keep; \"hi\"; end"),
    RESPONSE("no Host needed", GET, OK_ "Host: a b\r\nContent-Length: 0\r\n\r\n",
             "1.1 200 (OK) none=0 keep; end"),
    RESPONSE("body cut short", GET, OK_ "Content-Length: 9\r\n\r\nhi",
             "1.1 200 (OK) length=9 keep; \"hi\"; ETRUNCATED"),
    RESPONSE("chunk cut short", GET, C "9\r\nhi", "1.1 200 (OK) chunked keep; \"hi\"; ETRUNCATED"),
    RESPONSE("no last chunk", GET, C "2\r\nhi\r\n",
             "1.1 200 (OK) chunked keep; \"hi\"; ETRUNCATED"),
    RESPONSE("head cut short", GET, OK_ "X: y\r\n", "ETRUNCATED"),
    RESPONSE("closed at once", GET, "", "nothing"),
};

#define BAD(name, bytes) RESPONSE(name, GET, bytes, "EPARSE")

static const struct h1_vector refused[] = {
    BAD("LF only", "HTTP/1.1 200 OK\nContent-Length: 0\n\n"),
    BAD("LF behind a field", OK_ "Content-Length: 0\n\r\n"),
    BAD("CR ends a field", OK_ "X: a\rContent-Length: 0\r\n\r\n"),
    BAD("CR in the reason", "HTTP/1.1 200 O\rK\r\n\r\n"),
    BAD("NUL in the reason", "HTTP/1.1 200 O\0K\r\n\r\n"),
    BAD("NUL in a value", OK_ "X: a\0\r\n\r\n"),
    BAD("obs-fold", OK_ "X: a\r\n b\r\n\r\n"),
    BAD("empty line before", "\r\n" OK_ "\r\n"),
    BAD("space before", " " OK_ "\r\n"),
    BAD("no status", "HTTP/1.1\r\n\r\n"),
    BAD("status of two digits", "HTTP/1.1 20 OK\r\n\r\n"),
    BAD("status of four digits", "HTTP/1.1 2000 OK\r\n\r\n"),
    BAD("status with a letter", "HTTP/1.1 2x0 OK\r\n\r\n"),
    BAD("status below 100", "HTTP/1.1 099 OK\r\n\r\n"),
    BAD("status negative", "HTTP/1.1 -20 OK\r\n\r\n"),
    BAD("two spaces", "HTTP/1.1  200 OK\r\n\r\n"),
    BAD("tab", "HTTP/1.1\t200 OK\r\n\r\n"),
    BAD("ICY", "ICY 200 OK\r\n\r\n"),
    BAD("small letters", "http/1.1 200 OK\r\n\r\n"),
    BAD("not HTTP", "SSH-2.0-OpenSSH_9.2\r\n\r\n"),
    BAD("HTML", "<html>\r\n\r\n"),
    RESPONSE("HTTP/2.0", GET, "HTTP/2.0 200 OK\r\n\r\n", "EVERSION"),
    RESPONSE("HTTP/1.2", GET, "HTTP/1.2 200 OK\r\n\r\n", "EVERSION"),
    RESPONSE("HTTP/0.9", GET, "HTTP/0.9 200 OK\r\n\r\n", "EVERSION"),
    BAD("CL twice", OK_ "Content-Length: 1\r\nContent-Length: 1\r\n\r\nx"),
    BAD("CL list", OK_ "Content-Length: 1, 1\r\n\r\nx"),
    BAD("CL plus", OK_ "Content-Length: +1\r\n\r\nx"),
    BAD("CL to HEAD is read too", OK_ "Content-Length: x\r\n\r\n"),
    BAD("CL and TE", OK_ "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    BAD("TE in 1.0", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    BAD("TE chunked twice", OK_ "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n"),
    BAD("TE not chunked", OK_ "Transfer-Encoding: identity\r\n\r\nx"),
    BAD("TE chunked not last", OK_ "Transfer-Encoding: chunked, gzip\r\n\r\nx"),
    BAD("TE in 204 is read too", "HTTP/1.1 204 N\r\nTransfer-Encoding: x\r\n\r\n"),
    BAD("space before the colon", OK_ "Content-Length : 1\r\n\r\nx"),
    BAD("no colon", OK_ "X\r\n\r\n"),
    RESPONSE("TE gzip, chunked", GET, OK_ "Transfer-Encoding: gzip, chunked\r\n\r\n", "ENOTIMPL"),
    RESPONSE("bad chunk", GET, C "x\r\n", "1.1 200 (OK) chunked keep; EPARSE"),
    RESPONSE("bad chunk end", GET, C "1\r\nx\n0\r\n\r\n",
             "1.1 200 (OK) chunked keep; \"x\"; EPARSE"),
    RESPONSE("CL as trailer", GET, C "0\r\nContent-Length: 1\r\n\r\n",
             "1.1 200 (OK) chunked keep; EPARSE"),
};

static void test_accepted(void **state)
{
    (void)state;
    check_vectors(accepted, GW_COUNT(accepted), &limits);
}

static void test_refused(void **state)
{
    (void)state;
    check_vectors(refused, GW_COUNT(refused), &limits);
}

/* An origin that sends interim responses for ever is stopped. */
static void test_interim_limit(void **state)
{
    static const char interim[] = "HTTP/1.1 103 Early Hints\r\n\r\n";
    struct h1_parser *p = h1_parser_new(H1_RESPONSE, &limits);
    struct gw_arena arena;
    struct h1_message m;
    struct gw_str body;
    enum h1_event event = H1_HEAD;
    unsigned heads = 0;
    (void)state;
    gw_arena_init(&arena, NULL, 0, 1 << 20);
    h1_parser_begin_response(p, &arena, &m, METHOD_GET);
    while (event == H1_HEAD && heads < 100) {
        struct gw_str input = gw_str_z(interim);
        event = h1_parser_next(p, &input, &body);
        heads += event == H1_HEAD;
    }
    assert_int_equal(event, H1_ERROR);
    assert_int_equal(heads, 16);
    h1_parser_free(p);
    gw_arena_clear(&arena);
}

/* The parser is ready for the next response although the last connection's bytes were bad. */
static void test_begin_after_error(void **state)
{
    struct h1_parser *p = h1_parser_new(H1_RESPONSE, &limits);
    struct gw_arena arena;
    struct h1_message m;
    struct gw_str body, input = GW_STR("HTTP/1.1 200 O"), more = GW_STR("\n");
    (void)state;
    gw_arena_init(&arena, NULL, 0, 0);
    h1_parser_begin_response(p, &arena, &m, METHOD_GET);
    assert_int_equal(h1_parser_next(p, &input, &body), H1_MORE);
    assert_int_equal(h1_parser_next(p, &more, &body), H1_ERROR);
    assert_int_equal(h1_parser_next(p, &more, &body), H1_ERROR);
    assert_int_equal(h1_parser_eof(p), H1_ERROR);
    input = GW_STR(OK_ "Content-Length: 0\r\n\r\n");
    h1_parser_begin_response(p, &arena, &m, METHOD_GET);
    assert_int_equal(h1_parser_next(p, &input, &body), H1_HEAD);
    assert_int_equal(h1_parser_next(p, &input, &body), H1_END);
    assert_int_equal(h1_parser_eof(p), H1_MORE);
    h1_parser_free(p);
    h1_parser_free(NULL);
    gw_arena_clear(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accepted),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_interim_limit),
        cmocka_unit_test(test_begin_after_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

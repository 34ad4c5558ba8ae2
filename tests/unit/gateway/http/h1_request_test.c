/* SPDX-License-Identifier: Apache-2.0 */
/* Requests: what is read, and above all what is refused (RFC 9112; request smuggling). */
#include "tests/unit/gateway/http/h1_trace.h"

#define H "Host: a\r\n"
#define G "GET / HTTP/1.1\r\n"
#define P "POST / HTTP/1.1\r\n" H
#define C P "Transfer-Encoding: chunked\r\n\r\n"

static const struct h1_limits limits = {200, 2000, 20};

static const struct h1_vector accepted[] = {
    REQUEST("bare", G H "\r\n", "GET / 1.1 @a none keep; end"),
    REQUEST("1.0 without Host", "GET / HTTP/1.0\r\n\r\n", "GET / 1.0 @ none; end"),
    REQUEST("1.0 keep-alive", "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n",
            "GET / 1.0 @ none keep; end"),
    REQUEST("close", G H "Connection: close\r\n\r\n", "GET / 1.1 @a none; end"),
    REQUEST("close among others", G H "Connection: foo, CLOSE\r\n\r\n", "GET / 1.1 @a none; end"),
    REQUEST("close in second line", G H "Connection: keep-alive\r\nConnection: close\r\n\r\n",
            "GET / 1.1 @a none; end"),
    REQUEST("close wins in 1.0", "GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n",
            "GET / 1.0 @ none; end"),
    REQUEST("unknown field", G H "X-A: b\r\n\r\n", "GET / 1.1 @a none keep {X-A:b}; end"),
    REQUEST("no space behind colon", G "Host:a\r\nX:y\r\n\r\n",
            "GET / 1.1 @a none keep {X:y}; end"),
    REQUEST("white space around a value", G H "X: \t b c \t \r\n\r\n",
            "GET / 1.1 @a none keep {X:b c}; end"),
    REQUEST("empty value", G H "X:\r\nY: \r\n\r\n", "GET / 1.1 @a none keep {X:} {Y:}; end"),
    REQUEST("tab inside a value", G H "X: a\tb\r\n\r\n", "GET / 1.1 @a none keep {X:a\tb}; end"),
    REQUEST("UTF-8 in a value", G H "X: \xc3\xa4\r\n\r\n",
            "GET / 1.1 @a none keep {X:\xc3\xa4}; end"),
    REQUEST("all token bytes in a name", G H "!#$%&'*+-.^_`|~09azAZ: 1\r\n\r\n",
            "GET / 1.1 @a none keep {!#$%&'*+-.^_`|~09azAZ:1}; end"),
    REQUEST("underscore in a name", G H "content_length: 5\r\n\r\n",
            "GET / 1.1 @a none keep {content_length:5}; end"),
    REQUEST("colon and quotes in a value", G H "X: a:b\"c,;=\r\n\r\n",
            "GET / 1.1 @a none keep {X:a:b\"c,;=}; end"),
    REQUEST("repeated field", G H "X: 1\r\nX: 2\r\n\r\n",
            "GET / 1.1 @a none keep {X:1} {X:2}; end"),
    REQUEST("one empty line before", "\r\n" G H "\r\n", "GET / 1.1 @a none keep; end"),
    REQUEST("length", P "Content-Length: 5\r\n\r\nhello",
            "POST / 1.1 @a length=5 keep; \"hello\"; end"),
    REQUEST("length zero", P "Content-Length: 0\r\n\r\n", "POST / 1.1 @a none=0 keep; end"),
    REQUEST("length with leading zeros", P "Content-Length: 0005\r\n\r\nhello",
            "POST / 1.1 @a length=5 keep; \"hello\"; end"),
    REQUEST("body on GET", G H "Content-Length: 2\r\n\r\nab",
            "GET / 1.1 @a length=2 keep; \"ab\"; end"),
    REQUEST("pipelined", G H "\r\n" G H "\r\n", "GET / 1.1 @a none keep; end +27"),
    REQUEST("pipelined behind a body", P "Content-Length: 1\r\n\r\nxG",
            "POST / 1.1 @a length=1 keep; \"x\"; end +1"),
    REQUEST("body cut short", P "Content-Length: 5\r\n\r\nhel",
            "POST / 1.1 @a length=5 keep; \"hel\"; ETRUNCATED"),
    REQUEST("head cut short", G "Ho", "ETRUNCATED"),
    REQUEST("nothing", "", "nothing"),
    REQUEST("only an empty line", "\r\n", "nothing"),
    REQUEST("chunked", C "5\r\nhello\r\n0\r\n\r\n", "POST / 1.1 @a chunked keep; \"hello\"; end"),
    REQUEST("chunked in capitals", P "transfer-encoding: CHUNKED\r\n\r\n0\r\n\r\n",
            "POST / 1.1 @a chunked keep; end"),
    REQUEST("two chunks", C "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\nrest",
            "POST / 1.1 @a chunked keep; \"abcde\"; end +4"),
    REQUEST("hex in both cases", C "a\r\n0123456789\r\nA\r\n0123456789\r\n000\r\n\r\n",
            "POST / 1.1 @a chunked keep; \"01234567890123456789\"; end"),
    REQUEST("leading zeros of a size", C "0000000000000001\r\nx\r\n0\r\n\r\n",
            "POST / 1.1 @a chunked keep; \"x\"; end"),
    REQUEST("extension", C "1;a=b\r\nx\r\n0;last\r\n\r\n",
            "POST / 1.1 @a chunked keep; \"x\"; end"),
    REQUEST("extension with spaces", C "1 ; a = b ; c\r\nx\r\n0\r\n\r\n",
            "POST / 1.1 @a chunked keep; \"x\"; end"),
    REQUEST("quoted extension", C "1;a=\"b;\\\"c\"\r\nx\r\n0\r\n\r\n",
            "POST / 1.1 @a chunked keep; \"x\"; end"),
    REQUEST("trailer", C "0\r\nX-Sum: 1\r\n\r\n", "POST / 1.1 @a chunked keep; end {X-Sum:1}"),
    REQUEST("trailers", C "1\r\nx\r\n0\r\nA: 1\r\nB:  2 \r\n\r\nG",
            "POST / 1.1 @a chunked keep; \"x\"; end {A:1} {B:2} +1"),
    REQUEST("trailers cut short", C "0\r\nA: 1\r\n", "POST / 1.1 @a chunked keep; ETRUNCATED"),
    REQUEST("last chunk cut short", C "0\r\n", "POST / 1.1 @a chunked keep; ETRUNCATED"),
    REQUEST("expect", P "Expect: 100-continue\r\nContent-Length: 1\r\n\r\nx",
            "POST / 1.1 @a length=1 keep expect; \"x\"; end"),
    REQUEST("expect in 1.0", "POST / HTTP/1.0\r\nExpect: 100-continue\r\n\r\n",
            "POST / 1.0 @ none; end"),
    REQUEST("websocket", G H "Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n\r\n\x81",
            "GET / 1.1 @a none keep upgrade; end +1"),
    REQUEST("upgrade without its option", G H "Upgrade: websocket\r\n\r\n",
            "GET / 1.1 @a none keep; end"),
    REQUEST("upgrade in 1.0", "GET / HTTP/1.0\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n",
            "GET / 1.0 @ none; end"),
    REQUEST("upgrade with a body",
            P "Connection: upgrade\r\nUpgrade: h2c\r\nContent-Length: 2\r\n\r\nab",
            "POST / 1.1 @a length=2 keep upgrade; \"ab\"; end"),
    REQUEST("host with port", G "Host: a.b:8080\r\n\r\n", "GET / 1.1 @a.b:8080 none keep; end"),
    REQUEST("host in capitals", G "Host: EXAMPLE.Com\r\n\r\n",
            "GET / 1.1 @example.com none keep; end"),
    REQUEST("host with final dot", G "Host: a.b.:80\r\n\r\n", "GET / 1.1 @a.b:80 none keep; end"),
    REQUEST("host IPv4", G "Host: 127.0.0.1:80\r\n\r\n", "GET / 1.1 @127.0.0.1:80 none keep; end"),
    REQUEST("host IPv6", G "Host: [::1]:80\r\n\r\n", "GET / 1.1 @[::1]:80 none keep; end"),
    REQUEST("host with empty port", G "Host: a:\r\n\r\n", "GET / 1.1 @a none keep; end"),
    REQUEST("absolute form", "GET http://a/p?q HTTP/1.1\r\n" H "\r\n",
            "GET http://a/p?q 1.1 @a none keep; end"),
    REQUEST("absolute form, default port", "GET http://A:80/ HTTP/1.1\r\n" H "\r\n",
            "GET http://A:80/ 1.1 @a:80 none keep; end"),
    REQUEST("absolute form, https port", "GET https://a HTTP/1.1\r\nHost: a:443\r\n\r\n",
            "GET https://a 1.1 @a none keep; end"),
    REQUEST("absolute form in 1.0", "GET http://a/ HTTP/1.0\r\n\r\n",
            "GET http://a/ 1.0 @a none; end"),
    REQUEST("asterisk form", "OPTIONS * HTTP/1.1\r\n" H "\r\n", "OPTIONS * 1.1 @a none keep; end"),
    REQUEST("asterisk form, empty host", "OPTIONS * HTTP/1.1\r\nHost:\r\n\r\n",
            "OPTIONS * 1.1 @ none keep; end"),
    REQUEST("connect", "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n\x16\x03",
            "CONNECT a:443 1.1 @a:443 none; end +2"),
    REQUEST("connect, host without port", "CONNECT a:443 HTTP/1.1\r\n" H "\r\n",
            "CONNECT a:443 1.1 @a:443 none; end"),
    REQUEST("head", "HEAD / HTTP/1.1\r\n" H "\r\n", "HEAD / 1.1 @a none keep; end"),
    REQUEST("purge", "PURGE /x HTTP/1.1\r\n" H "\r\n", "PURGE /x 1.1 @a none keep; end"),
    REQUEST("method without a number", "QUERY /x HTTP/1.1\r\n" H "Content-Length: 1\r\n\r\nx",
            "QUERY /x 1.1 @a length=1 keep; \"x\"; end"),
    REQUEST("method with hyphen", "VERSION-CONTROL / HTTP/1.1\r\n" H "\r\n",
            "VERSION-CONTROL / 1.1 @a none keep; end"),
    REQUEST("webdav", "PROPFIND / HTTP/1.1\r\n" H "\r\n", "PROPFIND / 1.1 @a none keep; end"),
    REQUEST("raw bytes in the target", "GET /\xc3\xa4\"<>[]^`{|}\\ HTTP/1.1\r\n" H "\r\n",
            "GET /\xc3\xa4\"<>[]^`{|}\\ 1.1 @a none keep; end"),
    REQUEST("odd targets", "GET //x/../?a?b=%zz&; HTTP/1.1\r\n" H "\r\n",
            "GET //x/../?a?b=%zz&; 1.1 @a none keep; end"),
};

#define BAD(name, bytes)       REQUEST(name, bytes, "EPARSE")
#define BAD_CHUNK(name, bytes) REQUEST(name, C bytes, "POST / 1.1 @a chunked keep; EPARSE")

static const struct h1_vector refused[] = {
    /* Lines */
    BAD("LF only", "GET / HTTP/1.1\nHost: a\n\n"),
    BAD("LF behind the request line", "GET / HTTP/1.1\nHost: a\r\n\r\n"),
    BAD("LF behind a field", G "Host: a\n\r\n"),
    BAD("LF as the empty line", G H "\n"),
    BAD("CR only", "GET / HTTP/1.1\rHost: a\r\r"),
    BAD("CR ends a field (CVE-2023-30589)", G "Host: a\rContent-Length: 5\r\n\r\nhello"),
    BAD("CR CR LF", G "Host: a\r\r\n\r\n"),
    BAD("CR inside a value", G H "X: a\rb\r\n\r\n"),
    BAD("CR inside a name", G H "X\rY: a\r\n\r\n"),
    BAD("CR in the target", "GET /\r HTTP/1.1\r\n" H "\r\n"),
    BAD("CR before the end", G H "\r\r\n"),
    BAD("obs-fold with space", G H "X: a\r\n b\r\n\r\n"),
    BAD("obs-fold with tab", G H "X: a\r\n\tb\r\n\r\n"),
    BAD("obs-fold of length", P "Content-Length:\r\n 5\r\n\r\nhello"),
    BAD("space before the first field", G " " H "\r\n"),
    BAD("space line", G H " \r\n\r\n"),
    BAD("two empty lines before", "\r\n\r\n" G H "\r\n"),
    BAD("LF before", "\n" G H "\r\n"),
    BAD("CR before", "\r" G H "\r\n"),
    BAD("space before the method", " " G H "\r\n"),
    BAD("tab before the method", "\t" G H "\r\n"),
    /* Control bytes */
    BAD("NUL in a value", G H "X: a\0b\r\n\r\n"),
    BAD("NUL in a name", G H "X\0: a\r\n\r\n"),
    BAD("NUL in the target", "GET /\0 HTTP/1.1\r\n" H "\r\n"),
    BAD("NUL behind a value", G "Host: a\0\r\n\r\n"),
    BAD("VT in a value", G H "X: \x0b\r\n\r\n"),
    BAD("VT before chunked", P "Transfer-Encoding: \x0b"
                               "chunked\r\n\r\n0\r\n\r\n"),
    BAD("FF in the target", "GET /\x0c HTTP/1.1\r\n" H "\r\n"),
    BAD("DEL in a value", G H "X: \x7f\r\n\r\n"),
    BAD("DEL in the target", "GET /\x7f HTTP/1.1\r\n" H "\r\n"),
    BAD("ESC in the method", "G\x1b"
                             "T / HTTP/1.1\r\n" H "\r\n"),
    BAD("TLS hello", "\x16\x03\x01\x02\x00"),
    /* Request line */
    BAD("HTTP/0.9", "GET /\r\n\r\n"),
    BAD("no version", "GET / \r\n" H "\r\n"),
    BAD("no target", "GET HTTP/1.1\r\n" H "\r\n"),
    BAD("empty target", "GET  HTTP/1.1\r\n" H "\r\n"),
    BAD("two spaces before the target", "GET  / HTTP/1.1\r\n" H "\r\n"),
    BAD("two spaces behind the target", "GET /  HTTP/1.1\r\n" H "\r\n"),
    BAD("space in the target", "GET /a b HTTP/1.1\r\n" H "\r\n"),
    BAD("tab in the target", "GET /a\tb HTTP/1.1\r\n" H "\r\n"),
    BAD("tab as separator", "GET\t/ HTTP/1.1\r\n" H "\r\n"),
    BAD("space behind the version", "GET / HTTP/1.1 \r\n" H "\r\n"),
    BAD("junk behind the version", "GET / HTTP/1.1 x\r\n" H "\r\n"),
    BAD("second version", "GET / HTTP/1.1 HTTP/1.1\r\n" H "\r\n"),
    BAD("version in small letters", "GET / http/1.1\r\n" H "\r\n"),
    BAD("version with a letter", "GET / HTTP/1.x\r\n" H "\r\n"),
    BAD("version of three digits", "GET / HTTP/1.10\r\n" H "\r\n"),
    BAD("version with zeros", "GET / HTTP/01.1\r\n" H "\r\n"),
    BAD("comma version", "GET / HTTP/1,1\r\n" H "\r\n"),
    BAD("foreign protocol", "GET / ICY/1.1\r\n" H "\r\n"),
    REQUEST("HTTP/2.0", "GET / HTTP/2.0\r\n" H "\r\n", "EVERSION"),
    REQUEST("HTTP/1.2", "GET / HTTP/1.2\r\n" H "\r\n", "EVERSION"),
    REQUEST("HTTP/0.9 by name", "GET / HTTP/0.9\r\n" H "\r\n", "EVERSION"),
    REQUEST("HTTP/3.1", "GET / HTTP/3.1\r\n" H "\r\n", "EVERSION"),
    REQUEST("HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "EVERSION"),
    BAD("method in small letters", "get / HTTP/1.1\r\n" H "\r\n"),
    BAD("method in mixed case", "Get / HTTP/1.1\r\n" H "\r\n"),
    BAD("method with colon", "GET: / HTTP/1.1\r\n" H "\r\n"),
    BAD("method with digit", "G3T / HTTP/1.1\r\n" H "\r\n"),
    BAD("method too long", "ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFG / HTTP/1.1\r\n" H "\r\n"),
    BAD("method with non-ASCII", "G\xc3\x8bT / HTTP/1.1\r\n" H "\r\n"),
    BAD("fragment", "GET /a#b HTTP/1.1\r\n" H "\r\n"),
    BAD("relative target", "GET a HTTP/1.1\r\n" H "\r\n"),
    BAD("asterisk for GET", "GET * HTTP/1.1\r\n" H "\r\n"),
    BAD("asterisk and more", "OPTIONS *a HTTP/1.1\r\n" H "\r\n"),
    BAD("foreign scheme", "GET ftp://a/ HTTP/1.1\r\n" H "\r\n"),
    BAD("scheme without slashes", "GET http:a HTTP/1.1\r\n" H "\r\n"),
    BAD("absolute without authority", "GET http:///p HTTP/1.1\r\n" H "\r\n"),
    BAD("absolute with userinfo", "GET http://u@a/ HTTP/1.1\r\n" H "\r\n"),
    BAD("authority form for GET", "GET a:80 HTTP/1.1\r\n" H "\r\n"),
    BAD("connect with a path", "CONNECT /p HTTP/1.1\r\n" H "\r\n"),
    BAD("connect without a port", "CONNECT a HTTP/1.1\r\n" H "\r\n"),
    BAD("connect with a URL", "CONNECT http://a:80/ HTTP/1.1\r\n" H "\r\n"),
    BAD("connect with a body", "CONNECT a:1 HTTP/1.1\r\n" H "Content-Length: 1\r\n\r\nx"),
    BAD("connect elsewhere", "CONNECT b:443 HTTP/1.1\r\n" H "\r\n"),
    REQUEST("unfinished forever", "GET /", "ETRUNCATED"),
    /* Host */
    BAD("no Host", G "\r\n"),
    BAD("two Hosts", G H H "\r\n"),
    BAD("two Hosts, one empty", G H "Host:\r\n\r\n"),
    BAD("two Hosts in 1.0", "GET / HTTP/1.0\r\n" H "Host: b\r\n\r\n"),
    BAD("empty Host", G "Host: \r\n\r\n"),
    BAD("list of hosts", G "Host: a, b\r\n\r\n"),
    BAD("Host with a path", G "Host: a/b\r\n\r\n"),
    BAD("Host with userinfo", G "Host: u@a\r\n\r\n"),
    BAD("Host with a space", G "Host: a b\r\n\r\n"),
    BAD("Host with percent", G "Host: a%2eb\r\n\r\n"),
    BAD("Host with a large port", G "Host: a:65536\r\n\r\n"),
    BAD("Host with port zero", G "Host: a:0\r\n\r\n"),
    BAD("Host with a bad port", G "Host: a:8x\r\n\r\n"),
    BAD("Host with two ports", G "Host: a:1:2\r\n\r\n"),
    BAD("Host with dots", G "Host: a..b\r\n\r\n"),
    BAD("Host that is a dot", G "Host: .\r\n\r\n"),
    BAD("Host that is a port", G "Host: :80\r\n\r\n"),
    BAD("Host IPv6 unclosed", G "Host: [::1\r\n\r\n"),
    BAD("Host IPv6 bare", G "Host: ::1\r\n\r\n"),
    BAD("Host IPv6 malformed", G "Host: [::g]\r\n\r\n"),
    BAD("Host IPv4 in brackets", G "Host: [1.2.3.4]\r\n\r\n"),
    BAD("Host IPv6 and junk", G "Host: [::1]x\r\n\r\n"),
    BAD("Host with non-ASCII", G "Host: \xc3\xa4\r\n\r\n"),
    BAD("bad Host in 1.0", "GET / HTTP/1.0\r\nHost: a b\r\n\r\n"),
    BAD("target against Host", "GET http://b/ HTTP/1.1\r\n" H "\r\n"),
    BAD("target against Host's port", "GET http://a:81/ HTTP/1.1\r\n" H "\r\n"),
    BAD("absolute form without Host", "GET http://a/ HTTP/1.1\r\n\r\n"),
    BAD("absolute form, empty Host", "GET http://a/ HTTP/1.1\r\nHost:\r\n\r\n"),
    /* Fields */
    BAD("space before the colon", G "Host : a\r\n\r\n"),
    BAD("space before the colon of length", P "Content-Length : 5\r\n\r\nhello"),
    BAD("tab before the colon", P "Transfer-Encoding\t: chunked\r\n\r\n0\r\n\r\n"),
    BAD("space inside a name", G H "X Y: a\r\n\r\n"),
    BAD("empty name", G H ": a\r\n\r\n"),
    BAD("no colon", G H "X\r\n\r\n"),
    BAD("name with non-ASCII", G H "X\xc3\xa4: a\r\n\r\n"),
    BAD("name with brackets", G H "X[]: a\r\n\r\n"),
    BAD("name with a comma", G H "X,Y: a\r\n\r\n"),
    BAD("name with a slash", G H "X/Y: a\r\n\r\n"),
    BAD("name in quotes", G H "\"X\": a\r\n\r\n"),
    /* Length */
    BAD("CL twice", P "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello"),
    BAD("CL twice, equal", P "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello"),
    BAD("CL list", P "Content-Length: 5, 5\r\n\r\nhello"),
    BAD("CL plus", P "Content-Length: +5\r\n\r\nhello"),
    BAD("CL minus", P "Content-Length: -5\r\n\r\nhello"),
    BAD("CL hex", P "Content-Length: 0x5\r\n\r\nhello"),
    BAD("CL fraction", P "Content-Length: 5.0\r\n\r\nhello"),
    BAD("CL empty", P "Content-Length:\r\n\r\nhello"),
    BAD("CL two numbers", P "Content-Length: 5 5\r\n\r\nhello"),
    BAD("CL with a comma", P "Content-Length: 5,\r\n\r\nhello"),
    BAD("CL quoted", P "Content-Length: \"5\"\r\n\r\nhello"),
    BAD("CL too large", P "Content-Length: 9223372036854775808\r\n\r\n"),
    BAD("CL that wraps", P "Content-Length: 18446744073709551621\r\n\r\nhello"),
    BAD("CL and TE", P "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    BAD("TE and CL", P "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n"),
    BAD("TE and CL zero", P "Transfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n0\r\n\r\n"),
    BAD("TE twice", P "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    BAD("TE twice, other first", P "Transfer-Encoding: x\r\nTransfer-Encoding: chunked\r\n\r\n"),
    BAD("TE chunked, chunked", P "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n"),
    BAD("TE chunked not last", P "Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n"),
    BAD("TE identity", P "Transfer-Encoding: identity\r\n\r\n"),
    BAD("TE empty", P "Transfer-Encoding:\r\n\r\n"),
    BAD("TE with a comma", P "Transfer-Encoding: chunked,\r\n\r\n0\r\n\r\n"),
    BAD("TE with a parameter", P "Transfer-Encoding: chunked;q=1\r\n\r\n0\r\n\r\n"),
    BAD("TE quoted", P "Transfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n"),
    BAD("TE xchunked", P "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"),
    BAD("TE chunked and more", P "Transfer-Encoding: chunked x\r\n\r\n0\r\n\r\n"),
    BAD("TE in 1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    REQUEST("TE gzip, chunked", P "Transfer-Encoding: gzip, chunked\r\n\r\n", "ENOTIMPL"),
    /* Chunks */
    BAD_CHUNK("size not hex", "g\r\n"),
    BAD_CHUNK("size empty", "\r\n"),
    BAD_CHUNK("size with minus", "-1\r\n"),
    BAD_CHUNK("size with plus", "+1\r\n"),
    BAD_CHUNK("size with 0x", "0x1\r\nx\r\n"),
    BAD_CHUNK("size with a space before", " 1\r\nx\r\n"),
    BAD_CHUNK("size with a space behind", "1 \r\nx\r\n"),
    BAD_CHUNK("size with a tab behind", "1\t\r\nx\r\n"),
    BAD_CHUNK("size of 17 digits", "00000000000000001\r\nx\r\n"),
    BAD_CHUNK("size that wraps", "ffffffffffffffff\r\nx\r\n"),
    BAD_CHUNK("size with underscore", "1_0\r\n"),
    BAD_CHUNK("LF behind the size", "1\nx\r\n0\r\n\r\n"),
    BAD_CHUNK("CR behind the size", "1\rx\r\n0\r\n\r\n"),
    BAD_CHUNK("CR CR LF behind the size", "1\r\r\nx\r\n0\r\n\r\n"),
    BAD_CHUNK("empty extension", "1;\r\nx\r\n"),
    BAD_CHUNK("extension without a name", "1;=b\r\nx\r\n"),
    BAD_CHUNK("extension without a value", "1;a=\r\nx\r\n"),
    BAD_CHUNK("extension unclosed", "1;a=\"b\r\nx\r\n"),
    BAD_CHUNK("extension with junk", "1;a b\r\nx\r\n"),
    BAD_CHUNK("LF in an extension", "1;a\n\r\nx\r\n"),
    BAD_CHUNK("NUL in an extension", "1;a=\0\r\nx\r\n"),
    REQUEST("no CRLF behind the data", C "1\r\nxy\r\n0\r\n\r\n",
            "POST / 1.1 @a chunked keep; \"x\"; EPARSE"),
    REQUEST("LF behind the data", C "1\r\nx\n0\r\n\r\n",
            "POST / 1.1 @a chunked keep; \"x\"; EPARSE"),
    REQUEST("CR and more behind the data", C "1\r\nx\rx0\r\n\r\n",
            "POST / 1.1 @a chunked keep; \"x\"; EPARSE"),
    BAD_CHUNK("LF ends the trailers", "0\r\n\n"),
    BAD_CHUNK("CR in a trailer", "0\r\nX: a\rb\r\n\r\n"),
    BAD_CHUNK("trailer folded", "0\r\nX: a\r\n b\r\n\r\n"),
    BAD_CHUNK("trailer without a colon", "0\r\nX\r\n\r\n"),
    BAD_CHUNK("trailer with a space", "0\r\nX : a\r\n\r\n"),
    BAD_CHUNK("request as trailer", "0\r\nGET /admin HTTP/1.1\r\nHost: a\r\n\r\n"),
    BAD_CHUNK("CL as trailer", "0\r\nContent-Length: 5\r\n\r\n"),
    BAD_CHUNK("TE as trailer", "0\r\nTransfer-Encoding: chunked\r\n\r\n"),
    BAD_CHUNK("Host as trailer", "0\r\nHost: b\r\n\r\n"),
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

/* A message built from a head, a run of one repeated text, and a tail. */
static struct gw_str build(struct gw_buf *b, const char *head, const char *unit, unsigned times,
                           const char *tail)
{
    gw_buf_clear(b);
    gw_buf_add(b, gw_str_z(head));
    for (unsigned i = 0; i < times; i++)
        gw_buf_add(b, gw_str_z(unit));
    gw_buf_add(b, gw_str_z(tail));
    return gw_buf_str(b);
}

static void test_limits(void **state)
{
    static const struct {
        const char *head, *unit, *tail;
        unsigned fits; /* repetitions that are within the limit; one more is not */
        const char *error;
    } rows[] = {
        {"GET /", "a", " HTTP/1.1\r\n" H "\r\n", 199, "EURI"},
        {G H, "X: y\r\n", "\r\n", 19, "EHEADERS"},
        {G H "X: ", "y", "\r\n\r\n", 2000 - 16 - 9 - 3 - 4, "EHEADERS"},
        {C "0\r\n", "X: y\r\n", "\r\n", 20, "POST / 1.1 @a chunked keep; EHEADERS"},
        {C "0\r\nX: ", "y", "\r\n\r\n", 2000 - 3 - 4, "POST / 1.1 @a chunked keep; EHEADERS"},
        {C "0;", "a", "\r\n\r\n", 270, "POST / 1.1 @a chunked keep; EPARSE"},
    };
    struct gw_buf b;
    (void)state;
    gw_buf_init(&b, 1 << 16);
    for (size_t i = 0; i < GW_COUNT(rows); i++) {
        struct h1_vector v = {"limit", H1_REQUEST, METHOD_OTHER, GW_STR_EMPTY, rows[i].error};
        v.bytes = build(&b, rows[i].head, rows[i].unit, rows[i].fits, rows[i].tail);
        char *got = trace_pieces(&v, &limits, 0);
        assert_non_null(strstr(got, "end"));
        free(got);
        v.bytes = build(&b, rows[i].head, rows[i].unit, rows[i].fits + 1, rows[i].tail);
        check_vectors(&v, 1, &limits);
        /* Without an end in sight it must not wait for one. */
        v.bytes = build(&b, rows[i].head, rows[i].unit, rows[i].fits + 100, "");
        check_vectors(&v, 1, &limits);
    }
    gw_buf_release(&b);
}

static void test_slices_live_in_the_arena(void **state)
{
    char bytes[] = "POST /p?q HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx";
    struct gw_str input = gw_str(bytes, sizeof(bytes) - 1), body;
    struct h1_parser *p = h1_parser_new(H1_REQUEST, &limits);
    struct gw_arena arena;
    struct h1_message m;
    (void)state;
    gw_arena_init(&arena, NULL, 0, 1 << 16);
    h1_parser_begin(p, &arena, &m);
    assert_true(h1_parser_idle(p));
    assert_int_equal(h1_parser_next(p, &input, &body), H1_HEAD);
    assert_false(h1_parser_idle(p));
    assert_int_equal(h1_parser_next(p, &input, &body), H1_BODY);
    assert_ptr_equal(body.ptr, bytes + sizeof(bytes) - 2);
    memset(bytes, '#', sizeof(bytes));
    assert_true(gw_str_eq(m.url.path, GW_STR("/p")));
    assert_true(gw_str_eq(m.url.query, GW_STR("q")));
    assert_int_equal(m.method_id, METHOD_POST);
    assert_true(gw_str_eq(*headers_get(&m.headers, HEADER_HOST), GW_STR("a")));
    assert_int_equal(h1_parser_next(p, &input, &body), H1_END);
    h1_parser_free(p);
    gw_arena_clear(&arena);
}

/* The arena's ceiling is a limit like the others. */
static void test_full_arena(void **state)
{
    struct gw_str input = GW_STR(G H "\r\n"), body;
    struct h1_parser *p = h1_parser_new(H1_REQUEST, &limits);
    char block[64];
    struct gw_arena arena;
    struct h1_message m;
    (void)state;
    gw_arena_init(&arena, block, sizeof(block), 16);
    h1_parser_begin(p, &arena, &m);
    assert_int_equal(h1_parser_next(p, &input, &body), H1_ERROR);
    assert_int_equal(m.error, GW_EHEADERS);
    h1_parser_free(p);
    gw_arena_clear(&arena);
}

static void test_next_message_on_the_connection(void **state)
{
    struct gw_str input = GW_STR(P "Content-Length: 1\r\n\r\nx\r\nGET /2 HTTP/1.1\r\n" H "\r\n");
    struct gw_str body;
    struct h1_parser *p = h1_parser_new(H1_REQUEST, &limits);
    struct gw_arena arena;
    struct h1_message m;
    (void)state;
    gw_arena_init(&arena, NULL, 0, 0);
    h1_parser_begin(p, &arena, &m);
    assert_int_equal(h1_parser_next(p, &input, &body), H1_HEAD);
    assert_int_equal(h1_parser_next(p, &input, &body), H1_BODY);
    assert_int_equal(h1_parser_next(p, &input, &body), H1_END);
    gw_arena_clear(&arena);
    h1_parser_begin(p, &arena, &m);
    assert_int_equal(h1_parser_next(p, &input, &body), H1_HEAD);
    assert_true(gw_str_eq(m.target, GW_STR("/2")));
    assert_int_equal(h1_parser_next(p, &input, &body), H1_END);
    assert_int_equal(input.len, 0);
    assert_true(h1_parser_idle(p));
    h1_parser_free(p);
    gw_arena_clear(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accepted),   cmocka_unit_test(test_refused),
        cmocka_unit_test(test_limits),     cmocka_unit_test(test_slices_live_in_the_arena),
        cmocka_unit_test(test_full_arena), cmocka_unit_test(test_next_message_on_the_connection),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

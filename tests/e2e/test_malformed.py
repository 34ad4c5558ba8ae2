# SPDX-License-Identifier: Apache-2.0
"""Requests that are not HTTP, or mean two things: refused, connection closed, origin untouched.

What is ambiguous is never repaired (RFC 9112 sections 2.2, 5, 6 and 11.2): every case here has
smuggled requests past some proxy before."""
import pytest

HOST = "Host: www.example.test\r\n"
CASES = {
    # request line
    "no version": ("GET /\r\n" + HOST + "\r\n", 400),
    "no target": ("GET HTTP/1.1\r\n" + HOST + "\r\n", 400),
    "empty method": (" / HTTP/1.1\r\n" + HOST + "\r\n", 400),
    "lower-case protocol": ("GET / http/1.1\r\n" + HOST + "\r\n", 400),
    "unknown protocol": ("GET / FTP/1.1\r\n" + HOST + "\r\n", 400),
    "no minor version": ("GET / HTTP/1\r\n" + HOST + "\r\n", (400, 505)),
    "version 1.2": ("GET / HTTP/1.2\r\n" + HOST + "\r\n", (400, 505)),
    "version 2.0": ("GET / HTTP/2.0\r\n" + HOST + "\r\n", (400, 505)),
    "version 9.9": ("GET / HTTP/9.9\r\n" + HOST + "\r\n", (400, 505)),
    "version 0.9": ("GET / HTTP/0.9\r\n" + HOST + "\r\n", (400, 505)),
    "version with letters": ("GET / HTTP/1.x\r\n" + HOST + "\r\n", 400),
    "version too long": ("GET / HTTP/1.11\r\n" + HOST + "\r\n", 400),
    "two spaces before target": ("GET  / HTTP/1.1\r\n" + HOST + "\r\n", 400),
    "two spaces before version": ("GET /  HTTP/1.1\r\n" + HOST + "\r\n", 400),
    "tab as separator": ("GET\t/\tHTTP/1.1\r\n" + HOST + "\r\n", 400),
    "space behind version": ("GET / HTTP/1.1 \r\n" + HOST + "\r\n", 400),
    "space in target": ("GET /a b HTTP/1.1\r\n" + HOST + "\r\n", 400),
    "NUL in target": ("GET /a\0b HTTP/1.1\r\n" + HOST + "\r\n", 400),
    "control character in target": ("GET /a\x01b HTTP/1.1\r\n" + HOST + "\r\n", 400),
    "DEL in target": ("GET /a\x7fb HTTP/1.1\r\n" + HOST + "\r\n", 400),
    "bare CR in target": ("GET /a\rb HTTP/1.1\r\n" + HOST + "\r\n", 400),
    "target without slash": ("GET index.html HTTP/1.1\r\n" + HOST + "\r\n", 400),
    "fragment in target": ("GET /a#b HTTP/1.1\r\n" + HOST + "\r\n", 400),
    "separator in method": ("GE(T / HTTP/1.1\r\n" + HOST + "\r\n", 400),
    "NUL in method": ("G\0T / HTTP/1.1\r\n" + HOST + "\r\n", 400),
    "lower-case method": ("get / HTTP/1.1\r\n" + HOST + "\r\n", (400, 405, 501)),
    "CONNECT": ("CONNECT www.example.test:443 HTTP/1.1\r\n" + HOST + "\r\n", (400, 405, 501)),
    "asterisk with GET": ("GET * HTTP/1.1\r\n" + HOST + "\r\n", 400),
    "HTTP/2 preface": ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", (400, 405, 501, 505)),
    "TLS hello": ("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400),
    "binary": ("\xff\xfe\xfd\xfc\r\n\r\n", 400),
    "target of 17 KiB": ("GET /" + "a" * 17 * 1024 + " HTTP/1.1\r\n" + HOST + "\r\n", 414),
    "target without end": ("GET /" + "a" * 300 * 1024, (414, 431)),
    # host
    "no host": ("GET / HTTP/1.1\r\n\r\n", 400),
    "two hosts": ("GET / HTTP/1.1\r\n" + HOST + HOST + "\r\n", 400),
    "two different hosts": ("GET / HTTP/1.1\r\n" + HOST + "Host: other.test\r\n\r\n", 400),
    "empty host": ("GET / HTTP/1.1\r\nHost:\r\n\r\n", (400, 404)),
    "host with a path": ("GET / HTTP/1.1\r\nHost: www.example.test/x\r\n\r\n", 400),
    "host with a user": ("GET / HTTP/1.1\r\nHost: a@www.example.test\r\n\r\n", 400),
    "host with a space": ("GET / HTTP/1.1\r\nHost: www.example.test evil\r\n\r\n", 400),
    "host with a comma": ("GET / HTTP/1.1\r\nHost: www.example.test,evil\r\n\r\n", 400),
    "host with a bad port": ("GET / HTTP/1.1\r\nHost: www.example.test:99999\r\n\r\n", 400),
    "host with a word for a port": ("GET / HTTP/1.1\r\nHost: www.example.test:http\r\n\r\n", 400),
    "HTTP/1.0 with two hosts": ("GET / HTTP/1.0\r\n" + HOST + "Host: b\r\n\r\n", 400),
    # header lines
    "no colon": ("GET / HTTP/1.1\r\n" + HOST + "NoColon\r\n\r\n", 400),
    "no name": ("GET / HTTP/1.1\r\n" + HOST + ": value\r\n\r\n", 400),
    "space before colon": ("GET / HTTP/1.1\r\n" + HOST + "X-Name : value\r\n\r\n", 400),
    "tab before colon": ("GET / HTTP/1.1\r\n" + HOST + "X-Name\t: value\r\n\r\n", 400),
    "space in name": ("GET / HTTP/1.1\r\n" + HOST + "X Name: value\r\n\r\n", 400),
    "bracket in name": ("GET / HTTP/1.1\r\n" + HOST + "X[Name]: value\r\n\r\n", 400),
    "non-ASCII name": ("GET / HTTP/1.1\r\n" + HOST + "X-N\xe4me: value\r\n\r\n", 400),
    "NUL in name": ("GET / HTTP/1.1\r\n" + HOST + "X-\0: value\r\n\r\n", 400),
    "NUL in value": ("GET / HTTP/1.1\r\n" + HOST + "X: a\0b\r\n\r\n", 400),
    "bare CR in value": ("GET / HTTP/1.1\r\n" + HOST + "X: a\rb\r\n\r\n", 400),
    "bare CR ends a line": ("GET / HTTP/1.1\r\n" + HOST + "X: a\rY: b\r\n\r\n", 400),
    "control character in value": ("GET / HTTP/1.1\r\n" + HOST + "X: a\x02b\r\n\r\n", 400),
    "folded line": ("GET / HTTP/1.1\r\n" + HOST + "X: a\r\n b\r\n\r\n", 400),
    "folded line with tab": ("GET / HTTP/1.1\r\n" + HOST + "X: a\r\n\tb\r\n\r\n", 400),
    "folded first line": ("GET / HTTP/1.1\r\n X: a\r\n" + HOST + "\r\n", 400),
    "bare LF line ends": ("GET / HTTP/1.1\n" + "Host: www.example.test\n\n", 400),
    "bare LF in headers": ("GET / HTTP/1.1\r\n" + HOST + "X: a\nY: b\r\n\r\n", 400),
    "one header of 200 KiB": ("GET / HTTP/1.1\r\n" + HOST + "X: " + "a" * 200 * 1024 + "\r\n\r\n", 431),
    "header without end": ("GET / HTTP/1.1\r\n" + HOST + "X: " + "a" * 400 * 1024, 431),
    "20000 header lines": ("GET / HTTP/1.1\r\n" + HOST + "A: b\r\n" * 40000 + "\r\n", 431),
    # framing
    "length is a word": ("POST / HTTP/1.1\r\n" + HOST + "Content-Length: abc\r\n\r\n", 400),
    "length is negative": ("POST / HTTP/1.1\r\n" + HOST + "Content-Length: -1\r\n\r\n", 400),
    "length has a plus": ("POST / HTTP/1.1\r\n" + HOST + "Content-Length: +5\r\n\r\nhello", 400),
    "length is hexadecimal": ("POST / HTTP/1.1\r\n" + HOST + "Content-Length: 0x5\r\n\r\nhello", 400),
    "length has a space inside": ("POST / HTTP/1.1\r\n" + HOST + "Content-Length: 5 0\r\n\r\nhello", 400),
    "length is empty": ("POST / HTTP/1.1\r\n" + HOST + "Content-Length:\r\n\r\n", 400),
    "length overflows": ("POST / HTTP/1.1\r\n" + HOST + "Content-Length: 99999999999999999999999\r\n\r\n", (400, 413)),
    "two lengths that differ": ("POST / HTTP/1.1\r\n" + HOST + "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello", 400),
    "two lengths in one": ("POST / HTTP/1.1\r\n" + HOST + "Content-Length: 5, 6\r\n\r\nhello", 400),
    "length and chunked": ("POST / HTTP/1.1\r\n" + HOST + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    "chunked and length": ("POST / HTTP/1.1\r\n" + HOST + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n", 400),
    "unknown coding": ("POST / HTTP/1.1\r\n" + HOST + "Transfer-Encoding: rot13\r\n\r\n", (400, 501)),
    "gzip, chunked": ("POST / HTTP/1.1\r\n" + HOST + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", (400, 501)),
    "chunked, identity": ("POST / HTTP/1.1\r\n" + HOST + "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n", (400, 501)),
    "chunked twice": ("POST / HTTP/1.1\r\n" + HOST + "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n", (400, 501)),
    "chunked on two lines": ("POST / HTTP/1.1\r\n" + HOST + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", (400, 501)),
    "xchunked": ("POST / HTTP/1.1\r\n" + HOST + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", (400, 501)),
    "quoted chunked": ("POST / HTTP/1.1\r\n" + HOST + 'Transfer-Encoding: "chunked"\r\n\r\n0\r\n\r\n', (400, 501)),
    "chunked with vertical tab": ("POST / HTTP/1.1\r\n" + HOST + "Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n", (400, 501)),
    "empty coding": ("POST / HTTP/1.1\r\n" + HOST + "Transfer-Encoding:\r\n\r\n", (400, 501)),
    "coding with a space before the colon": ("POST / HTTP/1.1\r\n" + HOST + "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n", 400),
    "chunked in HTTP/1.0": ("POST / HTTP/1.0\r\n" + HOST + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
}
BAD_CHUNKS = {
    "size is a word": "xyz\r\nabc\r\n0\r\n\r\n",
    "size is negative": "-3\r\nabc\r\n0\r\n\r\n",
    "size has a prefix": "0x3\r\nabc\r\n0\r\n\r\n",
    "size has a plus": "+3\r\nabc\r\n0\r\n\r\n",
    "size is empty": "\r\nabc\r\n0\r\n\r\n",
    "size overflows": "fffffffffffffffff\r\nabc\r\n0\r\n\r\n",
    "size starts with a space": " 3\r\nabc\r\n0\r\n\r\n",
    "chunk is longer than its size": "3\r\nabcd\r\n0\r\n\r\n",
    "bare LF behind the size": "3\nabc\r\n0\r\n\r\n",
    "bare LF behind the chunk": "3\r\nabc\n0\r\n\r\n",
    "bare CR in the extension": "3;a\rb\r\nabc\r\n0\r\n\r\n",
    "bad trailer": "3\r\nabc\r\n0\r\nno colon\r\n\r\n",
    "folded trailer": "3\r\nabc\r\n0\r\nX: a\r\n b\r\n\r\n",
}


@pytest.fixture(scope="module")
def shared(shared_start, shared_origin):
    return shared_start(shared_origin)


@pytest.mark.parametrize("name", CASES)
def test_refused_and_closed(shared, shared_origin, name):
    request, expected = CASES[name]
    before = shared_origin.count()
    with shared.client() as client:
        try:
            # What follows must be seen as part of the refused bytes, not as a second request.
            client.send(request + "GET /smuggled HTTP/1.1\r\n" + HOST + "\r\n")
        except (BrokenPipeError, ConnectionResetError):
            pass  # refused before all of it was sent
        response = client.read()
        assert response.status in (expected if isinstance(expected, tuple) else (expected,)), response
        assert response.get("Connection", "").lower() == "close"
        assert client.read_to_end() == b""
    assert shared_origin.count() == before
    assert response.ray


@pytest.mark.parametrize("name", BAD_CHUNKS)
def test_bad_chunks_end_the_connection(shared, shared_origin, name):
    """The head may be at the origin already; the body must never look complete there."""
    before = shared_origin.count("/smuggled")
    with shared.client() as client:
        client.request("POST", "/chunks", {"Transfer-Encoding": "chunked"})
        client.send(BAD_CHUNKS[name] + "GET /smuggled HTTP/1.1\r\n" + HOST + "\r\n")
        data = client.read_to_end()
    assert data == b"" or data.startswith(b"HTTP/1.1 400")
    assert data.count(b"HTTP/1.1") <= 1
    assert shared_origin.count("/chunks") == 0, "the origin took the body for complete"
    assert shared_origin.count("/smuggled") == before


def test_gateway_is_still_well(shared):
    assert shared.fetch("/fine").status == 200
    assert shared.is_alive()


@pytest.mark.parametrize("name,request_bytes", {
    "lone CRLF first": "\r\nGET / HTTP/1.1\r\n" + HOST + "Connection: close\r\n\r\n",
    "empty value": "GET / HTTP/1.1\r\n" + HOST + "X:\r\nConnection: close\r\n\r\n",
    "no space behind colon": "GET / HTTP/1.1\r\nHost:www.example.test\r\nConnection:close\r\n\r\n",
    "tab around value": "GET / HTTP/1.1\r\n" + HOST + "X:\tv\t\r\nConnection: close\r\n\r\n",
    "high bytes in value": "GET / HTTP/1.1\r\n" + HOST + "X: \xe4\xff\r\nConnection: close\r\n\r\n",
    "same length twice": "POST / HTTP/1.1\r\n" + HOST + "Content-Length: 2\r\nConnection: close\r\n\r\nab",
    "leading zeros in length": "POST / HTTP/1.1\r\n" + HOST + "Content-Length: 002\r\nConnection: close\r\n\r\nab",
    "chunked in capitals": "POST / HTTP/1.1\r\n" + HOST + "Transfer-Encoding: CHUNKED\r\nConnection: close\r\n\r\n0\r\n\r\n",
    "OPTIONS *": "OPTIONS * HTTP/1.1\r\n" + HOST + "Connection: close\r\n\r\n",
    "path of 15 KiB": "GET /" + "a" * 15 * 1024 + " HTTP/1.1\r\n" + HOST + "Connection: close\r\n\r\n",
    "100 KiB of headers": "GET / HTTP/1.1\r\n" + HOST + "".join(f"X-{n}: {'v' * 1000}\r\n" for n in range(100)) + "Connection: close\r\n\r\n",
}.items())
def test_odd_but_legal_is_served(shared, name, request_bytes):
    with shared.client() as client:
        client.send(request_bytes)
        status = client.read().status
        assert status == 200 or (name == "OPTIONS *" and status in (200, 204, 400, 405))

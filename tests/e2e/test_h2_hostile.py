# SPDX-License-Identifier: Apache-2.0
"""HTTP/2 clients that mean no good: what is malformed never reaches the origin, what is a flood ends."""
import random
import time

import hpack
import pytest
from edge import RawClient, Reply, wait_until
from edge.h2 import H2Client, frame

PROTOCOL_ERROR, CALM = 1, 11
LISTEN = [{"address": "127.0.0.1:0", "edge": "FRA", "h2c": True}]
HOST = ":authority", "www.example.test"
GET = [(":method", "GET"), (":scheme", "http"), HOST, (":path", "/")]
POST = [(":method", "POST"), *GET[1:]]
DATA, HEADERS, PRIORITY, RST, SETTINGS, PING, GOAWAY, WINDOW, CONTINUATION = 0, 1, 2, 3, 4, 6, 7, 8, 9
BURST = 500


@pytest.fixture
def gateway(start, origin):
    return start(origin, listen=LISTEN)


def replaced(name, value):
    return [(k, value if k == name else v) for k, v in GET]


def without(name):
    return [(k, v) for k, v in GET if k != name]


BAD_HEADS = {
    "CR LF in a value": [*GET, ("x-a", "1\r\nx-smuggled: 1")],
    "LF in a value": [*GET, ("x-a", "1\nx-smuggled: 1")],
    "CR in a value": [*GET, ("x-a", "1\rx")],
    "NUL in a value": [*GET, ("x-a", "1\0")],
    "space before a value": [*GET, ("x-a", " 1")],
    "space behind a value": [*GET, ("x-a", "1 ")],
    "CR LF in a name": [*GET, ("x-a: 1\r\nx-smuggled", "1")],
    "colon in a name": [*GET, ("x-a:", "1")],
    "space in a name": [*GET, ("x a", "1")],
    "empty name": [*GET, ("", "1")],
    "upper case": [*GET, ("X-A", "1")],
    "CR LF in the path": replaced(":path", "/ HTTP/1.1\r\nHost: evil\r\n\r\nGET /x"),
    "space in the path": replaced(":path", "/a b"),
    "tab in the path": replaced(":path", "/a\tb"),
    "path without slash": replaced(":path", "a"),
    "whole URL as path": replaced(":path", "http://evil/"),
    "asterisk for GET": replaced(":path", "*"),
    "empty path": replaced(":path", ""),
    "no path": without(":path"),
    "no scheme": without(":scheme"),
    "odd scheme": replaced(":scheme", "http://evil/?"),
    "no method": without(":method"),
    "space in the method": replaced(":method", "GET / HTTP/1.1\r\nx"),
    "lower case method": replaced(":method", "get"),
    "no authority": without(":authority"),
    "user in the authority": replaced(":authority", "user@www.example.test"),
    "CR LF in the authority": replaced(":authority", "www.example.test\r\nx: 1"),
    "slash in the authority": replaced(":authority", "www.example.test/x"),
    "another host": [*GET, ("host", "evil.test")],
    "another port": [*GET, ("host", "www.example.test:81")],
    "two hosts": [*GET, ("host", "www.example.test"), ("host", "www.example.test")],
    "two authorities": [*GET, HOST],
    "two paths": [*GET, (":path", "/b")],
    "pseudo-field behind others": [*GET[:3], ("x-a", "1"), GET[3]],
    "unknown pseudo-field": [*GET, (":x", "1")],
    "a response's pseudo-field": [*GET, (":status", "200")],
    "protocol without CONNECT": [*GET, (":protocol", "websocket")],
    "transfer-encoding": [*POST, ("transfer-encoding", "chunked")],
    "connection": [*GET, ("connection", "close")],
    "connection names a field": [*GET, ("connection", "x-a"), ("x-a", "1")],
    "keep-alive": [*GET, ("keep-alive", "1")],
    "proxy-connection": [*GET, ("proxy-connection", "close")],
    "upgrade": [*GET, ("upgrade", "websocket")],
    "te": [*GET, ("te", "gzip")],
    "te with more": [*GET, ("te", "trailers, gzip")],
    "two lengths": [*POST, ("content-length", "0"), ("content-length", "5")],
    "no number": [*POST, ("content-length", "+5")],
    "list of lengths": [*POST, ("content-length", "0, 5")],
    "length without body": [*POST, ("content-length", "5")],
}


@pytest.mark.parametrize("what", BAD_HEADS)
def test_bad_head_never_reaches_the_origin(gateway, origin, what):
    with H2Client(gateway.address) as client:
        stream = client.response(client.send_fields(BAD_HEADS[what]))
        assert stream.status == 400 or stream.reset == PROTOCOL_ERROR, stream
        assert client.fetch(path="/after").status == 200, "the connection goes on"
    assert [r.path for r in origin.seen()] == ["/after"]


@pytest.mark.parametrize("length,body", [("5", b"hello world"), ("50", b"hello"), ("0", b"GET /x HTTP/1.1\r\n\r\n")])
def test_a_length_that_lies(gateway, origin, length, body):
    """Whatever the origin saw, it was no complete request with bytes to spare. A length of 0 is a whole request
    before the bytes come: whether its answer is sooner than they are is the machine's business."""
    with H2Client(gateway.address) as client:
        stream = client.response(client.send_fields([*POST, ("content-length", length)], body))
        if length == "0":
            assert stream.status in (None, 200)
        else:
            assert stream.reset == PROTOCOL_ERROR and stream.status is None
        assert client.fetch(path="/after").status == 200
    assert all(r.length <= int(length) for r in origin.seen("/"))
    assert not origin.seen("/x")


def test_te_trailers_is_allowed(gateway, origin):
    with H2Client(gateway.address) as client:
        assert client.response(client.send_fields([*GET, ("te", "trailers")])).status == 200
        assert client.response(client.send_fields([*without(":authority"), ("host", HOST[1])])).status == 200
        assert client.response(client.send_fields([*GET, ("host", HOST[1])])).status == 200
    assert "TE" not in origin.last()


def test_the_origin_is_told_the_authority(gateway, origin):
    """RFC 9113 section 8.3.1: not what Host says, though it means the same."""
    with H2Client(gateway.address) as client:
        assert client.response(client.send_fields([*GET, ("host", "www.example.test:80")])).status == 200
    assert origin.last().get("Host") == "www.example.test"


def goaway_codes(data):
    """Of the GOAWAY frames among these."""
    codes = []
    while len(data) >= 9:
        length = int.from_bytes(data[:3], "big")
        if data[3] == GOAWAY:
            codes.append(int.from_bytes(data[13:17], "big"))
        data = data[9 + length:]
    return codes


def flood(client, pieces):
    """Sends until the gateway has had enough, answer by answer; the codes of its GOAWAYs."""
    heard = b""
    try:
        for piece in pieces:
            client.socket.sendall(piece + frame(PING, 0, 0, b"in step?"))
            seen = len(heard)
            while b"in step?" not in heard[seen:]:
                data = client.socket.recv(65536)
                if not data:
                    return goaway_codes(heard)
                heard += data
    except (ConnectionResetError, BrokenPipeError):
        return goaway_codes(heard) or [CALM]  # what it said may be lost in a reset
    return goaway_codes(heard)


def rapid_resets(client):
    head = client.h2.encoder.encode([*GET[:3], (":path", "/reset")])
    for start in range(1, 4001, 100):
        yield b"".join(frame(HEADERS, 5, n, head) + frame(RST, 0, n, b"\0\0\0\x08")
                       for n in range(start, start + 100, 2))


def mistakes(client):
    """Resets that the gateway must send: each stream overruns a window (CVE-2025-8671)."""
    head = client.h2.encoder.encode([*GET[:3], (":path", "/reset")])
    for start in range(1, 4001, 100):
        yield b"".join(frame(HEADERS, 5, n, head) + frame(WINDOW, 0, n, b"\x7f\xff\xff\xff")
                       for n in range(start, start + 100, 2))


def open_stream(client, data):
    return frame(HEADERS, 4, 1, client.h2.encoder.encode(POST)) + data


FLOODS = {
    "rapid reset": rapid_resets,
    "provoked resets": mistakes,
    "PING": lambda c: frame(PING, 0, 0, b"12345678") * 2000,
    "SETTINGS": lambda c: frame(SETTINGS, 0, 0) * 2000,
    "PRIORITY": lambda c: frame(PRIORITY, 0, 1, b"\0\0\0\0\x10") * 2000,
    "empty DATA": lambda c: open_stream(c, frame(DATA, 0, 1) * 2000),
    "padding only": lambda c: open_stream(c, frame(DATA, 8, 1, b"\x3f" + bytes(63)) * 1000),
    "windows of one byte": lambda c: open_stream(c, frame(WINDOW, 0, 1, b"\0\0\0\1") * 2000),
    "CONTINUATION": lambda c: frame(HEADERS, 0, 1, b"") + frame(CONTINUATION, 0, 1, b"") * 2000,
}


@pytest.mark.parametrize("what", FLOODS)
def test_floods_end_the_connection(gateway, origin, what):
    with H2Client(gateway.address) as client:
        pieces = FLOODS[what](client)
        assert flood(client, [pieces] if isinstance(pieces, bytes) else pieces) == [CALM]
    assert origin.count("/reset") <= BURST
    with H2Client(gateway.address) as client:
        assert client.fetch().status == 200


def test_what_a_good_client_needs_is_not_a_flood(gateway, origin):
    origin.on("/a.bin", Reply(b"x" * 100_000))
    with H2Client(gateway.address) as client:
        for _ in range(80):  # python3-h2 resets a stream again for each DATA frame that comes late
            client.h2.ping(b"12345678")
            client.reset(client.request(path="/a.bin"))
        assert client.fetch(path="/a.bin").length == 100_000


def test_a_header_bomb(start, origin):
    """One large entry of the table, named often: small on the wire, large for who counts it not."""
    gateway = start(origin, listen=LISTEN)
    with H2Client(gateway.address) as client:
        gateway.reset_memory_peak()
        before = gateway.memory_peak_kib()
        block = client.h2.encoder.encode([*GET, ("x-bomb", "a" * 3900)]) + b"\xbe" * 16000
        client.raw(frame(HEADERS, 1, 1, block[:16384]) + frame(CONTINUATION, 4, 1, block[16384:]))
        gateway.logged(EdgeResponseStatus=431)
        assert gateway.memory_peak_kib() - before < 16 * 1024
    assert origin.count() == 0


def test_mistakes_of_who_reads_nothing(start, origin):
    """Refused streams are answered by resets; behind a socket that is full they would pile up for ever."""
    gateway, sent = start(origin, listen=LISTEN), [0]

    def endless(_, connection):
        connection.send(Reply(length=1 << 30).head())
        while not connection.closed:
            connection.send(bytes(65536))
            sent[0] += 1

    def stands_still():
        seen = sent[0]
        time.sleep(0.25)
        return seen and sent[0] == seen

    origin.on("/big", endless)
    with RawClient(gateway.address, receive_buffer=4096) as client:
        head = hpack.Encoder().encode([*GET[:3], (":path", "/big")])
        client.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(SETTINGS, 0, 0, b"\0\4\x7f\xff\xff\xff")
                    + frame(WINDOW, 0, 0, b"\x7f\xff\0\0") + frame(HEADERS, 5, 1, head))
        wait_until(stands_still, "the answer to fill the socket")
        try:  # SETTINGS are never acknowledged: every stream is refused, none is an error
            for begin in range(3, 100_000, 2000):
                client.send(b"".join(frame(HEADERS, 4, n, head) for n in range(begin, begin + 2000, 2)))
        except OSError:
            pass
        wait_until(lambda: "too many frames without progress" in gateway.log(), "the end of its patience")
    with H2Client(gateway.address) as client:
        assert client.fetch().status == 200


def test_half_a_head(start, origin):
    gateway = start(origin, listen=LISTEN, timeouts={"header_ms": 300})
    with H2Client(gateway.address) as client:
        client.raw(frame(HEADERS, 0, 1, client.h2.encoder.encode(GET)))
        client.read_to_end()
        assert client.closed
    with RawClient(gateway.address) as client:
        client.send("PRI * HTTP/2.0\r\n")
        assert client.is_closed()
    assert origin.count() == 0


@pytest.mark.parametrize("seed", range(3))
def test_noise(gateway, seed):
    """Frames of every kind with bytes of chance: the gateway stays."""
    chance = random.Random(seed)
    for _ in range(60):
        with RawClient(gateway.address) as client:
            client.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(SETTINGS, 0, 0))
            noise = b"".join(
                frame(chance.choice([chance.randrange(10), 1, 0]), chance.randrange(256), chance.choice([0, 1, 1, 3]),
                      chance.randbytes(chance.randrange(40))) for _ in range(chance.randrange(1, 12)))
            try:
                client.send(noise).half_close()
                client.read_to_end()
            except OSError:
                pass
    with H2Client(gateway.address) as client:
        assert client.fetch().status == 200

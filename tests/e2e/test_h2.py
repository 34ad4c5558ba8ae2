# SPDX-License-Identifier: Apache-2.0
"""HTTP/2 for visitors: the same edge, another way of saying it."""
import hashlib
import shutil
import subprocess
import threading

import h2.settings
import pytest
from edge import Blocks, RawClient, Reply, fetch, wait_until
from edge.h2 import H2Client, fetch_h2, frame

NO_ERROR, PROTOCOL_ERROR, INTERNAL_ERROR, CANCEL = 0, 1, 2, 8
BLOCK = bytes(range(256)) * 256  # 64 KiB
LISTEN = [{"address": "127.0.0.1:0", "edge": "FRA", "h2c": True}]
CACHE_ALL = [{"expression": "true", "action": "set_cache_settings", "action_parameters": {
    "cache": True, "edge_ttl": {"mode": "override_origin", "default": 7200}}}]


@pytest.fixture
def gateway(start, origin):
    return start(origin, rules=CACHE_ALL, listen=LISTEN)


def body_of(size):
    return (BLOCK * (size // len(BLOCK) + 1))[:size]


def test_one_answer(gateway, origin):
    origin.on("/a", Reply(b"hello", headers=[("X-Mixed-Case", "Yes")]))
    for cache in ("MISS", "HIT"):
        stream = fetch_h2(gateway.address, "/a")
        assert (stream.status, stream.body, stream.cache) == (200, b"hello", cache)
        assert stream.get("x-mixed-case") == "Yes" and stream.get("content-length") == "5"
        assert not {"connection", "transfer-encoding", "keep-alive"} & {k for k, _ in stream.headers}
        assert all(k == k.lower() for k, _ in stream.headers)
    lines = gateway.logged(2, ClientRequestURI="/a")
    assert {line["ClientRequestProtocol"] for line in lines} == {"HTTP/2"}
    assert origin.count("/a") == 1
    assert origin.last("/a").version == "HTTP/1.1" and origin.last("/a").get("Host") == "www.example.test"


def test_both_versions_on_one_listener_and_one_cache(gateway, origin):
    assert fetch(gateway.address, "/both").cache == "MISS"
    assert fetch_h2(gateway.address, "/both").cache == "HIT"
    assert fetch(gateway.address, "/both", "POST", body=b"x").status == 200  # "P", like the preface


def test_a_preface_in_pieces(gateway):
    with RawClient(gateway.address) as client:
        for byte in b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n":
            client.send(bytes([byte]))
        client.send(b"\0\0\0\4\0\0\0\0\0")
        assert client.read_available()[3] == 4  # its SETTINGS
    with RawClient(gateway.address) as client:
        client.send("P").send("R").send("OPFIND / HTTP/1.1\r\nHost: www.example.test\r\n\r\n")
        assert client.read().status == 200


def test_without_h2c_the_preface_is_refused(start, origin):
    gateway = start(origin)
    with RawClient(gateway.address) as client:
        client.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        assert client.read().status == 505


def test_a_hundred_streams_out_of_order(gateway, origin):
    """None waits for another: the last asked are answered first."""
    gates = {n: threading.Event() for n in range(100)}

    def handler(request, connection):
        gates[int(request.path[3:])].wait(20)
        return Reply(request.path.encode())

    for n in gates:
        origin.on(f"/s/{n}", handler)
    with H2Client(gateway.address) as client:
        streams = {n: client.request(path=f"/s/{n}") for n in gates}
        wait_until(lambda: origin.count() == 100, "all requests at the origin")
        for n in (99, 50, 0):
            gates[n].set()
            assert client.response(streams[n]).body == b"/s/%d" % n
        assert sum(stream.over for stream in client.streams.values()) == 3
        for gate in gates.values():
            gate.set()
        for n, number in streams.items():
            assert client.response(number).body == b"/s/%d" % n


def test_more_streams_than_allowed_are_refused(gateway, origin):
    go = threading.Event()
    origin.on("/wait", lambda request, connection: go.wait(20) and Reply("done"))
    with H2Client(gateway.address) as client:
        assert client.h2.remote_settings.max_concurrent_streams == 128
        client.h2.remote_settings[3] = 1000  # this client does not care
        client.h2.remote_settings.acknowledge()
        for n in range(129):
            client.request(path=f"/wait?{n}")
        client.wait(lambda: client.goaways)
        assert client.goaways[0][0] == PROTOCOL_ERROR
        client.read_to_end()
    go.set()
    assert origin.count() <= 128
    assert fetch_h2(gateway.address, "/wait").status == 200


@pytest.mark.parametrize("path", ["/object", "/growing"])
@pytest.mark.parametrize("size", [0, 1, 2048, 2049, 16384, 16385, 65536, 1_000_000])
def test_download_of_any_size(gateway, origin, size, path):
    origin.on(path, Reply(body_of(size), chunked=path == "/growing"))
    for _ in range(2):  # once through, once from the cache
        stream = fetch_h2(gateway.address, path)
        assert stream.body == body_of(size) and stream.ended


@pytest.mark.parametrize("length", [True, False])
@pytest.mark.parametrize("size", [0, 1, 16384, 65536, 1_000_000])
def test_upload_of_any_size(gateway, origin, size, length):
    fields = [("content-length", str(size))] if length else []
    assert fetch_h2(gateway.address, "/", "POST", fields, body_of(size)).status == 200
    seen = origin.last("/")
    assert (seen.length, seen.sha256.hexdigest()) == (size, hashlib.sha256(body_of(size)).hexdigest())
    assert (seen.get("Transfer-Encoding") is None) == length


def test_heads_without_bodies(gateway, origin):
    origin.on("/e", Reply(b"hello", headers=[("ETag", '"v1"')]))
    origin.on("/n", Reply(b"", status=204))
    fetch_h2(gateway.address, "/e")
    head = fetch_h2(gateway.address, "/e", "HEAD")
    assert (head.status, head.body, head.get("content-length"), head.ended) == (200, b"", "5", True)
    same = fetch_h2(gateway.address, "/e", headers={"If-None-Match": '"v1"'})
    assert (same.status, same.body, same.ended) == (304, b"", True)
    assert fetch_h2(gateway.address, "/n").status == 204
    part = fetch_h2(gateway.address, "/e", headers={"Range": "bytes=1-2"})
    assert (part.status, part.body) == (206, b"el")


def test_cookies_are_one_line_again(gateway, origin):
    fetch_h2(gateway.address, "/c", "POST", [("cookie", "a=1"), ("x-a", "1"), ("cookie", "b=2")], b"")
    assert origin.last("/c").get("Cookie") == "a=1; b=2"


def test_trailers_of_a_request_are_read(gateway, origin):
    with H2Client(gateway.address) as client:
        number = client.request("POST", "/t", body=b"hello", end=False)
        client.h2.send_headers(number, [("x-trailer", "1")], end_stream=True)
        client.flush()
        assert client.response(number).status == 200
    assert origin.last("/t").body == b"hello" and "x-trailer" not in origin.last("/t")


def test_early_hints_pass(gateway, origin):
    def handler(request, connection):
        connection.send("HTTP/1.1 103 Early Hints\r\nLink: </s.css>; rel=preload\r\n\r\n")
        return Reply("done")

    origin.on("/hints", handler)
    stream = fetch_h2(gateway.address, "/hints", "POST", body=b"")
    assert stream.informational == [(103, [("link", "</s.css>; rel=preload")])]
    assert stream.body == b"done"


@pytest.mark.parametrize("sizes", [(0,), (100, 0, 4096), (1 << 20,)])
def test_the_client_chooses_the_size_of_the_table(gateway, origin, sizes):
    """RFC 7541 section 4.2: the decoder refuses an index that its table does not hold."""
    origin.on("/t", lambda request, _: Reply(b"x", headers=[(f"X-{n}", f"{n}") for n in range(40)] + [("X-Path", request.target)]))
    with H2Client(gateway.address) as client:
        for step, size in enumerate((4096, *sizes)):
            client.h2.update_settings({h2.settings.SettingCodes.HEADER_TABLE_SIZE: size})
            client.flush()
            for number in range(6):
                path = f"/t?{step}-{number // 3}"  # each three times
                stream = client.streams[client.request(path=path)]
                client.wait(lambda: stream.over)
                assert stream.get("x-path") == path and [stream.get(f"x-{n}") for n in range(40)] == [f"{n}" for n in range(40)]


def test_a_head_of_several_frames(gateway, origin):
    """RFC 9113 section 6.10: CONTINUATION frames follow one another, whatever other streams say."""
    values = [f"{n:04d}" + "v" * 1500 for n in range(30)]
    origin.on("/long", Reply(b"x" * 100000, headers=[(f"X-{n}", value) for n, value in enumerate(values)]))
    with H2Client(gateway.address) as client:
        numbers = [client.request(path=path) for path in ("/long", "/", "/long", "/")]
        client.wait(lambda: all(client.streams[n].over for n in numbers))
        for stream in (client.streams[numbers[0]], client.streams[numbers[2]]):
            assert [stream.get(f"x-{n}") for n in range(30)] == values and stream.length == 100000


def test_a_small_window_is_kept(gateway, origin):
    origin.on("/w", Reply(body_of(100_000)))
    fetch_h2(gateway.address, "/w")
    with H2Client(gateway.address, window=10, auto=False) as client:
        number = client.request(path="/w")
        stream = client.streams[number]
        client.wait(lambda: stream.length == 10)
        assert client.fetch("HEAD", "/w").status == 200  # the others go on
        assert stream.length == 10
        client.h2.increment_flow_control_window(50_000, number)
        client.flush()
        client.wait(lambda: stream.length == 50_010)
        client.h2.increment_flow_control_window(1_000_000, number)
        client.h2.increment_flow_control_window(1_000_000)
        client.flush()
        assert client.response(number).body == body_of(100_000)


@pytest.mark.parametrize("path", ["/slow", "/slow.zip"])
def test_slow_reader_holds_the_origin_back(start, origin, path):
    """By its window: nothing is read off the origin but what a few buffers hold."""
    gateway = start(origin, listen=LISTEN, cache={"max_size": "8MiB", "max_object_size": "4MiB"})
    blocks = Blocks(BLOCK, 24 * 16)
    origin.on(path, blocks)
    with H2Client(gateway.address, auto=False) as client:
        number = client.request(path=path)
        stream, last = client.streams[number], [-1, 0]
        client.wait(lambda: stream.length == 65535)

        def still():
            last[:] = [blocks.sent, last[1] + 1 if blocks.sent == last[0] else 0]
            return last[1] > 60

        wait_until(still, "the stream to stand still")
        assert blocks.sent < 16 << 20
        client.auto = True
        client.h2.increment_flow_control_window(1 << 20, number)
        client.h2.increment_flow_control_window(1 << 20)
        client.flush()
        assert client.response(number).length == blocks.length


def test_slow_origin_holds_the_uploader_back(start, origin):
    gateway = start(origin, listen=LISTEN)
    go = threading.Event()

    def handler(request, connection):
        go.wait(20)
        connection.read_body(request)
        return Reply("done")

    origin.on("/sink", handler, early=True)
    size = 64 << 20
    with H2Client(gateway.address) as client:
        number = client.request("POST", "/sink", [("content-length", str(size))], end=False)
        sent = 0
        client.socket.settimeout(0.5)
        with pytest.raises(TimeoutError):  # no window comes any more
            while sent < size:
                n = min(16384, client.h2.local_flow_control_window(number), size - sent)
                if n:
                    client.h2.send_data(number, BLOCK[:n])
                    client.flush()
                    sent += n
                else:
                    client.read_once()
        assert sent < 24 << 20  # the kernel's buffers towards the origin, and a window
        client.socket.settimeout(20)
        client.h2.ping(b"12345678")
        client.flush()
        client.wait(lambda: client.pings)
        go.set()
        client.send_body(number, bytes(size - sent))
        assert client.response(number).status == 200
    assert origin.last("/sink").length == size


def test_an_answer_before_the_end_of_the_request(start, origin):
    """RFC 9113 section 8.1: the answer is whole, then the rest of the request is waved off."""
    gateway = start(origin, listen=LISTEN, limits={"body_size": "1KiB"})
    with H2Client(gateway.address) as client:
        number = client.request("POST", "/", [("content-length", "100000")], end=False)
        stream = client.response(number)
        assert (stream.status, stream.ended) == (413, True)
        client.wait(lambda: stream.reset is not None)
        assert stream.reset == NO_ERROR
        number = client.request("POST", "/", end=False)
        client.send_body(number, bytes(5000), end=False)
        assert client.response(number).status == 413
        assert client.fetch().status == 200


def test_reset_by_the_client_reaches_the_origin(gateway, origin):
    gone = threading.Event()

    def handler(request, connection):
        connection.send(Reply(length=1 << 30).head() + BLOCK)
        connection.wait_for_close()
        gone.set()

    origin.on("/endless.bin", handler)
    with H2Client(gateway.address) as client:
        number = client.request("POST", "/endless.bin", body=b"")
        client.wait(lambda: client.streams[number].length > 0)
        client.reset(number, CANCEL)
        assert gone.wait(10)
        assert client.fetch().status == 200


def test_reset_in_the_middle_of_an_upload(gateway, origin):
    ended = threading.Event()

    def handler(request, connection):
        try:
            connection.read_body(request)
        except ConnectionError:
            ended.set()
            raise
        return Reply("complete")

    origin.on("/up", handler, early=True)
    with H2Client(gateway.address) as client:
        number = client.request("POST", "/up", body=b"half", end=False)
        wait_until(lambda: origin.count("/up") == 1, "the request at the origin")
        client.reset(number)
        assert ended.wait(10)
    gateway.logged(ClientRequestURI="/up", EdgeResponseStatus=499)


def test_a_body_that_breaks_off_is_reset(gateway, origin):
    def handler(request, connection):
        connection.send(Reply(length=1000).head() + b"half")
        connection.close()

    origin.on("/cut", handler)
    with H2Client(gateway.address) as client:
        stream = client.fetch("POST", "/cut", body=b"")
        assert (stream.status, stream.ended, stream.reset) == (200, False, INTERNAL_ERROR)
        assert client.fetch().status == 200


def test_limits_are_those_of_http_1(start, origin):
    gateway = start(origin, listen=LISTEN, limits={"uri_size": "1KiB", "header_size": "4KiB"})
    cases = {414: ("/" + "a" * 2000, {}), 431: ("/", {"X-Big": "a" * 5000}), 200: ("/" + "a" * 900, {})}
    for status, (path, headers) in cases.items():
        assert fetch(gateway.address, path, headers=headers).status == status
        assert fetch_h2(gateway.address, path, headers=headers).status == status
    many = [(f"x-{n}", "1") for n in range(300)]
    assert fetch_h2(gateway.address, "/", headers=many).status == 431
    authority = "www.example.test:80"
    with H2Client(gateway.address) as client:
        stream = client.fetch("CONNECT", None, scheme=None, authority=authority)
        assert stream.status == fetch(gateway.address, authority, "CONNECT", host=authority).status


@pytest.mark.parametrize("ask", [fetch, fetch_h2])
def test_rules_see_the_version(start, origin, ask):
    gateway = start(origin, listen=LISTEN, rules=[{
        "expression": 'http.request.version eq "HTTP/2"', "action": "set_cache_settings",
        "action_parameters": {"cache": True, "edge_ttl": {"mode": "override_origin", "default": 7200}}}])
    caches = [ask(gateway.address, "/page").cache for _ in range(2)]
    assert caches == (["MISS", "HIT"] if ask is fetch_h2 else ["DYNAMIC", "DYNAMIC"])


@pytest.mark.parametrize("ask", [fetch, fetch_h2])
def test_the_limiter_refuses_alike(start, origin, ask):
    gateway = start(origin, listen=LISTEN, limiters={
        "limiters": [{"name": "posts", "limit": 3, "window_ms": 60000, "store": "durable_object", "key": "${ip}",
                      "mode": "enforce"}],
        "routes": [{"methods": ["POST"], "path": "/api/*", "limiter": "posts"}]})
    answers = [ask(gateway.address, "/api/x", "POST", body=b"{}") for _ in range(5)]
    assert [answer.status for answer in answers] == [200] * 3 + [429] * 2
    assert answers[-1].body == b'{"error":"Rate limit exceeded","retryAfter":60}'
    assert answers[-1].get("Retry-After") == "60" and origin.count() == 3


# ---- extended CONNECT


def echo_websocket(request, connection):
    assert request.get("Upgrade") == "websocket" and request.get("Connection") == "upgrade"
    assert len(request.get("Sec-WebSocket-Key")) == 24
    connection.send("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                    "Sec-WebSocket-Accept: x\r\nSec-WebSocket-Protocol: chat\r\n\r\n")
    while True:
        data = connection.buffer or connection.receive()
        if not data:
            break
        connection.buffer = b""
        connection.send(data)
    connection.close()


def test_websocket(gateway, origin):
    origin.on("/ws", echo_websocket)
    with H2Client(gateway.address) as client:
        number = client.request("CONNECT", "/ws", [(":protocol", "websocket"), ("sec-websocket-version", "13")],
                                end=False)
        stream = client.streams[number]
        client.wait(lambda: stream.status)
        assert stream.status == 200 and stream.get("sec-websocket-protocol") == "chat"
        assert stream.get("upgrade") is None and stream.get("sec-websocket-accept") is None
        for text in (b"one", b"two"):
            client.send_body(number, text, end=False)
            client.wait(lambda: stream.body.endswith(text))
        client.h2.end_stream(number)
        client.flush()
        assert client.response(number).ended and stream.body == b"onetwo"


@pytest.mark.parametrize("status,expected", [(403, (403, None)), (200, (None, 10))])
def test_websocket_refused(gateway, origin, status, expected):
    """A plain 200 would look like an open tunnel: it becomes a reset."""
    origin.on("/ws", Reply("no", status=status))
    with H2Client(gateway.address) as client:
        number = client.request("CONNECT", "/ws", [(":protocol", "websocket")], end=False)
        stream = client.streams[number]
        client.wait(lambda: stream.over)
        assert (stream.status, None if status == 403 else stream.reset) == expected
        other = client.request("CONNECT", "/", [(":protocol", "other")], end=False)
        assert client.response(other).status == 501


# ---- the life of a connection


def test_drain_tells_and_finishes(gateway, origin):
    go = threading.Event()
    origin.on("/last", lambda request, connection: go.wait(20) and Reply("done"))
    with H2Client(gateway.address) as client:
        number = client.request("POST", "/last", body=b"")
        wait_until(lambda: origin.count("/last") == 1, "the request at the origin")
        gateway.terminate()
        client.wait(lambda: client.goaways)
        assert client.goaways == [(NO_ERROR, 2 ** 31 - 1)]
        client.wait(lambda: len(client.goaways) == 2)
        assert client.goaways[1] == (NO_ERROR, number)
        go.set()
        stream = client.streams[number]
        assert client.wait(lambda: stream.ended) and stream.body == b"done"
        client.read_to_end()
    assert gateway.wait() == 0


def test_drain_of_who_was_saying_hello(gateway):
    """Half a preface when the order comes: the connection is told as those that stood already."""
    preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

    def refuses():
        try:
            with gateway.client():
                return False
        except OSError:
            return True

    with gateway.client() as client:
        client.send(preface[:10])
        wait_until(lambda: gateway.metric("nearedge_connections") >= 2, "the connection beside the admin's")
        gateway.terminate()
        wait_until(refuses, "the listener to close")
        client.send(preface[10:] + frame(4, 0, 0))
        data = client.read_to_end()
    at = data.index(b"\0\0\x08\7\0\0\0\0\0")  # the first GOAWAY
    assert data[at + 9:at + 13] == b"\x7f\xff\xff\xff"


def test_idle_connections_end(start, origin):
    gateway = start(origin, listen=LISTEN, timeouts={"idle_ms": 300})
    with H2Client(gateway.address) as client:
        assert client.fetch().status == 200
        client.read_to_end()
        assert client.goaways == [(NO_ERROR, 1)]


def test_a_body_that_does_not_come(start, origin):
    gateway = start(origin, listen=LISTEN, timeouts={"body_ms": 300})
    with H2Client(gateway.address) as client:
        number = client.request("POST", "/", body=b"half", end=False)
        assert client.response(number).status == 408
        assert client.fetch().status == 200


def test_a_window_that_stays_shut(start, origin):
    gateway = start(origin, listen=LISTEN, timeouts={"write_ms": 300})
    origin.on("/big", Reply(body_of(200_000)))
    with H2Client(gateway.address, auto=False) as client:
        assert client.fetch(path="/big").reset == CANCEL


@pytest.mark.skipif(not shutil.which("h2load"), reason="nghttp2-client is not installed")
def test_h2load_has_no_error(gateway, origin):
    origin.on("/h", Reply(body_of(1024)))
    fetch_h2(gateway.address, "/h")
    url = f"http://{gateway.address}/h"
    report = subprocess.run(["h2load", "-n", "5000", "-c", "8", "-m", "32", "-H", ":authority: www.example.test",
                             url], capture_output=True, text=True, timeout=60, check=True).stdout
    assert "5000 succeeded, 0 failed, 0 errored, 0 timeout" in report, report


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")
def test_curl(gateway, origin):
    origin.on("/c", Reply(body_of(300_000)))
    url = f"http://{gateway.address}/c"
    done = subprocess.run(["curl", "-sS", "--http2-prior-knowledge", "-H", "Host: www.example.test", "-w",
                           "%{stderr}%{http_version}", url], capture_output=True, timeout=30, check=True)
    assert (done.stdout, done.stderr) == (body_of(300_000), b"2")

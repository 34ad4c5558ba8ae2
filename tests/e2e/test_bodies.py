# SPDX-License-Identifier: Apache-2.0
"""Bodies in every framing, of every size, both ways, with bounded memory."""
import hashlib
import os
import threading

import pytest
from edge import Blocks, Reply, Truncated, wait_until
from edge.sanitizer import SANITIZED

MIB = 1 << 20
SIZE = 1024 * MIB if os.environ.get("NEAREDGE_BIG") == "1" else 64 * MIB
MEMORY_BOUND_KIB = 16 * 1024
BLOCK = bytes(range(256)) * 256  # 64 KiB


def sha(count):
    digest = hashlib.sha256()
    for _ in range(count):
        digest.update(BLOCK)
    return digest.hexdigest()


def stream(count, chunked=False):
    """An origin handler that sends `count` blocks."""

    def handler(_, connection):
        connection.send(Reply(chunked=chunked, length=count * len(BLOCK)).head())
        for _ in range(count):
            connection.send(b"%x\r\n%s\r\n" % (len(BLOCK), BLOCK) if chunked else BLOCK)
        if chunked:
            connection.send("0\r\n\r\n")

    return handler


@pytest.mark.parametrize("size", [0, 1, 100, 4095, 4096, 16383, 16384, 65536, 1_000_000])
@pytest.mark.parametrize("chunked", [False, True])
def test_download_of_any_size(gateway, origin, size, chunked):
    body = (BLOCK * (size // len(BLOCK) + 1))[:size]
    origin.on("/", Reply(body, chunked=chunked))
    with gateway.client() as client:
        for _ in range(2):  # the connection is in step afterwards
            response = client.request("GET", "/").read()
            assert response.body == body
            assert response.get("Content-Length", str(size)) == str(size)


@pytest.mark.parametrize("size", [0, 1, 100, 16384, 65536, 1_000_000])
@pytest.mark.parametrize("chunked", [False, True])
def test_upload_of_any_size(gateway, origin, size, chunked):
    body = (BLOCK * (size // len(BLOCK) + 1))[:size]
    with gateway.client() as client:
        if chunked:
            client.request("POST", "/", {"Transfer-Encoding": "chunked"})
            for start in range(0, size, 7000):
                part = body[start:start + 7000]
                client.send(b"%x\r\n%s\r\n" % (len(part), part))
            client.send("0\r\n\r\n")
        else:
            client.request("POST", "/", body=body)
        assert client.read().status == 200
        assert client.request("GET", "/next").read().status == 200
    seen = origin.seen("/")[-1]
    assert (seen.length, seen.sha256.hexdigest()) == (size, hashlib.sha256(body).hexdigest())


@pytest.mark.parametrize("chunk", [b"5;name=value\r\nhello\r\n0\r\n\r\n", b"5 \r\nhello\r\n0\r\n\r\n",
                                   b"0005\r\nhello\r\n00\r\n\r\n", b"5\r\nhello\r\n0\r\nX-Trailer: 1\r\n\r\n"])
def test_odd_but_legal_chunks(gateway, origin, chunk):
    """Extensions and trailers are legal; what reaches the origin is rebuilt."""
    with gateway.client() as client:
        client.request("POST", "/", {"Transfer-Encoding": "chunked"}).send(chunk)
        response = client.read()
    if chunk.startswith(b"5 ") and response.status == 400:
        return  # white space before the extension: bad, and refused by strict parsers
    assert response.status == 200
    assert origin.last().body == b"hello"
    assert b"name=value" not in origin.last().raw


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("path", ["/big", "/big.zip"])
def test_large_download_streams_in_bounded_memory(start, origin, chunked, path):
    """Also for a cacheable object that turns out to be larger than the cache may hold."""
    gateway = start(origin, cache={"max_size": "8MiB", "max_object_size": "4MiB"})
    count = SIZE // len(BLOCK)
    origin.on(path, stream(count, chunked))
    gateway.fetch("/warm")
    gateway.reset_memory_peak()
    before = gateway.memory_peak_kib()
    response = gateway.fetch(path, timeout=120)
    assert (response.length, response.sha256.hexdigest()) == (SIZE, sha(count))
    if not SANITIZED:
        assert gateway.memory_peak_kib() - before < MEMORY_BOUND_KIB


@pytest.mark.parametrize("chunked", [False, True])
def test_large_upload_streams_in_bounded_memory(start, origin, chunked):
    size = min(SIZE, 96 * MIB) if SIZE == 64 * MIB else SIZE
    gateway = start(origin, limits={"body_size": "2GiB"})
    gateway.fetch("/warm")
    gateway.reset_memory_peak()
    before = gateway.memory_peak_kib()
    with gateway.client(timeout=120) as client:
        framing = {"Transfer-Encoding": "chunked"} if chunked else {"Content-Length": str(size)}
        client.request("PUT", "/upload", framing)
        for _ in range(size // len(BLOCK)):
            client.send(b"%x\r\n%s\r\n" % (len(BLOCK), BLOCK) if chunked else BLOCK)
        if chunked:
            client.send("0\r\n\r\n")
        assert client.read().status == 200
    seen = origin.last("/upload")
    assert (seen.length, seen.sha256.hexdigest()) == (size, sha(size // len(BLOCK)))
    if not SANITIZED:
        assert gateway.memory_peak_kib() - before < MEMORY_BOUND_KIB


def settled(counter, seconds=0.4):
    """Waits until the counter has stood still for a while; its value."""
    state = {"value": -1, "still": 0}

    def check():
        value = counter()
        state["still"] = state["still"] + 1 if value == state["value"] else 0
        state["value"] = value
        return state["still"] * 0.005 > seconds

    wait_until(check, "the stream to stand still")
    return state["value"]


@pytest.mark.parametrize("path", ["/slow", "/slow.zip"])
def test_slow_reader_holds_the_origin_back(start, origin, path):
    gateway = start(origin, cache={"max_size": "8MiB", "max_object_size": "4MiB"})
    count = SIZE // len(BLOCK)
    blocks = Blocks(BLOCK, count)
    origin.on(path, blocks)
    with gateway.client(receive_buffer=64 * 1024, timeout=60) as client:
        client.request("GET", path)
        response = client.read_head()
        assert settled(lambda: blocks.sent) < 24 * MIB  # kernel buffers on both legs, and a little of our own
        client.read_body(response)
    assert response.sha256.hexdigest() == sha(count)


def test_slow_origin_holds_the_uploader_back(start, origin):
    gateway = start(origin, limits={"body_size": "2GiB"})
    count, sent, go = SIZE // len(BLOCK), [0], threading.Event()

    def handler(request, connection):
        go.wait(30)
        connection.read_body(request)
        return Reply("done")

    origin.on("/sink", handler, early=True)
    with gateway.client(timeout=60) as client:
        client.request("POST", "/sink", {"Content-Length": str(count * len(BLOCK))})

        def push():
            for _ in range(count):
                client.send(BLOCK)
                sent[0] += len(BLOCK)

        pusher = threading.Thread(target=push, daemon=True)
        pusher.start()
        try:
            assert settled(lambda: sent[0]) < 24 * MIB
        finally:
            go.set()
        pusher.join(60)
        assert client.read().body == b"done"
    assert origin.last().sha256.hexdigest() == sha(count)


def test_close_delimited_answer_is_reframed(gateway, origin):
    origin.on("/", Reply("until the end", length="none"))
    with gateway.client() as client:
        response = client.request("GET", "/").read()
        assert response.body == b"until the end"
        assert response.chunked
        assert client.request("GET", "/").read().status == 200


def test_http_1_0_client_never_sees_chunks(gateway, origin):
    origin.on("/chunked", Reply("in chunks", chunked=True))
    origin.on("/close", Reply("until the end", length="none"))
    for path, body in (("/chunked", b"in chunks"), ("/close", b"until the end")):
        with gateway.client() as client:
            client.request("GET", path, {"Connection": "keep-alive"}, version="HTTP/1.0")
            response = client.read()
            assert "Transfer-Encoding" not in response
            assert response.body == body


def test_http_1_0_origin_is_understood(gateway, origin):
    origin.on("/", Reply("old", version="HTTP/1.0"))
    assert gateway.fetch("/").body == b"old"
    assert gateway.fetch("/").body == b"old"


def test_response_trailers_do_not_upset_the_framing(gateway, origin):
    origin.on("/", Reply("with trailers", chunked=True, headers={"Trailer": "X-Sum"}, trailers=[("X-Sum", "42")]))
    with gateway.client() as client:
        response = client.request("GET", "/", {"TE": "trailers"}).read()
        assert response.body == b"with trailers"
        assert response.trailers in ([], [("X-Sum", "42")])
        assert client.request("GET", "/other").read().status == 200


def test_request_trailers_cannot_become_headers(gateway, origin):
    with gateway.client() as client:
        client.request("POST", "/", {"Transfer-Encoding": "chunked", "Trailer": "X-Evil"})
        client.send("3\r\nabc\r\n0\r\nCF-Connecting-IP: 6.6.6.6\r\nX-Evil: 1\r\n\r\n")
        assert client.read().status == 200
    seen = origin.last()
    assert seen.body == b"abc"
    assert b"6.6.6.6" not in seen.raw and not any("6.6.6.6" in line for line in seen.trailers)


def test_get_with_a_body_passes_it(gateway, origin):
    assert gateway.fetch("/search", body=b"query").status == 200
    assert origin.last().body == b"query"


def test_answer_before_the_body_is_complete(gateway, origin):
    """An origin may answer (413, 401…) without reading; the client must get that answer."""

    def refuse(_, connection):
        connection.send(Reply("too big", status=413, close=True).head() + b"too big")
        connection.wait_for_close()

    origin.on("/", refuse, early=True)
    with gateway.client() as client:
        client.request("POST", "/", {"Content-Length": "1000000"}).send(b"x" * 1000)
        response = client.read()
        assert (response.status, response.body) == (413, b"too big")


def test_body_over_the_ceiling_is_413(start, origin):
    gateway = start(origin, limits={"body_size": "1KiB"})
    with gateway.client() as client:
        client.request("POST", "/", {"Content-Length": "1025"})
        assert client.read().status == 413
    with gateway.client() as client:
        client.request("POST", "/", {"Transfer-Encoding": "chunked"})
        client.send(b"800\r\n" + b"x" * 2048 + b"\r\n0\r\n\r\n")
        assert client.read().status == 413
    assert gateway.fetch("/", "POST", body=b"x" * 1024).status == 200
    assert all(r.length <= 1024 for r in origin.seen())


def test_client_that_stops_uploading_leaves_no_request_behind(gateway, origin):
    """The origin must see a cut body as cut, never as complete."""
    errors = []

    def handler(request, connection):
        try:
            connection.read_body(request)
            errors.append("the body seemed complete")
        except OSError:
            errors.append(None)
            raise

    origin.on("/", handler, early=True)
    with gateway.client() as client:
        client.request("POST", "/", {"Content-Length": "100"}).send(b"x" * 50)
        wait_until(lambda: origin.count() == 1, "the request at the origin")
    wait_until(lambda: errors, "the origin to notice")
    assert errors == [None]


def test_truncated_answers_look_truncated(gateway, origin):
    origin.on("/length", Reply("half", length=100))
    with pytest.raises(Truncated) as caught:
        gateway.fetch("/length")
    assert caught.value.response.get("Content-Length") == "100" and caught.value.response.body == b"half"

    def cut_chunks(_, connection):
        connection.send(Reply(chunked=True).head() + b"4\r\nhalf\r\n")
        connection.close()

    origin.on("/chunks", cut_chunks)
    with pytest.raises(Truncated):
        gateway.fetch("/chunks")

# SPDX-License-Identifier: Apache-2.0
"""What a broken origin looks like at the edge: 52x pages with the Ray id, never a cut silence."""
import json
import socket
import threading

import pytest
from edge import Reply, Truncated, wait_until


def raw(data, close=True):
    def handler(_, connection):
        connection.send(data)
        if close:
            connection.close()

    return handler


def check_page(response, status):
    assert response.status == status, response
    assert response.get("cf-error-type") == str(status)
    assert response.get("Server") == "cloudflare"
    assert response.get("Content-Type").startswith("text/html")
    assert response.ray.split("-")[0].encode() in response.body
    assert str(status).encode() in response.body
    assert "CF-Cache-Status" not in response
    assert "no-store" in response.get("Cache-Control", "no-store")


def test_521_when_the_origin_refuses(gateway, origin):
    origin.down()
    check_page(gateway.fetch("/"), 521)
    check_page(gateway.fetch("/a.css"), 521)
    assert gateway.fetch("/a.css", "HEAD").status == 521
    assert gateway.fetch("/", "POST", body=b"x" * 100_000).status == 521
    origin.up()
    assert gateway.fetch("/").status == 200
    assert gateway.fetch("/a.css").cache == "MISS"


def test_error_page_is_json_for_those_who_ask(gateway, origin):
    origin.down()
    response = gateway.fetch("/", headers={"Accept": "application/json"})
    assert response.status == 521
    assert response.get("Content-Type").startswith("application/json")
    assert response.ray.split("-")[0] in json.dumps(json.loads(response.body))
    browser = gateway.fetch("/", headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"})
    assert browser.get("Content-Type").startswith("text/html")


@pytest.mark.parametrize("answer", [
    b"", b"garbage\r\n\r\n", b"\x00\x01\x02\x03\x04\r\n\r\n", b"HTTP/1.1\r\n\r\n", b"HTTP/1.1 xyz OK\r\n\r\n", b"HTTP/1.1 20 OK\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Le", b"HTTP/1.1 200 OK\r\nContent-Length: abc\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
    b"HTTP/1.1 200 OK\r\nNo colon here\r\n\r\n", b"HTTP/1.1 200 OK\r\nBad Name: x\r\n\r\n", b"HTTP/1.1 200 OK\r\nX: a\x00b\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 140_000 + b"\r\n\r\n", b"HTTP/2 200 OK\r\n\r\n", b"ICY 200 OK\r\n\r\n",
    b"SSH-2.0-OpenSSH_9.2\r\n"], ids=lambda answer: repr(answer[:24]))
def test_520_for_what_is_no_http(gateway, origin, answer):
    origin.on("/", raw(answer))
    check_page(gateway.fetch("/"), 520)
    assert gateway.fetch("/fine").status == 200


def test_520_when_the_origin_resets(gateway, origin):
    origin.on("/", lambda _, connection: connection.reset())
    check_page(gateway.fetch("/"), 520)


@pytest.mark.parametrize("answer,reason", [
    (b"garbage\r\n\r\n", "malformed message"), (b"", "the peer closed the connection")])
def test_the_log_says_why(gateway, origin, answer, reason):
    """Once for many failures in a row; the access log has each of them with its ray."""
    origin.on("/", raw(answer))
    for _ in range(20):
        gateway.fetch("/")
    line = f'warn origin failed zone=example.test status=520 reason="{reason}" origin=http://127.0.0.1:'
    assert 1 <= gateway.log().count(line) < 20, gateway.log()
    assert len(gateway.logged(20)) == 20


def test_524_when_the_origin_says_nothing(start, origin):
    gateway = start(origin, zone={"origin": {"read_timeout_ms": 150}})
    release = threading.Event()
    origin.on("/", lambda *_: release.wait(20) and None)
    check_page(gateway.fetch("/"), 524)
    release.set()
    assert gateway.fetch("/fine").status == 200


def test_origin_that_stalls_in_the_body_is_cut_visibly(start, origin):
    gateway = start(origin, zone={"origin": {"read_timeout_ms": 150}})
    release = threading.Event()

    def handler(_, connection):
        connection.send(Reply(length=100).head() + b"some")
        release.wait(20)

    origin.on("/", handler)
    with gateway.client() as client:
        client.request("GET", "/")
        assert client.read_head().get("Content-Length") == "100"
        assert client.read_to_end() == b"some"
    release.set()


def test_522_when_the_connection_never_stands(start):
    """A full backlog lets no connection come about: the SYN stays unanswered."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(0)
    address = listener.getsockname()
    fillers = []
    try:
        def full():
            filler = socket.socket()
            filler.settimeout(0.2)
            fillers.append(filler)
            try:
                filler.connect(address)
                return False
            except TimeoutError:
                return True

        wait_until(full, "the backlog to be full")
        gateway = start(f"http://127.0.0.1:{address[1]}", zone={"origin": {"connect_timeout_ms": 200}})
        check_page(gateway.fetch("/"), 522)
    finally:
        for filler in fillers:
            filler.close()
        listener.close()


def test_530_when_the_name_does_not_resolve(start):
    gateway = start("http://no-such-name.invalid:9000", zone={"origin": {"connect_timeout_ms": 5000}})
    response = gateway.fetch("/")
    assert response.status == 530
    assert response.get("cf-error-type") in ("530", "1016")
    assert response.ray.split("-")[0].encode() in response.body


@pytest.mark.parametrize("status", [500, 501, 503])
def test_errors_of_the_origin_itself_pass(gateway, origin, status):
    origin.on("/", Reply("the origin's page", status=status))
    response = gateway.fetch("/")
    assert (response.status, response.body) == (status, b"the origin's page")
    assert "cf-error-type" not in response


def test_errors_are_not_stored(gateway, origin):
    origin.on("/a.css", raw(b"garbage\r\n\r\n"))
    assert gateway.fetch("/a.css").status == 520
    origin.on("/a.css", Reply("css", cache_control="max-age=60"))
    assert gateway.fetch("/a.css").cache == "MISS"


def test_connection_survives_an_edge_error(gateway, origin):
    """A 52x for one request is no reason to drop a client's connection."""
    origin.on("/bad", raw(b"garbage\r\n\r\n"))
    with gateway.client() as client:
        assert client.request("GET", "/bad").read().status == 520
        assert client.request("GET", "/fine").read().status == 200


def test_half_written_answer_is_not_stored(gateway, origin):
    origin.on("/a.css", Reply("half", length=100, cache_control="max-age=60"))
    with gateway.client() as client:
        client.request("GET", "/a.css").read_to_end()
    origin.on("/a.css", Reply("whole", cache_control="max-age=60"))
    response = gateway.fetch("/a.css")
    assert (response.cache, response.body) == ("MISS", b"whole")


@pytest.mark.parametrize("path", ["/half", "/half.css"])
def test_a_reset_is_no_end_of_a_body(gateway, origin, path):
    """Where the end of the connection is the end of the body. The bytes and the reset behind them are there at once."""
    def half(_, connection):
        with gateway.standing_still():
            connection.send(b"HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\n\r\nhalf of ")
            connection.reset()

    origin.on(path, half)
    for asked in (1, 2):
        try:
            assert gateway.fetch(path).status == 520
        except Truncated:
            pass
        assert origin.count(path) == asked

# SPDX-License-Identifier: Apache-2.0
"""Several requests on one client connection, one after the other and all at once."""
import pytest
from edge import Reply


def test_requests_share_a_connection(gateway, origin):
    with gateway.client() as client:
        for number in range(20):
            client.request("GET", f"/page/{number}")
            response = client.read()
            assert response.status == 200
            assert response.get("Connection", "keep-alive").lower() == "keep-alive"
    assert [r.path for r in origin.seen()] == [f"/page/{n}" for n in range(20)]
    assert origin.accepted == 1


def test_connection_close_is_honoured(gateway):
    with gateway.client() as client:
        response = client.request("GET", "/", {"Connection": "close"}).read()
        assert response.get("Connection").lower() == "close"
        assert client.is_closed()


def test_http_1_0_closes_unless_asked_to_stay(gateway):
    with gateway.client() as client:
        client.request("GET", "/", version="HTTP/1.0")
        assert client.read().status == 200
        assert client.is_closed()
    with gateway.client() as client:
        client.request("GET", "/", {"Connection": "keep-alive"}, version="HTTP/1.0")
        assert client.read().get("Connection", "").lower() == "keep-alive"
        client.request("GET", "/", version="HTTP/1.0")
        assert client.read().status == 200


def test_pipelined_requests_are_answered_in_order(gateway, origin):
    for number in range(30):
        origin.on(f"/n/{number}", Reply(f"answer {number}"))
    with gateway.client() as client:
        client.send("".join(f"GET /n/{n} HTTP/1.1\r\nHost: www.example.test\r\n\r\n" for n in range(30)))
        for number in range(30):
            assert client.read().body == f"answer {number}".encode()


def test_pipelined_bodies_and_methods_do_not_mix(gateway, origin):
    with gateway.client() as client:
        client.send("POST /a HTTP/1.1\r\nHost: www.example.test\r\nContent-Length: 5\r\n\r\nhello"
                    "HEAD /b HTTP/1.1\r\nHost: www.example.test\r\n\r\n"
                    "POST /c HTTP/1.1\r\nHost: www.example.test\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
                    "GET /d HTTP/1.1\r\nHost: www.example.test\r\nConnection: close\r\n\r\n")
        statuses = [client.read(method).status for method in ("GET", "HEAD", "GET", "GET")]
        assert statuses == [200] * 4
        assert client.is_closed()
    assert [(r.method, r.path, r.body) for r in origin.seen()] == [
        ("POST", "/a", b"hello"), ("HEAD", "/b", b""), ("POST", "/c", b"abc"), ("GET", "/d", b"")]


def test_nothing_behind_connection_close_is_served(gateway, origin):
    with gateway.client() as client:
        client.request("GET", "/first", {"Connection": "close"}).request("GET", "/second")
        assert client.read().status == 200
        assert client.read_to_end() == b""
    assert origin.count("/second") == 0


@pytest.mark.parametrize("cut", [1, 7, 16, 40])
def test_request_may_arrive_in_any_pieces(gateway, origin, cut):
    raw = b"POST /pieces HTTP/1.1\r\nHost: www.example.test\r\nContent-Length: 10\r\n\r\n0123456789"
    with gateway.client() as client:
        for start in range(0, len(raw), cut):
            client.send(raw[start:start + cut])
        assert client.read().status == 200
    assert origin.last().body == b"0123456789"


def test_empty_lines_between_requests_are_tolerated(gateway):
    """RFC 9112 section 2.2: an old client's stray CRLF before a request line is ignored."""
    with gateway.client() as client:
        client.send("\r\nGET / HTTP/1.1\r\nHost: www.example.test\r\n\r\n")
        assert client.read().status == 200


def test_many_idle_connections_do_not_hinder_others(gateway):
    clients = [gateway.client() for _ in range(200)]
    try:
        assert gateway.fetch("/").status == 200
        for client in clients[::20]:
            assert client.request("GET", "/").read().status == 200
    finally:
        for client in clients:
            client.close()


def test_cached_and_origin_answers_mix_on_one_connection(gateway, origin):
    origin.on("/a.css", Reply("css", cache_control="max-age=60"))
    with gateway.client() as client:
        statuses = []
        for path in ("/a.css", "/page", "/a.css", "/page", "/a.css"):
            statuses.append(client.request("GET", path).read().cache)
    assert statuses == ["MISS", "DYNAMIC", "HIT", "DYNAMIC", "HIT"]


def test_who_pipelines_does_not_stand_before_a_visitor(gateway, origin):
    """All of it lies there before the gateway looks: four clients that sent two hundred requests each, and one visitor."""
    request, crowd = "GET /hot.css HTTP/1.1\r\nHost: www.example.test\r\n\r\n", 4
    origin.default = Reply("x", cache_control="max-age=60")
    gateway.fetch("/visitor.css")
    clients = [gateway.client() for _ in range(crowd + 1)]
    for client in clients:  # everybody is in
        client.send(request)
        assert client.read().status == 200
    before = len(gateway.access_log())
    with gateway.standing_still():
        for client in clients[:crowd]:
            client.send(request * 200)
        clients[crowd].request("GET", "/visitor.css")
    assert clients[crowd].read().status == 200
    gateway.logged(200 * crowd + crowd + 1, ClientRequestURI="/hot.css")
    paths = [line["ClientRequestURI"] for line in gateway.access_log()][before:]
    assert paths.index("/visitor.css") < 40, "the visitor waited for those who pipeline"
    for client in clients[:crowd]:
        assert [client.read().status for _ in range(200)] == [200] * 200
        client.close()
    clients[crowd].close()

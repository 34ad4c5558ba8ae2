# SPDX-License-Identifier: Apache-2.0
"""Requests that are not HTTP, or mean two things: refused, connection closed, origin untouched.

What is ambiguous is never repaired (RFC 9112 sections 2.2, 5, 6 and 11.2): every family of the table
has smuggled requests past some proxy before. Odd but legal neighbours stand beside them, and what the
origin saw is part of each."""
import re

import pytest
from edge import Origin
from edge.vectors import HOST, expand, load

VECTORS = load("h1-requests.txt", 3)
NEXT = f"GET /next HTTP/1.1\r\n{HOST}Connection: close\r\n\r\n".encode()


class Watched(Origin):
    """Notes each head that arrives, also of requests whose body never ends."""

    def __init__(self):
        self.heads = []
        super().__init__()

    def handler_of(self, request):
        self.heads.append(request)
        return super().handler_of(request)


@pytest.fixture(scope="module")
def watched():
    server = Watched()
    yield server
    server.down()  # bodies that are cut are no fault here


@pytest.fixture(scope="module")
def shared(shared_start, watched):
    return shared_start(watched)


def wanted_requests(text):
    """[(method, target, body)] of what the table says the origin sees."""
    if text in ("nothing", "cut"):
        return []
    method, target, *body = text.split(" ", 2)
    return [(method.encode(), expand(target), expand(body[0][1:-1]) if body else b"")]


def test_the_table_is_large_enough():
    assert len(VECTORS) + len(load("h1-responses.txt", 3)) >= 300


@pytest.mark.parametrize("vector", VECTORS, ids=str)
def test_request(shared, watched, vector):
    raw, answer, origin_sees = vector.fields
    statuses, _, closes = answer.partition(" ")
    heads, complete = len(watched.heads), len(watched.requests)
    with shared.client() as client:
        try:
            client.send(expand(raw) + NEXT)
        except (BrokenPipeError, ConnectionResetError):
            pass  # refused before all of it was sent
        response = client.read()
        assert response.status in [int(status) for status in statuses.split("/")], response
        assert re.fullmatch("[0-9a-f]{16}-FRA", response.ray)
        wanted = wanted_requests(origin_sees)
        if closes:
            assert response.get("Connection", "").lower() == "close"
        else:
            assert client.read().status == 200, "what follows is a request of its own"
            wanted.append((b"GET", b"/next", b""))
        assert client.read_to_end() == b""
    assert shared.fetch("/settle").status == 200
    seen = watched.requests[complete:-1]
    assert [(r.method.encode(), r.target.encode("latin-1"), r.body) for r in seen] == wanted
    assert watched.requests[-1].path == "/settle"
    allowed = 1 if origin_sees == "cut" else 0
    assert len(wanted) <= len(watched.heads[heads:-1]) <= len(wanted) + allowed
    for request in watched.heads[heads:]:
        assert not (request.all("Content-Length") and request.all("Transfer-Encoding"))
        assert request.get("Host") and "evil" not in request.get("Host")


def test_gateway_is_still_well(shared):
    assert shared.fetch("/fine").status == 200
    assert shared.is_alive()


def test_the_log_names_who_sent_it(start, origin):
    """Whoever probes a proxy is to be found: address and Ray id stand in the line of a refused request."""
    gateway = start(origin)
    with gateway.client() as client:
        ray = client.send("GET / HTTP/1.1\r\nX : 1\r\n\r\n").read().ray
    line = gateway.logged(EdgeResponseStatus=400)[0]
    assert line["RayID"] == ray.split("-")[0] and line["ClientIP"] == "127.0.0.1"


def test_options_asterisk(shared):
    with shared.client() as client:
        client.send("OPTIONS * HTTP/1.1\r\n" + HOST + "Connection: close\r\n\r\n")
        assert client.read().status in (200, 204, 400, 405)

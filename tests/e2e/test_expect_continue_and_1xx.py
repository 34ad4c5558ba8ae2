# SPDX-License-Identifier: Apache-2.0
"""Interim responses: they are the origin's, the edge only passes them on."""
import threading

import pytest

from edge import Reply


def test_expect_reaches_the_origin_and_its_100_the_client(gateway, origin):
    def handler(request, connection):
        assert request.get("Expect") == "100-continue"
        connection.send("HTTP/1.1 100 Continue\r\n\r\n")
        connection.read_body(request)
        return Reply("stored " + request.body.decode())

    origin.on("/", handler, early=True)
    with gateway.client() as client:
        client.request("PUT", "/", {"Expect": "100-continue", "Content-Length": "5"})
        assert client.read().status == 100
        client.send("hello")
        response = client.read()
        assert (response.status, response.body) == (200, b"stored hello")
        assert client.request("GET", "/next").read().status == 200


def test_origin_may_refuse_instead_of_continue(gateway, origin):
    def handler(_, connection):
        connection.send(Reply("no", status=417, close=True).head() + b"no")
        connection.close()

    origin.on("/", handler, early=True)
    with gateway.client() as client:
        client.request("PUT", "/", {"Expect": "100-continue", "Content-Length": "5"})
        assert client.read().status == 417


def test_client_that_does_not_wait_is_served_too(gateway, origin):
    response = gateway.fetch("/", "PUT", {"Expect": "100-continue"}, body=b"at once")
    assert response.status == 200
    assert origin.last().body == b"at once"


def test_other_expectations_are_refused_or_passed(gateway):
    assert gateway.fetch("/", "PUT", {"Expect": "miracles"}, body=b"x").status in (200, 417)


@pytest.mark.parametrize("path", ["/", "/a.css"])
def test_early_hints_pass_before_the_answer(gateway, origin, path):
    release = threading.Event()

    def handler(_, connection):
        connection.send("HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n")
        release.wait(20)
        connection.send("HTTP/1.1 103 Early Hints\r\nLink: </b.css>; rel=preload\r\n\r\n")
        return Reply("page")

    origin.on(path, handler)
    with gateway.client() as client:
        client.request("GET", path)
        first = client.read()  # comes while the origin still thinks
        assert (first.status, first.get("Link")) == (103, "</a.css>; rel=preload")
        release.set()
        second = client.read()
        assert (second.status, second.get("Link")) == (103, "</b.css>; rel=preload")
        assert client.read().body == b"page"


def test_http_1_0_client_gets_no_interim_response(gateway, origin):
    def handler(_, connection):
        connection.send("HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n")
        return Reply("page")

    origin.on("/", handler)
    with gateway.client() as client:
        client.request("GET", "/", version="HTTP/1.0")
        assert client.read().status == 200


def test_102_is_no_end_of_the_exchange(gateway, origin):
    def handler(_, connection):
        connection.send("HTTP/1.1 102 Processing\r\n\r\n" * 3)
        return Reply("done")

    origin.on("/", handler)
    with gateway.client() as client:
        client.request("GET", "/")
        statuses = []
        while not statuses or statuses[-1] < 200:
            statuses.append(client.read().status)
        assert statuses[-1] == 200


def test_interim_response_is_never_cached(gateway, origin):
    def handler(_, connection):
        connection.send("HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n")
        return Reply("css", cache_control="max-age=60")

    origin.on("/a.css", handler)
    with gateway.client() as client:
        client.request("GET", "/a.css")
        statuses = []
        while not statuses or statuses[-1] < 200:
            statuses.append(client.read().status)
        hit = client.request("GET", "/a.css").read()
        assert (hit.status, hit.cache) == (200, "HIT")

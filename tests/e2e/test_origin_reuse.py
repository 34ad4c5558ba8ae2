# SPDX-License-Identifier: Apache-2.0
"""Kept connections to the origin: used again, and what happens when one has died meanwhile."""
from edge import Reply, in_parallel, wait_until


def dies_on_second_request(origin, body_first=False):
    """Every connection answers once; the next request on it is read and then cut off."""
    served = set()

    def handler(request, connection):
        if connection.number in served:
            if body_first:
                connection.read_body(request)
            connection.close()
            return None
        served.add(connection.number)
        if body_first:
            connection.read_body(request)
        return Reply("fine")

    origin.default = handler
    if body_first:
        for path in ("/first", "/again"):
            origin.on(path, handler, early=True)


def test_one_connection_serves_many_clients(gateway, origin):
    for _ in range(10):
        assert gateway.fetch("/").status == 200
    assert origin.accepted == 1
    assert {r.connection_id for r in origin.seen()} == {1}


def test_parallel_requests_get_their_own_connections(gateway, origin):
    def slow(_, __):
        wait_until(lambda: origin.count() >= 8, "all eight at the origin")
        return Reply("x")

    origin.default = slow
    assert {r.status for r in in_parallel(*[lambda: gateway.fetch("/")] * 8)} == {200}
    assert origin.accepted == 8


def test_connection_close_of_the_origin_is_honoured(gateway, origin):
    origin.on("/", Reply("x", close=True))
    for _ in range(3):
        assert gateway.fetch("/").status == 200
    assert origin.accepted == 3


def test_dead_idle_connection_is_not_used(gateway, origin):
    assert gateway.fetch("/").status == 200
    origin.drop_connections()
    assert gateway.fetch("/").status == 200
    assert gateway.fetch("/", "POST", body=b"x").status == 200


def test_post_finds_out_that_a_kept_connection_has_ended(gateway, origin):
    """Its end comes while the gateway looks elsewhere, and behind the request: nobody has read it when the request looks
    for a connection, and a POST that is sent whole cannot be sent again."""
    with gateway.client() as client:
        assert client.request("GET", "/").read().status == 200
        with gateway.standing_still():
            client.request("POST", "/", body=b"x" * 100)
            origin.drop_connections()
        assert client.read().status == 200
    assert origin.last().method == "POST" and origin.last().body == b"x" * 100
    assert origin.accepted == 2


def test_get_is_tried_once_more_when_a_kept_connection_dies(gateway, origin):
    dies_on_second_request(origin)
    assert gateway.fetch("/first").status == 200
    assert gateway.fetch("/again").status == 200
    assert origin.count("/again") == 2
    assert origin.accepted == 2


def test_post_is_never_sent_twice(gateway, origin):
    dies_on_second_request(origin, body_first=True)
    assert gateway.fetch("/first", "POST", body=b"1").status == 200
    response = gateway.fetch("/again", "POST", body=b"2")
    assert response.status == 520
    assert origin.count("/again") == 1


def put_nothing(gateway, path):
    """An idempotent request whose chunked body is empty: complete before an answer, and may be sent again."""
    with gateway.client() as client:
        return client.send(f"PUT {path} HTTP/1.1\r\nHost: www.example.test\r\nTransfer-Encoding: chunked\r\n\r\n"
                           "0\r\n\r\n").read()


def test_the_end_of_an_empty_body_is_sent_once_more_too(gateway, origin):
    dies_on_second_request(origin, body_first=True)
    assert put_nothing(gateway, "/first").status == 200
    assert put_nothing(gateway, "/again").status == 200
    assert origin.accepted == 2


def test_no_second_try_on_a_fresh_connection(gateway, origin):
    origin.on("/", lambda _, connection: connection.close())
    assert gateway.fetch("/").status == 520
    assert origin.count() == 1


def test_only_one_second_try(gateway, origin):
    def handler(_, connection):
        if connection.number == 1 and len(origin.seen()) == 1:
            return Reply("fine")
        connection.close()
        return None

    origin.default = handler
    assert gateway.fetch("/first").status == 200
    assert gateway.fetch("/again").status == 520
    assert origin.count("/again") == 2


def test_unread_garbage_on_a_kept_connection_is_never_an_answer(gateway, origin):
    """Response smuggling: bytes that come without a request must not answer the next one."""

    def handler(request, connection):
        connection.send(Reply("right").bytes(request) + Reply("WRONG").bytes(request))
        return None

    origin.on("/", handler)
    for _ in range(3):
        assert gateway.fetch("/").body == b"right"

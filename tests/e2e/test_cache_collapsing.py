# SPDX-License-Identifier: Apache-2.0
"""A thousand requests for what nobody has yet: one fetch, and no order among those it cannot serve."""
import threading

import pytest
from edge import Reply
from edge.held import Held, ask, hang_up, read_all

MANY = 1000


@pytest.mark.parametrize("workers", [1, 2])
def test_a_storable_answer_is_fetched_once(start, origin, workers):
    gateway = start(origin, workers=workers)
    held = Held(origin, "/a.css", Reply("x" * 10_000, cache_control="max-age=60"))
    clients = held.gather(gateway, MANY)
    held.release.set()
    responses = read_all(clients)
    assert held.count == 1
    assert {len(r.body) for r in responses} == {10_000}
    caches = [r.cache for r in responses]
    assert (caches.count("MISS"), caches.count("HIT")) == (1, MANY - 1)


@pytest.mark.parametrize("workers", [1, 2])
def test_an_unstorable_answer_releases_all_at_once(start, origin, workers):
    """None waits for another one's answer: the origin answers the rest only when all of them are there."""
    gateway = start(origin, workers=workers)
    held = Held(origin, "/a.css", Reply("mine", cache_control="private"))
    held.together = MANY - 1
    clients = held.gather(gateway, MANY)
    held.release.set()
    responses = read_all(clients)
    assert held.count == MANY
    assert {(r.status, r.cache, r.body) for r in responses} == {(200, "BYPASS", b"mine")}, gateway.log()


def test_who_waits_takes_over_when_the_first_client_leaves(start, origin):
    gateway = start(origin)
    held = Held(origin, "/a.css", Reply("never seen"), Reply("css", cache_control="max-age=60"))
    leader = gateway.client()
    leader.request("GET", "/a.css")
    held.wait_for_fetch(gateway)
    clients = ask(gateway, 50)
    held.wait_for_fetch(gateway)
    leader.reset()
    responses = read_all(clients)
    held.release.set()
    assert held.count == 2
    assert {r.body for r in responses} == {b"css"}
    caches = [r.cache for r in responses]
    assert (caches.count("MISS"), caches.count("HIT")) == (1, 49)


def test_a_slow_reader_holds_up_neither_the_fetch_nor_the_others(start, origin):
    """More than the sockets between them hold; the origin has sent all while one client reads nothing."""
    gateway = start(origin)
    body, sent = b"x" * (16 << 20), threading.Event()

    def whole(_, connection):
        connection.send(Reply(length=len(body), cache_control="max-age=60").head() + body)
        sent.set()

    origin.on("/a.zip", whole)
    with gateway.client(receive_buffer=16 * 1024) as slow:
        slow.request("GET", "/a.zip")
        head = slow.read_head()
        assert {r.length for r in read_all(ask(gateway, 5, "/a.zip"))} == {len(body)}
        assert sent.wait(20)
        assert gateway.fetch("/a.zip").cache == "HIT"
        assert slow.read_body(head).length == len(body)
    assert origin.count() == 1


def test_who_waited_for_a_failed_refresh_is_told_stale(start, origin):
    """Each of them gets the old object, and none of them a HIT: it is past its time."""
    origin.on("/a.css", Reply("css", cache_control="max-age=10"))
    gateway = start(origin)
    gateway.fetch("/a.css")
    gateway.advance(20_000)
    held = Held(origin, "/a.css", hang_up)
    clients = held.gather(gateway, 5)
    held.release.set()
    assert [response.cache for response in read_all(clients)] == ["STALE"] * 5

# SPDX-License-Identifier: Apache-2.0
"""A thousand requests for what nobody has yet: one fetch, and no order among those it cannot serve."""
import threading

import pytest
from edge import Reply, wait_until

MANY = 1000


class Held:
    """An origin path whose first answer waits; `first` and `later` are what it gives."""

    def __init__(self, origin, path, first, later=None):
        self.release, self.all_here = threading.Event(), threading.Event()
        self.first, self.later, self.lock, self.count = first, later or first, threading.Lock(), 0
        self.together = 0  # how many later requests have to be here before one is answered
        origin.on(path, self.answer)

    def answer(self, *_):
        with self.lock:
            self.count += 1
            number = self.count
            if number > self.together:
                self.all_here.set()
        if number == 1:
            self.release.wait(20)
            return self.first
        assert self.all_here.wait(20), f"only {self.count} requests came at once"
        return self.later


def ask(gateway, count, path="/a.css"):
    clients = [gateway.client() for _ in range(count)]
    for client in clients:
        client.request("GET", path)
    return clients


def read_all(clients):
    responses = [client.read() for client in clients]
    for client in clients:
        client.close()
    return responses


def wait_for_fetch(gateway, held):
    wait_until(lambda: held.count == 1, "the fetch")
    gateway.metrics()  # answered in turn: by now the requests that wait have been read


@pytest.mark.parametrize("workers", [1, 2])
def test_a_storable_answer_is_fetched_once(start, origin, workers):
    gateway = start(origin, workers=workers)
    held = Held(origin, "/a.css", Reply("x" * 10_000, cache_control="max-age=60"))
    clients = ask(gateway, MANY)
    wait_for_fetch(gateway, held)
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
    clients = ask(gateway, MANY)
    wait_for_fetch(gateway, held)
    held.release.set()
    responses = read_all(clients)
    assert held.count == MANY
    assert {(r.status, r.cache, r.body) for r in responses} == {(200, "BYPASS", b"mine")}, gateway.log()


def test_who_waits_takes_over_when_the_first_client_leaves(start, origin):
    gateway = start(origin)
    held = Held(origin, "/a.css", Reply("never seen"), Reply("css", cache_control="max-age=60"))
    leader = gateway.client()
    leader.request("GET", "/a.css")
    wait_for_fetch(gateway, held)
    clients = ask(gateway, 50)
    wait_for_fetch(gateway, held)
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
        fast = [gateway.client() for _ in range(5)]
        for client in fast:
            client.request("GET", "/a.zip")
        assert {r.length for r in read_all(fast)} == {len(body)}
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
    release = threading.Event()

    def fail(_, connection):
        release.wait(20)
        connection.close()

    origin.on("/a.css", fail)
    clients = [gateway.client() for _ in range(5)]
    for client in clients:
        client.request("GET", "/a.css")
    wait_until(lambda: origin.count("/a.css") == 2, "the leader at the origin")
    gateway.fetch("/settle")
    release.set()
    assert [client.read().cache for client in clients] == ["STALE"] * 5
    for client in clients:
        client.close()

# SPDX-License-Identifier: Apache-2.0
"""Long-lived connections: events leave at once, ends are noticed, idle sockets are cheap. Figures: bench/streams.py."""
import queue
import threading
import time

from edge import Reply, wait_until
from edge.sanitizer import SANITIZED
from test_upgrade import HANDSHAKE, SWITCH

HEAD = Reply(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"}, length="none").head()


def test_each_event_arrives_before_the_next_is_sent(gateway, origin):
    seen = threading.Semaphore(0)
    events = [b"data: %d\n\n" % number for number in range(50)]

    def handler(_, connection):
        connection.send(HEAD)
        for event in events:
            connection.send(event)
            assert seen.acquire(timeout=10), "an event was held back"
        connection.close()

    origin.on("/events", handler)
    with gateway.client() as client:
        client.request("GET", "/events", {"Accept": "text/event-stream"})
        assert client.read_head().status == 200
        got, delays = b"", []
        for number in range(len(events)):
            begin = time.monotonic()
            while (got + client.buffer).count(b"data: ") <= number:  # the first may have come with the head
                assert client.receive()
            got, client.buffer = got + client.buffer, b""
            delays.append(time.monotonic() - begin)
            seen.release()
    delays.sort()
    assert delays[len(delays) // 2] < 0.02, "a round through the gateway takes a timer's time"


def end_seen(origin, path, gateway, request):
    """Seconds from the client's close to the origin's end of file."""
    ended = queue.Queue()

    def handler(_, connection):
        connection.send(SWITCH if path == "/socket" else HEAD + b"data: x\n\n")
        connection.wait_for_close()
        ended.put(time.monotonic())

    origin.on(path, handler, early=True)
    times = []
    for _ in range(5):
        client = gateway.client()
        client.request("GET", path, request)
        client.read_head()
        begin = time.monotonic()
        client.close()
        times.append(ended.get(timeout=10) - begin)
    return min(times)


def test_end_of_the_client_reaches_the_origin_at_once(gateway, origin):
    assert end_seen(origin, "/socket", gateway, HANDSHAKE) < 0.1
    assert end_seen(origin, "/events", gateway, {}) < 0.1


def test_idle_sockets_are_cheap(gateway, origin):
    """A loose bound; bench/streams.py has the figure."""
    def silent(_, connection):
        connection.send(SWITCH)
        connection.wait_for_close()

    def resident():
        with open(f"/proc/{gateway.pid}/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * 4

    origin.on("/socket", silent, early=True)
    clients = []

    def open_some(count):
        for _ in range(count):
            clients.append(gateway.client())
            clients[-1].request("GET", "/socket", HANDSHAKE)
            assert clients[-1].read_head().status == 101

    open_some(20)
    before = resident()
    open_some(200)
    assert (resident() - before) / 200 < (200 if SANITIZED else 40), "KiB for an idle socket"
    for client in clients:
        client.close()
    wait_until(lambda: not origin.connections, "all ends at the origin")

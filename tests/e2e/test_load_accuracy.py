# SPDX-License-Identifier: Apache-2.0
"""What nearedge load measures is what happened: known delays, a stall that no one may omit, the schedule."""
import heapq
import json
import math
import selectors
import socket
import subprocess
import threading
import time

import pytest
from edge.gateway import BINARY
from edge.quiet import in_a_quiet_moment

ATTEMPTS = 5


class Server(threading.Thread):
    """Answers after the delay that `delay(number)` says, and remembers how long each answer really took.

    One thread that waits for the next instant or the next request, whichever comes first: a thread a
    connection would add its switching to what is measured."""

    def __init__(self, delay):
        super().__init__(daemon=True)
        self.delay, self.took, self.arrived = delay, [], []
        self.close_after_answer = False
        self.due = []  # a heap of (instant, number, connection)
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.listener, selectors.EVENT_READ)
        self.stopping, self.wake = socket.socketpair()
        self.selector.register(self.stopping, selectors.EVENT_READ)
        self.start()

    def run(self):
        while True:
            wait = max(0, self.due[0][0] - time.monotonic()) if self.due else None
            for key, _ in self.selector.select(wait):
                if key.fileobj is self.stopping:
                    return
                if key.fileobj is self.listener:
                    self.accept()
                else:
                    self.read(key.fileobj)
            while self.due and self.due[0][0] <= time.monotonic():
                self.answer(*heapq.heappop(self.due))

    def accept(self):
        connection = self.listener.accept()[0]
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.selector.register(connection, selectors.EVENT_READ)

    def read(self, connection):
        data = connection.recv(65536)  # one request: the generator does not pipeline
        if not data:
            self.selector.unregister(connection)
            connection.close()
            return
        self.arrived.append(time.monotonic())
        number = len(self.arrived)
        heapq.heappush(self.due, (self.arrived[-1] + self.delay(number), number, connection))

    def answer(self, _instant, number, connection):
        self.took.append(time.monotonic() - self.arrived[number - 1])
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n"
                           + (b"Connection: close\r\n" if self.close_after_answer else b"") + b"\r\nx")
        if self.close_after_answer:
            self.selector.unregister(connection)
            connection.close()

    def percentile(self, percent):
        """Microseconds, as the server saw them."""
        ordered = sorted(self.took)
        return ordered[max(0, math.ceil(percent / 100 * len(ordered)) - 1)] * 1e6

    def stop(self):
        self.wake.close()
        self.join(10)


@pytest.fixture
def serve():
    servers = []

    def begin(delay):
        servers.append(Server(delay))
        return servers[-1]

    yield begin
    for server in servers:
        server.stop()


def run(tmp_path, server, *arguments):
    report = tmp_path / "report.json"
    done = subprocess.run([BINARY, "load", "--url", server.url + "/", *arguments, "--json", str(report)],
                          capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode in (0, 6), done.stdout + done.stderr
    return json.loads(report.read_text()), done.stdout


def known_delay(number):
    """A thousand answers: 980 after 20 ms, 15 after 100 ms, 5 after 400 ms."""
    return 0.400 if number % 200 == 0 else 0.100 if number % 200 in (50, 100, 150) else 0.020


@in_a_quiet_moment(ATTEMPTS)
def test_known_delays(serve, tmp_path):
    """p50, p99 and p99.9 within 2 % or 0.2 ms, whichever is more, of what the server was told and of what it did."""
    server = serve(known_delay)
    report, out = run(tmp_path, server, "--rate", "500/s", "--duration", "2s")
    assert report["totals"]["answers"] == 1000
    for percent, told in ((50, 20_000), (99, 100_000), (99.9, 400_000)):
        seen = report["totals"]["service_us"][f"p{percent}"]
        for truth in (told, server.percentile(percent)):
            assert abs(seen - truth) <= max(0.02 * truth, 200), f"p{percent}: {seen} instead of {truth:.0f}\n{out}"
        # The generator was on time, so both clocks tell the same.
        assert abs(report["totals"]["response_us"][f"p{percent}"] - seen) <= max(0.02 * seen, 1000), out


@in_a_quiet_moment(ATTEMPTS)
def test_a_stall_shows_in_the_tail(serve, tmp_path):
    """One answer takes a second while 100 requests a second are due on one connection. A client that
    waits for it sees one slow request in 300; a hundred visitors had to wait, half a second on average."""
    server = serve(lambda number: 1.0 if number == 100 else 0)
    report, out = run(tmp_path, server, "--rate", "100/s", "--duration", "3s", "--connections", "1")
    totals = report["totals"]
    assert totals["service_us"]["p99"] < 100_000 and totals["service_us"]["max"] >= 1_000_000, out
    assert totals["response_us"]["p99"] > 900_000 and totals["response_us"]["max"] < 1_400_000, out
    assert sum(count for us, count in totals["response_us"]["buckets"] if us > 100_000) >= 80
    assert 400_000 < totals["response_us"]["p90"] < 950_000, out
    # It was the target that was slow, not the generator: those that waited were not sent late.
    assert report["generator"]["waited"] >= 80 and report["generator"]["late"] < 10


@in_a_quiet_moment(ATTEMPTS)
def test_requests_leave_when_they_are_due(serve, tmp_path):
    """Answers that take long do not slow the sending down: the server sees the plan's rate."""
    server = serve(lambda number: 0.3)
    report, out = run(tmp_path, server, "--rate", "100/s", "--duration", "2s")
    assert report["generator"]["schedule_error_percent"] < 1, out
    assert report["generator"]["lag_us"]["p50"] < 5000, out
    gaps = [b - a for a, b in zip(server.arrived, server.arrived[1:])]
    assert abs(sum(gaps) / len(gaps) - 0.01) < 0.0005
    assert report["generator"]["connections"] >= 28


@in_a_quiet_moment(ATTEMPTS)
def test_keep_alive_and_closing_servers(serve, tmp_path):
    server = serve(lambda number: 0)
    report, _ = run(tmp_path, server, "--rate", "100/s", "--duration", "1s")
    assert report["generator"]["opened"] <= 10
    server.close_after_answer = True
    report, _ = run(tmp_path, server, "--rate", "100/s", "--duration", "1s")
    assert report["totals"]["status"] == {"200": 100} and report["generator"]["opened"] >= 99

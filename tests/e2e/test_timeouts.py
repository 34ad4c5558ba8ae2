# SPDX-License-Identifier: Apache-2.0
"""Clients that take their time: every wait has an end, and the end is polite where it can be."""
import time

import pytest
from edge import Reply, wait_until


@pytest.fixture
def impatient(start, origin):
    return start(origin, timeouts={"header_ms": 200, "body_ms": 200, "idle_ms": 200, "write_ms": 300})


@pytest.mark.parametrize("part", ["G", "GET / HTTP/1.1\r\n", "GET / HTTP/1.1\r\nHost: www.example.test\r\nX"])
def test_unfinished_head_is_408(impatient, origin, part):
    with impatient.client() as client:
        client.send(part)
        response = client.read()
        assert response.status == 408
        assert response.get("Connection").lower() == "close"
        assert client.is_closed()
    assert origin.count() == 0


def test_dripping_head_does_not_extend_the_time(impatient):
    """The limit is for the whole head: one byte at a time must not keep a connection (slowloris)."""
    started = time.monotonic()
    with impatient.client() as client:
        client.send("GET / HTTP/1.1\r\nHost: www.example.test\r\nX-Drip: ")
        while time.monotonic() - started < 5:
            try:
                client.send("x")
                client.socket.settimeout(0.05)
                if client.receive():
                    break
            except TimeoutError:
                continue
            except OSError:
                break
        client.socket.settimeout(5)
        data = client.read_to_end()
    assert data == b"" or data.startswith(b"HTTP/1.1 408")
    assert time.monotonic() - started < 3


def test_silent_connection_is_closed_without_words(impatient):
    with impatient.client() as client:
        assert client.is_closed()


def test_kept_connection_is_closed_when_idle(impatient):
    with impatient.client() as client:
        assert client.request("GET", "/").read().status == 200
        assert client.is_closed()


def test_stalled_body_is_408_or_cut(impatient, origin):
    with impatient.client() as client:
        client.request("POST", "/", {"Content-Length": "100"}).send("half")
        data = client.read_to_end()
    assert data == b"" or data.startswith(b"HTTP/1.1 408")
    wait_until(lambda: not origin.connections, "the origin's connection to be cut")


def test_slow_but_steady_body_is_fine(impatient, origin):
    with impatient.client() as client:
        client.request("POST", "/", {"Content-Length": "6"})
        for byte in "steady":
            time.sleep(0.08)  # longer in all than body_ms, shorter between two reads
            client.send(byte)
        assert client.read().status == 200
    assert origin.last().body == b"steady"


def test_virtual_clock_does_not_fire_socket_timeouts(gateway):
    with gateway.client() as client:
        client.send("GET / HTTP/1.1\r\n")
        gateway.advance(3_600_000)
        client.send("Host: www.example.test\r\n\r\n")
        assert client.read().status == 200


def test_a_late_body_of_an_answer_that_was_cut(impatient, origin):
    """The exchange is over while its connection lingers: the body's timeout must not look for it any more."""
    origin.on("/", lambda _, connection: (connection.send(Reply(length=100).head() + b"part"), connection.close())[0],
              early=True)
    with impatient.client() as client:
        client.request("POST", "/", {"Content-Length": "100"}).send("half")
        assert client.read_to_end().endswith(b"part")
        time.sleep(0.4)  # beyond body_ms, within the two seconds of lingering
    assert impatient.fetch("/alive").status == 200

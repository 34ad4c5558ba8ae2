# SPDX-License-Identifier: Apache-2.0
"""TERM: what is under way ends well, nothing new begins, and a second TERM means now."""
import signal
import threading
import time

import pytest
from edge import RawClient, Reply, Truncated, wait_until
from edge.held import Held


@pytest.fixture
def held(gateway, origin):
    """(gateway, release, client): one exchange under way at /slow."""
    slow = Held(origin, "/slow", Reply("whole"))
    [client] = slow.gather(gateway, 1)
    with client:
        yield gateway, slow.release, client
        slow.release.set()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGQUIT, signal.SIGINT])
def test_exchange_under_way_is_finished(held, number):
    gateway, release, client = held
    gateway.signal(number)
    wait_until(lambda: gateway.readyz().status == 503, "/readyz to say draining")
    assert gateway.api("/livez").status == 200
    release.set()
    response = client.read()
    assert (response.status, response.body) == (200, b"whole")
    assert response.get("Connection", "close").lower() == "close"
    assert client.is_closed()
    assert gateway.wait() == 0


def test_no_new_connections_while_draining(held):
    gateway, release, client = held
    gateway.terminate()
    wait_until(lambda: gateway.readyz().status == 503, "/readyz")

    def refused():
        try:
            with RawClient(gateway.address, timeout=1) as late:
                return late.request("GET", "/").read_to_end() == b""
        except OSError:
            return True

    wait_until(refused, "the listener to be closed")
    release.set()
    assert client.read().status == 200


def test_idle_connections_do_not_hold_the_end_up(gateway):
    clients = [gateway.client() for _ in range(20)]
    for client in clients:
        assert client.request("GET", "/").read().status == 200
    started = time.monotonic()
    gateway.terminate()
    assert gateway.wait() == 0
    assert time.monotonic() - started < 5
    for client in clients:
        assert client.is_closed()
        client.close()


def test_second_term_ends_at_once(held):
    gateway, _, client = held
    gateway.expected_exit = None
    gateway.terminate()
    wait_until(lambda: gateway.readyz().status == 503, "/readyz")
    started = time.monotonic()
    gateway.terminate()
    code = gateway.wait()
    assert time.monotonic() - started < 2
    assert code in (128 + signal.SIGTERM, -signal.SIGTERM)
    with pytest.raises(Truncated):
        client.read()


def test_drain_has_a_deadline(start, origin):
    gateway = start(origin, timeouts={"drain_ms": 300})
    release = threading.Event()
    origin.on("/slow", lambda *_: release.wait(20) and None)
    with gateway.client() as client:
        client.request("GET", "/slow")
        wait_until(lambda: origin.count("/slow") == 1, "the exchange under way")
        started = time.monotonic()
        gateway.expected_exit = {0, 1}
        gateway.terminate()
        gateway.wait()
        assert time.monotonic() - started < 5
        release.set()


def test_term_under_load_cuts_no_response(start, origin):
    origin.default = Reply("x" * 200_000, cache_control="max-age=600")
    gateway = start(origin, workers=2, log={"access": "off"})
    cut, done, began = [], [0], threading.Barrier(9)

    def keep_asking(number):
        began.wait(20)
        while True:
            try:
                with gateway.client() as client:
                    for turn in range(50):
                        response = client.request("GET", ("/a.css", f"/page/{number}")[turn % 2]).read()
                        assert response.length == 200_000
                        done[0] += 1
                        if response.get("Connection", "").lower() == "close":
                            break
            except Truncated as error:
                # Closed before the first byte of an answer is a connection that was idle for the gateway.
                if error.response is not None or client.buffer:
                    cut.append(error)
                return
            except (ConnectionRefusedError, ConnectionResetError, BrokenPipeError):
                return

    threads = [threading.Thread(target=keep_asking, args=(n,), daemon=True) for n in range(8)]
    for thread in threads:
        thread.start()
    began.wait(20)
    wait_until(lambda: done[0] > 200, "some load")
    gateway.terminate()
    assert gateway.wait() == 0
    for thread in threads:
        thread.join(20)
    assert not cut, cut[:3]


def test_streaming_download_is_finished(gateway, origin):
    release = threading.Event()

    def halves(_, connection):
        connection.send(Reply(length=20).head() + b"0123456789")
        release.wait(20)
        connection.send("abcdefghij")

    origin.on("/stream", halves)
    with gateway.client() as client:
        client.request("GET", "/stream")
        head = client.read_head()
        gateway.terminate()
        wait_until(lambda: gateway.readyz().status == 503, "/readyz")
        release.set()
        assert client.read_body(head).body == b"0123456789abcdefghij"
    assert gateway.wait() == 0

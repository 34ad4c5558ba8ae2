# SPDX-License-Identifier: Apache-2.0
"""An answer from memory on a kept connection costs one read and one write, whatever the connection speaks: told by strace,
which starts the gateway."""
import re
import shutil
import subprocess

import pytest

from edge import RawClient, Reply, wait_until
from edge.gateway import RUNNER
from edge.h2 import H2Client, Stream
from edge.tls import TlsClient, trust

HOST, PATH = "www.example.test", "/a.css"
READS = ["read", "readv", "recvfrom", "recvmsg"]
WRITES = ["write", "writev", "sendto", "sendmsg", "sendfile"]
ROUNDS, BATCH = 20, 10


def why_not(folder):
    if not shutil.which("strace"):
        return "strace is not installed"
    if RUNNER:
        return "another program stands before the gateway"
    ran = subprocess.run(["strace", "-D", "-o", str(folder / "probe"), "true"], capture_output=True, text=True, check=False)
    return f"strace may not trace here: {ran.stderr.strip()}" if ran.returncode else None


class Traced:
    """A gateway under strace: listeners for HTTP/1.1, for HTTP/2 without TLS, and for both by TLS."""

    def __init__(self, gateway, authority, trace):
        self.plain, self.h2c, self.secret = gateway.listen
        self.authority, self.trace = authority, trace

    def calls(self, client):
        """What was done to the gateway's end of this connection, in order."""
        return self.calls_with(client.socket.getsockname()[1])

    def calls_with(self, port):
        peer = rf"->127\.0\.0\.1:{port}\]"
        names = re.findall(rf"^\d+ +(\w+)\(\d+<TCP:\[[^>]*{peer}>", self.trace.read_text(), re.M)
        return ["read" if name in READS else "write" for name in names]

    def assert_one_each(self, client, ask):
        """After a warm-up (handshake, settings, the fill of the cache) nothing but a read and a write for each `ask`."""
        for _ in range(2 + ROUNDS):
            ask()
        wanted = ["read", "write"] * ROUNDS

        def is_so():
            return self.calls(client)[-2 * ROUNDS:] == wanted

        try:
            wait_until(is_so, "strace to have told the last call", seconds=3)
        except AssertionError:
            pytest.fail(f"not one read and one write each: {' '.join(self.calls(client)[-2 * ROUNDS:])}")


@pytest.fixture
def traced(start, origin, tmp_path):
    why = why_not(tmp_path)
    if why:
        pytest.skip(why)
    origin.on(PATH, Reply("x" * 1024, cache_control="max-age=3600", content_type="text/css"))
    authority, trace = trust(tmp_path / "authority", HOST), tmp_path / "trace"
    limiters = {"limiters": [{"name": "one", "limit": 1, "window_ms": 3600000, "store": "durable_object", "key": "${ip}",
                              "mode": "enforce"}], "routes": [{"path": "/limited", "limiter": "one"}]}
    # LeakSanitizer traces, too, and there can be one tracer only.
    gateway = start.prepare(origin, limiters=limiters, env={"ASAN_OPTIONS": "detect_leaks=0"}, log={"access": "off"}, listen=[
        {"address": "127.0.0.1:0", "edge": "FRA"}, {"address": "127.0.0.1:0", "edge": "FRA", "h2c": True},
        {"address": "127.0.0.1:0", "edge": "FRA", "tls": authority.tls(HOST)}])
    gateway.runner = ["strace", "-D", "-f", "-q", "-yy", "-o", str(trace), "-e", "trace=" + ",".join(READS + WRITES)]
    return Traced(gateway.start(), authority, trace)


def ask_h1(client, path=PATH, status=200):
    client.request("GET", path)
    answer = client.read()
    assert answer.status == status
    return answer


def test_a_hit(traced):
    with RawClient(traced.plain) as client:
        traced.assert_one_each(client, lambda: ask_h1(client))
        assert ask_h1(client).cache == "HIT"


def test_a_refusal(traced):
    with RawClient(traced.plain) as client:
        ask_h1(client, "/limited")
        traced.assert_one_each(client, lambda: ask_h1(client, "/limited", 429))


def test_a_small_upload(traced, origin):
    """To the origin, too, its head and body go in one write, after a look whether the kept connection still stands."""
    def ask():
        client.request("POST", "/upload", body=b"x" * 1000)
        assert client.read().status == 200

    with RawClient(traced.plain) as client:
        traced.assert_one_each(client, ask)
    assert traced.calls_with(origin.port)[-3 * ROUNDS:] == ["read", "write", "read"] * ROUNDS


def test_a_hit_by_tls(traced):
    with TlsClient(traced.secret, traced.authority.context()) as client:
        traced.assert_one_each(client, lambda: ask_h1(client))


def ask_h2(client):
    """A batch of requests in one piece; windows are given back only with the next one."""
    fields = [(":method", "GET"), (":scheme", "http"), (":authority", HOST), (":path", PATH)]
    for stream in client.streams.values():
        if stream.length:
            client.h2.increment_flow_control_window(stream.length)
    client.streams.clear()
    for _ in range(BATCH):
        number = client.h2.get_next_available_stream_id()
        client.streams[number] = Stream()
        client.h2.send_headers(number, fields, end_stream=True)
    client.flush()
    while not all(stream.over for stream in client.streams.values()):
        assert client.read_once()
    assert {stream.status for stream in client.streams.values()} == {200}


@pytest.mark.parametrize("secret", [False, True], ids=["plain", "tls"])
def test_a_batch_of_hits_by_http2(traced, secret):
    context = traced.authority.context() if secret else None
    if context:
        context.set_alpn_protocols(["h2"])
    with H2Client(traced.secret if secret else traced.h2c, auto=False, tls=context) as client:
        traced.assert_one_each(client, lambda: ask_h2(client))

# SPDX-License-Identifier: Apache-2.0
"""Limits under attack: others are served as before, memory stays bounded, and what ran out comes back.

Short forms with generous bounds, since the machine is anybody's; `tests/hardening.py` prints figures of the long ones."""
import os
import resource
import time

import pytest
from edge import Reply, Truncated, wait_until
from edge.attack import Child, latencies, percentile
from edge.quiet import in_a_quiet_moment
from edge.sanitizer import SANITIZED

MIB = 1 << 20
SLACK_MS = 250 if SANITIZED else 25  # beside the factor: a busy machine, and Python on both sides
ATTACKS = [("slow_head", 200), ("slow_body", 200), ("slow_reader", 60), ("fast_reader", 10), ("idle", 500), ("connection_flood", 20),
           ("request_flood", 16), ("h2_flood", 16), ("garbage", 10)]


def serve(origin):
    origin.default = Reply("x" * 200, cache_control="max-age=600")
    origin.on("/big", Reply(b"x" * 4 * MIB))
    origin.on("/big.css", Reply(b"x" * 4 * MIB, cache_control="max-age=600"))


def rss_kib(pid):
    with open(f"/proc/{pid}/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * resource.getpagesize() // 1024


@pytest.fixture(scope="module")
def target(shared_start, shared_origin):
    serve(shared_origin)
    gateway = shared_start(shared_origin, log={"access": "off"}, listen=[{"address": "127.0.0.1:0", "edge": "FRA", "h2c": True}])
    for path in ("/probe.css", "/small.css", "/big.css"):
        gateway.fetch(path)
    return gateway


@pytest.mark.parametrize("name,count", ATTACKS)
@in_a_quiet_moment(attempts=4)
def test_others_are_served_and_memory_stays(target, name, count):
    calm = percentile(latencies(target.address, 0.25), 95)
    before = rss_kib(target.pid)
    with Child(name, target.address, count):
        attacked = percentile(latencies(target.address, 0.4), 95)
        grown = rss_kib(target.pid) - before
    assert attacked < 3 * calm + SLACK_MS, (calm, attacked)
    if not SANITIZED:
        assert grown < 32 * 1024, f"{grown} KiB"
    wait_until(lambda: target.metric("nearedge_connections") <= 2, "the attackers to be gone")
    assert target.fetch("/after").status == 200


def test_all_at_once_ends_without_a_trace(start, origin):
    """Attackers whose time is up are gone, and so is what they held."""
    serve(origin)
    gateway = start(origin, log={"access": "off"}, timeouts={"header_ms": 300, "body_ms": 5000, "write_ms": 500, "idle_ms": 300})
    gateway.fetch("/big.css")
    attackers = [Child(name, gateway.address, 20) for name in ("slow_head", "slow_reader", "idle")]
    wait_until(lambda: gateway.metric("nearedge_connections") >= 20, "the attackers")
    for attacker in attackers:
        attacker.stop()
    wait_until(lambda: gateway.metric("nearedge_connections") <= 1, "their connections to be gone")
    assert gateway.fetch("/after").status == 200


def test_ceiling_of_connections(start, origin):
    """Who comes too late is refused at once; who is there is served; a place that becomes free is used."""
    gateway = start(origin, limits={"connections": 20})
    clients = [gateway.client() for _ in range(20)]
    for client in clients:
        assert client.request("GET", "/").read().status == 200
    with gateway.client() as late:
        assert late.read_to_end() == b""
    assert clients[0].request("GET", "/").read().status == 200
    assert "limits.connections (20) reached" in gateway.log()
    for client in clients:
        client.close()

    def served():
        with gateway.client() as client:
            try:
                return client.request("GET", "/").read().status == 200
            except (OSError, Truncated):
                return False

    wait_until(served, "a free place")


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def test_out_of_descriptors(start, origin):
    """Who is connected is served on, also through a new connection to the origin; the admin listener answers; the log
    says it in few lines; nothing spins; and it passes."""
    gateway = start(origin)
    with gateway.client() as old:
        assert old.request("GET", "/").read().status == 200
        limit = descriptors(gateway.pid) + 30
        resource.prlimit(gateway.pid, resource.RLIMIT_NOFILE, (limit, limit))
        crowd = [gateway.client(timeout=5) for _ in range(100)]
        wait_until(lambda: "descriptors run out" in gateway.log(), "the line about it")
        origin.drop_connections()
        assert old.request("GET", "/new").read().status == 200
        assert gateway.readyz().status == 200
        busy = cpu_seconds(gateway.pid)
        time.sleep(0.3)
        assert cpu_seconds(gateway.pid) - busy < 0.15, "it spins"
        assert gateway.log().count("descriptors run out") <= 6, "repeats are summarised"
        for client in crowd:
            client.close()
        wait_until(lambda: descriptors(gateway.pid) < limit - 20, "the crowd to be gone")
        assert gateway.fetch("/again").status == 200


def test_not_one_descriptor_left(start, origin):
    """The origin cannot be reached: that is said, and is over when it is over."""
    gateway = start(origin)
    with gateway.client() as old:
        assert old.request("GET", "/").read().status == 200
        origin.drop_connections()
        wait_until(lambda: not origin.connections, "the origin's end")
        time.sleep(0.05)  # the gateway's end of it
        limits = resource.prlimit(gateway.pid, resource.RLIMIT_NOFILE)
        used = descriptors(gateway.pid)
        resource.prlimit(gateway.pid, resource.RLIMIT_NOFILE, (used, limits[1]))
        assert old.request("GET", "/none").read().status in (502, 503, 520, 521, 522)
        assert old.request("GET", "/none.css").read().status in (502, 503, 520, 521, 522)
        resource.prlimit(gateway.pid, resource.RLIMIT_NOFILE, limits)
        assert old.request("GET", "/back").read().status == 200


def test_connections_are_counted_once(start, origin):
    gateway = start(origin)
    before = gateway.metric("nearedge_connections")
    clients = [gateway.client() for _ in range(7)]
    for client in clients:
        assert client.request("GET", "/").read().status == 200
    assert gateway.metric("nearedge_connections") == before + 7
    for client in clients:
        client.close()


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / 100

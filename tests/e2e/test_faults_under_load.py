# SPDX-License-Identifier: Apache-2.0
"""Things break while visitors are there: what they see, and that all is well again afterwards.

Every answer is whole, or an error page, or visibly cut; never a wrong body and never silence."""
import copy
import os
import resource
import signal
import threading
import time

import pytest
from edge import RawClient, Reply, Truncated, wait_until

BODY = bytes(range(256)) * 400  # 100 KiB: several reads


class Visitors:
    """Threads that keep asking; what each answer was, counted. An answer that no origin gave is a fault."""

    def __init__(self, gateway, paths, count=6):
        self.gateway, self.paths, self.stopping = gateway, paths, threading.Event()
        self.seen, self.faults, self.slowest, self.lock = {}, [], 0.0, threading.Lock()
        self.threads = [threading.Thread(target=self._ask, args=(number,), daemon=True) for number in range(count)]
        for thread in self.threads:
            thread.start()

    def _count(self, what, seconds):
        with self.lock:
            self.seen[what] = self.seen.get(what, 0) + 1
            self.slowest = max(self.slowest, seconds)

    def _once(self, client, path):
        response = client.request("GET", path).read()
        if response.status == 200 and response.body != BODY:
            self.faults.append((path, response))
        return response.status

    def _ask(self, number):
        turn = number
        while not self.stopping.is_set():
            began = time.monotonic()
            try:
                with RawClient(self.gateway.address, timeout=15) as client:
                    while not self.stopping.is_set():
                        began, turn = time.monotonic(), turn + 1
                        self._count(self._once(client, self.paths[turn % len(self.paths)]), time.monotonic() - began)
            except Truncated as error:
                self._count("cut" if error.response else "closed", time.monotonic() - began)
            except TimeoutError as error:
                self.faults.append(error)
                return
            except OSError:
                self._count("refused", 0)
                time.sleep(0.01)

    def total(self, *whats):
        with self.lock:
            return sum(self.seen.get(what, 0) for what in whats) if whats else sum(self.seen.values())

    def wait_for(self, more, *whats):
        before = self.total(*whats)
        wait_until(lambda: self.faults or self.total(*whats) >= before + more, f"{more} answers {whats}: {self.seen}")

    def stop(self):
        self.stopping.set()
        for thread in self.threads:
            thread.join(20)
        assert not self.faults and not any(thread.is_alive() for thread in self.threads), self.faults[:2]
        return self.seen


@pytest.fixture
def loaded(start, origin):
    """begin(paths, **options): (gateway, visitors)."""
    running = []
    origin.default = Reply(BODY)

    def begin(paths=("/page", "/other"), **options):
        options.setdefault("log", {"access": "off"})
        gateway = start(origin, **options)
        running.append(Visitors(gateway, paths))
        running[0].wait_for(50, 200)
        return gateway, running[0]

    yield begin
    for visitors in running:
        visitors.stopping.set()


def test_origin_killed_and_back(loaded, origin):
    """Also the cached keep being served, beyond their time, while it is away (spec section 2.9)."""
    origin.on("/kept.css", Reply(BODY, cache_control="max-age=10"))
    gateway, visitors = loaded(("/page", "/kept.css"))
    origin.down()
    visitors.wait_for(10, 521)
    origin.drop_connections()  # who was accepted in the last moment
    gateway.advance(20_000)
    visitors.wait_for(50, 521)
    visitors.wait_for(50, 200)
    assert gateway.fetch("/kept.css").cache == "STALE"
    origin.up()
    wait_until(lambda: gateway.fetch("/page").status == 200, "the origin")
    before = visitors.total(521)
    visitors.wait_for(100, 200)
    seen = visitors.stop()
    assert visitors.total(521) <= before + 12, "it is used at once: no visitor is turned away any more"
    assert set(seen) <= {200, 520, 521, "cut", "closed"}, seen
    assert visitors.slowest < 5


def test_origin_resets_in_the_body(loaded, origin):
    def reset(_, connection):
        connection.send(Reply(length=len(BODY)).head() + BODY[:5000])
        connection.reset()

    gateway, visitors = loaded()
    origin.on("/other", reset)
    visitors.wait_for(50, "cut", 520)
    origin.on("/other", Reply(BODY))
    visitors.wait_for(100, 200)
    assert set(visitors.stop()) <= {200, 520, "cut"}
    assert gateway.fetch("/other").status == 200


def test_slow_origin_slows_nobody_else(loaded, origin):
    gateway, visitors = loaded(("/fast",), zone={"origin": {"read_timeout_ms": 400}})
    release = threading.Event()
    origin.on("/slow", lambda *_: release.wait(20) and None)
    statuses = []
    waiting = [threading.Thread(target=lambda: statuses.append(gateway.fetch("/slow").status), daemon=True) for _ in range(20)]
    for thread in waiting:
        thread.start()
    visitors.wait_for(100, 200)
    for thread in waiting:
        thread.join(20)
    release.set()
    assert statuses == [524] * 20
    assert set(visitors.stop()) == {200}


def test_fifty_reloads_good_and_bad(loaded):
    """In turn a good configuration and one that is refused: nobody notices either."""
    gateway, visitors = loaded()
    good = copy.deepcopy(gateway.config)
    bad = copy.deepcopy(good)
    bad["zones"][0]["orign"] = "x"
    for number in range(50):
        gateway.write_config(bad if number % 2 else good)
        gateway.hang_up()
        wait_until(lambda n=number: gateway.metric("nearedge_config_last_reload_successful") == (n + 1) % 2, "the reload")
        visitors.wait_for(3)
    gateway.write_config(good)
    assert set(visitors.stop()) == {200}


def test_term_with_streams_that_never_end(start, origin):
    gateway = start(origin, timeouts={"drain_ms": 500})
    release = threading.Event()

    def endless(_, connection):
        connection.send(Reply(chunked=True).head())
        while not release.wait(0.02):
            connection.send("1\r\nx\r\n")

    origin.on("/stream", endless)
    clients = [gateway.client() for _ in range(10)]
    for client in clients:
        client.request("GET", "/stream").read_head()
    began = time.monotonic()
    gateway.expected_exit = {0, 1}
    gateway.terminate()
    gateway.wait()
    assert 0.4 < time.monotonic() - began < 3
    release.set()
    assert "drain deadline reached" in gateway.log()
    for client in clients:
        assert not client.read_to_end().endswith(b"0\r\n\r\n"), "a stream that was cut must not look whole"
        client.close()


def test_killed_and_started_again(start, origin):
    """No state on disk: the ports are free at once, the cache is empty, all is well."""
    origin.default = Reply(BODY, cache_control="max-age=60")
    gateway = start(origin)
    address = gateway.address
    gateway.config["listen"][0]["address"] = address
    assert gateway.fetch("/a.css").cache == "MISS"
    visitors = Visitors(gateway, ("/page", "/a.css"))
    visitors.wait_for(20, 200)
    gateway.kill()
    os.unlink(gateway.path("ready.json"))
    visitors.wait_for(5, "refused", "closed", "cut")
    gateway.expected_exit, gateway.is_ending = {0}, False
    gateway.start()
    visitors.wait_for(50, 200)
    assert set(visitors.stop()) <= {200, "refused", "closed", "cut"}
    assert gateway.address == address


@pytest.mark.parametrize("how", ["no space", "no larger file"])
def test_log_that_cannot_be_written(loaded, how):
    """Lines are dropped, counted and told; visitors see nothing; and it goes on when there is room."""
    path = "/dev/full" if how == "no space" else "access.log"
    gateway, visitors = loaded(log={"access": path, "level": "info"})
    if how == "no larger file":
        limits = resource.prlimit(gateway.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(gateway.pid, resource.RLIMIT_FSIZE, (os.path.getsize(gateway.path(path)) + 100, limits[1]))
    wait_until(lambda: "access_log_dropped" in gateway.log() or not gateway.is_alive(), "the line about it")
    assert gateway.is_alive()
    visitors.wait_for(100, 200)
    assert gateway.log().count("access_log_dropped") < 30
    if how == "no larger file":
        resource.prlimit(gateway.pid, resource.RLIMIT_FSIZE, limits)
        gateway.fetch("/room-again")
        wait_until(lambda: "/room-again" in gateway.access_text(path), "a line")
        assert all(line["EdgeResponseStatus"] == 200 for line in gateway.access_log(path)), "no line is torn"
    assert set(visitors.stop()) == {200}


def test_the_clock_jumps(start, origin):
    """Ten years ahead on the configured clock: what was fresh is not, windows are over, sockets notice nothing."""
    origin.default = Reply(BODY, cache_control="max-age=60")
    gateway = start(origin, limiters={"limiters": [{"name": "few", "limit": 1, "window_ms": 60000, "store": "durable_object", "key": "${ip}"}],
                                      "routes": [{"path": "/few", "limiter": "few"}]})
    with gateway.client() as client:
        assert [client.request("GET", path).read().status for path in ("/a.css", "/few", "/few")] == [200, 200, 429]
        for _ in range(10):
            gateway.advance(365 * 86_400_000)
        answer = client.request("GET", "/a.css").read()
        assert (answer.status, answer.cache) == (200, "EXPIRED")
        assert client.request("GET", "/few").read().status == 200
        assert client.request("GET", "/a.css").read().cache == "HIT"
    assert gateway.api("/api/clock/advance", "POST", {"ms": -1000}).status == 400, "the virtual clock never goes back"


def test_stopped_and_continued(loaded):
    """The process stands still for a while (a suspended laptop, a paused container): then it goes on."""
    gateway, visitors = loaded()
    gateway.process.send_signal(signal.SIGSTOP)
    time.sleep(0.3)
    gateway.process.send_signal(signal.SIGCONT)
    visitors.wait_for(50, 200)
    assert set(visitors.stop()) == {200}

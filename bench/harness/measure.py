# SPDX-License-Identifier: Apache-2.0
"""Starting servers, checking that they do the work, and measuring one round of it."""
import http.client
import re
import signal
import socket
import threading

from harness.clients import CONNECTIONS, careless_context, get, run_h2load, run_wrk
from harness.peers import HOST, Setup
from harness.process import Failed, Process, Redis, allow_many_connections, cores, free_port

__all__ = ["CONNECTIONS", "Failed", "MEASURES", "Origin", "Process", "Redis", "Server", "allow_many_connections", "cores",
           "free_port", "get", "run_wrk"]

WARM_UP_SECONDS = 0.5
IDLE_CONNECTIONS = 10000
PACE = 0.7                  # of what the server answers at most
RELOAD_EVERY_SECONDS = 0.25


class Origin:
    """bench_floor as the origin, beside the client on its core."""

    def __init__(self, build, workload, directory):
        self.port = free_port()
        how = "public, max-age=86400" if workload.kind in ("hit", "miss") else "no-store"
        self.process = Process([str(build / "bench_floor"), "--origin", "--port", str(self.port),
                                "--body", str(workload.body), "--cache-control", how], cores()[1], directory)
        self.process.wait_for_port(self.port)

    def count(self):
        return int(get(self.port, "/__count")[2])


class Server:
    """One peer, configured for one workload and running."""

    def __init__(self, peer, binary, workload, origin, directory):
        self.peer, self.workload, self.origin = peer, workload, origin
        self.port, self.redis = free_port(), None
        directory.mkdir()
        if peer.needs_redis:
            self.redis = Redis(directory, cores()[1])
        argv = peer.command(Setup(binary, directory, self.port, origin.port, workload,
                                  self.redis.path if self.redis else None))
        own = cores()[0] if workload.workers == 1 else f"{cores()[0]},{cores()[1]}"
        self.process = Process(argv, own, directory)
        try:
            self.process.wait_for_port(self.port)
            self.verify()
        except BaseException:
            self.stop()
            raise

    def stop(self):
        self.process.stop()
        if self.redis:
            self.redis.stop()

    def ask(self, path):
        work = self.workload
        return get(self.port, path, work.headers, work.tls, work.method, b"x" * work.request_body or None)

    def verify(self):
        """Primes the cache or the limiter, then asks again and looks closely at what comes."""
        work = self.workload
        for number in range(3):
            get(self.port, work.path, tls=work.tls)
        before, asked = self.origin.count(), 20
        for number in range(asked):
            status, headers, body = self.ask(f"/bench/v{number}.js" if work.fresh_paths else work.path)
            if status != work.status:
                raise Failed(f"status {status}, not {work.status}")
            if work.answer_body is not None and len(body) != work.answer_body:
                raise Failed(f"body of {len(body)} bytes, not {work.answer_body}")
            self.check_cache_header(headers)
        self.check_origin(self.origin.count() - before, asked)
        if work.fresh_paths and self.peer.name != "floor":  # stored, not only passed on
            self.ask("/bench/v0.js")
            self.check_count(self.origin.count() - before - asked, (0, 0), 1)
        if work.paths:
            self.fill_cache()

    def fill_cache(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        for number in range(self.workload.paths):
            connection.request("GET", f"/bench/o{number}.js", headers={"Host": HOST})
            connection.getresponse().read()
        connection.close()

    def check_cache_header(self, headers):
        if self.workload.kind != "hit" or self.workload.status == 304 or not self.peer.hit_header:
            return
        lines = "\n".join(f"{name}: {value}" for name, value in headers.items())
        if not re.search(f"^{self.peer.hit_header}$", lines, re.M | re.I):
            raise Failed(f"no {self.peer.hit_header!r} in a cached answer:\n{lines}")

    def check_origin(self, reached, asked):
        """A limiter may let one through when its window turns; a hit never asks."""
        all_of_them = (asked, asked + 2 * CONNECTIONS)
        self.check_count(reached, {"hit": (0, 0), "refuse": (0, 2), "pass": all_of_them,
                                   "miss": all_of_them}[self.workload.kind], asked)

    def check_count(self, reached, allowed, asked):
        if self.peer.name != "floor" and not allowed[0] <= reached <= allowed[1]:
            raise Failed(f"{reached} of {asked} requests reached the origin")

    def load(self, seconds, **how):
        return (run_h2load if self.workload.h2 or how else run_wrk)(self.port, self.workload, seconds, **how)

    def warm_up(self):
        try:
            self.load(WARM_UP_SECONDS)
        except Failed:
            pass  # too short for a single answer on a busy machine: the round itself will tell

    def measured(self, seconds, may_break=False, **how):
        """One measured run; what it costs the server's whole process tree."""
        calls = self.redis.script_calls() if self.redis else 0
        origin, cpu = self.origin.count(), self.process.cpu_seconds()
        result = self.load(seconds, **how)
        cpu = self.process.cpu_seconds() - cpu
        wrong = result["refused"] if self.workload.status < 400 else result["requests"] - result["refused"]
        if wrong > (2 if self.workload.kind == "refuse" else 0):  # a limiter's window may turn meanwhile
            raise Failed(f"{wrong} of {result['requests']} answers had another status")
        if result["errors"] and not may_break:
            raise Failed(f"socket errors {result['errors']}")
        self.check_origin(self.origin.count() - origin, result["requests"])
        calls = self.redis.script_calls() - calls if self.redis else result["requests"]
        if calls < 0.99 * result["requests"]:  # some may meet a deadline that a busy Redis missed
            raise Failed(f"Redis decided {calls} of {result['requests']} requests")
        return {"cpu_us": cpu / result["requests"] * 1e6, "requests_per_s": result["requests"] / result["seconds"],
                "p50_us": result["p50_us"], "p99_us": result["p99_us"], "busy": cpu / result["seconds"],
                "errors": sum(int(n) for n in re.findall(r"\d+", result["errors"] or ""))}

    # -- one round, by what is measured

    def saturate(self, seconds):
        self.warm_up()
        return {**self.measured(seconds), "memory_bytes": self.process.memory_bytes()}

    def paced(self, seconds):
        most = run_h2load(self.port, self.workload, 1)
        return self.measured(seconds, per_second=PACE * most["requests"] / most["seconds"])

    def reload(self, seconds):
        self.warm_up()
        quiet = self.measured(seconds)
        over, count = threading.Event(), 0

        def send():
            nonlocal count
            while not over.wait(RELOAD_EVERY_SECONDS):
                self.process.child.send_signal(signal.SIGHUP)
                count += 1

        sender = threading.Thread(target=send)
        sender.start()
        try:
            busy = self.measured(seconds, may_break=True)
        finally:
            over.set()
            sender.join()
        return {**busy, "quiet_p99_us": quiet["p99_us"], "p99_change": busy["p99_us"] / quiet["p99_us"], "reloads": count}

    def idle(self, _):
        """What a kept connection holds of the server's memory (not the kernel's) after its request."""
        text = f"GET {self.workload.path} HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode()
        before, idle = self.process.memory_bytes(), []
        context = careless_context() if self.workload.tls else None
        try:
            for _ in range(IDLE_CONNECTIONS):
                connection = socket.create_connection(("127.0.0.1", self.port), 10)
                if context:
                    connection = context.wrap_socket(connection)
                idle.append(connection)
                connection.sendall(text)
                while not connection.recv(65536).endswith(b"xxxx"):  # the object's body
                    pass
            after = self.process.memory_bytes()
            return {"connection_bytes": max(0, after - before) / IDLE_CONNECTIONS, "memory_bytes": after}
        finally:
            for connection in idle:
                connection.close()


MEASURES = {"saturate": Server.saturate, "paced": Server.paced, "reload": Server.reload, "idle": Server.idle}

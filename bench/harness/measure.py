# SPDX-License-Identifier: Apache-2.0
"""Starting servers, checking that they do the work, and measuring one round."""
import http.client
import os
import re
import resource
import socket
import ssl
import subprocess
import tempfile
import time
from pathlib import Path

from harness.peers import HOST, Setup

TICKS = os.sysconf("SC_CLK_TCK")
CONNECTIONS = 64
H2_STREAMS = 10
WARM_UP_SECONDS = 0.5
IDLE_CONNECTIONS = 1000


class Failed(Exception):
    """The server does not run, or does not do what is being measured."""


def cores():
    """The server's core and the client's (with the origin)."""
    usable = sorted(os.sched_getaffinity(0))
    return usable[0], usable[-1]


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Process:
    """A server in the foreground, pinned to one core, with its output in a file. Ended by its own process id."""

    def __init__(self, argv, core, directory):
        self.name = Path(argv[0]).name
        self.output = directory / f"{self.name}.log"
        with open(self.output, "wb") as out:
            self.child = subprocess.Popen(["taskset", "-c", str(core), *argv], cwd=directory, stdout=out, stderr=out)

    def wait_for_port(self, port, seconds=20):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.child.poll() is not None:
                break
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                return
            except OSError:
                time.sleep(0.02)
        self.stop()
        raise Failed(f"{self.name} does not listen on port {port}:\n{self.output.read_text(errors='replace')[-2000:]}")

    def tree(self):
        """The process ids of the server and everything below it."""
        children = {}
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = stat.read_text().rsplit(")", 1)[1].split()
            except OSError:
                continue  # ended meanwhile
            children.setdefault(int(fields[1]), []).append(int(stat.parent.name))
        found = [self.child.pid]
        for pid in found:
            found.extend(children.get(pid, []))
        return found

    def cpu_seconds(self):
        total = 0
        for pid in self.tree():
            fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
            total += int(fields[11]) + int(fields[12])  # utime, stime
        return total / TICKS

    def memory_bytes(self):
        """Proportional set size: pages that a master and its workers share count once."""
        total = 0
        for pid in self.tree():
            text = Path(f"/proc/{pid}/smaps_rollup").read_text()
            total += int(re.search(r"^Pss:\s+(\d+)", text, re.M).group(1)) * 1024
        return total

    def stop(self):
        self.child.terminate()
        try:
            self.child.wait(10)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()


def careless_context():
    """Every server makes its own certificate: nobody vouches for it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def get(port, path, headers=None, tls=False):
    connection = (http.client.HTTPSConnection("127.0.0.1", port, timeout=10, context=careless_context()) if tls
                  else http.client.HTTPConnection("127.0.0.1", port, timeout=10))
    try:
        connection.request("GET", path, headers={"Host": HOST, **(headers or {})})
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        connection.close()


class Origin:
    """bench_floor as the origin, beside the client on its core."""

    def __init__(self, build, workload, directory):
        self.port = free_port()
        how = "public, max-age=86400" if workload.kind == "hit" else "no-store"
        self.process = Process([str(build / "bench_floor"), "--origin", "--port", str(self.port),
                                "--body", str(workload.body), "--cache-control", how], cores()[1], directory)
        self.process.wait_for_port(self.port)

    def count(self):
        return int(get(self.port, "/__count")[2])


class Server:
    """One peer, configured for one workload and running."""

    def __init__(self, peer, binary, workload, origin, directory):
        self.peer, self.workload, self.origin = peer, workload, origin
        self.port = free_port()
        directory.mkdir()
        argv = peer.command(Setup(binary, directory, self.port, origin.port, workload))
        self.process = Process(argv, cores()[0], directory)
        try:
            self.process.wait_for_port(self.port)
            self.verify()
        except BaseException:
            self.process.stop()
            raise

    def verify(self):
        """Primes the cache or the limiter, then asks again and looks closely at what comes."""
        work = self.workload
        for _ in range(3):
            get(self.port, work.path, tls=work.tls)
        before, asked = self.origin.count(), 20
        for _ in range(asked):
            status, headers, body = get(self.port, work.path, work.headers, work.tls)
            if status != work.status:
                raise Failed(f"{self.peer.name}: status {status}, not {work.status}")
            if work.answer_body is not None and len(body) != work.answer_body:
                raise Failed(f"{self.peer.name}: body of {len(body)} bytes, not {work.answer_body}")
            self.check_cache_header(headers)
        self.check_origin(self.origin.count() - before, asked)

    def check_cache_header(self, headers):
        if self.workload.kind != "hit" or self.workload.status == 304 or not self.peer.hit_header:
            return
        lines = "\n".join(f"{name}: {value}" for name, value in headers.items())
        if not re.search(f"^{self.peer.hit_header}$", lines, re.M | re.I):
            raise Failed(f"{self.peer.name}: no {self.peer.hit_header!r} in a cached answer:\n{lines}")

    def check_origin(self, reached, asked):
        """A limiter may let one through when its window turns; a hit never asks."""
        if self.peer.name == "floor":
            return
        allowed = {"hit": (0, 0), "refuse": (0, 2), "pass": (asked, asked + 2 * CONNECTIONS)}[self.workload.kind]
        if not allowed[0] <= reached <= allowed[1]:
            raise Failed(f"{self.peer.name}: {reached} of {asked} requests reached the origin")

    def round(self, seconds):
        """One measured run of wrk; what it costs the server's whole process tree."""
        ask = run_h2load if self.workload.h2 else run_wrk
        ask(self.port, self.workload, WARM_UP_SECONDS)
        origin, cpu = self.origin.count(), self.process.cpu_seconds()
        result = ask(self.port, self.workload, seconds)
        cpu = self.process.cpu_seconds() - cpu
        wrong = result["refused"] if self.workload.status < 400 else result["requests"] - result["refused"]
        if wrong > (2 if self.workload.kind == "refuse" else 0):  # a limiter's window may turn meanwhile
            raise Failed(f"{self.peer.name}: {wrong} of {result['requests']} answers had another status")
        if result["errors"]:
            raise Failed(f"{self.peer.name}: socket errors {result['errors']}")
        self.check_origin(self.origin.count() - origin, result["requests"])
        return {"cpu_us": cpu / result["requests"] * 1e6, "requests_per_s": result["requests"] / result["seconds"],
                "p50_us": result["p50_us"], "p99_us": result["p99_us"],
                "busy": cpu / result["seconds"], "memory_bytes": self.process.memory_bytes()}

    def idle_connection_bytes(self):
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
            return (self.process.memory_bytes() - before) / IDLE_CONNECTIONS
        finally:
            for connection in idle:
                connection.close()


def allow_many_connections():
    """For us and for the servers, which inherit it."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 65536) if hard != resource.RLIM_INFINITY else 65536, hard))


def microseconds(text):
    value, unit = re.fullmatch(r"([\d.]+)(us|ms|s|m)", text).groups()
    return float(value) * {"us": 1, "ms": 1e3, "s": 1e6, "m": 6e7}[unit]


def run_h2load(port, workload, seconds):
    """Its log has a line for each answer: when, status, microseconds."""
    whole = max(1, round(seconds))
    with tempfile.NamedTemporaryFile("r", prefix="nearedge-h2load-") as log:
        ran = subprocess.run(["taskset", "-c", str(cores()[1]), "h2load", "-t1", f"-c{CONNECTIONS}", f"-m{H2_STREAMS}",
                              f"-D{whole}", f"--log-file={log.name}", "-H", f":authority: {HOST}",
                              f"http://127.0.0.1:{port}{workload.path}"], capture_output=True, text=True,
                             timeout=whole + 30)
        answers = [line.split("\t") for line in log]
    total = re.search(r"requests: .* (\d+) done, (\d+) succeeded, (\d+) failed, (\d+) errored", ran.stdout)
    if ran.returncode or not total or not answers:
        raise Failed(f"h2load got no answer on port {port}:\n{ran.stdout}{ran.stderr}")
    times = sorted(int(answer[2]) for answer in answers)
    wrong = sum(int(answer[1]) != workload.status for answer in answers)
    return {"requests": len(answers), "seconds": whole, "p50_us": times[len(times) // 2],
            "p99_us": times[len(times) * 99 // 100], "refused": wrong,
            "errors": f"{total[4]} errored" if int(total[4]) else None}


def run_wrk(port, workload, seconds):
    """wrk takes whole seconds: the warm-up ends it early, which it reports as usual."""
    whole = max(1, round(seconds))
    argv = ["taskset", "-c", str(cores()[1]), "wrk", "-t1", f"-c{CONNECTIONS}", f"-d{whole}s", "--latency",
            "-H", f"Host: {HOST}"]
    for name, value in workload.headers.items():
        argv += ["-H", f"{name}: {value}"]
    scheme = "https" if workload.tls else "http"
    child = subprocess.Popen([*argv, f"{scheme}://127.0.0.1:{port}{workload.path}"], stdout=subprocess.PIPE, text=True)
    if seconds < 1:
        time.sleep(seconds)
        child.send_signal(2)
    text = child.communicate(timeout=whole + 30)[0]
    total = re.search(r"(\d+) requests in ([\d.]+)(ms|s)", text)
    if child.returncode or not total or total[1] == "0":
        raise Failed(f"wrk got no answer it understands on port {port}:\n{text}")
    latency = {p: microseconds(re.search(rf"^\s+{p}%\s+(\S+)$", text, re.M).group(1)) for p in (50, 99)}
    refused = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
    errors = re.search(r"Socket errors: (.*)", text)
    return {"requests": int(total[1]), "seconds": float(total[2]) / (1000 if total[3] == "ms" else 1),
            "p50_us": latency[50], "p99_us": latency[99], "refused": int(refused[1]) if refused else 0,
            "errors": errors[1] if errors else None}

# SPDX-License-Identifier: Apache-2.0
"""Processes that a benchmark starts, watches and ends."""
import os
import re
import resource
import socket
import subprocess
import time
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


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


def allow_many_connections():
    """For us and for the servers, which inherit it."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 65536) if hard != resource.RLIM_INFINITY else 65536, hard))


class Process:
    """A server in the foreground, pinned to a core (or a list "0,1"; None: any), its output in a file. Ended by its own id."""

    def __init__(self, argv, core, directory):
        self.name = Path(argv[0]).name
        self.output = directory / f"{self.name}.log"
        with open(self.output, "wb") as out:
            pin = [] if core is None else ["taskset", "-c", str(core)]
            self.child = subprocess.Popen([*pin, *argv], cwd=directory, stdout=out, stderr=out)

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
        """User and system time, of ended children too (a reload of nginx ends its workers)."""
        total = 0
        for pid in self.tree():
            try:
                fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
            except OSError:
                continue
            total += sum(int(field) for field in fields[11:15])  # utime, stime, cutime, cstime
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


class Redis:
    """A redis-server of our own on a Unix socket; nothing is kept."""

    def __init__(self, directory, core):
        self.path = directory / "redis.sock"
        self.process = Process(["redis-server", "--port", "0", "--unixsocket", str(self.path), "--save", "",
                                "--appendonly", "no", "--dir", str(directory)], core, directory)
        end = time.monotonic() + 10
        while not self.path.exists() and time.monotonic() < end:
            time.sleep(0.02)

    def say(self, *words):
        return subprocess.run(["redis-cli", "-s", str(self.path), *words], check=True, capture_output=True, text=True).stdout.strip()

    def script_calls(self):
        return sum(int(n) for n in re.findall(r"cmdstat_eval(?:sha)?:calls=(\d+)", self.say("INFO", "commandstats")))

    def stop(self):
        self.process.stop()

# SPDX-License-Identifier: Apache-2.0
"""One nearedge process under test: its configuration files, its addresses, its end."""
import contextlib
import json
import os
import re
import shlex
import signal
import subprocess

from .client import RawClient, fetch
from .wait import wait_until

BINARY = os.environ.get("NEAREDGE_BIN", os.path.join(
    os.path.dirname(__file__), "..", "..", "..", "build", "release", "nearedge"))
# For a whole run of the suite: what stands before the program (valgrind) and what behind `run` (--seccomp=kill).
RUNNER = shlex.split(os.environ.get("NEAREDGE_RUNNER", ""))
RUN_OPTIONS = shlex.split(os.environ.get("NEAREDGE_RUN_OPTIONS", ""))
SANITIZER_REPORT = re.compile(
    r"ERROR: \w+Sanitizer|WARNING: ThreadSanitizer|runtime error: |SUMMARY: \w+Sanitizer")
SANITIZER_EXIT = 86  # set by tests/run.sh
DRAIN_S = 40


def make_config(origin, zone=None, **top):
    """A configuration for one zone, example.test; `zone` and `top` are merged over the defaults."""
    config = {
        "listen": [{"address": "127.0.0.1:0", "edge": "FRA"}],
        "admin": {"address": "127.0.0.1:0"},
        "workers": 1,
        "trusted_proxies": [],
        "clock": "virtual",
        "edges": [{"name": "FRA", "country": "DE", "isolates": 2}, {"name": "AMS", "country": "NL", "isolates": 2}],
        "zones": [{
            "name": "example.test", "id": "0123456789abcdef0123456789abcdef", "plan": "free",
            "hosts": ["www.example.test", "example.test"],
            "origin": {"url": origin if isinstance(origin, str) else origin.url},
            "settings": {"browser_cache_ttl": 0},
        }],
        "log": {"access": "stdout", "format": "json", "level": "info"},
    }
    config["zones"][0] = _merge(config["zones"][0], zone or {})
    return _merge(config, top)


def _merge(base, over):
    """Objects are merged key by key, anything else replaces; a value of None removes the key."""
    merged = dict(base)
    for key, value in over.items():
        if isinstance(value, dict) and isinstance(merged.get(key), dict):
            merged[key] = _merge(merged[key], value)
        else:
            merged[key] = value
    return {key: value for key, value in merged.items() if value is not None}


class Gateway:
    def __init__(self, folder, config=None, arguments=None, env=None):
        """`arguments` replaces `-c FILE`, for `run` without a configuration file."""
        self.folder = str(folder)
        os.makedirs(self.folder, exist_ok=True)
        self.config = config
        self.arguments = arguments
        self.env = dict(os.environ, **(env or {}))
        self.runner, self.run_options, self.pass_fds = list(RUNNER), list(RUN_OPTIONS), ()
        self.process = None
        self.listen, self.admin = [], None
        self.expected_exit = {0}
        self.is_ending = False

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, content):
        """A file beside the configuration; objects become JSON. Returns its relative name."""
        path = self.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(content if isinstance(content, str) else json.dumps(content, indent=2))
        return name

    def write_config(self, config):
        self.config = config
        self.write("nearedge.json", config)

    # -- life cycle

    def start(self):
        ready = self.path("ready.json")
        if self.config is not None:
            self.write_config(self.config)
        arguments = self.arguments or ["-c", self.path("nearedge.json")]
        with open(self.path("stdout"), "ab") as out, open(self.path("stderr"), "ab") as err:
            self.process = subprocess.Popen(
                [*self.runner, BINARY, "run", *arguments, *self.run_options, "--ready-file", ready],
                stdin=subprocess.DEVNULL, stdout=out, stderr=err, env=self.env, cwd=self.folder,
                pass_fds=self.pass_fds)
        wait_until(lambda: self.process.poll() is not None or self._read_ready(ready), "the ready file")
        assert self.process.poll() is None, f"exited with {self.process.poll()}:\n{self.log()}"
        return self

    def _read_ready(self, path):
        try:
            with open(path, encoding="utf-8") as file:
                ready = json.load(file)
        except (OSError, ValueError):
            return False
        assert ready["pid"] == self.process.pid
        self.listen, self.admin = ready["listen"], ready.get("admin")
        return True

    @property
    def pid(self):
        return self.process.pid

    @property
    def address(self):
        return self.listen[0]

    def signal(self, number):
        self.is_ending |= number in (signal.SIGTERM, signal.SIGQUIT, signal.SIGINT)
        self.process.send_signal(number)

    def hang_up(self):
        self.signal(signal.SIGHUP)

    def terminate(self):
        self.signal(signal.SIGTERM)

    def wait(self, seconds=DRAIN_S):
        return self.process.wait(seconds)

    def kill(self):
        """As a crash: no drain; the exit code is not looked at."""
        self.expected_exit = None
        self.process.kill()
        self.process.wait()

    def is_alive(self):
        return self.process is not None and self.process.poll() is None

    def stop(self):
        """Ends the process and holds it to account: exit code and sanitizer reports."""
        if self.process is None:
            return
        if self.is_alive() and not self.is_ending:  # a second TERM would cut the drain short
            self.terminate()
        try:
            code = self.wait()
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"did not end within {DRAIN_S} s of TERM:\n{self.log()}") from None
        report = SANITIZER_REPORT.search(self.log())
        assert not report, self.log()[report.start():][:6000]
        if self.expected_exit is not None:
            assert code in self.expected_exit, f"exit code {code}:\n{self.log()}"

    # -- what it says

    def _text(self, name):
        try:
            with open(self.path(name), encoding="utf-8", errors="replace") as file:
                return file.read()
        except OSError:
            return ""

    @contextlib.contextmanager
    def standing_still(self):
        """Every thread is stopped: what is sent meanwhile lies there when it goes on."""

        def is_stopped():
            tasks = [f"/proc/{self.pid}/task/{thread}/stat" for thread in os.listdir(f"/proc/{self.pid}/task")]
            return all(open(stat, encoding="ascii").read().rsplit(")", 1)[1].split()[0] == "T" for stat in tasks)

        self.process.send_signal(signal.SIGSTOP)
        try:
            wait_until(is_stopped, "the gateway to stand still")
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)

    def log(self):
        """The operational log."""
        return self._text("stderr")

    def access_text(self, name="stdout"):
        return self._text(name)

    def access_log(self, name="stdout"):
        """Complete JSON lines of the access log."""
        return [json.loads(line) for line in self._text(name).split("\n")[:-1] if line.startswith("{")]

    def logged(self, count=1, **fields):
        """Waits for `count` access lines whose fields have these values; returns them."""

        def found():
            lines = [line for line in self.access_log() if all(line.get(k) == v for k, v in fields.items())]
            return lines if len(lines) >= count else None

        return wait_until(found, f"{count} access lines with {fields}")

    def recorded(self, ray):
        """Waits for the record of a request, which somebody has to be watching for (/api/requests, /api/events)."""

        def found():
            response = self.api(f"/api/requests/{ray}")
            return json.loads(response.body) if response.status == 200 else None

        return wait_until(found, f"record {ray}")

    # -- requests

    def fetch(self, path="/", method="GET", headers=(), body=None, host="www.example.test", **options):
        return fetch(self.address, path, method, headers, body, host, **options)

    def client(self, **options):
        return RawClient(self.address, **options)

    def api(self, path, method="GET", body=None, headers=(), host="127.0.0.1"):
        """One request to the admin listener; a body becomes JSON."""
        headers = list(headers.items()) if isinstance(headers, dict) else list(headers)
        data = None
        if body is not None:
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
            headers.append(("Content-Type", "application/json"))
        return fetch(self.admin, path, method, headers, data, host)

    def api_json(self, path, method="GET", body=None, **options):
        response = self.api(path, method, body, **options)
        assert response.get("Content-Type", "").startswith("application/json"), response
        return json.loads(response.body)

    def now_ms(self):
        return self.api_json("/api/clock")["now_ms"]

    def advance(self, ms):
        before = self.now_ms()
        after = self.api_json("/api/clock/advance", "POST", {"ms": int(ms)})
        assert after["mode"] == "virtual" and after["now_ms"] == before + int(ms), after

    def readyz(self):
        return self.api("/readyz")

    def metrics(self):
        """{(name, ((label, value), …)): number}"""
        response = self.api("/metrics")
        assert response.status == 200, response
        samples = {}
        for line in response.body.decode().splitlines():
            match = re.fullmatch(r"([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)(?: \d+)?", line)
            if line.startswith("#") or not line:
                continue
            assert match, f"not a metrics line: {line!r}"
            labels = re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', match.group(2) or "")
            samples[match.group(1), tuple(sorted(labels))] = float(match.group(3))
        return samples

    def metric(self, name, **labels):
        """The sum over all samples with this name and these labels."""
        wanted = set(labels.items())
        return sum(value for (key, has), value in self.metrics().items() if key == name and wanted <= set(has))

    # -- what it costs

    def memory_peak_kib(self):
        with open(f"/proc/{self.pid}/status", encoding="ascii") as file:
            return int(re.search(r"VmHWM:\s+(\d+)", file.read()).group(1))

    def reset_memory_peak(self):
        with open(f"/proc/{self.pid}/clear_refs", "w", encoding="ascii") as file:
            file.write("5")

# SPDX-License-Identifier: Apache-2.0
"""nearedge load against a real gateway: what is sent, the team's own file, reports, safety, mistakes."""
import http.server
import json
import os
import re
import signal
import subprocess
import threading
import time
import xml.etree.ElementTree as xml
from html.parser import HTMLParser

import pytest
from edge import Reply, wait_until
from edge.gateway import BINARY
from edge.load import Load

GENERATE = "/api/ai-image/generate"
LIMITERS = {
    "limiters": [
        {"name": "aiGenerate", "limit": 15, "window_ms": 60000, "store": "durable_object", "key": "${ip}:${user}", "mode": "enforce"},
        {"name": "spread", "limit": 15, "window_ms": 60000, "store": "memory", "key": "${ip}", "mode": "enforce"}],
    "routes": [{"methods": ["POST"], "path": GENERATE, "limiter": "aiGenerate"},
               {"path": "/spread", "limiter": "spread"}]}


@pytest.fixture
def load(start, origin, tmp_path):
    origin.default = Reply('{"success":true}', content_type="application/json")
    origin.on("/logo.svg", Reply("<svg/>", content_type="image/svg+xml", cache_control="max-age=600"))
    return Load(tmp_path, start(origin, limiters=LIMITERS, trusted_proxies=["127.0.0.1/32"]))


# ---- expectations; every kind of them: test_load_expectations.py

def test_only_one_failing_expectation_is_enough(load):
    assert load("--url", load.url("/x"), burst=5, expect=["200 == 5", "200 == 6"]) == 99
    assert load.outcomes() == {"200 == 5": "held", "200 == 6": "failed"}
    assert load("--url", load.url("/x"), burst=5) == 0
    assert load.report["verdict"] == "done"


@pytest.mark.parametrize("retry_after,admitted_after_s,outcome,says", [
    ("2", 2.0, 0, "refused one second early, admitted on time"),
    ("2", 0.3, 99, "one second early it was 200"),
    ("1", 9.0, 99, "refused when the time that Retry-After: 1 named had come"),
    ("soon", 9.0, 99, "whole seconds"),
    (None, 9.0, 99, "whole seconds")])
def test_retry_after_on_the_system_clock(start, origin, tmp_path, retry_after, admitted_after_s, outcome, says):
    """An origin that refuses by itself, honest or not; the gateway only hands its answers on."""
    first_refusal = []

    def answer(_request, _connection):
        first_refusal.append(time.monotonic())
        if time.monotonic() - first_refusal[0] >= admitted_after_s:
            return Reply("in")
        return Reply("", status=429, headers={"Retry-After": retry_after} if retry_after else {})

    origin.on("/limited", answer)
    load = Load(tmp_path, start(origin, clock="system"))
    # The probe begins with a refused request of its own, whose instant counts.
    code = load("--url", load.url("/limited"), burst=1, expect="retry-after honest")
    assert code == outcome and says in load.out, load.out


def test_nothing_refused_is_nothing_to_be_honest_about(load):
    assert load("--url", load.url("/x"), burst=3, expect="retry-after honest") == 99
    assert "there was no 429" in load.out


def test_origin_is_counted_phase_by_phase(load, origin):
    logo = {"requests": {"logo": {"path": "/logo.svg"}}, "identities": {"count": 5, "edges": ["FRA"]}}
    purge = {"call": "POST /client/v4/zones/0123456789abcdef0123456789abcdef/purge_cache", "body": {"purge_everything": True}}
    phases = [{"name": "cold", "rate": {"burst": 30}, "expect": ["origin requests == 1"]},
              {"name": "warm", "rate": {"burst": 30}, "expect": ["origin not contacted", "HIT == 30"]},
              {"name": "purged", "duration": "500ms", "rate": "60/s", "actions": [purge, {**purge, "at": "250ms"}],
               "expect": ["origin requests == 2", "MISS == 2"]}]
    assert load.scenario({**logo, "phases": phases, "expect": ["origin requests == 3"]}) == 0, load.out
    assert origin.count("/logo.svg") == 3
    phases = [{"rate": {"burst": 5}, "actions": [purge], "expect": ["origin not contacted"]}]
    assert load.scenario({**logo, "phases": phases}) == 99
    phases[0] = {"rate": {"burst": 5}, "actions": [{"call": "POST /no/such/path"}]}
    assert load.scenario({**logo, "phases": phases}) == 99
    assert "the admin listener answered 404" in load.out


# ---- who and where

def test_identities_edges_and_isolates(load):
    """A memory counter per edge and isolate: one visitor that goes round is admitted K times the limit."""
    options = {"edges": "FRA,AMS", "isolates": 2, "burst": 100}
    assert load("--url", load.url("/spread"), identities=1, expect=["200 == 60", "429 == 40"], **options) == 0, load.out
    load.gateway.advance(60000)
    assert load("--url", load.url("/spread"), identities=50, expect=["200 == 100"], **options) == 0, load.out


def test_what_reaches_the_origin(load, origin):
    scenario = {
        "identities": [{"name": "few", "count": 2, "weight": 3, "addresses": "203.0.113.0/24", "cookies": {"session_id": "u${identity}"}},
                       {"name": "lone", "count": 1, "weight": 1, "addresses": ["198.51.100.9"]}],
        "requests": {
            "upload": {"path": "/upload?n=${n}", "csrf": True, "multipart": [
                {"name": "prompt", "value": "picture ${n}"},
                {"name": "image", "generate": "2KiB", "filename": "a.png", "type": "image/png"}]},
            "note": {"path": "/note", "method": "PUT", "body": {"id": "${random:uuid}", "n": ["${random:1-9}"]}}},
        "phases": [{"rate": {"burst": 16}, "mix": {"upload": 1, "note": 1}}]}
    assert load.scenario(scenario, connections=1) == 0, load.out
    uploads, notes = origin.seen("/upload"), origin.seen("/note")
    assert [r.query for r in uploads] == [f"n={n}" for n in range(1, 17, 2)]
    for request in uploads:
        cookies = dict(pair.split("=") for pair in request.get("Cookie").split("; "))
        assert cookies["csrf_token"] == request.get("X-CSRF-Token") and len(cookies["csrf_token"]) == 32
        assert request.get("Origin") == "http://www.example.test"
        boundary = request.get("Content-Type").split("boundary=")[1].encode()
        parts = request.body.split(b"--" + boundary)
        assert parts[1].endswith(b"\r\n\r\npicture " + request.query[2:].encode() + b"\r\n")
        assert b'filename="a.png"' in parts[2] and len(parts[2].split(b"\r\n\r\n", 1)[1]) == 2048 + 2
        assert parts[3] == b"--\r\n"
    assert len({json.loads(r.body)["id"] for r in notes}) == 8
    assert all(1 <= int(json.loads(r.body)["n"][0]) <= 9 for r in notes)
    ips = [r.get("CF-Connecting-IP") for r in origin.seen()]
    assert {ip: ips.count(ip) for ip in ips} == {"203.0.113.1": 6, "203.0.113.2": 6, "198.51.100.9": 4}
    first = [r.body for r in origin.seen()]
    origin.requests.clear()
    assert load.scenario(scenario, connections=1) == 0
    assert [r.body for r in origin.seen()] == first  # the seed is the same


def test_shapes(load):
    phases = [{"name": "ramp", "duration": "1s", "rate": {"from": "0/s", "to": "80/s"}, "expect": ["requests == 40"]},
              {"name": "steps", "duration": "600ms", "rate": {"steps": ["20/s", "0/s", "50/s"]}, "expect": ["requests == 14"]},
              {"name": "bursts", "duration": "600ms", "rate": {"burst": 7, "every": "200ms"}, "expect": ["requests == 21"]},
              {"name": "poisson", "duration": "1s", "rate": {"poisson": "60/s"}, "expect": ["requests in 30..90"]}]
    assert load.scenario({"requests": {"r": {"path": "/"}}, "phases": phases, "expect": ["only 200"]}) == 0, load.out


# ---- the team's own file

def test_the_teams_configuration_runs_as_it_is(load):
    cases = [{"name": "Normal_Load", "requestsPerSecond": 20, "duration": 1, "expectedRateLimited": 0},
             {"name": "Burst_Load", "requestsPerSecond": 40, "duration": 1, "expectedRateLimited": 70}]
    config = {"rateLimitTests": {"generate": {
        "endpoint": GENERATE, "method": "POST", "limit": 15, "window": "1m", "requiresCsrf": True,
        "contentType": "application/json", "body": {"text": "x"}, "testScenarios": cases}},
        "performanceThresholds": {"max95thPercentile": 5000, "maxErrorRate": 0.05}}
    path = load.write("load-test-config.json", config)
    target = ["--target", f"http://{load.gateway.address}"]
    assert load(path, *target, strict=True) == 0, load.out
    assert 'can never fail: [generate/Normal_Load] "ratio 429 >= 0%"' in load.out
    assert 'imply 5 of 20 refused (25.0%): "429 == 5"' in load.out
    assert load.outcomes()["429 == 25"] == "held"
    cases[0]["requestsPerSecond"] = cases[1]["requestsPerSecond"] = 12  # nothing is refused any more
    load.gateway.advance(60000)
    assert load(load.write("load-test-config.json", config), *target, only="generate/Burst_Load") == 99
    assert len(load.report["phases"]) == 1


# ---- reports

class Page(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.open, self.tags = [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "line", "polyline", "rect", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        if self.open and self.open[-1] == tag:
            self.open.pop()


def test_reports(load):
    files = {kind: load.path(kind) for kind in ("junit", "markdown", "html")}
    scenario = {"name": "a <b> & \"c\"", "identities": {"count": 3}, "requests": {"g": {"path": GENERATE, "method": "POST"}, "l": {"path": "/logo.svg"}},
                "phases": [{"name": "one", "duration": "1s", "rate": "60/s", "expect": ["429 == 1"]}], "expect": ["p99 < 5s"]}
    assert load.scenario(scenario, **files) == 99
    suite = xml.parse(files["junit"]).getroot()[0]
    assert (suite.get("name"), suite.get("tests"), suite.get("failures")) == (scenario["name"], "3", "1")
    assert [case.get("name") for case in suite if case.find("failure") is not None] == ["429 == 1"]
    markdown = (load.folder / "markdown").read_text()
    assert "| ❌ | one | 429 == 1 | 0 of 60 |" in markdown
    html = (load.folder / "html").read_text()
    page = Page(html)
    assert not page.open and len(html) < 500_000
    assert "http://" not in html.replace(load.report["environment"]["command"], "").replace(load.gateway.address, "")
    assert not [tag for tag, attributes in page.tags if tag in ("script", "link", "img") or "src" in attributes]
    assert [tag for tag, _ in page.tags].count("svg") >= 4
    assert "a &lt;b&gt; &amp; &quot;c&quot;" in html and "prefers-color-scheme:dark" in html and "width=device-width" in html
    assert load.report["totals"]["response_us"]["count"] == sum(n for _, n in load.report["totals"]["response_us"]["buckets"]) == 60
    assert load.report["environment"]["command"].startswith("nearedge load ")


def test_secrets_stay_out_of_reports(load):
    assert load("--url", load.url(), "-H", "Authorization: Bearer hunter2", "-H", "Cookie: a=hunter2", burst=1, html=load.path("html")) == 0
    assert load.gateway and "hunter2" not in (load.folder / "html").read_text() + json.dumps(load.report)


def test_compare(load, origin):
    old = load.path("old.json")
    assert load("--url", load.url(), rate="50/s", duration="1s") == 0
    os.rename(load.path("report.json"), old)
    assert load("--url", load.url(), rate="50/s", duration="1s", compare=old) == 0
    assert "failed       noise" in load.out and "rank-sum test" in load.out

    def slow(_request, _connection):
        time.sleep(0.1)
        return Reply("late", status=503)

    origin.on("/", slow)
    assert load("--url", load.url(), rate="50/s", duration="1s", compare=old) == 0
    for line in ("p50          worse", "p99          worse", "failed       worse"):
        assert line in load.out, load.out
    assert load("--url", load.url(), burst=1, compare=load.write("no.json", "{}")) == 1


# ---- safety and mistakes

def test_hosts_outside_loopback_are_refused(tmp_path):
    load = Load(tmp_path)
    for url in ("http://example.com/", "http://192.0.2.1/", "https://192.0.2.1/", "http://127.0.0.1.example.com/"):
        assert load("--url", url, burst=1) == 3
        assert "is not loopback" in load.err
        assert load("--url", url, burst=1, allow_host="other.example.test") == 3
    assert load("--url", "http://load.invalid/", burst=1, allow_host=["other.example.test", "load.invalid"]) == 1, "allowed, not there"


@pytest.mark.parametrize("arguments,says", [
    ([], "name a scenario file or --url"), (["--url", "http://127.0.0.1/"], "--rate and --duration"),
    (["--url", "http://127.0.0.1/", "--burst", "0"], "no number from 1"), (["--rat", "5/s", "--urk", "x"], 'did you mean "--url"'),
    (["a.json", "--url", "http://127.0.0.1/"], "name a scenario"), (["a.json", "--rate", "5/s"], "goes with --url"),
    (["a.json", "b.json"], "too many operands")])
def test_usage(tmp_path, arguments, says):
    load = Load(tmp_path)
    assert load(*arguments) == 2
    assert says in load.err


def test_every_mistake_with_its_place(tmp_path):
    load = Load(tmp_path)
    path = load.write("bad.json", '{\n  "target": "http://127.0.0.1:1",\n  "requests": {"a": {"pth": "/"}},\n'
                                  '  "phases": [{"rate": "5/s", "duration": "1s", "expect": ["429 <> 5"]}]\n}\n')
    assert load(path) == 3
    assert f'{path}:3:22: error: unknown key "pth"; did you mean "path"?' in load.err
    assert f'{path}:3:21: error: "path" is missing' in load.err
    assert f"{path}:4:65: error: " in load.err
    assert load("/no/such/file.json") == 3 and "no such file" in load.err.lower()
    assert load("--url", "http://127.0.0.1:1/", burst=1) == 1 and "refused" in load.err


def test_a_phase_waits_for_its_calls_behind_slow_ones_of_the_last(tmp_path):
    """The call of phase one is still unanswered at its end: that answer is not the one phase two waits for."""
    seen = []

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            time.sleep(0.3)
            seen.append(self.path)
            self.do_GET()

        def do_GET(self):
            if self.command == "GET":
                seen.append(self.path)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"127.0.0.1:{server.server_port}"
        load = Load(tmp_path)
        assert load(load.write("scenario.json", {
            "target": f"http://{address}", "admin": address,
            "requests": {"one": {"path": "/one"}, "two": {"path": "/two"}},
            "phases": [{"name": "first", "rate": {"burst": 1}, "duration": "100ms", "mix": "one",
                        "actions": [{"call": "POST /during", "at": "10ms"}]},
                       {"name": "second", "rate": {"burst": 1}, "mix": "two", "actions": [{"call": "POST /before"}]}]})) == 0, load.out
        server.shutdown()
    assert seen[:4] == ["/one", "/during", "/before", "/two"]


def test_interrupt_ends_with_the_report_so_far(load):
    files = {kind: f"report.{kind}" for kind in ("html", "junit", "markdown")}
    process = load.start("--url", load.url(), rate="50/s", duration="60s", expect="200 == 3000", **files)
    load.gateway.logged(20)
    process.send_signal(signal.SIGINT)
    assert load.end(process) == 130 and load.out.endswith("interrupted\n"), load.out
    assert load.report["verdict"] == "interrupted" and 20 <= load.report["totals"]["answers"] < 3000
    suite = xml.parse(load.path("report.junit")).getroot()[0]
    assert suite.get("errors") == "1", "a run that was cut short is not green"
    for kind in ("html", "markdown"):
        assert "interrupted" in (load.folder / files[kind]).read_text()


def test_a_generator_that_was_held_up_is_inconclusive(load):
    """Stopped for a while in the middle: what it then sends late says nothing about the target."""
    process = load.start("--url", load.url(), rate="200/s", duration="1s", expect="only 200")
    load.gateway.logged(20)
    process.send_signal(signal.SIGSTOP)
    time.sleep(0.4)
    process.send_signal(signal.SIGCONT)
    assert load.end(process) == 6, load.out
    assert "inconclusive: the generator took up" in load.out and "ok      only 200" in load.out
    late = int(re.search(r"^generator +([0-9]+) late, 0 dropped", load.out, re.M).group(1))
    assert late == load.report["generator"]["late"] >= 30


def test_what_nobody_could_send_is_dropped_and_said(load):
    """More requests at one instant than the line of those that wait for a connection holds (262,144)."""
    process = load.start("--url", load.url(), burst=300000, connections=1)
    load.gateway.logged(1500)  # 256 are taken up for each answer that is read: by then all were
    process.send_signal(signal.SIGINT)
    assert load.end(process) == 130
    dropped = load.report["generator"]["dropped"]
    assert dropped >= 30000 and f"{dropped} dropped" in load.out


def test_a_target_that_goes_away(load):
    """Refused connections are answers too: the run goes on and says so."""
    process = load.start("--url", load.url(), rate="100/s", duration="1500ms", expect="errors >= 1")
    load.gateway.logged(10)
    load.gateway.kill()
    assert load.end(process) in (0, 6), load.out  # 6: the machine was busy, which is not what is asked here
    assert load.outcomes() == {"errors >= 1": "held"}
    assert "no connection" in load.out


def test_help_and_convert(load):
    done = subprocess.run([BINARY, "help", "load"], capture_output=True, text=True, check=True)
    assert "--allow-host" in done.stdout and "exit codes" in done.stdout
    options = ["--url", "http://127.0.0.1:1/p?q=1", "--rate", "5/s..50/s", "--duration", "3s", "--identities", "4", "--edges", "FRA,AMS"]
    done = subprocess.run([BINARY, "load", *options, "--convert"], capture_output=True, text=True, check=True)
    scenario = json.loads(done.stdout)
    assert scenario["phases"][0]["rate"] == {"from": "5/s", "to": "50/s"}
    assert scenario["identities"] == {"count": 4, "edges": ["FRA", "AMS"]}
    assert load(load.write("converted.json", scenario), dry_run=True) == 0
    wait_until(lambda: "83 requests" in load.out, "the plan", 1)

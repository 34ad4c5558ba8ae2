# SPDX-License-Identifier: Apache-2.0
"""Faults on demand: from the configuration and through the admin API; caches, retries and health react as in life."""
import json
import os
import subprocess
import time

import pytest
from edge import Origin, Reply, wait_until
from edge.gateway import BINARY

STALE = Reply("fresh", cache_control="max-age=60, stale-if-error=3600")


def fault(name="f", **members):
    return {"faults": [{"name": name, **members}]}


def put(gateway, name="f", **members):
    response = gateway.api(f"/api/faults/{name}", "PUT", {"name": name, **members})
    assert response.status == 200, response
    return json.loads(response.body)["faults"]


@pytest.mark.parametrize("status", [520, 521, 522, 523, 524, 525, 526, 530])
def test_failures_of_the_origin(start, origin, status):
    gateway = start(origin, fault(status=status))
    response = gateway.fetch("/")
    assert response.status == status
    assert response.get("cf-error-type") in (str(status), "1016")
    assert origin.count() == 0


@pytest.mark.parametrize("status", [404, 500, 503])
def test_answers_of_the_origin(start, origin, status):
    gateway = start(origin, fault(status=status))
    response = gateway.fetch("/", "POST", body=b"x" * 100_000)
    assert (response.status, response.body) == (status, b"injected fault\n")
    assert gateway.fetch("/", "HEAD").status == status
    assert origin.count() == 0


def test_abort_is_a_reset_connection(start, origin):
    assert start(origin, fault(abort=True)).fetch("/").status == 520


def test_body_is_cut_behind_so_many_bytes(start, origin):
    origin.default = Reply(b"x" * 1000)
    gateway = start(origin, fault(truncate_bytes=100))
    for path in ("/", "/a.css"):
        with gateway.client() as client:
            client.request("GET", path)
            assert client.read_head().get("Content-Length") == "1000"
            assert client.read_to_end() == b"x" * 100
    origin.default = Reply(b"x" * 100)
    assert gateway.fetch("/short").body == b"x" * 100


def test_delay_is_real_time_and_ends_in_524(start, origin):
    gateway = start(origin, {"origin": {"read_timeout_ms": 300}, "faults": [
        {"name": "slow", "delay_ms": 150, "expression": 'http.request.uri.path eq "/slow"'},
        {"name": "never", "delay_ms": 100_000, "expression": 'http.request.uri.path eq "/never"'}]})
    begin = time.monotonic()
    assert gateway.fetch("/slow").status == 200
    assert time.monotonic() - begin >= 0.15
    assert gateway.fetch("/never").status == 524
    assert time.monotonic() - begin < 5


def test_expression_and_zone_choose(start, origin):
    gateway = start(origin, fault(status=503, expression='http.request.uri.path eq "/bad"'))
    assert gateway.fetch("/bad").status == 503
    assert gateway.fetch("/good").status == 200


def test_first_n_requests(start, origin):
    gateway = start(origin, fault(status=503, first=2))
    assert [gateway.fetch("/").status for _ in range(4)] == [503, 503, 200, 200]


def test_ratio_is_the_same_in_every_run(start, origin):
    gateways = [start(origin, fault(status=503, ratio=0.3), faults_seed=seed) for seed in (7, 7, 8)]
    runs = [[gateway.fetch("/").status for _ in range(100)] for gateway in gateways]
    assert runs[0] == runs[1] != runs[2]
    assert 10 < runs[0].count(503) < 60


def test_stale_is_served_instead(start, origin):
    origin.on("/a.css", STALE)
    gateway = start(origin)
    assert gateway.fetch("/a.css").cache == "MISS"
    gateway.advance(61_000)
    put(gateway, status=522)
    response = gateway.fetch("/a.css")
    assert (response.status, response.cache) == (200, "STALE")
    assert gateway.fetch("/b.css").status == 522
    assert gateway.api("/api/faults/f", "DELETE").status == 200
    assert gateway.fetch("/a.css").cache in ("EXPIRED", "REVALIDATED")


def test_fault_at_the_edge_comes_before_the_cache(start, origin):
    origin.on("/a.css", STALE)
    gateway = start(origin)
    assert gateway.fetch("/a.css").cache == "MISS"
    put(gateway, status=403, where="edge")
    assert gateway.fetch("/a.css").status == 403
    put(gateway, status=522, where="edge")
    assert gateway.fetch("/a.css").get("cf-error-type") == "522"
    put(gateway, abort=True, where="edge")
    with gateway.client() as client:
        assert client.request("GET", "/a.css").read_to_end() == b""
    put(gateway, delay_ms=100, where="edge")
    begin = time.monotonic()
    assert gateway.fetch("/a.css").cache == "HIT"
    assert time.monotonic() - begin >= 0.1


def test_client_that_leaves_a_delayed_request(start, origin):
    gateway = start(origin, {"faults": [{"name": "edge", "delay_ms": 60_000, "where": "edge", "expression": 'http.request.uri.path eq "/edge"'},
                                        {"name": "origin", "delay_ms": 60_000, "expression": 'http.request.uri.path eq "/origin"'}]})
    for path in ("/edge", "/origin"):
        with gateway.client() as client:
            client.request("GET", path)
            wait_until(lambda: gateway.metric("nearedge_faults_injected_total", fault=path[1:]) == 1, "the fault to be met")
    assert gateway.fetch("/").status == 200


def test_fault_of_one_server_is_noticed_by_the_balancer(start):
    servers = [Origin(), Origin()]
    try:
        gateway = start("", {"origin": {"url": None, "servers": [s.url for s in servers]}})
        put(gateway, status=522, server=1)
        assert {gateway.fetch("/").status for _ in range(4)} == {200}
        upstream = gateway.api_json("/api/upstreams")["upstreams"][0]
        assert [s["state"] for s in upstream["servers"]] == ["up", "ejected"]
        assert upstream["retries"] == 1 and servers[1].count() == 0
    finally:
        for server in servers:
            server.stop()


# ---- the API

def test_api_shows_sets_and_takes_away(start, origin):
    gateway = start(origin, fault("file", status=500, first=1))
    assert gateway.fetch("/").status == 500
    shown = gateway.api_json("/api/faults")["faults"]
    assert shown == [{"name": "file", "zone": "example.test", "where": "origin", "status": 500, "first": 1,
                      "source": "configuration", "seen": 1, "injected": 1}]
    assert [f["name"] for f in put(gateway, "api", delay_ms=1, ratio=0.25)] == ["file", "api"]
    assert gateway.api_json("/api/faults")["faults"][0]["injected"] == 1, "what stays keeps its counters"
    assert gateway.api_json("/api/faults")["faults"][1]["ratio"] == 0.25
    response = gateway.api("/api/faults", "PUT", {"faults": [{"name": "x", "abort": True, "zone": "example.test"}]})
    assert [f["name"] for f in json.loads(response.body)["faults"]] == ["x"]
    assert gateway.api("/api/faults/y", "DELETE").status == 404
    assert gateway.api_json("/api/faults", "DELETE") == {"faults": []}
    assert gateway.fetch("/").status == 200
    gateway.hang_up()
    wait_until(lambda: "configuration reloaded" in gateway.log(), "the reload")
    assert [f["name"] for f in gateway.api_json("/api/faults")["faults"]] == ["file"]
    assert gateway.log().count("reload replaces the faults changed through the API") == 1
    gateway.hang_up()  # nothing changed since
    wait_until(lambda: gateway.log().count("configuration reloaded") == 2, "the second reload")
    assert gateway.log().count("reload replaces the faults changed through the API") == 1


@pytest.mark.parametrize("body, text", [
    ({"name": "f"}, "does nothing"),
    ({"name": "f", "status": 500, "abort": True}, "exclude each other"),
    ({"name": "f", "stauts": 500}, 'did you mean \\"status\\"'),
    ({"name": "f", "status": 500, "expression": "http.host eq"}, "1:"),
    ({"name": "f", "status": 500, "ratio": 1.5}, "a number from 0 to 1"),
    ({"name": "f", "status": 500, "ratio": 0.5, "first": 3}, "exclude each other"),
    ({"name": "f", "status": 500, "zone": "other.test"}, "no zone"),
    ({"name": "g", "status": 500}, "the one in the path"),
    ({"name": "f/..", "status": 500}, "is no name"),
    ({"name": "f", "truncate_bytes": 0, "where": "edge"}, "not of the edge"),
    ({"name": "f", "where": "counters"}, "does nothing"),
    ({"name": "f", "where": "counters", "delay_ms": 5}, "and nothing else"),
    ({"name": "f", "where": "counters", "abort": True, "expression": "ssl"}, "and nothing else"),
    ({"name": "f", "where": "counters", "abort": True, "ratio": 0.5}, "and nothing else"),
    ({"name": "f", "where": "counters", "abort": True, "zone": "example.test"}, "and nothing else"),
    ({"name": "f", "where": "counters", "abort": True}, "there is no backend to take away"),
])
def test_api_says_what_is_wrong(gateway, body, text):
    response = gateway.api("/api/faults/f", "PUT", body)
    assert response.status == 400 and text in response.body.decode(), response
    assert gateway.api_json("/api/faults") == {"faults": []}


def test_api_takes_no_more_than_32_and_expands_nothing(gateway):
    many = [{"name": f"f{i}", "delay_ms": 1} for i in range(33)]
    assert gateway.api("/api/faults", "PUT", {"faults": many}).status == 400
    assert gateway.api("/api/faults", "PUT", {"faults": many[:32]}).status == 200
    assert gateway.api("/api/faults/f32", "PUT", many[32]).status == 400
    assert gateway.api("/api/faults/f0", "PUT", many[0]).status == 200
    shown = put(gateway, "f0", delay_ms=1, expression='http.host eq "${HOME}"')
    assert shown[0]["expression"] == 'http.host eq "${HOME}"'


def test_writes_need_the_token(start, origin):
    gateway = start(origin, admin={"token": "${TOKEN:-secret}"})
    for method, path in (("GET", "/api/faults"), ("PUT", "/api/faults/f"), ("DELETE", "/api/faults"), ("GET", "/api/upstreams")):
        assert gateway.api(path, method, {"name": "f"} if method == "PUT" else None).status in (401, 403), path


# ---- drills

def drill(gateway, name, *arguments):
    result = subprocess.run([BINARY, "drill", name, "--admin", gateway.admin, "--url", f"http://{gateway.address}/", "--host",
                             "www.example.test", "--duration", "500ms", "--rate", "50/s", "--json", *arguments],
                            capture_output=True, text=True, timeout=60, check=False)
    return result, json.loads(result.stdout) if result.stdout else None


def test_drill_times_detection_and_recovery(start, origin):
    gateway = start(origin, clock="system")
    result, said = drill(gateway, "origin-522")
    assert result.returncode == 0, result.stderr
    assert said["recovered"] and said["before"]["failed"] == 0
    assert said["fault"]["failed"] == said["statuses"]["522"] > 10
    assert said["injected"] >= said["fault"]["failed"]
    assert 0 <= said["first_failed_ms"] < 2000 and said["recovered_ms"] < 5000
    assert gateway.api_json("/api/faults") == {"faults": []}


def test_drill_sees_servers_leave_and_visitors_untouched(start):
    servers = [Origin(), Origin()]
    try:
        gateway = start("", {"origin": {"url": None, "servers": [s.url for s in servers], "fail_timeout_ms": 300}}, clock="system")
        result, said = drill(gateway, "origin-reset", "--server", "0")
        assert result.returncode == 0, result.stderr
        assert said["fault"]["failed"] == 0 and said["first_failed_ms"] is None
        assert said["first_ejected_ms"] is not None and said["injected"] > 0
    finally:
        for server in servers:
            server.stop()


LIMITED = {"limiters": [{"name": "few", "limit": 1000, "window_ms": 600_000, "store": "durable_object", "key": "${ip}"}],
           "routes": [{"path": "/", "limiter": "few"}]}


def test_drill_takes_redis_away(start, origin, redis):
    gateway = start(origin, clock="system", limiters=LIMITED, limiter={"backend": redis.url, "on_backend_failure": "deny"})
    wait_until(lambda: gateway.metric("nearedge_backend_up") == 1, "the backend to be up")
    result, said = drill(gateway, "redis-away")
    assert result.returncode == 0, result.stderr
    assert said["recovered"] and said["injected"] > 10 and said["before"]["failed"] == said["after"]["failed"] == 0
    assert said["fault"]["failed"] == said["statuses"]["503"] > 10 and said["first_failed_ms"] < 2000
    assert "counter backend is down reason=\"a fault has taken it away\"" in gateway.log()
    wait_until(lambda: gateway.log().count("counter backend is up") >= 1, "the backend to be back")


def test_counters_that_a_fault_took_away_come_back_as_they_were(start, origin, redis):
    """Redis knows nothing of what the process counted alone; /readyz and metrics say what is the matter."""
    limits = {"limiters": [dict(LIMITED["limiters"][0], limit=2, window_ms=60_000)], "routes": LIMITED["routes"]}
    gateway = start(origin, limiters=limits, limiter={"backend": redis.url, "on_backend_failure": "memory"})
    wait_until(lambda: gateway.metric("nearedge_backend_up") == 1, "the backend to be up")
    assert gateway.fetch("/").status == 200  # one of two, in Redis
    put(gateway, where="counters", abort=True)
    assert gateway.metric("nearedge_backend_up") == 0
    backend = gateway.api_json("/readyz")["backend"]
    assert (backend["state"], backend["error"]) == ("down", "a fault has taken it away")
    assert [gateway.fetch("/").status for _ in range(3)] == [200, 200, 429]  # two of two, here
    assert gateway.metric("nearedge_faults_injected_total") == 3
    gateway.api("/api/faults/f", "DELETE")
    assert gateway.metric("nearedge_backend_up") == 1
    assert [gateway.fetch("/").status for _ in range(2)] == [200, 429]
    put(gateway, where="counters", abort=True)
    gateway.hang_up()  # the files know no such fault
    wait_until(lambda: gateway.metric("nearedge_backend_up") == 1, "the end of the fault")


def test_a_file_takes_no_counters_away(start, origin):
    gateway = start.prepare(origin, {"faults": [{"name": "f", "where": "counters", "abort": True}]})
    gateway.write_config(gateway.config)
    ran = subprocess.run([BINARY, "check", "-c", gateway.path("nearedge.json")], capture_output=True, text=True, check=False)
    assert ran.returncode == 3 and "the counters are no zone's" in ran.stderr


def test_drill_that_does_not_recover_ends_with_4(start, origin):
    """The origin's own outage begins while the drill's is on."""
    gateway = start(origin, clock="system")
    armed = []

    def handler(*_):
        armed.extend(f["name"] for f in gateway.api_json("/api/faults")["faults"])
        return Reply("no", status=500 if armed else 200)

    origin.on("/", handler)
    result, said = drill(gateway, "origin-503", "--server", "0", "--recover-within", "500ms", "--expression", 'http.host eq "x"')
    assert result.returncode == 4 and not said["recovered"], result.stdout
    assert gateway.api_json("/api/faults") == {"faults": []}


def test_drill_refuses_what_cannot_be(start, origin):
    gateway = start(origin)
    origin.down()
    result, _ = drill(gateway, "origin-500")
    assert result.returncode == 1 and "before there is any fault" in result.stderr
    result, _ = drill(gateway, "origin-501")
    assert result.returncode == 2 and 'did you mean "origin-50' in result.stderr
    result = subprocess.run([os.path.abspath(BINARY), "drill", "origin-500", "--url", "http://www.example.com/"], capture_output=True,
                            text=True, timeout=20, check=False)
    assert result.returncode == 2 and "on this machine" in result.stderr

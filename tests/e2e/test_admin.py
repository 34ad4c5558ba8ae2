# SPDX-License-Identifier: Apache-2.0
"""The admin listener: health, metrics, clock, the app's rate-limit shapes, and who may ask."""
import contextlib
import json
import os
import socket
import stat

import pytest
from edge import Reply, Truncated, fetch, wait_until

LIMITERS = {"limiters": [{"name": "aiGenerate", "limit": 2, "window_ms": 60000, "store": "durable_object", "key": "${ip}:${user}"},
                         {"name": "api", "limit": 30, "window_ms": 60000, "store": "memory", "key": "${ip}:${user}"}],
            "routes": [{"methods": ["POST"], "path": "/generate", "limiter": "aiGenerate"}, {"path": "/api/*", "limiter": "api"}]}
METRICS = ["nearedge_requests_total", "nearedge_request_duration_seconds_count", "nearedge_request_duration_seconds_bucket",
           "nearedge_cache_requests_total", "nearedge_cache_bytes", "nearedge_cache_objects", "nearedge_origin_requests_total",
           "nearedge_origin_request_duration_seconds_count", "nearedge_limiter_decisions_total", "nearedge_backend_up",
           "nearedge_rule_matches_total", "nearedge_connections", "nearedge_config_last_reload_successful", "nearedge_build_info",
           "process_cpu_seconds_total", "process_resident_memory_bytes", "process_start_time_seconds", "process_open_fds"]


def test_health(gateway):
    assert gateway.api("/livez").status == 200
    assert gateway.readyz().status == 200


def test_unknown_paths_and_methods(gateway):
    assert gateway.api("/nothing").status == 404
    wrong = gateway.api("/livez", "DELETE")
    assert wrong.status == 405
    assert "GET" in wrong.get("Allow")


def test_metrics_have_their_names_and_count(start, origin):
    rules = [{"action": "set_cache_settings", "expression": "true", "action_parameters": {"cache": True}}]
    gateway = start(origin, limiters=LIMITERS, rules=rules)
    for path in ("/a.css", "/a.css", "/page"):
        gateway.fetch(path)
    for _ in range(3):
        gateway.fetch("/generate", "POST", body=b"x")
    present = {name for name, _ in gateway.metrics()}
    assert not [name for name in METRICS if name not in present]
    assert gateway.metric("nearedge_requests_total", zone="example.test", edge="FRA") == 6
    assert gateway.metric("nearedge_requests_total", method="POST", code="429") == 1
    assert gateway.metric("nearedge_requests_total", method="GET", code="200") == 3
    assert gateway.metric("nearedge_cache_requests_total", status="HIT") + \
        gateway.metric("nearedge_cache_requests_total", status="hit") == 1
    assert gateway.metric("nearedge_origin_requests_total") == 4
    assert gateway.metric("nearedge_cache_objects") == 2
    decisions = {dict(labels)["decision"]: value for (name, labels), value in gateway.metrics().items()
                 if name == "nearedge_limiter_decisions_total" and ("limiter", "aiGenerate") in labels and value}
    assert sorted(decisions.values()) == [1, 2]


def test_metrics_are_prometheus_text(gateway):
    response = gateway.api("/metrics")
    assert response.get("Content-Type").startswith("text/plain")
    text = response.body.decode()
    assert "# HELP nearedge_requests_total " in text and "# TYPE nearedge_requests_total counter" in text


def test_label_sets_are_bounded(gateway):
    for number in range(50):
        gateway.fetch(f"/path-{number}", headers={"X-Anything": str(number)}, method=("GET", "POST")[number % 2])
    gateway.fetch("/", "BREW")
    text = gateway.api("/metrics").body
    assert b"path-" not in text and b"127.0.0.1" not in text and b"BREW" not in text


def test_virtual_clock(gateway):
    before = gateway.api_json("/api/clock")
    assert before["mode"] == "virtual"
    assert gateway.api_json("/api/clock") == before
    after = gateway.api_json("/api/clock/advance", "POST", {"ms": 1234})
    assert after == {"mode": "virtual", "now_ms": before["now_ms"] + 1234}
    for bad in ({}, {"ms": -1}, {"ms": "1"}, {"ms": 1.5}, [], b"{", b""):
        assert gateway.api("/api/clock/advance", "POST", bad).status == 400
    assert gateway.api_json("/api/clock") == after


def test_system_clock_cannot_be_advanced(start, origin):
    gateway = start(origin, clock="system")
    assert gateway.api_json("/api/clock")["mode"] == "system"
    assert gateway.api("/api/clock/advance", "POST", {"ms": 1}).status == 409


def test_rate_limit_state_has_the_apps_shape(start, origin):
    gateway = start(origin, limiters=LIMITERS)
    now = gateway.now_ms()
    for _ in range(3):
        gateway.fetch("/generate", "POST", body=b"x")
    answer = gateway.api_json("/api/admin/rate-limits/state?name=aiGenerate")
    assert answer == {"success": True, "data": {"state": {"aiGenerate": {"maxRequests": 2, "windowMs": 60000, "entries": [
        {"key": "127.0.0.1:anonymous", "count": 2, "resetAt": now + 60000}]}}}}
    everything = gateway.api_json("/api/admin/rate-limits/state")["data"]["state"]
    assert everything["aiGenerate"]["entries"]
    unknown = gateway.api_json("/api/admin/rate-limits/state?name=nobody")["data"]["state"]
    assert unknown == {"nobody": {"maxRequests": 0, "windowMs": 0, "entries": []}}


@pytest.mark.parametrize("name", ["aiGenerate", "api"])
def test_rate_limit_reset(start, origin, name):
    limiters = {"limiters": [dict(limiter, limit=2) for limiter in LIMITERS["limiters"]], "routes": LIMITERS["routes"]}
    gateway = start(origin, limiters=limiters)
    path = {"aiGenerate": "/generate", "api": "/api/x"}[name]
    with gateway.client() as client:  # one connection: one isolate

        def status():
            return client.request("POST", path, body=b"x").read().status

        assert [status() for _ in range(3)] == [200, 200, 429]
        reset = gateway.api_json("/api/admin/rate-limits/reset", "POST", {"name": name, "key": "127.0.0.1:anonymous"})
        assert reset == {"success": True, "data": {"ok": True}}
        assert [status() for _ in range(3)] == [200, 200, 429]


def test_rate_limit_reset_refuses_nonsense(start, origin):
    gateway = start(origin, limiters=LIMITERS)
    for body, message in ((b"{", "Invalid JSON"), (b"{}", "name and key are required"),
                          (b'{"name":"aiGenerate"}', "name and key are required"), (b'{"name":" ","key":"x"}', "name and key are required")):
        response = gateway.api("/api/admin/rate-limits/reset", "POST", body)
        answer = json.loads(response.body)
        assert response.status == 400
        assert (answer["success"], answer["error"]["type"], answer["error"]["message"]) == (False, "validation_error", message)
    assert gateway.api("/api/admin/rate-limits/reset").status == 405


def test_cache_stats_and_objects(gateway, origin):
    origin.default = Reply("x" * 1000, cache_control="max-age=600")
    for path in ("/a/1.css", "/a/2.css", "/b/1.css"):
        gateway.fetch(path)
    stats = gateway.api_json("/api/cache/stats")
    assert "3" in json.dumps(stats)
    assert b"/b/1.css" in gateway.api("/api/cache/objects?prefix=").body


def test_token_is_asked_for(start, origin):
    gateway = start(origin, admin={"address": "127.0.0.1:0", "token": "${TEST_TOKEN}"}, env={"TEST_TOKEN": "s3cret"})
    assert gateway.api("/livez").status == 200
    assert gateway.api("/readyz").status == 200
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "Bearer s3cre"}, {"Authorization": "Bearer s3cret2"},
                    {"Authorization": "Basic s3cret"}, {"Authorization": "s3cret"}, {"Authorization": "Bearer "}):
        for path in ("/metrics", "/api/clock", "/api/admin/rate-limits/state"):
            assert gateway.api(path, headers=headers).status in (400, 401, 403), (headers, path)
    assert gateway.api("/api/clock", headers={"Authorization": "Bearer s3cret"}).status == 200
    assert gateway.api("/api/clock", headers={"authorization": "bearer s3cret"}).status == 200
    assert "s3cret" not in gateway.log() + gateway.access_text()


def test_token_is_mandatory_off_loopback(start, origin):
    gateway = start.prepare(origin, admin={"address": "0.0.0.0:0"})
    gateway.expected_exit = {3}
    with pytest.raises(AssertionError):
        gateway.start()
    assert "token" in gateway.log()


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "www.example.test", "localhost.evil.example:80"])
def test_foreign_host_is_refused(gateway, host):
    """DNS rebinding: a page of another site must not reach the admin through its own name."""
    for path in ("/api/clock", "/metrics", "/"):
        assert gateway.api(path, host=host).status in (400, 403, 421)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
def test_own_host_is_taken(gateway, host):
    port = gateway.admin.rsplit(":", 1)[1]
    assert gateway.api("/api/clock", host=host).status == 200
    assert gateway.api("/api/clock", host=f"{host}:{port}").status == 200


def test_requests_of_web_pages_are_refused(gateway):
    for page in ("https://evil.example", "null", f"http://{gateway.admin}.evil.example"):
        response = gateway.api("/api/clock", headers={"Origin": page})
        assert response.status == 403
        assert "Access-Control-Allow-Origin" not in response
    now = gateway.now_ms()
    assert gateway.api("/api/clock/advance", "POST", {"ms": 5}, headers={"Origin": "https://evil.example"}).status == 403
    assert gateway.now_ms() == now


def test_admin_is_not_on_the_visitor_listener(gateway, origin):
    for path in ("/livez", "/metrics", "/api/clock"):
        assert gateway.fetch(path).body == b"hello from the origin\n"
    assert origin.count() == 3


def test_unix_socket(start, origin, tmp_path):
    path = str(tmp_path / "admin.sock")
    gateway = start(origin, admin={"address": f"unix:{path}"})
    assert stat.S_ISSOCK(os.stat(path).st_mode)
    assert not os.stat(path).st_mode & 0o022  # to connect is to write: the owner only
    assert fetch(path, "/livez", host="localhost").status == 200
    gateway.stop()
    assert not os.path.exists(path)


def test_admin_serves_while_traffic_is_heavy(gateway, origin):
    origin.default = Reply("x", cache_control="max-age=600")
    clients = [gateway.client() for _ in range(50)]
    for client in clients:
        client.send("GET /a.css HTTP/1.1\r\nHost: www.example.test\r\n\r\n" * 50)
    assert gateway.api("/livez").status == 200
    for client in clients:
        client.close()


@pytest.mark.parametrize("count, words", [((1 << 18) - 2, "At most 100 tags"), ((1 << 18) - 1, "invalid JSON")])
def test_a_body_has_a_number_of_values(gateway, count, words):
    """With the object and the list; as bytes it is far below the ceiling, but each becomes eighty in memory."""
    body = b'{"tags":[' + b",".join([b"0"] * count) + b"]}"
    answer = gateway.api("/client/v4/zones/0123456789abcdef0123456789abcdef/purge_cache", "POST", body)
    assert answer.status == 400 and words in answer.body.decode(), answer


def test_ceiling_of_admin_connections(start, origin):
    """Who comes too late is refused at once and the log says why; visitors notice nothing; a free place is used."""
    gateway = start(origin, limits={"admin_connections": 3})
    crowd = []

    def full():
        crowd.append(socket.create_connection(gateway.admin.rsplit(":", 1), 5))
        return "limits.admin_connections (3) reached" in gateway.log()

    wait_until(full, "the line about it")
    assert crowd[-1].recv(1) == b""
    crowd[0].sendall(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert crowd[0].recv(100).startswith(b"HTTP/1.1 200")
    assert gateway.fetch("/").status == 200
    for sock in crowd:
        sock.close()

    def is_served():
        with contextlib.suppress(OSError, Truncated):
            return gateway.readyz().status == 200

    wait_until(is_served, "a free place")

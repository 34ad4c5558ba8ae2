# SPDX-License-Identifier: Apache-2.0
"""Stores that take time: Workers KV with its races, copies and write limit, Durable Objects that are far away, and the binding."""
import json
import select
import time

import pytest
from edge import Reply, in_parallel, wait_until

PATH = "/api/ai-image/generate"
WRITE_LIMIT = {"success": False, "error": {"type": "server_error", "message": "KV PUT failed: 429 Too Many Requests"}}


@pytest.fixture
def stored(start, origin):
    """begin(store, kv={…}, durable_object={…}, limiter={…}, backend=…): a gateway whose route counts in that store."""
    origin.default = Reply('{"success":true}', content_type="application/json")

    def begin(store, limiter=None, backend="embedded", kv=None, durable_object=None, **options):
        rules = {"limiters": [{"name": "aiGenerate", "limit": 15, "window_ms": 60000, "store": store, **(limiter or {})}],
                 "routes": [{"methods": ["POST"], "path": PATH, "limiter": "aiGenerate"}]}
        settings = {"backend": backend, "kv": kv or {}, "durable_object": durable_object or {}}
        options.setdefault("trusted_proxies", ["127.0.0.1/32"])
        return start(origin, limiters=rules, limiter=settings, **options)

    return begin


def headers(edge="FRA", isolate=0, user="u"):
    return {"CF-Connecting-IP": "203.0.113.7", "X-Nearedge-Edge": edge, "X-Nearedge-Isolate": str(isolate), "X-User": user}


def post(gateway, **where):
    return gateway.fetch(PATH, "POST", headers(**where), body=b"{}")


def statuses(gateway, count, **where):
    return [post(gateway, **where).status for _ in range(count)]


class Waiting:
    """Requests that were all read by the gateway, and may wait for its clock."""

    def __init__(self, gateway, count, body=b"{}", **where):
        self.clients = [gateway.client().request("POST", PATH, headers(**where), body=body) for _ in range(count)]
        for _ in range(2):  # what was sent before an answer that came is read
            gateway.fetch("/free")

    def answered(self):
        return len(select.select([client.socket for client in self.clients], [], [], 0)[0])

    def finish(self):
        responses = [client.read() for client in self.clients]
        for client in self.clients:
            client.close()
        return responses


def test_kv_calls_at_once_all_pass(stored, origin):
    gateway = stored("kv", kv={"read_ms": 20, "write_ms": 30, "write_limit": "off"})
    waiting = Waiting(gateway, 40)
    gateway.advance(49)
    assert waiting.answered() == 0 and origin.count(PATH) == 0
    gateway.advance(1)
    assert [r.status for r in waiting.finish()] == [200] * 40
    assert gateway.metric("nearedge_limiter_decisions_total", store="kv", decision="admit") == 40


def test_kv_without_latency_is_exact_at_one_edge(stored):
    gateway = stored("kv", kv={"write_limit": "off"})
    assert statuses(gateway, 20) == [200] * 15 + [429] * 5
    refused = post(gateway)
    assert refused.body == b'{"error":"Rate limit exceeded","retryAfter":60}'
    gateway.advance(59_999)
    assert post(gateway).get("Retry-After") == "1"
    gateway.advance(1)
    assert post(gateway).status == 200


def test_kv_edges_live_on_their_copies(stored):
    gateway = stored("kv", kv={"write_limit": "off"}, limiter={"window_ms": 3_600_000})
    assert statuses(gateway, 1, edge="AMS") == [200]
    assert statuses(gateway, 14, edge="FRA") == [200] * 14  # AMS has its own copy: count 1
    assert statuses(gateway, 2, edge="FRA") == [429] * 2
    assert statuses(gateway, 14, edge="AMS") == [200] * 14
    assert post(gateway, edge="AMS").status == 429


def test_kv_copies_end(stored):
    gateway = stored("kv", kv={"write_limit": "off", "cache_ttl_s": 30}, limiter={"window_ms": 3_600_000})
    assert post(gateway, edge="AMS").status == 200
    statuses(gateway, 15, edge="FRA")
    gateway.advance(29_999)
    assert post(gateway, edge="AMS").status == 200
    gateway.advance(60_000)
    assert gateway.metric("nearedge_kv_operations_total", op="get", result="central") == 2
    post(gateway, edge="AMS")
    assert gateway.metric("nearedge_kv_operations_total", op="get", result="central") == 3


def test_kv_error_is_counted_and_logged(stored, origin):
    gateway = stored("kv", debug_headers=True)
    assert statuses(gateway, 3) == [200, 500, 500]
    failed = post(gateway)
    assert json.loads(failed.body) == WRITE_LIMIT
    assert failed.get("Content-Type") == "application/json" and failed.get("X-Frame-Options") == "DENY"
    assert "Retry-After" not in failed and "CF-Cache-Status" not in failed
    assert "aiGenerate" in failed.get("X-Nearedge-Decision") and "error" in failed.get("X-Nearedge-Decision")
    assert origin.count(PATH) == 1
    assert gateway.metric("nearedge_limiter_decisions_total", limiter="aiGenerate", decision="error") == 3
    assert gateway.metric("nearedge_kv_operations_total", op="put", result="ok") == 1
    assert gateway.metric("nearedge_kv_operations_total", op="put", result="refused") == 9
    assert gateway.logged(3, LimiterDecision="error")[0]["EdgeResponseStatus"] == 500


def test_kv_write_is_tried_until_its_second_has_passed(stored):
    gateway = stored("kv")
    assert post(gateway).status == 200
    gateway.advance(960)
    waiting = Waiting(gateway, 2)
    gateway.advance(39)
    assert waiting.answered() == 0
    gateway.advance(6)  # their last tries, at 1005
    assert sorted(r.status for r in waiting.finish()) == [200, 500]


def test_kv_refusal_takes_the_apps_time_on_the_system_clock(stored):
    gateway = stored("kv", clock="system")
    start = time.monotonic()
    assert statuses(gateway, 2) == [200, 500]
    assert time.monotonic() - start >= 0.045


def test_kv_token_bucket_lets_a_burst_through(stored):
    gateway = stored("kv", kv={"write_limit": "token_bucket"})
    assert statuses(gateway, 12) == [200] * 10 + [500] * 2
    gateway.advance(1000)
    assert statuses(gateway, 2) == [200, 500]


def test_kv_write_travels(stored):
    gateway = stored("kv", kv={"write_limit": "off", "propagation_ms": 10_000})
    assert statuses(gateway, 16) == [200] * 15 + [429]
    gateway.advance(9_000)
    assert post(gateway, edge="AMS").status == 200


def test_kv_limiter_has_its_own_settings(stored):
    gateway = stored("kv", limiter={"kv": {"write_limit": "off"}})
    assert statuses(gateway, 16) == [200] * 15 + [429]


def test_kv_long_key_is_refused_in_kvs_words(stored):
    gateway = stored("kv", limiter={"key": "${header:X-User}"})
    response = post(gateway, user="x" * 498)  # behind "rl:aiGenerate:"
    assert response.status == 200
    response = post(gateway, user="x" * 499)
    assert response.status == 500
    assert json.loads(response.body)["error"]["message"] == \
        "KV PUT failed: 414 UTF-8 encoded length of 513 exceeds key length limit of 512."


def test_kv_client_that_leaves_is_counted(stored):
    gateway = stored("kv", kv={"write_ms": 100, "write_limit": "off"}, limiter={"limit": 1})
    waiting = Waiting(gateway, 1, body=b"")
    waiting.clients[0].reset()
    gateway.logged(1, LimiterDecision="undecided")
    gateway.advance(100)
    refused = Waiting(gateway, 1)
    assert refused.finish()[0].status == 429


def test_kv_state_and_reset(stored):
    gateway = stored("kv", kv={"write_limit": "off"})
    statuses(gateway, 16)
    assert post(gateway, edge="AMS").status == 429
    state = gateway.api_json("/api/admin/rate-limits/state?name=aiGenerate")["data"]["state"]["aiGenerate"]
    assert [(e["key"], e["count"]) for e in state["entries"]] == [("203.0.113.7:anonymous", 15)]
    answer = gateway.api_json("/api/admin/rate-limits/reset", "POST", {"name": "aiGenerate", "key": "203.0.113.7:anonymous"})
    assert answer == {"success": True, "data": {"ok": True}}
    assert post(gateway, edge="AMS").status == 200


def test_kv_settings_follow_a_reload(stored):
    gateway = stored("kv")
    assert statuses(gateway, 2) == [200, 500]
    gateway.config["limiter"]["kv"] = {"write_limit": "off"}
    gateway.write_config(gateway.config)
    gateway.hang_up()
    wait_until(lambda: post(gateway).status == 200, "the reload")


def test_kv_drain_does_not_wait_for_a_clock_that_stands_still(stored):
    gateway = stored("kv", kv={"read_ms": 60_000}, timeouts={"drain_ms": 300})
    waiting = Waiting(gateway, 3)
    gateway.terminate()
    assert gateway.wait() == 0
    for client in waiting.clients:
        client.close()


def test_object_answers_after_its_round_trip(stored):
    gateway = stored("durable_object", durable_object={"latency_ms": 80})
    waiting = Waiting(gateway, 20)
    gateway.advance(79)
    assert waiting.answered() == 0
    gateway.advance(1)
    assert sorted(r.status for r in waiting.finish()) == [200] * 15 + [429] * 5


def test_object_can_be_overloaded(stored):
    gateway = stored("durable_object", durable_object={"requests_per_second": 17})
    assert statuses(gateway, 19) == [200] * 15 + [429] * 2 + [500] * 2
    assert json.loads(post(gateway).body) == {
        "success": False, "error": {"type": "server_error", "message": "Durable Object is overloaded"}}
    gateway.advance(1000)
    assert post(gateway).status == 429


def test_object_latency_on_the_system_clock(stored):
    gateway = stored("durable_object", durable_object={"latency_ms": 20}, clock="system", workers=2)
    results = in_parallel(*[lambda: post(gateway).status] * 30)
    assert (results.count(200), results.count(429)) == (15, 15)


def test_binding_counts_for_each_edge(stored):
    gateway = stored("binding")
    assert statuses(gateway, 17) == [200] * 15 + [429] * 2
    assert post(gateway).body == b'{"error":"Rate limit exceeded","retryAfter":60}'
    assert statuses(gateway, 17, edge="AMS") == [200] * 15 + [429] * 2


def test_binding_machines_hear_of_each_other_late(stored):
    gateway = stored("binding")
    assert statuses(gateway, 15, isolate=0) == [200] * 15
    assert post(gateway, isolate=1).status == 200
    gateway.advance(1000)
    assert post(gateway, isolate=1).status == 429


def test_kv_in_redis_is_one_world(stored, redis):
    gateways = [stored("kv", backend=redis.url, kv={"write_limit": "off"}, clock="system") for _ in range(2)]
    assert statuses(gateways[0], 15) == [200] * 15
    assert statuses(gateways[1], 2) == [429] * 2
    assert gateways[1].metric("nearedge_kv_operations_total", op="get", result="central") == 1


def test_kv_in_redis_limits_writes_for_all(stored, redis):
    gateways = [stored("kv", backend=redis.url) for _ in range(2)]
    assert post(gateways[0]).status == 200
    response = post(gateways[1])
    assert response.status == 500 and json.loads(response.body) == WRITE_LIMIT


def test_kv_without_redis_is_simulated_here(stored, redis):
    redis.stop()
    gateway = stored("kv", backend=redis.url, kv={"write_limit": "off"}, clock="system")
    assert statuses(gateway, 17) == [200] * 15 + [429] * 2

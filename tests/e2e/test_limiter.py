# SPDX-License-Identifier: Apache-2.0
"""The app's limiters at the edge: exact counts, the app's own 429, stores, and a Redis that fails."""
import json
import subprocess
import threading

import pytest
from edge import Reply, in_parallel, wait_until
from edge.gateway import BINARY

GENERATE = "/api/ai-image/generate"


def limiters(store="durable_object", **limiter):
    generate = {"name": "aiGenerate", "limit": 15, "window_ms": 60000, "store": store, "key": "${ip}:${user}",
                "mode": "enforce", **limiter}
    return {"limiters": [generate], "routes": [
        {"methods": ["POST"], "path": GENERATE, "limiter": "aiGenerate"},
        {"methods": ["POST"], "path": "/api/ai-video/:id/frames", "limiter": "aiGenerate"},
        {"methods": ["POST"], "path": "/api/prompt/*", "limiter": "aiGenerate"}]}


@pytest.fixture
def limited(start, origin):
    """begin(rules, store, mode, **options): a gateway with limiters, behind a trusted peer."""
    origin.default = Reply('{"success":true}', content_type="application/json")

    def begin(rules=None, store="durable_object", mode="enforce", **options):
        options.setdefault("trusted_proxies", ["127.0.0.1/32"])
        return start(origin, limiters=rules or limiters(store, mode=mode), **options)

    return begin


def post(gateway, path=GENERATE, ip="203.0.113.7", method="POST", **headers):
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    return gateway.fetch(path, method, {"CF-Connecting-IP": ip, **headers}, body=b"{}" if method == "POST" else None)


def burst(gateway, count, **options):
    """Statuses of `count` requests, one after the other."""
    return [post(gateway, **options).status for _ in range(count)]


def test_burst_of_twenty(limited, origin):
    gateway = limited()
    assert burst(gateway, 20) == [200] * 15 + [429] * 5
    assert origin.count() == 15


def test_refusal_is_the_apps_own(limited):
    gateway = limited()
    burst(gateway, 15)
    refused = post(gateway)
    assert refused.status == 429
    assert refused.body == b'{"error":"Rate limit exceeded","retryAfter":60}'
    assert refused.get("Retry-After") == "60"
    assert refused.get("Content-Type") == "application/json"
    assert refused.get("X-Content-Type-Options") == "nosniff"
    assert refused.get("X-Frame-Options") == "DENY"
    assert refused.get("Referrer-Policy") == "strict-origin-when-cross-origin"
    assert refused.get("Strict-Transport-Security") == "max-age=31536000; includeSubDomains; preload"
    assert refused.get("Permissions-Policy") == "camera=(), microphone=(), geolocation=(), interest-cohort=()"
    assert refused.ray and refused.get("Server") == "cloudflare"
    for name in ("CF-Cache-Status", "X-RateLimit-Limit", "RateLimit", "cf-error-type"):
        assert name not in refused


def test_refusal_keeps_the_connection_and_drops_the_body(limited, origin):
    gateway = limited()
    burst(gateway, 15, ip="127.0.0.1")
    with gateway.client() as client:
        for _ in range(3):
            client.request("POST", GENERATE, body=b"x" * 50_000)
            assert client.read().status == 429
        assert client.request("GET", "/free").read().status == 200
    assert origin.count(GENERATE) == 15


def test_refusal_does_not_wait_for_the_body(limited):
    gateway = limited()
    burst(gateway, 15, ip="127.0.0.1")
    with gateway.client() as client:
        client.request("POST", GENERATE, {"Content-Length": "1000000", "Expect": "100-continue"})
        assert client.read().status == 429


@pytest.mark.parametrize("after_ms,status,retry_after", [
    (0, 429, "60"), (1, 429, "60"), (999, 429, "60"), (1000, 429, "59"), (1001, 429, "59"), (58999, 429, "2"), (59000, 429, "1"),
    (59001, 429, "1"), (59999, 429, "1"), (60000, 200, None), (60001, 200, None)])
def test_window_ends_to_the_millisecond(limited, after_ms, status, retry_after):
    gateway = limited()
    burst(gateway, 15)
    if after_ms:
        gateway.advance(after_ms)
    response = post(gateway)
    assert (response.status, response.get("Retry-After")) == (status, retry_after)
    if retry_after:
        assert json.loads(response.body)["retryAfter"] == int(retry_after)


def test_window_starts_with_the_first_request_and_refusals_do_not_move_it(limited):
    gateway = limited()
    assert post(gateway).status == 200
    gateway.advance(59_000)
    assert burst(gateway, 20) == [200] * 14 + [429] * 6
    gateway.advance(999)
    assert post(gateway).status == 429
    gateway.advance(1)
    assert burst(gateway, 16) == [200] * 15 + [429]


def test_keys_are_address_and_user(limited):
    gateway = limited(zone={"user_from": "header:X-User"})
    assert burst(gateway, 16, ip="203.0.113.1", X_User="ann")[-1] == 429
    assert post(gateway, ip="203.0.113.1", X_User="bob").status == 200
    assert post(gateway, ip="203.0.113.2", X_User="ann").status == 200
    assert post(gateway, ip="203.0.113.1").status == 200
    assert post(gateway, ip="203.0.113.1", X_User="ann").status == 429


def test_user_from_a_cookie(limited):
    gateway = limited(zone={"user_from": "cookie:uid"})
    assert burst(gateway, 16, Cookie="theme=x; uid=ann")[-1] == 429
    assert post(gateway, Cookie="uid=bob; theme=x").status == 200
    assert post(gateway, Cookie="uid=ann").status == 429


def test_untrusted_peer_cannot_choose_its_key(limited):
    gateway = limited(trusted_proxies=[])
    statuses = [post(gateway, ip=f"203.0.113.{n}").status for n in range(20)]
    assert statuses == [200] * 15 + [429] * 5


def test_routes_of_one_limiter_share_a_budget(limited):
    gateway = limited()
    paths = [GENERATE, "/api/ai-video/42/frames", "/api/prompt/anything/at/all"]
    statuses = [post(gateway, paths[n % 3]).status for n in range(18)]
    assert statuses == [200] * 15 + [429] * 3


@pytest.mark.parametrize("method,path", [
    ("HEAD", GENERATE), ("GET", GENERATE), ("OPTIONS", GENERATE), ("POST", GENERATE + "/"), ("POST", "/api/ai-image"),
    ("POST", "/api/ai-video/42"), ("POST", "/api/ai-video/42/frames/1"), ("POST", "/other")])
def test_what_no_route_names_is_not_limited(limited, method, path):
    gateway = limited()
    assert set(burst(gateway, 20, path=path, method=method)) == {200}


def test_query_does_not_change_the_route(limited):
    gateway = limited()
    statuses = [post(gateway, f"{GENERATE}?n={n}").status for n in range(16)]
    assert statuses[-1] == 429


def test_path_in_disguise_is_still_limited(limited):
    gateway = limited()
    for path in ("/api/ai-image/%67enerate", "/api/./ai-image/generate", "/api/x/../ai-image/generate"):
        burst(gateway, 5, path=path)
    assert post(gateway).status == 429


def test_first_matching_route_wins(limited):
    rules = limiters()
    rules["limiters"].append({"name": "api", "limit": 2, "window_ms": 60000, "store": "durable_object", "key": "${ip}"})
    rules["routes"].append({"path": "/api/*", "limiter": "api"})
    gateway = limited(rules)
    assert burst(gateway, 16) == [200] * 15 + [429]
    assert burst(gateway, 3, path="/api/other") == [200, 200, 429]


def test_shadow_counts_but_never_refuses(limited):
    gateway = limited(mode="shadow")
    assert set(burst(gateway, 20)) == {200}
    assert gateway.metric("nearedge_limiter_decisions_total", limiter="aiGenerate") == 20


def test_off_does_nothing(limited):
    gateway = limited(mode="off")
    assert set(burst(gateway, 20)) == {200}


def test_parallel_burst_admits_exactly_the_limit(limited, origin):
    gateway = limited(workers=2)
    statuses = in_parallel(*[lambda: post(gateway).status] * 40)
    assert (statuses.count(200), statuses.count(429)) == (15, 25)
    assert origin.count() == 15


def test_memory_store_counts_for_each_edge_and_isolate(limited):
    gateway = limited(store="memory")
    for edge in ("FRA", "AMS"):
        for isolate in ("0", "1"):
            where = {"X_Nearedge_Edge": edge, "X_Nearedge_Isolate": isolate}
            assert burst(gateway, 17, **where) == [200] * 15 + [429] * 2
    assert post(gateway, X_Nearedge_Edge="FRA", X_Nearedge_Isolate="0").status == 429


def test_durable_object_counts_once_for_all_edges(limited):
    gateway = limited()
    statuses = [post(gateway, X_Nearedge_Edge=("FRA", "AMS")[n % 2], X_Nearedge_Isolate=str(n % 2)).status for n in range(20)]
    assert statuses == [200] * 15 + [429] * 5


def test_kv_store_refuses_writes_under_a_burst_with_the_apps_500(limited):
    """KV takes one write a second for a key; the app ends what is refused as a 500, so does the edge."""
    gateway = limited(store="kv")
    statuses = burst(gateway, 20)
    assert statuses[0] == 200
    assert set(statuses[1:]) <= {200, 500} and statuses.count(500) >= 15
    failed = post(gateway)
    assert failed.status == 500
    assert json.loads(failed.body) == {"success": False, "error": {
        "type": "server_error", "message": "KV PUT failed: 429 Too Many Requests"}}


def test_kv_store_admits_the_limit_when_asked_slowly(limited):
    gateway = limited(store="kv")
    for _ in range(15):
        assert post(gateway).status == 200
        gateway.advance(1_050)
    assert post(gateway).status == 429


def test_limited_request_is_neither_cached_nor_looked_up(limited, origin):
    rules = {"limiters": [{"name": "static", "limit": 2, "window_ms": 60000, "store": "durable_object", "key": "${ip}"}],
             "routes": [{"path": "/a.css", "limiter": "static"}]}
    origin.on("/a.css", Reply("css", cache_control="max-age=600"))
    gateway = limited(rules)
    responses = [gateway.fetch("/a.css") for _ in range(3)]
    assert [(r.status, r.cache) for r in responses] == [(200, "MISS"), (200, "HIT"), (429, None)]


# -- with Redis: no virtual clock, Redis has its own

@pytest.fixture
def on_redis(limited, redis):
    """begin(on_backend_failure, **options): as `limited`, with the counters in Redis."""

    def begin(on_backend_failure="memory", **options):
        backend = {"backend": redis.url, "on_backend_failure": on_backend_failure}
        return limited(clock="system", limiter=backend, **options)

    return begin


def test_redis_burst_of_twenty(on_redis, redis):
    gateway = on_redis()
    statuses = burst(gateway, 20)
    assert statuses == [200] * 15 + [429] * 5
    assert 59 <= int(post(gateway).get("Retry-After")) <= 60
    assert gateway.metric("nearedge_backend_up") == 1
    assert redis.keys()


@pytest.mark.parametrize("policy, word", [("memory", "admit"), ("allow", "admit"), ("deny", "deny")])
def test_the_failure_policy_shows_in_the_decision(on_redis, redis, policy, word):
    gateway = on_redis(policy, debug_headers=True)
    assert "degraded" not in post(gateway).get("X-Nearedge-Decision")
    redis.stop()
    wait_until(lambda: post(gateway).get("X-Nearedge-Decision").endswith(f" {word} degraded"), "the policy")


def test_redis_parallel_burst_is_exact(on_redis):
    gateway = on_redis(workers=2)
    statuses = in_parallel(*[lambda: post(gateway).status] * 40)
    assert (statuses.count(200), statuses.count(429)) == (15, 25)


def test_two_gateways_on_one_redis_admit_exactly_the_limit(on_redis):
    gateways = [on_redis(), on_redis()]
    statuses = in_parallel(*[lambda n=n: post(gateways[n % 2]).status for n in range(40)])
    assert (statuses.count(200), statuses.count(429)) == (15, 25)
    for gateway in gateways:
        assert post(gateway).status == 429


def test_reset_reaches_the_other_gateway(on_redis):
    first, second = on_redis(), on_redis()
    burst(first, 16)
    assert post(second).status == 429
    answer = second.api_json("/api/admin/rate-limits/reset", "POST", {"name": "aiGenerate", "key": "203.0.113.7:anonymous"})
    assert answer == {"success": True, "data": {"ok": True}}
    assert post(second).status == 200
    wait_until(lambda: post(first).status == 200, "the first gateway to forget its refusal")


def test_refusals_do_not_ask_redis(on_redis, redis):
    gateway = on_redis()
    burst(gateway, 16)

    def commands():
        text = redis.command("INFO", "commandstats")
        return sum(int(line.split("calls=")[1].split(",")[0]) for line in text.splitlines() if "cmdstat_eval" in line)

    before = commands()
    assert set(burst(gateway, 50)) == {429}
    assert commands() == before


def test_counters_expire_in_redis(on_redis, redis):
    gateway = on_redis()
    post(gateway)
    for key in redis.keys():
        assert int(redis.command("PTTL", key)) > 0, f"{key} would stay for ever"


def test_without_redis_requests_are_counted_locally(on_redis, redis):
    redis.stop()
    gateway = on_redis()
    assert burst(gateway, 20) == [200] * 15 + [429] * 5
    assert gateway.metric("nearedge_backend_up") == 0
    ready = gateway.readyz()
    assert ready.status == 200
    assert b"redis" in ready.body.lower()


def test_redis_that_dies_causes_no_error(on_redis, redis):
    gateway = on_redis()
    assert burst(gateway, 3) == [200] * 3
    stop, statuses = threading.Event(), []

    def keep_asking():
        number = 0
        while not stop.is_set():
            number += 1
            statuses.append(post(gateway, ip=f"198.51.100.{number % 250}").status)

    asking = threading.Thread(target=keep_asking, daemon=True)
    asking.start()
    wait_until(lambda: len(statuses) > 20, "some requests before")
    redis.stop()
    seen = len(statuses)
    wait_until(lambda: len(statuses) > seen + 50, "some requests after")
    wait_until(lambda: gateway.metric("nearedge_backend_up") == 0, "the metric to say so")
    redis.start()
    wait_until(lambda: gateway.metric("nearedge_backend_up") == 1, "the backend to be back")
    stop.set()
    asking.join(20)
    assert set(statuses) <= {200, 429}
    assert burst(gateway, 20, ip="192.0.2.1") == [200] * 15 + [429] * 5


@pytest.mark.parametrize("policy,status", [("allow", 200), ("deny", 503)])
def test_failure_policy(on_redis, redis, policy, status):
    redis.stop()
    gateway = on_redis(policy)
    responses = [post(gateway) for _ in range(20)]
    assert {r.status for r in responses} == {status}
    if policy == "deny":
        assert responses[0].get("Retry-After") == "1"
        assert gateway.readyz().status == 503
    else:
        assert gateway.readyz().status == 200


def test_the_verb_says_when_there_is_nothing_to_show(limited):
    """A slip in the name looked like a limiter that nobody has met."""
    gateway = limited()

    def limits(*arguments):
        result = subprocess.run([BINARY, "limits", "--admin", gateway.admin, *arguments], capture_output=True, text=True, check=False)
        return result.returncode, result.stderr.removeprefix("nearedge limits: ").strip()

    assert limits("ls") == limits("ls", "aiGenerate") == (0, "nothing has been counted")
    assert limits("ls", "aiGenerat") == limits("get", "aiGenerat", "x") == (1, 'the gateway has no limiter "aiGenerat"')
    assert limits("get", "aiGenerate", "x") == (1, "aiGenerate has no counter for this key")
    post(gateway)
    assert limits("ls") == limits("ls", "aiGenerate") == (0, "")

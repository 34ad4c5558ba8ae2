# SPDX-License-Identifier: Apache-2.0
"""Cloudflare's rate limiting rules (http_ratelimit): who is counted, when, where, and what the refused get."""
import json
import os
import subprocess

import pytest
from edge import Reply, wait_until
from edge.api import Api
from edge.gateway import BINARY

PHASE = "http_ratelimit"
ENTRYPOINT = f"/rulesets/phases/{PHASE}/entrypoint"
BOTH = ["cf.colo.id", "ip.src"]


def limit(requests=3, period=10, timeout=0, by=(), **more):
    """The `ratelimit` member; `by`: characteristics beside place and address."""
    return {"characteristics": BOTH + list(by), "period": period, "requests_per_period": requests,
            "mitigation_timeout": timeout, **more}


def rule(ratelimit=None, expression="true", action="block", **more):
    return {"action": action, "expression": expression, "ratelimit": ratelimit or limit(), **more}


@pytest.fixture
def ruled(start, origin):
    """begin(*rules, cache=[…], **options): a gateway with these rules, behind a trusted peer."""

    def begin(*rules, cache=None, plan="enterprise", zone=None, **options):
        options.setdefault("trusted_proxies", ["127.0.0.1/32"])
        gateway = start.prepare(origin, zone={"plan": plan, **(zone or {})}, rules=cache, **options)
        name = gateway.write("rulesets/rate.json", {"phase": PHASE, "kind": "zone", "rules": list(rules)})
        config = gateway.config["zones"][0]
        config["rulesets"] = config.get("rulesets", []) + [name]
        return gateway.start()

    return begin


def get(gateway, path="/", ip="203.0.113.7", edge=None, method="GET", **headers):
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    place = {"X-Nearedge-Edge": edge} if edge else {}
    return gateway.fetch(path, method, {"CF-Connecting-IP": ip, **place, **headers})


def burst(gateway, count, path="/", **options):
    return [get(gateway, path, **options).status for _ in range(count)]


# -- counting

def test_threshold_is_exact(ruled, origin):
    gateway = ruled(rule(limit(3)))
    assert burst(gateway, 6) == [200] * 3 + [429] * 3
    assert origin.count() == 3


def test_one_in_ten_seconds_blocks_the_second(ruled):
    """Cloudflare's own example."""
    assert burst(ruled(rule(limit(1))), 2) == [200, 429]


def test_edges_and_visitors_count_apart(ruled):
    gateway = ruled(rule(limit(2)))
    assert burst(gateway, 3, edge="FRA") == [200, 200, 429]
    assert burst(gateway, 3, edge="AMS") == [200, 200, 429]
    assert burst(gateway, 3, ip="203.0.113.8") == [200, 200, 429]
    assert burst(gateway, 3, ip="2001:db8::1") == [200, 200, 429]


def test_throttling_lets_the_rate_through(ruled):
    gateway = ruled(rule(limit(2, period=10)))
    assert burst(gateway, 3) == [200, 200, 429]
    gateway.advance(9_999)
    assert burst(gateway, 1) == [429]
    gateway.advance(1)
    assert burst(gateway, 3) == [200, 200, 429]


def test_period_begins_with_the_first_request_counted(ruled):
    gateway = ruled(rule(limit(2, period=10)))
    assert burst(gateway, 1) == [200]
    gateway.advance(9_000)
    assert burst(gateway, 2) == [200, 429]
    gateway.advance(1_000)
    assert burst(gateway, 2) == [200, 200]


def test_mitigation_lasts_its_time(ruled):
    gateway = ruled(rule(limit(2, period=10, timeout=60)))
    assert burst(gateway, 3) == [200, 200, 429]
    gateway.advance(59_999)
    assert burst(gateway, 1) == [429]
    gateway.advance(1)
    assert burst(gateway, 3) == [200, 200, 429]


def test_mitigation_shorter_than_the_period_goes_on_while_the_rate_is_exceeded(ruled):
    gateway = ruled(rule(limit(2, period=60, timeout=10)))
    assert burst(gateway, 3) == [200, 200, 429]
    gateway.advance(10_000)
    assert burst(gateway, 1) == [429]
    gateway.advance(50_000)
    assert burst(gateway, 2) == [200, 200]


def test_only_matching_requests_count(ruled):
    gateway = ruled(rule(limit(2), 'starts_with(http.request.uri.path, "/api/")'))
    assert burst(gateway, 5, "/page") == [200] * 5
    assert burst(gateway, 3, "/api/x") == [200, 200, 429]
    assert burst(gateway, 1, "/page") == [200]


@pytest.mark.parametrize("field,one,other", [
    ('http.request.headers["x-api-key"]', {"X_Api_Key": "a"}, {"X_Api_Key": "b"}),
    ('http.request.headers["x-api-key"]', {"X_Api_Key": ""}, {}),  # empty is not missing
    ('http.request.headers["x-api-key"]', {"X_Api_Key": 'a", "b'}, {"X_Api_Key": "a"}),
    ('http.request.cookies["sid"]', {"Cookie": "sid=1"}, {"Cookie": "sid=2"}),
    ('http.request.uri.args["q"]', {"path": "/?q=1"}, {"path": "/?q=2"}),
    ("http.request.uri.path", {"path": "/a"}, {"path": "/b"}),
    ("http.host", {}, None),
    ("lower(http.request.headers[\"x-team\"][0])", {"X_Team": "Red"}, {"X_Team": "blue"}),
    ("ip.src.country", {"edge": "FRA"}, {"edge": "AMS"}),
    ('http.request.headers["x-api-key"]', {"X_Api_Key": "k" * 2000 + "a"}, {"X_Api_Key": "k" * 2000 + "b"}),
])
def test_characteristics_tell_counters_apart(ruled, field, one, other):
    gateway = ruled(rule(limit(1, by=[field])))
    assert burst(gateway, 2, **one) == [200, 429]
    if other is not None:
        assert burst(gateway, 2, **other) == [200, 429]
    assert burst(gateway, 1, **one) == [429]


def test_counters_of_a_place_may_be_everybodys(ruled):
    ratelimit = dict(limit(2), characteristics=["cf.colo.id"])
    gateway = ruled(rule(ratelimit))
    assert [get(gateway, ip=f"203.0.113.{n}").status for n in range(3)] == [200, 200, 429]


def test_workers_share_the_counters(ruled):
    gateway = ruled(rule(limit(10)), workers=2)
    assert sorted(burst(gateway, 15)) == [200] * 10 + [429] * 5


# -- counting expressions

def test_counting_expression_stands_on_its_own(ruled):
    """It counts what the rule does not match, and the rule refuses only what it matches."""
    gateway = ruled(rule(limit(2, counting_expression='http.request.uri.path eq "/count"'),
                         'http.request.uri.path eq "/guarded"'))
    assert burst(gateway, 5, "/guarded") == [200] * 5
    assert burst(gateway, 3, "/count") == [200] * 3
    assert burst(gateway, 2, "/guarded") == [429] * 2
    assert burst(gateway, 1, "/count") == [200]


def test_failed_logins_are_counted_by_status(ruled, origin):
    """Cloudflare's example B: the request behind the one that exceeded is the first to be refused."""
    answers = iter([400, 200, 400])
    origin.on("/form", lambda *_: Reply(status=next(answers)))
    gateway = ruled(rule(limit(1, timeout=600, counting_expression='http.request.uri.path eq "/form" and http.response.code eq 400'),
                         'http.request.uri.path eq "/form"'))
    assert burst(gateway, 4, "/form", method="POST") == [400, 200, 400, 429]
    gateway.advance(599_999)
    assert burst(gateway, 1, "/form", method="POST") == [429]


def test_counting_by_response_header(ruled, origin):
    origin.on("/x", lambda *_: Reply("x", headers={"X-Bad": "1"}))
    gateway = ruled(rule(limit(1, counting_expression='any(http.response.headers["x-bad"][*] eq "1")')))
    assert burst(gateway, 4, "/fine") == [200] * 4
    assert burst(gateway, 3, "/x") == [200, 200, 429]


def test_the_apps_own_429_can_be_counted(ruled):
    """The app's limiter runs behind the phase: its refusals are responses."""
    few = {"limiters": [{"name": "few", "limit": 1, "window_ms": 60000, "store": "durable_object", "key": "${ip}"}],
           "routes": [{"path": "/few", "limiter": "few"}]}
    gateway = ruled(rule(limit(2, counting_expression="http.response.code eq 429"), action="block",
                         action_parameters={"response": {"status_code": 403, "content": "x", "content_type": "text/plain"}}),
                    limiters=few)
    assert burst(gateway, 5, "/few") == [200, 429, 429, 429, 403]


def test_scores(ruled, origin):
    origin.on("/cheap", lambda *_: Reply("x", headers={"X-Cost": "1"}))
    origin.on("/dear", lambda *_: Reply("x", headers={"X-Cost": "400"}))
    origin.on("/wrong", lambda *_: Reply("x", headers={"X-Cost": "1000001"}))
    ratelimit = {"characteristics": BOTH, "period": 60, "score_per_period": 400, "mitigation_timeout": 0,
                 "score_response_header_name": "x-cost"}
    gateway = ruled(rule(ratelimit))
    assert burst(gateway, 3, "/wrong") + burst(gateway, 3, "/none") == [200] * 6
    assert burst(gateway, 2, "/dear") == [200, 200]
    assert burst(gateway, 1, "/cheap") == [429]


# -- cache

def test_a_hit_is_counted_and_refused(ruled, origin):
    origin.on("/a.css", Reply("a", cache_control="max-age=600"))
    gateway = ruled(rule(limit(3)))
    answers = [get(gateway, "/a.css") for _ in range(5)]
    assert [a.status for a in answers] == [200] * 3 + [429] * 2
    assert [a.cache for a in answers] == ["MISS", "HIT", "HIT", None, None]
    assert origin.count() == 1


def test_requests_to_origin_alone(ruled, origin):
    """Hits are not counted; what reached the origin is, too late for the request itself."""
    origin.on("/a.css", Reply("a", cache_control="max-age=600"))
    gateway = ruled(rule(limit(2, requests_to_origin=True)))
    assert burst(gateway, 10, "/a.css") == [200] * 10
    assert burst(gateway, 3) == [200, 200, 429]
    assert burst(gateway, 1, "/a.css") == [429]
    assert origin.count() == 3


def test_requests_to_origin_counts_who_does_not_wait(ruled, origin):
    gateway = ruled(rule(limit(1, requests_to_origin=True)), trusted_proxies=[])
    origin.on("/slow", lambda *_: None)
    for n in range(2):
        with gateway.client() as client:
            client.request("GET", "/slow")
            wait_until(lambda: origin.count("/slow") > n, "the request")
    assert gateway.fetch("/").status == 429


# -- answers

def test_page_1015_for_browsers(ruled):
    gateway = ruled(rule(limit(1, timeout=600)))
    burst(gateway, 1)
    refused = get(gateway, Accept="text/html,application/xhtml+xml,*/*;q=0.8")
    assert (refused.status, refused.get("Retry-After")) == (429, "600")
    assert refused.get("Content-Type") == "text/html; charset=utf-8"
    page = refused.body.decode()
    assert "Error 1015" in page and "You are being rate limited" in page and refused.ray.split("-")[0] in page
    assert refused.get("Cache-Control") == "no-store" and refused.get("Server") == "cloudflare"
    assert (refused.get("cf-error-type"), refused.get("cf-error-origin")) == ("1015", "cloudflare")
    for name in ("CF-Cache-Status", "cf-mitigated", "Age"):
        assert name not in refused
    gateway.advance(1_001)
    assert get(gateway).get("Retry-After") == "599"


@pytest.mark.parametrize("kind", ["application/json", "application/problem+json"])
def test_json_1015_for_programs(ruled, kind):
    gateway = ruled(rule(limit(1)))
    burst(gateway, 1)
    refused = get(gateway, Accept=kind)
    body = json.loads(refused.body)
    assert refused.get("Content-Type") == f"{kind}; charset=utf-8"
    assert (body["status"], body["error_code"], body["error_name"], body["retryable"]) == (429, 1015, "rate_limited", True)
    assert body["ray_id"] == body["instance"] == refused.ray.split("-")[0]
    assert body["retry_after"] == int(refused.get("Retry-After")) == 10
    assert body["zone"] == "www.example.test"


def test_head_and_connection(ruled):
    gateway = ruled(rule(limit(1)), trusted_proxies=[])
    with gateway.client() as client:
        assert client.request("GET", "/").read().status == 200
        head = client.request("HEAD", "/").read("HEAD")
        assert head.status == 429 and int(head.get("Content-Length")) > 100
        assert client.request("POST", "/", body=b"x" * 50_000).read().status == 429


@pytest.mark.parametrize("response,status,kind,body", [
    ({"status_code": 403, "content": "You have been limited.", "content_type": "text/plain"}, 403, "text/plain", b"You have been limited."),
    ({"content": '{"e":1}', "content_type": "application/json"}, 429, "application/json", b'{"e":1}'),
    ({"status_code": 418, "content": "x" * 30720, "content_type": "text/html"}, 418, "text/html", b"x" * 30720),
])
def test_custom_response(ruled, response, status, kind, body):
    gateway = ruled(rule(limit(1), action_parameters={"response": response}))
    burst(gateway, 1)
    refused = get(gateway, Accept="application/json")
    assert (refused.status, refused.get("Content-Type"), refused.body) == (status, kind, body)
    assert refused.get("Retry-After") == "10" and "cf-error-type" not in refused


def test_status_without_content_is_the_page(ruled):
    gateway = ruled(rule(limit(1), action_parameters={"response": {"status_code": 420}}))
    refused = [get(gateway) for _ in range(2)][1]
    assert refused.status == 420 and b"Error 1015" in refused.body


@pytest.mark.parametrize("action", ["challenge", "js_challenge", "managed_challenge"])
def test_challenges_are_a_page_nobody_passes(ruled, origin, action):
    gateway = ruled(rule(limit(1), action=action))
    assert burst(gateway, 3) == [200, 403, 403]
    assert origin.count() == 1
    assert f"{action} is simulated as a page with status 403" in gateway.log()


def test_log_refuses_nobody(ruled, origin):
    gateway = ruled(rule(limit(1), action="log", id="a" * 32))
    assert burst(gateway, 3) == [200] * 3
    assert origin.count() == 3
    assert gateway.metric("nearedge_limiter_decisions_total", limiter="a" * 32, decision="log") == 2
    line = gateway.logged(3)[2]
    assert (line["SecurityActions"], line["SecurityRuleIDs"], line["SecuritySources"]) == (["log"], ["a" * 32], ["ratelimit"])


def test_disabled_rules_do_nothing(ruled):
    gateway = ruled(rule(limit(1), enabled=False))
    assert burst(gateway, 5) == [200] * 5
    assert gateway.metric("nearedge_rule_matches_total", phase=PHASE) == 0


# -- order

def test_rules_run_in_order_and_block_ends_it(ruled):
    first = rule(limit(2), action="log", id="1" * 32)
    second = rule(limit(3), id="2" * 32, action_parameters={"response": {"status_code": 450}})
    third = rule(limit(4), id="3" * 32)
    gateway = ruled(first, second, third)
    assert burst(gateway, 6) == [200] * 3 + [450] * 3
    assert gateway.logged(6)[5]["SecurityActions"] == ["log", "block"]
    matches = [gateway.metric("nearedge_rule_matches_total", phase=PHASE, rule=f"{n}" * 32) for n in "123"]
    assert matches == [6, 6, 3]
    assert gateway.metric("nearedge_limiter_decisions_total", limiter="2" * 32, store=PHASE, decision="deny") == 3
    assert gateway.metric("nearedge_limiter_decisions_total", limiter="2" * 32, decision="admit") == 3


def test_equal_rules_count_for_themselves(ruled):
    gateway = ruled(rule(limit(2), action="log"), rule(limit(2)))
    assert burst(gateway, 3) == [200, 200, 429]


def test_before_the_apps_limiter(ruled):
    """What the phase refuses the app's limiter never sees (the Worker runs behind it)."""
    app = {"limiters": [{"name": "app", "limit": 5, "window_ms": 60000, "store": "durable_object", "key": "${ip}"}],
           "routes": [{"path": "/*", "limiter": "app"}]}
    gateway = ruled(rule(limit(2, timeout=10, period=10)), limiters=app)
    assert burst(gateway, 4) == [200, 200, 429, 429]
    assert gateway.metric("nearedge_limiter_decisions_total", limiter="app") == 2
    assert gateway.logged(4)[3]["Limiter"] == ""
    gateway.advance(10_000)
    assert b"1015" in [get(gateway) for _ in range(3)][2].body


def test_debug_header(ruled):
    gateway = ruled(rule(limit(1)), debug_headers=True)
    burst(gateway, 1)
    assert "; ratelimit=1 block" in get(gateway).get("X-Nearedge-Decision")


# -- plans

def check(tmp_path, plan, *rules):
    (tmp_path / "rate.json").write_text(json.dumps({"phase": PHASE, "rules": list(rules)}, indent=1))
    (tmp_path / "nearedge.json").write_text(json.dumps({
        "listen": [{"address": "127.0.0.1:0", "edge": "FRA"}], "edges": [{"name": "FRA", "country": "DE"}],
        "zones": [{"name": "example.test", "id": "0" * 32, "plan": plan, "hosts": ["www.example.test"],
                   "origin": "http://127.0.0.1:9", "rulesets": ["rate.json"]}]}))
    result = subprocess.run([BINARY, "check", "-c", "nearedge.json", "--json"], cwd=tmp_path, capture_output=True, text=True,
                            check=False, timeout=60, env=dict(os.environ))
    report = json.loads(result.stdout)
    assert report["ok"] is (result.returncode == 0)
    return [e["message"] for e in report["errors"]], [w["message"] for w in report["warnings"]]


PATH = 'http.request.uri.path eq "/"'
FREE = limit(5, period=10, timeout=10)
TIMES = "10, 15, 20, 30, 40, 45, 60"


@pytest.mark.parametrize("plan,rules,error", [
    ("free", [rule(FREE, PATH)], None),
    ("free", [rule(FREE, PATH)] * 2, f"exceeded maximum number of rules in the phase {PHASE}: 2 out of 1"),
    ("free", [rule(dict(FREE, period=60), PATH)], "not entitled to use the period 60, can only use a period among [10]"),
    ("free", [rule(dict(FREE, mitigation_timeout=60), PATH)], "not entitled to use a mitigation timeout different from 10"),
    ("free", [rule(dict(FREE, mitigation_timeout=None), PATH)], "not entitled to use a mitigation timeout different from 10"),
    ("free", [rule(FREE, 'http.host eq "a"')],
     "not entitled: the use of field http.host is not allowed, an higher Advanced Rate Limiting plan is required"),
    ("free", [rule(dict(FREE, characteristics=["cf.colo.id", "cf.unique_visitor_id"]), PATH)],
     "not entitled: the use of characteristic cf.unique_visitor_id is not allowed, a Business plan is required"),
    ("free", [rule(dict(FREE, counting_expression=PATH), PATH)],
     "not entitled: the use of counting_expression is not allowed, a Business plan is required"),
    ("free", [rule(dict(FREE, requests_to_origin=True), PATH)], None),
    ("free", [rule(dict(FREE, mitigation_timeout=0), PATH, "managed_challenge")], None),
    ("free", [rule(FREE, PATH, "managed_challenge")],
     "not entitled to use a mitigation timeout different from 0 with a challenge"),
    ("pro", [rule(dict(FREE, period=60, mitigation_timeout=3600), PATH)] * 2, None),
    ("pro", [rule(dict(FREE, period=120), PATH)], f"not entitled to use the period 120, can only use a period among [{TIMES}]"),
    ("pro", [rule(dict(FREE, period=7), PATH)], f"not entitled to use the period 7, can only use a period among [{TIMES}]"),
    ("pro", [rule(dict(FREE, mitigation_timeout=0), PATH)], "not entitled to use the mitigation timeout 0, can only use"),
    ("pro", [rule(dict(FREE, mitigation_timeout=86400), PATH)], "not entitled to use the mitigation timeout 86400, can only use"),
    ("business", [rule(dict(FREE, period=600, mitigation_timeout=86400, counting_expression="http.response.code eq 401",
                            characteristics=["cf.colo.id", "cf.unique_visitor_id"]))] * 5, None),
    ("business", [rule(dict(FREE, characteristics=BOTH + ["http.host"]))],
     "not entitled: the use of characteristic http.host is not allowed, an Advanced Rate Limiting plan is required"),
    ("business", [rule({"characteristics": BOTH, "period": 10, "score_per_period": 5, "score_response_header_name": "s",
                        "mitigation_timeout": 10})], "not entitled: the use of score_per_period is not allowed"),
    ("enterprise", [rule(dict(FREE, period=65535, mitigation_timeout=7, characteristics=BOTH + ["http.host"]))] * 100, None),
    ("enterprise", [rule(dict(FREE, period=86400))], "not entitled to use the period 86400, can only use a period among"),
])
def test_plans(tmp_path, plan, rules, error):
    errors, warnings = check(tmp_path, plan, *rules)
    if error is None:
        assert errors == []
    else:
        assert errors and error in errors[0], errors
    assert not [w for w in warnings if "not simulated" in w]


# -- the API

def api_of(gateway):
    return Api(gateway)


def test_put_is_live_and_errors_are_cloudflares(ruled):
    gateway = ruled(plan="free")
    api = api_of(gateway)
    assert burst(gateway, 4) == [200] * 4
    made = api.put(ENTRYPOINT, {"rules": [rule(limit(2, timeout=10), PATH)]})
    assert made["phase"] == PHASE and made["rules"][0]["ratelimit"]["requests_to_origin"] is False
    assert burst(gateway, 3) == [200, 200, 429]
    bad = {"rules": [rule(dict(limit(2, timeout=10), characteristics=["ip.src"]), PATH)]}
    assert api.refused("PUT", ENTRYPOINT, bad) == (
        20155, "characteristics field is missing 'cf.colo.id', this is required as ratelimiting counting is processed at "
               "colocation level only", "/rules/0/ratelimit/characteristics")
    assert api.refused("PUT", ENTRYPOINT, {"rules": [rule(limit(2, period=60, timeout=10), PATH)]}) == (
        None, "not entitled to use the period 60, can only use a period among [10]", "/rules/0/ratelimit/period")
    assert api.refused("PUT", ENTRYPOINT, {"rules": [rule(limit(2, timeout=10), PATH, "skip")]})[0] == 20016
    assert burst(gateway, 1) == [429]
    api.put(ENTRYPOINT, {"rules": []})
    assert burst(gateway, 4) == [200] * 4


def test_counters_of_unchanged_rules_survive_a_put(ruled):
    gateway = ruled(rule(limit(3), 'http.request.uri.path eq "/kept"'), rule(limit(3), 'http.request.uri.path eq "/changed"'))
    api = api_of(gateway)
    assert burst(gateway, 2, "/kept") + burst(gateway, 2, "/changed") == [200] * 4
    rules = api.get(ENTRYPOINT)["rules"]
    rules[0]["description"] = "only words"
    rules[1]["ratelimit"]["requests_per_period"] = 2
    api.put(ENTRYPOINT, {"rules": [rule(limit(9), 'http.request.uri.path eq "/new"'), *rules]})
    assert burst(gateway, 2, "/kept") == [200, 429]
    assert burst(gateway, 3, "/changed") == [200, 200, 429]
    assert api.put("/rulesets/phases/http_request_cache_settings/entrypoint", {"rules": []})["rules"] == []
    assert burst(gateway, 1, "/kept") == [429]


def test_counters_survive_a_reload(ruled):
    gateway = ruled(rule(limit(2)))
    burst(gateway, 2)
    gateway.hang_up()
    wait_until(lambda: "configuration reloaded" in gateway.log(), "the reload")
    assert burst(gateway, 1) == [429]


# -- the admin's view

def test_counters_are_listed_and_forgotten(ruled):
    gateway = ruled(rule(limit(2, timeout=60), PATH, id="a" * 32), rule(limit(9), 'http.request.uri.path eq "/other"'))
    start_ms = gateway.now_ms()
    burst(gateway, 3)
    burst(gateway, 1, "/other", edge="AMS", ip="2001:db8::1")
    listed = gateway.api_json("/api/rate-rules")
    assert listed["cut"] is False
    assert sorted(listed["counters"], key=lambda c: c["rule"]) == [
        {"zone": "example.test", "rule": 1, "id": "a" * 32, "edge": "FRA", "values": "203.0.113.7", "count": 3, "limit": 2,
         "period_end_ms": start_ms + 10_000, "action_end_ms": start_ms + 60_000},
        {"zone": "example.test", "rule": 2, "id": "", "edge": "AMS", "values": "2001:db8::1", "count": 1, "limit": 9,
         "period_end_ms": start_ms + 10_000, "action_end_ms": 0}]
    assert gateway.api_json("/api/rate-rules", "DELETE") == {"forgotten": 2}
    assert gateway.api_json("/api/rate-rules")["counters"] == []
    assert burst(gateway, 2) == [200] * 2


@pytest.mark.parametrize("by, name", [('http.request.cookies["sid"]', "Cookie"), ('http.request.headers["x-api-key"]', "X_Api_Key")])
def test_counters_of_secrets_show_none(ruled, by, name):
    gateway = ruled(rule(limit(1, by=[by])))
    secrets = ["sid=canary-one", "sid=canary-two"]
    assert [get(gateway, **{name: secret}).status for secret in secrets * 2] == [200, 200, 429, 429]
    counters = gateway.api_json("/api/rate-rules")["counters"]
    assert len({c["values"] for c in counters}) == 2 and "canary" not in json.dumps(counters)


# -- explain

def explained(gateway, path="/", **question):
    answer = gateway.api_json("/api/explain", "POST", {"url": f"http://www.example.test{path}", "ip": "127.0.0.1",
                                                       "headers": {"CF-Connecting-IP": "203.0.113.7"}, **question})["result"]
    return answer, {step["step_name"]: step for step in answer["trace"]}


def test_explain_tells_the_count_and_what_would_happen(ruled):
    gateway = ruled(rule(limit(2, timeout=60, by=['http.request.headers["x-key"]']), 'http.request.uri.path eq "/"', id="a" * 32,
                         description="few"), rule(limit(9), PATH + " and ssl"))
    burst(gateway, 1)
    for _ in range(2):  # asking counts nothing
        answer, steps = explained(gateway)
    first, second = steps[PHASE]["trace"]
    assert (first["matched"], second["matched"]) == (True, False)
    assert "action_parameters" not in steps[PHASE]
    told = first["nearedge"]["ratelimit"]
    assert told == {"values": "203.0.113.7, (missing)", "requests_per_period": 2, "period": 10, "mitigation_timeout": 60,
                    "counted_with": "request", "count": 1, "would_act": False}
    assert answer["status_code"] is None
    burst(gateway, 1)
    answer, steps = explained(gateway)
    assert answer["status_code"] == 429
    assert answer["nearedge"]["verdict"] == ('The edge answers 429: rate limiting rule 1 "few" has counted 2 at FRA and allows 2 in '
                                             '10 s; it ends in 60.000 s.')
    assert burst(gateway, 1) == [429]
    assert explained(gateway, edge="AMS")[0]["status_code"] is None


def test_explain_from_files(ruled, tmp_path):
    gateway = ruled(rule(limit(2), description="few"))
    text = subprocess.run([BINARY, "explain", "-c", gateway.path("nearedge.json"), "http://www.example.test/"], capture_output=True,
                          text=True, check=True, timeout=60).stdout
    assert "Phase http_ratelimit\n" in text and "not simulated" not in text
    assert "       counts  127.0.0.1 at FRA: 2 in 10 s\n" in text


def test_rule_tests_know_the_rules_by_name(ruled, tmp_path):
    """A position is one of the cache rules; rate limiting rules have names."""
    cache = [{"action": "set_cache_settings", "expression": PATH, "description": "cached", "action_parameters": {"cache": True}}]
    gateway = ruled(rule(limit(2), 'http.request.uri.path eq "/login"', description="logins"), cache=cache)
    url = "http://www.example.test"
    (tmp_path / "rules.json").write_text(json.dumps({"config": gateway.path("nearedge.json"), "cases": [
        {"name": "login", "request": {"url": f"{url}/login", "method": "POST"}, "expect": {"only_rules": ["logins"]}},
        {"name": "page", "request": {"url": f"{url}/"}, "expect": {"only_rules": [1]}}]}))
    result = subprocess.run([BINARY, "rules", "test", "rules.json"], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60)
    assert result.stdout.endswith("2 passed, 0 failed\n"), result

# SPDX-License-Identifier: Apache-2.0
"""The team's cache rules on live requests, and how rules combine."""
import pytest
from edge import Reply

CI = "ci.hub-evolution.com"
STAGING = "staging.hub-evolution.com"


def rule(expression, enabled=True, **parameters):
    return {"description": expression[:40], "enabled": enabled, "action": "set_cache_settings",
            "action_parameters": parameters, "expression": expression}


TEAM = [
    rule(f'(http.host eq "{CI}") and ((http.cookie contains "session_id=") or (http.cookie contains "__Host-session="))',
         cache=False),
    rule(f'(http.host eq "{CI}") and ((http.request.uri.path eq "/en/login" or '
         'starts_with(http.request.uri.path, "/en/login/") or http.request.uri.path eq "/de/login" or '
         'starts_with(http.request.uri.path, "/de/login/")) or starts_with(http.request.uri.path, "/dashboard") or '
         'starts_with(http.request.uri.path, "/welcome") or starts_with(http.request.uri.path, "/welcome-profile"))',
         cache=False),
    rule(f'(http.host eq "{CI}") and starts_with(http.request.uri.path, "/api/")', cache=False),
    rule(f'(http.host eq "{CI}") and (http.request.uri.query contains "__no_cache")', cache=False),
]
EVERYTHING = rule("true", cache=True, edge_ttl={"mode": "override_origin", "default": 7200})


@pytest.fixture
def hub(start, origin):
    origin.default = Reply("x", cache_control="max-age=600")

    def begin(rules, **zone):
        return start(origin, zone=dict({"name": "hub-evolution.com", "hosts": [CI, STAGING]}, **zone), rules=rules)

    return begin


@pytest.mark.parametrize("path,headers,status", [
    ("/favicon.ico", {}, "MISS"),
    ("/page", {}, "MISS"),
    ("/favicon.ico", {"Cookie": "session_id=abc"}, "DYNAMIC"),
    ("/favicon.ico", {"Cookie": "theme=dark; __Host-session=xyz; a=b"}, "DYNAMIC"),
    ("/favicon.ico", {"Cookie": "my_session_id=1"}, "DYNAMIC"),
    ("/favicon.ico", {"Cookie": "SESSION_ID=abc"}, "MISS"),
    ("/favicon.ico", {"Cookie": "session_id"}, "MISS"),
    ("/favicon.ico?__no_cache=1", {}, "DYNAMIC"),
    ("/favicon.ico?a=1&__no_cache", {}, "DYNAMIC"),
    ("/favicon.ico?__NO_CACHE=1", {}, "MISS"),
    ("/api/health", {}, "DYNAMIC"),
    ("/api/x.css", {}, "DYNAMIC"),
    ("/apix.css", {}, "MISS"),
    ("/en/login", {}, "DYNAMIC"),
    ("/en/login/x", {}, "DYNAMIC"),
    ("/en/loginx", {}, "MISS"),
    ("/fr/login", {}, "MISS"),
    ("/dashboard", {}, "DYNAMIC"),
    ("/dashboards/x.css", {}, "DYNAMIC"),
    ("/welcome-profile", {}, "DYNAMIC"),
    ("/en/../api/x.css", {}, "DYNAMIC"),
    ("/%61pi/x.css", {}, "DYNAMIC"),
])
def test_team_rules_on_the_ci_host(hub, path, headers, status):
    gateway = hub([EVERYTHING] + TEAM)
    assert gateway.fetch(path, headers=headers, host=CI).cache == status
    assert gateway.fetch(path, headers=headers, host=CI).cache == {"MISS": "HIT"}.get(status, status)


def test_team_rules_leave_other_hosts_alone(hub):
    gateway = hub([EVERYTHING] + TEAM)
    for path, headers in (("/api/x", {}), ("/a?__no_cache=1", {}), ("/b", {"Cookie": "session_id=1"})):
        assert gateway.fetch(path, headers=headers, host=STAGING).cache == "MISS"
        assert gateway.fetch(path, headers=headers, host=STAGING).cache == "HIT"


def test_session_request_neither_reads_nor_writes_the_cache(hub, origin):
    gateway = hub([EVERYTHING] + TEAM)
    origin.on("/page", lambda request, _: Reply("for " + request.get("Cookie", "nobody")))
    cookie = {"Cookie": "session_id=alice"}
    assert gateway.fetch("/page", headers=cookie, host=CI).body == b"for session_id=alice"
    assert gateway.fetch("/page", host=CI).body == b"for nobody"
    assert gateway.fetch("/page", headers=cookie, host=CI).body == b"for session_id=alice"
    assert gateway.fetch("/page", host=CI).cache == "HIT"


def test_later_rule_wins(hub):
    bypass = rule('http.request.uri.path eq "/a.css"', cache=False)
    assert hub([EVERYTHING, bypass]).fetch("/a.css", host=CI).cache == "DYNAMIC"
    assert hub([bypass, EVERYTHING]).fetch("/a.css", host=CI).cache == "MISS"


def test_disabled_rule_does_nothing(hub):
    off = rule("true", enabled=False, cache=False)
    assert hub([EVERYTHING, off]).fetch("/page", host=CI).cache == "MISS"


def test_edge_ttl_override_outlives_the_origins_wish(hub, origin):
    origin.default = Reply("x", cache_control="max-age=5")
    gateway = hub([EVERYTHING])
    assert gateway.fetch("/page", host=CI).cache == "MISS"
    gateway.advance(7_199_000)
    hit = gateway.fetch("/page", host=CI)
    assert (hit.cache, hit.get("Cache-Control")) == ("HIT", "max-age=5")
    gateway.advance(2_000)
    assert gateway.fetch("/page", host=CI).cache == "EXPIRED"


def test_status_ttl_and_query_exclusion_of_an_exported_ruleset(start, origin):
    """The shape that GET .../rulesets/:id returns works as a file, envelope and all."""
    document = {"result": {"id": "3b1f6d0a9c7e4f28b5d4a1e60f82c973", "kind": "zone", "name": "default", "version": "7",
                           "last_updated": "2026-09-14T08:21:07.518234Z", "phase": "http_request_cache_settings", "rules": [
        {"id": "8e0c5d7b1fa24c0f9d61b7352e4fa819", "ref": "static", "version": "2", "enabled": True,
         "last_updated": "2026-08-02T15:40:55.107612Z", "description": "static", "action": "set_cache_settings",
         "expression": 'starts_with(http.request.uri.path, "/_astro/")',
         "action_parameters": {"cache": True, "cache_key": {"custom_key": {"query_string": {"exclude": {"all": True}}}},
                               "edge_ttl": {"mode": "override_origin", "default": 2592000},
                               "browser_ttl": {"mode": "override_origin", "default": 86400}}}]},
        "success": True, "errors": [], "messages": []}
    origin.default = Reply("x")
    gateway = start(origin, rules=document)
    assert gateway.fetch("/_astro/app?v=1").cache == "MISS"
    hit = gateway.fetch("/_astro/app?v=2")
    assert (hit.cache, hit.get("Cache-Control")) == ("HIT", "public, max-age=86400") or \
        (hit.cache, hit.get("Cache-Control")) == ("HIT", "max-age=86400")
    gateway.advance(30 * 86_400_000 - 1_000)
    assert gateway.fetch("/_astro/app").cache == "HIT"


def test_rules_see_method_country_and_address(start, origin):
    origin.default = Reply("x", cache_control="max-age=60")
    gateway = start(origin, trusted_proxies=["127.0.0.1/32"], rules=[
        rule("true", cache=True),
        rule('http.request.method eq "HEAD"', cache=False),
        rule("ip.src in {203.0.113.0/24}", cache=False),
        rule('ip.src.country eq "NL"', cache=False)])
    assert gateway.fetch("/a").cache == "MISS"
    assert gateway.fetch("/a", "HEAD").cache == "DYNAMIC"
    assert gateway.fetch("/a", headers={"CF-Connecting-IP": "203.0.113.5"}).cache == "DYNAMIC"
    assert gateway.fetch("/a", headers={"CF-Connecting-IP": "198.51.100.1"}).cache == "HIT"
    assert gateway.fetch("/a", headers={"X-Nearedge-Edge": "AMS"}).cache == "DYNAMIC"


def test_rule_matches_are_counted(hub):
    gateway = hub([EVERYTHING] + TEAM)
    for _ in range(3):
        gateway.fetch("/api/x", host=CI)
    assert gateway.metric("nearedge_rule_matches_total", phase="http_request_cache_settings") >= 6

# SPDX-License-Identifier: Apache-2.0
"""Who may ask, zones, accounts, settings, and how often a cache may be purged (spec/api-v4.md
sections 1, 2, 4 and 5)."""
import json

import pytest
from edge import Reply
from edge.api import ENTRYPOINT, ZONE_ID, Api, rule

VERIFY = "/client/v4/user/tokens/verify"
KEY = {"X-Auth-Email": "me@example.com", "X-Auth-Key": "0123456789abcdef0123456789abcdef01234"}
OK = {"Authorization": "Bearer s3cret"}


@pytest.fixture
def api(start, origin):
    return Api(start(origin))


# -- credentials

@pytest.fixture(scope="module")
def guarded(shared_start, shared_origin):
    return shared_start(shared_origin, env={"TEST_TOKEN": "s3cret", "TEST_KEY": KEY["X-Auth-Key"]}, admin={
        "address": "127.0.0.1:0", "token": "${TEST_TOKEN}", "api_email": KEY["X-Auth-Email"], "api_key": "${TEST_KEY}"})


@pytest.mark.parametrize("path, headers, status, code", [
    ("/rulesets", {}, 400, 9106), (VERIFY, {}, 400, 9106), ("/nothing", {}, 400, 9106),
    ("/rulesets", {"X-Auth-Email": "me@example.com"}, 400, 9106), ("/rulesets", {"X-Auth-User-Service-Key": "v1.0-x"}, 400, 9106),
    ("/rulesets", {"Authorization": "s3cret"}, 400, 6003), ("/rulesets", {"Authorization": "Basic s3cret"}, 400, 6003),
    ("/rulesets", {"Authorization": "Bearer wrong"}, 401, 10000), (VERIFY, {"Authorization": "Bearer wrong"}, 401, 1000),
    ("/rulesets", {**KEY, "X-Auth-Key": "wrong"}, 403, 9103), ("/rulesets", {**KEY, "X-Auth-Email": "you@example.com"}, 403, 9103),
    ("/rulesets", {**KEY, "Authorization": "Bearer wrong"}, 401, 10000),
    ("/rulesets", OK, 200, None), ("/rulesets", KEY, 200, None), (VERIFY, OK, 200, None), (VERIFY, KEY, 200, None),
    ("/rulesets", {**OK, "X-Auth-Email": "a", "X-Auth-Key": "b"}, 200, None)])
def test_credentials(guarded, path, headers, status, code):
    answer = Api(guarded).call("GET", path, status=status, headers=headers)
    if code:
        assert [e["code"] for e in answer["errors"]] == [code]
    if code == 6003:
        assert answer["errors"][0]["error_chain"] == [{"code": 6111, "message": "Invalid format for Authorization header"}]
    assert "s3cret" not in guarded.log() and KEY["X-Auth-Key"] not in guarded.log()


def test_without_a_token_whatever_is_sent_is_taken(api):
    for headers in ({}, OK, KEY, {"Authorization": "nonsense"}):
        answer = api.call("GET", VERIFY, headers=headers)
        assert answer["result"]["status"] == "active" and len(answer["result"]["id"]) == 32
        assert answer["messages"] == [{"code": 10000, "message": "This API Token is valid and active", "type": None}]


# -- routes

@pytest.mark.parametrize("method, path, status, codes, allow", [
    ("GET", "/client/v4/nothing", 404, [7003, 7000], None), ("GET", "/nothing", 404, [7003, 7000], None),
    ("GET", "/client/v4/accounts/x/rules/lists", 404, [7003, 7000], None),
    ("GET", "/client/v4/accounts/x/storage/kv/namespaces", 404, [7003, 7000], None),
    ("GET", "/client/v4/zones/" + "0" * 32, 404, [7003], None), ("GET", "/client/v4/zones/x/rulesets", 404, [7003], None),
    ("PUT", "/client/v4/zones/x" + ENTRYPOINT, 404, [7003], None), ("GET", "/client/v4/accounts/x", 404, [7003], None),
    ("PATCH", "/client/v4/zones/x/settings/cache_level", 404, [7003], None),
    ("DELETE", "/client/v4/zones", 405, [7001], "GET, HEAD"), ("PATCH", "/rulesets", 405, [7001], "GET, HEAD, POST"),
    ("POST", "/rulesets/x", 405, [7001], "GET, HEAD, PUT, DELETE"), ("GET", "/rulesets/x/rules/y", 405, [7001], "DELETE, PATCH"),
    ("DELETE", "/purge_cache", 405, [7001], "POST"), ("POST", ENTRYPOINT, 405, [7001], "GET, HEAD, PUT")])
def test_routing_errors(api, method, path, status, codes, allow):
    answer = api.call(method, path, {} if method in ("PUT", "PATCH", "POST") else None, status)
    assert [e["code"] for e in answer["errors"]] == codes and answer["result"] is None
    if codes[0] == 7003:
        where = path if path.startswith("/client") else f"/client/v4/zones/{ZONE_ID}{path}"
        assert answer["errors"][0]["message"] == f"Could not route to {where}, perhaps your object identifier is invalid?"
    if allow:
        assert answer["errors"][0]["message"] == f"{method} not supported for requested URI."
        assert answer["headers"]["Allow"] == allow


def test_body_that_is_too_large_is_refused_in_an_envelope(api):
    response = api.gateway.api(f"/client/v4/zones/{ZONE_ID}/rulesets", "POST", b" " * (17 << 20))
    assert response.status == 413 and json.loads(response.body)["success"] is False


# -- zones and accounts

def test_zone(start, origin):
    api = Api(start(origin, zone={"plan": "pro"}))
    zone = api.get("")
    assert (zone["id"], zone["name"], zone["status"], zone["type"], zone["paused"]) == (ZONE_ID, "example.test", "active", "full", False)
    assert (zone["plan"]["name"], zone["plan"]["legacy_id"], zone["development_mode"]) == ("Pro Website", "pro", 0)
    assert api.call("GET", "/client/v4/zones")["result"] == [zone]
    account, = api.get("/client/v4/accounts")
    assert {"id": account["id"], "name": account["name"]} == zone["account"]
    assert api.get(f"/client/v4/accounts/{account['id']}") == account
    assert api.get("/client/v4/accounts?page=2") == []


@pytest.fixture(scope="module")
def many(shared_start, shared_origin):
    """Zones zone-00.test to zone-29.test beside example.test."""
    gateway = shared_start.prepare(shared_origin)
    zone = gateway.config["zones"][0]
    gateway.config["zones"] += [dict(zone, name=f"zone-{n:02}.test", id=f"{n:032x}", hosts=[f"zone-{n:02}.test"]) for n in range(30)]
    return Api(gateway.start())


def test_zones_come_in_pages(many):
    seen, page = [], 1
    while True:
        answer = many.call("GET", f"/client/v4/zones?page={page}&per_page=7")
        info = answer["result_info"]
        assert info == {"page": page, "per_page": 7, "count": len(answer["result"]), "total_count": 31, "total_pages": 5}
        if not answer["result"]:
            break
        seen += [zone["name"] for zone in answer["result"]]
        page += 1
    assert page == 6 and len(set(seen)) == 31
    assert many.call("GET", "/client/v4/zones")["result_info"]["per_page"] == 20
    for query in ("per_page=x", "page=0", "page=-1", "per_page=0"):
        many.refused("GET", f"/client/v4/zones?{query}")


@pytest.mark.parametrize("query, count", [
    ("name=zone-07.test", 1), ("name=ZONE-07.test", 1), ("name=zone-07", 0), ("name=contains%3A-1", 10), ("name=starts_with:zone-2", 10),
    ("name=ends_with:7.test", 3), ("name=equal:zone-00.test", 1), ("name=not_equal:zone-00.test", 30), ("status=active", 31),
    ("status=pending", 0), ("status=pending&name=zone-00.test", 0), ("status=pending&name=zone-00.test&match=any", 1),
    ("account.name=nearedge", 31), ("account.id=x", 0), ("order=name&direction=desc", 31)])
def test_zones_are_filtered(many, query, count):
    assert many.call("GET", f"/client/v4/zones?per_page=50&{query}")["result_info"]["total_count"] == count


def test_zones_are_ordered(many):
    names = [zone["name"] for zone in many.get("/client/v4/zones?per_page=50&order=name&direction=desc")]
    assert names == sorted(names, reverse=True)


# -- settings

VALUES = {"cache_level": ("aggressive", ["basic", "simplified", "aggressive"], ["bypass", "AGGRESSIVE", 1, None, "on"]),
          "browser_cache_ttl": (0, [30, 14400, 31536000, 0], [1, 29, -30, "30", 1.5, 31536001, True]),
          "development_mode": ("off", ["on", "off"], [True, "yes", ""]),
          "always_online": ("off", ["on", "off"], [True, 1]),
          "sort_query_string_for_cache": ("off", ["on", "off"], [False, {}]),
          "always_use_https": ("off", ["on", "off"], [True, "yes"])}


@pytest.mark.parametrize("name", VALUES)
def test_setting(api, name):
    initial, good, bad = VALUES[name]
    setting = api.get(f"/settings/{name}")
    assert (setting["id"], setting["value"], setting["editable"], setting["modified_on"]) == (name, initial, True, None)
    for value in good:
        changed = api.patch(f"/settings/{name}", {"value": value})
        assert changed["value"] == value and changed["modified_on"]
        assert api.get(f"/settings/{name}") == changed
        assert [s for s in api.get("/settings") if s["id"] == name] == [changed]
        for wrong in bad:
            assert api.refused("PATCH", f"/settings/{name}", {"value": wrong})[:2] == (1007, f"Invalid value for zone setting {name}")
        assert api.refused("PATCH", f"/settings/{name}", {})[0] == 1007
        assert api.get(f"/settings/{name}") == changed


def test_ssl_of_an_origin_that_names_its_scheme_is_read_only(api):
    setting = api.get("/settings/ssl")
    assert (setting["value"], setting["editable"]) == ("flexible", False)
    code, message = api.refused("PATCH", "/settings/ssl", {"value": "strict"})[:2]
    assert code == 1007 and message.startswith("Invalid value for zone setting ssl: the URL of each origin")
    api.refused("PATCH", "/settings", {"items": [{"id": "always_use_https", "value": "on"}, {"id": "ssl", "value": "full"}]})
    assert api.get("/settings/always_use_https")["value"] == "off"  # all or none
    assert api.patch("/settings/ssl", {"value": "flexible"})["value"] == "flexible"  # what it is already


def test_ssl_modes(start, origin):
    api = Api(start(origin, zone={"origin": {"url": f"//{origin.address}"}}))
    assert api.get("/settings/ssl")["editable"] is True
    for mode in ("full", "strict", "flexible"):
        changed = api.patch("/settings/ssl", {"value": mode})
        assert (changed["value"], changed["editable"]) == (mode, True) and changed["modified_on"]
        assert api.get("/settings/ssl") == changed
    for wrong in ("origin_pull", "STRICT", "on", True, None):
        assert api.refused("PATCH", "/settings/ssl", {"value": wrong})[:2] == (1007, "Invalid value for zone setting ssl")
    assert "which this edge does not do" in api.refused("PATCH", "/settings/ssl", {"value": "off"})[1]
    assert api.get("/settings/ssl")["value"] == "flexible"


def test_always_use_https_is_live(api, origin):
    assert api.gateway.fetch("/a").status == 200
    api.patch("/settings/always_use_https", {"value": "on"})
    sent_on = api.gateway.fetch("/a")
    assert (sent_on.status, sent_on.get("Location")) == (301, "https://www.example.test/a") and origin.count() == 1
    api.patch("/settings/always_use_https", {"value": "off"})
    assert api.gateway.fetch("/a").status == 200


def test_unknown_setting(api):
    assert api.refused("GET", "/settings/nothing")[:2] == (1006, "Undefined zone setting: nothing")
    assert api.refused("PATCH", "/settings/nothing", {"value": "on"})[0] == 1006


def test_several_settings_at_once_or_none(api):
    items = [{"id": "cache_level", "value": "basic"}, {"id": "browser_cache_ttl", "value": 3600}]
    values = {s["id"]: s["value"] for s in api.patch("/settings", {"items": items})}
    assert (values["cache_level"], values["browser_cache_ttl"], values["always_online"]) == ("basic", 3600, "off")
    before = api.get("/settings")
    assert api.refused("PATCH", "/settings", {"items": [{"id": "cache_level", "value": "aggressive"}, {"id": "cache_level", "value": "x"}]})[0] == 1007
    for wrong in ({}, {"items": {}}, {"items": [5]}, {"items": [{"value": "on"}]}):
        api.refused("PATCH", "/settings", wrong)
    assert api.call("PATCH", "/settings/cache_level?dry_run=true", {"value": "simplified"})["result"] is None
    assert api.get("/settings") == before


def test_settings_are_live_and_outlive_changes_of_rules(api, origin):
    origin.default = Reply("x", cache_control="max-age=600")
    fetch = api.gateway.fetch
    assert [fetch("/a.css?x=1").cache, fetch("/a.css?x=2").cache] == ["MISS", "MISS"]
    api.patch("/settings/cache_level", {"value": "simplified"})
    assert [fetch("/b.css?x=1").cache, fetch("/b.css?x=2").cache] == ["MISS", "HIT"]
    api.put(ENTRYPOINT, {"rules": [rule()]})
    assert [fetch("/c.css?x=1").cache, fetch("/c.css?x=2").cache] == ["MISS", "HIT"]
    api.patch("/settings/cache_level", {"value": "aggressive"})
    api.patch("/settings/sort_query_string_for_cache", {"value": "on"})
    assert [fetch("/d?a=1&b=2").cache, fetch("/d?b=2&a=1").cache] == ["MISS", "HIT"]


def test_development_mode_ends_by_itself(api, origin):
    origin.default = Reply("x", cache_control="max-age=86400")
    gateway = api.gateway

    def left():
        setting = api.get("/settings/development_mode")
        assert api.get("")["development_mode"] == setting["time_remaining"]
        return setting["value"], setting["time_remaining"]

    assert [gateway.fetch("/a.css").cache for _ in range(2)] == ["MISS", "HIT"]
    assert left() == ("off", 0)
    api.patch("/settings/development_mode", {"value": "on"})
    assert left() == ("on", 10800)
    gateway.advance(10_799_000)
    assert left() == ("on", 1) and gateway.fetch("/a.css").cache != "HIT"
    gateway.advance(1000)
    assert left() == ("off", 0) and gateway.fetch("/a.css").cache == "HIT"
    gateway.advance(5000)
    assert left() == ("off", -5)
    api.patch("/settings/cache_level", {"value": "simplified"})  # does not bring it back
    assert left() == ("off", -5) and gateway.fetch("/a.css").cache == "HIT"
    api.patch("/settings/development_mode", {"value": "on"})
    gateway.advance(1000)
    assert left() == ("on", 10799) and gateway.fetch("/a.css").cache != "HIT"
    api.patch("/settings/development_mode", {"value": "off"})
    assert left() == ("off", 0) and gateway.fetch("/a.css").cache == "HIT"


def test_development_mode_of_the_configuration_stays(start, origin):
    origin.default = Reply("x", cache_control="max-age=600")
    api = Api(start(origin, zone={"settings": {"development_mode": "on"}}))
    api.patch("/settings/cache_level", {"value": "simplified"})
    api.gateway.advance(20_000_000)
    assert api.get("/settings/development_mode")["value"] == "on"
    assert [api.gateway.fetch("/a.css").cache == "HIT" for _ in range(2)] == [False, False]


# -- how often a cache may be purged

def purge(api, body, what="purge_cache"):
    return api.gateway.api(f"/client/v4/zones/{ZONE_ID}/{what}", "POST", body)


def test_purge_rate(api):
    everything, tags = {"purge_everything": True}, {"tags": ["a"]}
    for number in range(25):
        assert purge(api, (everything, tags)[number % 2], ("purge_cache", "invalidate_cache")[number % 3 == 0]).status == 200
    for what in ("purge_cache", "invalidate_cache"):
        refused = purge(api, tags, what)
        assert refused.status == 429 and json.loads(refused.body)["errors"][0]["code"] == 1083
        assert refused.get("Retry-After") == "12"
    assert purge(api, {"tags": []}).status in (200, 429)
    assert purge(api, {"files": ["http://www.example.test/a"]}).status == 200  # a bucket of its own
    assert purge(api, {"files": ["http://other.test/a"]}).status == 400
    api.gateway.advance(11_999)
    assert purge(api, tags).get("Retry-After") == "1"
    api.gateway.advance(1)
    assert [purge(api, tags).status for _ in range(2)] == [200, 429]
    api.gateway.advance(3_600_000)
    assert [purge(api, tags).status for _ in range(26)] == [200] * 25 + [429]


def test_purge_rate_of_urls(api):
    files = {"files": [f"http://www.example.test/{n}" for n in range(100)]}
    assert [purge(api, files).status for _ in range(9)] == [200] * 8 + [429]
    api.gateway.advance(125)
    assert [purge(api, files).status for _ in range(2)] == [200, 429]


def test_refused_purges_cost_nothing(api):
    for _ in range(30):
        assert purge(api, {"tags": [5]}).status == 400
        assert purge(api, {"tags": ["x"] * 101}).status == 400
    assert purge(api, {"tags": ["x"]}).status == 200


def test_purge_rate_is_the_plans(start, origin):
    api = Api(start(origin, zone={"plan": "enterprise"}))
    assert [purge(api, {"tags": ["x"]}).status for _ in range(501)] == [200] * 500 + [429]
    api.gateway.advance(20)
    assert purge(api, {"tags": ["x"]}).status == 200

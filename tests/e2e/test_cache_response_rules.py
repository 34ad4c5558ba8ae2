# SPDX-License-Identifier: Apache-2.0
"""Cache response rules (phase http_response_cache_settings): what they change in an origin's answer before the
cache looks at it, and what clients see of that."""
import subprocess

import pytest
from edge import Reply
from edge.api import Api
from edge.gateway import BINARY

PHASE = "http_response_cache_settings"
OVERRIDE = {"cache": True, "edge_ttl": {"mode": "override_origin", "default": 7200}}
EVERYTHING = {"cache": True}
DATE = "Wed, 21 Oct 2015 07:28:00 GMT"


def response_rule(action, parameters, expression="true"):
    return {"action": action, "action_parameters": parameters, "expression": expression}


def control(expression="true", **directives):
    return response_rule("set_cache_control", {n.replace("_", "-"): v for n, v in directives.items()}, expression)


def to(value=None, only=False, **more):
    change = {"operation": "set", "cloudflare_only": only, **more}
    return change if value is None else {**change, "value": value}


REMOVE = {"operation": "remove"}


@pytest.fixture
def serve(start, origin):
    """serve(rules, cache={…}, zone={…}): a gateway with these response rules over one cache rule."""

    def begin(rules, cache=None, zone=None):
        gateway = start.prepare(origin, zone=zone, rules=[
            {"action": "set_cache_settings", "expression": "true", "action_parameters": cache or EVERYTHING}])
        gateway.config["zones"][0]["rulesets"].append(gateway.write(
            "rulesets/response.json", {"phase": PHASE, "kind": "zone", "rules": rules}))
        return gateway.start()

    return begin


def test_vector_155(serve, origin):
    gateway = serve([control(s_maxage=to(3600, True))], OVERRIDE)
    origin.default = Reply("x", cache_control="s-maxage=600")
    responses = [gateway.fetch("/p") for _ in range(2)]
    gateway.advance(3_600_000)
    responses.append(gateway.fetch("/p"))
    gateway.advance(1_000)
    responses.append(gateway.fetch("/p"))
    assert [r.cache for r in responses] == ["MISS", "HIT", "HIT", "EXPIRED"]
    assert {r.get("Cache-Control") for r in responses} == {"s-maxage=600"}


@pytest.mark.parametrize("rules,says,sees,statuses", [
    ([control(max_age=to(60))], {}, "max-age=60", ["MISS", "HIT"]),
    ([control(max_age=to(60))], {"Cache-Control": "no-store"}, "no-store, max-age=60", ["BYPASS", "BYPASS"]),
    ([control(max_age=to(60), no_store=REMOVE)], {"Cache-Control": "no-store"}, "max-age=60", ["MISS", "HIT"]),
    ([control(max_age=to(60), private=REMOVE)], {"Cache-Control": 'private="a, b", max-age=1, foo="x,y"'},
     'foo="x,y", max-age=60', ["MISS", "HIT"]),
    ([control(no_store=to())], {"Cache-Control": "max-age=60"}, "max-age=60, no-store", ["BYPASS", "BYPASS"]),
    ([control(no_store=to(only=True))], {"Cache-Control": "max-age=60"}, "max-age=60", ["BYPASS", "BYPASS"]),
    ([control(private=to(qualifiers=["X-A", "X-B"]), max_age=to(60))], {}, 'private="X-A, X-B", max-age=60', ["MISS", "HIT"]),
    ([control(max_age=to(1)), control(max_age=to(60))], {}, "max-age=60", ["MISS", "HIT"]),
    ([control(no_store=to()), control(no_store=REMOVE)], {"Cache-Control": "max-age=60"}, "max-age=60", ["MISS", "HIT"]),
    ([control(max_age=REMOVE)], {"Cache-Control": "max-age=0"}, None, ["MISS", "HIT"]),
    ([control(max_age=to(60))], {"CDN-Cache-Control": "no-store"}, "max-age=60", ["MISS", "HIT"]),
    ([control("http.response.code eq 404", max_age=to(60))], {"Cache-Control": "no-store"}, "no-store", ["BYPASS", "BYPASS"]),
    ([control('http.response.headers["x-a"][0] eq "1"', max_age=to(60))], {"X-A": "1"}, "max-age=60", ["MISS", "HIT"]),
    ([control(immutable=to())], {"Expires": "Wed, 21 Oct 2099 07:28:00 GMT"}, "immutable", ["MISS", "HIT"]),
])
def test_directives(serve, origin, rules, says, sees, statuses):
    gateway = serve(rules)
    origin.default = Reply("x", headers=says)
    responses = [gateway.fetch("/p") for _ in statuses]
    assert [r.cache for r in responses] == statuses
    assert {r.get("Cache-Control") for r in responses} == {sees}
    assert all("Cloudflare-CDN-Cache-Control" not in r for r in responses)


def test_a_lifetime_from_here_beats_the_cache_rules(serve, origin):
    gateway = serve([control(max_age=to(60)), control('starts_with(http.request.uri.path, "/no")', no_store=to())], OVERRIDE)
    origin.default = Reply("x")
    assert [gateway.fetch("/no").cache for _ in range(2)] == ["BYPASS", "BYPASS"]
    assert gateway.fetch("/p").cache == "MISS"
    gateway.advance(61_000)
    assert gateway.fetch("/p").cache == "EXPIRED"


def test_hidden_directives_hold_after_a_304(serve, origin):
    gateway = serve([control("http.response.code eq 200", max_age=to(60, True))])

    def handler(request, _):
        same = {"cache_control": "max-age=5", "etag": '"v"'}
        return Reply(status=304, **same) if request.get("If-None-Match") else Reply("x", **same)

    origin.default = handler
    assert gateway.fetch("/p").cache == "MISS"
    for _ in range(3):
        gateway.advance(61_000)
        assert gateway.fetch("/p").cache == "REVALIDATED"
        gateway.advance(59_000)
        hit = gateway.fetch("/p")
        assert (hit.cache, hit.get("Cache-Control")) == ("HIT", "max-age=5")


def test_occ_counts_as_on(serve, origin):
    """no-cache without OCC would be BYPASS."""
    zone = {"plan": "enterprise", "settings": {"origin_cache_control": False}}
    gateway = serve([control('http.request.uri.path eq "/on"', immutable=to())], zone=zone)
    origin.default = Reply("x", cache_control="no-cache")
    assert gateway.fetch("/off").cache == "BYPASS"
    assert [gateway.fetch("/on").cache for _ in range(2)] == ["MISS", "EXPIRED"]


def test_strip_set_cookie_makes_it_storable(serve, origin):
    gateway = serve([response_rule("set_cache_settings", {"strip_set_cookie": True})])
    origin.default = Reply("x", cache_control="max-age=60", set_cookie="a=1")
    responses = [gateway.fetch("/p") for _ in range(2)]
    assert [r.cache for r in responses] == ["MISS", "HIT"]
    assert all("Set-Cookie" not in r for r in responses)


@pytest.mark.parametrize("strip,gone", [("strip_etags", ["ETag"]), ("strip_last_modified", ["Last-Modified"])])
def test_stripped_validators_are_not_replaced(serve, origin, strip, gone):
    gateway = serve([response_rule("set_cache_settings", {strip: True})])
    origin.default = Reply("x", cache_control="max-age=60", etag='"v"')
    origin.on("/dated", Reply("x", cache_control="max-age=60", last_modified=DATE))
    path = "/p" if strip == "strip_etags" else "/dated"
    for _ in range(2):
        response = gateway.fetch(path)
        assert all(name not in response for name in gone + ["ETag", "Last-Modified"])


def test_uncached_answers_are_changed_too(serve, origin):
    gateway = serve([control(max_age=to(7)), response_rule("set_cache_settings", {"strip_etags": True, "strip_set_cookie": True})],
                    {"cache": False})
    origin.default = Reply("x", etag='"v"', set_cookie="a=1")
    response = gateway.fetch("/p")
    assert (response.cache, response.get("Cache-Control")) == ("DYNAMIC", "max-age=7")
    assert "ETag" not in response and "Set-Cookie" not in response
    assert gateway.fetch("/p", "POST", body=b"x").get("Cache-Control") == "max-age=7"


@pytest.mark.parametrize("parameters,kept", [
    ({"operation": "add", "values": ["new"]}, {"one", "two", "new"}),
    ({"operation": "set", "values": ["new"]}, {"new"}),
    ({"operation": "remove", "values": ["ONE"]}, {"two"}),
    ({"operation": "add", "expression": 'http.response.headers["x-tags"]'}, {"one", "two", "t1", "t2", "t3"}),
    ({"operation": "set", "expression": 'concat("id-", lower(http.request.uri.path.extension))'}, {"id-css"}),
    ({"operation": "add", "expression": 'split(http.response.headers["x-keys"][0], " ", 64)'}, {"one", "two", "t1", "t2"}),
    ({"operation": "set", "expression": 'split(http.response.headers["x-tags"][0], ",", 1)'}, {"t1", "t2"}),
    ({"operation": "set", "expression": 'join(http.response.headers["x-tags"], ", ")'}, {"t1", "t2", "t3"}),
    ({"operation": "add", "expression": 'split(http.response.headers["x-absent"][0], ",", 9)'}, {"one", "two"}),
])
def test_tags(serve, origin, parameters, kept):
    gateway = serve([response_rule("set_cache_tags", parameters)])
    origin.default = Reply("x", cache_control="max-age=600", cache_tag="one, two", headers=[("X-Tags", "t1, t2"), ("X-Tags", "t3"), ("X-Keys", "t1 t2")])
    assert "Cache-Tag" not in gateway.fetch("/a.CSS")
    for tag in ("one", "two", "new", "t1", "t2", "t3", "id-css"):
        assert gateway.fetch("/a.CSS").cache == "HIT"
        Api(gateway).call("POST", "/purge_cache", {"tags": [tag]})
        assert gateway.fetch("/a.CSS").cache == ("MISS" if tag in kept else "HIT"), tag


@pytest.mark.parametrize("rule,message", [
    (response_rule("set_cache_control", {}), "at least one directive is required"),
    (response_rule("set_cache_control", {"max-age": {"operation": "set"}}), '"value" is required'),
    (response_rule("set_cache_control", {"max-age": {"operation": "add", "value": 1}}), "none of set, remove"),
    (response_rule("set_cache_control", {"no-store": {"operation": "set", "value": 1}}), 'unknown field "value"'),
    (response_rule("set_cache_control", {"private": {"operation": "set", "qualifiers": ['a"']}}), "name of a header"),
    (response_rule("set_cache_control", {"maxage": {"operation": "set"}}), 'did you mean "max-age"?'),
    (response_rule("set_cache_tags", {"operation": "add"}), 'either "values" or "expression"'),
    (response_rule("set_cache_tags", {"operation": "add", "values": ["a b"]}), "without space and comma"),
    (response_rule("set_cache_tags", {"operation": "add", "expression": "http.response.code"}), "Int"),
    (response_rule("set_cache_tags", {"operation": "add", "expression": "http.host extra"}), "unrecognised"),
    (response_rule("set_cache_tags", {"operation": "add", "expression": 'split(http.host, ".")'}), "invalid number of arguments"),
    (response_rule("set_cache_tags", {"operation": "add", "expression": 'split(http.host, ".", 129)'}), "the limit must be 1 to 128"),
    (response_rule("set_cache_settings", {"strip_etags": True}, "http.respons.code eq 1"), "http.respons"),
])
def test_mistakes_are_found(start, origin, rule, message):
    gateway = start.prepare(origin, rules={"phase": PHASE, "kind": "zone", "rules": [rule]})
    gateway.write_config(gateway.config)
    result = subprocess.run([BINARY, "check", "-c", "nearedge.json"], cwd=gateway.folder, capture_output=True, text=True, check=False)
    assert result.returncode != 0 and message in result.stdout + result.stderr, result


def test_through_the_api(start, origin):
    gateway = start(origin, rules=[{"action": "set_cache_settings", "expression": "true", "action_parameters": EVERYTHING}])
    origin.default = Reply("x", cache_control="no-store")
    assert gateway.fetch("/p").cache == "BYPASS"
    Api(gateway).put(f"/rulesets/phases/{PHASE}/entrypoint", {"rules": [control(no_store=REMOVE, max_age=to(60))]})
    assert [gateway.fetch("/p").cache for _ in range(2)] == ["MISS", "HIT"]

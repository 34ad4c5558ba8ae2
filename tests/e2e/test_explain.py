# SPDX-License-Identifier: Apache-2.0
"""explain: what the edge would do and why, from files and from a running gateway; and that it is what the edge does."""
import json
import os
import subprocess

import pytest
from edge import RawClient, Reply
from edge.gateway import BINARY, make_config

ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
RULES = os.path.join(ROOT, "tests", "rules")
HOST = "www.example.test"
UPDATE = "NEAREDGE_UPDATE_GOLDEN"  # set: the golden files are written instead of compared


def run(*arguments, cwd=None, env=None):
    return subprocess.run([BINARY, "explain", *arguments], capture_output=True, text=True, timeout=60, cwd=cwd, check=False,
                          stdin=subprocess.DEVNULL, env=dict(os.environ, **(env or {})))


def rule(expression, description="", **parameters):
    return {"action": "set_cache_settings", "expression": expression, "description": description, "action_parameters": parameters}


@pytest.fixture
def folder(tmp_path):
    """explain(URL, rules=…, limiters=…, zone=…) on a configuration of these."""

    class Folder:
        path = tmp_path

        def write(self, rules=(), limiters=None, zone=None, **top):
            zone = dict(zone or {}, rulesets=["rules.json"])
            (tmp_path / "rules.json").write_text(json.dumps({"phase": "http_request_cache_settings", "kind": "zone",
                                                             "name": "test", "rules": list(rules)}))
            if limiters:
                zone["limiters"] = "limiters.json"
                (tmp_path / "limiters.json").write_text(json.dumps(limiters))
            (tmp_path / "nearedge.json").write_text(json.dumps(make_config("http://127.0.0.1:9", zone, **top)))
            return self

        def text(self, *arguments):
            result = run("-c", "nearedge.json", *arguments, cwd=tmp_path)
            assert (result.returncode, result.stderr) == (0, ""), result
            return result.stdout

        def json(self, *arguments):
            return json.loads(self.text(*arguments, "--json"))["result"]

    return Folder()


# ---- the team's own files

TEAM = ["cache-rules-ci", "cache-rules-create", "cache-rules-rules"]
CI = "https://ci.hub-evolution.com"
QUESTIONS = [
    [f"{CI}/"],
    [f"{CI}/favicon.ico"],
    [f"{CI}/favicon.ico", "-H", "Cookie: session_id=1a2b"],
    [f"{CI}/favicon.ico", "-H", "Cookie: theme=dark; __Host-session=x"],
    [f"{CI}/favicon.ico?__no_cache=1"],
    [f"{CI}/en/login"],
    [f"{CI}/en/../de/%6Cogin/reset"],
    [f"{CI}/welcome-profile", "--edge", "AMS"],
    [f"{CI}/api/ai-image/generate", "-X", "POST"],
    ["https://staging.hub-evolution.com/api/health"],
]


@pytest.mark.parametrize("name", TEAM)
def test_golden(tmp_path, name):
    config = make_config("http://127.0.0.1:9000", {
        "name": "hub-evolution.com", "plan": "business", "hosts": ["ci.hub-evolution.com", "staging.hub-evolution.com"],
        "rulesets": [os.path.join(RULES, "team", f"{name}.json")]})
    (tmp_path / "nearedge.json").write_text(json.dumps(config))
    told = ""
    for question in QUESTIONS:
        result = run("-c", "nearedge.json", "--ip", "203.0.113.7", *question, cwd=tmp_path)
        assert (result.returncode, result.stderr) == (0, "")
        told += result.stdout + "\n" + "-" * 100 + "\n\n"
    path = os.path.join(RULES, "golden", f"{name}.txt")
    if os.environ.get(UPDATE):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(told)
    with open(path, encoding="utf-8") as file:
        assert told == file.read(), f"explain says something else than {path}; if that is right, set {UPDATE}=1"


# ---- from files

def test_the_verdict_stands_on_top(folder):
    folder.write([rule("true", "all", cache=True, edge_ttl={"mode": "override_origin", "default": 7200})])
    assert "keeps its answer for 7200 s, because rule 1 \"all\" says cache: true." in folder.text(f"http://{HOST}/x").splitlines()[1]
    assert "(DYNAMIC), because only GET and HEAD are cached." in folder.text(f"http://{HOST}/x", "-X", "POST").splitlines()[1]


def test_the_part_that_decided_and_its_value(folder):
    folder.write([rule('http.host eq "www.example.test" and (http.request.uri.path eq "/a" or starts_with(http.request.uri.path, "/b"))',
                       "two", cache=True)])

    def decided(url):
        steps = folder.json(url)["trace"][0]["trace"][0]["nearedge"]["parts"]
        return [(part["text"], part["value"], part.get("left")) for part in steps if part["decided"] and "left" in part]

    host = ('http.host eq "www.example.test"', True, '"www.example.test"')
    assert decided(f"http://{HOST}/bc") == [host, ('starts_with(http.request.uri.path, "/b")', True, '"/bc"')]
    assert decided(f"http://{HOST}/c") == [('http.request.uri.path eq "/a"', False, '"/c"'),
                                           ('starts_with(http.request.uri.path, "/b")', False, '"/c"')]
    assert decided("http://example.test/a") == [('http.host eq "www.example.test"', False, '"example.test"')]
    text = folder.text("http://example.test/a")
    assert 'is "example.test"' in text and 'is "/a"' not in text
    assert 'is "/a"' in folder.text("http://example.test/a", "--all")


def test_a_value_that_is_missing(folder):
    folder.write([rule('http.request.headers["x-a"][0] eq "1"', "", cache=True)])
    assert "has no value" in folder.text(f"http://{HOST}/")
    assert 'is "1"' in folder.text(f"http://{HOST}/", "-H", "X-A: 1")


def test_settings_accumulate_and_name_their_rule(folder):
    folder.write([rule("true", "first", cache=True, edge_ttl={"mode": "override_origin", "default": 60}),
                  dict(rule("true", "off", cache=False), enabled=False),
                  rule("true", "second", edge_ttl={"mode": "respect_origin"}, cache_reserve={"eligible": True})],
                 zone={"plan": "enterprise"})
    told = folder.json(f"http://{HOST}/x")
    assert told["trace"][0]["action_parameters"] == {"cache": True, "edge_ttl": {"mode": "respect_origin"},
                                                     "cache_reserve": {"eligible": True}}
    settings = told["nearedge"]["settings"]
    assert {name: setting["rule"] for name, setting in settings.items()} == {"cache": 1, "edge_ttl": 3, "cache_reserve": 3}
    assert settings["cache_reserve"]["simulated"] is False and settings["cache"]["simulated"] is True
    text = folder.text(f"http://{HOST}/x")
    assert '{"eligible":true}   from rule 3 "second"   accepted but not simulated' in text
    assert '  off    2 "off"\n' in text


def test_the_trace_has_the_apis_shape(folder):
    folder.write([dict(rule('http.request.uri.path eq "/a"', "a", cache=True), id="0" * 32, ref="my-rule"), rule('http.host eq "b.test"', "b", cache=True)])
    told = folder.json(f"https://{HOST}/a?x=1")
    ruleset, cache = told["trace"]
    assert (ruleset["step_name"], ruleset["type"], ruleset["matched"], ruleset["name"], ruleset["kind"]) == \
        ("http_request_cache_settings", "ruleset", True, "test", "zone")
    first, second = ruleset["trace"]
    assert (first["step_name"], first["type"], first["matched"], first["description"], first["action"], first["action_parameters"],
            first["expression"]) == ("0" * 32, "rule", True, "a", "set_cache_settings", {"cache": True}, 'http.request.uri.path eq "/a"')
    assert second["matched"] is False
    assert (cache["step_name"], cache["type"], cache["matched"], cache["public_name"]) == ("request", "cache", True, "Cache Parameters")
    assert cache["cache"]["key"] == {"zone_id": "0123456789abcdef0123456789abcdef", "scheme": "http", "host": HOST, "uri": "/a?x=1"}
    assert "url=http://www.example.test/a?x=1\n" in cache["cache"]["key_string"]


def test_normalisation_client_and_place(folder):
    folder.write(trusted_proxies=["127.0.0.1/32"])
    told = folder.json(f"http://{HOST}:8080/a/../%7eb?q=%41#part", "-H", "CF-Connecting-IP: 198.51.100.9", "-H", "X-Nearedge-Edge: AMS")
    request = told["nearedge"]["request"]
    assert (request["path"], request["query"], request["raw_path"]) == ("/~b", "q=A", "/a/../%7eb")
    assert (request["client_ip"], request["edge"], request["country"]) == ("198.51.100.9", "AMS", "NL")
    stranger = folder.json(f"http://{HOST}/", "--ip", "192.0.2.1", "-H", "CF-Connecting-IP: 198.51.100.9", "-H", "X-Nearedge-Edge: AMS")
    assert (stranger["nearedge"]["request"]["client_ip"], stranger["nearedge"]["request"]["edge"]) == ("192.0.2.1", "FRA")
    text = folder.text(f"http://{HOST}/a/../b", "-H", "CF-Connecting-IP: 198.51.100.9")
    assert "/b   (sent as /a/../b)" in text and "198.51.100.9   (said by the trusted peer 127.0.0.1)" in text


def test_country(folder):
    folder.write([rule('ip.src.country eq "JP" and ip.src.continent eq "AS"', "", cache=True)])
    assert folder.json(f"http://{HOST}/", "--country", "JP")["trace"][0]["matched"] is True
    assert folder.json(f"http://{HOST}/")["trace"][0]["matched"] is False
    assert run("-c", "nearedge.json", f"http://{HOST}/", "--country", "XX", cwd=folder.path).returncode == 2


def test_rules_of_the_response_are_named(folder, tmp_path):
    folder.write([rule("true", "all", cache=True)])
    (tmp_path / "response.json").write_text(json.dumps({"phase": "http_response_cache_settings", "kind": "zone", "rules": [
        {"action": "set_cache_settings", "expression": "http.response.code eq 200", "description": "later",
         "action_parameters": {"strip_etags": True}}]}))
    config = json.loads((tmp_path / "nearedge.json").read_text())
    config["zones"][0]["rulesets"].append("response.json")
    (tmp_path / "nearedge.json").write_text(json.dumps(config))
    text = folder.text(f"http://{HOST}/")
    assert "no effect here" not in text and "(needs the origin's response)" in text
    phases = [step["step_name"] for step in folder.json(f"http://{HOST}/")["trace"]]
    assert phases == ["http_request_cache_settings", "http_response_cache_settings", "request"]


LIMITERS = {"limiters": [{"name": "few", "limit": 2, "window_ms": 60000, "store": "durable_object", "key": "${ip}:${user}"},
                         {"name": "placed", "limit": 2, "window_ms": 60000, "store": "memory", "key": "${ip}"}],
            "routes": [{"path": "/free", "limiter": None}, {"path": "/placed", "limiter": "placed"}, {"path": "/few/:id", "limiter": "few"}]}


def test_the_limiter_and_its_key(folder):
    folder.write(limiters=LIMITERS, zone={"user_from": "header:X-User"})
    told = folder.json(f"http://{HOST}/few/1", "--ip", "203.0.113.7", "-H", "X-User: eve")["nearedge"]["limiter"]
    assert (told["name"], told["route"], told["key"], told["limit"], told["store"]) == ("few", "/few/:id", "203.0.113.7:eve", 2, "durable_object")
    assert "count" not in told
    assert "the route is exempt" in folder.text(f"http://{HOST}/free")
    assert "no route fits" in folder.text(f"http://{HOST}/other")


@pytest.mark.parametrize("arguments, status, word", [
    (["http://nowhere.test/"], 404, "no zone has this host"),
    ([f"http://{HOST}/", "-X", "TRACE"], 405, "method"),
    ([f"http://{HOST}/", "-X", "CONNECT"], 405, "method"),
    ([f"http://{HOST}/", "-H", "CDN-Loop: cloudflare"], 403, "CDN-Loop"),
    ([f"http://{HOST}/" + "x" * 20000], 414, ""),
    ([f"http://{HOST}/", "-H", *["X: " + "y" * 9000, "-H"] * 15, "X: y"], 431, ""),
    ([f"http://{HOST}/", "-H", "Content-Length: 1", "-H", "Transfer-Encoding: chunked"], 400, ""),
    ([f"http://{HOST}/", "-H", "Host: a b"], 400, ""),
    ([f"http://{HOST}/", "-X", "get"], 400, ""),
])
def test_requests_that_get_no_further(folder, arguments, status, word):
    folder.write()
    told = folder.json(*arguments)
    assert told["status_code"] == status and told["trace"] == []
    assert f"answers {status}" in folder.text(*arguments) and word in told["nearedge"]["verdict"]


@pytest.mark.parametrize("arguments", [
    ["-c", "nearedge.json"], [f"http://{HOST}/"], ["-c", "nearedge.json", "/path"], ["-c", "nearedge.json", "ftp://x/"],
    ["-c", "nearedge.json", f"http://{HOST}/", "more"], ["-c", "nearedge.json", f"http://{HOST}/", "-H", "nothing"],
    ["-c", "nearedge.json", f"http://{HOST}/", "-H", "X: a\r\nY: b"], ["-c", "nearedge.json", f"http://{HOST}/", "--ip", "1.2.3"],
    ["-c", "nearedge.json", f"http://{HOST}/", "--edge", "QQQ"], ["-c", "nearedge.json", f"http://{HOST}/", "--nonsense"],
])
def test_wrong_usage(folder, arguments):
    folder.write()
    result = run(*arguments, cwd=folder.path)
    assert (result.returncode, result.stdout) == (2, "") and result.stderr


def test_a_bad_configuration_is_3(folder):
    folder.write([rule("http.host eq", "")])
    result = run("-c", "nearedge.json", f"http://{HOST}/", cwd=folder.path)
    assert (result.returncode, result.stdout) == (3, "") and "rules.json:" in result.stderr


def test_no_colour_and_no_escapes_off_a_terminal(folder):
    folder.write([rule("true", "bell \u0007 \u009b31m", cache=True)])
    assert "\x1b" not in folder.text(f"http://{HOST}/") and "\x07" not in folder.text(f"http://{HOST}/")


# ---- from a running gateway, and compared with what it does

def ask(gateway, path="/", **members):
    return gateway.api_json("/api/explain", "POST", dict({"url": f"http://{HOST}{path}"}, **members))["result"]


def test_live_cache(start, origin):
    gateway = start(origin)
    origin.default = Reply("x", cache_control="max-age=60, stale-while-revalidate=30")
    assert ask(gateway, "/a.css")["trace"][-1]["nearedge"]["lookup"] == {"found": "absent"}
    gateway.fetch("/a.css")
    gateway.advance(20_500)
    found = ask(gateway, "/a.css")
    assert found["status_code"] == 200
    assert found["trace"][-1]["nearedge"]["lookup"] == {"found": "fresh", "status": 200, "age_s": 20, "fresh_ms": 39_500, "serve_stale": False}
    assert "(HIT), fresh for another 39.500 s" in found["nearedge"]["verdict"]
    assert ask(gateway, "/a.css", edge="AMS")["trace"][-1]["nearedge"]["lookup"] == {"found": "absent"}
    gateway.advance(40_000)
    stale = ask(gateway, "/a.css")
    assert stale["trace"][-1]["nearedge"]["lookup"]["serve_stale"] is True and "(UPDATING)" in stale["nearedge"]["verdict"]
    gateway.advance(40_000)
    assert "EXPIRED" in ask(gateway, "/a.css")["nearedge"]["verdict"]
    assert origin.count() == 1  # nobody was asked for an explanation


def test_live_limiter(start, origin):
    gateway = start(origin, limiters=LIMITERS)
    limiter = ask(gateway, "/few/1")["nearedge"]["limiter"]
    assert (limiter["count"], limiter["would_refuse"]) == (0, False)
    for _ in range(3):
        gateway.fetch("/few/1")
    told = ask(gateway, "/few/1")
    assert (told["status_code"], told["nearedge"]["limiter"]["count"]) == (429, 2)
    assert told["nearedge"]["verdict"] == 'The edge answers 429: limiter "few" has admitted 2 of 2, and its window ends in 60.000 s.'
    assert ask(gateway, "/few/1", ip="203.0.113.7")["nearedge"]["limiter"]["count"] == 0
    gateway.advance(60_000)
    assert ask(gateway, "/few/1")["status_code"] is None
    assert gateway.fetch("/few/1").status == 200  # explaining has counted nothing


def test_live_limiter_of_a_place(start, origin):
    gateway = start(origin, limiters=LIMITERS, trusted_proxies=["127.0.0.1/32"])
    for _ in range(2):
        gateway.fetch("/placed", headers={"X-Nearedge-Edge": "AMS", "X-Nearedge-Isolate": "1"})

    def count(**headers):
        return ask(gateway, "/placed", headers=headers)["nearedge"]["limiter"]["count"]

    assert count(**{"X-Nearedge-Edge": "AMS", "X-Nearedge-Isolate": "1"}) == 2
    assert count(**{"X-Nearedge-Edge": "AMS", "X-Nearedge-Isolate": "0"}) == 0
    assert count() == 0


def test_live_limiter_with_redis(start, origin, redis):
    gateway = start(origin, limiters=LIMITERS, limiter={"backend": redis.url})
    for _ in range(2):
        gateway.fetch("/few/1")
    assert ask(gateway, "/few/1")["status_code"] == 429
    redis.stop()
    told = ask(gateway, "/few/1")["nearedge"]["limiter"]
    assert told["name"] == "few" and "count" not in told


def test_trace_api(start, origin):
    gateway = start(origin, rules=[rule('ip.src.country eq "JP" and http.cookie contains "a=1"', "", cache=True)])
    path = "/client/v4/accounts/0123456789abcdef0123456789abcdef/request-tracer/trace"
    answer = gateway.api_json(path, "POST", {
        "url": f"https://{HOST}/x", "method": "GET", "protocol": "HTTP/1.1", "skip_response": True, "cookies": {"a": "1", "b": "2"},
        "headers": {"X-A": "1"}, "body": {"plain_text": ""}, "context": {"geoloc": {"iso_code": "JP"}, "bot_score": 50}})
    assert (answer["success"], answer["errors"], answer["messages"]) == (True, [], [])
    assert [step["matched"] for step in answer["result"]["trace"]] == [True, True]
    missing = gateway.api(path, "POST", {"url": f"https://{HOST}/x"})
    told = json.loads(missing.body)
    assert (missing.status, told["success"], told["errors"][0]["message"]) == (400, False, '"method" is required')


@pytest.mark.parametrize("body", [b"", b"{", [], {}, {"url": 1}, {"url": "/x"}, {"url": f"http://{HOST}/", "headers": []},
                                  {"url": f"http://{HOST}/", "headers": {"X": "a\r\nb"}}, {"url": f"http://{HOST}/", "ip": "x"},
                                  {"url": f"http://{HOST}/", "edge": "QQQ"}, {"url": f"http://{HOST}/", "uri": "x"},
                                  {"url": f"http://{HOST}/", "cookies": "a=1"}, {"url": f"http://{HOST}/", "country": "XX"}])
def test_bad_questions_are_400(gateway, body):
    answer = gateway.api("/api/explain", "POST", body)
    assert answer.status == 400 and json.loads(answer.body)["error"]["message"]


def test_a_client_that_does_not_wait(start, origin):
    gateway = start(origin, limiters=LIMITERS)
    for _ in range(20):
        body = json.dumps({"url": f"http://{HOST}/few/1"}).encode()
        client = RawClient(gateway.admin)
        client.send(b"POST /api/explain HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        client.close()
    assert ask(gateway, "/few/1")["nearedge"]["limiter"]["count"] == 0


AGREEMENT = [("/a.css", {}), ("/a.css?x=1", {}), ("/page", {}), ("/page", {"X-Cache": "1"}), ("/api/x.png", {}), ("/robots.txt", {}),
             ("/a/../api/y.png", {}), ("/a.css", {"Cookie": "session=1"}), ("/%61.css", {}), ("/page", {"X-Cache": "2", "Cookie": "session=1"})]


@pytest.mark.parametrize("scope", ["incoming", "none"])
def test_what_is_said_is_what_is_done(start, origin, scope):
    """The same questions asked and done: eligibility, and then the look-up by the key that was named."""
    rules = [rule('http.request.headers["x-cache"][0] ne ""', "wish", cache=True, edge_ttl={"mode": "override_origin", "default": 7200}),
             rule('starts_with(http.request.uri.path, "/api/")', "api", cache=False),
             rule('http.cookie contains "session="', "session", cache=False)]
    gateway = start(origin, rules=rules, zone={"settings": {"url_normalization": {"type": "rfc3986", "scope": scope}}})
    origin.default = Reply("x", cache_control="max-age=60")
    for path, headers in AGREEMENT:
        eligible = ask(gateway, path, headers=headers)["trace"][-1]["nearedge"]["eligible"]
        before = ask(gateway, path, headers=headers)["trace"][-1]["nearedge"]["lookup"]
        status = gateway.fetch(path, headers=headers).cache
        after = ask(gateway, path, headers=headers)["trace"][-1]["nearedge"]["lookup"]
        if not eligible:
            assert (status, before, after) == ("DYNAMIC", None, None), path
        else:
            assert status == ("HIT" if before["found"] == "fresh" else "MISS"), path
            assert after["found"] == "fresh", path

# SPDX-License-Identifier: Apache-2.0
"""rules test: expectations about a zone's rules, with the place and the cause of each failure."""
import json
import os
import subprocess

import pytest
from edge.gateway import BINARY

ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
TEAM = os.path.join(ROOT, "config", "hub-evolution", "tests", "cache-rules.test.json")
RULESET = {"phase": "http_request_cache_settings", "kind": "zone", "rules": [
    {"ref": "pages", "description": "All pages", "action": "set_cache_settings", "expression": "true",
     "action_parameters": {"cache": True, "edge_ttl": {"mode": "override_origin", "default": 7200}}},
    {"ref": "no-api", "description": "No API", "action": "set_cache_settings",
     "expression": 'http.host eq "a.test" and starts_with(http.request.uri.path, "/api/")', "action_parameters": {"cache": False}},
    {"ref": "never", "description": "Switched off", "enabled": False, "action": "set_cache_settings", "expression": "true",
     "action_parameters": {"cache": False}},
    {"ref": "old", "description": "Old browsers", "action": "set_cache_settings", "expression": 'http.request.headers["x-old"][0] eq "1"',
     "action_parameters": {"cache": False}}]}
LIMITERS = {"limiters": [{"name": "few", "limit": 2, "window_ms": 60000, "store": "durable_object", "key": "${ip}"}],
            "routes": [{"path": "/free", "limiter": None}, {"path": "/api/*", "limiter": "few"}]}


@pytest.fixture
def test_files(tmp_path):
    """run(cases, **members of the file) → (exit code, stdout, stderr)."""
    (tmp_path / "rules.json").write_text(json.dumps(RULESET))
    (tmp_path / "limiters.json").write_text(json.dumps(LIMITERS))

    def run(cases, *options, text=None, **members):
        document = {"rules": "rules.json", "limiters": "limiters.json", "cases": cases, **members}
        path = tmp_path / "x.test.json"
        path.write_text(text or json.dumps({key: value for key, value in document.items() if value is not None}, indent=1))
        result = subprocess.run([BINARY, "rules", "test", *options, "x.test.json"], capture_output=True, text=True, timeout=60,
                                cwd=tmp_path, check=False, stdin=subprocess.DEVNULL)
        return result.returncode, result.stdout, result.stderr

    run.folder = tmp_path
    return run


def case(expect, url="http://a.test/api/x", **request):
    return {"name": "it", "request": {"url": url, **request}, "expect": expect}


def test_the_teams_rules():
    result = subprocess.run([BINARY, "rules", "test", TEAM], capture_output=True, text=True, timeout=60, check=False)
    lines = result.stdout.splitlines()
    assert result.returncode == 0, result.stdout + result.stderr
    assert lines[-2].endswith("4 of 4 rules matched at least once")
    passed = int(lines[-1].split()[0])
    assert passed >= 15 and lines[-1] == f"{passed} passed, 0 failed"


@pytest.mark.parametrize("expect", [
    {"rules": [1, "no-api"], "not_rules": ["old", "Switched off", 3]}, {"only_rules": ["All pages", 2]}, {"cache": "bypass"},
    {"settings": {"cache": False, "edge_ttl": {"default": 7200}, "browser_ttl": None}}, {"limiter": "few", "limiter_key": "127.0.0.1"},
    {"key": "url=http://a.test/api/x"}, {"key": ["edge=FRA"]}, {"refused": 0},
])
def test_expectations_that_hold(test_files, expect):
    code, out, err = test_files([case(expect)])
    assert (code, out.splitlines()[-1], err) == (0, "1 passed, 0 failed", "")


@pytest.mark.parametrize("expect, found", [
    ({"rules": ["old"]}, 'rule 4 "Old browsers" does not match: http.request.headers["x-old"][0] eq "1" is false, its left side has no value'),
    ({"rules": [3]}, 'rule 3 "Switched off" does not match: it is switched off'),
    ({"rules": [9]}, "there is no rule"), ({"rules": ["All page"]}, "there is no rule"), ({"rules": 1}, "a list of rules"),
    ({"not_rules": [2]}, 'rule 2 "No API" matches: http.host eq "a.test" is true, its left side is "a.test"'),
    ({"only_rules": [1]}, 'rule 2 "No API" matches too'), ({"only_rules": []}, 'rule 1 "All pages" matches too'),
    ({"cache": "eligible"}, "the request is bypass: a cache rule says cache: false"), ({"cache": "hit"}, '"cache" is "eligible"'),
    ({"settings": {"edge_ttl": {"default": 7201}}}, 'it is {"mode":"override_origin","default":7200}, from rule 1 "All pages"'),
    ({"settings": {"edge_ttl": None}}, "it is {"), ({"settings": {"browser_ttl": {}}}, "no rule that matched sets it"),
    ({"settings": {"edge-ttl": {}}}, "there is no cache setting of this name"),
    ({"limiter": None}, 'it is counted by "few", by its route /api/*'), ({"limiter": "many"}, 'it is counted by "few"'),
    ({"limiter_key": "127.0.0.2"}, 'the limiter\'s key is "127.0.0.1"'), ({"key": "edge=AMS"}, "edge=FRA"),
    ({"refused": 404}, "it is not refused"), ({}, "the case tests nothing"), ({"rule": [1]}, 'did you mean "rules"?'),
])
def test_expectations_that_do_not_hold(test_files, expect, found):
    code, out, _ = test_files([case(expect)])
    assert (code, out.splitlines()[-1]) == (4, "0 passed, 1 failed")
    assert found in out


@pytest.mark.parametrize("url, expect, found", [
    ("http://a.test/other", {"limiter": "few"}, "no limiter counts it: no route fits"),
    ("http://a.test/free", {"limiter": "few"}, "no limiter counts it: its route is exempt"),
    ("nonsense", {"cache": "eligible"}, '"nonsense" is no URL'),
    ("http://a b/", {"cache": "eligible"}, "the request is refused with 400"),
])
def test_other_requests(test_files, url, expect, found):
    code, out, _ = test_files([case(expect, url)])
    assert code == 4 and found in out


def test_a_failure_tells_its_place(test_files):
    text = """{
  // comments are allowed
  "rules": ["rules.json"],
  "cases": [
    { "name": "pages are cached",
      "request": { "url": "http://a.test/" },
      "expect": { "cache": "eligible",
                  "rules": [1, "no-api"] } }
  ]
}
"""
    code, out, _ = test_files(None, text=text)
    assert code == 4
    assert 'x.test.json:8:32: error: pages are cached: rule 2 "No API" does not match' in out
    assert "^" in out


def test_a_request_that_is_refused(test_files):
    code, out, _ = test_files([case({"rules": [1]}, method="TRACE"), case({"refused": 405}, method="TRACE")])
    assert code == 4 and "the request is refused with 405" in out and out.endswith("1 passed, 1 failed\n")


def test_coverage(test_files):
    _, out, _ = test_files([case({"cache": "eligible"}, "http://a.test/")])
    assert "x.test.json: rule 2 of 4 never matched: No API\n" in out
    assert "rule 4 of 4 never matched: Old browsers" in out and "Switched off" not in out
    assert "1 of 3 rules matched at least once" in out


def test_json(test_files):
    code, out, _ = test_files([case({"cache": "bypass"}), case({"cache": "eligible", "rules": [4]})], "--json")
    told = json.loads(out)
    assert (code, told["passed"], told["failed"]) == (4, 1, 1)
    file = told["files"][0]
    assert [c["passed"] for c in file["cases"]] == [True, False]
    failures = file["cases"][1]["failures"]
    assert len(failures) == 2 and all(f["line"] > 1 and f["column"] > 1 and f["message"] for f in failures)
    assert file["coverage"]["rules"] == 3 and [n["position"] for n in file["coverage"]["never"]] == [4]


def test_country_edge_and_plan(test_files):
    (test_files.folder / "rules.json").write_text(json.dumps({"rules": [
        {"description": "regex", "action": "set_cache_settings", "action_parameters": {"cache": True},
         "expression": 'http.request.uri.path matches "^/a" and ip.src.country eq "JP"'}]}))
    code, _, err = test_files([case({"rules": [1]}, "http://a.test/a", country="JP")])
    assert code == 3 and "rules.json" in err  # the free plan has no "matches"
    code, out, err = test_files([case({"rules": [1]}, "http://a.test/a", country="JP"), case({"rules": []}, "http://a.test/a")], plan="business")
    assert (code, out.splitlines()[-1]) == (0, "2 passed, 0 failed"), out + err


@pytest.mark.parametrize("members, message", [
    ({"rules": None}, '"config" or "rules"'), ({"config": "x.json"}, '"config" or "rules"'), ({"rules": "missing.json"}, "missing.json"),
    ({"plan": "cheap"}, "free, pro, business or enterprise"), ({"cases": []}, '"cases" is a list'), ({"rulez": 1}, 'did you mean "rules"?'),
    ({"cases": [1]}, "a case is an object"), ({"cases": [{"request": {}, "expect": {}}]}, '"name"'),
    ({"cases": [{"name": "x", "request": {}}]}, '"expect"'),
])
def test_files_that_are_wrong(test_files, members, message):
    code, out, err = test_files(**{"cases": [case({"cache": "bypass"})], **members})
    assert (code, out) == (1, "0 passed, 0 failed\n")
    assert message in err and "x.test.json:" in err


def test_an_invalid_ruleset_is_3(test_files):
    (test_files.folder / "rules.json").write_text('{"rules": [{"action": "set_cache_settings", "expression": "nope"}]}')
    code, _, err = test_files([case({"cache": "bypass"})])
    assert code == 3 and "rules.json:1:" in err


def test_vectors_and_tests_in_one_run(test_files):
    vectors = [{"id": "v-1", "expression": "true", "expect": True, "why": "", "request": {"method": "GET", "host": "a.test", "path": "/"}}]
    (test_files.folder / "vectors.json").write_text(json.dumps(vectors))
    code, out, _ = test_files([case({"cache": "bypass"})], "vectors.json")
    assert (code, out.splitlines()[-1]) == (0, "2 passed, 0 failed")
    code, out, _ = test_files([case({"cache": "bypass"})], "--json", "vectors.json")
    assert code == 0 and [file["passed"] for file in json.loads(out)["files"]] == [1, 1]

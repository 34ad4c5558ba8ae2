# SPDX-License-Identifier: Apache-2.0
"""The verbs as a user types them: what they print where, and with which exit code they end."""
import json
import os
import subprocess

import pytest
from edge import Gateway, Reply, fetch
from edge.gateway import BINARY, make_config

ROOT = os.path.join(os.path.dirname(__file__), "..", "..")


def run(*arguments, cwd=None, env=None):
    return subprocess.run([BINARY, *arguments], capture_output=True, text=True, timeout=60, cwd=cwd, check=False,
                          stdin=subprocess.DEVNULL, env=dict(os.environ, **(env or {})))


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "nearedge.json").write_text(json.dumps(make_config("http://127.0.0.1:9000")))
    return tmp_path


def test_version():
    result = run("version")
    assert result.returncode == 0 and result.stdout.startswith("nearedge ") and result.stderr == ""
    told = json.loads(run("version", "--json").stdout)
    assert told["version"] in result.stdout
    assert run("--version").stdout == result.stdout


def test_help_names_every_verb():
    result = run("help")
    assert result.returncode == 0
    for verb in ("run", "check", "rules", "limits", "purge", "clock", "healthcheck", "version", "completion"):
        assert verb in result.stdout
    assert "--ready-file" in run("help", "run").stdout
    assert run("--help").returncode == 0
    assert run("run", "--help").returncode == 0


@pytest.mark.parametrize("arguments", [[], ["nonsense"], ["run", "--nonsense"], ["check"], ["run", "-c"], ["help", "nonsense"]])
def test_wrong_usage_is_2_and_says_so_on_stderr(arguments):
    result = run(*arguments)
    assert result.returncode == 2
    assert result.stderr and not result.stdout


def test_check_of_a_good_file(folder):
    result = run("check", "-c", "nearedge.json", cwd=folder)
    assert (result.returncode, result.stderr.count("error:")) == (0, 0)


def test_check_of_a_bad_file_shows_every_error_with_its_place(folder):
    (folder / "bad.json").write_text(
        '{\n  "listen": [ { "adress": "127.0.0.1:8080" } ],\n  "workers": "many",\n  "zones": [ { "name": "x.test", '
        '"origin": "ftp://x", "plan": "cheap" } ]\n}\n')
    result = run("check", "-c", "bad.json", cwd=folder)
    assert result.returncode == 3
    for place in ("bad.json:2:", "bad.json:3:", "bad.json:4:"):
        assert place in result.stderr
    assert "error: " in result.stderr and "address" in result.stderr and "^" in result.stderr
    assert result.stdout == ""


def test_check_of_a_missing_file(tmp_path):
    result = run("check", "-c", "missing.json", cwd=tmp_path)
    assert result.returncode in (1, 3) and "missing.json" in result.stderr


def test_check_needs_no_secret_and_no_network(folder):
    config = make_config("http://no-such-name.invalid", admin={"address": "127.0.0.1:8081", "token": "${NO_SUCH_VARIABLE}"})
    (folder / "secret.json").write_text(json.dumps(config))
    assert run("check", "-c", "secret.json", cwd=folder).returncode == 0


def test_run_refuses_a_bad_file(folder):
    (folder / "bad.json").write_text('{"zonse": []}')
    result = run("run", "-c", "bad.json", cwd=folder)
    assert result.returncode == 3 and "zones" in result.stderr


def test_run_says_which_address_is_taken(folder, origin):
    config = make_config(origin, listen=[{"address": origin.address}])
    (folder / "taken.json").write_text(json.dumps(config))
    result = run("run", "-c", "taken.json", cwd=folder)
    assert result.returncode == 1
    assert origin.address in result.stderr


def test_run_without_a_file(tmp_path, origin):
    rules = tmp_path / "rules.json"
    rules.write_text(json.dumps({"rules": [{"action": "set_cache_settings", "expression": "true", "action_parameters": {"cache": True}}]}))
    limiters = tmp_path / "limiters.json"
    limiters.write_text(json.dumps({
        "limiters": [{"name": "few", "limit": 2, "window_ms": 60000, "store": "durable_object", "key": "${ip}"}],
        "routes": [{"path": "/few", "limiter": "few"}]}))
    gateway = Gateway(tmp_path, arguments=["--origin", origin.url, "--host", "a.test,b.test", "--host", "c.test",
                                           "--rules", str(rules), "--limiters", str(limiters), "--listen", "127.0.0.1:0"]).start()
    try:
        origin.default = Reply("x", cache_control="max-age=60")
        for host in ("a.test", "b.test", "c.test"):
            assert fetch(gateway.address, "/page", host=host).cache == "MISS"
        assert fetch(gateway.address, "/page", host="d.test").status == 404
        assert [fetch(gateway.address, "/few", host="a.test").status for _ in range(3)] == [200, 200, 429]
    finally:
        gateway.stop()


def test_healthcheck(start, origin):
    gateway = start(origin)
    config = dict(gateway.config, admin={"address": gateway.admin})
    path = gateway.path(gateway.write("health.json", config))
    assert run("healthcheck", "-c", path).returncode == 0
    gateway.stop()
    assert run("healthcheck", "-c", path).returncode == 1


def test_rules_test_of_good_and_bad_vectors(tmp_path):
    def vector(number, expect):
        return {"id": f"v-{number}", "expression": '(http.host eq "a.test")', "expect": expect, "why": "", "category": "x",
                "request": {"method": "GET", "host": "a.test", "path": "/", "query": "", "headers": {}, "ip": "203.0.113.7",
                            "country": "DE", "scheme": "https"}}

    good, bad = tmp_path / "good.json", tmp_path / "bad.json"
    good.write_text(json.dumps([vector(1, True), dict(vector(2, "error"), expression="http.host eq")]))
    bad.write_text(json.dumps([vector(1, True), vector(3, False)]))
    result = run("rules", "test", str(good))
    assert (result.returncode, result.stdout.strip().splitlines()[-1]) == (0, "2 passed, 0 failed")
    result = run("rules", "test", str(good), str(bad))
    assert (result.returncode, result.stdout.strip().splitlines()[-1]) == (4, "3 passed, 1 failed")
    assert "v-3" in result.stdout + result.stderr


def test_explain_names_the_deciding_rule(folder):
    if "explain" not in run("help").stdout:
        pytest.skip("this build has no verb explain")
    (folder / "rules.json").write_text(json.dumps({"phase": "http_request_cache_settings", "kind": "zone", "rules": [
        {"description": "all pages", "action": "set_cache_settings", "expression": "true", "action_parameters": {"cache": True}},
        {"description": "no api", "action": "set_cache_settings", "expression": 'starts_with(http.request.uri.path, "/api/")',
         "action_parameters": {"cache": False}}]}))
    config = make_config("http://127.0.0.1:9000", zone={"rulesets": ["rules.json"]})
    (folder / "nearedge.json").write_text(json.dumps(config))
    result = run("explain", "-c", "nearedge.json", "http://www.example.test/api/x", cwd=folder)
    assert result.returncode == 0
    assert "no api" in result.stdout and "all pages" in result.stdout
    told = run("explain", "-c", "nearedge.json", "http://www.example.test/api/x", "--json", cwd=folder)
    assert told.returncode == 0 and json.loads(told.stdout)


def test_completion_offers_the_verbs():
    script = run("completion", "bash")
    assert script.returncode == 0
    ask = script.stdout + "COMP_WORDS=(nearedge he) COMP_CWORD=1; _nearedge; echo \"${COMPREPLY[@]}\"\n"
    path = os.path.dirname(BINARY) + ":" + os.environ["PATH"]
    offered = subprocess.run(["bash"], input=ask, text=True, capture_output=True, check=True, env=dict(os.environ, PATH=path))
    assert offered.stdout.split() == ["healthcheck", "help"]


def test_shipped_configurations_are_valid():
    path = os.path.join(ROOT, "config", "hub-evolution", "nearedge.json")
    assert run("check", "-c", path).returncode == 0


def test_check_never_prints_a_secret(folder):
    """Messages quote the line they are about: a secret on the same line is hidden in the quotation."""
    (folder / "secret.json").write_text('''{
  "admin": { "address": "127.0.0.1:none", "token": "canary-token", "api_key": "canary-key" },
  "limiter": { "backend": "redis://:canary-password@localhost:6379/0", "on_backend_failur": "memory" },
  "zones": [ { "name": "example.test", "hosts": ["*"], "origin": "http://127.0.0.1:1" } ]
}''')
    done = run("check", "-c", "secret.json", cwd=folder)
    assert done.returncode == 3
    assert "on_backend_failur" in done.stderr and "****" in done.stderr
    assert "canary" not in done.stdout + done.stderr


def test_run_says_where_it_serves(start, origin):
    """With port 0 the log is where a person finds it."""
    gateway = start(origin)
    line = next(l for l in gateway.log().splitlines() if " info serving " in l)
    assert f" listen={gateway.listen[0]}" in line and line.endswith(f" admin={gateway.admin}"), line


@pytest.mark.parametrize("hosts, told", [(["*"], "*"), (["a.test", "*"], "a.test, *"), (["a.test"], "a.test")])
def test_check_sums_up_each_host_once(tmp_path, hosts, told):
    (tmp_path / "n.json").write_text(json.dumps({"zones": [{"name": "a.test", "hosts": hosts, "origin": "http://127.0.0.1:9000"}]}))
    assert f"    hosts     {told}\n" in run("check", "-c", "n.json", cwd=tmp_path).stdout


def test_verbs_say_where_a_token_comes_from(start, origin):
    gateway = start(origin, admin={"token": "right"})

    def told(*arguments, **env):
        result = run(*arguments, "--admin", gateway.admin, env=env)
        return result.returncode, result.stderr

    for verb in ("clock", "purge --everything", "limits ls"):
        code, text = told(*verb.split(), NEAREDGE_ADMIN_TOKEN="")
        assert code == 1 and "(-c FILE) or from NEAREDGE_ADMIN_TOKEN" in text, text
        code, text = told(*verb.split(), NEAREDGE_ADMIN_TOKEN="wrong")
        assert code == 1 and "The token of NEAREDGE_ADMIN_TOKEN is not" in text, text
    assert told("purge", "--everything", "--zone", "other.test", NEAREDGE_ADMIN_TOKEN="right")[0] == 1


def test_other_refusals_say_nothing_about_tokens(start, origin):
    gateway = start(origin, clock="system")
    result = run("clock", "advance", "1", "--admin", gateway.admin)
    assert result.returncode == 1 and "(409)" in result.stderr and "token" not in result.stderr

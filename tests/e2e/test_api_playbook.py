# SPDX-License-Identifier: Apache-2.0
"""The team's playbook of curl and jq (data/playbook.md), run by sh with another BASE."""
import json
import os
import re
import shutil
import subprocess

import pytest
from edge import Reply
from edge.api import ENTRYPOINT, ZONE_ID, Api, rule

HERE = os.path.dirname(__file__)
pytestmark = pytest.mark.skipif(not (shutil.which("curl") and shutil.which("jq")), reason="curl and jq are not installed")


def playbook():
    """Its commands; settings of variables and requests to the real hosts are left out."""
    with open(os.path.join(HERE, "data", "playbook.md"), encoding="utf-8") as file:
        lines = [line[4:].rstrip() for line in file if line.startswith("    ")]
    commands = [line for line in lines if not re.match(r"export |.*https://", line)]
    assert len(commands) == 6
    return commands


def run_playbook(gateway, folder, new_rules):
    (folder / "new-rules.json").write_text(json.dumps(new_rules))
    env = dict(os.environ, TOKEN="s3cret", ZONE_ID=ZONE_ID, BASE=f"http://{gateway.admin}/client/v4")
    done = subprocess.run(["sh", "-euc", "\n".join(playbook())], cwd=folder, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_playbook(start, origin, tmp_path):
    origin.default = Reply("x", cache_control="max-age=600")
    with open(os.path.join(HERE, "data", "sample-ruleset-export.json"), encoding="utf-8") as file:
        export = json.load(file)
    hosts = ["ci.hub-evolution.com", "staging.hub-evolution.com"]
    gateway = start(origin, zone={"plan": "enterprise", "hosts": hosts}, rules=export,
                    admin={"address": "127.0.0.1:0", "token": "s3cret"}, clock="system")
    host = {"host": "staging.hub-evolution.com"}
    assert [gateway.fetch("/favicon.ico?__no_cache=1", **host).cache for _ in range(2)] == ["MISS", "HIT"]
    bypass = rule('http.request.uri.query contains "__no_cache"', cache=False, description="Manual bypass")
    output = run_playbook(gateway, tmp_path, [bypass])
    shown, end = json.JSONDecoder().raw_decode(output)
    assert [item["desc"] for item in shown] == [item["description"] for item in export["result"]["rules"]]
    assert output[end:].split() == ["true", "[]"]

    after = Api(gateway, "s3cret").get(ENTRYPOINT)
    assert after["rules"][:-1] == export["result"]["rules"]
    assert (after["version"], after["rules"][-1]["version"]) == ("10", "1")
    assert [gateway.fetch("/favicon.ico", **host).cache for _ in range(2)] == ["MISS", "HIT"]
    assert gateway.fetch("/favicon.ico?__no_cache=1", **host).cache == "DYNAMIC"


def test_playbook_stops_at_a_wrong_token(start, origin, tmp_path):
    gateway = start(origin, rules=[rule()], admin={"address": "127.0.0.1:0", "token": "another"})
    with pytest.raises(AssertionError, match="401"):
        run_playbook(gateway, tmp_path, [])

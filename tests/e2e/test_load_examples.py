# SPDX-License-Identifier: Apache-2.0
"""Every file of bench/load/examples against the team's own configuration: it passes, and it fails when something is wrong.

Durations are scaled, what is expected is as written. The gateway's clock is virtual, so that Retry-After is
waited for in no time."""
import os
import re
import subprocess

import pytest
from edge import Reply
from edge.gateway import BINARY
from edge.load import EXAMPLES, Load
from edge.quiet import in_a_quiet_moment
from edge.team import FOLDER, team_gateway


@pytest.fixture
def team(origin, tmp_path_factory):
    """begin(file, old, new): the team's gateway, with one text of one of its files replaced."""
    running = []

    def begin(*change):
        running.append(team_gateway(tmp_path_factory.mktemp("team"), origin, *change))
        return running[-1].start()

    origin.default = Reply('{"success":true}', content_type="application/json")
    origin.on("/static/logo.svg", Reply("<svg/>", content_type="image/svg+xml", cache_control="max-age=600"))
    yield begin
    for gateway in running:
        gateway.stop()


def limiter(name, old, new):
    """What differs from the team's limiters.json."""
    with open(os.path.join(FOLDER, "limiters.json"), encoding="utf-8") as file:
        line = re.search(rf'^.*"name": "{name}".*$', file.read(), re.M).group()
    return "limiters.json", line, line.replace(old, new)


# An example, how long and how fast it is run here, and a fault that it must find.
CASES = {
    "smoke-image-enhancer.json": ({"speed": 8}, limiter("aiGenerate", '"limit": 15', '"limit": 16')),
    "launch-day.json": ({"scale": 0.012}, ("nearedge.json", "${DEMO_ORIGIN_PORT:-9000}", "1")),
    "every-limiter.json": ({}, limiter("telemetry", '"limit": 30', '"limit": 31')),
    "cache-purge.json": ({"speed": 8}, ("nearedge.json", '"development_mode": "off"', '"development_mode": "on"')),
    "edges-and-isolates.json": ({"speed": 10}, limiter("promptEnhance", "durable_object", "memory")),
}


def test_no_example_is_left_out():
    assert sorted(os.listdir(EXAMPLES)) == sorted(CASES)


@pytest.mark.parametrize("name", CASES)
def test_is_valid_as_it_is(name):
    done = subprocess.run([BINARY, "load", os.path.join(EXAMPLES, name), "--dry-run"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "can never fail" not in done.stdout
    with open(os.path.join(EXAMPLES, name), encoding="utf-8") as file:
        assert file.read().count("//") >= 2, "an example explains itself"


@pytest.mark.parametrize("name", CASES)
@in_a_quiet_moment(3)
def test_passes_with_the_teams_configuration(team, tmp_path, name):
    load = Load(tmp_path, team())
    assert load.example(name, **CASES[name][0]) == 0, load.out + load.err
    assert load.report["verdict"] == "passed" and set(load.outcomes().values()) == {"held"}


@pytest.mark.parametrize("name", CASES)
@in_a_quiet_moment(3)
def test_finds_what_is_wrong(team, tmp_path, name):
    pace, fault = CASES[name]
    load = Load(tmp_path, team(*fault))
    assert load.example(name, **pace) == 99, load.out + load.err
    assert load.report["verdict"] == "failed"

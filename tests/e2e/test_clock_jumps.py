# SPDX-License-Identifier: Apache-2.0
"""The system's calendar is set while the gateway runs, by hours and both ways: what is cached keeps its age, windows of
limiters end when they would have, and whatever shows a date shows the new calendar's."""
import os
import shutil
import struct
import subprocess
import time
from datetime import datetime
from email.utils import formatdate

import pytest
from edge import Reply, wait_until
from edge.api import ENTRYPOINT, Api, rule
from edge.gateway import RUNNER
from edge.sanitizer import SANITIZED

pytestmark = pytest.mark.skipif(SANITIZED or bool(RUNNER) or not shutil.which("cc"),
                                reason="another clock is preloaded: no sanitizer, no runner, and a compiler")
HERE = os.path.dirname(os.path.abspath(__file__))
HOURS = [2 * 3600, -2 * 3600, 300 * 86400, 0]
WINDOW_MS = 700


class Calendar:
    """Another calendar for one process."""

    def __init__(self, folder):
        self.file, self.library, self.offset = folder / "offset", folder / "calendar.so", 0
        subprocess.run(["cc", "-O1", "-shared", "-fPIC", "-o", self.library, os.path.join(HERE, "edge", "calendar.c")], check=True)
        self.set(0)
        self.env = {"LD_PRELOAD": str(self.library), "CALENDAR_OFFSET": str(self.file)}

    def set(self, seconds):
        self.offset = seconds
        with open(self.file, "r+b" if self.file.exists() else "wb") as file:
            file.write(struct.pack("=q", seconds))

    def ahead(self, stamp):
        """How many seconds a stamp, an ISO text or milliseconds, lies ahead of this moment."""
        at = datetime.fromisoformat(stamp.replace("Z", "+00:00")).timestamp() if isinstance(stamp, str) else stamp / 1000
        return at - time.time() - self.offset

    def is_now(self, stamp):
        return abs(self.ahead(stamp)) < 60

    def is_in_an_hour(self, stamp):
        return 3540 < self.ahead(stamp) <= 3601

    def jump(self, gateway, seconds):
        """A turn of the loop goes on with the instant of the one before while the kernel's tick is the same."""
        self.set(seconds)
        wait_until(lambda: self.is_now(gateway.api_json("/api/admin/rate-limits/compare")["data"]["nowMs"]), "the new calendar")


@pytest.fixture(scope="module")
def calendar(tmp_path_factory):
    return Calendar(tmp_path_factory.mktemp("calendar"))


@pytest.fixture
def gateway(calendar, start, origin):
    calendar.set(0)
    limiter = {"name": "few", "limit": 3, "window_ms": WINDOW_MS, "store": "durable_object", "key": "${ip}", "mode": "enforce"}
    hour = {**limiter, "name": "hour", "window_ms": 3600000}
    routes = [{"methods": ["GET"], "path": "/few", "limiter": "few"}, {"methods": ["GET"], "path": "/hour", "limiter": "hour"}]
    origin.default = Reply("cached", cache_control="max-age=3600")
    return start(origin, zone={"plan": "enterprise"}, limiters={"limiters": [limiter, hour], "routes": routes}, clock="system",
                 env=calendar.env)


def is_fresh(answer):
    return answer.get("CF-Cache-Status") == "HIT" and int(answer.get("Age")) < 60


def test_what_is_cached_keeps_its_age(gateway, calendar, origin):
    gateway.fetch("/before.css")
    for number, offset in enumerate(HOURS):
        calendar.jump(gateway, offset)
        assert is_fresh(gateway.fetch("/before.css")), offset
        assert gateway.fetch(f"/{number}.css").get("CF-Cache-Status") == "MISS"
        assert all(is_fresh(gateway.fetch(f"/{earlier}.css")) for earlier in range(number + 1)), offset
    assert origin.count("/before.css") == 1


def test_an_origins_date_is_the_calendars(gateway, calendar, origin):
    """Without a Date of its own, Expires is compared with the calendar as it is now."""
    calendar.jump(gateway, 7200)
    for path, seconds, stays in (("/later.css", 7200 + 1800, True), ("/past.css", 3600, False)):
        origin.on(path, Reply("x", expires=formatdate(time.time() + seconds, usegmt=True)))
        gateway.fetch(path)
        assert (gateway.fetch(path).get("CF-Cache-Status") == "HIT") is stays, path


@pytest.mark.parametrize("offset", HOURS[:2])
def test_windows_end_when_they_would_have(gateway, calendar, offset):
    def statuses(path):
        return [gateway.fetch(path).status for _ in range(4)]

    assert statuses("/hour")[3] == 429
    assert 429 in statuses("/few")
    calendar.jump(gateway, offset)
    refused = gateway.fetch("/hour")
    assert refused.status == 429 and 3000 < int(refused.get("Retry-After")) <= 3600
    wait_until(lambda: gateway.fetch("/few").status == 200, "the end of the window")


def test_the_logs_show_the_new_calendar(gateway, calendar):
    calendar.jump(gateway, 300 * 86400)
    month = time.strftime("%Y-%m", time.gmtime(time.time() + calendar.offset))

    def seen():
        gateway.fetch("/seen.css")
        return any(line["EdgeStartTimestamp"].startswith(month) for line in gateway.access_log())

    wait_until(seen, "a line of that month")


@pytest.mark.parametrize("offset", HOURS[:2])
def test_what_the_api_stamps(gateway, calendar, offset):
    api = Api(gateway)
    api.patch("/settings/development_mode", {"value": "on"})
    calendar.jump(gateway, offset)
    made = api.put(ENTRYPOINT, {"rules": [rule()]})
    assert calendar.is_now(made["last_updated"]) and calendar.is_now(made["rules"][0]["last_updated"])
    added = api.post(f"/rulesets/{made['id']}/rules", rule("ssl"))
    assert calendar.is_now(added["last_updated"]) and calendar.is_now(added["rules"][1]["last_updated"])
    assert calendar.is_now(api.patch("/settings/cache_level", {"value": "basic"})["modified_on"])
    assert 10700 < api.get("/settings/development_mode")["time_remaining"] <= 10800


@pytest.mark.parametrize("offset", HOURS[:2])
def test_ends_that_are_listed(gateway, calendar, offset):
    """Stored, opened and counted before the jump: what a person reads of it is told by the new calendar."""
    api = Api(gateway)
    api.put("/rulesets/phases/http_ratelimit/entrypoint", {"rules": [{
        "action": "block", "expression": 'http.request.uri.path eq "/hour"', "ratelimit": {
            "characteristics": ["cf.colo.id", "ip.src"], "period": 3600, "requests_per_period": 3, "mitigation_timeout": 0}}]})
    gateway.fetch("/before.css")
    for _ in range(4):
        gateway.fetch("/hour")
    calendar.jump(gateway, offset)
    [stored] = gateway.api_json("/api/cache/objects?prefix=/before.css")["objects"]
    assert stored["fresh"] and calendar.is_now(stored["stored"]) and calendar.is_in_an_hour(stored["stale_from"])
    [window] = gateway.api_json("/api/admin/rate-limits/state?name=hour")["data"]["state"]["hour"]["entries"]
    assert window["count"] == 3 and calendar.is_in_an_hour(window["resetAt"])
    [counter] = gateway.api_json("/api/rate-rules")["counters"]
    assert calendar.is_in_an_hour(counter["period_end_ms"])
    limiter = gateway.api_json("/api/explain", "POST", {"url": "http://www.example.test/hour"})["result"]["nearedge"]["limiter"]
    assert limiter["would_refuse"] and calendar.is_in_an_hour(limiter["reset_at_ms"])


def is_matched(record):
    """By the only rule there is, as it would be now."""
    [rule_now] = record["now"]["result"]["trace"][0]["trace"]
    return rule_now["matched"]


@pytest.mark.parametrize("offset", HOURS[:2])
def test_hindsight_is_of_this_moment(gateway, calendar, offset):
    now, second = int(time.time()), "http.request.timestamp.sec"
    elsewhen = rule(f"{second} gt {now + 3600} or {second} lt {now - 3600}")
    Api(gateway).put(ENTRYPOINT, {"rules": [elsewhen]})
    gateway.api_json("/api/requests")  # from now on requests are recorded
    ray = gateway.fetch("/hour").ray
    assert not is_matched(gateway.recorded(ray))
    calendar.jump(gateway, offset)
    assert is_matched(gateway.recorded(ray))
    assert calendar.is_in_an_hour(gateway.recorded(gateway.fetch("/hour").ray)["limiter"]["reset_at_ms"])
    what_if = Api(gateway).post(ENTRYPOINT + "/what-if", {"rules": [{**elsewhen, "expression": "ssl"}]})
    assert what_if["changed"] > 0

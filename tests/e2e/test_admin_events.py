# SPDX-License-Identifier: Apache-2.0
"""Watching: /api/events, recorded requests, their HAR export, replay, and what-if questions."""
import json
import socket
import threading

import pytest
from edge.client import RawClient
from edge.wait import wait_until

PHASE = "/client/v4/zones/0123456789abcdef0123456789abcdef/rulesets/phases/http_request_cache_settings/entrypoint"


class Events:
    """A client of /api/events that reads as far as it is asked to."""

    def __init__(self, gateway, query="", headers=""):
        host, port = gateway.admin.rsplit(":", 1)
        self.socket = socket.create_connection((host, int(port)), timeout=10)
        self.socket.sendall(f"GET /api/events{query} HTTP/1.1\r\nHost: 127.0.0.1\r\n{headers}\r\n".encode())
        self.raw = b""
        self.head = self._until(b"\r\n\r\n")

    def _until(self, mark):
        while mark not in self.raw:
            piece = self.socket.recv(65536)
            assert piece, "the stream ended"
            self.raw += piece
        found, self.raw = self.raw.split(mark, 1)
        return found.decode()

    def next(self):
        """(event, data) of the next one; chunk borders lie between events."""
        while True:
            block = self._until(b"\n\n")
            fields = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line and not line.startswith(":"))
            if "data" in fields:
                return fields["event"], json.loads(fields["data"])

    def close(self):
        self.socket.close()


@pytest.fixture
def events(gateway):
    stream = Events(gateway)
    yield stream
    stream.close()


def watched(gateway):
    """From now on requests are recorded."""
    return gateway.api_json("/api/requests")["next"]


def recorded(gateway, ray):
    def answer():
        response = gateway.api(f"/api/requests/{ray}")
        return json.loads(response.body) if response.status == 200 else None

    return wait_until(answer, f"record {ray}")


# ---- the stream ----

def test_one_event_for_each_request_with_the_log_line(gateway, events):
    assert "200 OK" in events.head and "text/event-stream" in events.head
    first, second = gateway.fetch("/a.css"), gateway.fetch("/a.css")
    seen = [events.next() for _ in range(2)]
    assert [name for name, _ in seen] == ["request", "request"]
    assert [data["RayID"] + "-FRA" for _, data in seen] == [first.get("CF-Ray"), second.get("CF-Ray")]
    assert [data["CacheCacheStatus"] for _, data in seen] == ["miss", "hit"]
    assert seen == [("request", line) for line in gateway.logged(2)]


def test_requests_of_the_admin_listener_are_no_events(gateway, events):
    gateway.api("/api/clock")
    gateway.fetch("/only")
    assert events.next()[1]["ClientRequestURI"] == "/only"


def test_a_stream_goes_on_where_it_was(gateway):
    start = watched(gateway)
    for number in range(3):
        gateway.fetch(f"/n{number}")
    wait_until(lambda: len(gateway.api_json("/api/requests")["requests"]) == 3, "three records")
    again = Events(gateway, headers=f"Last-Event-ID: {start}\r\n")
    assert [again.next()[1]["ClientRequestURI"] for _ in range(2)] == ["/n1", "/n2"]
    again.close()
    again = Events(gateway, f"?since={start - 1}")
    assert again.next()[1]["ClientRequestURI"] == "/n0"
    again.close()


def test_sampling_says_what_it_leaves_out(gateway):
    stream = Events(gateway, "?rate=2")
    for number in range(8):
        gateway.fetch(f"/s{number}")
    shown = counted = 0
    while shown + counted < 8:
        event, data = stream.next()
        shown += event == "request"
        counted += data["count"] if event == "sampled" else 0
    assert counted >= 2 and shown + counted == 8
    stream.close()


@pytest.mark.parametrize("query", ["?rate=x", "?since=-1", "?since=99999999999999999999999"])
def test_nonsense_is_refused(gateway, query):
    assert gateway.api("/api/events" + query).status == 400


def test_a_stream_ends_with_the_process(gateway, events):
    gateway.terminate()
    assert gateway.wait(10) == 0


def test_streams_need_the_token(start, origin):
    gateway = start(origin, admin={"address": "127.0.0.1:0", "token": "let-me-in"})
    assert gateway.api("/api/events").status == 401
    assert gateway.api("/api/requests").status == 401
    stream = Events(gateway, headers="Authorization: Bearer let-me-in\r\n")
    assert "200 OK" in stream.head
    stream.close()


# ---- records ----

def test_nothing_is_recorded_while_nobody_looks(gateway):
    gateway.fetch("/before")
    assert gateway.api_json("/api/requests")["requests"] == []
    gateway.fetch("/after")
    lines = wait_until(lambda: gateway.api_json("/api/requests")["requests"], "a record")
    assert [line["ClientRequestURI"] for line in lines] == ["/after"]


def test_a_configuration_can_ask_for_it(start, origin):
    gateway = start(origin, admin={"address": "127.0.0.1:0", "record": True})
    gateway.fetch("/early")
    lines = wait_until(lambda: gateway.api_json("/api/requests")["requests"], "a record")
    assert [line["ClientRequestURI"] for line in lines] == ["/early"]


def test_the_oldest_records_give_way(gateway):
    watched(gateway)
    with gateway.client() as client:
        for number in range(1010):
            client.request("GET", f"/o{number}")
            client.read()
    newest = wait_until(lambda: (a := gateway.api_json("/api/requests"))["next"] == 1011 and a, "1010 requests")["requests"]
    assert len(newest) == 1000
    assert newest[0]["ClientRequestURI"] == "/o10" and newest[-1]["ClientRequestURI"] == "/o1009"
    assert [line["ClientRequestURI"] for line in gateway.api_json("/api/requests?limit=1")["requests"]] == ["/o1009"]
    stream = Events(gateway, "?since=0")
    assert stream.next() == ("missed", {"count": 10})
    stream.close()


def test_one_request_with_its_reasons(start, origin):
    rules = [{"action": "set_cache_settings", "expression": 'starts_with(http.request.uri.path, "/p")',
              "description": "pages", "action_parameters": {"cache": True}}]
    gateway = start(origin, rules=rules)
    watched(gateway)
    ray = gateway.fetch("/page", headers={"X-Seen": "yes"}).get("CF-Ray")
    record = recorded(gateway, ray)
    assert record["request"]["RayID"] + "-FRA" == ray
    assert record["url"] == "http://www.example.test/page"
    assert ["X-Seen", "yes"] in record["request_headers"]
    assert dict(record["response_headers"])["CF-Cache-Status"] == "MISS"
    assert record["replayable"] is True and record["took_us"] > 0
    phase = record["now"]["result"]["trace"][0]
    assert phase["trace"][0]["description"] == "pages" and phase["trace"][0]["matched"] is True
    cache = record["now"]["result"]["trace"][-1]["nearedge"]
    assert cache["eligible"] is True and cache["lookup"]["found"] in ("fresh", "stale", "absent")


def test_an_unknown_ray(gateway):
    assert gateway.api("/api/requests/0123456789abcdef").status == 404


SECRETS = {"Authorization": "Bearer canary-bearer-1", "Cookie": "session=canary-cookie-2; lang=de",
           "X-Api-Key": "canary-key-3", "Referer": "http://www.example.test/?token=canary-query-4"}


def test_no_secret_is_shown_anywhere(start, origin):
    rules = [{"action": "set_cache_settings", "expression": 'http.cookie contains "session=" or http.request.uri.query contains "token"',
              "action_parameters": {"cache": True, "cache_key": {"custom_key": {"cookie": {"include": ["session"]}}}}}]
    gateway = start(origin, rules=rules, zone={"plan": "enterprise"}, log={"mask": ["token"]})
    stream = Events(gateway)
    ray = gateway.fetch("/login?token=canary-query-4&x=1", headers=SECRETS).get("CF-Ray")
    shown = json.dumps(stream.next())
    shown += json.dumps(recorded(gateway, ray))
    shown += json.dumps(gateway.api_json("/api/requests")) + json.dumps(gateway.api_json("/api/requests.har"))
    assert "canary" not in shown
    assert "session=***" in shown and "lang=***" in shown and "token=***" in shown and "Bearer ***" in shown
    stream.close()


def test_the_har_export(gateway):
    watched(gateway)
    gateway.fetch("/a.css?v=1")
    har = wait_until(lambda: gateway.api_json("/api/requests.har")["log"]["entries"], "an entry")[0]
    assert har["request"]["method"] == "GET" and har["request"]["url"] == "http://www.example.test/a.css?v=1"
    assert har["request"]["queryString"] == [{"name": "v", "value": "1"}]
    assert har["response"]["status"] == 200 and har["_cache_status"] == "MISS"
    assert har["time"] == pytest.approx(sum(har["timings"].values()), abs=0.01)
    assert har["startedDateTime"].endswith("Z")


# ---- replay ----

def test_a_replay_is_an_ordinary_request(gateway, origin):
    watched(gateway)
    ray = gateway.fetch("/a.css").get("CF-Ray")
    recorded(gateway, ray)
    again = gateway.api_json(f"/api/requests/{ray}/replay", "POST")
    assert again["status"] == 200 and again["complete"] is True and again["bytes"] > 0
    assert recorded(gateway, again["ray"])["request"]["CacheCacheStatus"] == "hit"
    elsewhere = gateway.api_json(f"/api/requests/{ray}/replay?edge=AMS", "POST")
    record = recorded(gateway, elsewhere["ray"])["request"]
    assert record["CacheCacheStatus"] == "miss" and record["EdgeColoCode"] == "AMS"
    assert gateway.metric("nearedge_requests_total", edge="AMS") == 1


def test_what_cannot_be_replayed(gateway):
    watched(gateway)
    ray = gateway.fetch("/form", "POST", body=b"x").get("CF-Ray")
    recorded(gateway, ray)
    refused = gateway.api(f"/api/requests/{ray}/replay", "POST")
    assert refused.status == 409 and b"body" in refused.body
    ray = gateway.fetch("/").get("CF-Ray")
    recorded(gateway, ray)
    assert gateway.api(f"/api/requests/{ray}/replay?edge=QQQ", "POST").status == 400


def test_a_replay_whose_watcher_leaves(gateway, origin):
    """The request it had caused ends as if a visitor had gone."""
    asked, ended = threading.Event(), threading.Event()

    def slow(request, connection):
        asked.set()
        connection.wait_for_close()
        ended.set()

    watched(gateway)
    ray = gateway.fetch("/slow").get("CF-Ray")
    recorded(gateway, ray)
    origin.on("/slow", slow)
    impatient = RawClient(gateway.admin).request("POST", f"/api/requests/{ray}/replay", body=b"", host="127.0.0.1")
    assert asked.wait(10)
    impatient.reset()
    assert ended.wait(10)
    gateway.logged(1, ClientRequestURI="/slow", EdgeResponseStatus=499)


# ---- what if ----

def test_a_change_tried_on_recorded_requests(gateway):
    watched(gateway)
    for path in ("/p1", "/p2", "/p2", "/other", "/a.css"):
        gateway.fetch(path)
    wait_until(lambda: gateway.api_json("/api/requests")["next"] == 6, "five records")
    rules = [{"action": "set_cache_settings", "expression": 'starts_with(http.request.uri.path, "/p")',
              "action_parameters": {"cache": True}},
             {"action": "set_cache_settings", "expression": 'http.request.uri.path eq "/a.css"',
              "action_parameters": {"cache": True, "edge_ttl": {"mode": "override_origin", "default": 7200}}}]
    result = gateway.api_json(PHASE + "/what-if", "POST", {"rules": rules})["result"]
    assert result["requests"] == 5 and result["changed"] == 4
    assert result["summary"] == ["3 requests would change from DYNAMIC to HIT or MISS",
                                 "1 request would get other settings: cache, edge_ttl"]
    assert [change["url"] for change in result["changes"]][:2] == ["http://www.example.test/p1", "http://www.example.test/p2"]
    assert gateway.fetch("/p1").get("CF-Cache-Status") == "DYNAMIC"  # nothing was put to use
    assert gateway.api(PHASE).status == 404


def test_what_if_says_what_is_wrong_with_the_rules(gateway):
    rules = [{"action": "set_cache_settings", "expression": "nonsense eq 1", "action_parameters": {"cache": True}}]
    answer = gateway.api(PHASE + "/what-if", "POST", {"rules": rules})
    assert answer.status == 400
    assert json.loads(answer.body)["errors"] == json.loads(gateway.api(PHASE, "PUT", {"rules": rules}).body)["errors"]

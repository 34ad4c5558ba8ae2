# SPDX-License-Identifier: Apache-2.0
"""Watching: /api/events, recorded requests, their HAR export, replay, and what-if questions."""
import json
import socket
import threading

import pytest
from edge import Reply
from edge.client import RawClient
from edge.h2 import fetch_h2
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


def test_numbers_of_another_process_are_no_place_to_go_on_from(gateway):
    """A page that was open over a restart knows numbers that this process has not given yet."""
    watched(gateway)
    gateway.fetch("/n0")
    gateway.logged(1)
    for query, headers in (("?since=5000", ""), ("", "Last-Event-ID: 5000\r\n")):
        stream = Events(gateway, query, headers)
        assert stream.next()[1]["ClientRequestURI"] == "/n0"
        stream.close()


def test_streams_are_bounded_and_come_free(gateway):
    streams = [Events(gateway) for _ in range(64)]
    assert gateway.api("/api/events").status == 503
    gateway.fetch("/all")
    assert {stream.next()[1]["ClientRequestURI"] for stream in streams} == {"/all"}
    for stream in streams:
        stream.close()
    wait_until(lambda: gateway.api("/api/events", "HEAD").status == 200, "room for another")
    assert gateway.api("/api/events", "OPTIONS").status == 405


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
    record = gateway.recorded(ray)
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
    shown += json.dumps(gateway.recorded(ray))
    shown += json.dumps(gateway.api_json("/api/requests")) + json.dumps(gateway.api_json("/api/requests.har"))
    assert "canary" not in shown
    assert "session=***" in shown and "lang=***" in shown and "token=***" in shown and "Bearer ***" in shown
    stream.close()


def shown_of(gateway, ray):
    """Everything that is told about a request, but the stream."""
    return json.dumps([gateway.recorded(ray), gateway.api_json("/api/requests"), gateway.api_json("/api/requests.har")], ensure_ascii=False)


LONG = "canary-" * 60  # a trace shows the first 256 bytes of it
DISGUISES = [
    ('http.request.cookies["session"][0] eq "x"', f"session={LONG}"),
    ('http.cookie contains "nothing"', f"a=1; session={LONG}; lang=de"),
    ('lower(http.request.cookies["session"][0]) eq "x"', "session=CANARY-upper"),
    ('substring(http.request.cookies["session"][0], 2) eq "x"', "session=0canary-part"),
    ('url_decode(http.request.cookies["session"][0]) eq "x"', "session=%63an%61ry-decoded"),
    ('http.request.cookies["session"][0] eq "x"', 'session="canary\\quoted"'),
    ('http.request.cookies["session"][0] eq "x"', "session=\xe4\xf6canary-latin"),
    ('http.request.cookies["pin"][0] eq "x"', "pin=cana; lang=de"),
    ('http.cookie contains "nothing"', "lang=de; canary-without-a-name"),
    ('http.cookie contains "nothing"', "; ".join(f"c{n}=canary-{n}" for n in range(200))),
]


@pytest.mark.parametrize("expression,cookie", DISGUISES, ids=range(len(DISGUISES)))
def test_secrets_are_found_in_every_spelling(start, origin, expression, cookie):
    rules = [{"action": "set_cache_settings", "expression": expression, "action_parameters": {"cache": True}}]
    gateway = start(origin, rules=rules, zone={"plan": "pro"})
    watched(gateway)
    ray = gateway.fetch("/page", headers={"Cookie": cookie}).get("CF-Ray")
    assert "cana" not in shown_of(gateway, ray).lower()


@pytest.mark.parametrize("query", ["token=c%61nary-1&x=1", "x=1&Tok%65n=Canary-2", "token=cana", "token=%22canary%5C", "token=a%2Bcanary+b"])
def test_masked_queries_are_found_in_every_spelling(start, origin, query):
    rules = [{"action": "set_cache_settings", "expression": 'url_decode(http.request.uri.query) contains "no" or http.request.full_uri eq "no" or true',
              "action_parameters": {"cache": True}}]
    gateway = start(origin, rules=rules, log={"mask": ["token"]})
    watched(gateway)
    ray = gateway.fetch(f"/page?{query}").get("CF-Ray")
    assert "cana" not in shown_of(gateway, ray).lower()


def test_secrets_of_the_answer(start, origin):
    headers = [("Set-Cookie", "canary-without-a-name"), ("Set-Cookie", "s=canary-set"), ("Location", "/next?token=canary-moved"), ("X-Access-Token", "canary-own"),
               ("X-Echo", "s=canary-set")]
    origin.on("/", Reply("", status=302, headers=headers))
    gateway = start(origin, log={"mask": ["token"]})
    watched(gateway)
    shown = shown_of(gateway, gateway.fetch("/").get("CF-Ray"))
    assert "canary" not in shown and "/next?token=***" in shown and "s=***" in shown


def test_what_is_no_secret_is_shown(start, origin):
    rules = [{"action": "set_cache_settings", "expression": 'http.request.headers["x-plain"][0] eq "slang=dear"', "action_parameters": {"cache": True}}]
    gateway = start(origin, rules=rules)
    watched(gateway)
    ray = gateway.fetch("/page", headers={"Cookie": "lang=de; one=1", "X-Plain": "slang=dear", "Upgrade-Insecure-Requests": "1"}).get("CF-Ray")
    record = gateway.recorded(ray)
    assert record["now"]["result"]["trace"][0]["trace"][0]["nearedge"]["parts"][0]["left"] == '"slang=dear"'
    assert ["Upgrade-Insecure-Requests", "1"] in record["request_headers"]


def test_the_har_export(gateway):
    watched(gateway)
    gateway.fetch("/a.css?v=1")
    har = wait_until(lambda: gateway.api_json("/api/requests.har")["log"]["entries"], "an entry")[0]
    assert har["request"]["method"] == "GET" and har["request"]["url"] == "http://www.example.test/a.css?v=1"
    assert har["request"]["queryString"] == [{"name": "v", "value": "1"}]
    assert har["response"]["status"] == 200 and har["_cache_status"] == "MISS"
    assert har["time"] == pytest.approx(sum(har["timings"].values()), abs=0.01)
    assert har["startedDateTime"].endswith("Z")


def test_http_2_is_recorded_and_replayed(start, origin):
    gateway = start(origin, listen=[{"address": "127.0.0.1:0", "edge": "FRA", "h2c": True}])
    watched(gateway)
    assert fetch_h2(gateway.address, "/a.css", headers={"cookie": "s=canary-crumb"}).status == 200
    (entry,) = wait_until(lambda: gateway.api_json("/api/requests.har")["log"]["entries"], "an entry")
    assert entry["request"]["httpVersion"] == entry["response"]["httpVersion"] == "HTTP/2"
    assert "canary" not in json.dumps(entry)
    assert gateway.api_json(f"/api/requests/{entry['_ray']}/replay", "POST")["status"] == 200


# ---- replay ----

def test_a_replay_is_an_ordinary_request(gateway, origin):
    watched(gateway)
    ray = gateway.fetch("/a.css").get("CF-Ray")
    gateway.recorded(ray)
    again = gateway.api_json(f"/api/requests/{ray}/replay", "POST")
    assert again["status"] == 200 and again["complete"] is True and again["bytes"] > 0
    assert gateway.recorded(again["ray"])["request"]["CacheCacheStatus"] == "hit"
    elsewhere = gateway.api_json(f"/api/requests/{ray}/replay?edge=AMS", "POST")
    record = gateway.recorded(elsewhere["ray"])["request"]
    assert record["CacheCacheStatus"] == "miss" and record["EdgeColoCode"] == "AMS"
    assert gateway.metric("nearedge_requests_total", edge="AMS") == 1


def test_what_cannot_be_replayed(gateway):
    watched(gateway)
    ray = gateway.fetch("/form", "POST", body=b"x").get("CF-Ray")
    gateway.recorded(ray)
    refused = gateway.api(f"/api/requests/{ray}/replay", "POST")
    assert refused.status == 409 and b"body" in refused.body
    ray = gateway.fetch("/").get("CF-Ray")
    gateway.recorded(ray)
    assert gateway.api(f"/api/requests/{ray}/replay?edge=QQQ", "POST").status == 400


def test_a_tunnel_is_not_replayed(gateway, origin):
    """Nobody would speak in it, and nothing would end it."""
    def switch(request, connection):
        connection.send(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
        connection.wait_for_close()

    origin.on("/ws", switch)
    watched(gateway)
    client = RawClient(gateway.address).request("GET", "/ws", {"Connection": "Upgrade", "Upgrade": "echo"})
    assert client.read_head().status == 101
    client.close()
    line = gateway.logged(1, ClientRequestURI="/ws")[0]
    assert gateway.recorded(line["RayID"])["replayable"] is False
    refused = gateway.api(f"/api/requests/{line['RayID']}/replay", "POST")
    assert refused.status == 409 and b"another protocol" in refused.body


@pytest.mark.parametrize("leave", ["reset", "close"])
def test_a_replay_whose_watcher_leaves(gateway, origin, leave):
    """The request it had caused ends as if a visitor had gone."""
    asked, ended = threading.Event(), threading.Event()

    def slow(request, connection):
        asked.set()
        connection.wait_for_close()
        ended.set()

    watched(gateway)
    ray = gateway.fetch("/slow").get("CF-Ray")
    gateway.recorded(ray)
    origin.on("/slow", slow)
    impatient = RawClient(gateway.admin).request("POST", f"/api/requests/{ray}/replay", body=b"", host="127.0.0.1")
    assert asked.wait(10)
    getattr(impatient, leave)()
    assert ended.wait(10)
    gateway.logged(1, ClientRequestURI="/slow", EdgeResponseStatus=499)


def test_a_replay_that_waits_for_another_requests_fill(gateway, origin):
    """Its watcher leaves; the request that it waited for does not notice."""
    asked, go_on = threading.Event(), threading.Event()

    def slow(request, connection):
        asked.set()
        assert go_on.wait(20)
        connection.send(b"HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: 4\r\n\r\nlate")

    watched(gateway)
    ray = gateway.fetch("/slow.css").get("CF-Ray")
    gateway.recorded(ray)
    zone = "0123456789abcdef0123456789abcdef"
    gateway.api_json(f"/client/v4/zones/{zone}/purge_cache", "POST", {"purge_everything": True})
    origin.on("/slow.css", slow)
    leader = gateway.client().request("GET", "/slow.css")
    assert asked.wait(10)
    impatient = RawClient(gateway.admin).request("POST", f"/api/requests/{ray}/replay", body=b"", host="127.0.0.1")
    impatient.close()
    gateway.logged(1, ClientRequestURI="/slow.css", EdgeResponseStatus=499)
    go_on.set()
    assert leader.read().body == b"late"
    leader.close()


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


def test_trying_uses_up_no_labels(start, origin):
    gateway = start(origin, zone={"plan": "enterprise"})
    for attempt in range(45):
        rules = [{"action": "set_cache_settings", "expression": f'http.host eq "n{n}.test"', "action_parameters": {"cache": True},
                  "id": f"{attempt * 200 + n:032x}"} for n in range(200)]
        assert gateway.api(PHASE + "/what-if", "POST", {"rules": rules}).status == 200
    rules = [{"action": "set_cache_settings", "expression": "true", "action_parameters": {"cache": True}}]
    (rule,) = gateway.api_json(PHASE, "PUT", {"rules": rules})["result"]["rules"]
    gateway.fetch("/counted")
    assert gateway.metric("nearedge_rule_matches_total", rule=rule["id"]) == 1


def test_what_if_says_what_is_wrong_with_the_rules(gateway):
    rules = [{"action": "set_cache_settings", "expression": "nonsense eq 1", "action_parameters": {"cache": True}}]
    answer = gateway.api(PHASE + "/what-if", "POST", {"rules": rules})
    assert answer.status == 400
    assert json.loads(answer.body)["errors"] == json.loads(gateway.api(PHASE, "PUT", {"rules": rules}).body)["errors"]

# SPDX-License-Identifier: Apache-2.0
"""Secrets go in by every door; none comes out by another.

Each door gets a secret of its own (a canary), then everything that says something is asked: answers to visitors, both
logs, the admin's lists and records, explain, events, HAR, metrics, `check` and the other verbs. A canary may appear only
where SHOWN_ON_PURPOSE says so, and those places are for who holds the admin token."""
import json
import re
import socket
import subprocess

import pytest
from edge import Reply, wait_until
from edge.gateway import BINARY

CANARY = {name: f"canary{number:02}{name}" for number, name in enumerate(
    ["token", "redis", "bearer", "cookie", "setcookie", "masked", "proxyauth", "originuser", "posted", "body", "keyed", "session"])}
ZONE_ID = "0123456789abcdef0123456789abcdef"
PHASE = f"/client/v4/zones/{ZONE_ID}/rulesets/phases/http_request_cache_settings/entrypoint"
TOKEN = {"Authorization": f"Bearer {CANARY['token']}"}
SECRETS = [
    ("Authorization", f"Bearer {CANARY['bearer']}"), ("Cookie", f"a={CANARY['cookie']}; session_id={CANARY['session']}; theme=dark"),
    ("Proxy-Authorization", f"Basic {CANARY['proxyauth']}"), ("X-Api-User", CANARY["keyed"])]
# For who holds the admin token: counters are named by what the operator's limiter makes keys of; records show fields that are no
# credentials; explain repeats what it was asked about.
SHOWN_ON_PURPOSE = {
    "keyed": {"GET /api/admin/rate-limits/state", "limits ls", "GET /api/requests.har", "GET /api/requests/:ray"},
    "masked": {"POST /api/explain"},
    "posted": {"POST /api/explain"},
}
LIMITERS = {"limiters": [{"name": "few", "limit": 3, "window_ms": 60000, "store": "durable_object", "key": "${header:x-api-user}"}],
            "routes": [{"path": "/few", "limiter": "few"}]}
RULES = [{"action": "set_cache_settings", "expression": 'http.request.uri.path eq "/keyed.css"', "description": "by cookie",
          "action_parameters": {"cache": True, "edge_ttl": {"mode": "override_origin", "default": 60}, "cache_key": {
              "custom_key": {"cookie": {"include": ["session_id"]}, "header": {"include": ["x-api-user"]}}}}},
         {"action": "set_cache_settings", "expression": f'http.cookie contains "session_id={CANARY["session"][:9]}"',
          "description": "by session", "action_parameters": {"cache": False}}]


class Watch:
    """Everything that was said, by where it was said."""

    def __init__(self, gateway):
        self.gateway, self.said = gateway, {}

    def add(self, where, text):
        self.said[where] = self.said.get(where, "") + (text.decode("latin-1") if isinstance(text, bytes) else text)

    def answer(self, where, response):
        self.add(where, response.head + response.body)
        return response

    def api(self, path, method="GET", body=None, headers=None, name=None):
        return self.answer(f"{method} {name or path}", self.gateway.api(path, method, body, headers=TOKEN if headers is None else headers))

    def verb(self, name, *arguments, token=CANARY["token"], code=0):
        ran = subprocess.run([BINARY, *name.split(), *arguments], capture_output=True, text=True, timeout=60, check=False,
                             cwd=self.gateway.folder, env=dict(self.gateway.env, NEAREDGE_ADMIN_TOKEN=token), stdin=subprocess.DEVNULL)
        assert ran.returncode == code, ran
        self.add(name if code == 0 else name + ", refused", ran.stdout + ran.stderr or "nothing")

    def leaks(self):
        return [(name, where, re.search(f".{{0,60}}{canary}.{{0,40}}", text).group())
                for name, canary in CANARY.items() for where, text in self.said.items()
                if canary in text and where not in SHOWN_ON_PURPOSE.get(name, ())]


@pytest.fixture
def watch(start, origin, redis):
    redis.command("CONFIG", "SET", "requirepass", CANARY["redis"])
    origin.default = Reply("fine", headers=[("Set-Cookie", f"id={CANARY['setcookie']}; HttpOnly")])
    origin.on("/keyed.css", Reply("css"))
    gateway = start(origin, rules=RULES, limiters=LIMITERS, zone={"user_from": "cookie:session_id", "plan": "enterprise"},
                    env={"REDIS_WORD": CANARY["redis"], "ADMIN_WORD": CANARY["token"]},
                    admin={"address": "127.0.0.1:0", "token": "${ADMIN_WORD}"}, debug_headers=True,
                    log={"mask": ["sig", "token"], "level": "debug"},
                    limiter={"backend": "redis+unix://:${REDIS_WORD}@" + redis.socket_path, "on_backend_failure": "memory"})
    wait_until(lambda: gateway.readyz().status == 200, "Redis")
    return Watch(gateway)


def visit(watch, path, method="GET", expected=200, more=(), body=None):
    """What goes back to the visitor who said the secrets is his own; only what the edge makes is watched."""
    answer = watch.gateway.fetch(f"{path}?q=1&sig={CANARY['masked']}&token={CANARY['masked']}", method, headers=[*SECRETS, *more], body=body)
    assert answer.status in (expected, 429), (path, answer)
    own = answer.head if expected == 200 else answer.head + answer.body
    watch.add(f"answer {answer.status}", own.replace(CANARY["setcookie"].encode(), b""))
    return answer


def drive(watch, origin):
    origin.on("/broken", lambda _, connection: connection.close())
    origin.on("/garbage", lambda _, connection: (connection.send("nonsense\r\n\r\n"), connection.close()) and None)
    for path in ("/page", "/file.css", "/file.css", "/keyed.css", "/keyed.css", "/few", "/few", "/few", "/few"):
        last = visit(watch, path)
    visit(watch, "/page", "POST", body=b"password=" + CANARY["body"].encode())
    for path in ("/broken", "/garbage"):
        visit(watch, path, expected=520)
    visit(watch, "/page", expected=400, more=[("Content-Length", "x")])
    visit(watch, "/a", expected=400, more=[("Bad Name", "x")])
    with watch.gateway.client() as client:
        client.send(f"GET /{CANARY['masked']} HTTP/1.1\r\nAuthorization: {CANARY['bearer']}\nCookie: {CANARY['cookie']}\r\n\r\n")
        watch.add("answer 400", client.read_to_end())
    return last


def ask_everything(watch, ray):
    url = f"http://www.example.test/page?sig={CANARY['masked']}"
    question = {"url": url, "method": "GET", "headers": {"Authorization": f"Bearer {CANARY['posted']}", "Cookie": f"session_id={CANARY['posted']}"}}
    for path in ("/", "/livez", "/readyz", "/metrics", "/api/clock", "/api/admin/rate-limits/state", "/api/admin/rate-limits/compare",
                 "/api/rate-rules", "/api/cache/stats", "/api/cache/objects", "/api/inspector", "/api/requests", "/api/requests.har",
                 "/api/upstreams", "/api/faults", "/client/v4/user/tokens/verify", "/client/v4/accounts", "/client/v4/zones",
                 f"/client/v4/zones/{ZONE_ID}", f"/client/v4/zones/{ZONE_ID}/settings", f"/client/v4/zones/{ZONE_ID}/rulesets", PHASE,
                 "/nowhere"):
        watch.api(path)
    for each in watch.gateway.api("/api/requests", headers=TOKEN).body.decode().split('"RayID":"')[1:]:
        watch.api(f"/api/requests/{each[:16]}", name="/api/requests/:ray")
    watch.api(f"/api/requests/{ray}/replay", "POST", {}, name="/api/requests/:ray/replay")
    watch.api("/api/explain", "POST", question)
    watch.api("/api/explain", "POST", b'{"url": "' + CANARY["posted"].encode(), name="/api/explain, broken")
    watch.api("/api/faults", "PUT", {"faults": [{"name": CANARY["posted"], "abort": CANARY["posted"]}]}, name="/api/faults, broken")
    watch.api(f"/client/v4/zones/{ZONE_ID}/purge_cache", "POST", {"files": [url]})
    for headers in ({}, {"Authorization": f"Bearer {CANARY['posted']}"}, {"X-Auth-Email": "a@b.test", "X-Auth-Key": CANARY["posted"]}):
        assert watch.api("/api/requests", headers=headers, name="/api/requests, refused").status in (401, 403)
    admin = ("--admin", watch.gateway.admin)
    for name, arguments in (("limits ls", ()), ("clock", ()), ("purge", ("--zone", "example.test", "--url", url)), ("healthcheck", ()),
                            ("drill origin-500", ("--duration", "200ms", "--url", f"http://{watch.gateway.address}/page"))):
        watch.verb(name, *admin, *arguments)
    watch.verb("limits get", *admin, "few", "nobody", code=1)
    watch.verb("limits ls", *admin, token="wrong" + CANARY["posted"], code=1)
    watch.verb("explain", "-c", "nearedge.json", "http://www.example.test/page?sig=x", "-H", "Cookie: session_id=guest")
    watch.verb("check", "-c", "nearedge.json")


def events_of(watch):
    """The stream as its client sees it, up to the request that is made here."""
    host, port = watch.gateway.admin.rsplit(":", 1)
    with socket.create_connection((host, int(port)), timeout=10) as stream:
        stream.sendall(f"GET /api/events?since=0 HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {CANARY['token']}\r\n\r\n".encode())
        seen = b""
        while b"\r\n\r\n" not in seen:
            seen += stream.recv(65536)
        visit(watch, "/watched")
        while b"/watched" not in seen:
            seen += stream.recv(65536)
        watch.add("GET /api/events", seen)


def reload_twice(watch):
    """A good configuration, then one whose error stands in the line of a secret."""
    gateway = watch.gateway
    gateway.hang_up()
    wait_until(lambda: gateway.log().count("reload") >= 1, "the reload")
    text = json.dumps(gateway.config, indent=2).replace('"${ADMIN_WORD}"', f'"{CANARY["token"]}", "tokn": "{CANARY["token"]}"')
    gateway.write("nearedge.json", text)
    gateway.hang_up()
    wait_until(lambda: "tokn" in gateway.log(), "the error of the bad configuration")
    watch.verb("check", "-c", "nearedge.json", code=3)
    gateway.write_config(gateway.config)


def lose_redis(watch, redis):
    redis.stop()
    wait_until(lambda: "backend" in watch.gateway.log(), "the line about Redis")
    visit(watch, "/few")
    watch.api("/readyz")
    watch.api("/metrics")


def test_no_canary_comes_out(watch, origin, redis):
    watch.api("/api/requests")  # from now on requests are recorded
    last = drive(watch, origin)
    events_of(watch)
    ask_everything(watch, last.ray.split("-")[0])
    reload_twice(watch)
    lose_redis(watch, redis)
    watch.gateway.stop()
    watch.add("access log", watch.gateway.access_text())
    watch.add("log", watch.gateway.log())
    assert len(watch.said) > 30 and all(watch.said.values())
    assert "sig=***" in watch.said["access log"]
    leaks = watch.leaks()
    assert not leaks, "\n".join(f"{name} in {where}: {text}" for name, where, text in leaks)
    for name, places in SHOWN_ON_PURPOSE.items():
        for place in places:
            assert CANARY[name] in watch.said[place], f"{name} is no longer shown in {place}: take it off the list"


@pytest.mark.parametrize("where,broken", {
    "password of an origin": {"zones": [{"name": "example.test", "origin": {"url": f"http://user:{CANARY['originuser']}@127.0.0.1:9"}}]},
    "password of a Redis": {"limiter": {"backend": f"redis://app:{CANARY['redis']}@[::1"}},
    "password of a Redis, other scheme": {"limiter": {"backend": f"rediss+x://app:{CANARY['redis']}@host"}},
    "admin token, too short a key": {"admin": {"address": "nowhere", "token": CANARY["token"]}},
    "admin token that is a list": {"admin": {"address": "127.0.0.1:0", "token": [CANARY["token"]]}},
    "admin key": {"admin": {"address": "127.0.0.1:0", "key": CANARY["token"], "email": 7}},
}.items())
def test_errors_in_a_configuration_show_no_secret(tmp_path, where, broken):
    config = {"listen": ["127.0.0.1:0"], "zones": [{"name": "example.test", "origin": "http://127.0.0.1:9"}], **broken}
    (tmp_path / "nearedge.json").write_text(json.dumps(config, indent=2))
    for arguments in (["check"], ["check", "--json"], ["run"]):
        ran = subprocess.run([BINARY, *arguments, "-c", "nearedge.json"], capture_output=True, text=True, timeout=20, check=False,
                             cwd=tmp_path, stdin=subprocess.DEVNULL)
        assert ran.returncode == 3, (where, ran)
        leaked = [canary for canary in CANARY.values() if canary in ran.stdout + ran.stderr]
        assert not leaked, ran.stdout + ran.stderr

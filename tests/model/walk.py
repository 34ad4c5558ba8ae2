#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A random walk: the same operations for a real gateway on the virtual clock and for reference.py, compared at each step.

    NEAREDGE_BIN=build/release/nearedge tests/model/walk.py [--steps 1000000] [--seed N]

Requests go pipelined over one connection until something needs the admin listener. A difference shows the seed and the last
steps; the same seed makes the same walk."""
import argparse
import os
import random
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "e2e")]
from edge import Gateway, Origin, Reply  # noqa: E402
from edge.gateway import make_config  # noqa: E402
from reference import Cache, Limit, Limiter, Page  # noqa: E402
from reference import Origin as ReferenceOrigin  # noqa: E402

EDGES, ISOLATES, VARIANTS = ("FRA", "AMS"), 2, ("", "a", "b")
PAGES = [Page(f"/m/{ttl}/{n}.css", ttl) for ttl in (1, 5, 60) for n in range(3)] + \
    [Page(f"/e/{ttl}/{n}.css", ttl, tagged=True) for ttl in (2, 20) for n in range(2)] + \
    [Page(f"/r/{n}", 10) for n in range(3)] + [Page(f"/v/{n}", 15, by_header=True) for n in range(2)] + \
    [Page("/b/0.css", None, "DYNAMIC"), Page("/n/0.css", None)]
BY_PATH = {page.path: page for page in PAGES}
LIMITS = [Limit("exact", 3, 5000, "durable_object"), Limit("wide", 7, 12000, "durable_object"), Limit("local", 2, 4000, "memory")]
CLIENTS = [f"203.0.113.{n}" for n in range(4)]
STEPS_MS = (1, 250, 999, 1000, 1001, 2500, 4000, 5000, 11999, 16000, 61000)
BATCH, SHOWN = 64, 30
PURGE = "/client/v4/zones/0123456789abcdef0123456789abcdef/purge_cache"


def rule(expression, **parameters):
    return {"action": "set_cache_settings", "expression": expression, "description": expression, "action_parameters": parameters}


RULES = [
    rule('starts_with(http.request.uri.path, "/r/")', cache=True, edge_ttl={"mode": "override_origin", "default": 10}),
    rule('starts_with(http.request.uri.path, "/v/")', cache=True, edge_ttl={"mode": "override_origin", "default": 15},
         cache_key={"custom_key": {"header": {"include": ["x-v"]}}}),
    rule('starts_with(http.request.uri.path, "/b/")', cache=False)]
LIMITERS = {
    "limiters": [{"name": l.name, "limit": l.limit, "window_ms": l.window_ms, "store": l.store, "key": "${ip}"} for l in LIMITS],
    "routes": [{"path": f"/limited/{l.name}", "limiter": l.name} for l in LIMITS]}


def real_origin():
    """Answers as reference.Origin says it does."""
    origin, reference = Origin(), ReferenceOrigin()

    def answer(request, _):
        page = BY_PATH.get(request.path)
        if page is None:
            return Reply("limited")
        body, headers = reference.fetch(page), {}
        if page.path.startswith(("/m/", "/e/")):
            headers["Cache-Control"] = f"max-age={page.ttl_s}"
        if page.path.startswith("/n/"):
            headers["Cache-Control"] = "no-store"
        if page.tagged:
            headers["ETag"] = '"tag"'
            if request.get("If-None-Match") == '"tag"':
                return Reply(status=304, headers=headers)
        return Reply(body, headers=headers)

    origin.default = answer
    origin.record = lambda request: None  # a million of them
    return origin


def real_gateway(folder, origin):
    gateway = Gateway(folder)
    gateway.write("cache.json", {"phase": "http_request_cache_settings", "kind": "zone", "rules": RULES})
    gateway.write("limiters.json", LIMITERS)
    gateway.config = make_config(
        origin, {"plan": "enterprise", "rulesets": ["cache.json"], "limiters": "limiters.json"}, log={"access": "off"},
        trusted_proxies=["127.0.0.1/32"])
    return gateway.start()


class Difference(AssertionError):
    pass


class Walk:
    def __init__(self, gateway, seed):
        self.gateway, self.seed, self.chance = gateway, seed, random.Random(seed)
        self.cache, self.limiter = Cache(ReferenceOrigin()), Limiter()
        self.now_ms = gateway.now_ms()
        self.client, self.bytes, self.waiting = gateway.client(), [], []
        self.done, self.history, self.seen = 0, [], {}

    def request(self, method, path, headers, check, expected):
        lines = [f"{method} {path} HTTP/1.1", "Host: www.example.test", *(f"{k}: {v}" for k, v in headers.items())]
        if method == "POST":
            lines.append("Content-Length: 0")
        self.bytes.append("\r\n".join(lines).encode() + b"\r\n\r\n")
        self.waiting.append((check, expected, self.note(f"{method} {path} {headers}", expected)))
        if len(self.bytes) >= BATCH:
            self.flush()

    def note(self, what, expected=None):
        self.history.append(f"{self.done:8} at {self.now_ms}: {what}" + (f" -> {expected}" if expected else ""))
        del self.history[:-SHOWN - BATCH]
        return self.history[-1]

    def flush(self):
        if not self.bytes:
            return
        self.client.send(b"".join(self.bytes))
        for check, expected, line in self.waiting:
            got = check(self.client.read())
            if got != expected:
                self.fail(line, got)
            self.seen[got[0]] = self.seen.get(got[0], 0) + 1
        self.bytes, self.waiting = [], []

    def fail(self, line, got):
        at = self.history.index(line) + 1
        steps = "\n".join(self.history[max(0, at - SHOWN):at])
        raise Difference(f"seed {self.seed}: the gateway said {got}; the last steps were\n{steps}")

    # ---- operations

    def get(self):
        page, edge, variant = self.chance.choice(PAGES), self.chance.choice(EDGES), self.chance.choice(VARIANTS)
        headers = {"X-Nearedge-Edge": edge, **({"X-V": variant} if variant else {})}
        expected = self.cache.get(page, edge, variant, self.now_ms)
        self.request("GET", page.path, headers, lambda r: (
            r.cache, int(r.get("Age")) if "Age" in r and r.cache == "HIT" else None, r.body.decode()), expected)

    def change(self):
        """An unsafe method with success takes its URL out of the cache (RFC 9111 section 4.4)."""
        page = self.chance.choice([page for page in PAGES if not page.by_header])
        body = self.cache.origin.fetch(page)
        self.cache.purge_path(page.path)
        self.request("POST", page.path, {"X-Nearedge-Edge": self.chance.choice(EDGES)}, lambda r: (r.status, r.body.decode()), (200, body))

    def limited(self):
        limit, who = self.chance.choice(LIMITS), self.chance.choice(CLIENTS)
        edge, isolate = self.chance.choice(EDGES), self.chance.randrange(ISOLATES)
        retry = self.limiter.ask(limit, who, (edge, isolate), self.now_ms)
        self.request("POST", f"/limited/{limit.name}", {
            "CF-Connecting-IP": who, "X-Nearedge-Edge": edge, "X-Nearedge-Isolate": isolate},
            lambda r: (r.status, r.get("Retry-After")), (200, None) if retry is None else (429, str(retry)))

    def advance(self):
        step = self.chance.choice(STEPS_MS)
        self.flush()
        self.note(f"advance {step}")
        self.gateway.advance(step)
        self.now_ms += step

    def purge(self):
        self.flush()
        if self.chance.random() < 0.15:
            self.note("purge everything")
            self.cache.purge_everything()
            body = {"purge_everything": True}
        else:
            page = self.chance.choice([page for page in PAGES if not page.by_header])
            self.note(f"purge {page.path}")
            self.cache.purge_path(page.path)
            body = {"files": [f"http://www.example.test{page.path}"]}
        assert self.gateway.api_json(PURGE, "POST", body)["success"] is True

    def reset(self):
        limit, who = self.chance.choice(LIMITS), self.chance.choice(CLIENTS)
        self.flush()
        self.note(f"reset {limit.name} {who}")
        self.limiter.reset(limit, who)
        self.gateway.api_json("/api/admin/rate-limits/reset", "POST", {"name": limit.name, "key": who})

    def run(self, steps):
        operations = [self.get, self.limited, self.change, self.advance, self.purge, self.reset]
        for self.done, operation in enumerate(self.chance.choices(operations, [56, 40, 1, 2, 0.5, 0.5], k=steps)):
            operation()
        self.flush()
        return self.seen


def walk(folder, steps, seed):
    """How often each answer came; Difference when gateway and model part."""
    origin = real_origin()
    gateway = real_gateway(folder, origin)
    try:
        return Walk(gateway, seed).run(steps)
    finally:
        gateway.stop()
        origin.stop()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--steps", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    options = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        seen = walk(folder, options.steps, options.seed)
    print(f"{options.steps} steps, seed {options.seed}, {time.monotonic() - began:.0f} s, no difference; answers:",
          ", ".join(f"{count} {name}" for name, count in sorted(seen.items(), key=str)))


if __name__ == "__main__":
    main()

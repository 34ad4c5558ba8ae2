# SPDX-License-Identifier: Apache-2.0
"""What is asked of every server. One row is one workload; a server that cannot do it is skipped."""
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Workload:
    name: str
    what: str
    path: str = "/bench/object.js"  # an edge caches such files without any rule
    body: int = 1024                # bytes the origin answers with
    status: int = 200               # what every measured answer must be
    kind: str = "hit"               # hit: from the cache; miss: fetched and stored; refuse: by a limiter; pass: from the origin
    headers: dict = field(default_factory=dict)
    method: str = "GET"
    request_body: int = 0           # bytes
    paths: int = 0                  # as many objects are asked for in turn
    fresh_paths: bool = False       # every request asks for an object of its own
    visitors: int = 0               # as many ask in turn, told apart by X-Visitor
    skips: tuple = ()               # servers that have no such function
    only: tuple = ()                # these servers and no others
    h2: bool = False                # HTTP/2 without TLS, by h2load
    tls: bool = False               # HTTP/1.1 over TLS 1.3, AES-128-GCM, P-256 certificate, connections kept
    workers: int = 1                # threads or processes; two share both cores with client and origin
    measure: str = "saturate"       # saturate: CPU time at full load; paced: latency at 70 % of it; reload: latency while
                                    # the configuration is read again and again; idle: memory of a kept connection
    goals: dict = field(default_factory=dict)  # nearedge's figure at most: "value" itself, or this multiple of…
    extras: dict = field(default_factory=dict)  # a variant's figure at most this multiple of nearedge's

    @property
    def answer_body(self):
        """Bytes of the answer's body, or None where each server words its own."""
        return {200: self.body, 206: 1024, 304: 0}.get(self.status)

    @property
    def needs_script(self):
        return self.paths or self.fresh_paths or self.visitors or self.method != "GET"


NO_H2 = ("nginx", "floor", "trafficserver")
NO_TLS = ("varnish", "floor", "h2o")
OWN = "/bench/data"

WORKLOADS = {w.name: w for w in [
    Workload("hit-1k", "cached object of 1 KiB", goals={"floor": 1.35, "best peer": 0.8}),
    Workload("hit-100k", "cached object of 100 KiB", body=102400, goals={"best peer": 1.0}),
    Workload("hit-10000-objects", "10,000 cached objects of 1 KiB, asked for in turn", paths=10000, skips=("floor",),
             goals={"best peer": 0.8}),
    Workload("conditional-304", "cached object, If-None-Match holds", status=304,
             headers={"If-None-Match": '"bench-1024"'}, goals={"best peer": 0.9}),
    Workload("range-206", "the first KiB of a cached object of 100 KiB", body=102400, status=206,
             headers={"Range": "bytes=0-1023"}, skips=("haproxy", "floor"), goals={"best peer": 0.9}),
    Workload("miss-store", "1 KiB from the origin, stored; every request another object", kind="miss", fresh_paths=True,
             skips=("floor",), goals={"best peer": 1.0}),
    Workload("429", "refused by a limiter, the origin never asked", "/bench/limited", status=429, kind="refuse",
             skips=("varnish", "trafficserver"), goals={"best peer": 0.85}),
    Workload("pass-1k", "1 KiB from the origin, not cached", OWN, kind="pass", skips=("floor",), goals={"best peer": 1.0}),
    Workload("pass-1m", "1 MiB from the origin, not cached", OWN, body=1 << 20, kind="pass", skips=("floor",),
             goals={"best peer": 1.0}),
    Workload("post-100k", "100 KiB to the origin, 1 KiB back", OWN, kind="pass", method="POST", request_body=102400,
             skips=("floor",), goals={"best peer": 1.0}),
    Workload("h2-hit-1k", "cached object of 1 KiB by HTTP/2, ten streams a connection", h2=True, skips=NO_H2,
             goals={"best peer": 1.0}),
    Workload("h2-hit-100k", "cached object of 100 KiB by HTTP/2", body=102400, h2=True, skips=NO_H2, goals={"best peer": 1.0}),
    Workload("tls-hit-1k", "cached object of 1 KiB by TLS", tls=True, skips=NO_TLS, goals={"best peer": 1.0}),
    Workload("tls-new-connection", "cached object of 1 KiB, one request a TLS connection (wrk resumes)", tls=True,
             headers={"Connection": "close"}, skips=NO_TLS, goals={"best peer": 1.0}),
    Workload("new-connection", "cached object of 1 KiB, one request a connection", headers={"Connection": "close"},
             goals={"best peer": 1.0}),
    Workload("two-workers", "cached object of 1 KiB, two workers on both cores, which client and origin share", workers=2,
             skips=("floor",), goals={"best peer": 0.8}),
    Workload("rules", "cached object of 1 KiB, no, six and 300 cache rules",
             only=("nearedge", "nearedge-rules-6", "nearedge-rules-300"), extras={"nearedge-rules-300": 1.25}),
    Workload("access-log", "cached object of 1 KiB, the access log off and on",
             only=("nearedge", "nearedge-log", "nginx", "nginx-log"), extras={"nearedge-log": 1.15}),
    Workload("redis-decision", "cached object of 1 KiB, without a limiter and behind one whose counters are in Redis",
             visitors=10000, only=("nearedge", "nearedge-redis")),
    Workload("p99-at-70", "cached object of 1 KiB, latency at 70 % of saturation (h2load)", measure="paced",
             goals={"best peer": 1.0}),
    Workload("reload", "cached object of 1 KiB, full load, the configuration read again four times a second", measure="reload",
             only=("nearedge", "nginx"), goals={"value": 1.5}),
    Workload("idle", "10,000 idle connections after one request each", measure="idle", goals={"value": 4096}),
    Workload("tls-idle", "10,000 idle TLS connections after one request each", measure="idle", tls=True, skips=NO_TLS,
             goals={"best peer": 1.0}),
]}

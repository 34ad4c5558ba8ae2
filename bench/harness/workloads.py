# SPDX-License-Identifier: Apache-2.0
"""What is asked of every server. One row is one workload; a server that cannot do it is skipped."""
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Workload:
    name: str
    what: str
    path: str
    body: int = 1024                # bytes the origin answers with
    status: int = 200               # what every measured answer must be
    kind: str = "hit"               # hit: from the cache; refuse: by a limiter; pass: from the origin
    headers: dict = field(default_factory=dict)
    skips: tuple = ()               # servers that have no such function
    h2: bool = False                # HTTP/2 without TLS, by h2load
    tls: bool = False               # HTTP/1.1 over TLS 1.3, AES-128-GCM, P-256 certificate, connections kept
    idle: bool = False              # also: what an idle kept connection costs in memory
    goals: dict = field(default_factory=dict)  # nearedge's CPU time at most this multiple of…

    @property
    def answer_body(self):
        """Bytes of the answer's body, or None where each server words its own."""
        return {200: self.body, 304: 0}.get(self.status)


# The cached paths end in .js: an edge caches such files without any rule.
WORKLOADS = {w.name: w for w in [
    Workload("hit-1k", "cached object of 1 KiB", "/bench/object.js", idle=True,
             goals={"floor": 1.35, "best peer": 0.8}),
    Workload("429", "refused by a limiter, the origin never asked", "/bench/limited", status=429, kind="refuse",
             skips=("varnish",), goals={"best peer": 0.85}),
    Workload("pass-1k", "1 KiB from the origin, not cached", "/bench/data", kind="pass", skips=("floor",),
             goals={"best peer": 1.0}),
    Workload("hit-100k", "cached object of 100 KiB", "/bench/object.js", body=102400, goals={"best peer": 1.0}),
    Workload("conditional-304", "cached object, If-None-Match holds", "/bench/object.js", status=304,
             headers={"If-None-Match": '"bench-1024"'}),
    Workload("h2-hit-1k", "cached object of 1 KiB by HTTP/2, ten streams a connection", "/bench/object.js", h2=True,
             skips=("nginx", "floor"), goals={"best peer": 1.0}),
    Workload("h2-hit-100k", "cached object of 100 KiB by HTTP/2", "/bench/object.js", body=102400, h2=True,
             skips=("nginx", "floor"), goals={"best peer": 1.0}),
    Workload("tls-hit-1k", "cached object of 1 KiB by TLS", "/bench/object.js", tls=True, skips=("varnish", "floor"),
             idle=True, goals={"best peer": 1.0}),
    Workload("tls-new-connection", "cached object of 1 KiB, one request a TLS connection (wrk resumes)", "/bench/object.js", tls=True,
             headers={"Connection": "close"}, skips=("varnish", "floor")),
    Workload("new-connection", "cached object of 1 KiB, one request a connection", "/bench/object.js",
             headers={"Connection": "close"}),
]}

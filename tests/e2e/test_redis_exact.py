# SPDX-License-Identifier: Apache-2.0
"""Two gateway processes, four edges each, one Redis: 400 requests in flight at once, exactly 15 admitted, again and again.

NEAREDGE_ROUNDS sets how often; each round is a key of its own."""
import os

import pytest
from edge import Burst, Reply

PATH = "/api/ai-image/generate"
EDGES = ["FRA", "AMS", "LHR", "MAD"]
ROUNDS = int(os.environ.get("NEAREDGE_ROUNDS", "100"))


@pytest.fixture
def pair(start, origin):
    """begin(backend): two gateways that share it."""
    origin.default = Reply('{"success":true}', content_type="application/json")
    rules = {"limiters": [{"name": "aiGenerate", "limit": 15, "window_ms": 60000, "store": "durable_object",
                           "key": "${ip}:${user}", "mode": "enforce"}],
             "routes": [{"methods": ["POST"], "path": PATH, "limiter": "aiGenerate"}]}

    def begin(backend):
        options = {"clock": "system", "limiter": {"backend": backend, "on_backend_failure": "deny"}, "workers": 2,
                   "trusted_proxies": ["127.0.0.1/32"], "log": {"access": "off"},
                   "edges": [{"name": name, "country": "DE", "isolates": 2} for name in EDGES]}
        return [start(origin, limiters=rules, **options) for _ in range(2)]

    return begin


def headers(number):
    return {"X-Nearedge-Edge": EDGES[number // 2 % 4], "X-Nearedge-Isolate": str(number // 8 % 2)}


def test_fifteen_of_four_hundred_every_time(pair, redis, origin):
    burst = Burst(pair(redis.url), 400, headers)
    try:
        for number in range(ROUNDS):
            statuses = burst.fire(PATH, **{"CF-Connecting-IP": f"203.0.{number // 250}.{number % 250}"})
            assert (statuses.count(200), statuses.count(429)) == (15, 385), f"round {number}"
    finally:
        burst.close()
    assert origin.count(PATH) == 15 * ROUNDS

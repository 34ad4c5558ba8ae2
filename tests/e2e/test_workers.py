# SPDX-License-Identifier: Apache-2.0
"""Two workers: both serve, and what they share is one."""
import os
import re

from edge import Reply, in_parallel

LIMITERS = {"limiters": [{"name": "few", "limit": 15, "window_ms": 60000, "store": "durable_object", "key": "${ip}"}],
            "routes": [{"path": "/few", "limiter": "few"}]}


def thread_times(pid):
    """CPU ticks of each thread."""
    ticks = {}
    for thread in os.listdir(f"/proc/{pid}/task"):
        try:
            with open(f"/proc/{pid}/task/{thread}/stat", encoding="ascii") as file:
                fields = re.sub(r"^\d+ \(.*\) ", "", file.read()).split()
        except FileNotFoundError:
            continue  # ended meanwhile
        ticks[thread] = int(fields[11]) + int(fields[12])
    return ticks


def test_both_workers_serve(start, origin):
    gateway = start(origin, workers=2)
    origin.default = Reply("x", cache_control="max-age=600")

    def load():
        for _ in range(25):
            with gateway.client() as client:
                for _ in range(40):
                    assert client.request("GET", "/a.css").read().status == 200

    busy = []
    for _ in range(10):  # ticks are coarse: until two threads have shown some
        in_parallel(*[load] * 4)
        busy = [ticks for ticks in thread_times(gateway.pid).values() if ticks > 0]
        if len(busy) >= 2:
            break
    assert len(busy) >= 2, thread_times(gateway.pid)


def test_counters_are_exact_across_workers(start, origin):
    gateway = start(origin, workers=2, limiters=LIMITERS)
    for _ in range(5):
        statuses = in_parallel(*[lambda: gateway.fetch("/few").status] * 40)
        assert (statuses.count(200), statuses.count(429)) == (15, 25)
        gateway.advance(60_000)


def test_cache_is_shared_by_the_workers(start, origin):
    origin.default = Reply("x" * 10_000, cache_control="max-age=600")
    gateway = start(origin, workers=2)
    for round_number in range(10):
        path = f"/{round_number}.css"
        responses = in_parallel(*[lambda: gateway.fetch(path)] * 16)  # pylint: disable=cell-var-from-loop
        assert {len(r.body) for r in responses} == {10_000}
        assert sorted(r.cache for r in responses) == ["HIT"] * 15 + ["MISS"]
        assert origin.count(path) == 1


def test_metrics_add_up_over_the_workers(start, origin):
    gateway = start(origin, workers=2)
    in_parallel(*[lambda: [gateway.fetch("/") for _ in range(25)]] * 8)
    assert gateway.metric("nearedge_requests_total", code="200") == 200
    assert origin.count() == 200


def test_log_lines_of_workers_do_not_mix(start, origin):
    gateway = start(origin, workers=2)
    in_parallel(*[lambda: [gateway.fetch("/a.css?" + "x" * 500) for _ in range(25)]] * 8)
    assert len(gateway.logged(200)) == 200


def test_workers_zero_means_one_for_each_processor(start, origin):
    gateway = start(origin, workers=0)
    assert gateway.fetch("/").status == 200
    assert len(os.listdir(f"/proc/{gateway.pid}/task")) >= len(os.sched_getaffinity(0))

# SPDX-License-Identifier: Apache-2.0
"""The limiter matrix: several stores judge the same traffic, and none but the limiter's own refuses anybody."""
import json
import subprocess

import pytest
from edge import Reply, in_parallel, wait_until
from edge.gateway import BINARY

PATH = "/api/ai-image/generate"
STORES = ["memory", "kv", "durable_object", "binding"]
PLACES = [("FRA", 0), ("AMS", 0), ("FRA", 1), ("AMS", 1)]


@pytest.fixture
def comparing(start, origin):
    """begin(store, kv={…}, limiter={…}): a gateway whose limiter compares all stores, over 2 edges with 2 isolates each."""
    origin.default = Reply('{"success":true}', content_type="application/json")

    def begin(store="durable_object", limiter=None, backend="embedded", kv=None, durable_object=None, **options):
        rules = {"limiters": [{"name": "aiGenerate", "limit": 15, "window_ms": 60000, "store": store, "compare": STORES,
                               **(limiter or {})},
                              {"name": "plain", "limit": 5, "window_ms": 60000}],
                 "routes": [{"methods": ["POST"], "path": PATH, "limiter": "aiGenerate"}, {"path": "/plain", "limiter": "plain"}]}
        settings = {"backend": backend, "kv": kv or {}, "durable_object": durable_object or {}}
        options.setdefault("trusted_proxies", ["127.0.0.1/32"])
        return start(origin, limiters=rules, limiter=settings, **options)

    return begin


def headers(place=("FRA", 0), address="203.0.113.7"):
    return {"CF-Connecting-IP": address, "X-Nearedge-Edge": place[0], "X-Nearedge-Isolate": str(place[1])}


def post(gateway, place=("FRA", 0), **who):
    return gateway.fetch(PATH, "POST", headers(place, **who), body=b"{}")


def burst(gateway, count=40):
    """One after the other at one instant of the virtual clock, each at the next place."""
    return [post(gateway, PLACES[i % len(PLACES)]).status for i in range(count)]


def matrix(gateway, name="aiGenerate"):
    answer = gateway.api_json(f"/api/admin/rate-limits/compare?name={name}")
    assert answer["success"] is True
    (limiter,) = answer["data"]["limiters"]
    return limiter, {row["store"]: row for row in limiter["stores"]}


def verdicts(rows):
    return {store: (row["admitted"], row["refused"], row["errors"]) for store, row in rows.items()}


def settled(gateway, calls):
    """The matrix once no verdict is pending; KV's tries end with the clock."""

    def read():
        limiter, rows = matrix(gateway)
        done = limiter["requests"] == calls and all(row["pending"] == 0 for row in rows.values())
        return (limiter, rows) if done else None

    return wait_until(read, "all verdicts")


# What spec/limiter.md (c) says of 40 calls at once for 15 a minute: one strong counter admits 15; four isolates have 15
# each; one write of KV a second is accepted; no machine of the binding has told another anything.
BURST = {"durable_object": (15, 25, 0), "memory": (40, 0, 0), "kv": (1, 0, 39), "binding": (40, 0, 0)}


def test_burst_shows_the_documented_verdict_of_each_store(comparing):
    gateway = comparing()
    assert burst(gateway) == [200] * 15 + [429] * 25
    limiter, rows = settled(gateway, 40)
    assert verdicts(rows) == BURST
    assert (limiter["exact"], limiter["windows"], limiter["edges"], limiter["isolates"]) == (15, 1, 2, 4)
    assert limiter["inTurn"] is True and limiter["skipped"] == 0
    assert {store: row["overAdmitted"] for store, row in rows.items()} == {"durable_object": 0, "memory": 25, "kv": -14, "binding": 25}
    assert rows["durable_object"]["firstRefusal"] == {"least": 16, "mean": 16}
    assert rows["memory"]["firstRefusal"] is None and rows["kv"]["firstRefusal"] is None
    assert all(row["mixedZone"]["most"] == 0 for row in rows.values())
    assert {store: row["model"]["row"] for store, row in rows.items()} == {"durable_object": 1, "memory": 2, "kv": 6, "binding": 7}
    assert all(row["model"]["z"] == 0 for row in rows.values()), rows
    assert [store for store, row in rows.items() if row["enforces"]] == ["durable_object"]


@pytest.mark.parametrize("store", STORES)
def test_only_the_own_store_refuses(comparing, store):
    gateway = comparing(store)
    statuses = burst(gateway)
    admitted, refused, errors = BURST[store]
    assert (statuses.count(200), statuses.count(429), statuses.count(500)) == BURST[store]
    assert admitted + refused + errors == 40
    assert verdicts(settled(gateway, 40)[1]) == BURST


def test_shadow_mode_compares_what_it_would_refuse(comparing):
    gateway = comparing(limiter={"mode": "shadow"})
    assert burst(gateway) == [200] * 40
    assert verdicts(settled(gateway, 40)[1]) == BURST


def test_hundred_calls_fill_four_isolates(comparing):
    gateway = comparing(kv={"write_limit": "off"})
    burst(gateway, 100)
    rows = settled(gateway, 100)[1]
    assert verdicts(rows) == {"durable_object": (15, 85, 0), "memory": (60, 40, 0), "kv": (29, 71, 0), "binding": (60, 40, 0)}
    assert rows["memory"]["firstRefusal"]["least"] == 61
    assert rows["kv"]["model"]["row"] == 4 and abs(rows["kv"]["model"]["z"]) <= 1


def test_mixed_zone_lies_between_first_refusal_and_last_admission(comparing):
    gateway = comparing("memory")
    for place in [("FRA", 0)] * 17 + [("FRA", 1)] * 3:
        post(gateway, place)
    row = settled(gateway, 20)[1]["memory"]
    assert row["firstRefusal"]["least"] == 16 and row["mixedZone"]["most"] == 4  # 20 - 16


def test_shadows_hold_nobody_up(comparing):
    gateway = comparing(kv={"read_ms": 20, "write_ms": 30, "write_limit": "off"}, durable_object={"latency_ms": 0})
    assert post(gateway).status == 200  # the clock has not moved: KV has not answered
    _, rows = matrix(gateway)
    assert rows["kv"]["pending"] == 1 and rows["durable_object"]["pending"] == 0
    gateway.advance(50)
    row = settled(gateway, 1)[1]["kv"]
    assert row["admitted"] == 1 and row["latencyMs"] == {"p50": 50, "p99": 50, "sum": 50}
    assert row["operations"] == {"kv_read": 1, "kv_write": 1}


def test_next_window_is_judged_anew(comparing):
    gateway = comparing(kv={"write_limit": "off"})
    burst(gateway, 20)
    gateway.advance(60_000)
    burst(gateway, 20)
    limiter, rows = settled(gateway, 40)
    assert limiter["windows"] == 2 and limiter["exact"] == 30
    assert verdicts(rows)["durable_object"] == (30, 10, 0)
    assert rows["durable_object"]["firstRefusal"] == {"least": 16, "mean": 16}


def test_reset_resets_the_shadows(comparing):
    gateway = comparing(kv={"write_limit": "off"})
    where = [("FRA", 0)] * 16
    for place in where:
        post(gateway, place)
    before = verdicts(settled(gateway, 16)[1])
    assert before == {store: (15, 1, 0) for store in STORES}
    body = {"name": "aiGenerate", "key": "203.0.113.7:anonymous"}
    assert gateway.api_json("/api/admin/rate-limits/reset", "POST", body)["data"]["ok"] is True
    gateway.advance(1000)
    for place in where:
        post(gateway, place)
    limiter, rows = settled(gateway, 32)
    assert verdicts(rows) == {store: (30, 2, 0) for store in STORES}
    assert limiter["exact"] == 30 and limiter["windows"] == 2


def test_redis_counts_the_same(comparing, redis):
    gateway = comparing(backend=redis.url)
    wait_until(lambda: gateway.metric("nearedge_backend_up") == 1, "redis")
    assert burst(gateway) == [200] * 15 + [429] * 25
    assert verdicts(settled(gateway, 40)[1]) == BURST
    body = {"name": "aiGenerate", "key": "203.0.113.7:anonymous"}
    assert gateway.api_json("/api/admin/rate-limits/reset", "POST", body)["data"]["ok"] is True
    gateway.advance(1000)
    assert burst(gateway) == [200] * 15 + [429] * 25
    twice = {store: tuple(2 * n for n in row) for store, row in BURST.items()}
    assert verdicts(settled(gateway, 80)[1]) == twice


def test_workers_share_the_matrix(comparing):
    gateway = comparing(workers=2, kv={"write_limit": "off"})
    statuses = [response.status for response in in_parallel(*[lambda: post(gateway)] * 60)]
    limiter, rows = settled(gateway, 60)
    assert statuses.count(200) == 15 == limiter["exact"] == rows["durable_object"]["admitted"] == rows["memory"]["admitted"]
    assert rows["durable_object"]["firstRefusal"]["least"] >= 1 and limiter["windows"] == 1


def test_clear_starts_over(comparing):
    gateway = comparing(kv={"write_limit": "off"})
    burst(gateway, 20)
    settled(gateway, 20)
    assert gateway.api_json("/api/admin/rate-limits/compare?name=aiGenerate", "DELETE") == {"success": True, "data": {"ok": True}}
    assert matrix(gateway)[0]["requests"] == 0
    burst(gateway, 4)
    limiter, rows = settled(gateway, 4)
    assert verdicts(rows)["durable_object"] == (0, 4, 0) and limiter["exact"] == 0  # their window goes on
    assert rows["durable_object"]["model"]["expected"] == 0


def test_cost_at_list_prices(comparing):
    gateway = comparing(kv={"write_limit": "off"})
    for i in range(11):
        post(gateway, address=f"203.0.113.{i}")
        gateway.advance(1000)
    limiter, rows = settled(gateway, 11)
    assert limiter["perSecond"] == 1 and limiter["windows"] == 11
    answer = gateway.api_json("/api/admin/rate-limits/compare")
    assert answer["data"]["prices"] == {"date": "2026-10", "currency": "USD"}
    assert rows["kv"]["usd"] == {"confirmed": True, "perMillionCalls": 5.5, "perMonth": pytest.approx((2592000 - 1e6) * 5 / 1e6)}
    assert rows["memory"]["usd"]["perMonth"] == 0 and rows["binding"]["usd"]["confirmed"] is False
    assert rows["durable_object"]["operations"]["do_request"] == 11


def test_metrics_have_bounded_labels(comparing):
    gateway = comparing()
    assert gateway.metric("nearedge_limiter_compared_total") == 0
    burst(gateway)
    settled(gateway, 40)
    for store, (admitted, refused, errors) in BURST.items():
        for decision, expected in (("admit", admitted), ("deny", refused), ("error", errors)):
            assert gateway.metric("nearedge_limiter_compared_total", limiter="aiGenerate", store=store, decision=decision) == expected
    assert gateway.metric("nearedge_limiter_decisions_total", limiter="aiGenerate") == 40  # shadows are no decisions


def test_limits_compare_prints_a_table(comparing):
    gateway = comparing()
    burst(gateway)
    settled(gateway, 40)

    def run(*arguments):
        return subprocess.run([BINARY, "limits", "--admin", gateway.admin, "compare", *arguments], capture_output=True, text=True, check=False)

    lines = run().stdout.splitlines()
    assert lines[0].startswith("aiGenerate: 15 in 60 s; 40 calls in 1 window at 2 edges, 4 isolates in turn, since ")
    assert lines[1].split()[:5] == ["STORE", "ADMITTED", "REFUSED", "500s", "OVER"]
    cells = {line.split()[0]: line.replace(" * ", "   ").split() for line in lines[2:6]}
    assert cells["durable_object"][1:6] == ["15", "25", "0", "0", "16"]
    assert cells["memory"][1:6] == ["40", "0", "0", "+25", "-"]
    assert cells["kv"][1:5] == ["1", "0", "39", "-14"]
    assert "2026-10" in lines[6]
    assert json.loads(run("--json", "aiGenerate").stdout)["data"]["limiters"][0]["requests"] == 40
    unknown = run("plain")
    assert unknown.returncode == 1 and "compare" in unknown.stderr
    assert run("--clear").stdout == "the comparison starts over\n"


def test_load_reports_the_matrix(comparing, tmp_path):
    gateway = comparing(clock="system", kv={"write_limit": "off"})
    address, report, page = gateway.address, tmp_path / "report.json", tmp_path / "report.html"
    done = subprocess.run([BINARY, "load", "--url", f"http://{address}{PATH}", "-X", "POST", "-d", "{}", "--burst", "40",
                           "--edges", "FRA,AMS", "--isolates", "2", "--identities", "1", "-H", "Host: www.example.test",
                           "--admin", gateway.admin, "--json", str(report), "--html", str(page)],
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "aiGenerate: 15 in 60 s; 40 calls" in done.stdout and "durable_object *" in done.stdout
    (limiter,) = json.loads(report.read_text())["limiter_matrix"]["limiters"]
    rows = {row["store"]: row for row in limiter["stores"]}
    assert rows["durable_object"]["admitted"] == 15 and rows["memory"]["admitted"] == 40
    html = page.read_text()
    assert "<h2>Limiter matrix</h2>" in html and "<td>durable_object *</td>" in html


def test_load_without_a_comparing_gateway_has_no_matrix(start, origin, tmp_path):
    gateway, report = start(origin), tmp_path / "report.json"
    done = subprocess.run([BINARY, "load", "--url", f"http://{gateway.address}/", "--burst", "2", "-H", "Host: www.example.test",
                           "--admin", gateway.admin, "--json", str(report)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(report.read_text())["limiter_matrix"] is None and "OVER" not in done.stdout

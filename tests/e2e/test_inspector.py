# SPDX-License-Identifier: Apache-2.0
"""The inspector page in Chromium, on a gateway under load: what an operator sees and does, and what a stranger cannot.

With NEAREDGE_REFRESH_PICTURES=1 the README's pictures are taken anew."""
import json
import os
import threading

import pytest
from edge import Reply
from edge.browser import picture
from edge.wait import wait_until

RULES = [{"action": "set_cache_settings", "description": "Bypass API", "expression": 'starts_with(http.request.uri.path, "/api/")',
          "action_parameters": {"cache": False}},
         {"action": "set_cache_settings", "description": "Pages",
          "expression": 'starts_with(http.request.uri.path, "/p/") and not http.cookie contains "session="',
          "action_parameters": {"cache": True, "edge_ttl": {"mode": "override_origin", "default": 7200}}}]
LIMITERS = {"limiters": [{"name": "aiGenerate", "limit": 15, "window_ms": 60000, "store": "durable_object", "key": "${ip}:${user}"}],
            "routes": [{"methods": ["POST"], "path": "/api/ai", "limiter": "aiGenerate"}]}
PICTURES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "browser", "pictures")

# Helpers that every view's script begins with. A page is driven as a person would: by what it says.
DRIVE = """
const until = async (what, test) => { for (let i = 0; i < 400; i++) { const v = await test(); if (v) return v; await new Promise((r) => setTimeout(r, 25)); }
  throw new Error("never: " + what + " in: " + document.body.innerText.slice(0, 1500)); };
const all = (css) => [...document.querySelectorAll(css)];
const text = (css) => all(css).map((e) => e.innerText).join("\\n");
const press = (label) => until("button " + label, () => { const b = all("button").find((b) => b.innerText.trim() === label && !b.disabled); b?.click(); return b; });
const go = (view) => { location.hash = "#/" + view; };
const fill = (css, value) => { const e = document.querySelector(css); e.value = value; e.dispatchEvent(new Event("input")); };
const unlock = async (token) => { document.querySelector("#lock").click(); const d = document.querySelector("dialog");
  d.querySelector("input[type=password]").value = token; d.querySelector("input[type=checkbox]").checked = true; d.querySelector("button.primary").click();
  await until("unlocked", () => text("#lock").startsWith("Unlocked")); };
window.confirm = () => true;
"""


def script(body):
    return f"(async () => {{ {DRIVE} {body} }})()"


class Load:
    """A little of everything, from two places, until stopped."""

    def __init__(self, gateway):
        self.gateway, self.stopped = gateway, threading.Event()
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self):
        number = 0
        while not self.stopped.is_set():
            edge = {"X-Nearedge-Edge": ("FRA", "AMS")[number % 2]}
            self.gateway.fetch(("/p/one", "/p/two", "/a.css", "/api/x", "/other")[number % 5], headers=edge)
            if number % 4 == 0:
                self.gateway.fetch("/api/ai", "POST", headers=edge, body=b"x")
            number += 1
            self.stopped.wait(0.01)

    def stop(self):
        self.stopped.set()
        self.thread.join()


@pytest.fixture(scope="module")
def site(shared_start, shared_origin):
    """A gateway with traffic, shared by the tests that only look."""
    shared_origin.on("/a.css", Reply("css", cache_control="max-age=600", content_type="text/css"))
    gateway = shared_start(shared_origin, rules=RULES, limiters=LIMITERS, zone={"plan": "pro"}, clock="system",
                           trusted_proxies=["127.0.0.1/32"], admin={"address": "127.0.0.1:0", "record": True})
    load = Load(gateway)
    yield gateway
    load.stop()


@pytest.fixture
def page(browser, site):
    """page(body, **view): runs the body in the page and returns what it returned; the page must have had nothing to complain of."""

    def run(body, gateway=site, complaints=0, **view):
        (seen,) = browser.open(f"http://{gateway.admin}/", dict(view, evaluate={"it": script(body)}))
        assert len(seen.console) == complaints, seen.console
        assert all(url.startswith((f"http://{gateway.admin}/", "blob:", "data:")) for url in seen.requests), seen.requests
        return seen["it"]

    return run


def shot(name, folder, **options):
    return {"path": picture(os.path.join(PICTURES, name), folder), **options}


# ---- 1: the live list ----

def test_the_live_list(page, tmp_path):
    rows = page("""await until("rows", () => all("tbody tr").length > 20); return all("tbody tr").map((r) => r.innerText.split("\\t"));""",
                width=1100, height=640, screenshot=shot("inspector-requests.png", tmp_path))
    assert {row[1] for row in rows} == {"FRA", "AMS"}
    assert {row[2] for row in rows} == {"GET", "POST"}
    assert "/p/one" in {row[4] for row in rows} and {"hit", "dynamic"} <= {row[6].strip() for row in rows}
    assert any("deny aiGenerate" in row[7] for row in rows)


def test_filters_and_the_pause(page):
    result = page("""
        await until("rows", () => all("tbody tr").length > 20);
        fill("input[name=edge]", "ams"); fill("input[name=cache]", "hit");
        await until("filtered", () => all("tbody tr").length && all("tbody tr").every((r) => r.innerText.includes("AMS") && r.innerText.includes("hit")));
        fill("input[name=edge]", ""); fill("input[name=cache]", "");
        await until("all again", () => all("tbody tr").some((r) => r.innerText.includes("FRA")));
        await press("Pause"); await until("paused", () => text("main").includes("paused"));
        const before = all("tbody tr").length, ray = document.querySelector("tbody a").hash.split("/").at(-1);
        await new Promise((r) => setTimeout(r, 700));
        const after = all("tbody tr").length;
        fill("input[name=path]", ray); await until("one row", () => all("tbody tr").length === 1);
        return {before, after};""")
    assert result["before"] == result["after"] > 0


def test_a_thousand_rows_at_five_hundred_a_second(page, start, origin):
    """Batches are drawn four times a second; none of them may hold the page up for as long as a person notices (100 ms)."""
    gateway = start(origin, clock="system", admin={"address": "127.0.0.1:0", "record": True}, log={"access": "off"})
    stop = threading.Event()

    def hammer():
        with gateway.client() as client:
            while not stop.is_set():
                for number in range(25):
                    client.request("GET", f"/n{number}")
                for _ in range(25):
                    client.read()
                stop.wait(0.05)

    thread = threading.Thread(target=hammer)
    thread.start()
    try:
        result = page("""
            const long = []; new PerformanceObserver((l) => long.push(...l.getEntries().map((e) => e.duration))).observe({type: "longtask"});
            await until("full", () => all("tbody tr").length === 1000);
            long.length = 0; await new Promise((r) => setTimeout(r, 2000));
            return {long, rows: all("tbody tr").length, said: text("main p.quiet")};""", gateway=gateway)
    finally:
        stop.set()
        thread.join()
    assert result["rows"] == 1000
    assert sum(duration > 200 for duration in result["long"]) <= 1, result  # two cores are shared with the load itself
    assert "sampled" in result["said"] or "seen" in result["said"]


# ---- 2: one request ----

def test_a_requests_page(page, tmp_path):
    said = page("""
        await until("a page's row", () => all("tbody a").find((a) => a.innerText === "/p/one"));
        all("tbody a").find((a) => a.innerText === "/p/one").click();
        await until("its reasons", () => text("main").includes("Cache key"));
        return text("main");""", width=1100, height=900, screenshot=shot("inspector-request.png", tmp_path))
    for word in ("http_request_cache_settings", "Bypass API", "not matched", "Pages", "decided", "(was \"/p/one\")", "edge_ttl", "from rule 2",
                 "Cache key", "Look-up now", "origin", "Ray id", "Send again"):
        assert word in said, f"{word} in {said}"


def test_replay_to_another_edge(page):
    said = page("""
        await unlock("");
        await until("a row", () => all("tbody a").find((a) => a.innerText === "/other")).then((a) => a.click());
        await until("the form", () => document.querySelector("select[name=edge]"));
        document.querySelector("select[name=edge]").value = "AMS"; await press("Send again");
        const link = await until("an answer", () => all("form a").find((a) => a.hash.includes("requests")));
        link.click();
        return await until("the new one", () => text("main").includes("AMS, isolate") && text("main"));""")
    assert "dynamic" in said


# ---- 3: what if ----

def test_explaining_without_sending(page, site):
    before = len(site.access_log())
    said = page("""
        go("what-if"); await until("the form", () => document.querySelector("input[name=url]"));
        fill("input[name=url]", "https://www.example.test/p/never-sent"); fill("textarea[name=headers]", "Cookie: session=abc");
        await press("Explain"); return await until("verdict", () => text("p.note"));""")
    assert "DYNAMIC" in said
    assert not [line for line in site.access_log()[before:] if "never-sent" in line["ClientRequestURI"]]


def test_a_change_is_tried_then_applied(page, start, origin):
    gateway = start(origin, rules=RULES, zone={"plan": "pro"}, clock="system", admin={"address": "127.0.0.1:0", "record": True})
    for path in ("/other", "/other", "/p/one"):
        gateway.fetch(path)
    wait_until(lambda: len(gateway.api_json("/api/requests")["requests"]) == 3, "records")
    said = page("""
        go("what-if"); const area = await until("rules", () => all("textarea[name=rules]").find((t) => t.value.includes("Pages")));
        const rules = JSON.parse(area.value); rules[1].expression = 'starts_with(http.request.uri.path, "/")'; rules[0].expression = "nonsense eq 1";
        area.value = JSON.stringify(rules, null, 2); area.dispatchEvent(new Event("input"));
        await press("Try on recorded requests"); const problem = await until("a problem", () => text("p.problem"));
        rules[0].expression = 'http.host eq "never.test"'; area.value = JSON.stringify(rules, null, 2); area.dispatchEvent(new Event("input"));
        await press("Try on recorded requests"); const words = await until("words", () => text("section p.note"));
        const locked = all("button").find((b) => b.innerText === "Apply").disabled;
        await unlock(""); await press("Apply"); await until("applied", () => text("section p.note").includes("In use on all edges"));
        return {problem, words, locked};""", gateway=gateway, complaints=1)
    assert said["problem"].startswith("line ") and "nonsense" in said["problem"]
    assert "2 requests would change from DYNAMIC to HIT or MISS" in said["words"]
    assert said["locked"] is True
    assert gateway.fetch("/other").get("CF-Cache-Status") == "MISS"


# ---- 4: limiters, cache, edges ----

def test_limiters_and_a_reset(page, site):
    said = page("""
        go("limiters"); await unlock("");
        const before = await until("a full gauge", () => text("main").includes("15 of 15") && text("main"));
        await until("the button", () => all("button").find((b) => b.innerText === "Reset")); await press("Reset");
        await until("reset", () => !text("main").includes("15 of 15"));
        return {before, meters: all("[role=meter]").map((m) => m.getAttribute("aria-valuemax"))};""")
    assert "127.0.0.1:anonymous" in said["before"] and "window ends in" in said["before"]


@pytest.fixture
def judged(start, origin):
    """A gateway with a limiter that compares stores and a rate limiting rule; both have counted."""
    limiters = {"limiters": [dict(LIMITERS["limiters"][0], limit=3, compare=["memory", "kv"])], "routes": LIMITERS["routes"]}
    gateway = start.prepare(origin, rules=RULES, limiters=limiters, zone={"plan": "pro"}, clock="system",
                            trusted_proxies=["127.0.0.1/32"], admin={"address": "127.0.0.1:0", "record": True})
    limit = {"characteristics": ["cf.colo.id", "ip.src"], "period": 60, "requests_per_period": 2, "mitigation_timeout": 60}
    rule = {"action": "block", "expression": 'http.request.uri.path eq "/few"', "description": "Few", "ratelimit": limit}
    name = gateway.write("rulesets/rate.json", {"phase": "http_ratelimit", "kind": "zone", "rules": [rule]})
    gateway.config["zones"][0]["rulesets"].append(name)
    gateway.start()
    for number in range(8):
        gateway.fetch("/api/ai", "POST", headers={"X-Nearedge-Edge": ("FRA", "AMS")[number % 2]}, body=b"x")
    for _ in range(4):
        gateway.fetch("/few")
    return gateway


def test_stores_side_by_side(page, judged):
    said = page("""
        go("limiters"); await until("a table", () => text("main table").includes("durable_object"));
        const head = all("main thead th").map((e) => e.innerText), rows = all("main tbody tr").map((r) => r.innerText.split("\\t"));
        await unlock(""); await press("Compare anew"); await until("forgotten", () => text("main").includes("No request has come to it yet."));
        return {head, rows};""", gateway=judged)
    rows = {row[0].split()[0]: dict(zip(said["head"], row)) for row in said["rows"]}
    assert set(rows) == {"durable_object", "memory", "kv"}
    strong = rows["durable_object"]
    assert "enforces" in strong["Store"] and "enforces" not in rows["kv"]["Store"]
    assert (strong["Admitted"], strong["Refused"], strong["Over the limit"]) == ("3", "5", "0")
    assert strong["First refusal, request no."] == "4, mean 4" and strong["Mixed zone, requests"] == "0, mean 0"
    assert strong["Model expects"] == "3 ± 0" and strong["USD per million calls"].startswith("$")
    assert int(rows["memory"]["Admitted"]) > 3 and rows["memory"]["Over the limit"].startswith("+")


def test_rate_limiting_rules_have_gauges(page, judged):
    said = page("""
        go("limiters"); const before = await until("the rule", () => text("main").includes("rate limiting rule 1") && text("main"));
        const meter = all("[role=meter]").find((m) => m.getAttribute("aria-label").startsWith("127.0.0.1 at"));
        const values = [meter.getAttribute("aria-valuenow"), meter.getAttribute("aria-valuemax")];
        await unlock(""); await press("Forget all counts"); await until("forgotten", () => text("main").includes("has counted anything"));
        return {before, values};""", gateway=judged)
    assert "3 of 2 counted, its action holds for another" in said["before"]
    assert said["values"] == ["2", "2"]
    assert judged.fetch("/few").status == 200


def test_the_focus_survives_being_drawn_again(page, judged):
    """A card is drawn every second; who walks by keyboard must get to its button and press it."""
    said = page("""
        go("limiters"); await unlock(""); const first = await until("a button", () => all("button").find((b) => b.innerText === "Reset"));
        first.focus(); await until("drawn again", () => !first.isConnected);
        return document.activeElement.getAttribute("aria-label");""", gateway=judged)
    assert said.startswith("Reset aiGenerate for 127.0.0.1:anonymous")


def test_a_requests_page_tells_of_rate_limiting_rules(page, judged):
    said = page("""
        await until("its row", () => all("tbody a").find((a) => a.innerText === "/few"));
        all("tbody a").find((a) => a.innerText === "/few").click();
        return await until("its reasons", () => text("main").includes("http_ratelimit") && text("main").includes("counts by") && text("main"));""", gateway=judged)
    assert "Few" in said and "counts by 127.0.0.1: 3 of 2 requests in 1 min 0 s would act" in said
    assert "answers 429: rate limiting rule 1" in said


def test_a_page_of_nothing_is_the_list(page):
    said = page("""
        const views = [];
        for (const name of ["constructor", "nothing", "requests/%"]) { go(name); await new Promise((r) => setTimeout(r, 100)); views.push(text("main").length > 0); }
        go("requests"); await until("rows", () => all("tbody tr").length); return views;""", complaints=1)  # the browser's own line about a 404
    assert said == [True, True, True]


def test_objects_by_tag(page, start, origin):
    for name in ("one", "two"):
        origin.on(f"/{name}.css", Reply(name, cache_control="max-age=600", content_type="text/css", headers={"Cache-Tag": f"all,only-{name}"}))
    gateway = start(origin, clock="system")
    for name in ("one", "two"):
        gateway.fetch(f"/{name}.css")
    objects = gateway.api_json("/api/cache/objects?tag=ONLY-two")["objects"]
    assert [(o["target"], o["tags"]) for o in objects] == [("/two.css", ["all", "only-two"])]
    said = page("""
        go("cache"); await until("both", () => text("main table").includes("/one.css") && text("main table").includes("/two.css"));
        fill("input[name=tag]", "only-one"); await until("one", () => !text("main table").includes("/two.css"));
        return text("main table");""", gateway=gateway)
    assert "/one.css" in said and "only-one" in said


def test_the_cache_and_a_purge(page, start, origin):
    origin.on("/a.css", Reply("css", cache_control="max-age=600", content_type="text/css"))
    gateway = start(origin, clock="system")
    gateway.fetch("/a.css")
    said = page("""
        go("cache"); const before = await until("the object", () => text("main table").includes("/a.css") && text("main"));
        await unlock(""); fill("input[name=what]", "http://www.example.test/a.css"); await press("Purge");
        await until("gone", () => text("main").includes("Done, at all edges") && !text("main table").includes("/a.css"));
        return before;""", gateway=gateway)
    assert "1 objects" in said or "in 1" in said
    assert "www.example.test/a.css" in said and "fresh" in said
    assert gateway.fetch("/a.css").get("CF-Cache-Status") == "MISS"


def test_edges_side_by_side(page):
    said = page("""go("edges"); return await until("both", () => { const t = text("main table"); return /FRA.*%/.test(t) && /AMS.*%/.test(t) && t; });""")
    assert "Hit ratio" in said


# ---- 5: safe ----

def test_the_token_is_asked_for_and_reading_is_all_it_gives_at_first(page, start, origin):
    gateway = start(origin, clock="system", admin={"address": "127.0.0.1:0", "token": "canary-token", "record": True})
    gateway.fetch("/seen", headers={"Cookie": "session=canary-cookie"})
    said = page("""
        await until("asked", () => text("main").includes("admin token")); const before = document.body.innerText;
        await press("Enter the token"); const d = document.querySelector("dialog"); d.querySelector("input[type=password]").value = "canary-token";
        d.querySelector("button.primary").click();
        await until("rows", () => text("main").includes("/seen")); const lock = text("#lock");
        document.querySelector("tbody a").click(); await until("page", () => text("main").includes("Cache key"));
        all("details").forEach((e) => { e.open = true; });
        return {before, lock, replay: all("button").find((b) => b.innerText === "Send again").disabled, html: document.documentElement.outerHTML, url: location.href};""",
                gateway=gateway, complaints=1)
    assert "/seen" not in said["before"]
    assert said["lock"] == "Read-only: unlock" and said["replay"] is True
    assert "canary" not in said["html"] + said["url"] and "session=***" in said["html"]


def test_the_pages_policy(site):
    response = site.api("/")
    policy = response.get("Content-Security-Policy")
    assert "default-src 'none'" in policy and "'unsafe" not in policy and "frame-ancestors 'none'" in policy
    assert b"<script>" not in response.body and b"style=" not in response.body
    assert site.api("/inspector/../../etc/passwd").status in (400, 404)
    assert site.api("/inspector/nothing.js").status == 404


def test_markup_in_a_request_stays_text(page, start, origin):
    gateway = start(origin, clock="system", admin={"address": "127.0.0.1:0", "record": True})
    gateway.fetch("/%3Cimg%20src=x%20onerror=alert(1)%3E?<b>", headers={"User-Agent": "<script>window.owned=1</script>"})
    wait_until(lambda: gateway.api_json("/api/requests")["requests"], "a record")
    said = page("""
        await until("row", () => all("tbody a").length); document.querySelector("tbody a").click();
        await until("page", () => text("main").includes("Cache key")); all("details").forEach((e) => { e.open = true; });
        return {owned: window.owned ?? null, bold: all("main b").length, shown: text("main")};""", gateway=gateway)
    assert said["owned"] is None and said["bold"] == 0 and "<script>" in said["shown"]


def test_foreign_pages_are_refused(site):
    own = f"http://{site.admin}"
    ask = {"X-Nearedge-Inspector": "1"}
    assert site.api("/api/clock", headers=dict(ask, Origin=own), host=site.admin).status == 200
    assert site.api("/api/clock", headers={"Origin": own}, host=site.admin).status == 403
    assert site.api("/api/clock", headers=dict(ask, Origin="http://127.0.0.1:1"), host=site.admin).status == 403
    assert site.api("/", headers=dict(ask, Origin="http://evil.example"), host="evil.example").status == 403


# ---- 6: pleasant ----

def test_accessibility(browser, shared_start, shared_origin):
    """Every view by axe-core's rules, in light on a desk and in dark on a phone; nothing is wider than the phone."""
    gateway = shared_start(shared_origin, rules=RULES, limiters=LIMITERS, zone={"plan": "pro"}, clock="system",
                           admin={"address": "127.0.0.1:0", "record": True})
    for path in ("/p/one", "/p/one", "/other"):
        gateway.fetch(path)
    gateway.fetch("/api/ai", "POST", body=b"x")
    (ray,) = [line["RayID"] for line in gateway.logged(1, ClientRequestURI="/other")]
    with open(os.path.join(browser.packages, "node_modules", "axe-core", "axe.min.js"), encoding="utf-8") as file:
        evaluate = {"axe": file.read() + "; 0"}
    for view in ("requests", "what-if", "limiters", "cache", "edges", f"requests/{ray}"):
        evaluate[view] = script(f"""go("{view}"); await until("content", () => document.querySelector("main h2"));
            await new Promise((r) => setTimeout(r, 300));
            const found = await axe.run(document, {{runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]}});
            return [found.violations.map((v) => v.id + ": " + v.nodes.map((n) => n.html.slice(0, 160)).slice(0, 3).join(" | ")),
                    Math.max(0, document.documentElement.scrollWidth - innerWidth)];""")
    for seen in browser.open(f"http://{gateway.admin}/", {"evaluate": evaluate}, {"evaluate": evaluate, "dark": True, "width": 390}):
        assert {view: found for view, found in seen.results.items() if view != "axe" and found != [[], 0]} == {}
        assert not seen.console


def test_the_keyboard_reaches_everything(page):
    stops = page("""
        await until("rows", () => all("tbody tr").length > 3); await press("Pause");
        const stops = all("a[href], button, input, select, textarea, [tabindex='0']").filter((e) => e.checkVisibility()).map((e) => e.tabIndex);
        return stops;""")
    assert len(stops) > 15 and min(stops) >= 0


def test_the_page_is_small():
    folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "gateway", "inspector")
    assert sum(os.path.getsize(os.path.join(folder, name)) for name in os.listdir(folder)) < 300 * 1024


def test_the_readmes_pictures_are_small():
    for name in ("inspector-requests.png", "inspector-request.png"):
        assert 20_000 < os.path.getsize(os.path.join(PICTURES, name)) < 200_000


def test_what_is_shown_is_json_elsewhere(site):
    assert json.loads(site.api("/api/inspector").body)["edges"][0]["name"] == "FRA"

# SPDX-License-Identifier: Apache-2.0
"""The `vary` setting of cache rules: which requests share a response that varies, what the origin is asked, what a
purge takes away. Vectors 115, 118 and 119 of the cache's behaviour are among them."""
import threading

import pytest
from edge import Reply, wait_until
from edge.api import Api


def vary(default="normalize", **headers):
    return [{"action": "set_cache_settings", "expression": "true", "action_parameters": {
        "cache": True, "vary": {"default": {"action": default}, "headers": {n.replace("_", "-"): v for n, v in headers.items()}}}}]


def echo(name, **headers):
    """Answers with what it was sent in this header."""
    return lambda request, _: Reply(request.get(name, "nothing"), vary=name, cache_control="max-age=60", **headers)


@pytest.mark.parametrize("rules,name,values,statuses", [
    (None, "Accept-Language", ["de", "fr"], "MISS HIT"),  # vector 115
    (vary(accept={"action": "passthrough"}), "Accept", ["a/b, c/d", "c/d, a/b", "a/b, c/d"], "MISS MISS HIT"),  # vector 118
    (vary("bypass"), "User-Agent", ["a", "a"], "BYPASS BYPASS"),  # vector 119
    (vary(), "Accept", ["a/b, c/d", "c/d;q=1, A/B", "a/b", "a/b;q=0.5, c/d"], "MISS HIT MISS MISS"),
    (vary(), "Accept-Language", ["de-AT, en;q=0.5", "de-DE,en;q=0.9", "en, de", None], "MISS HIT HIT MISS"),
    (vary(accept_language={"action": "normalize", "languages": ["en", "de"]}), "Accept-Language",
     ["fr, de", "de-CH", "it", "ja"], "MISS HIT MISS HIT"),
    (vary(), "X-Group", ["a", "b", "a", None], "MISS MISS HIT MISS"),
    (vary(x_group={"action": "bypass"}), "X-Group", ["a", "a"], "BYPASS BYPASS"),
    (vary("bypass", x_group={"action": "normalize"}), "X-Group", ["a", "a"], "MISS HIT"),
])
def test_who_shares(start, origin, rules, name, values, statuses):
    gateway = start(origin, rules=rules)
    origin.default = echo(name)
    got = [gateway.fetch("/a.css", headers={name: v} if v else {}).cache for v in values]
    assert " ".join(got) == statuses


def test_each_gets_his_own(start, origin):
    gateway = start(origin, rules=vary())
    origin.default = echo("X-Group", etag='"v"')
    for _ in range(2):
        for group in ("a", "b", "c"):
            assert gateway.fetch("/a.css", headers={"X-Group": group}).body.decode() == group
    assert origin.count() == 3
    gateway.advance(61_000)
    assert gateway.fetch("/a.css", headers={"X-Group": "b"}).cache == "EXPIRED"
    assert gateway.fetch("/a.css", headers={"X-Group": "b"}).cache == "HIT"


def test_what_the_origin_is_asked(start, origin):
    gateway = start(origin, rules=vary(accept={"action": "normalize", "media_types": ["image/webp"]},
                                       x_group={"action": "normalize"}))
    origin.default = Reply("x", cache_control="max-age=60")
    gateway.fetch("/1.css", headers={"Accept": "image/webp;q=0.8, */*", "Accept-Language": "de-AT;q=0.7, en-US", "X-Group": "A, b"})
    sent = origin.last()
    assert (sent.get("Accept"), sent.get("Accept-Language"), sent.get("X-Group")) == ("image/webp", "en,de", "A, b")
    assert sent.get("Accept-Encoding") == "br, gzip"
    gateway.fetch("/2.css", headers={"Accept": "image/png"})
    assert "Accept" not in origin.last()
    gateway.fetch("/3.css", "POST", {"Accept": "image/png"}, b"x")
    assert origin.last().get("Accept") == "image/png"


def test_accept_encoding_under_strong_etags(start, origin):
    rules = vary()
    rules[0]["action_parameters"]["respect_strong_etags"] = True
    gateway = start(origin, rules=rules)
    origin.default = echo("Accept-Encoding")
    asks = ["gzip, br;q=0.5", "GZIP,br;q=0.2", "br, gzip", None]
    got = [gateway.fetch("/a.css", headers={"Accept-Encoding": a} if a else {}) for a in asks]
    assert [r.cache for r in got] == ["MISS", "HIT", "MISS", "MISS"]
    assert [r.body for r in got] == [b"gzip,br", b"gzip,br", b"br,gzip", b"nothing"]


def test_purging_a_url_removes_all_its_variants(start, origin):
    gateway = start(origin, rules=vary())
    origin.default = echo("X-Group")

    def statuses(path):
        return [gateway.fetch(path, headers={"X-Group": g}).cache for g in ("a", "b")]

    for path in ("/a.css", "/b.css"):
        assert statuses(path) == ["MISS", "MISS"] and statuses(path) == ["HIT", "HIT"]
    Api(gateway).call("POST", "/purge_cache", {"files": ["http://www.example.test/a.css"]})
    assert statuses("/a.css") == ["MISS", "MISS"]
    assert statuses("/b.css") == ["HIT", "HIT"]
    Api(gateway).call("POST", "/invalidate_cache", {"files": ["http://www.example.test/b.css"]})
    assert statuses("/b.css") == ["EXPIRED", "EXPIRED"]
    Api(gateway).call("POST", "/purge_cache", {"purge_everything": True})
    assert statuses("/a.css") == ["MISS", "MISS"]


def test_waiting_requests_get_only_what_is_theirs(start, origin):
    """All wait for one cold fetch whose response turns out to vary."""
    gateway = start(origin, rules=vary(), workers=2)
    release = threading.Event()

    def slow(request, _):
        release.wait(20)
        return Reply(request.get("X-Group") * 50_000, vary="X-Group", cache_control="max-age=60")

    origin.default = slow
    clients = [(group, gateway.client()) for group in "abcabcabc"]
    for group, client in clients:
        client.request("GET", "/a.css", {"X-Group": group})
    wait_until(lambda: origin.count() >= 1, "the fetch")
    gateway.metrics()
    release.set()
    for group, client in clients:
        assert client.read().body.decode() == group * 50_000
        client.close()
    assert origin.count() == 3


def test_a_response_that_stops_varying(start, origin):
    gateway = start(origin, rules=vary())
    origin.default = echo("X-Group")
    gateway.fetch("/a.css", headers={"X-Group": "a"})
    origin.default = Reply("same", cache_control="max-age=60")
    gateway.advance(61_000)
    assert gateway.fetch("/a.css", headers={"X-Group": "a"}).cache == "EXPIRED"
    assert gateway.fetch("/a.css", headers={"X-Group": "a"}).body == b"same"


def test_more_names_than_can_be_told_apart(start, origin):
    gateway = start(origin, rules=vary())
    origin.default = Reply("x", cache_control="max-age=60", vary=", ".join(f"X-{n}" for n in range(40)))
    assert [gateway.fetch("/a.css").cache for _ in range(2)] == ["BYPASS", "BYPASS"]


def test_explain_sees_the_variant(start, origin):
    gateway = start(origin, rules=vary())
    origin.default = echo("X-Group")
    gateway.fetch("/a.css", headers={"X-Group": "a"})
    answers = [gateway.api_json("/api/explain", "POST", {"url": "http://www.example.test/a.css", "headers": {"X-Group": g}})
               for g in ("a", "b")]
    assert ["(HIT)" in str(a) for a in answers] == [True, False]

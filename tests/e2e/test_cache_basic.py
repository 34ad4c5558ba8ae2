# SPDX-License-Identifier: Apache-2.0
"""What the cache does to a request: statuses, age, conditionals, collapsing, edges."""
import threading

import pytest
from edge import Reply, fetch, in_parallel, wait_until
from edge.held import Held, hang_up, read_all


def revalidating(body="css", **headers):
    """An origin with an ETag that answers 304 to its own validator."""
    full = Reply(body, etag='"v1"', **headers)

    def handler(request, _):
        if request.get("If-None-Match") == '"v1"':
            return Reply(status=304, reason="Not Modified", etag='"v1"', **headers)
        return full

    return handler


def test_miss_then_hit_with_age(gateway, origin):
    origin.on("/a.css", Reply("css", cache_control="max-age=60", content_type="text/css"))
    miss = gateway.fetch("/a.css")
    assert (miss.cache, "Age" in miss) == ("MISS", False)
    gateway.advance(7_000)
    hit = gateway.fetch("/a.css")
    assert (hit.cache, hit.get("Age"), hit.body, hit.get("Content-Type")) == ("HIT", "7", b"css", "text/css")
    assert hit.ray != miss.ray
    assert origin.count() == 1


def test_dynamic_is_neither_looked_up_nor_stored(gateway, origin):
    origin.on("/page", Reply("x", cache_control="max-age=60"))
    assert [gateway.fetch("/page").cache for _ in range(3)] == ["DYNAMIC"] * 3
    assert origin.count() == 3


@pytest.mark.parametrize("status,ttl", [(200, 7200), (301, 7200), (302, 1200), (303, 1200), (404, 180), (410, 180)])
def test_default_ttl_by_status(gateway, origin, status, ttl):
    origin.on("/a.css", Reply("x", status=status, headers={"Location": "/b"} if 300 < status < 304 else None))
    assert gateway.fetch("/a.css").cache == "MISS"
    gateway.advance((ttl - 1) * 1000)
    hit = gateway.fetch("/a.css")
    assert (hit.cache, hit.status, hit.get("Age")) == ("HIT", status, str(ttl - 1))
    gateway.advance(2000)
    assert gateway.fetch("/a.css").cache == "EXPIRED"


@pytest.mark.parametrize("status", [201, 203, 204, 307, 308, 400, 401, 403, 500, 503])
def test_other_statuses_are_not_stored_by_default(gateway, origin, status):
    origin.on("/a.css", Reply("" if status == 204 else "x", status=status))
    assert [gateway.fetch("/a.css").cache for _ in range(2)] == ["BYPASS"] * 2


def test_expired_replaces_and_starts_again(gateway, origin):
    origin.on("/a.css", Reply("old", cache_control="max-age=60"))
    gateway.fetch("/a.css")
    origin.on("/a.css", Reply("new", cache_control="max-age=60"))
    gateway.advance(61_000)
    expired = gateway.fetch("/a.css")
    assert (expired.cache, expired.body) == ("EXPIRED", b"new")
    hit = gateway.fetch("/a.css")
    assert (hit.cache, hit.body, hit.get("Age")) == ("HIT", b"new", "0")


def test_fresh_at_the_age_of_its_ttl(gateway, origin):
    origin.on("/a.css", Reply("x", cache_control="max-age=60"))
    gateway.fetch("/a.css")
    gateway.advance(60_000)
    assert gateway.fetch("/a.css").cache == "HIT"
    gateway.advance(1_001)
    assert gateway.fetch("/a.css").cache == "EXPIRED"


def test_revalidated_keeps_the_body_and_restarts_the_age(gateway, origin):
    origin.on("/a.css", revalidating(cache_control="max-age=60"))
    gateway.fetch("/a.css")
    gateway.advance(61_000)
    again = gateway.fetch("/a.css")
    assert (again.status, again.cache, again.body) == (200, "REVALIDATED", b"css")
    assert origin.last().get("If-None-Match") == '"v1"'
    hit = gateway.fetch("/a.css")
    assert (hit.cache, hit.get("Age")) == ("HIT", "0")


def test_revalidation_by_date(gateway, origin):
    date = "Wed, 21 Oct 2015 07:28:00 GMT"

    def handler(request, _):
        if request.get("If-Modified-Since") == date:
            return Reply(status=304, last_modified=date, cache_control="max-age=60")
        return Reply("css", last_modified=date, cache_control="max-age=60")

    origin.on("/a.css", handler)
    gateway.fetch("/a.css")
    gateway.advance(61_000)
    assert gateway.fetch("/a.css").cache == "REVALIDATED"


def test_error_while_refreshing_serves_stale(gateway, origin):
    origin.on("/a.css", Reply("css", cache_control="max-age=10"))
    gateway.fetch("/a.css")
    gateway.advance(11_000)
    origin.on("/a.css", Reply("broken", status=503))
    stale = gateway.fetch("/a.css")
    assert (stale.status, stale.cache, stale.body) == (200, "STALE", b"css")
    origin.down()
    assert gateway.fetch("/a.css").cache == "STALE"


def test_updating_answers_at_once_and_refreshes_behind(gateway, origin):
    origin.on("/a.css", Reply("old", cache_control="max-age=10, stale-while-revalidate=30"))
    gateway.fetch("/a.css")
    gateway.advance(11_000)
    held = Held(origin, "/a.css", Reply("new", cache_control="max-age=10, stale-while-revalidate=30"))
    for _ in range(3):
        response = gateway.fetch("/a.css")
        assert (response.cache, response.body) == ("UPDATING", b"old")
    held.release.set()
    wait_until(lambda: gateway.fetch("/a.css").body == b"new", "the refreshed object")
    assert gateway.fetch("/a.css").cache == "HIT"
    assert origin.count() == 2


def test_head_is_served_from_what_get_stored_and_fills_as_get(gateway, origin):
    origin.on("/a.css", Reply("css", cache_control="max-age=60"))
    first = gateway.fetch("/a.css", "HEAD")
    assert (first.cache, first.body, first.get("Content-Length")) == ("MISS", b"", "3")
    assert origin.last().method == "GET"
    hit = gateway.fetch("/a.css")
    assert (hit.cache, hit.body) == ("HIT", b"css")
    assert gateway.fetch("/a.css", "HEAD").cache == "HIT"


@pytest.mark.parametrize("validator,status", [
    ('"v1"', 304), ('W/"v1"', 304), ('"x", "v1"', 304), ("*", 304), ('"x"', 200), ('v1', 200)])
def test_client_validator_is_answered_from_the_cache(gateway, origin, validator, status):
    origin.on("/a.css", Reply("css", etag='"v1"', cache_control="max-age=60"))
    gateway.fetch("/a.css")
    response = gateway.fetch("/a.css", headers={"If-None-Match": validator})
    assert (response.status, response.cache) == (status, "HIT")
    assert response.body == (b"" if status == 304 else b"css")
    assert response.get("ETag") == '"v1"'
    assert origin.count() == 1


def test_if_modified_since_is_answered_from_the_cache(gateway, origin):
    origin.on("/a.css", Reply("css", last_modified="Wed, 21 Oct 2015 07:28:00 GMT", cache_control="max-age=60"))
    gateway.fetch("/a.css")
    for date, status in (("Wed, 21 Oct 2015 07:28:00 GMT", 304), ("Wed, 21 Oct 2015 07:27:59 GMT", 200), ("nonsense", 200)):
        assert gateway.fetch("/a.css", headers={"If-Modified-Since": date}).status == status


def test_validators_of_the_client_do_not_reach_the_origin_on_a_miss(gateway, origin):
    origin.on("/a.css", revalidating(cache_control="max-age=60"))
    response = gateway.fetch("/a.css", headers={"If-None-Match": '"v1"', "If-Modified-Since": "Wed, 21 Oct 2015 07:28:00 GMT"})
    assert response.cache == "MISS"
    assert "If-None-Match" not in origin.last() and "If-Modified-Since" not in origin.last()
    assert gateway.fetch("/a.css").cache == "HIT"


def test_validators_pass_when_not_eligible(gateway, origin):
    gateway.fetch("/page", headers={"If-None-Match": '"v1"', "Range": "bytes=0-1"})
    assert origin.last().get("If-None-Match") == '"v1"'
    assert origin.last().get("Range") == "bytes=0-1"


def test_set_cookie_is_bypass_and_kept(gateway, origin):
    origin.on("/a.css", Reply("x", cache_control="max-age=60", set_cookie="a=1"))
    for _ in range(2):
        response = gateway.fetch("/a.css")
        assert (response.cache, response.get("Set-Cookie")) == ("BYPASS", "a=1")


def test_vary_star_is_bypass(gateway, origin):
    origin.on("/a.css", Reply("x", cache_control="max-age=60", vary="*"))
    assert [gateway.fetch("/a.css").cache for _ in range(2)] == ["BYPASS"] * 2


def test_object_over_the_ceiling_is_bypass(start, origin):
    gateway = start(origin, cache={"max_object_size": "1KiB"})
    origin.on("/a.css", Reply("x" * 2000, cache_control="max-age=60"))
    responses = [gateway.fetch("/a.css") for _ in range(2)]
    assert {r.cache for r in responses} == {"BYPASS"} and {len(r.body) for r in responses} == {2000}


def test_ranges_are_cut_from_the_whole_object(gateway, origin):
    body = bytes(range(100))
    origin.on("/a.bin", Reply(body, cache_control="max-age=60", etag='"v1"'))
    first = gateway.fetch("/a.bin", headers={"Range": "bytes=0-9"})
    assert (first.status, first.cache, first.body, first.get("Content-Range")) == (206, "MISS", body[:10], "bytes 0-9/100")
    assert "Range" not in origin.last()
    for wanted, part, says in (("bytes=90-", body[90:], "bytes 90-99/100"), ("bytes=-5", body[-5:], "bytes 95-99/100"),
                               ("bytes=95-200", body[95:], "bytes 95-99/100"), ("bytes=-500", body, "bytes 0-99/100")):
        response = gateway.fetch("/a.bin", headers={"Range": wanted})
        assert (response.status, response.body, response.get("Content-Range"), response.cache) == (206, part, says, "HIT")
    unsatisfiable = gateway.fetch("/a.bin", headers={"Range": "bytes=100-"})
    assert (unsatisfiable.status, unsatisfiable.get("Content-Range"), unsatisfiable.body) == (416, "bytes */100", b"")
    assert gateway.fetch("/a.bin", headers={"Range": "bytes=0-9", "If-Range": '"other"'}).status == 200
    assert gateway.fetch("/a.bin", headers={"Range": "bytes=0-9", "If-Range": '"v1"'}).status == 206
    several = gateway.fetch("/a.bin", headers={"Range": "bytes=0-1,4-5"})
    assert several.status == 206 and several.get("Content-Type").startswith("multipart/byteranges")
    assert body[0:2] in several.body and body[4:6] in several.body
    assert gateway.fetch("/a.bin", headers={"Range": "lines=1-2"}).status == 200


def test_concurrent_cold_requests_are_one_origin_fetch(gateway, origin):
    held = Held(origin, "/a.css", Reply("x" * 100_000, cache_control="max-age=60"))
    clients = held.gather(gateway, 25)
    held.release.set()
    responses = read_all(clients)
    assert origin.count() == 1
    assert {len(r.body) for r in responses} == {100_000}
    statuses = [r.cache for r in responses]
    assert statuses.count("MISS") == 1 and statuses.count("HIT") == 24


def test_waiters_stream_while_the_object_is_still_coming(gateway, origin):
    release = threading.Event()

    def halves(_, connection):
        connection.send(Reply(length=20, cache_control="max-age=60").head() + b"0123456789")
        release.wait(20)
        connection.send("abcdefghij")

    origin.on("/a.css", halves)
    with gateway.client() as first, gateway.client() as second:
        first.request("GET", "/a.css")
        head = first.read_head()
        while len(first.buffer) < 10:
            assert first.receive()
        second.request("GET", "/a.css")
        late = second.read_head()
        while len(second.buffer) < 10:
            assert second.receive()
        release.set()
        assert first.read_body(head).body == second.read_body(late).body == b"0123456789abcdefghij"
    assert origin.count() == 1


def test_uncacheable_answer_releases_the_waiters(gateway, origin):
    held = Held(origin, "/a.css", Reply("private", cache_control="private"))
    clients = held.gather(gateway, 6)
    held.release.set()
    assert {response.cache for response in read_all(clients)} == {"BYPASS"}
    assert origin.count() == 6


def test_failed_fetch_does_not_leave_waiters_hanging(gateway, origin):
    held = Held(origin, "/a.css", hang_up)
    clients = held.gather(gateway, 5)
    held.release.set()
    assert {response.status for response in read_all(clients)} == {520}
    origin.on("/a.css", Reply("fine", cache_control="max-age=60"))
    assert gateway.fetch("/a.css").cache == "MISS"


def test_client_that_leaves_does_not_stop_the_fill(gateway, origin):
    release, done = threading.Event(), threading.Event()

    def halves(_, connection):
        connection.send(Reply(length=20, cache_control="max-age=60").head() + b"0123456789")
        release.wait(20)
        connection.send("abcdefghij")
        done.set()

    origin.on("/a.css", halves)
    client = gateway.client()
    client.request("GET", "/a.css").read_head()
    client.reset()
    release.set()
    assert done.wait(20)
    response = gateway.fetch("/a.css")
    assert (response.cache, response.body) == ("HIT", b"0123456789abcdefghij")
    assert origin.count() == 1


def test_slow_client_does_not_slow_the_others(gateway, origin):
    body = b"x" * (8 << 20)
    origin.on("/a.zip", Reply(body, cache_control="max-age=60"))
    with gateway.client(receive_buffer=16 * 1024) as slow:
        slow.request("GET", "/a.zip")
        head = slow.read_head()
        assert len(gateway.fetch("/a.zip").body) == len(body)
        assert gateway.fetch("/a.zip").cache == "HIT"
        assert slow.read_body(head).length == len(body)
    assert origin.count() == 1


def test_each_edge_has_its_own_cache(start, origin):
    gateway = start(origin, trusted_proxies=["127.0.0.1/32"])
    origin.on("/a.css", Reply("css", cache_control="max-age=60"))
    statuses = [gateway.fetch("/a.css", headers={"X-Nearedge-Edge": edge}).cache for edge in ("FRA", "AMS", "FRA", "AMS")]
    assert statuses == ["MISS", "MISS", "HIT", "HIT"]
    assert origin.count() == 2


def test_edge_header_of_an_untrusted_peer_has_no_effect(gateway, origin):
    origin.on("/a.css", Reply("css", cache_control="max-age=60"))
    responses = [gateway.fetch("/a.css", headers={"X-Nearedge-Edge": edge}) for edge in ("FRA", "AMS")]
    assert [r.cache for r in responses] == ["MISS", "HIT"]
    assert {r.ray[-3:] for r in responses} == {"FRA"}


def test_listener_decides_the_edge(start, origin):
    gateway = start(origin, listen=[{"address": "127.0.0.1:0", "edge": "FRA"}, {"address": "127.0.0.1:0", "edge": "AMS"}])
    origin.on("/a.css", Reply("css", cache_control="max-age=60"))
    responses = [fetch(address, "/a.css") for address in gateway.listen * 2]
    assert [(r.cache, r.ray[-3:]) for r in responses] == [("MISS", "FRA"), ("MISS", "AMS"), ("HIT", "FRA"), ("HIT", "AMS")]


def test_cache_is_bounded(start, origin):
    gateway = start(origin, cache={"max_size": "1MiB", "max_object_size": "64KiB"})
    for number in range(60):
        origin.on(f"/{number}.css", Reply(b"x" * 50_000, cache_control="max-age=600"))
        assert gateway.fetch(f"/{number}.css").cache == "MISS"
    assert gateway.metric("nearedge_cache_bytes") <= 1 << 20
    assert gateway.fetch("/59.css").cache == "HIT"
    assert gateway.fetch("/0.css").cache == "MISS"


def test_hits_do_not_depend_on_the_origin(gateway, origin):
    origin.on("/a.css", Reply("css", cache_control="max-age=60"))
    gateway.fetch("/a.css")
    origin.down()
    responses = in_parallel(*[lambda: gateway.fetch("/a.css")] * 10)
    assert {(r.status, r.cache) for r in responses} == {(200, "HIT")}


def test_browser_cache_ttl_of_the_zone(start, origin):
    gateway = start(origin, zone={"settings": {"browser_cache_ttl": 14400}})
    origin.on("/a.css", Reply("x", cache_control="max-age=30"))
    origin.on("/b.css", Reply("x", cache_control="max-age=86400"))
    origin.on("/page", Reply("x", cache_control="max-age=30"))
    origin.on("/c.css", Reply("x", cache_control="max-age=30", set_cookie="a=1"))
    assert gateway.fetch("/a.css").get("Cache-Control") == "public, max-age=14400"
    assert gateway.fetch("/a.css").get("Cache-Control") == "public, max-age=14400"
    assert "max-age=86400" in gateway.fetch("/b.css").get("Cache-Control")
    assert gateway.fetch("/page").get("Cache-Control") == "max-age=30"
    assert gateway.fetch("/c.css").get("Cache-Control") == "max-age=30"


def test_worker_first_hides_the_cache_status(start, origin):
    gateway = start(origin, zone={"worker_first": True})
    assert "CF-Cache-Status" not in gateway.fetch("/a.css")


def test_who_reads_late_gets_what_was_sent(start, origin):
    """The kernel holds an answer by reference to the cache's memory, which the purge frees and other objects take
    before the client reads its first byte."""
    gateway = start(origin, cache={"max_size": "8MiB", "max_object_size": "1MiB"})
    size = 500_000

    def answer(request, _):
        return Reply(request.path[1:2] * size, cache_control="max-age=60")

    for name in "abcdefghij":
        origin.on(f"/{name}.css", answer)
    gateway.fetch("/a.css")
    with gateway.client() as early, gateway.client() as late:
        early.request("GET", "/a.css")
        late.request("GET", "/a.css")
        gateway.logged(2, CacheCacheStatus="hit")
        zone = gateway.config["zones"][0]["id"]
        gateway.api_json(f"/client/v4/zones/{zone}/purge_cache", "POST", {"purge_everything": True})
        wait_until(lambda: gateway.metric("nearedge_cache_bytes") < size, "the memory to be free")
        for _ in range(3):
            for name in "bcdefghij":
                gateway.fetch(f"/{name}.css")
        for client in (early, late):
            response = client.read()
            assert response.cache == "HIT"
            assert set(response.body) == {ord("a")} and len(response.body) == size

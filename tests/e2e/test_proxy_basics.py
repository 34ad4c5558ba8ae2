# SPDX-License-Identifier: Apache-2.0
"""What passes between client and origin, and what the gateway adds, replaces and takes away."""
import json
import re

import pytest
from edge import Reply

RAY = re.compile(r"[0-9a-f]{16}-FRA")


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_method_and_body_reach_the_origin(gateway, origin, method):
    body = b"some bytes" if method in ("POST", "PUT", "PATCH") else None
    response = gateway.fetch("/thing?a=1&b=%20", method, body=body)
    assert response.status == 200
    seen = origin.last()
    assert (seen.method, seen.target, seen.body) == (method, "/thing?a=1&b=%20", body or b"")
    assert response.body == (b"" if method == "HEAD" else b"hello from the origin\n")
    assert response.cache == "DYNAMIC"


def test_head_answer_keeps_the_content_length_of_get(gateway):
    assert gateway.fetch("/page", "HEAD").get("Content-Length") == "22"


@pytest.mark.parametrize("status", [200, 201, 203, 204, 205, 301, 302, 304, 307, 400, 401, 403, 404, 418, 500, 502, 503, 599])
def test_status_of_the_origin_passes(gateway, origin, status):
    origin.on("/status", Reply(b"" if status in (204, 205, 304) else b"body", status=status))
    response = gateway.fetch("/status")
    assert response.status == status


def test_client_headers_pass_and_edge_headers_are_added(gateway, origin):
    gateway.fetch("/", headers={"User-Agent": "probe/1", "Accept": "text/html", "X-Custom": "kept",
                                "Cookie": "a=1; b=2", "Authorization": "Basic eA==", "Accept-Language": "de"})
    seen = origin.last()
    for name, value in {"User-Agent": "probe/1", "Accept": "text/html", "X-Custom": "kept", "Cookie": "a=1; b=2",
                        "Authorization": "Basic eA==", "Accept-Language": "de", "Host": "www.example.test"}.items():
        assert seen.get(name) == value
    assert seen.get("CF-Connecting-IP") == "127.0.0.1"
    assert seen.get("X-Forwarded-For") == "127.0.0.1"
    assert seen.get("X-Forwarded-Proto") == "http"
    assert json.loads(seen.get("CF-Visitor")) == {"scheme": "http"}
    assert seen.get("CF-IPCountry")
    assert seen.get("CDN-Loop").startswith("cloudflare")
    assert RAY.fullmatch(seen.get("CF-Ray"))


def test_what_is_stored_does_not_depend_on_one_clients_encodings(gateway, origin):
    """The first client of an object must not decide in which coding all others get it."""
    asked = []
    for number, encodings in enumerate(("deflate", "br;q=1, zstd", "identity")):
        gateway.fetch(f"/{number}.css", headers={"Accept-Encoding": encodings})
        asked.append(origin.last().get("Accept-Encoding"))
    assert len(set(asked)) == 1
    assert {item.strip() for item in asked[0].split(",")} <= {"br", "gzip", "identity"}


def test_ray_id_is_the_same_for_origin_client_and_log(gateway, origin):
    rays = set()
    for _ in range(5):
        response = gateway.fetch("/")
        assert RAY.fullmatch(response.ray)
        assert origin.last().get("CF-Ray") == response.ray
        gateway.logged(RayID=response.ray.split("-")[0])
        rays.add(response.ray)
    assert len(rays) == 5


def test_response_carries_server_ray_and_cache_status_once(gateway, origin):
    origin.on("/", Reply("x", server="apache", cf_ray="0000000000000000-ZZZ", cf_cache_status="HIT"))
    response = gateway.fetch("/")
    assert response.get("Server") == "cloudflare"
    assert RAY.fullmatch(response.ray)
    assert response.cache == "DYNAMIC"


def test_server_header_of_the_origin_passes_when_configured(start, origin):
    origin.on("/", Reply("x", server="apache"))
    assert start(origin, server_header="").fetch("/").get("Server") == "apache"


def test_headers_meant_for_the_edge_do_not_reach_the_client(gateway, origin):
    origin.on("/a.css", Reply("x", headers={
        "X-Accel-Buffering": "no", "X-Accel-Charset": "utf-8", "X-Accel-Limit-Rate": "1", "X-Accel-Redirect": "/x",
        "Cache-Tag": "a,b", "Cloudflare-CDN-Cache-Control": "max-age=60", "X-Kept": "1"}))
    for path in ("/a.css", "/a.css"):
        response = gateway.fetch(path)
        for name in ("X-Accel-Buffering", "X-Accel-Charset", "X-Accel-Limit-Rate", "X-Accel-Redirect", "Cache-Tag",
                     "Cloudflare-CDN-Cache-Control"):
            assert name not in response, name
        assert response.get("X-Kept") == "1"
    assert response.cache == "HIT"


def test_repeated_response_headers_stay_apart(gateway, origin):
    origin.on("/", Reply("x", headers=[("Set-Cookie", "a=1"), ("Set-Cookie", "b=2"), ("Link", "<x>"), ("Link", "<y>")]))
    response = gateway.fetch("/")
    assert response.all("Set-Cookie") == ["a=1", "b=2"]
    assert ", ".join(response.all("Link")) == "<x>, <y>"


def test_hop_by_hop_headers_stop_at_the_edge(gateway, origin):
    origin.on("/", Reply("x", headers={"Connection": "X-Origin-Hop, keep-alive", "X-Origin-Hop": "1",
                                       "Keep-Alive": "timeout=5", "Proxy-Connection": "keep-alive",
                                       "Proxy-Authenticate": "Basic"}))
    response = gateway.fetch("/", headers={
        "Connection": "X-Client-Hop, keep-alive", "X-Client-Hop": "1", "Keep-Alive": "timeout=9", "TE": "trailers",
        "Proxy-Connection": "close", "Proxy-Authorization": "Basic eA==", "Upgrade": "h2c"})
    seen = origin.last()
    for name in ("X-Client-Hop", "Keep-Alive", "Proxy-Connection", "Proxy-Authorization", "Upgrade", "TE"):
        assert name not in seen, name
    assert seen.get("Connection", "keep-alive").lower() == "keep-alive"
    for name in ("X-Origin-Hop", "Keep-Alive", "Proxy-Connection", "Proxy-Authenticate"):
        assert name not in response, name


def test_connection_header_cannot_name_framing_or_edge_headers_away(gateway, origin):
    """A client must not be able to strip what the edge adds by listing it as hop-by-hop."""
    gateway.fetch("/", "POST", body=b"abc", headers={
        "Connection": "close, CF-Connecting-IP, X-Forwarded-For, Host, Content-Length"})
    seen = origin.last()
    assert seen.get("CF-Connecting-IP") == "127.0.0.1"
    assert seen.get("X-Forwarded-For") == "127.0.0.1"
    assert seen.get("Host") == "www.example.test"
    assert seen.body == b"abc"


def test_forged_edge_headers_never_pass(gateway, origin):
    gateway.fetch("/", headers={
        "CF-Connecting-IP": "6.6.6.6", "CF-IPCountry": "T1", "CF-Ray": "evil", "CF-Visitor": "evil", "CF-Worker": "evil",
        "CF-Device-Type": "evil", "CF-Anything": "evil", "X-Real-IP": "6.6.6.6", "True-Client-IP": "6.6.6.6",
        "X-Forwarded-Proto": "https", "X-Nearedge-Edge": "AMS", "X-Nearedge-Isolate": "1"})
    seen = origin.last()
    assert seen.get("CF-Connecting-IP") == "127.0.0.1"
    assert seen.get("X-Forwarded-Proto") == "http"
    assert RAY.fullmatch(seen.get("CF-Ray"))
    for name in ("CF-Worker", "CF-Anything", "CF-Device-Type", "X-Real-IP", "X-Nearedge-Edge", "X-Nearedge-Isolate"):
        assert name not in seen, name
    assert b"evil" not in seen.raw
    assert {name.lower() for name, value in seen.headers if "6.6.6.6" in value} <= {"true-client-ip"}


def test_forwarded_for_of_an_untrusted_client_is_kept_and_the_peer_appended(gateway, origin):
    gateway.fetch("/", headers={"X-Forwarded-For": "203.0.113.9"})
    seen = origin.last()
    assert seen.get("X-Forwarded-For").replace(" ", "") == "203.0.113.9,127.0.0.1"
    assert seen.get("CF-Connecting-IP") == "127.0.0.1"


def test_trusted_peer_may_say_who_the_client_is(start, origin):
    gateway = start(origin, trusted_proxies=["127.0.0.1/32"])
    gateway.fetch("/", headers={"CF-Connecting-IP": "203.0.113.7"})
    assert origin.last().get("CF-Connecting-IP") == "203.0.113.7"
    gateway.fetch("/", headers={"X-Forwarded-For": "9.9.9.9, 198.51.100.4, 127.0.0.1"})
    assert origin.last().get("CF-Connecting-IP") == "198.51.100.4"
    gateway.fetch("/", headers={"CF-Connecting-IP": "2001:db8::1"})
    assert origin.last().get("CF-Connecting-IP") == "2001:db8::1"
    gateway.fetch("/", headers={"CF-Connecting-IP": "no address"})
    assert origin.last().get("CF-Connecting-IP") == "127.0.0.1"


def test_trusted_peer_chooses_the_edge(start, origin):
    gateway = start(origin, trusted_proxies=["127.0.0.1/32"])
    response = gateway.fetch("/", headers={"X-Nearedge-Edge": "AMS", "X-Nearedge-Isolate": "1"})
    assert response.ray.endswith("-AMS")
    assert "X-Nearedge-Edge" not in origin.last()
    assert gateway.fetch("/").ray.endswith("-FRA")


@pytest.mark.parametrize("host", ["unknown.example", "example.test.evil", "www.example.test.", "127.0.0.1"])
def test_unknown_host_gets_an_edge_page_and_no_guess(gateway, origin, host):
    response = gateway.fetch("/", host=host)
    if host == "www.example.test.":  # a trailing dot names the same host
        assert response.status in (200, 404)
        return
    assert response.status == 404
    assert RAY.fullmatch(response.ray)
    assert response.ray.split("-")[0].encode() in response.body
    assert origin.count() == 0


def test_host_is_matched_without_case_and_port(gateway, origin):
    assert gateway.fetch("/", host="WWW.Example.TEST:8080").status == 200
    assert origin.last().get("Host").lower() == "www.example.test:8080"


def test_wildcard_zone_takes_any_host(start, origin):
    assert start(origin, zone={"hosts": ["*"]}).fetch("/", host="whatever.example").status == 200


def test_host_header_towards_the_origin_can_be_set(start, origin):
    start(origin, zone={"origin": {"host_header": "internal.example"}}).fetch("/")
    assert origin.last().get("Host") == "internal.example"


def test_absolute_form_names_the_host(gateway, origin):
    assert gateway.fetch("http://www.example.test/abs?x=1", host="www.example.test").status == 200
    seen = origin.last()
    assert (seen.target, seen.get("Host")) == ("/abs?x=1", "www.example.test")


def test_loop_is_refused(gateway, origin):
    """A request that came through this edge already must not circle (RFC 8586)."""
    response = gateway.fetch("/", headers={"CDN-Loop": "cloudflare"})
    assert 400 <= response.status < 600
    assert origin.count() == 0


def test_two_zones_have_their_own_origins(start, origin):
    gateway = start(origin, zones=[
        {"name": "a.test", "hosts": ["a.test"], "origin": {"url": origin.url, "host_header": "for-a"}},
        {"name": "b.test", "hosts": ["b.test"], "origin": {"url": origin.url, "host_header": "for-b"}}])
    gateway.fetch("/", host="a.test")
    assert origin.last().get("Host") == "for-a"
    gateway.fetch("/", host="b.test")
    assert origin.last().get("Host") == "for-b"


def test_debug_header_gives_one_line_of_reasons(start, origin):
    response = start(origin, debug_headers=True).fetch("/a.css")
    assert response.get("X-Nearedge-Decision")
    assert "X-Nearedge-Decision" not in start(origin).fetch("/a.css")


def test_trace_is_refused_and_never_reaches_the_origin(gateway, origin):
    assert gateway.fetch("/", method="TRACE").status == 405
    assert not origin.requests

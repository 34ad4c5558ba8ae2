# SPDX-License-Identifier: Apache-2.0
"""What only the edge may tell an origin cannot be told by a client: not in any spelling that some origin reads alike,
not in a trailer, not over HTTP/2, and not by naming it in Connection."""
import pytest
from edge.h2 import H2Client

LISTEN = [{"address": "127.0.0.1:0", "edge": "FRA", "h2c": True}]
FORGED = "6.6.6.6"
NAMES = [
    "CF-Connecting-IP", "CF-Connecting-IPv6", "CF-Connecting-O2O", "CF-IPCountry", "CF-IPCity", "CF-IPContinent", "CF-IPLatitude",
    "CF-Ray", "CF-Visitor", "CF-Worker", "CF-EW-Via", "CF-Pseudo-IPv4", "CF-Device-Type", "CF-Access-Jwt-Assertion",
    "CF-Access-Authenticated-User-Email", "CF-Cache-Status", "CF-Bot-Score", "CF-JA3-Hash", "CF-TLS-Client-Auth", "CF-X",
    "True-Client-IP", "X-Real-IP", "X-Nearedge-Edge", "X-Nearedge-Isolate", "X-Nearedge-Decision", "X-Nearedge-Anything",
    "X-Forwarded-Proto", "CDN-Loop", "Proxy-Authorization", "Proxy-Connection", "HTTP2-Settings",
]
SPELLINGS = {
    "as written": str,
    "lower case": str.lower,
    "upper case": str.upper,
    "mixed case": lambda name: "".join(c.lower() if i % 2 else c.upper() for i, c in enumerate(name)),
    "underscores": lambda name: name.replace("-", "_"),
    "one underscore": lambda name: name.replace("-", "_", 1),
    "dots": lambda name: name.replace("-", "."),
    "other signs": lambda name: name.replace("-", "~"),
}
CASES = sorted({change(name) for name in NAMES for change in SPELLINGS.values()})


@pytest.fixture(scope="module")
def shared(shared_start, shared_origin):
    return shared_start(shared_origin, listen=LISTEN)


def value_for(name):
    """Two of them mean something to the edge itself, too: what it does not understand it ignores."""
    return "cloudflare-x; loops=0; by=" + FORGED if name.lower() == "cdn-loop" else FORGED


def check(request, path):
    assert request.path == path
    assert FORGED.encode() not in request.raw, request.raw
    for own in ("CF-Connecting-IP", "CF-Ray", "CF-Visitor", "X-Forwarded-For", "X-Forwarded-Proto", "CDN-Loop"):
        assert len(request.all(own)) == 1, own
    assert request.get("CF-Connecting-IP") == request.get("X-Forwarded-For") == "127.0.0.1"


@pytest.mark.parametrize("path", ["/page", "/file.css"])
@pytest.mark.parametrize("name", CASES)
def test_forged_field(shared, shared_origin, name, path):
    """Passed on and fetched for the cache: the two heads are written by different hands."""
    target = f"{path}?{CASES.index(name)}"
    assert shared.fetch(target, headers=[(name, value_for(name))]).status == 200
    check(shared_origin.last(), path)


def test_forged_fields_over_http2(shared, shared_origin):
    with H2Client(shared.address) as client:
        for name in (case for case in CASES if case == case.lower() and case not in ("proxy-connection",)):
            answer = client.fetch(path="/h2", headers=[(name, value_for(name))])
            assert answer.status == 200, (name, answer)
            check(shared_origin.last(), "/h2")


def test_forged_trailers(shared, shared_origin):
    with shared.client() as client:
        client.request("POST", "/trailers", {"Transfer-Encoding": "chunked", "Trailer": ", ".join(NAMES)})
        client.send("1\r\na\r\n0\r\n" + "".join(f"{name}: {FORGED}\r\n" for name in NAMES if not name.startswith(("Proxy", "HTTP2")))
                    + "\r\n")
        client.read()
    for request in shared_origin.seen("/trailers"):
        check(request, "/trailers")
        assert not request.trailers


@pytest.mark.parametrize("name", ["CF-Connecting-IP", "X-Forwarded-For", "Host", "Cookie", "Authorization", "Content-Length"])
def test_connection_takes_no_field_away(shared, shared_origin, name):
    """A field that Connection names is the connection's own, and goes; these are meant for the origin (RFC 9110 7.6.1)."""
    body = b"hello"
    headers = [("Connection", f"close, {name}"), ("Cookie", "a=b"), ("Authorization", "Basic YTpi")]
    assert shared.fetch("/named", "POST", headers=headers, body=body).status == 200
    request = shared_origin.last("/named")
    assert request.get(name) and request.body == body


def test_all_at_once(shared, shared_origin):
    assert shared.fetch("/all", headers=[(name, FORGED) for name in CASES if "loop" not in name.lower()][:200]).status == 200
    check(shared_origin.last(), "/all")


def test_forwarded_for_grows_and_is_not_believed(shared, shared_origin):
    assert shared.fetch("/xff", headers=[("X-Forwarded-For", "1.1.1.1"), ("X_Forwarded_For", "2.2.2.2")]).status == 200
    request = shared_origin.last("/xff")
    assert request.get("X-Forwarded-For") == "1.1.1.1,127.0.0.1" and b"2.2.2.2" not in request.raw
    assert request.get("CF-Connecting-IP") == "127.0.0.1"
    assert shared.logged(ClientRequestURI="/xff")[0]["ClientIP"] == "127.0.0.1"


@pytest.mark.parametrize("name", ["X-Forwarded-Host", "X-Host", "X-Original-URL", "X-Rewrite-URL", "X-HTTP-Method-Override", "X-Forwarded-Scheme"])
@pytest.mark.parametrize("change", ["underscores", "one underscore", "dots"])
def test_no_spelling_gets_by_the_cache_key(shared, shared_origin, name, change):
    """These are in the key as written. A spelling that only the origin takes for one would be cached for everybody."""
    path, headers = f"/{name}-{change.replace(' ', '-')}.css", [(SPELLINGS[change](name), "evil.test")]
    assert shared.fetch(path, headers=headers).status == 200
    assert b"evil.test" not in shared_origin.last(path).raw
    assert shared.fetch("/not-cached", headers=headers).status == 200
    assert b"evil.test" in shared_origin.last("/not-cached").raw

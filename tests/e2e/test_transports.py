# SPDX-License-Identifier: Apache-2.0
"""One edge, four ways in: HTTP/1.1 and HTTP/2, plain and by TLS, give the same answers and ask the origin the same."""
import hashlib
import json
import os
import shutil
import subprocess

import pytest
from edge import Reply, wait_until
from edge.api import Api
from edge.tls import trust
from edge.transports import HOST, TRANSPORTS, listeners, open_connection, visit

BIG = bytes(range(256)) * (3 << 12)  # 3 MiB: many windows of HTTP/2, many records of TLS
LIMITERS = {"limiters": [{"name": "aiGenerate", "limit": 2, "window_ms": 60000, "store": "durable_object", "key": "${ip}:${user}"}],
            "routes": [{"methods": ["POST"], "path": "/api/ai", "limiter": "aiGenerate"}]}
ASSET = {"Cache-Control": "public, max-age=600", "ETag": '"v1"', "Last-Modified": "Thu, 01 Jan 2026 00:00:00 GMT",
         "Content-Type": "text/javascript", "X-Mixed-Case": "As It Is"}
TEXT = b"0123456789" * 40
STEPS = [  # name, request, (status, CF-Cache-Status, length of the body or None)
    ("miss", {"path": "/app.js"}, (200, "MISS", 400)),
    ("hit", {"path": "/app.js"}, (200, "HIT", 400)),
    ("not modified", {"path": "/app.js", "headers": {"If-None-Match": '"v1"'}}, (304, "HIT", 0)),
    ("part", {"path": "/app.js", "headers": {"Range": "bytes=2-5"}}, (206, "HIT", 4)),
    ("no such part", {"path": "/app.js", "headers": {"Range": "bytes=400-"}}, (416, "HIT", None)),
    ("head of an object", {"path": "/app.js", "method": "HEAD"}, (200, "HIT", 0)),
    ("head of a page", {"path": "/page", "method": "HEAD"}, (200, "DYNAMIC", 0)),
    ("page", {"path": "/page?a=1&b=%20", "headers": {"Cookie": "a=1; b=2", "Accept-Language": "de"}}, (200, "DYNAMIC", 11)),
    ("admitted", {"path": "/api/ai", "method": "POST", "body": b"{}"}, (200, "DYNAMIC", 2)),
    ("admitted again", {"path": "/api/ai", "method": "POST", "body": b"{}"}, (200, "DYNAMIC", 2)),
    ("limited", {"path": "/api/ai", "method": "POST", "body": b"{}"}, (429, None, 47)),
    ("not found", {"path": "/nowhere"}, (404, "DYNAMIC", 9)),
    ("nobody's host", {"path": "/", "host": "nobody.test"}, (404, None, None)),
    ("redirect", {"path": "/old"}, (301, "DYNAMIC", 0)),
    ("form", {"path": "/echo", "method": "POST", "body": b"a=1&b=2", "headers": {"Content-Type": "text/plain"}}, (200, "DYNAMIC", None)),
    ("empty form", {"path": "/echo", "method": "PUT", "body": b""}, (200, "DYNAMIC", None)),
    ("big upload", {"path": "/echo", "method": "POST", "body": BIG}, (200, "DYNAMIC", None)),
    ("big download", {"path": "/big"}, (200, "DYNAMIC", len(BIG))),
    ("big object", {"path": "/big.zip"}, (200, "MISS", len(BIG))),
    ("big object again", {"path": "/big.zip"}, (200, "HIT", len(BIG))),
    ("stream", {"path": "/chunked"}, (200, "DYNAMIC", 400)),
]


def tell(request, _connection):
    """What the origin was sent."""
    return Reply(json.dumps({"method": request.method, "target": request.target, "length": request.length,
                             "sha256": request.sha256.hexdigest(), "type": request.get("Content-Type")}))


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return trust(tmp_path_factory.mktemp("authority"), HOST)


@pytest.fixture(scope="module")
def visits(shared_start, shared_origin, authority):
    """visits(transport): {step: Answer}, and the heads that the origin was sent; on one connection to a gateway of its own."""
    for path, reply in (("/app.js", Reply(TEXT, headers=ASSET)), ("/page", Reply("hello there")), ("/api/ai", Reply("ok")),
                        ("/nowhere", Reply("not here\n", status=404, reason="Not Found")), ("/echo", tell),
                        ("/old", Reply(status=301, headers={"Location": "/new"})), ("/big", Reply(BIG)),
                        ("/big.zip", Reply(BIG, headers=ASSET)), ("/chunked", Reply(TEXT, chunked=True))):
        shared_origin.on(path, reply)
    told = {}

    def of(transport):
        if transport not in told:
            gateway = shared_start(shared_origin, listen=listeners(authority), limiters=LIMITERS)
            before = shared_origin.count()
            with open_connection(transport, gateway, authority) as client:
                answers = {name: visit(client, transport, **request) for name, request, _ in STEPS}
            told[transport] = answers, [as_asked(request) for request in shared_origin.seen()[before:]]
            assert gateway.metric("nearedge_requests_total") == len(STEPS)
        return told[transport]

    return of


def as_asked(request):
    """A head without what names this request alone, or truly tells of the way: the scheme."""
    way = {"cf-ray": "RAY", "x-forwarded-proto": "SCHEME", "cf-visitor": "SCHEME"}
    return request.method, request.target, sorted((name.lower(), way.get(name.lower(), value)) for name, value in request.headers)


@pytest.mark.parametrize("step, expected", [(name, expected) for name, _, expected in STEPS], ids=[name for name, _, _ in STEPS])
@pytest.mark.parametrize("transport", TRANSPORTS)
def test_the_same_answer(visits, transport, step, expected):
    answer = visits(transport)[0][step]
    status, cache, length = expected
    assert (answer.status, answer.get("cf-cache-status")) == (status, cache), answer
    assert length is None or answer.length == length, answer
    assert answer == visits("h1")[0][step]


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_bodies_are_whole(visits, transport):
    answers = visits(transport)[0]
    digest = hashlib.sha256(BIG).hexdigest()
    assert answers["big download"].sha256 == answers["big object again"].sha256 == digest
    assert json.loads(answers["big upload"].body) == {"method": "POST", "target": "/echo", "length": len(BIG), "sha256": digest, "type": None}
    assert answers["limited"].body == b'{"error":"Rate limit exceeded","retryAfter":60}'
    assert answers["part"].body == b"2345" and answers["part"].get("content-range") == "bytes 2-5/400"


@pytest.mark.parametrize("transport", TRANSPORTS[1:])
def test_the_origin_is_asked_the_same(visits, transport):
    asked, as_by_h1 = visits(transport)[1], visits("h1")[1]
    assert asked == as_by_h1
    targets = [request[1] for request in asked]
    assert [targets.count(path) for path in ("/app.js", "/big.zip", "/api/ai", "/echo")] == [1, 1, 2, 3]


def pages_of_the_cache(gateway):
    """Blocks of the file in which large bodies lie; None where there is none (the address sanitizer's heap)."""
    folder = f"/proc/{gateway.pid}/fd"
    files = [os.path.join(folder, name) for name in os.listdir(folder)]
    return next((os.stat(file).st_blocks for file in files if "memfd:nearedge-cache" in os.readlink(file)), None)


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_pages_are_given_up_only_when_they_were_lent(start, origin, authority, transport):
    """A plain answer may be on its way by reference when its object goes, so nobody gets those pages again; what was
    encrypted or framed is a copy, and the next object takes them as they are."""
    gateway = start(origin, listen=listeners(authority))
    if pages_of_the_cache(gateway) is None:
        pytest.skip("the cache's memory is no file in this build")
    origin.on("/app.js", Reply(BIG[:100 * 1024], headers=ASSET))
    empty = gateway.api_json("/api/cache/stats")["memory"]
    with open_connection(transport, gateway, authority) as client:
        for cache in ("MISS", "HIT"):
            answer = visit(client, transport, "/app.js")
            assert (answer.get("cf-cache-status"), answer.length) == (cache, 100 * 1024)
        backed = pages_of_the_cache(gateway)
        Api(gateway).post("/purge_cache", {"hosts": [HOST]})
        wait_until(lambda: gateway.api_json("/api/cache/stats")["memory"] == empty, "the object's memory to be free")
        assert (pages_of_the_cache(gateway) < backed) is (transport == "h1")


# ---- other people's clients

@pytest.fixture
def edge(start, origin, authority):
    origin.default = Reply(TEXT, headers=ASSET)
    return start(origin, listen=listeners(authority))


@pytest.mark.skipif(not shutil.which("h2load"), reason="nghttp2-client is not installed")
def test_h2load_by_tls_has_no_error(edge):
    port = edge.listen[1].rsplit(":", 1)[1]
    edge.fetch("/app.js")
    report = subprocess.run(["h2load", "-n", "4000", "-c", "8", "-m", "32", f"--connect-to=127.0.0.1:{port}", f"https://{HOST}/app.js"],
                            capture_output=True, text=True, timeout=60, check=True).stdout
    assert "4000 succeeded, 0 failed, 0 errored, 0 timeout" in report and "Application protocol: h2" in report, report
    assert "status codes: 4000 2xx" in report
    assert edge.metric("nearedge_tls_handshakes_total", result="failed") == 0


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")
@pytest.mark.parametrize("flag, version", [("--http2", "2"), ("--http1.1", "1.1")])
def test_curl_by_tls(edge, authority, flag, version):
    port = edge.listen[1].rsplit(":", 1)[1]
    ran = subprocess.run(["curl", "-sS", flag, "--cacert", authority.ca, "--resolve", f"{HOST}:{port}:127.0.0.1", "-w",
                          "%{stderr}%{http_version} %{ssl_verify_result} %{http_code}", f"https://{HOST}:{port}/app.js"],
                         capture_output=True, timeout=30, check=True)
    assert (ran.stdout, ran.stderr.decode()) == (TEXT, f"{version} 0 200")

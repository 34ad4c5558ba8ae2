# SPDX-License-Identifier: Apache-2.0
"""Content codings between origin and client: what each is offered, what is recoded on the way, what that does to
ETag, length and ranges. There is no Brotli in Python's library: such bodies are made and read by the gateway itself."""
import gzip
import threading
import zlib

import pytest
from edge import Reply, Truncated

TEXT = b"".join(b"line %d of a text that is worth its compression\n" % n for n in range(200))
HTML = "text/html; charset=utf-8"
STRONG = [{"action": "set_cache_settings", "expression": "true",
           "action_parameters": {"cache": True, "respect_strong_etags": True}}]
WEAK = [{"action": "set_cache_settings", "expression": "true", "action_parameters": {"cache": True}}]


@pytest.fixture(scope="module")
def brotli(shared_start, shared_origin):
    """TEXT as the gateway's own Brotli."""
    gateway = shared_start(shared_origin)
    shared_origin.on("/brotli", Reply(TEXT, content_type=HTML))
    response = gateway.fetch("/brotli", headers={"Accept-Encoding": "br"})
    assert response.get("Content-Encoding") == "br" and len(response.body) < len(TEXT) / 4
    shared_origin.on("/back", Reply(response.body, content_type=HTML, content_encoding="br"))
    assert gateway.fetch("/back").body == TEXT
    return response.body


def coded(body, coding, brotli):
    return {None: body, "gzip": gzip.compress(body), "br": brotli}[coding]


def reply(coding, brotli, **headers):
    if coding:
        headers["content_encoding"] = coding
    return Reply(coded(TEXT, coding, brotli), content_type=HTML, etag='"x"', cache_control="max-age=60", **headers)


# Visitor accepts, origin's coding, then with strong ETags respected and without: coding and ETag.
TABLE = [
    ("gzip, br", "gzip", ("gzip", '"x"'), ("br", 'W/"x"')),
    ("gzip, br", "br", ("br", '"x"'), ("br", '"x"')),
    ("br", "gzip", (None, 'W/"x"'), ("br", 'W/"x"')),
    ("gzip", "br", (None, 'W/"x"'), ("gzip", 'W/"x"')),
    ("gzip", None, (None, '"x"'), ("gzip", 'W/"x"')),
    ("gzip", "gzip", ("gzip", '"x"'), ("gzip", '"x"')),
    (None, "gzip", (None, 'W/"x"'), (None, 'W/"x"')),
    (None, "br", (None, 'W/"x"'), (None, 'W/"x"')),
    (None, None, (None, '"x"'), (None, '"x"')),
]


@pytest.mark.parametrize("strong", [True, False])
@pytest.mark.parametrize("row", range(len(TABLE)))
@pytest.mark.parametrize("cached", [True, False])
def test_table(start, origin, brotli, row, strong, cached):
    """Vector 130 is the fourth row."""
    accepts, origin_coding, with_strong, without = TABLE[row]
    coding, etag = with_strong if strong else without
    gateway = start(origin, rules=STRONG if strong else WEAK, zone={"settings": {"development_mode": "off" if cached else "on"}})
    origin.default = reply(origin_coding, brotli)
    for status in ("MISS", "HIT") if cached else ("DYNAMIC",):
        response = gateway.fetch("/a.html", headers={"Accept-Encoding": accepts} if accepts else {})
        assert response.cache == status
        assert (response.get("Content-Encoding"), response.get("ETag")) == (coding, etag)
        recoded = coding != origin_coding
        assert (response.get("Content-Length") is None) == recoded
        assert response.get("Vary") == ("Accept-Encoding" if recoded else None)
        if coding == "gzip":
            assert gzip.decompress(response.body) == TEXT
        elif coding is None:
            assert response.body == TEXT
        else:
            origin.on("/check", Reply(response.body, content_type=HTML, content_encoding="br"))
            assert gateway.fetch("/check").body == TEXT
    sent = origin.seen("/a.html")[-1].get("Accept-Encoding")
    assert sent == (accepts if strong else "br, gzip")


def test_one_object_serves_all_clients(gateway, origin, brotli):
    origin.default = reply("br", brotli)
    assert gateway.fetch("/a.css", headers={"Accept-Encoding": "br"}).body == brotli
    assert gzip.decompress(gateway.fetch("/a.css", headers={"Accept-Encoding": "gzip"}).body) == TEXT
    assert gateway.fetch("/a.css").body == TEXT
    assert gateway.fetch("/a.css", headers={"Accept-Encoding": "gzip, br"}).body == brotli
    assert origin.count() == 1


def test_range_is_ignored_when_the_body_must_be_decoded(gateway, origin, brotli):
    origin.on("/a.css", reply("gzip", brotli))
    origin.on("/b.css", reply(None, brotli))
    for path, accepts, status, coding in (("/a.css", "", 200, None), ("/a.css", "gzip", 206, "gzip"),
                                          ("/b.css", "gzip", 206, None), ("/b.css", "", 206, None)):
        for _ in range(2):
            response = gateway.fetch(path, headers={"Range": "bytes=0-9", "Accept-Encoding": accepts})
            assert (response.status, response.get("Content-Encoding")) == (status, coding)
            assert len(response.body) == (10 if status == 206 else len(TEXT))
    assert gateway.fetch("/a.css", headers={"Range": "bytes=99999999-"}).status == 200


def test_a_weak_tag_from_here_validates_here_and_at_the_origin(gateway, origin):
    def handler(request, _):
        if request.get("If-None-Match") == '"x"':
            return Reply(status=304, etag='"x"', cache_control="max-age=60")
        return Reply(TEXT, content_type=HTML, etag='"x"', cache_control="max-age=60")

    origin.default = handler
    asks = {"Accept-Encoding": "gzip"}
    assert gateway.fetch("/a.css", headers=asks).get("ETag") == 'W/"x"'
    again = gateway.fetch("/a.css", headers={**asks, "If-None-Match": 'W/"x"'})
    assert (again.status, again.get("ETag"), again.cache) == (304, 'W/"x"', "HIT")
    assert "Content-Encoding" not in again
    gateway.advance(61_000)
    assert gateway.fetch("/a.css", headers=asks).cache == "REVALIDATED"


@pytest.mark.parametrize("path", ["/a.css", "/page"])
def test_head_says_what_get_would(gateway, origin, path):
    origin.on(path, Reply(TEXT, content_type=HTML, etag='"x"', cache_control="max-age=60"))
    response = gateway.fetch(path, "HEAD", headers={"Accept-Encoding": "gzip"})
    assert (response.get("Content-Encoding"), response.get("ETag"), response.get("Content-Length")) == ("gzip", 'W/"x"', None)
    assert gateway.fetch(path, "HEAD").get("Content-Length") == str(len(TEXT))


@pytest.mark.parametrize("headers,status,body", [
    ({"Content-Type": "image/png"}, 200, TEXT),
    ({"Content-Type": "text/css"}, 200, TEXT[:47]),
    ({"Content-Type": "text/css"}, 500, TEXT),
    ({"Content-Type": "text/css", "Cache-Control": "max-age=60, no-transform"}, 200, TEXT),
    ({"Content-Type": "text/event-stream"}, 200, TEXT),
    ({}, 200, TEXT),
])
@pytest.mark.parametrize("path", ["/a.css", "/page"])
def test_not_compressed(gateway, origin, path, headers, status, body):
    origin.on(path, Reply(body, status=status, headers=headers))
    response = gateway.fetch(path, headers={"Accept-Encoding": "gzip, br"})
    assert (response.body, response.get("Content-Encoding"), response.get("Content-Length")) == (body, None, str(len(body)))


@pytest.mark.parametrize("path", ["/a.css", "/page"])
def test_no_transform_keeps_the_coding_too(gateway, origin, path):
    body = gzip.compress(TEXT)
    origin.on(path, Reply(body, content_type=HTML, content_encoding="gzip", cache_control="no-transform, max-age=9", etag='"x"'))
    response = gateway.fetch(path)
    assert (response.body, response.get("Content-Encoding"), response.get("ETag")) == (body, "gzip", '"x"')


def test_fields_about_the_coded_bytes_go(gateway, origin):
    origin.on("/page", Reply(TEXT, content_type=HTML, vary="Cookie", accept_ranges="bytes", content_md5="x", headers={
        "Content-Digest": "sha-256=:x:", "Repr-Digest": "sha-256=:x:"}))
    response = gateway.fetch("/page", headers={"Accept-Encoding": "gzip"})
    for name in ("Accept-Ranges", "Content-MD5", "Content-Digest", "Repr-Digest"):
        assert name not in response
    assert response.get("Vary") == "Cookie, Accept-Encoding"
    assert "Content-Digest" in gateway.fetch("/page")


@pytest.mark.parametrize("path", ["/a.css", "/page"])
def test_a_stream_flows_while_it_is_recoded(gateway, origin, path):
    """Each line is readable at the client before the origin sends the next one."""
    step = threading.Semaphore(0)

    def lines(_, connection):
        connection.send(Reply(content_type=HTML, cache_control="max-age=60", chunked=True).head())
        for _ in range(3):
            connection.send("5\r\nline\n\r\n")
            assert step.acquire(timeout=20)
        connection.send("0\r\n\r\n")

    origin.on(path, lines)
    decoder = zlib.decompressobj(31)
    with gateway.client() as client:
        client.request("GET", path, {"Accept-Encoding": "gzip"})
        assert client.read_head().get("Content-Encoding") == "gzip"
        seen = b""
        for count in range(1, 4):
            while len(seen) < 5 * count:
                size = int(client._line(None).split(b";")[0], 16)
                while len(client.buffer) < size + 2:
                    assert client.receive()
                seen += decoder.decompress(client.take(size))
                client.take(2)
            assert seen == b"line\n" * count
            step.release()


@pytest.mark.parametrize("path", ["/a.css", "/page"])
def test_large_bodies_and_slow_clients(gateway, origin, path):
    """More than any buffer holds, out of little: the client's pace is the decoder's."""
    body = gzip.compress(bytes(40 << 20), 9)
    origin.on(path, Reply(body, content_type="application/octet-stream", content_encoding="gzip", cache_control="max-age=60"))
    gateway.reset_memory_peak()
    before = gateway.memory_peak_kib()
    with gateway.client(receive_buffer=16 * 1024) as client:
        client.request("GET", path)
        response = client.read()
    assert response.length == 40 << 20
    assert gateway.memory_peak_kib() - before < 16 * 1024


def test_broken_coding_of_what_passes_is_502(gateway, origin):
    origin.on("/page", Reply(b"no gzip at all", content_type=HTML, content_encoding="gzip"))
    response = gateway.fetch("/page")
    assert response.status == 502 and b"no gzip" not in response.body
    assert gateway.fetch("/page", headers={"Accept-Encoding": "gzip"}).body == b"no gzip at all"


@pytest.mark.parametrize("path", ["/a.css", "/page"])
def test_coding_that_breaks_off_is_seen(gateway, origin, path):
    body = gzip.compress(TEXT)
    origin.on(path, Reply(body[:-20], content_type=HTML, content_encoding="gzip", cache_control="max-age=60"))
    for _ in range(2):
        with pytest.raises(Truncated):
            gateway.fetch(path)
    assert gateway.fetch(path, headers={"Accept-Encoding": "gzip"}).body == body[:-20]


def test_http_1_0_clients_get_it_until_the_connection_closes(gateway, origin):
    origin.on("/page", Reply(TEXT, content_type=HTML))
    with gateway.client() as client:
        client.request("GET", "/page", {"Accept-Encoding": "gzip"}, version="HTTP/1.0")
        response = client.read()
    assert not response.chunked and gzip.decompress(response.body) == TEXT


def test_who_asks_for_a_part_is_offered_his_own_codings(gateway, origin):
    for accepts, offered in (("gzip", "gzip"), ("br;q=0, gzip", "gzip"), ("zstd", "identity"), ("gzip, br", "br, gzip")):
        gateway.fetch("/page", headers={"Range": "bytes=0-9", "Accept-Encoding": accepts})
        assert origin.last().get("Accept-Encoding") == offered
    gateway.fetch("/page", headers={"Accept-Encoding": "zstd"})
    assert origin.last().get("Accept-Encoding") == "br, gzip"


def test_posts_are_recoded_as_well(gateway, origin):
    origin.on("/api", Reply(TEXT, content_type="application/json"))
    response = gateway.fetch("/api", "POST", {"Accept-Encoding": "gzip"}, b"{}")
    assert response.cache == "DYNAMIC" and gzip.decompress(response.body) == TEXT

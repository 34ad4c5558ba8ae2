# SPDX-License-Identifier: Apache-2.0
"""Visitors by TLS: versions, names, resumption, bodies, reload, what is no handshake, redirects."""
import hashlib
import json
import os
import shutil
import socket
import ssl
import subprocess
import time

import pytest

from edge import RawClient, Reply, wait_until
from edge.gateway import BINARY
from edge.h2 import H2Client
from edge.sanitizer import SANITIZED
from edge.tls import TlsClient, client_context, openssl, self_signed, trust

HOST = "www.example.test"
MIB = 1 << 20


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    made = trust(tmp_path_factory.mktemp("authority"), HOST)
    trust(made.folder, "other.test")
    return made


def listeners(*tls):
    return [{"address": "127.0.0.1:0", "edge": "FRA"}] + [
        {"address": "127.0.0.1:0", "edge": "FRA", "tls": one} for one in tls]


class Edge:
    """A gateway whose second listener speaks TLS."""

    def __init__(self, gateway, authority):
        self.gateway, self.authority = gateway, authority
        self.address = gateway.listen[1]

    def client(self, context=None, **options):
        return TlsClient(self.address, context or self.authority.context(), **options)

    def fetch(self, path="/", method="GET", headers=(), body=None, host=HOST, **options):
        with self.client(**options) as client:
            return client.request(method, path, headers, body, host).read(method)


@pytest.fixture
def edge(start, origin, authority):
    return Edge(start(origin, listen=listeners(authority.tls(HOST))), authority)


def handshakes(gateway, **labels):
    return gateway.metric("nearedge_tls_handshakes_total", **labels)


# ---- handshakes

@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_both_versions_serve_miss_and_hit(edge, origin, authority, version):
    origin.on("/a.css", Reply("body{}", cache_control="max-age=60"))
    with edge.client(authority.context(versions=version)) as client:
        assert client.request("GET", "/a.css").read().cache == "MISS"
        response = client.request("GET", "/a.css").read()
        assert (response.status, response.cache, response.body) == (200, "HIT", b"body{}")
        assert client.socket.version() == {ssl.TLSVersion.TLSv1_2: "TLSv1.2", ssl.TLSVersion.TLSv1_3: "TLSv1.3"}[version]
        assert client.socket.cipher()[0] in ("TLS_AES_128_GCM_SHA256", "ECDHE-ECDSA-AES128-GCM-SHA256")
    assert handshakes(edge.gateway, version=client_version(version), result="full") == 1
    assert origin.count("/a.css") == 1


def client_version(version):
    return {ssl.TLSVersion.TLSv1_2: "TLSv1.2", ssl.TLSVersion.TLSv1_3: "TLSv1.3"}[version]


def test_old_versions_and_weak_ciphers_are_refused(edge):
    for argument in ("-tls1", "-tls1_1"):
        ran = subprocess.run(["openssl", "s_client", argument, "-cipher", "ALL:@SECLEVEL=0", "-connect", edge.address],
                             stdin=subprocess.DEVNULL, capture_output=True, text=True)
        assert ran.returncode != 0
    context = client_context(versions=ssl.TLSVersion.TLSv1_2)
    context.set_ciphers("AES128-SHA:AES256-GCM-SHA384")  # no forward secrecy
    with pytest.raises(ssl.SSLError):
        edge.client(context)
    assert edge.fetch("/").status == 200
    assert handshakes(edge.gateway, result="failed") == 3
    assert "TLS handshake failed" in edge.gateway.log()


def test_a_client_may_not_renegotiate(edge):
    ran = subprocess.run(["openssl", "s_client", "-tls1_2", "-connect", edge.address], input="R\n",
                         capture_output=True, text=True)
    assert "RENEGOTIATING" in ran.stdout + ran.stderr
    assert "no renegotiation" in ran.stderr
    assert edge.fetch("/").status == 200


def test_alpn(edge):
    def chosen(*offered):
        with edge.client(client_context(alpn=list(offered))) as client:
            return client.socket.selected_alpn_protocol()

    assert chosen("http/1.1") == "http/1.1"
    assert chosen("h2", "http/1.1") == "h2"
    assert chosen("spdy/1", "http/1.1") == "http/1.1"
    with pytest.raises(ssl.SSLError, match="(?i)no application protocol"):
        edge.client(client_context(alpn=["spdy/1"]))


def test_certificates_are_chosen_by_name(start, origin, authority, tmp_path):
    wildcard = self_signed(str(tmp_path), "*.apps.test")
    tls = [authority.tls(HOST), authority.tls("other.test"), dict(zip(("certificate", "key"), wildcard))]
    edge = Edge(start(origin, listen=listeners(tls), zone={"hosts": [HOST, "other.test"]}), authority)

    def names(sni):
        with TlsClient(edge.address, client_context(), name=sni) as client:
            der = client.socket.getpeercert(binary_form=True)
        text = openssl("x509", "-noout", "-ext", "subjectAltName", input=ssl.DER_cert_to_PEM_cert(der))
        return [name.strip() for name in text.splitlines()[1].split(",")][0]

    assert names(HOST) == f"DNS:{HOST}"
    assert names("other.test") == names("OTHER.test") == "DNS:other.test"
    assert names("a.apps.test") == "DNS:*.apps.test"
    assert names("a.b.apps.test") == names("unknown.test") == names(None) == f"DNS:{HOST}"


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_session_belongs_to_its_certificate(start, origin, authority, version):
    """A ticket of one host is no proof of another one, neither by its name nor at its listener."""
    doors = [authority.tls(HOST), authority.tls("other.test")], authority.tls("other.test")
    gateway = start(origin, listen=listeners(*doors), zone={"hosts": [HOST, "other.test"]})
    context = client_context(versions=version)

    def connect(door, name, session=None):
        with TlsClient(gateway.listen[door], context, name=name, session=session) as client:
            assert client.request("GET", "/", host=name).read().status == 200
            return client.socket.session_reused, client.socket.session

    session, others = connect(1, HOST)[1], connect(1, "other.test")[1]
    assert connect(1, HOST, session)[0] and connect(1, "other.test", others)[0]
    assert connect(2, "other.test", others)[0], "the same certificate"
    assert not connect(1, "other.test", session)[0]
    assert not connect(1, HOST, others)[0]
    assert not connect(2, HOST, session)[0]


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_sessions_are_resumed_by_every_worker(start, origin, authority, version):
    edge = Edge(start(origin, listen=listeners(authority.tls(HOST)), workers=2), authority)
    context = authority.context(versions=version)

    def connect(session=None):
        with edge.client(context, session=session) as client:
            assert client.request("GET", "/").read().status == 200
            return client.socket.session_reused, client.socket.session

    reused, session = connect()
    assert not reused
    for _ in range(8):  # the kernel spreads them over both
        assert connect(session)[0]
    edge.gateway.hang_up()
    wait_until(lambda: "configuration reloaded" in edge.gateway.log(), "the reload")
    assert connect(session)[0]
    assert handshakes(edge.gateway, result="resumed") == 9


def test_a_handshake_that_does_not_end_is_ended(start, origin, authority):
    gateway = start(origin, listen=listeners(authority.tls(HOST)), timeouts={"handshake_ms": 200})
    with RawClient(gateway.listen[1]) as client:
        client.send(b"\x16\x03\x01")
        assert client.is_closed()
    with RawClient(gateway.listen[1]) as silent:
        assert silent.is_closed()
    assert handshakes(gateway, version="none", result="timeout") == 2


def test_what_is_no_handshake(edge):
    with RawClient(edge.address) as client:
        response = client.request("GET", "/").read()
    assert response.status == 400 and b"The plain HTTP request was sent to HTTPS port" in response.body
    assert response.get("Server") == "cloudflare" and response.get("CF-RAY") == "-"
    for garbage in (b"\x16\x03\x01\x00\x05hello", b"\0" * 100, b"\x80\x2e\x01\x03\x01"):
        with RawClient(edge.address) as client:
            client.send(garbage)
            client.half_close()
            client.read_to_end()
    RawClient(edge.address).close()  # only looked whether the port is open: no failure
    wait_until(lambda: handshakes(edge.gateway, result="failed") == 3, "the failures are counted")
    assert handshakes(edge.gateway, result="plain_http") == 1
    assert edge.fetch("/").status == 200


# ---- bytes

def test_pipelined_requests_and_slow_bytes(edge, origin):
    origin.on("/a.css", Reply("a", cache_control="max-age=60"))
    with edge.client() as client:
        one = f"GET /a.css HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode()
        client.send(one * 20)
        assert [client.read().body for _ in range(20)] == [b"a"] * 20
        for byte in one:
            client.send(bytes([byte]))
        assert client.read().cache == "HIT"


def test_requests_in_line_outlive_the_clients_close_notify(edge, origin):
    """All of them and the client's last word are there at once: it may not speak for those before it."""
    origin.on("/last.png", Reply("p", cache_control="max-age=60"))
    with edge.client() as client:
        client.request("GET", "/last.png")
        assert client.read().status == 200
        with edge.gateway.standing_still():
            for _ in range(20):
                client.request("GET", "/last.png")
            client.socket.settimeout(0)
            with pytest.raises(ssl.SSLWantReadError):
                client.socket.unwrap()
        client.socket.settimeout(20)
        assert [client.read().status for _ in range(20)] == [200] * 20
        with pytest.raises(ssl.SSLZeroReturnError):  # the gateway's last word, and nothing before it
            client.receive()


def test_the_client_hello_may_come_in_pieces(edge, authority):
    """Every record is cut somewhere: the layer below keeps what it cannot decrypt yet."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = authority.context().wrap_bio(incoming, outgoing, server_hostname=HOST)
    with RawClient(edge.address) as client:
        client.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

        def step(call):
            while True:
                try:
                    return call()
                except ssl.SSLWantReadError:
                    for byte in outgoing.read():
                        client.send(bytes([byte]))
                    assert client.buffer or client.receive()
                    incoming.write(client.take(7))

        step(tls.do_handshake)
        tls.write(f"GET / HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n".encode())
        assert step(lambda: tls.read(15)) == b"HTTP/1.1 200 OK"


def test_large_bodies_both_ways(edge, origin):
    block = os.urandom(MIB)
    size, digest = 100, hashlib.sha256()
    for _ in range(size):
        digest.update(block)

    def download(_request, connection):
        connection.send(f"HTTP/1.1 200 OK\r\nContent-Length: {size * MIB}\r\nCache-Control: no-store\r\n\r\n")
        for _ in range(size):
            connection.send(block)

    origin.on("/download", download)
    edge.gateway.reset_memory_peak()
    before = edge.gateway.memory_peak_kib()
    response = edge.fetch("/download", timeout=60)
    assert response.length == size * MIB and response.sha256.digest() == digest.digest()
    with edge.client(timeout=60) as client:  # below the 100 MB of a request's body
        client.send(f"POST /upload HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: {80 * MIB}\r\n\r\n")
        for _ in range(80):
            client.send(block)
        assert client.read().status == 200
    assert origin.last("/upload").length == 80 * MIB
    if not SANITIZED:
        assert edge.gateway.memory_peak_kib() - before < 16 * 1024


def stands_still(growing):
    """True when nothing was added for a quarter of a second."""
    seen = len(growing)
    time.sleep(0.25)
    return len(growing) == seen


def test_a_slow_reader_holds_the_origin_back(edge, origin):
    sent = []

    def stream(_request, connection):
        connection.send(f"HTTP/1.1 200 OK\r\nContent-Length: {64 * MIB}\r\nCache-Control: no-store\r\n\r\n")
        for _ in range(64):
            connection.send(b"s" * MIB)
            sent.append(1)

    origin.on("/stream", stream)
    with edge.client(receive_buffer=65536, timeout=60) as client:
        client.request("GET", "/stream")
        head = client.read_head()
        wait_until(lambda: sent, "the first megabyte")
        wait_until(lambda: stands_still(sent), "the origin is held back")
        assert len(sent) < 40
        assert client.read_body(head).length == 64 * MIB
    assert len(sent) == 64


def test_a_slow_reader_of_a_cached_object(edge, origin):
    body = os.urandom(16 * MIB)
    origin.on("/big.zip", Reply(body, cache_control="max-age=600"))
    assert edge.fetch("/big.zip", timeout=60).length == len(body)
    edge.gateway.reset_memory_peak()
    before = edge.gateway.memory_peak_kib()
    with edge.client(receive_buffer=65536, timeout=60) as client:
        client.request("GET", "/big.zip")
        response = client.read_head()
        client.read_body(response)
    assert response.cache == "HIT" and response.sha256.digest() == hashlib.sha256(body).digest()
    if not SANITIZED:
        assert edge.gateway.memory_peak_kib() - before < 4 * 1024  # lent by the cache, not copied


def test_ends_that_are_cut_and_ends_that_are_said(edge, origin):
    with edge.client() as client:
        assert client.request("GET", "/", {"Connection": "close"}).read().status == 200
        assert client.socket.recv(1) == b""  # close_notify: without it this raises
    with edge.client() as client:
        client.request("GET", "/").read()
        client.socket.unwrap()  # ours is answered by the gateway's
    broken = edge.client()
    broken.send(f"POST /half HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: 100\r\n\r\nhalf")
    alone = edge.gateway.metric("nearedge_connections") - 1
    broken.cut()
    wait_until(lambda: edge.gateway.metric("nearedge_connections") <= alone, "its end")
    assert edge.fetch("/").status == 200


def test_a_broken_record_ends_the_connection(edge):
    with edge.client() as client:
        client.request("GET", "/").read()
        client.raw = socket.socket(fileno=client.socket.detach())
        client.raw.sendall(b"\x17\x03\x03\x00\x20" + b"\0" * 32)
        client.raw.settimeout(10)
        alert = client.raw.recv(100)
        assert alert[:1] == b"\x17" or alert[:1] == b"\x15"
        assert client.raw.recv(100) == b""
        client.raw.close()
    assert edge.fetch("/").status == 200


def test_websocket_tunnels(edge, origin):
    def upgrade(_request, connection):
        connection.send("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
        while connection.buffer or connection.receive():
            connection.send(connection.buffer.upper())
            connection.buffer = b""

    origin.on("/ws", upgrade)
    with edge.client() as client:
        client.request("GET", "/ws", {"Upgrade": "websocket", "Connection": "Upgrade"})
        assert client.read_head().status == 101
        for text in (b"hello", b"x" * 100000):
            client.send(text)
            got = b""
            while len(got) < len(text):
                got += client.read_available()
            assert got == text.upper()


def test_curl_verifies_the_chain(edge, authority):
    ran = subprocess.run(["curl", "-sS", "--http1.1", "--cacert", authority.ca, "--resolve",
                          f"{HOST}:{edge.address.rsplit(':', 1)[1]}:127.0.0.1",
                          f"https://{HOST}:{edge.address.rsplit(':', 1)[1]}/"], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout == "hello from the origin\n"


# ---- what follows from the scheme

def test_the_scheme_is_told_to_rules_and_origin(start, origin, authority):
    rules = [{"action": "set_cache_settings", "expression": f'ssl and http.request.full_uri eq "https://{HOST}/page"',
              "action_parameters": {"cache": True, "edge_ttl": {"mode": "override_origin", "default": 7200}}}]
    edge = Edge(start(origin, listen=listeners(authority.tls(HOST)), rules=rules), authority)
    assert edge.fetch("/page").cache == "MISS"
    seen = origin.last("/page")
    assert seen.get("X-Forwarded-Proto") == "https" and json.loads(seen.get("CF-Visitor")) == {"scheme": "https"}
    assert edge.gateway.fetch("/other").cache == "DYNAMIC"
    assert origin.last("/other").get("X-Forwarded-Proto") == "http"
    assert edge.gateway.logged(ClientRequestScheme="https", ClientRequestURI="/page")


TLS_NAMES = {ssl.TLSVersion.TLSv1_2: ("TLSv1.2", "ECDHE-ECDSA-AES128-GCM-SHA256"), ssl.TLSVersion.TLSv1_3: ("TLSv1.3", "AEAD-AES128-GCM-SHA256")}


@pytest.fixture(scope="module")
def by_version(shared_start, shared_origin, authority):
    """Caches what comes by TLS 1.3 in one way and by TLS 1.2 in another; without TLS neither field has a value."""
    rules = [{"action": "set_cache_settings", "expression": expression, "action_parameters": {"cache": True, "edge_ttl": {"mode": "override_origin", "default": 60}}}
             for expression in ('cf.tls_version eq "TLSv1.3" and starts_with(cf.tls_cipher, "AEAD-")',
                                'cf.tls_cipher eq "ECDHE-ECDSA-AES128-GCM-SHA256" and cf.tls_version in {"TLSv1.2"}',
                                'cf.tls_version eq "" and cf.tls_cipher eq "" and http.request.uri.path eq "/plain"')]
    return Edge(shared_start(shared_origin, listen=listeners(authority.tls(HOST)), rules=rules, admin={"address": "127.0.0.1:0", "record": True},
                             zone={"plan": "enterprise"}), authority)


@pytest.mark.parametrize("version", TLS_NAMES)
def test_version_and_cipher_are_told_to_rules_and_log(by_version, authority, version):
    gateway, (protocol, cipher) = by_version.gateway, TLS_NAMES[version]
    with by_version.client(authority.context(versions=version)) as client:
        for path in (f"/{protocol}", f"/{protocol}/again"):
            assert client.request("GET", path).read().cache == "MISS"
    line = gateway.logged(ClientRequestURI=f"/{protocol}/again")[0]
    assert (line["ClientSSLProtocol"], line["ClientSSLCipher"]) == (protocol, cipher)
    # What explains it afterwards, or sends it again, knows them too.
    recorded = f"/api/requests/{line['RayID']}"
    matched = [rule["matched"] for rule in gateway.api_json(recorded)["now"]["result"]["trace"][0]["trace"]]
    assert matched == [protocol == "TLSv1.3", protocol == "TLSv1.2", False]
    gateway.api_json(f"{recorded}/replay", "POST")
    assert {again["ClientSSLCipher"] for again in gateway.logged(2, ClientRequestURI=f"/{protocol}/again")} == {cipher}
    asked = {"url": f"https://{HOST}/", "tls_version": protocol, "tls_cipher": cipher}
    rules = gateway.api_json("/api/explain", "POST", asked)["result"]["trace"][0]["trace"]
    assert [rule["matched"] for rule in rules] == matched


def test_the_same_by_http2_and_without_tls(by_version, authority):
    gateway = by_version.gateway
    with H2Client(by_version.address, tls=authority.context(alpn=["h2"])) as client:
        assert client.fetch("GET", "/h2").status == 200
    line = gateway.logged(ClientRequestURI="/h2")[0]
    assert (line["ClientSSLProtocol"], line["ClientSSLCipher"], line["CacheCacheStatus"]) == ("TLSv1.3", "AEAD-AES128-GCM-SHA256", "miss")
    assert (gateway.fetch("/plain").cache, gateway.fetch("/other").cache) == ("MISS", "DYNAMIC")
    line = gateway.logged(ClientRequestURI="/plain")[0]
    assert (line["ClientSSLProtocol"], line["ClientSSLCipher"]) == ("none", "NONE")


def test_always_use_https(start, origin, authority):
    gateway = start(origin, listen=listeners(authority.tls(HOST)), zone={"settings": {"always_use_https": "on"}})
    edge = Edge(gateway, authority)
    port = edge.address.rsplit(":", 1)[1]
    for method in ("GET", "HEAD", "POST"):
        response = gateway.fetch("/a/b?c=%20d", method, body=b"x" if method == "POST" else None)
        assert (response.status, response.get("Location")) == (301, f"https://{HOST}/a/b?c=%20d")
        assert response.get("Cache-Control") == "max-age=3600" and response.cache is None and response.ray
    local = gateway.fetch("/a", host=f"{HOST}:8080")  # who came to this machine is sent to it
    assert local.get("Location") == f"https://{HOST}:{port}/a"
    assert edge.fetch("/a").status == 200
    assert origin.count() == 1
    told = subprocess.run([BINARY, "explain", "-c", gateway.path("nearedge.json"), f"http://{HOST}/a"],
                          capture_output=True, text=True)
    assert "answers 301: always_use_https" in told.stdout


# ---- configuration

def check(folder, config):
    path = os.path.join(str(folder), "nearedge.json")
    with open(path, "w", encoding="utf-8") as file:
        file.write(json.dumps(config, indent=1))
    ran = subprocess.run([BINARY, "check", "-c", path], capture_output=True, text=True)
    return ran.returncode, ran.stderr


def minimal(tls, hosts=(HOST,)):
    return {"listen": [{"address": "127.0.0.1:8443", "tls": tls}],
            "zones": [{"name": "example.test", "hosts": list(hosts), "origin": "http://127.0.0.1:9000"}]}


def test_check_judges_certificates(tmp_path, authority):
    good = authority.tls(HOST)
    assert check(tmp_path, minimal(good)) == (0, "")
    assert check(tmp_path, minimal([good, authority.tls("other.test")], hosts=[HOST, "other.test"])) == (0, "")
    code, said = check(tmp_path, minimal(good, hosts=[HOST, "elsewhere.test"]))
    assert code == 0 and "5:11: warning: no certificate of this listener is valid for elsewhere.test" in said
    code, said = check(tmp_path, minimal({"certificate": good["certificate"], "key": authority.pair("other.test")[1]}))
    assert code == 3 and f"{authority.pair('other.test')[1]}: error: this key does not belong to the certificate" in said
    code, said = check(tmp_path, minimal({"certificate": "none.pem", "key": good["key"]}))
    assert code == 3 and "none.pem" in said and "No such file" in said and ":6:20: error" in said
    code, said = check(tmp_path, minimal({"certificate": good["certificate"]}))
    assert code == 3 and '"key" is missing' in said
    code, said = check(tmp_path, minimal({"local_ca": True, **good}))
    assert code == 3 and '"local_ca" makes the certificate itself' in said
    assert check(tmp_path, minimal({"local_ca": True, "local_ca_dir": "none"})) == (0, "")
    assert not (tmp_path / "none").exists()
    readable = tmp_path / "open.key"
    shutil.copy(good["key"], readable)
    readable.chmod(0o644)
    code, said = check(tmp_path, minimal({"certificate": good["certificate"], "key": "open.key"}))
    assert code == 0 and "every user of this machine may read this private key (mode 644)" in said
    for days, expected in ((-1, "expired on"), (3, "expires on")):
        pair = self_signed(str(tmp_path), HOST, days) if days > 0 else expired(tmp_path)
        code, said = check(tmp_path, minimal(dict(zip(("certificate", "key"), pair))))
        assert code == 0 and f"this certificate {expected}" in said, said
    encrypted = str(tmp_path / "encrypted.key")
    openssl("pkey", "-in", good["key"], "-aes128", "-passout", "pass:secret", "-out", encrypted)
    code, said = check(tmp_path, minimal({"certificate": good["certificate"], "key": encrypted}))
    assert code == 3 and "has a passphrase" in said


def expired(folder):
    """openssl req makes none that lies in the past; x509 -not_after is newer than this OpenSSL."""
    certificate, key = self_signed(str(folder), "past.test")
    request, old = str(folder / "past.csr"), str(folder / "past.pem.old")
    openssl("req", "-new", "-key", key, "-subj", "/CN=past.test", "-out", request)
    openssl("ca", "-batch", "-selfsign", "-keyfile", key, "-in", request, "-out", old, "-config", ca_config(folder),
            "-startdate", "20200101000000Z", "-enddate", "20200201000000Z")
    os.replace(old, certificate)
    return certificate, key


def ca_config(folder):
    path = folder / "ca.cnf"
    (folder / "index.txt").write_text("")
    (folder / "serial").write_text("01\n")
    path.write_text(f"[ca]\ndefault_ca=x\n[x]\ndatabase={folder}/index.txt\nserial={folder}/serial\n"
                    f"new_certs_dir={folder}\ndefault_md=sha256\npolicy=p\n[p]\ncommonName=supplied\n")
    return str(path)


def test_new_certificates_come_with_hup(start, origin, tmp_path):
    live = tmp_path / "live"
    first, second = trust(tmp_path / "a", HOST), trust(tmp_path / "b", HOST)
    gateway = start(origin, listen=listeners(first.copy_pair(HOST, live, "site")))
    edge = Edge(gateway, first)
    kept = edge.client()
    assert kept.request("GET", "/").read().status == 200

    second.copy_pair(HOST, live, "site")
    gateway.hang_up()
    wait_until(lambda: "configuration reloaded" in gateway.log(), "the reload")
    with pytest.raises(ssl.SSLCertVerificationError):
        edge.client()
    assert Edge(gateway, second).fetch("/").status == 200
    assert kept.request("GET", "/").read().status == 200  # what stands goes on

    shutil.copy(first.pair(HOST)[1], live / "site.key")  # of another certificate
    gateway.hang_up()
    wait_until(lambda: "reload failed" in gateway.log(), "the refusal")
    assert f"{live}/site.key: error: this key does not belong to the certificate" in gateway.log()
    assert Edge(gateway, second).fetch("/").status == 200
    kept.close()


def test_reloads_drop_no_handshake(start, origin, authority):
    gateway = start(origin, listen=listeners(authority.tls(HOST)), workers=2)
    edge = Edge(gateway, authority)
    for _ in range(15):
        gateway.hang_up()
        assert edge.fetch("/").status == 200
    gateway.terminate()
    assert gateway.wait() == 0


def test_a_listener_with_the_local_authority(start, origin, tmp_path):
    home = tmp_path / "data"
    gateway = start(origin, listen=listeners({"local_ca": True}), env={"XDG_DATA_HOME": str(home)})
    authority = client_context(str(home / "nearedge" / "ca.pem"))
    for name in (HOST, "example.test", "localhost", "127.0.0.1"):
        with TlsClient(gateway.listen[1], authority, name=name) as client:
            assert client.request("GET", "/").read().status == 200
    before = (home / "nearedge" / "ca.pem").read_bytes()
    again = start(origin, listen=listeners({"local_ca": True}), env={"XDG_DATA_HOME": str(home)})
    assert Edge(again, type("A", (), {"context": lambda _self: authority})()).fetch("/").status == 200
    assert (home / "nearedge" / "ca.pem").read_bytes() == before
    assert "certificate made" in gateway.log() and "certificate made" not in again.log()

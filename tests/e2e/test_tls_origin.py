# SPDX-License-Identifier: Apache-2.0
"""Origins by TLS: whom we believe, who we are, which scheme is spoken, 525 and 526."""
import hashlib
import os
import socket
import ssl
import threading

import pytest

from edge import Reply, Truncated, wait_until
from edge.api import Api
from edge.tls import TlsClient, TlsOrigin, self_signed, trust

HOST = "www.example.test"


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return trust(tmp_path_factory.mktemp("authority"), HOST)  # its certificate also names 127.0.0.1


@pytest.fixture
def secure(authority):
    origin = TlsOrigin(authority.pair(HOST))
    yield origin
    origin.stop()


def zone(origin, ca=None, url=None, settings=None, **tls):
    if ca:
        tls["ca"] = ca
    return {"origin": {"url": url or origin.url, "tls": tls or None}, "settings": settings or {}}


def error_of(response):
    return response.status, response.get("cf-error-type")


def test_a_verified_origin_serves_miss_hit_and_bodies(start, secure, authority):
    body = os.urandom(3 << 20)
    secure.on("/a.css", Reply(body, cache_control="max-age=60"))
    gateway = start(secure, zone=zone(secure, authority.ca))
    assert gateway.fetch("/a.css").cache == "MISS"
    hit = gateway.fetch("/a.css")
    assert (hit.cache, hit.body) == ("HIT", body)
    assert gateway.fetch("/form", "POST", body=body).status == 200
    assert secure.last("/form").sha256.digest() == hashlib.sha256(body).digest()
    assert secure.count("/a.css") == 1


def test_the_system_store_is_the_default(start, secure, authority):
    trusted = start(secure, zone=zone(secure), env={"SSL_CERT_FILE": authority.ca})
    assert trusted.fetch("/").status == 200
    alone = start(secure, zone=zone(secure))
    assert error_of(alone.fetch("/")) == (526, "526")
    assert "reason=\"unable to get local issuer certificate\"" in alone.log()


@pytest.mark.parametrize("server_name, status", [(None, 526), ("good.test", 200), ("bad.test", 526)])
def test_the_name_decides(start, tmp_path, server_name, status):
    pair = self_signed(str(tmp_path), "good.test")
    origin = TlsOrigin(pair)
    gateway = start(origin, zone=zone(origin, ca=pair[0], **({"server_name": server_name} if server_name else {})))
    assert gateway.fetch("/").status == status
    assert origin.names == [server_name]  # an address is never sent as SNI
    origin.stop()


def test_verification_can_be_switched_off_by_name_only(start, tmp_path):
    origin = TlsOrigin(self_signed(str(tmp_path), "good.test"))
    assert start(origin, zone=zone(origin)).fetch("/").status == 526
    careless = start(origin, zone=zone(origin, verify=False))
    assert careless.fetch("/").status == 200
    assert "lets anybody between here and the origin" in careless.log()
    origin.stop()


def test_an_origin_may_ask_who_we_are(start, tmp_path, authority):
    ours = self_signed(str(tmp_path), "edge.test")
    origin = TlsOrigin(authority.pair(HOST), client_ca=ours[0])
    known = start(origin, zone=zone(origin, authority.ca, certificate=ours[0], key=ours[1]))
    assert known.fetch("/").status == 200
    assert origin.peers[-1]["subject"] == ((("commonName", "edge.test"),),)
    assert error_of(start(origin, zone=zone(origin, authority.ca)).fetch("/")) == (525, "525")
    origin.stop()


def test_an_unchecked_certificate_is_not_why_it_fails(start, tmp_path):
    """The origin wants to know who we are: 525, although the certificate that nobody checks would be a 526."""
    pair = self_signed(str(tmp_path), "good.test")
    origin = TlsOrigin(pair, client_ca=pair[0], maximum_version=ssl.TLSVersion.TLSv1_2)
    gateway = start(origin, zone=zone(origin, verify=False))
    assert error_of(gateway.fetch("/")) == (525, "525")
    origin.stop()


def answer_in_plain_words(server):
    connection, _ = server.accept()
    connection.recv(65536)
    connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
    connection.close()


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion")
def test_handshakes_that_fail_are_525(start, origin, authority, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as server:  # an origin without TLS
        plain = start(origin, zone=zone(origin, url=f"https://127.0.0.1:{server.getsockname()[1]}"))
        threading.Thread(target=answer_in_plain_words, args=(server,), daemon=True).start()
        assert error_of(plain.fetch("/")) == (525, "525")
    assert 'reason="wrong version number"' in plain.log()
    old = TlsOrigin(authority.pair(HOST))
    old.context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    old.context.maximum_version = ssl.TLSVersion.TLSv1_1
    assert start(old, zone=zone(old, authority.ca)).fetch("/").status == 525
    old.stop()
    with socket.create_server(("127.0.0.1", 0)) as silent:  # takes the connection and says nothing
        where = f"127.0.0.1:{silent.getsockname()[1]}"
        config = zone(origin, url=f"https://{where}")
        config["origin"]["connect_timeout_ms"] = 200
        assert start(origin, zone=config).fetch("/").status == 525
    down = start(origin, zone=zone(origin, url=f"https://{where}"))
    assert down.fetch("/").status == 521


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_connections_are_reused_and_sessions_resumed(start, authority, version):
    origin = TlsOrigin(authority.pair(HOST), maximum_version=version)
    gateway = start(origin, zone=zone(origin, authority.ca))
    for _ in range(3):
        assert gateway.fetch("/api").status == 200
    assert origin.accepted == 1
    origin.on("/close", Reply("x", close=True))
    for _ in range(3):
        assert gateway.fetch("/close").status == 200
    assert origin.resumed == [False, True, True]
    origin.stop()


def test_a_body_that_is_cut_is_not_taken_for_whole(start, secure, authority):
    def until_close(clean):
        def answer(_request, connection):
            connection.send("HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nConnection: close\r\n\r\npart")
            if clean:
                connection.socket.unwrap()
            connection.close()
        return answer

    secure.on("/whole.css", until_close(True))
    secure.on("/cut.css", until_close(False))
    gateway = start(secure, zone=zone(secure, authority.ca))
    assert gateway.fetch("/whole.css").body == b"part"
    assert gateway.fetch("/whole.css").cache == "HIT"
    for _ in range(2):
        with pytest.raises(Truncated):
            gateway.fetch("/cut.css")
    assert secure.count("/cut.css") == 2


def test_a_new_authority_comes_with_hup(start, secure, authority, tmp_path):
    stranger = self_signed(str(tmp_path), "stranger.test")[0]
    gateway = start(secure, zone=zone(secure, stranger))
    assert gateway.fetch("/").status == 526
    gateway.config["zones"][0]["origin"]["tls"] = {"ca": authority.ca}
    gateway.write_config(gateway.config)
    gateway.hang_up()
    wait_until(lambda: "configuration reloaded" in gateway.log(), "the reload")
    assert gateway.fetch("/").status == 200


@pytest.mark.parametrize("mode, by_https", [("off", "http"), ("flexible", "http"), ("full", "https"),
                                            ("strict", "https")])
def test_modes_choose_the_scheme_that_the_url_leaves_open(start, origin, authority, mode, by_https):
    """Both origins behind one port number are told apart by what they are spoken to with."""
    secure = TlsOrigin(authority.pair(HOST))
    tls = {"local_ca": False, **authority.tls(HOST)}
    listen = [{"address": "127.0.0.1:0"}, {"address": "127.0.0.1:0", "tls": tls}]

    def answers(target, https):
        settings = {"ssl": mode, "browser_cache_ttl": 0}
        trusted = {"ca": authority.ca} if mode == "strict" else {}
        gateway = start(target, listen=listen, zone=zone(target, url=f"//{target.address}", settings=settings, **trusted))
        if not https:
            return gateway.fetch("/").status
        with TlsClient(gateway.listen[1], authority.context()) as client:
            return client.request("GET", "/").read().status

    assert answers(origin, https=False) == 200  # a visitor without TLS is never spoken for with TLS
    assert answers(secure if by_https == "https" else origin, https=True) == 200
    assert answers(secure, https=False) != 200
    secure.stop()
    origin.faults.clear()


def probe_of(gateway):
    """The verdict on the only server and why, once it has been asked."""
    def asked():
        server = gateway.api_json("/api/upstreams")["upstreams"][0]["servers"][0]
        return (server["probe"], server["reason"]) if server["probe"] != "none" else None
    return wait_until(asked, "the first probe")


def probed(url, settings=None, patience_ms=10_000, **tls):
    health = {"path": "/alive", "fall": 1, "timeout_ms": patience_ms, "interval_ms": 20_000}
    return {"origin": {"url": url, "tls": tls or None, "health": health}, "settings": settings or {}}


def test_health_checks_of_an_https_origin_believe_whom_requests_believe(start, secure, authority):
    assert probe_of(start(secure, zone=probed(secure.url, ca=authority.ca)))[0] == "up"
    assert secure.count("/alive") == 1 and secure.last("/alive").get("Host") == secure.address
    verdict, reason = probe_of(start(secure, zone=probed(secure.url)))
    assert verdict == "down" and "certificate" in reason and secure.count("/alive") == 1


def test_health_checks_send_the_name_that_requests_send(start, tmp_path):
    pair = self_signed(str(tmp_path), "good.test")
    origin = TlsOrigin(pair)
    assert probe_of(start(origin, zone=probed(origin.url, ca=pair[0], server_name="good.test")))[0] == "up"
    assert probe_of(start(origin, zone=probed(origin.url, ca=pair[0], server_name="bad.test")))[0] == "down"
    assert origin.names == ["good.test", "bad.test"]
    origin.stop()


@pytest.mark.parametrize("mode, visitors, verdicts", [
    ("flexible", "tls", "up down down"), ("full", "tls", "down up up"),
    ("strict", "tls", "down up down"), ("full", "scheme", "down up up"), ("full", "plain", "up down down")])
def test_health_checks_speak_as_visitors_are_spoken_for(start, origin, secure, authority, tmp_path, mode, visitors, verdicts):
    """Three origins whose scheme is left open: one without TLS, one with a certificate to be believed, one with any other."""
    stranger = TlsOrigin(self_signed(str(tmp_path), "stranger.test"))
    listener = {"tls": {"tls": authority.tls(HOST)}, "scheme": {"visitor_scheme": "https"}, "plain": {}}[visitors]
    for target, verdict in zip((origin, secure, stranger), verdicts.split()):
        trusted = {"ca": authority.ca} if mode == "strict" else {}
        patience_ms = 10_000 if verdict == "up" else 300  # who does not understand a handshake waits for more of it
        zone_of_it = probed(f"//{target.address}", {"ssl": mode}, patience_ms, **trusted)
        assert probe_of(start(target, listen=[{"address": "127.0.0.1:0", **listener}], zone=zone_of_it))[0] == verdict
    stranger.stop()


def test_ssl_changed_through_the_api_is_in_force_at_once(start, authority, tmp_path):
    """Connections that were made without looking at the certificate serve nobody who wants it looked at, and probes follow."""
    stranger = TlsOrigin(self_signed(str(tmp_path), "stranger.test"))
    listen = [{"address": "127.0.0.1:0", "tls": authority.tls(HOST)}]
    gateway = start(stranger, listen=listen, zone=probed(f"//{stranger.address}", {"ssl": "full"}))
    api = Api(gateway)

    def fetch():
        with TlsClient(gateway.address, authority.context()) as client:
            return client.request("GET", "/").read().status

    assert probe_of(gateway)[0] == "up" and fetch() == 200
    for mode, status, verdict in (("strict", 526, "down"), ("full", 200, "up"), ("strict", 526, "down")):
        api.patch("/settings/ssl", {"value": mode})
        assert fetch() == status
        wait_until(lambda v=verdict: gateway.advance(20_000) or probe_of(gateway)[0] == v, f"probes under {mode}")
    stranger.stop()


def test_full_checks_no_certificate_and_strict_does(start, authority, tmp_path):
    origin = TlsOrigin(self_signed(str(tmp_path), "stranger.test"))
    listen = [{"address": "127.0.0.1:0", "tls": authority.tls(HOST)}]
    for mode, status in (("full", 200), ("strict", 526)):
        gateway = start(origin, listen=listen, zone=zone(origin, url=f"//{origin.address}", settings={"ssl": mode}))
        with TlsClient(gateway.address, authority.context()) as client:
            assert client.request("GET", "/").read().status == status
    origin.stop()

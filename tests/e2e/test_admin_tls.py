# SPDX-License-Identifier: Apache-2.0
"""TLS on the admin listener: who gets in, what verbs believe, what `check` and HUP do with its files."""
import http.client
import json
import os
import shutil
import socket
import ssl
import subprocess
import threading

import pytest

from edge import Reply, wait_until
from edge.client import fetch
from edge.gateway import BINARY
from edge.tls import TlsClient, client_context, openssl, trust

NAME = "admin.example.test"
TOKEN = "s3cret"
BEARER = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    made = trust(tmp_path_factory.mktemp("authority"), NAME)
    trust(made.folder, "other.example.test")
    return made


def admin(tls, **more):
    return {"address": "127.0.0.1:0", "token": TOKEN, "tls": tls, **more}


@pytest.fixture
def edge(start, origin, authority):
    return start(origin, admin=admin(authority.tls(NAME)))


def ask(gateway, context, path="/api/clock", headers=BEARER, host="127.0.0.1", name=NAME):
    with TlsClient(gateway.admin, context, name=name) as client:
        return client.request("GET", path, headers, host=host).read()


def verb(gateway, *arguments, config=True, env=None):
    where = ["-c", gateway.path("nearedge.json"), "--admin", gateway.admin] if config else []
    return subprocess.run([BINARY, *arguments[:1], *where, *arguments[1:]], capture_output=True, text=True, timeout=60,
                          check=False, stdin=subprocess.DEVNULL, env=dict(os.environ, **(env or {})))


def reload(gateway, text="configuration reloaded"):
    before = gateway.log().count(text)
    gateway.hang_up()
    wait_until(lambda: gateway.log().count(text) > before, text)


# ---- who gets in

def test_the_token_by_tls(edge, authority):
    context = authority.context()
    assert ask(edge, context).status == 200
    assert ask(edge, context, headers={"Authorization": "Bearer wrong"}).status == 401
    assert ask(edge, context, headers={}).status == 401
    assert ask(edge, context, "/livez", headers={}).status == 200
    with TlsClient(edge.admin, authority.context(alpn=["h2", "http/1.1"]), name=NAME) as client:
        assert client.socket.selected_alpn_protocol() == "http/1.1" and client.socket.version() == "TLSv1.3"


def test_curl_and_python_as_anybody_would(edge, authority):
    host, port = edge.admin.split(":")
    url = f"https://{NAME}:{port}/api/clock"
    curl = ["curl", "-sS", "--noproxy", "*", "--resolve", f"{NAME}:{port}:{host}", "-o", "/dev/null", "-w", "%{http_code}"]
    for token, status in ((TOKEN, "200"), ("wrong", "401")):
        said = subprocess.run([*curl, "--cacert", authority.ca, "-H", f"Authorization: Bearer {token}", url],
                              capture_output=True, text=True, check=True, timeout=60).stdout
        assert said == status
    assert subprocess.run([*curl, url], capture_output=True, check=False, timeout=60).returncode == 60, "nobody knows the authority"
    connection = http.client.HTTPSConnection("127.0.0.1", int(port), context=authority.context(), timeout=20)
    connection.request("GET", "/api/clock", headers=BEARER)
    assert json.loads(connection.getresponse().read())["mode"] == "virtual"
    connection.close()


def test_plain_http_is_answered_in_its_own_words(edge):
    answer = fetch(edge.admin, "/api/clock", headers=list(BEARER.items()), host="127.0.0.1")
    assert answer.status == 400 and b"The plain HTTP request was sent to HTTPS port" in answer.body
    assert answer.get("Connection") == "close"
    assert TOKEN not in edge.log() and "plain HTTP was spoken to a TLS port" in edge.log()


def test_the_certificates_names_are_hosts_and_no_others(edge, authority):
    context, port = authority.context(), edge.admin.rsplit(":", 1)[1]
    for host, status in ((f"{NAME}:{port}", 200), ("localhost", 200), ("127.0.0.1", 200), ("other.example.test", 403),
                         (f"x.{NAME}", 403)):
        assert ask(edge, context, host=host).status == status, host


def test_the_inspectors_page_speaks_for_itself(edge, authority):
    host = f"localhost:{edge.admin.rsplit(':', 1)[1]}"
    for origin, status in ((f"https://{host}", 200), (f"http://{host}", 403), ("https://example.test", 403)):
        headers = dict(BEARER, Origin=origin, **{"X-Nearedge-Inspector": "1"})
        assert ask(edge, authority.context(), headers=headers, host=host).status == status, origin


def test_a_unix_socket_stays_as_it_was(start, origin, tmp_path):
    path = str(tmp_path / "admin.sock")
    gateway = start(origin, admin={"address": f"unix:{path}", "token": TOKEN})
    assert fetch(path, "/api/clock", headers=list(BEARER.items()), host="x").status == 200
    assert verb(gateway, "clock").returncode == 0


# ---- verbs

def test_verbs_find_it_through_the_configuration(edge, origin):
    origin.on("/a.css", Reply("x", cache_control="max-age=600"))
    assert [edge.fetch("/a.css").cache for _ in range(2)] == ["MISS", "HIT"]
    for arguments in (["healthcheck"], ["clock", "advance", "1000"], ["limits", "ls", "--json"], ["purge", "--everything"]):
        ran = verb(edge, *arguments)
        assert (ran.returncode, ran.stderr) == (0, ""), arguments
    assert edge.fetch("/a.css").cache == "MISS"
    ran = verb(edge, "drill", "origin-500", "--duration", "300ms", "--json", "--url", f"http://{edge.address}/", "--host", "www.example.test")
    assert ran.returncode == 0 and json.loads(ran.stdout), ran.stderr


def test_verbs_without_a_configuration(edge, authority):
    port, env = edge.admin.rsplit(":", 1)[1], {"NEAREDGE_ADMIN_TOKEN": TOKEN}

    def clock(*arguments):
        return verb(edge, "clock", *arguments, config=False, env=env)

    for host in ("127.0.0.1", "localhost", ""):
        ran = clock("--admin", f"https://{host}:{port}", "--cacert", authority.ca)
        assert (ran.returncode, ran.stderr) == (0, ""), host
    ran = clock("--admin", f"https://127.0.0.1:{port}")
    assert ran.returncode == 1 and "certificate cannot be verified" in ran.stderr and "issuer" in ran.stderr
    ran = clock("--admin", f"127.0.0.1:{port}")
    assert ran.returncode == 1 and "the admin listener speaks TLS: give its configuration with -c" in ran.stderr
    assert clock("--admin", f"127.0.0.1:{port}", "--cacert", authority.ca).returncode == 2
    assert clock("--admin", f"https://127.0.0.1:{port}", "--cacert", "none.pem").returncode == 3


def test_load_asks_it(edge, origin, authority):
    origin.on("/b.css", Reply("x", cache_control="max-age=600"))

    def load(*arguments):
        return subprocess.run([BINARY, "load", "--url", f"http://{edge.address}/b.css", "-H", "Host: www.example.test", "--burst", "3",
                               "--expect", "origin requests == 1", *arguments], capture_output=True, text=True, timeout=60, check=False,
                              env=dict(os.environ, NEAREDGE_ADMIN_TOKEN=TOKEN))

    ran = load("--admin", f"https://{edge.admin}")  # nobody knows the authority
    assert ran.returncode == 6, ran.stdout + ran.stderr
    ran = load("--admin", f"https://{edge.admin}", "--cacert", authority.ca)
    assert ran.returncode == 99, "it is cached by now: " + ran.stdout + ran.stderr
    assert "origin requests" in ran.stdout
    assert load("--admin", "https://nowhere").returncode == 3


class Impostor:
    """Somebody else at the admin's address, with a certificate of his own."""

    def __init__(self, pair):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(*pair)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self.listener.getsockname()[1]
        self.heard = b""
        self.thread = threading.Thread(target=self.serve)
        self.thread.start()

    def serve(self):
        sock, _ = self.listener.accept()
        sock.settimeout(20)
        try:
            with self.context.wrap_socket(sock, server_side=True) as wrapped:
                self.heard = wrapped.recv(65536)
        except OSError:
            sock.close()

    def stop(self):
        self.thread.join()
        self.listener.close()


@pytest.mark.parametrize("who", ["of another authority", "of the same authority for another name"])
def test_nobody_else_gets_the_token(start, origin, authority, tmp_path, who):
    """Though the listener's file has its authority behind the certificate, as chains do."""
    certificate, key = authority.pair(NAME)
    chain = tmp_path / "chain.pem"
    chain.write_text("".join(open(path, encoding="ascii").read() for path in (certificate, authority.ca)), encoding="ascii")
    edge = start(origin, admin=admin({"certificate": str(chain), "key": key}))
    assert verb(edge, "clock").returncode == 0
    pair = authority.pair("other.example.test") if "same" in who else trust(tmp_path / "foreign", NAME).pair(NAME)
    impostor = Impostor(pair)
    ran = subprocess.run([BINARY, "clock", "-c", edge.path("nearedge.json"), "--admin", impostor.address], capture_output=True, text=True,
                         timeout=60, check=False)
    impostor.stop()
    assert ran.returncode == 1 and "the certificate cannot be verified (" in ran.stderr, ran.stderr
    assert impostor.heard == b""


@pytest.mark.parametrize("subject, names", [("localhost", ""), ("x", "DNS:*.example.test,DNS:y"), ("x", "IP:192.0.2.1")])
def test_verbs_take_the_listeners_own_certificate(start, origin, tmp_path, subject, names):
    """Whatever it names: it is known by itself."""
    pair = [str(tmp_path / "own.pem"), str(tmp_path / "own.key")]
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", pair[1], "-out", pair[0],
            "-subj", f"/CN={subject}", "-days", "9", *(["-addext", f"subjectAltName={names}"] if names else []))
    gateway = start(origin, admin=admin(dict(zip(("certificate", "key"), pair))))
    ran = verb(gateway, "clock")
    assert (ran.returncode, ran.stderr) == (0, "")


# ---- files

def test_new_certificates_come_with_hup(start, origin, tmp_path):
    live = tmp_path / "live"
    first, second = trust(tmp_path / "a", NAME), trust(tmp_path / "b", NAME)
    gateway = start(origin, admin=admin(first.copy_pair(NAME, live, "admin")))
    assert ask(gateway, first.context()).status == 200
    second.copy_pair(NAME, live, "admin")
    assert verb(gateway, "clock").returncode == 1, "the listener still shows the old one"
    reload(gateway)
    with pytest.raises(ssl.SSLCertVerificationError):
        ask(gateway, first.context())
    page = ask(gateway, second.context(), "/metrics").body.decode()
    assert f'nearedge_certificate_expiry_timestamp_seconds{{host="{NAME}",certificate="{live}/admin.pem"}}' in page
    assert verb(gateway, "healthcheck").returncode == 0
    shutil.copy(first.pair(NAME)[1], live / "admin.key")
    reload(gateway, "reload failed")
    assert f"{live}/admin.key: error: this key does not belong to the certificate in {live}/admin.pem" in gateway.log()
    assert ask(gateway, second.context()).status == 200


def test_a_reload_makes_it_neither_plain_nor_secret(edge, authority):
    config = dict(edge.config, admin={"address": "127.0.0.1:0", "token": TOKEN})
    edge.write_config(config)
    reload(edge)
    assert 'reload keeps the old value of "listen, admin"' in edge.log()
    host = f"localhost:{edge.admin.rsplit(':', 1)[1]}"
    headers = dict(BEARER, Origin=f"https://{host}", **{"X-Nearedge-Inspector": "1"})
    assert ask(edge, authority.context(), headers=headers, host=host).status == 200


def test_the_local_authority(start, origin, tmp_path):
    env = {"XDG_DATA_HOME": str(tmp_path / "data")}
    gateway = start(origin, admin=admin({"local_ca": True}), env=env)
    context = client_context(str(tmp_path / "data" / "nearedge" / "ca.pem"))
    for name in ("localhost", "127.0.0.1"):
        assert ask(gateway, context, name=name).status == 200
    ran = verb(gateway, "clock", env=env)
    assert (ran.returncode, ran.stderr) == (0, "")
    ran = verb(gateway, "clock", env={"XDG_DATA_HOME": str(tmp_path / "elsewhere")})
    assert ran.returncode == 3 and "elsewhere/nearedge/ca.pem" in ran.stderr, "whoever has another authority is told so"


def check(folder, section):
    path = os.path.join(str(folder), "nearedge.json")
    with open(path, "w", encoding="utf-8") as file:
        json.dump({"admin": section, "zones": [{"name": "example.test", "origin": "http://127.0.0.1:9000"}]}, file, indent=1)
    ran = subprocess.run([BINARY, "check", "-c", path], capture_output=True, text=True, check=False, env=dict(os.environ, T=TOKEN))
    return ran.returncode, ran.stdout, ran.stderr


def test_check_judges_its_files(tmp_path, authority):
    good = authority.tls(NAME)
    section = {"address": "127.0.0.1:8081", "token": "${T}", "tls": good}
    code, said, complaints = check(tmp_path, section)
    assert (code, complaints) == (0, "") and "admin     127.0.0.1:8081, with a token, TLS" in said
    key = authority.pair("other.example.test")[1]
    code, _, complaints = check(tmp_path, dict(section, tls=dict(good, key=key)))
    assert code == 3 and f"{key}: error: this key does not belong to the certificate in {good['certificate']}" in complaints
    code, _, complaints = check(tmp_path, dict(section, tls={"certificate": good["certificate"]}))
    assert code == 3 and '"key" is missing' in complaints


@pytest.mark.parametrize("address, tls, warned", [
    ("0.0.0.0:8081", False, True), ("[2001:db8::1]:8081", False, True), ("0.0.0.0:8081", True, False), ("127.0.0.1:8081", False, False),
    ("unix:/tmp/x.sock", False, False)])
def test_check_warns_of_a_token_in_clear_text(tmp_path, authority, address, tls, warned):
    code, _, said = check(tmp_path, {"address": address, "token": "${T}", **({"tls": authority.tls(NAME)} if tls else {})})
    assert code == 0 and ("travels in clear text" in said) == warned, said

# SPDX-License-Identifier: Apache-2.0
"""nearedge load over TLS: whom it trusts, whom it asks for, and what it says when that fails."""
import subprocess

import pytest
from edge import Reply
from edge.load import Load

NAME = "www.example.test"
LIMITERS = {
    "limiters": [{"name": "two", "limit": 2, "window_ms": 60000, "store": "durable_object", "key": "${ip}", "mode": "enforce"}],
    "routes": [{"path": "/limited", "limiter": "two"}]}


def certificate(folder, name):
    """(certificate, key): its own authority, for one name."""
    paths = str(folder / f"{name}.pem"), str(folder / f"{name}.key")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30", "-subj",
                    f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}", "-out", paths[0], "-keyout", paths[1]],
                   check=True, capture_output=True)
    return paths


@pytest.fixture
def secure(start, origin, tmp_path):
    """begin(name): a gateway whose listener shows a certificate for it, and a Load aimed there; the certificate's path."""
    origin.default = Reply("in")

    def begin(name):
        pem, key = certificate(tmp_path, name)
        listen = [{"address": "127.0.0.1:0", "edge": "FRA", "tls": {"certificate": pem, "key": key}}]
        load = Load(tmp_path, start(origin, listen=listen, limiters=LIMITERS, trusted_proxies=["127.0.0.1/32"]))
        return load, f"https://{load.gateway.address}", pem

    return begin


def test_the_host_that_is_asked_for_must_be_proved(secure, origin):
    load, url, pem = secure(NAME)
    assert load("--url", url + "/x", burst=30, connections=5, cacert=pem, expect=["200 == 30", "only 200", "p99 < 5s"]) == 0, load.out + load.err
    assert origin.count("/x") == 30 and load.report["generator"]["opened"] == 5
    assert load("--url", url + "/x", host=f"{NAME}:8443", burst=1, cacert=pem, dry_run=True) == 0 and "https://127.0.0.1" in load.out
    # Somebody else's certificate, and the same one without being told to trust it.
    assert load("--url", url + "/x", burst=1) == 1
    assert "the certificate cannot be verified (self-signed certificate)" in load.err and "--cacert FILE" in load.err
    assert load("--url", url + "/x", host="other.example.test", burst=1, cacert=pem) == 1
    assert "hostname mismatch" in load.err
    assert origin.count("/x") == 30, "nobody was asked anything without proof"


def test_insecure_looks_at_nothing(secure, origin):
    load, url, _ = secure("other.example.test")
    assert load("--url", url + "/x", burst=5, insecure=True, expect="200 == 5") == 0, load.out + load.err
    assert origin.count("/x") == 5


def test_a_scenario_over_tls(secure, origin):
    """Probes of Retry-After and Origin headers go the same way."""
    load, url, pem = secure(NAME)
    scenario = {"target": url, "requests": {"post": {"path": "/csrf", "method": "POST", "csrf": True}},
                "phases": [{"rate": {"burst": 3}, "expect": ["200 == 3"]}]}
    assert load.scenario(scenario, cacert=pem) == 0, load.out + load.err
    assert origin.last("/csrf").get("Origin") == f"https://{NAME}"
    assert load("--url", url + "/limited", burst=3, cacert=pem, expect=["429 == 1", "retry-after honest"]) == 0, load.out
    assert "refused one second early, admitted on time" in load.out


def test_what_is_no_tls(start, origin, tmp_path):
    load = Load(tmp_path, start(origin))
    assert load("--url", f"https://{load.gateway.address}/", burst=1, insecure=True) == 1
    assert "the TLS handshake failed" in load.err
    assert load("--url", load.url(), burst=1, insecure=True) == 3 and "--insecure goes with an https:// target" in load.err
    assert load("--url", "https://127.0.0.1:1/", burst=1, insecure=True, cacert="x.pem") == 3 and "only one of them" in load.err
    assert load("--url", "https://127.0.0.1:1/", burst=1, cacert="/no/such.pem") == 3 and "/no/such.pem" in load.err
    assert load("--url", "ftp://127.0.0.1/", burst=1) == 3 and "begins with http:// or https://" in load.err

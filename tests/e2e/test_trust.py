# SPDX-License-Identifier: Apache-2.0
"""`nearedge trust`: one authority for good, certificates that strict clients take, the stores."""
import json
import os
import stat
import subprocess

import pytest

from edge.gateway import BINARY
from edge.tls import openssl


class Trust:
    def __init__(self, folder):
        self.folder = folder
        self.dir = folder / "authority"
        self.env = {"HOME": str(folder), "PATH": f"{folder}/bin:{os.environ['PATH']}"}

    def run(self, *arguments, code=0):
        ran = subprocess.run([BINARY, "trust", *arguments], capture_output=True, text=True,
                             env={**os.environ, **self.env}, cwd=self.folder)
        assert ran.returncode == code, ran.stdout + ran.stderr
        return ran

    def json(self, *arguments):
        return json.loads(self.run("--json", "--dir", str(self.dir), *arguments).stdout)


@pytest.fixture
def trust(tmp_path):
    return Trust(tmp_path)


def read_all(folder):
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_second_time_nothing_changes(trust):
    first = trust.json("--host", "a.example.test,b.example.test")
    files = read_all(trust.dir)
    second = trust.json("--host", "a.example.test", "--host", "b.example.test")
    assert first["ca_made"] and first["certificate_made"]
    assert not second["ca_made"] and not second["certificate_made"]
    assert read_all(trust.dir) == files
    assert {k: v for k, v in first.items() if not k.endswith("_made")} == \
        {k: v for k, v in second.items() if not k.endswith("_made")}


def test_other_hosts_get_another_certificate_of_the_same_authority(trust):
    first = trust.json("--host", "a.example.test")
    more = trust.json("--host", "a.example.test,c.example.test")
    assert more["certificate_made"] and not more["ca_made"] and more["ca_sha256"] == first["ca_sha256"]
    assert more["names"] == ["a.example.test", "c.example.test", "localhost", "127.0.0.1", "::1"]
    other = trust.json("--host", "z.example.test")
    assert other["certificate"] != more["certificate"] and os.path.exists(more["certificate"])


def test_the_chain_is_strictly_right(trust):
    made = trust.json("--host", "a.example.test,b.example.test")
    for check in (["-verify_hostname", "a.example.test"], ["-verify_hostname", "b.example.test"],
                  ["-verify_ip", "127.0.0.1"], ["-verify_ip", "::1"], ["-verify_hostname", "localhost"]):
        said = openssl("verify", "-x509_strict", "-purpose", "sslserver", "-CAfile", made["ca"], *check, made["certificate"])
        assert said.strip().endswith("OK")
    assert openssl("verify", "-x509_strict", "-check_ss_sig", "-CAfile", made["ca"], made["ca"]).strip().endswith("OK")
    text = openssl("x509", "-noout", "-text", "-in", made["certificate"])
    for part in ("CA:FALSE", "Digital Signature", "TLS Web Server Authentication", "X509v3 Authority Key Identifier",
                 "X509v3 Subject Key Identifier", "prime256v1"):
        assert part in text
    ca = openssl("x509", "-noout", "-text", "-in", made["ca"])
    for part in ("CA:TRUE, pathlen:0", "Certificate Sign, CRL Sign", "X509v3 Basic Constraints: critical"):
        assert part in ca
    serial = openssl("x509", "-noout", "-serial", "-in", made["certificate"]).strip().split("=")[1]
    assert 16 <= len(serial) // 2 <= 20


def test_lifetimes(trust):
    made = trust.json("--host", "a.example.test")
    ran = subprocess.run(["openssl", "x509", "-noout", "-checkend", str(360 * 86400), "-in", made["certificate"]])
    assert ran.returncode == 0
    ran = subprocess.run(["openssl", "x509", "-noout", "-checkend", str(397 * 86400), "-in", made["certificate"]])
    assert ran.returncode == 1  # browsers allow 398 days
    ran = subprocess.run(["openssl", "x509", "-noout", "-checkend", str(3600 * 86400), "-in", made["ca"]])
    assert ran.returncode == 0


def test_keys_are_private(trust):
    made = trust.json("--host", "a.example.test")
    for path in (made["key"], trust.dir / "ca.key"):
        assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    assert stat.S_IMODE(os.stat(trust.dir).st_mode) == 0o700


def test_a_folder_that_is_open_to_all_is_refused(trust):
    trust.dir.mkdir()
    trust.dir.chmod(0o777)
    said = trust.run("--dir", str(trust.dir), code=1).stderr
    assert "every user of this machine may write into it" in said
    assert not list(trust.dir.iterdir())
    trust.dir.chmod(0o755)
    trust.run("--dir", str(trust.dir))


def test_a_damaged_certificate_is_made_anew_and_a_damaged_authority_is_not(trust):
    made = trust.json("--host", "a.example.test")
    with open(made["certificate"], "w", encoding="ascii") as file:
        file.write("torn")
    assert trust.json("--host", "a.example.test")["certificate_made"]
    os.unlink(trust.dir / "ca.key")
    ran = trust.run("--dir", str(trust.dir), code=1)
    assert "ca.pem and ca.key are not both there" in ran.stderr


def test_it_is_renewed_before_it_ends(trust, tmp_path):
    made = trust.json("--host", "a.example.test")
    config = tmp_path / "short.cnf"
    config.write_text("subjectAltName=DNS:a.example.test,DNS:localhost,IP:127.0.0.1,IP:::1\n")
    request = str(tmp_path / "short.csr")
    openssl("req", "-new", "-key", made["key"], "-subj", "/CN=a.example.test", "-out", request)
    openssl("x509", "-req", "-in", request, "-CA", made["ca"], "-CAkey", str(trust.dir / "ca.key"), "-days", "20",
            "-extfile", str(config), "-out", made["certificate"])
    renewed = trust.json("--host", "a.example.test")
    assert renewed["certificate_made"] and not renewed["ca_made"]


def test_hosts_come_from_the_configuration(trust, tmp_path):
    (tmp_path / "nearedge.json").write_text(json.dumps({
        "listen": [{"address": "127.0.0.7:8443", "tls": {"local_ca": True, "local_ca_dir": "here"}}],
        "zones": [{"name": "x.test", "hosts": ["x.test", "*"], "origin": "http://127.0.0.1:1"},
                  {"name": "y.test", "origin": "http://127.0.0.1:1"}]}))
    made = json.loads(trust.run("-c", "nearedge.json", "--json").stdout)
    assert made["names"] == ["x.test", "y.test", "localhost", "127.0.0.1", "::1", "127.0.0.7"]
    assert made["ca"] == "here/ca.pem" and os.path.exists(tmp_path / "here" / "certs" / "x.test.pem")


def test_without_hosts_there_is_the_authority_alone(trust):
    made = trust.json()
    assert "certificate" not in made
    assert trust.run("--dir", str(trust.dir), "--print").stdout == (trust.dir / "ca.pem").read_text()


def test_the_default_folder(trust, tmp_path):
    trust.env["XDG_DATA_HOME"] = ""
    assert f"{tmp_path}/.local/share/nearedge/ca.pem" in trust.run().stdout
    trust.env["XDG_DATA_HOME"] = str(tmp_path / "data")
    assert f"{tmp_path}/data/nearedge/ca.pem" in trust.run().stdout


@pytest.mark.parametrize("arguments", [("--host", "a b"), ("--host", "http://a.test"), ("-c", "none.json")])
def test_what_is_no_host_is_refused(trust, arguments):
    trust.run("--dir", str(trust.dir), *arguments, code=3)
    assert not trust.dir.exists()


def test_usage(trust):
    assert "exclude each other" in trust.run("--install", "--print", code=2).stderr
    trust.run("operand", code=2)


def fake(trust, name):
    """A program that writes down how it was called."""
    path = trust.folder / "bin" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(f'#!/bin/sh\necho "{name} $*" >>"{trust.folder}/calls"\n')
    path.chmod(0o755)


def calls(trust):
    try:
        return (trust.folder / "calls").read_text().splitlines()
    except OSError:
        return []


def test_install_and_uninstall(trust, tmp_path):
    store = tmp_path / "store"
    store.mkdir()
    profile = tmp_path / ".mozilla" / "firefox" / "abc.default"
    profile.mkdir(parents=True)
    (profile / "cert9.db").write_text("")
    fake(trust, "update-ca-certificates")
    fake(trust, "certutil")
    place = ("--dir", str(trust.dir), "--store", str(store))
    said = trust.run("--install", *place).stderr
    installed = store / "nearedge-local-ca.crt"
    assert installed.read_bytes() == (trust.dir / "ca.pem").read_bytes()
    assert str(installed) in said and "ran       update-ca-certificates" in said
    seen = calls(trust)
    assert "update-ca-certificates " in seen
    assert f"certutil -d sql:{profile} -A -t C,, -n nearedge local CA -i {trust.dir}/ca.pem" in seen
    assert any(f"sql:{tmp_path}/.pki/nssdb -A" in call for call in seen)
    trust.run("--uninstall", *place)
    assert not installed.exists() and (trust.dir / "ca.pem").exists()
    assert f"certutil -d sql:{profile} -D -n nearedge local CA" in calls(trust)[len(seen):]


def test_who_installs_by_sudo_is_told_whose_browsers_those_were(trust, tmp_path):
    fake(trust, "update-ca-certificates")
    fake(trust, "certutil")
    (tmp_path / "store").mkdir()
    place = ("--install", "--dir", str(trust.dir), "--store", str(tmp_path / "store"))
    trust.env["SUDO_USER"] = "ann"
    assert ("yours: the same without sudo" in trust.run(*place).stderr) == (os.geteuid() == 0)


def test_install_says_what_it_could_not_do(trust, tmp_path):
    fake(trust, "update-ca-certificates")
    (trust.folder / "bin" / "update-ca-certificates").write_text("#!/bin/sh\nexit 3\n")
    store = tmp_path / "store"
    store.mkdir()
    said = trust.run("--install", "--dir", str(trust.dir), "--store", str(store), code=1).stderr
    assert "update-ca-certificates failed" in said
    said = trust.run("--install", "--dir", str(trust.dir), "--store", str(tmp_path / "nowhere"), code=1).stderr
    assert "cannot write" in said and "nowhere" in said

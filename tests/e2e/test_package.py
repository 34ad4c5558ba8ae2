# SPDX-License-Identifier: Apache-2.0
"""The Debian package of this build: what is in it, and what it does on a scratch copy of this system."""
import gzip
import json
import os
import re
import shutil
import subprocess

import pytest

from edge.client import fetch
from edge.gateway import BINARY
from edge.scratch import Scratch, Unavailable
from edge.wait import wait_until

CPACK_CONFIG = os.path.join(os.path.dirname(os.path.abspath(BINARY)), "CPackConfig.cmake")
CONFFILES = ["/etc/nearedge/limiters.json", "/etc/nearedge/nearedge.json", "/etc/nearedge/rulesets/cache.json"]
NOBODY = ["setpriv", "--reuid", "10001", "--regid", "10001", "--clear-groups", "--no-new-privs", "--bounding-set", "-all"]


def run(*words, **options):
    done = subprocess.run(words, capture_output=True, text=True, timeout=120, check=False, **options)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    """The path of the .deb."""
    if not os.path.exists(CPACK_CONFIG) or not shutil.which("cpack") or not shutil.which("dpkg-shlibdeps"):
        pytest.skip("no build folder beside the program, or no cpack and dpkg-dev")
    folder = tmp_path_factory.mktemp("package")
    run("cpack", "-G", "DEB", "--config", CPACK_CONFIG, "-B", str(folder))
    found = list(folder.glob("nearedge_*.deb"))
    assert len(found) == 1
    return found[0]


@pytest.fixture(scope="module")
def files(package, tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    run("dpkg-deb", "-x", str(package), str(folder))
    return folder


def field(package, name):
    return run("dpkg-deb", "-f", str(package), name).strip()


def test_control(package):
    version = json.loads(run(BINARY, "version", "--json"))["version"]
    assert field(package, "Version") == version
    assert os.path.basename(package) == f"nearedge_{version}_{field(package, 'Architecture')}.deb"
    depends = field(package, "Depends")
    for library in ("libc6", "libuv1", "libhiredis", "libcjson1", "libpcre2-8-0", "libssl3", "zlib1g", "libbrotli1", "libnghttp2-14"):
        assert re.search(rf"(?:^|[ ,]){re.escape(library)}", depends), depends
    assert run("dpkg-deb", "-I", str(package), "conffiles").split() == CONFFILES


def test_manual_pages_know_every_verb_and_key(files):
    page = gzip.decompress((files / "usr/share/man/man1/nearedge.1.gz").read_bytes()).decode()
    verbs = re.findall(r"^  ([a-z]+) ", run(BINARY, "help"), re.M)
    assert len(verbs) > 10 and re.findall(r"^\.SS nearedge (\w+)$", page, re.M) == verbs
    keys = gzip.decompress((files / "usr/share/man/man5/nearedge.json.5.gz").read_bytes()).decode()
    names = [line.split()[0] for line in run(BINARY, "help", "config").splitlines()]
    assert "limiter.backend" in names and re.findall(r"^\.B (\S+)$", keys, re.M) == names
    for path, word in (("man1/nearedge.1.gz", "--ready-file"), ("man5/nearedge.json.5.gz", "trusted_proxies[]")):
        if shutil.which("man"):
            shown = subprocess.run(["man", "--warnings", "-l", str(files / "usr/share/man" / path)], capture_output=True, text=True,
                                   env={**os.environ, "MANPAGER": "cat", "LC_ALL": "C.UTF-8"}, check=True)
            assert word in shown.stdout and shown.stderr == ""


def test_completion_completes_verbs(files):
    script = files / "usr/share/bash-completion/completions/nearedge"
    ask = f"PATH={os.path.dirname(BINARY)}:$PATH; . {script}; COMP_WORDS=(nearedge he); COMP_CWORD=1; _nearedge; echo ${{COMPREPLY[@]}}"
    assert run("bash", "-c", ask).split() == ["healthcheck", "help"]


def test_default_configuration_is_valid_without_its_environment(files):
    told = run(BINARY, "check", "-c", str(files / "etc/nearedge/nearedge.json"), "--json")
    assert json.loads(told) == {"ok": True, "errors": [], "warnings": []}


@pytest.mark.skipif(not shutil.which("lintian"), reason="no lintian")
def test_lintian_finds_no_error(package):
    run("lintian", "--fail-on", "error", "--allow-root", str(package))


@pytest.fixture
def scratch(package, tmp_path):
    system = Scratch(tmp_path)
    try:
        system.start()
    except Unavailable as why:
        pytest.skip(str(why))
    system.put(package, "/run/nearedge.deb")
    yield system
    system.stop()


def install(system):
    system.run("dpkg", "--no-triggers", "-i", "/run/nearedge.deb")


def serve(system, *prefix):
    """The installed program with its own configuration; only ports and the ready file are ours."""
    out = open(os.path.join(os.path.dirname(system.folder), "served.log"), "wb")
    return subprocess.Popen(
        system.command("env", "NEAREDGE_PORT=0", "NEAREDGE_ADMIN_PORT=0", "NEAREDGE_ORIGIN_PORT=1", *prefix, "nearedge", "run", "-c", "/etc/nearedge/nearedge.json",
                       "--ready-file", "/run/ready.json"), stdin=subprocess.DEVNULL, stdout=out, stderr=out)


def test_installed_it_serves_from_a_read_only_root_as_nobody(scratch):
    install(scratch)
    assert scratch.run("getent", "passwd", "nearedge").stdout.split(":")[5] == "/var/lib/nearedge"
    assert "is valid" in scratch.run("nearedge", "check", "-c", "/etc/nearedge/nearedge.json").stdout
    assert "not-found" not in scratch.run("systemctl", "is-enabled", "nearedge.service").stdout
    assert scratch.run("systemctl", "is-enabled", "nearedge.socket", code=1).stdout == "disabled\n"  # an operator's choice
    scratch.make_read_only()
    scratch.run("touch", "/etc/nearedge/written", code=1)
    process = serve(scratch, *NOBODY)
    try:
        def ready():
            assert process.poll() is None
            return subprocess.run(scratch.command("cat", "/run/ready.json"), capture_output=True, text=True, check=False).stdout

        told = json.loads(wait_until(ready, "the ready file"))
        assert fetch(told["listen"][0], "/page", host="anything.test").status in (521, 502)  # nothing listens on port 1
        healthy = scratch.run("nearedge", "healthcheck", "--admin", told["admin"])
        assert '"ready"' in healthy.stdout
        with open(f"/proc/{told['pid']}/status", encoding="ascii") as file:
            status = file.read()
        assert re.search(r"^Uid:\t10001\t10001", status, re.M) and re.search(r"^CapEff:\t0+$", status, re.M)
        process.terminate()  # nsenter and chroot became the gateway itself
        assert process.wait(40) == 0
    finally:
        process.kill()
        process.wait()


def test_configuration_survives_upgrade_and_removal_but_not_purge(scratch):
    install(scratch)
    scratch.run("sh", "-c", "echo '// mine' >> /etc/nearedge/nearedge.json; mkdir -p /var/lib/nearedge; touch /var/lib/nearedge/ca.pem")
    install(scratch)
    assert "// mine" in scratch.run("cat", "/etc/nearedge/nearedge.json").stdout
    scratch.run("dpkg", "--no-triggers", "-r", "nearedge")
    assert not scratch.has("/usr/bin/nearedge") and not any(
        scratch.has(f"/usr/lib/systemd/system/nearedge.{kind}") for kind in ("service", "socket"))
    for path in [*CONFFILES, "/var/lib/nearedge/ca.pem"]:
        assert scratch.has(path), path
    scratch.run("dpkg", "--no-triggers", "-P", "nearedge")
    assert not scratch.has("/etc/nearedge") and not scratch.has("/var/lib/nearedge")
    assert not scratch.has("/etc/systemd/system/nearedge.service") and not scratch.has("/etc/systemd/system/multi-user.target.wants/nearedge.service")

# SPDX-License-Identifier: Apache-2.0
"""Under a service manager and in a container: what the program tells the one, and the files for both."""
import json
import os
import re
import shutil
import socket
import subprocess

import pytest
import yaml

from edge.gateway import BINARY
from edge.wait import wait_until

ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
UNIT = os.path.join(ROOT, "deploy", "nearedge.service")
DOCKER = os.path.join(ROOT, "deploy", "docker")


def read(*path):
    with open(os.path.join(ROOT, *path), encoding="utf-8") as file:
        return file.read()


class Manager:
    """The receiving end of sd_notify's protocol."""

    def __init__(self, path):
        self.path = str(path)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        self.socket.settimeout(20)

    def next(self):
        return dict(line.split("=", 1) for line in self.socket.recv(4096).decode().split("\n"))


@pytest.fixture
def manager(tmp_path):
    receiver = Manager(tmp_path / "notify")
    yield receiver
    receiver.socket.close()


def test_a_life_as_the_service_manager_hears_it(start, origin, manager):
    gateway = start(origin, env={"NOTIFY_SOCKET": manager.path})
    assert manager.next() == {"READY": "1", "STATUS": "serving"}
    assert gateway.readyz().status == 200  # visitors are served when the manager hears of it

    gateway.hang_up()
    told = manager.next()
    assert told["RELOADING"] == "1" and int(told["MONOTONIC_USEC"]) > 0
    assert manager.next() == {"READY": "1", "STATUS": "serving"}

    gateway.write("nearedge.json", '{"zonse": []}')
    gateway.hang_up()
    assert manager.next()["RELOADING"] == "1"
    told = manager.next()
    assert told["READY"] == "1" and "failed" in told["STATUS"]

    gateway.terminate()
    assert manager.next() == {"STOPPING": "1", "STATUS": "draining"}


def test_a_manager_that_is_gone_stops_nobody(start, origin, tmp_path):
    gateway = start(origin, env={"NOTIFY_SOCKET": str(tmp_path / "nobody")})
    assert gateway.fetch("/").status == 200
    wait_until(lambda: "cannot tell the service manager" in gateway.log(), "the warning")


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="no systemd-analyze")
def test_unit_is_valid_and_hardened(tmp_path):
    copies = [tmp_path / "nearedge.service", tmp_path / "nearedge.socket"]
    for copy in copies:
        copy.write_text(read("deploy", copy.name).replace("/usr/bin/nearedge", os.path.abspath(BINARY)))
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", *map(str, copies)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    done = subprocess.run(["systemd-analyze", "security", "--offline=true", "--no-pager", "--threshold=20", UNIT],
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-300:]


def calls_of(group):
    """The system calls of one of systemd's groups, and of those in it."""
    told = subprocess.run(["systemd-analyze", "syscall-filter", group], capture_output=True, text=True, check=True).stdout
    words = {line.split()[0] for line in told.splitlines() if re.match(r"\s+[@\w]", line)}
    return {word for word in words if word[0] != "@"}.union(*(calls_of(word) for word in words if word[0] == "@"))


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="no systemd-analyze")
def test_unit_lets_through_what_the_program_needs():
    """Its own filter is the list of what it needs, and takes one call to install."""
    literals = re.findall(r'"([a-z_0-9 ]+)"', read("gateway", "seccomp.c"))
    own = {word for text in literals for word in text.split()} & calls_of("@known") | {"seccomp"}
    allowed = set()
    for minus, words in re.findall(r"^SystemCallFilter=(~?)(.*)$", read("deploy", "nearedge.service"), re.M):
        named = set().union(*(calls_of(word) if word[0] == "@" else {word} for word in words.split()))
        allowed = allowed - named if minus else allowed | named
    assert len(own) > 30 and own <= allowed, sorted(own - allowed)


def test_unit_executes_only_what_every_debian_has():
    commands = re.findall(r"^Exec\w+=(\S+)", read("deploy", "nearedge.service"), re.M)
    assert len(commands) == 3 and set(commands) == {"/usr/bin/nearedge", "/bin/sh"}  # /bin/kill is of procps


def test_socket_unit_has_the_addresses_of_the_packaged_configuration():
    configured = [f"127.0.0.1:{port}" for port in re.findall(r'"127\.0\.0\.1:\$\{\w+:-(\d+)\}"', read("deploy", "package", "nearedge.json"))]
    assert len(configured) == 2 and re.findall(r"^ListenStream=(.*)$", read("deploy", "nearedge.socket"), re.M) == configured


def test_unit_waits_longer_than_the_drain():
    longest = int(re.search(r"^TimeoutStopSec=(\d+)$", read("deploy", "nearedge.service"), re.M).group(1))
    told = subprocess.run([BINARY, "help", "config"], capture_output=True, text=True, check=True).stdout
    drain_ms = int(re.search(r"^timeouts\.drain_ms .*\[(\d+)\]", told, re.M).group(1))
    grace = yaml.safe_load(read("deploy", "docker", "compose.yaml"))["services"]["nearedge"]["stop_grace_period"]
    assert longest * 1000 > drain_ms and int(grace.rstrip("s")) * 1000 > drain_ms


# -- containers: what the files say is held against the tree; tests/image.sh builds and runs them


def instructions():
    text = re.sub(r"\\\n\s*", " ", re.sub(r"^\s*#.*\n", "", read("deploy", "docker", "Dockerfile"), flags=re.M))
    return [line.split(None, 1) for line in text.splitlines() if line.strip()]


def test_dockerfile():
    lines = instructions()
    known = {"FROM", "WORKDIR", "COPY", "RUN", "USER", "EXPOSE", "STOPSIGNAL", "HEALTHCHECK", "ENTRYPOINT", "CMD"}
    assert {word for word, _ in lines} == known
    assert [rest for word, rest in lines if word == "FROM"] == ["debian:12-slim AS build", "debian:12-slim"]
    for rest in (rest for word, rest in lines if word == "COPY" and not rest.startswith("--from")):
        assert os.path.exists(os.path.join(ROOT, rest.split()[0])), rest
    last = dict(lines)
    uid = last["USER"].split(":")[0]
    assert uid.isdigit() and int(uid) > 0
    assert last["STOPSIGNAL"] == "SIGTERM" and json.loads(last["ENTRYPOINT"]) == ["nearedge"]
    assert json.loads(last["CMD"])[0] == "run"
    check = json.loads(last["HEALTHCHECK"].split("CMD ", 1)[1])
    assert check[:2] == ["nearedge", "healthcheck"] and check[3] == json.loads(last["CMD"])[2]


def test_dockerfile_builds_as_the_documents_say():
    steps = [step.strip() for word, rest in instructions() if word == "RUN" for step in rest.split("&&")]
    assert "deploy/install-deps.sh" in steps and os.access(os.path.join(ROOT, "deploy", "install-deps.sh"), os.X_OK)
    presets = json.loads(read("CMakePresets.json"))
    assert "cmake --preset release" in steps and "release" in {p["name"] for p in presets["configurePresets"]}
    assert "cmake --build --preset release --target nearedge" in steps and "release" in {p["name"] for p in presets["buildPresets"]}
    folder = next(p for p in presets["configurePresets"] if p["name"] == "base")["binaryDir"].replace("${sourceDir}/", "")
    assert any(step.startswith("cpack ") and folder.replace("${presetName}", "release") in step for step in steps)


def check_config(path, folder, **env):
    done = subprocess.run([BINARY, "check", "-c", path, "--json"], capture_output=True, text=True, cwd=folder, check=False,
                          env={**os.environ, **env})
    return json.loads(done.stdout)


def test_the_container_s_configuration(tmp_path):
    shutil.copytree(os.path.join(ROOT, "deploy", "package"), tmp_path / "etc")  # what the package put beside it
    text = read("deploy", "docker", "nearedge.json").replace("/run/secrets/nearedge_admin_token", str(tmp_path / "token"))
    (tmp_path / "token").write_text("secret")
    (tmp_path / "etc" / "container.json").write_text(text)
    services = yaml.safe_load(read("deploy", "docker", "compose.yaml"))["services"]
    for env in ({}, {"NEAREDGE_BACKEND": services["nearedge"]["environment"]["NEAREDGE_BACKEND"], "NEAREDGE_ORIGIN": "http://host.docker.internal:9000"}):
        said = check_config("container.json", tmp_path / "etc", **env)
        assert (said["ok"], said["errors"]) == (True, [])
        [warning] = said["warnings"]  # true on Docker's network as anywhere, and no reason not to start
        assert "token of the admin listener on *:8081 travels in clear text" in warning["message"]
    assert set(services["nearedge"]["environment"]) <= set(re.findall(r"\$\{(NEAREDGE_\w+)", text))


def test_compose_names_what_is_there():
    compose = yaml.safe_load(read("deploy", "docker", "compose.yaml"))
    services = compose["services"]
    build = services["nearedge"]["build"]
    context = os.path.normpath(os.path.join(DOCKER, build["context"]))
    assert context == ROOT and os.path.exists(os.path.join(context, build["dockerfile"]))
    for service in services.values():
        assert set(service.get("secrets", ())) <= set(compose["secrets"])
        assert set(service.get("depends_on", ())) <= set(services)
        for volume in service.get("volumes", ()):
            assert os.path.exists(os.path.join(DOCKER, volume.split(":")[0])), volume
    exposed = set(next(rest for word, rest in instructions() if word == "EXPOSE").split())
    assert {port.split(":")[-1] for port in services["nearedge"]["ports"]} == exposed
    ignored = read("deploy", "docker", "Dockerfile.dockerignore").split()
    for secret in compose["secrets"].values():  # no secret in the layers and caches of a build
        assert os.path.relpath(os.path.join(DOCKER, secret["file"]), ROOT) in ignored
    assert services["nearedge"]["read_only"] and services["nearedge"]["cap_drop"] == ["ALL"]
    assert services["redis"]["healthcheck"]["test"][0] == "CMD"  # "service_healthy" needs one


@pytest.mark.skipif(not shutil.which("promtool"), reason="no promtool")
def test_prometheus_in_its_container(tmp_path):
    """Rules and the secret are where compose.yaml mounts them."""
    text = read("deploy", "docker", "prometheus.yml")
    assert "/run/secrets/nearedge_admin_token" in text
    (tmp_path / "token").write_text("x")
    (tmp_path / "prometheus.yml").write_text(text.replace("/run/secrets/nearedge_admin_token", str(tmp_path / "token")))
    shutil.copy(os.path.join(ROOT, "deploy", "prometheus", "rules.yml"), tmp_path)
    done = subprocess.run(["promtool", "check", "config", str(tmp_path / "prometheus.yml")], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.skipif(not shutil.which("shellcheck"), reason="no shellcheck")
def test_shell_scripts_are_clean():
    scripts = [os.path.join(ROOT, "deploy", *parts) for parts in (
        ("install-deps.sh",), ("quickstart.sh",), ("man", "make-pages.sh"), ("package", "postinst"), ("package", "prerm"), ("package", "postrm"))]
    scripts += [os.path.join(ROOT, "tests", name) for name in ("image.sh", "systemd.sh")]
    done = subprocess.run(["shellcheck", "-x", "-S", "warning", *scripts], capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stdout

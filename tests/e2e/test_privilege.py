# SPDX-License-Identifier: Apache-2.0
"""Root becomes a user for good; system calls are filtered; a file system that cannot be written is enough."""
import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile

import pytest

from edge import Gateway, Reply, wait_until
from edge.api import Api
from edge.gateway import BINARY, make_config
from edge.tls import TlsClient, trust

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
NOBODY = pwd.getpwnam("nobody")
# The leak check traces its own process, which one that is not dumpable and one under the filter refuse.
NO_LEAK_CHECK = {"ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"}
ENTRYPOINT = "/rulesets/phases/http_request_cache_settings/entrypoint"


@pytest.fixture
def folder():
    """One that nobody owns and can reach, unlike pytest's own."""
    path = tempfile.mkdtemp(prefix="nearedge-user-")
    os.chown(path, NOBODY.pw_uid, NOBODY.pw_gid)
    os.chmod(path, 0o755)
    yield path
    shutil.rmtree(path)


def low_port():
    for port in range(1023, 600, -1):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    return pytest.skip("no port below 1024 is free")


def status_of_threads(pid):
    """Of each thread: {field: value} of its /proc status."""
    found = []
    for thread in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{thread}/status", encoding="ascii") as file:
            found.append(dict(line.rstrip("\n").split(":\t", 1) for line in file))
    return found


@pytest.fixture
def dropped(folder, origin):
    """begin(user=…, …): a gateway that root starts on a port below 1024."""
    running = []

    def begin(**top):
        gateway = Gateway(folder, make_config(origin, listen=[f"127.0.0.1:{low_port()}"], workers=2, **top), env=NO_LEAK_CHECK)
        running.append(gateway)
        return gateway.start()

    yield begin
    for gateway in running:
        gateway.stop()


@as_root
def test_every_thread_is_the_user_for_good(dropped):
    gateway = dropped(user="nobody")
    assert gateway.fetch("/").status == 200
    threads = status_of_threads(gateway.pid)
    assert len(threads) >= 3
    for thread in threads:
        assert thread["Uid"].split() == [str(NOBODY.pw_uid)] * 4 and thread["Gid"].split() == [str(NOBODY.pw_gid)] * 4
        assert set(thread["Groups"].split()) <= {str(NOBODY.pw_gid)}
        assert {int(thread[name], 16) for name in ("CapInh", "CapPrm", "CapEff", "CapAmb")} == {0}
        assert thread["NoNewPrivs"] == "1"
    assert os.stat(f"/proc/{gateway.pid}/mem").st_uid == 0  # not dumpable: closed to others of this user
    assert gateway.metric("process_open_fds") > 5


@as_root
def test_a_group_of_its_own_and_no_other(dropped):
    gateway = dropped(user="nobody:1")
    assert {(t["Gid"].split()[1], t["Groups"].strip()) for t in status_of_threads(gateway.pid)} == {("1", "")}


@as_root
def test_logs_belong_to_the_user_and_are_reopened(dropped):
    gateway = dropped(user="nobody", log={"access": "access.log"})
    gateway.fetch("/before")
    wait_until(lambda: "/before" in gateway.access_text("access.log"), "the first line")
    assert os.stat(gateway.path("access.log")).st_uid == NOBODY.pw_uid
    os.rename(gateway.path("access.log"), gateway.path("access.log.1"))
    gateway.signal(signal.SIGUSR1)
    wait_until(lambda: os.path.exists(gateway.path("access.log")), "the new file")
    gateway.fetch("/after")
    wait_until(lambda: "/after" in gateway.access_text("access.log"), "the line after")


@as_root
def test_standard_output_stays_after_reload_and_usr1(dropped):
    gateway = dropped(user="nobody")
    gateway.hang_up()
    wait_until(lambda: "configuration reloaded" in gateway.log(), "the reload")
    gateway.signal(signal.SIGUSR1)
    gateway.fetch("/page")
    gateway.logged(ClientRequestURI="/page")
    assert "access_log_open" not in gateway.log()


@as_root
def test_what_the_user_cannot_read_is_said_at_start(dropped, folder):
    made = trust(folder, "www.example.test")  # keys are for their owner only
    os.chmod(os.path.join(folder, "certs"), 0o755)
    tls = {"address": "127.0.0.1:0", "edge": "FRA", "tls": made.tls("www.example.test")}
    gateway = Gateway(folder, make_config("http://127.0.0.1:1", listen=[tls], user="nobody"), env=NO_LEAK_CHECK).start()
    try:
        assert "reloads will fail: user=nobody" in gateway.log() and "Permission denied" in gateway.log()
        gateway.hang_up()
        wait_until(lambda: "reload failed" in gateway.log(), "the reload")
    finally:
        gateway.stop()


@as_root
def test_root_without_a_user_is_warned(start, origin):
    assert "runs as root: name an ordinary user" in start(origin).log()


@as_root
def test_who_is_not_root_cannot_become_anybody(folder, origin):
    gateway = Gateway(folder, make_config(origin, user="daemon"), env=NO_LEAK_CHECK)
    gateway.runner = ["setpriv", "--reuid", "nobody", "--clear-groups", *gateway.runner]
    gateway.start()
    try:
        assert "only root can become user=daemon" in gateway.log()
        assert gateway.fetch("/").status == 200
    finally:
        gateway.stop()


@pytest.mark.parametrize("user, says", [
    ("no-such-user", "there is no such user"), ("nobody:no-such-group", "there is no such group"),
    ("root", "root is who the process ceases to be"), ("4294967294", "belongs to no user"),
    ("a:b:c", 'write "NAME" or "NAME:GROUP"'), ("", "empty"), ("-x", 'is no user')])
def test_a_wrong_user_ends_the_start_with_its_place(tmp_path, user, says):
    gateway = Gateway(tmp_path, make_config("http://127.0.0.1:1", user=user))
    gateway.write_config(gateway.config)
    done = subprocess.run([BINARY, "run", "-c", "nearedge.json"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 3 and says in done.stderr, done.stderr
    assert done.stderr.startswith("nearedge.json:") and f'"user": "{user}"' in done.stderr


@pytest.mark.parametrize("options, code, says", [
    (["--user", "no-such-user"], 3, "--user no-such-user: there is no such user"), (["--seccomp=maybe"], 2, '"deny" or "kill"')])
def test_wrong_options(tmp_path, options, code, says):
    gateway = Gateway(tmp_path, make_config("http://127.0.0.1:1"))
    gateway.write_config(gateway.config)
    done = subprocess.run([BINARY, "run", "-c", "nearedge.json", *options], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == code and says in done.stderr, done.stderr


def use_all_of_it(gateway, origin, made):
    """Proxy, cache, counters in Redis, TLS, an API write with its file, reload, log files."""
    origin.default = Reply("x", cache_control="max-age=600")
    assert [gateway.fetch("/a.css").get("CF-Cache-Status") for _ in range(2)] == ["MISS", "HIT"]
    assert gateway.fetch("/page", "POST", body=b"y" * 100000).status == 200
    assert [gateway.fetch("/few").status for _ in range(3)] == [200, 200, 429]
    with TlsClient(gateway.listen[1], made.context()) as client:
        assert client.request("GET", "/a.css", host="www.example.test").read().status == 200
    rule = {"expression": "true", "action": "set_cache_settings", "action_parameters": {"cache": False}}
    Api(gateway).put(ENTRYPOINT, {"rules": [rule]})
    with open(gateway.path("rulesets/cache.json"), encoding="utf-8") as file:
        assert len(json.load(file)["rules"]) == 1
    gateway.hang_up()
    wait_until(lambda: "configuration reloaded" in gateway.log(), "the reload")
    os.rename(gateway.path("access.log"), gateway.path("access.log.1"))
    gateway.signal(signal.SIGUSR1)
    wait_until(lambda: os.path.exists(gateway.path("access.log")), "the new log")
    assert gateway.fetch("/a.css").get("CF-Cache-Status") in ("DYNAMIC", "BYPASS")
    wait_until(lambda: "/a.css" in gateway.access_text("access.log"), "a line in the new log")
    assert gateway.metric("process_open_fds") > 5


def everything(gateway, origin, redis, made, **top):
    few = {"name": "few", "limit": 2, "window_ms": 60000, "store": "durable_object", "key": "${ip}"}
    limiters = gateway.write("limiters.json", {"limiters": [few], "routes": [{"path": "/few", "limiter": "few"}]})
    rules = gateway.write("rulesets/cache.json", {"phase": "http_request_cache_settings", "kind": "zone", "rules": []})
    plain = {"address": "127.0.0.1:0", "edge": "FRA"}
    gateway.config = make_config(
        origin.url.replace("127.0.0.1", "localhost"),  # a name: the resolver's threads and sockets
        {"limiters": limiters, "rulesets": [rules]}, listen=[plain, {**plain, "tls": made.tls("www.example.test")}], workers=2,
        limiter={"backend": redis.url}, admin={"address": "127.0.0.1:0", "persist": True}, log={"access": "access.log"}, **top)
    return gateway


@pytest.fixture
def made(tmp_path):
    return trust(tmp_path / "authority", "www.example.test")


def test_all_of_it_under_the_filter(tmp_path, origin, redis, made):
    gateway = everything(Gateway(tmp_path / "gateway", env=NO_LEAK_CHECK), origin, redis, made, seccomp=True, seccomp_action="kill")
    gateway.start()
    try:
        use_all_of_it(gateway, origin, made)
        assert {thread["Seccomp"] for thread in status_of_threads(gateway.pid)} == {"2"}
        assert "system calls are filtered action=kill" in gateway.log()
    finally:
        gateway.stop()


@as_root
def test_a_read_only_root_is_enough(origin, redis, made):
    """All that is written lies in the gateway's own folder, on another file system."""
    if os.stat("/dev/shm").st_dev == os.stat("/").st_dev:
        pytest.skip("/dev/shm is no file system of its own")
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        gateway = everything(Gateway(folder, env=NO_LEAK_CHECK), origin, redis, made)
        script = 'mount -o remount,bind,ro / && ! touch /tmp/nearedge-is-read-only 2>&1 && exec "$@"'
        gateway.runner = ["unshare", "--mount", "sh", "-c", script, "sh", *gateway.runner]
        gateway.start()
        try:
            use_all_of_it(gateway, origin, made)
        finally:
            gateway.stop()

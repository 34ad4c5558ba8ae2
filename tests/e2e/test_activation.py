# SPDX-License-Identifier: Apache-2.0
"""Sockets that a service manager holds open: whom they serve, who shares them, what stays when the gateway goes."""
import os
import socket
import subprocess
import sys

import pytest

from edge import Reply, wait_until
from edge.client import RawClient, fetch
from edge.gateway import BINARY

# What systemd does between fork and exec: descriptors from 3 on, and the process id that only the child knows.
BECOME = """
import fcntl, os, sys
high = [fcntl.fcntl(int(fd), fcntl.F_DUPFD, 100) for fd in sys.argv[1].split(",")]
for number, fd in enumerate(high):
    os.dup2(fd, 3 + number)
    os.close(fd)
for fd in range(3 + len(high), 100):
    try:
        os.close(fd)
    except OSError:
        pass
os.environ.update(LISTEN_PID=str(os.getpid() + int(sys.argv[2])), LISTEN_FDS=str(len(high)), LISTEN_FDNAMES="web")
os.execv(sys.argv[3], sys.argv[3:])
"""


class Manager:
    """Holds listening sockets and starts gateways with them."""

    def __init__(self):
        self.sockets = []

    def listen(self, address="127.0.0.1:0"):
        """The bound address."""
        sock = socket.socket(socket.AF_UNIX if address.startswith("unix:") else socket.AF_INET)
        self.sockets.append(sock)
        if address.startswith("unix:"):
            sock.bind(address[5:])
        else:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            host, port = address.rsplit(":", 1)
            sock.bind((host, int(port)))
            address = "{}:{}".format(*sock.getsockname())
        sock.listen(50)
        return address

    def wrapper(self, off=0):
        numbers = [sock.fileno() for sock in self.sockets]
        return [sys.executable, "-S", "-c", BECOME, ",".join(map(str, numbers)), str(off)], numbers

    def pass_to(self, gateway, off=0):
        """`off` spoils the process id."""
        gateway.runner, gateway.pass_fds = self.wrapper(off)
        return gateway


@pytest.fixture
def manager():
    holder = Manager()
    yield holder
    for sock in holder.sockets:
        sock.close()


def listeners(*addresses):
    return [{"address": address, "edge": "FRA"} for address in addresses]


def ask(address):
    return RawClient(address.removeprefix("unix:")).request("GET", "/")


def test_visitors_wait_for_the_gateway_and_outlive_it(start, origin, manager, tmp_path):
    origin.default = Reply("here")
    web, admin, path = manager.listen(), manager.listen(), manager.listen(f"unix:{tmp_path}/edge.sock")
    gateway = manager.pass_to(start.prepare(origin, listen=listeners(web, path), admin={"address": admin}, workers=2))
    early = [ask(address) for address in (web, path, web)]
    gateway.start()
    assert (gateway.listen, gateway.admin) == ([web, path], admin)
    for client in early:
        assert client.read().body == b"here"
    for _ in range(20):
        assert fetch(web, "/", host="www.example.test").status == 200
    assert gateway.readyz().status == 200
    assert f"listening on passed sockets address={web} sockets=1 workers=2" in gateway.log()
    assert "passed socket is closed" not in gateway.log()

    gateway.kill()
    between = [ask(address) for address in (web, path)]  # nobody is refused
    gateway.expected_exit = {0}
    os.unlink(gateway.path("ready.json"))
    gateway.start()
    for client in between:
        assert client.read().body == b"here"
    gateway.terminate()
    assert gateway.wait() == 0
    ask(path)  # the path is the manager's: an orderly end leaves it, too


def test_a_queue_for_each_worker(start, origin, manager):
    web = manager.listen()
    assert manager.listen(web) == web
    gateway = manager.pass_to(start.prepare(origin, listen=listeners(web), workers=2)).start()
    for _ in range(30):  # the kernel spreads them over both queues
        assert gateway.fetch("/").status == 200
    assert f"address={web} sockets=2 workers=2" in gateway.log()


def test_a_queue_that_nobody_would_look_into_is_refused(start, origin, manager):
    web = manager.listen()
    manager.listen(web)
    gateway = start.prepare(origin, listen=listeners(web), workers=1)
    gateway.write_config(gateway.config)
    words, fds = manager.wrapper()
    ran = subprocess.run([*words, BINARY, "run", "-c", gateway.path("nearedge.json")], pass_fds=fds, capture_output=True, text=True,
                         timeout=30, check=False)
    assert ran.returncode == 1 and f"cannot listen on {web}: 2 sockets are passed for 1 workers" in ran.stderr


def test_a_socket_of_no_listener_is_closed(start, origin, manager):
    stray = manager.listen()
    gateway = manager.pass_to(start.prepare(origin)).start()
    assert gateway.fetch("/").status == 200 and gateway.listen[0] != stray
    wait_until(lambda: f"passed socket is closed descriptor=3 name=web address={stray}: neither" in gateway.log(), "the warning")
    manager.sockets[0].close()
    with pytest.raises(ConnectionRefusedError):
        RawClient(stray)  # no copy is left in the gateway


def test_sockets_of_another_process_are_left_alone(start, origin, manager):
    manager.listen()
    gateway = manager.pass_to(start.prepare(origin), off=1).start()
    assert gateway.fetch("/").status == 200 and "passed socket" not in gateway.log()

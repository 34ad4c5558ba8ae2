# SPDX-License-Identifier: Apache-2.0
"""A redis-server of our own on a Unix socket in a temporary folder; only its process is stopped."""
import os
import shlex
import socket
import subprocess

from .wait import wait_until


def talk(connection, *words):
    """One command; the raw text of a simple, bulk or integer answer, arrays as lists."""
    parts = [str(word).encode() for word in words]
    connection.sendall(b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts))
    return _answer(connection.makefile("rb"))


def _answer(stream):
    line = stream.readline().rstrip(b"\r\n").decode()
    kind, rest = line[:1], line[1:]
    if kind == "$":
        return None if rest == "-1" else stream.read(int(rest) + 2)[:-2].decode("latin-1")
    if kind == "*":
        return [_answer(stream) for _ in range(int(rest))]
    assert kind and kind != "-", line
    return rest


class Redis:
    def __init__(self, folder):
        self.folder = str(folder)
        self.socket_path = os.path.join(self.folder, "redis.sock")
        self.process = None

    @property
    def url(self):
        return f"redis+unix://{self.socket_path}?db=0"

    def start(self):
        self.process = subprocess.Popen(
            ["redis-server", "--port", "0", "--unixsocket", self.socket_path, "--dir", self.folder,
             "--save", "", "--appendonly", "no"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(self._answers, "redis-server")
        return self

    def _answers(self):
        try:
            return self.command("PING") == "PONG"
        except OSError:
            return False

    def command(self, *words):
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(10)
            connection.connect(self.socket_path)
            return talk(connection, *words)

    def session(self, *lines):
        """Several commands on one connection, each a line as for redis-cli; the last one's answer."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(10)
            connection.connect(self.socket_path)
            return [talk(connection, *shlex.split(line)) for line in lines][-1]

    def keys(self):
        return self.command("KEYS", "*")

    def stop(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None
            if os.path.exists(self.socket_path):
                os.unlink(self.socket_path)

# SPDX-License-Identifier: Apache-2.0
"""Clients that mean no good, and one that only wants its answers: each a process of its own, so that what one costs
does not slow the other down inside Python.

    python3 -m edge.attack NAME ADDRESS COUNT     attacks until its standard input is closed
    python3 -m edge.attack probe ADDRESS RATE     asks so often a second; prints its latencies in milliseconds

Both print "ready" once they are under way."""
import contextlib
import json
import os
import select
import socket
import struct
import subprocess
import sys
import threading
import time

HEAD = b"Host: www.example.test\r\n"
BUFFER = 4096


def connect(address, receive_buffer=None):
    host, port = address.rsplit(":", 1)
    sock = socket.socket()
    if receive_buffer:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    sock.settimeout(20)
    sock.connect((host, int(port)))
    return sock


def go_first(thread):
    """What is measured runs whenever it can. A real-time class, because niceness ends at the border of a session."""
    with contextlib.suppress(PermissionError):
        os.sched_setscheduler(thread, os.SCHED_RR, os.sched_param(1))


# ---- attackers: each yields after a round, and is closed in the end

def drip(address, count, first, byte):
    """Connections that say a little, again and again; those that the gateway ends are opened anew."""
    sockets = []
    while True:
        while len(sockets) < count:
            sock = connect(address)
            sock.sendall(first)
            sock.setblocking(False)
            sockets.append(sock)
        alive = []
        for sock in sockets:
            try:
                sock.send(byte)
                alive.append(sock)
            except OSError:
                sock.close()
        sockets = alive
        yield
        time.sleep(0.2)


def slow_head(address, count):
    return drip(address, count, b"GET / HTTP/1.1\r\n" + HEAD + b"X-Slow: ", b"a")


def slow_body(address, count):
    return drip(address, count, b"POST /slow HTTP/1.1\r\n" + HEAD + b"Content-Length: 1000000\r\n\r\n", b"a")


def slow_reader(address, count):
    """Asks for much and reads nothing; what is not taken must wait at the origin or lie in the cache once."""
    sockets = []
    for number in range(count):
        sock = connect(address, BUFFER)
        sock.sendall(b"GET " + (b"/big.css" if number % 2 else b"/big") + b" HTTP/1.1\r\n" + HEAD + b"\r\n")
        sockets.append(sock)
    while True:
        yield
        time.sleep(0.2)


def fast_reader(address, count):
    """Takes large answers as fast as they come, again and again."""
    sockets = [connect(address) for _ in range(count)]
    sink = memoryview(bytearray(1 << 20))
    request = b"GET /big.css HTTP/1.1\r\n" + HEAD + b"\r\n"
    for sock in sockets:
        sock.sendall(request * 50)
    while True:
        for sock in sockets:
            sock.recv_into(sink)
        yield


def idle(address, count):
    """Connections that had one answer and stay."""
    sockets = []
    for start in range(0, count, 100):
        batch = [connect(address) for _ in range(min(100, count - start))]
        for sock in batch:
            sock.sendall(b"GET /small.css HTTP/1.1\r\n" + HEAD + b"\r\n")
        for sock in batch:
            assert sock.recv(BUFFER).startswith(b"HTTP/1.1 200")
        sockets += batch
    while True:
        yield
        time.sleep(0.2)


def connection_flood(address, count):
    """Opens and resets, so many in a round, as fast as it goes."""
    while True:
        sockets = [connect(address) for _ in range(count)]
        for sock in sockets:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            sock.close()
        yield


def request_flood(address, count):
    """Pipelines of requests on so many connections, answers read and thrown away."""
    request = b"GET /small.css HTTP/1.1\r\n" + HEAD + b"\r\n"
    sockets = [connect(address) for _ in range(count)]
    while True:
        for sock in sockets:
            sock.sendall(request * 20)
        for sock in sockets:
            sock.recv(1 << 18)
        yield


def h2_flood(address, count):
    """As many streams as one connection may have, asked for at once and again and again, with windows that never close."""
    def frame(kind, stream, payload, flags=0):
        return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload

    wide = struct.pack(">I", 1 << 30)
    known = b"\x82\x86" + b"\x04\x0a/small.css" + b"\x01\x10www.example.test"  # nothing of it enters the table
    sockets = [connect(address) for _ in range(count)]
    for sock in sockets:
        sock.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(4, 0, b"\0\4" + wide))
    for stream in range(1, 1 << 30, 200):
        burst = frame(8, 0, struct.pack(">I", 1 << 20)) + b"".join(
            frame(1, number, known, 5) for number in range(stream, stream + 200, 2))
        for sock in sockets:
            sock.sendall(burst)
        for sock in sockets:
            sock.recv(1 << 18)
        yield


def garbage(address, count):
    """What is refused: each costs a connection and an error page."""
    while True:
        for _ in range(count):
            with connect(address) as sock:
                sock.sendall(b"GET / HTTP/1.1\r\nX : y\r\n\r\n")
                while sock.recv(BUFFER):
                    pass
        yield


ATTACKS = {function.__name__: function for function in (
    slow_head, slow_body, slow_reader, fast_reader, idle, connection_flood, request_flood, h2_flood, garbage)}


def probe(address, rate):
    """A patient visitor at a steady rate, half on a kept connection and half on new ones: {"ms": [...]}."""
    if os.getpriority(os.PRIO_PROCESS, 0) > 0:  # a parent that made its attackers polite did not mean the visitor
        go_first(0)
    times, number, kept = [], 0, connect(address)
    while not select.select([sys.stdin], [], [], 1 / rate)[0]:
        began, sock = time.perf_counter(), kept if number % 2 else connect(address)
        sock.sendall(b"GET /probe.css HTTP/1.1\r\n" + HEAD + b"\r\n")
        answer = sock.recv(BUFFER)
        times.append(round((time.perf_counter() - began) * 1000, 3))
        assert answer.startswith(b"HTTP/1.1 200"), answer
        if sock is not kept:
            sock.close()
        number += 1
        if number == 1:
            print("ready", flush=True)
    print(json.dumps({"ms": times}))


def main(name, address, count):
    if name == "probe":
        probe(address, int(count))
        return
    rounds = ATTACKS[name](address, int(count))
    next(rounds)
    print("ready", flush=True)
    done = 1
    while not select.select([sys.stdin], [], [], 0)[0]:
        try:
            next(rounds)
        except OSError:  # refused, reset or kept waiting: an attacker begins anew
            rounds = ATTACKS[name](address, int(count))
        done += 1
    print(json.dumps({"rounds": done}))


# ---- the other side: starting them

class Child:
    def __init__(self, name, address, count):
        folder = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
        self.process = subprocess.Popen([sys.executable, "-m", "edge.attack", name, address, str(count)], cwd=folder,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.timer = threading.Timer(120, self.process.kill)
        self.timer.start()
        assert self.process.stdout.readline() == "ready\n", f"{name} did not get under way"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        """Ends it; what it says then."""
        said, _ = self.process.communicate("\n") if self.process.poll() is None else ("", None)
        self.timer.cancel()
        return json.loads(said) if said else {}


def percentile(times, percent):
    return sorted(times)[min(len(times) - 1, len(times) * percent // 100)]


def latencies(address, seconds, rate=200):
    child = Child("probe", address, rate)
    time.sleep(seconds)
    return child.stop()["ms"]


if __name__ == "__main__":
    main(*sys.argv[1:])

# SPDX-License-Identifier: Apache-2.0
"""Clients that send the same bytes in the same pieces every time, for counting instructions: one request is on its way
at a time (HTTP/2: one batch of ten), so that what the server does never depends on who was faster."""
import re
import socket
import struct

from harness.measure import Failed, careless_context
from harness.peers import HOST

BATCH = 10
BROWSER = {
    "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
    "Accept": "*/*", "Accept-Language": "en-US,en;q=0.5", "Accept-Encoding": "identity", "Referer": f"http://{HOST}/",
    "Cookie": "session=0123456789abcdef0123456789abcdef; theme=dark", "Sec-Fetch-Dest": "script",
    "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Site": "same-origin", "Priority": "u=2",
}


def receive(connection):
    data = connection.recv(1 << 20)
    if not data:
        raise Failed("the server closed the connection")
    return data


def read_answer(connection):
    """(status, length) of one answer whose length is told."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += receive(connection)
    head, _, body = data.partition(b"\r\n\r\n")
    length = re.search(rb"\r\ncontent-length: *(\d+)", head.lower())
    left = (int(length[1]) if length else 0) - len(body)
    while left > 0:
        left -= len(receive(connection))
    return int(head.split()[1])


def send_h1(connection, workload, headers, count):
    text = f"GET {workload.path} HTTP/1.1\r\nHost: {HOST}\r\n"
    text += "".join(f"{name}: {value}\r\n" for name, value in {**workload.headers, **headers}.items())
    for number in range(count):
        connection.sendall(text.encode() + b"\r\n")
        status = read_answer(connection)
        if number > 1 and status != workload.status:  # the first may be a miss or be let through
            raise Failed(f"{workload.name}: status {status}, not {workload.status}")


def frame(kind, flags, stream, payload):
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def field(prefix, text):
    """A literal that enters the table under a name of the static one (RFC 7541 section 6.2.1)."""
    return bytes([prefix, len(text)]) + text.encode()


class Http2:
    """As little of RFC 9113 as a client needs that asks for one thing again and again."""
    DATA, HEADERS, SETTINGS, WINDOW_UPDATE, END_STREAM, END_HEADERS, ACK = 0, 1, 4, 8, 1, 4, 1

    def __init__(self, connection, workload):
        self.connection, self.buffer, self.stream = connection, b"", 1
        # GET and http are in the static table; path and authority are named once and then by number (63, 62).
        self.named = b"\x82\x86" + field(0x44, workload.path) + field(0x41, HOST)
        self.known = b"\x82\x86\xbf\xbe"
        self.opening = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(self.SETTINGS, 0, 0, b"")
        self.received = 0

    def frames(self):
        while True:
            while len(self.buffer) < 9 or len(self.buffer) < 9 + int.from_bytes(self.buffer[:3], "big"):
                self.buffer += receive(self.connection)
            length, kind, flags = int.from_bytes(self.buffer[:3], "big"), self.buffer[3], self.buffer[4]
            self.buffer = self.buffer[9 + length:]
            yield kind, flags, length

    def ask(self, count):
        out, self.opening = self.opening, b""
        for _ in range(count):
            out += frame(self.HEADERS, self.END_STREAM | self.END_HEADERS, self.stream,
                         self.known if self.stream > 1 else self.named)
            self.stream += 2
        if self.received:
            out += frame(self.WINDOW_UPDATE, 0, 0, struct.pack(">I", self.received))
        self.connection.sendall(out)
        self.received = 0
        for kind, flags, length in self.frames():
            if kind == self.DATA:
                self.received += length
            elif kind not in (self.HEADERS, self.SETTINGS, self.WINDOW_UPDATE):
                raise Failed(f"a frame of kind {kind} from the server")
            if kind in (self.DATA, self.HEADERS) and flags & self.END_STREAM:
                count -= 1
                if not count:
                    return


def send(port, workload, count, headers):
    with socket.create_connection(("127.0.0.1", port), 60) as plain:
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if workload.h2:
            client = Http2(plain, workload)
            client.ask(1)
            for _ in range(count // BATCH):
                client.ask(BATCH)
        elif workload.tls:
            with careless_context().wrap_socket(plain) as secret:
                send_h1(secret, workload, headers, count)
        else:
            send_h1(plain, workload, headers, count)

# SPDX-License-Identifier: Apache-2.0
"""A client that shows bytes as they are: no repairs, no retries, no hidden headers.

Responses are parsed strictly, so that a malformed answer of the gateway is a test failure."""
import hashlib
import re
import socket

from .fields import Fields

KEEP_BODY = 8 << 20  # of larger bodies only length and hash are kept


class Truncated(Exception):
    """The peer closed in the middle of a response; .response holds what had come."""

    def __init__(self, response, why):
        super().__init__(why)
        self.response = response


class Response(Fields):
    """One response: status, headers as received, body (decoded from its framing), trailers."""

    def __init__(self, head):
        self.head = head
        lines = head.decode("latin-1").split("\r\n")
        match = re.fullmatch(r"(HTTP/1\.[01]) (\d{3}) ?(.*)", lines[0])
        assert match, f"bad status line: {lines[0]!r}"
        self.version, self.status, self.reason = match.group(1), int(match.group(2)), match.group(3)
        self.headers = []
        for line in lines[1:]:
            name, colon, value = line.partition(":")
            assert colon and re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", name), f"bad header line: {line!r}"
            assert not re.search(r"[\0-\x08\x0a-\x1f\x7f]", value), f"bad header value: {line!r}"
            self.headers.append((name, value.strip(" \t")))
        self.trailers = []
        self.body = b""
        self.length = 0
        self.sha256 = hashlib.sha256()
        self.chunked = False

    @property
    def cache(self):
        return self.get("CF-Cache-Status")

    @property
    def ray(self):
        return self.get("CF-Ray")

    def add_body(self, data):
        self.length += len(data)
        self.sha256.update(data)
        if self.length <= KEEP_BODY:
            self.body += data

    def __repr__(self):
        return f"<{self.status} {dict(self.headers)} {self.body[:200]!r}>"


class RawClient:
    """One connection. `address` is "host:port" or a path of a Unix socket."""

    def __init__(self, address, timeout=20.0, receive_buffer=None):
        if address.startswith("/"):
            self.socket = socket.socket(socket.AF_UNIX)
            target = address
        else:
            host, port = address.rsplit(":", 1)
            self.socket = socket.socket(socket.AF_INET6 if "[" in host else socket.AF_INET)
            target = (host.strip("[]"), int(port))
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(timeout)
        self.socket.connect(target)
        self.buffer = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def reset(self):
        """Closes with RST, as a client that crashed."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.socket.close()

    def half_close(self):
        self.socket.shutdown(socket.SHUT_WR)

    def send(self, data):
        self.socket.sendall(data.encode("latin-1") if isinstance(data, str) else data)
        return self

    def request(self, method, path, headers=(), body=None, host="www.example.test", version="HTTP/1.1"):
        """Sends one request whose only added headers are Host and Content-Length."""
        headers = list(headers.items()) if isinstance(headers, dict) else list(headers)
        names = {name.lower() for name, _ in headers}
        lines = [f"{method} {path} {version}"]
        if host is not None and "host" not in names:
            lines.append(f"Host: {host}")
        if body is not None and not names & {"content-length", "transfer-encoding"}:
            lines.append(f"Content-Length: {len(body)}")
        lines += [f"{name}: {value}" for name, value in headers]
        return self.send("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + (body or b""))

    def receive(self):
        data = self.socket.recv(65536)
        self.buffer += data
        return bool(data)

    def _need(self, condition, response, why):
        while not condition():
            try:
                if not self.receive():
                    raise Truncated(response, why)
            except ConnectionResetError as error:
                raise Truncated(response, f"{why} (reset)") from error

    def take(self, count):
        data, self.buffer = self.buffer[:count], self.buffer[count:]
        return data

    def _line(self, response):
        self._need(lambda: b"\r\n" in self.buffer, response, "closed inside the chunked framing")
        line, self.buffer = self.buffer.split(b"\r\n", 1)
        return line

    def _read_exactly(self, response, count):
        while count > 0:
            self._need(lambda: self.buffer, response, f"closed {count} bytes before the end of the body")
            data = self.take(min(count, len(self.buffer)))
            response.add_body(data)
            count -= len(data)

    def _read_chunked(self, response):
        response.chunked = True
        while True:
            size = int(self._line(response).split(b";")[0], 16)
            if size == 0:
                break
            self._read_exactly(response, size)
            assert self._line(response) == b"", "no CRLF behind a chunk"
        while True:
            line = self._line(response)
            if not line:
                return
            name, _, value = line.decode("latin-1").partition(":")
            response.trailers.append((name, value.strip()))

    def read_head(self):
        """The next response up to the end of its head; the body is left in the stream."""
        self._need(lambda: b"\r\n\r\n" in self.buffer, None, "closed before the head was complete")
        head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        return Response(head)

    def read_body(self, response, method="GET"):
        if method == "HEAD" or response.status < 200 or response.status in (204, 304):
            return response
        if method == "CONNECT" and response.status < 300:
            return response
        codings, length = response.get("Transfer-Encoding"), response.get("Content-Length")
        assert not (codings and length), "both Transfer-Encoding and Content-Length"
        if codings:
            assert codings.lower() == "chunked", f"unexpected coding {codings}"
            self._read_chunked(response)
        elif length is not None:
            self._read_exactly(response, int(length))
        else:
            while self.buffer or self.receive():
                response.add_body(self.take(len(self.buffer)))
        return response

    def read(self, method="GET"):
        """The next response with its body; interim responses come one by one like any other."""
        return self.read_body(self.read_head(), method)

    def read_available(self):
        """What is there or comes first; b"" once the peer has closed."""
        if not self.buffer:
            try:
                self.receive()
            except ConnectionResetError:
                return b""
        return self.take(len(self.buffer))

    def read_to_end(self):
        try:
            while self.receive():
                pass
        except ConnectionResetError:
            pass
        return self.take(len(self.buffer))

    def is_closed(self):
        """True when the peer closes within the timeout without sending anything more."""
        return self.read_available() == b""


def fetch(address, path="/", method="GET", headers=(), body=None, host="www.example.test", **options):
    """One request on a connection of its own; the final response."""
    with RawClient(address, **options) as client:
        client.request(method, path, headers, body, host)
        while True:
            response = client.read(method)
            if response.status >= 200 or response.status == 101:
                return response

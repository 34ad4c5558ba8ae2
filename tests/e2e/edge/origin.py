# SPDX-License-Identifier: Apache-2.0
"""A scripted origin: HTTP/1.1 on plain sockets, one thread a connection, able to misbehave.

A path is answered by a Reply or by a function (request, connection) -> Reply or None, where None
means that the function has done the talking itself with connection.send, .close or .reset. An
`early` function runs when the head has come and reads the body itself (connection.read_body)."""
import hashlib
import socket
import threading

from .fields import Fields

KEEP_BODY = 1 << 20  # of larger request bodies only length and hash are kept


class Reply:
    def __init__(self, body=b"", status=200, headers=None, *, chunked=False, trailers=None,
                 close=False, version="HTTP/1.1", reason="OK", length=None, **named):
        """named: headers by name, `cache_control="max-age=60"`; length: a Content-Length that lies."""
        self.body = body.encode() if isinstance(body, str) else body
        self.status, self.reason, self.version = status, reason, version
        self.headers = list((headers or {}).items()) if isinstance(headers, (dict, type(None))) else list(headers)
        self.headers += [(name.replace("_", "-").title(), value) for name, value in named.items()]
        self.chunked, self.trailers, self.close = chunked, trailers or [], close
        self.length = len(self.body) if length is None else length

    def head(self, request=None):
        lines = [f"{self.version} {self.status} {self.reason}"]
        lines += [f"{name}: {value}" for name, value in self.headers]
        names = {name.lower() for name, _ in self.headers}
        if self.chunked:
            lines.append("Transfer-Encoding: chunked")
        elif self.status >= 200 and self.status not in (204, 304) and "content-length" not in names \
                and self.length != "none":
            lines.append(f"Content-Length: {self.length}")
        if self.close:
            lines.append("Connection: close")
        return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n"

    def bytes(self, request):
        if request.method == "HEAD" or self.status in (204, 304) or self.status < 200:
            return self.head()
        if not self.chunked:
            return self.head() + self.body
        parts = [self.head()]
        middle = max(1, len(self.body) // 2)
        for chunk in (self.body[:middle], self.body[middle:]):
            if chunk:
                parts.append(b"%x\r\n%s\r\n" % (len(chunk), chunk))
        parts.append(b"0\r\n")
        parts += [f"{name}: {value}\r\n".encode() for name, value in self.trailers]
        return b"".join(parts) + b"\r\n"


class Blocks:
    """An answer of many blocks, sent as fast as they are taken; `sent` bytes so far."""

    def __init__(self, block, count):
        self.block, self.length, self.sent = block, count * len(block), 0

    def __call__(self, _request, connection):
        connection.send(Reply(length=self.length).head())
        while self.sent < self.length:
            connection.send(self.block)
            self.sent += len(self.block)


class Request(Fields):
    """What the origin was sent: `raw` is the head byte for byte."""

    def __init__(self, raw, connection_id):
        self.raw, self.connection_id = raw, connection_id
        lines = raw.decode("latin-1").split("\r\n")
        self.method, self.target, self.version = lines[0].split(" ")
        self.headers = []
        for line in lines[1:]:
            name, colon, value = line.partition(":")
            assert colon, f"the origin was sent a bad line: {line!r}"
            self.headers.append((name, value.strip(" \t")))
        self.path, _, self.query = self.target.partition("?")
        self.body, self.length, self.sha256, self.trailers = b"", 0, hashlib.sha256(), []

    def add_body(self, data):
        self.length += len(data)
        self.sha256.update(data)
        if self.length <= KEEP_BODY:
            self.body += data

    def __repr__(self):
        return f"<{self.method} {self.target} {self.headers}>"


class Connection:
    """One accepted connection; handlers talk through it."""

    def __init__(self, origin, sock, number):
        self.origin, self.socket, self.number = origin, sock, number
        self.buffer = b""
        self.closed = False

    def send(self, data):
        self.socket.sendall(data.encode("latin-1") if isinstance(data, str) else data)

    def receive(self):
        data = self.socket.recv(65536)
        self.buffer += data
        return data

    def close(self):
        self.closed = True
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.socket.close()

    def reset(self):
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.closed = True
        self.socket.close()

    def wait_for_close(self):
        """Returns once the gateway has closed its side."""
        try:
            while self.socket.recv(65536):
                pass
        except OSError:
            pass

    def _line(self):
        while b"\r\n" not in self.buffer:
            if not self.receive():
                raise ConnectionError("closed")
        line, self.buffer = self.buffer.split(b"\r\n", 1)
        return line

    def _exactly(self, request, count):
        while count > 0:
            if not self.buffer and not self.receive():
                raise ConnectionError("closed")
            data, self.buffer = self.buffer[:count], self.buffer[count:]
            request.add_body(data)
            count -= len(data)

    def read_head(self):
        while b"\r\n\r\n" not in self.buffer:
            if not self.receive():
                return None
        head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        return Request(head, self.number)

    def read_body(self, request):
        if "chunked" in request.get("Transfer-Encoding", "").lower():
            while True:
                size = int(self._line().split(b";")[0], 16)
                if size == 0:
                    break
                self._exactly(request, size)
                assert self._line() == b""
            while True:
                line = self._line()
                if not line:
                    return
                request.trailers.append(line.decode("latin-1"))
        self._exactly(request, int(request.get("Content-Length", "0")))

    def serve(self):
        try:
            self.socket = self.origin.wrap(self.socket)
            while not self.closed:
                request = self.read_head()
                if request is None:
                    break
                self.answer(request)
        except OSError:
            pass
        except (AssertionError, ValueError) as fault:  # the gateway sent what is no HTTP
            self.origin.faults.append(fault)
        finally:
            self.origin.connections.discard(self)
            self.close()

    def answer(self, request):
        handler, early = self.origin.handler_of(request)
        if early:
            self.origin.record(request)
        else:
            self.read_body(request)
            self.origin.record(request)
        reply = handler(request, self) if callable(handler) else handler
        if reply is None:
            return
        self.send(reply.bytes(request))
        if reply.close or reply.version == "HTTP/1.0" or reply.length == "none" or \
                (not reply.chunked and reply.length != len(reply.body)):
            self.close()


class Origin:
    def __init__(self):
        self.lock = threading.Lock()
        self.requests, self.accepted, self.connections, self.faults = [], 0, set(), []
        self.routes, self.default = {}, Reply("hello from the origin\n", content_type="text/plain")
        self.listener, self.port = None, 0
        self.up()

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    @property
    def url(self):
        return f"http://{self.address}"

    def wrap(self, sock):
        """What a fresh connection is read from and written to: the socket itself, or TLS over it."""
        return sock

    def on(self, path, handler, early=False):
        """The answer for a path (without its query)."""
        self.routes[path] = (handler, early)

    def handler_of(self, request):
        return self.routes.get(request.path, (self.default, False))

    def record(self, request):
        with self.lock:
            self.requests.append(request)

    def seen(self, path=None):
        with self.lock:
            return [r for r in self.requests if path is None or r.path == path]

    def count(self, path=None):
        return len(self.seen(path))

    def last(self, path=None):
        seen = self.seen(path)
        assert seen, f"the origin saw no request for {path or 'anything'}"
        return seen[-1]

    def up(self):
        """Listens, after down() on the same port again."""
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind(("127.0.0.1", self.port))
        self.listener.listen(4096)  # a full queue makes the kernel drop what should be a handshake
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, args=(self.listener,), daemon=True).start()

    def _accept(self, listener):
        while True:
            try:
                sock, _ = listener.accept()
            except OSError:
                return
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self.lock:
                self.accepted += 1
                connection = Connection(self, sock, self.accepted)
                self.connections.add(connection)
            threading.Thread(target=connection.serve, daemon=True).start()

    def down(self):
        """Refuses connections from now on and closes those that exist."""
        try:
            self.listener.shutdown(socket.SHUT_RDWR)  # wakes the accepting thread
        except OSError:
            pass
        self.listener.close()
        self.drop_connections()

    def drop_connections(self):
        with self.lock:
            connections = list(self.connections)
        for connection in connections:
            connection.close()

    def stop(self):
        """Ends it; what the gateway sent must have been HTTP throughout."""
        self.down()
        assert not self.faults, self.faults

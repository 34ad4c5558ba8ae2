# SPDX-License-Identifier: Apache-2.0
"""An HTTP/2 client (prior knowledge) that sends what it is told, wrong or right.

python3-h2 keeps the books of windows and HPACK; its own checks of what is sent are switched off."""
import hashlib
import socket

import h2.config
import h2.connection
import h2.events
import h2.exceptions
import h2.settings

from .fields import Fields

KEEP_BODY = 8 << 20


class Stream(Fields):
    def __init__(self):
        self.status, self.headers, self.informational = None, [], []
        self.body, self.length, self.sha256 = b"", 0, hashlib.sha256()
        self.ended, self.reset = False, None

    @property
    def cache(self):
        return self.get("cf-cache-status")

    @property
    def over(self):
        return self.ended or self.reset is not None

    def __repr__(self):
        return f"<{self.status} {self.headers} {self.body[:100]!r} ended={self.ended} reset={self.reset}>"


class H2Client:
    """One connection. `window`: what a stream may send before the client says more;
    `auto`: windows are given back as the bytes come. `tls`: a client's context, which must offer h2 by ALPN."""

    def __init__(self, address, window=None, auto=True, timeout=20.0, receive_buffer=None, tls=None, name="www.example.test"):
        host, port = address.rsplit(":", 1)
        self.socket = socket.socket()
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(timeout)
        self.socket.connect((host, int(port)))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls:
            self.socket = tls.wrap_socket(self.socket, server_hostname=name)
            assert self.socket.selected_alpn_protocol() == "h2"
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(
            client_side=True, header_encoding="latin-1", validate_outbound_headers=False,
            normalize_outbound_headers=False))
        self.auto, self.streams, self.goaways, self.settled = auto, {}, [], False
        self.closed, self.pings, self.buffer = False, 0, b""
        self.h2.initiate_connection()
        if window is not None:
            self.h2.update_settings({h2.settings.SettingCodes.INITIAL_WINDOW_SIZE: window})
        self.flush()
        self.wait(lambda: self.settled)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def flush(self):
        self.raw(self.h2.data_to_send())

    def raw(self, data):
        try:
            self.socket.sendall(data)
        except OSError:
            self.closed = True

    def request(self, method="GET", path="/", headers=(), body=None, end=True,
                authority="www.example.test", scheme="http"):
        """Begins a stream with these fields; a None leaves the pseudo-field out."""
        pseudo = [(":method", method), (":scheme", scheme), (":authority", authority), (":path", path)]
        fields = [(k, v) for k, v in pseudo if v is not None] + list(headers)
        return self.send_fields(fields, body, end)

    def send_fields(self, fields, body=None, end=True):
        number = self.h2.get_next_available_stream_id()
        self.streams[number] = Stream()
        self.h2.send_headers(number, fields, end_stream=end and body is None)
        self.flush()
        if body is not None:
            self.send_body(number, body, end)
        return number

    def send_body(self, number, data, end=True):
        """All of it, as the windows let it through; stops when the stream is over."""
        stream, data = self.streams[number], memoryview(data)
        while data and not stream.over and not self.closed:
            n = min(len(data), self.h2.local_flow_control_window(number), self.h2.max_outbound_frame_size)
            if n > 0:
                self.h2.send_data(number, bytes(data[:n]))
                self.flush()
                data = data[n:]
            else:
                self.read_once()
        if end and not stream.over:
            self.h2.end_stream(number)
            self.flush()

    def reset(self, number, code=8):
        self.h2.reset_stream(number, code)
        self.flush()

    def read_once(self):
        """One read; False once the peer has closed."""
        try:
            data = self.socket.recv(65536)
        except ConnectionResetError:
            data = b""
        if not data:
            self.closed = True
            return False
        self.buffer += data
        while len(self.buffer) >= 9:  # frame by frame: a GOAWAY is taken before what follows
            end = 9 + int.from_bytes(self.buffer[:3], "big")
            if len(self.buffer) < end:
                break
            one, self.buffer = self.buffer[:end], self.buffer[end:]
            for event in self.h2.receive_data(one):
                self.take(event)
        self.flush()
        return True

    def take(self, event):
        stream = self.streams.get(getattr(event, "stream_id", None))
        if isinstance(event, h2.events.RemoteSettingsChanged):
            self.settled = True
        elif isinstance(event, h2.events.ConnectionTerminated):
            self.goaways.append((int(event.error_code), event.last_stream_id))
            # for python3-h2 that is the end; for who has streams open it is not (RFC 9113 section 6.8)
            self.h2.state_machine.state = h2.connection.ConnectionState.CLIENT_OPEN
        elif isinstance(event, h2.events.PingAckReceived):
            self.pings += 1
        elif stream is None:
            return
        elif isinstance(event, h2.events.InformationalResponseReceived):
            self.informational(stream, event.headers)
        elif isinstance(event, h2.events.ResponseReceived):
            stream.status = int(event.headers[0][1])
            stream.headers = event.headers[1:]
        elif isinstance(event, h2.events.DataReceived):
            self.data(stream, event)
        elif isinstance(event, h2.events.StreamEnded):
            stream.ended = True
        elif isinstance(event, h2.events.StreamReset):
            stream.reset = int(event.error_code)

    @staticmethod
    def informational(stream, headers):
        stream.informational.append((int(headers[0][1]), headers[1:]))

    def data(self, stream, event):
        stream.length += len(event.data)
        stream.sha256.update(event.data)
        if stream.length <= KEEP_BODY:
            stream.body += event.data
        if self.auto and event.flow_controlled_length:
            self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)

    def wait(self, condition):
        """Reads until the condition holds or the peer closes; whether it holds."""
        while not condition():
            if self.closed or not self.read_once():
                return bool(condition())
        return True

    def response(self, number):
        stream = self.streams[number]
        self.wait(lambda: stream.over)
        return stream

    def fetch(self, *args, **options):
        return self.response(self.request(*args, **options))

    def read_to_end(self):
        while not self.closed and self.read_once():
            pass


def frame(kind, flags, stream, payload=b""):
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload


def fetch_h2(address, path="/", method="GET", headers=(), body=None):
    """As client.fetch, by HTTP/2."""
    fields = headers.items() if isinstance(headers, dict) else headers
    with H2Client(address) as client:
        return client.fetch(method, path, [(k.lower(), v) for k, v in fields], body)

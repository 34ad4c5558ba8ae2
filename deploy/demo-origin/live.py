# SPDX-License-Identifier: Apache-2.0
"""What stays open: a WebSocket that says everything back (RFC 6455), and a counter of events."""
import base64
import hashlib
import socket
import struct
import time

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455 section 1.3
FRAME_MAX = 1 << 20
TEXT, BINARY, CONTINUATION, CLOSE, PING, PONG = 1, 2, 0, 8, 9, 10
FINAL, CONTROL = 0x80, 0x08
PROTOCOL_ERROR, TOO_BIG = 1002, 1009
TICK_S = 0.25


def accept_key(key):
    return base64.b64encode(hashlib.sha1(key.encode("latin-1") + GUID).digest()).decode()


def is_websocket(headers):
    return "websocket" in headers.get("Upgrade", "").lower() and "upgrade" in headers.get("Connection", "").lower() \
        and headers.get("Sec-WebSocket-Version") == "13" and "Sec-WebSocket-Key" in headers


class Broken(Exception):
    """What a client sent is no frame for us; .args[0] is the code to close with."""


def read_exactly(stream, count):
    data = stream.read(count)
    if len(data) < count:
        raise EOFError
    return data


def read_frame(stream):
    """(first byte, payload unmasked)"""
    first, second = read_exactly(stream, 2)
    length = second & 127
    if length >= 126:
        length, = struct.unpack(">H" if length == 126 else ">Q", read_exactly(stream, 2 if length == 126 else 8))
    is_bad_control = first & CONTROL and (length > 125 or not first & FINAL)
    if is_bad_control or not second & 128 or first & 0x70:  # or unmasked, or of an extension that nobody agreed on
        raise Broken(PROTOCOL_ERROR)
    if length > FRAME_MAX:
        raise Broken(TOO_BIG)
    mask = read_exactly(stream, 4)
    data = read_exactly(stream, length)
    whole = (mask * (length // 4 + 1))[:length]
    return first, (int.from_bytes(data, "big") ^ int.from_bytes(whole, "big")).to_bytes(length, "big")


def frame(first, payload):
    length = len(payload)
    if length < 126:
        return struct.pack(">BB", first, length) + payload
    return (struct.pack(">BBH", first, 126, length) if length < 1 << 16 else struct.pack(">BBQ", first, 127, length)) + payload


def leave(handler):
    """Reads on until the other side has gone: closing on unread bytes is a reset, which would overtake the close frame."""
    handler.connection.settimeout(5)
    handler.connection.shutdown(socket.SHUT_WR)
    while handler.rfile.read1(65536):
        pass


def echo(handler):
    """Says each frame back as it comes, so that messages in parts come back in parts."""
    handler.send_response(101)
    for name, value in (("Upgrade", "websocket"), ("Connection", "Upgrade"),
                        ("Sec-WebSocket-Accept", accept_key(handler.headers["Sec-WebSocket-Key"]))):
        handler.send_header(name, value)
    handler.end_headers()
    handler.close_connection = True
    handler.connection.settimeout(None)  # silence is no reason to leave
    handler.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        while True:
            first, payload = read_frame(handler.rfile)
            kind = first & 15
            if kind not in (TEXT, BINARY, CONTINUATION, CLOSE, PING, PONG):
                raise Broken(PROTOCOL_ERROR)
            if kind != PONG:
                handler.wfile.write(frame(FINAL | PONG if kind == PING else first, payload))
            if kind == CLOSE:
                return
    except Broken as broken:
        handler.wfile.write(frame(FINAL | CLOSE, struct.pack(">H", broken.args[0])))
        leave(handler)
    except EOFError:
        pass


def count(handler):
    """One event a tick, on from the one that a client heard last, until it leaves."""
    last = handler.headers.get("Last-Event-ID", "")
    number = int(last) if last.isdigit() and len(last) < 12 else 0
    handler.send_response(200)
    for name, value in (("Content-Type", "text/event-stream"), ("Cache-Control", "no-store"), ("Connection", "close")):
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(b"retry: 500\n\n")
    while True:
        number += 1
        handler.wfile.write(b"id: %d\ndata: %d\n\n" % (number, number))
        time.sleep(TICK_S)

#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Sends what quickstart.sh tells a visitor to try, and compares: check.py HOST:PORT TLS_HOST:PORT CA_FILE."""
import http.client
import ssl
import sys
from collections import Counter

from live import FINAL, TEXT, accept_key, frame, read_exactly

HOST, STAGING = "ci.hub-evolution.com", "staging.hub-evolution.com"
GENERATE = "/api/ai-image/generate"
EXPECTED = [  # what, path, headers, CF-Cache-Status
    ("first request of a static file", "/styles.css", {}, "MISS"),
    ("the same once more", "/styles.css", {}, "HIT"),
    ("manual bypass", "/styles.css?__no_cache=1", {}, "DYNAMIC"),
    ("with a session cookie", "/styles.css", {"Cookie": "session_id=demo"}, "DYNAMIC"),
    ("an API route", "/api/health", {}, "DYNAMIC"),
]
BURST, ADMITTED = 20, 15


def ask(address, path, method="GET", headers=None, body=None):
    connection = http.client.HTTPConnection(address, timeout=20)
    try:
        connection.request(method, path, body, {"Host": HOST, **(headers or {})})
        response = connection.getresponse()
        response.read()
        return response
    finally:
        connection.close()


def row(what, expected, seen, good):
    print(f"{'ok  ' if good else 'FAIL'}  {what:<34} {expected:<24} {seen}")
    return good


def check_cache(address):
    good = True
    for what, path, headers, wanted in EXPECTED:
        response = ask(address, path, headers=headers)
        status = response.headers.get("CF-Cache-Status", "no CF-Cache-Status")
        good &= row(what, f"200 {wanted}", f"{response.status} {status}", (response.status, status) == (200, wanted))
    return good


class ByName(http.client.HTTPSConnection):
    """Connects to an address and asks for a host, as with a line in /etc/hosts."""

    def __init__(self, address, ca, name):
        super().__init__(address, timeout=20, context=ssl.create_default_context(cafile=ca))
        self.name = name

    def connect(self):
        http.client.HTTPConnection.connect(self)
        self.sock = self._context.wrap_socket(self.sock, server_hostname=self.name)

    def ask(self, path, **headers):
        self.request("GET", path, headers={"Host": self.name, **headers})
        return self.getresponse()


def style_sheet(connection):
    response = connection.ask("/styles.css")
    response.read()
    return f"{response.status} {response.headers.get('CF-Cache-Status')}"


def page(connection):
    response = connection.ask("/")
    return f"{response.status} {'Demo origin' if b'<title>Demo origin</title>' in response.read() else 'something else'}"


def websocket(connection):
    """A frame of text there and back; the key is RFC 6455's example, and a mask of zeros is one."""
    key, mask = "dGhlIHNhbXBsZSBub25jZQ==", bytes(4)
    connection.putrequest("GET", "/live/echo", skip_host=True)
    for name, value in {"Host": connection.name, "Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13",
                        "Sec-WebSocket-Key": key, "Origin": f"https://{connection.name}"}.items():
        connection.putheader(name, value)
    connection.endheaders()
    stream = connection.sock.makefile("rb")
    status = stream.readline().split()[1].decode()
    heads = b"".join(iter(stream.readline, b"\r\n")).decode()
    if f"Sec-WebSocket-Accept: {accept_key(key)}" not in heads:
        return f"{status} without its key"
    said = frame(FINAL | TEXT, b"hello")
    connection.sock.sendall(said[:1] + bytes([said[1] | 0x80]) + mask + said[2:])
    return f"{status} {read_exactly(stream, len(said))[2:].decode()}"


def events(connection):
    response = connection.ask("/live/counter", Accept="text/event-stream")
    numbers = []
    while len(numbers) < 3:
        line = response.readline()
        if not line:
            break
        if line.startswith(b"data: "):
            numbers.append(line[6:].strip().decode())
    return f"{response.status} {' '.join(numbers)}"


BY_HTTPS = [  # what, host, how, what it says
    ("the style sheet by https", HOST, style_sheet, "200 HIT"),
    ("staging's page by https", STAGING, page, "200 Demo origin"),
    ("a WebSocket by https", STAGING, websocket, "101 hello"),
    ("three events by https", STAGING, events, "200 1 2 3"),
]


def check_https(address, ca):
    good = True
    for what, name, how, wanted in BY_HTTPS:
        connection = ByName(address, ca, name)
        try:
            seen = how(connection)
        except (OSError, EOFError, http.client.HTTPException) as error:
            seen = str(error) or type(error).__name__
        finally:
            connection.close()
        good &= row(what, wanted, seen, seen == wanted)
    return good


def check_burst(address):
    responses = [ask(address, GENERATE, "POST", {"Content-Type": "application/json"}, b"{}") for _ in range(BURST)]
    counts = Counter(response.status for response in responses)
    waits = [response.headers.get("Retry-After", "") for response in responses if response.status == 429]
    seen = ", ".join(f"{count} x {status}" for status, count in sorted(counts.items()))
    good = row(f"{BURST} POSTs in a burst", f"{ADMITTED} x 200, {BURST - ADMITTED} x 429", seen,
               counts == {200: ADMITTED, 429: BURST - ADMITTED})
    all_wait = bool(waits) and all(wait.isdigit() and 1 <= int(wait) <= 60 for wait in waits)
    return row("Retry-After on each 429", "1 to 60", " ".join(waits) or "none", all_wait) and good


def main():
    address = sys.argv[1]
    print(f"      {'request':<34} {'expected':<24} seen")
    good = check_cache(address)
    good &= check_https(*sys.argv[2:4])
    good &= check_burst(address)
    sys.exit(0 if good else 1)


main()

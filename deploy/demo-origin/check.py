#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Sends what quickstart.sh tells a visitor to try, and compares: check.py HOST:PORT TLS_HOST:PORT CA_FILE."""
import http.client
import ssl
import sys
from collections import Counter

HOST = "ci.hub-evolution.com"
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
    """Connects to an address and asks for HOST, as with a line in /etc/hosts."""

    def connect(self):
        http.client.HTTPConnection.connect(self)
        self.sock = self._context.wrap_socket(self.sock, server_hostname=HOST)


def check_https(address, ca):
    connection = ByName(address, timeout=20, context=ssl.create_default_context(cafile=ca))
    try:
        connection.request("GET", "/styles.css", headers={"Host": HOST})
        response = connection.getresponse()
        response.read()
        seen = f"{response.status} {response.headers.get('CF-Cache-Status')}"
    except OSError as error:
        seen = str(error)
    finally:
        connection.close()
    return row("the style sheet by https", "200 HIT", seen, seen == "200 HIT")


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

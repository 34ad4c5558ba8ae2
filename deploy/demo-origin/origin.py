#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A small site to stand behind the gateway: a page, assets with validators, an API, a WebSocket, events. Prints nothing.

Listens on 127.0.0.1:$DEMO_ORIGIN_PORT (9000); when that is taken and was not asked for by name, on a
port the kernel chooses. --port-file FILE gets the port once the socket listens."""
import argparse
import errno
import hashlib
import json
import os
import struct
import sys
import time
import zlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from live import count, echo, is_websocket

SITE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "site")
POLICY = ("Content-Security-Policy", "default-src 'self'")


def read(name):
    with open(os.path.join(SITE, name), "rb") as file:
        return file.read()


def make_png(size, red, green, blue):
    """A square of one colour: signature, IHDR, one IDAT, IEND."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = (b"\0" + bytes((red, green, blue)) * size) * size
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", size, size, 8, 2, 0, 0, 0)) +
            chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


DOT = make_png(32, 180, 83, 9)
ICON = struct.pack("<HHHBBBBHHII", 0, 1, 1, 32, 32, 0, 0, 1, 32, len(DOT), 22) + DOT
ASSETS = {  # path: (type, Cache-Control, body)
    "/": ("text/html; charset=utf-8", "public, max-age=0, must-revalidate", read("index.html")),
    "/styles.css": ("text/css; charset=utf-8", "public, max-age=3600", read("styles.css")),
    "/app.js": ("text/javascript; charset=utf-8", "public, max-age=3600", read("app.js")),
    "/logo.svg": ("image/svg+xml", "public, max-age=86400", read("logo.svg")),
    "/dot.png": ("image/png", "public, max-age=86400", DOT),
    "/favicon.ico": ("image/x-icon", "public, max-age=86400", ICON),
    "/robots.txt": ("text/plain; charset=utf-8", "public, max-age=3600", b"User-agent: *\nAllow: /\n"),
}
ETAGS = {path: '"%s"' % hashlib.sha256(body).hexdigest()[:16] for path, (_, _, body) in ASSETS.items()}
LAST_MODIFIED = "Thu, 01 Jan 2026 00:00:00 GMT"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "demo-origin", ""
    timeout = 60

    def log_message(self, format, *args):  # pylint: disable=redefined-builtin
        pass

    def reply(self, status, content_type, body, headers=()):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        if status != 304:
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD" and status != 304:
            self.wfile.write(body)

    def reply_json(self, status, value, headers=()):
        body = json.dumps(value, separators=(",", ":")).encode()
        self.reply(status, "application/json", body, [("Cache-Control", "no-store"), *headers])

    def asset(self, path):
        content_type, cache_control, body = ASSETS[path]
        headers = [("Cache-Control", cache_control), ("ETag", ETAGS[path]), ("Last-Modified", LAST_MODIFIED), POLICY]
        asked = self.headers.get("If-None-Match")
        known = asked is not None and (asked.strip() == "*" or ETAGS[path] in asked)
        if asked is None:
            known = self.headers.get("If-Modified-Since") == LAST_MODIFIED
        self.reply(304 if known else 200, content_type, body, headers)

    def api(self, path):
        if path == "/api/health":
            self.reply_json(200, {"status": "ok", "time": int(time.time())})
        elif path == "/api/ai-image/generate":
            if self.command == "POST":
                self.reply_json(200, {"success": True, "data": {"id": os.urandom(4).hex()}})
            else:
                self.reply_json(405, {"success": False, "error": {"type": "method_not_allowed"}}, [("Allow", "POST")])
        else:
            self.reply_json(200, {"success": True, "data": {"path": path, "method": self.command}})

    def live(self, path):
        if path == "/live/counter":
            count(self)
        elif is_websocket(self.headers):
            echo(self)
        else:
            self.reply(426, "text/plain; charset=utf-8", b"a WebSocket is expected\n",
                       [("Upgrade", "websocket"), ("Connection", "Upgrade")])

    def read_body(self):
        """Read and forgotten: the connection must be in step for the next request."""
        left = int(self.headers.get("Content-Length") or 0)
        while left > 0:
            data = self.rfile.read(min(left, 65536))
            if not data:
                return
            left -= len(data)
        if "chunked" in (self.headers.get("Transfer-Encoding") or "").lower():
            while True:
                size = int(self.rfile.readline().split(b";")[0] or b"0", 16)
                self.rfile.read(size + 2 if size else 0)
                if not size:
                    break
            while self.rfile.readline().strip():
                pass

    def answer(self):
        self.read_body()
        path = urlsplit(self.path).path
        if path.startswith("/api/"):
            self.api(path)
        elif path in ("/live/counter", "/live/echo") and self.command == "GET":
            self.live(path)
        elif path in ASSETS and self.command in ("GET", "HEAD"):
            self.asset(path)
        elif path in ASSETS:
            self.reply(405, "text/plain", b"method not allowed\n", [("Allow", "GET, HEAD")])
        else:
            self.reply(404, "text/plain; charset=utf-8", b"not found\n", [("Cache-Control", "no-cache")])

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = answer


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 512

    def handle_error(self, request, client_address):
        pass  # a peer that went away is no news


def listen(wanted):
    try:
        return Server(("127.0.0.1", int(wanted or 9000)), Handler)
    except OSError as error:
        if wanted or error.errno != errno.EADDRINUSE:
            sys.exit(f"demo-origin: 127.0.0.1:{wanted or 9000}: {error.strerror}")
        return Server(("127.0.0.1", 0), Handler)


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--port-file")
    options = arguments.parse_args()
    server = listen(os.environ.get("DEMO_ORIGIN_PORT"))
    if options.port_file:
        with open(options.port_file + ".new", "w", encoding="ascii") as file:
            file.write(f"{server.server_port}\n")
        os.replace(options.port_file + ".new", options.port_file)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass


main()

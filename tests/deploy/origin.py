#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""origin.py ADDRESS FOLDER: the app behind the gateway, on port 9000.

Every answer counts up. /large* is 200 KB. /held makes FOLDER/held and answers once there is FOLDER/release."""
import os
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

FOLDER = sys.argv[2]


class Handler(BaseHTTPRequestHandler):
    count = 0

    def log_message(self, format, *args):  # pylint: disable=redefined-builtin
        pass

    def do_GET(self):
        if self.path == "/held":
            with open(os.path.join(FOLDER, "held"), "w", encoding="ascii"):
                pass
            while not os.path.exists(os.path.join(FOLDER, "release")):
                time.sleep(0.05)
        Handler.count += 1
        body = b"x" * 200_000 if self.path.startswith("/large") else f"answer {Handler.count}".encode()
        self.send_response(200)
        self.send_header("Cache-Control", "public, max-age=600")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


ThreadingHTTPServer((sys.argv[1], 9000), Handler).serve_forever()

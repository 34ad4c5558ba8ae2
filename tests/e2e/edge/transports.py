# SPDX-License-Identifier: Apache-2.0
"""One request by any way a visitor may come: HTTP/1.1 or HTTP/2, plain or by TLS; the answers are comparable."""
import re

from .client import RawClient
from .h2 import H2Client
from .tls import TlsClient

TRANSPORTS = ("h1", "h1+tls", "h2c", "h2+tls")
HOST = "www.example.test"
OF_THE_CONNECTION = {"connection", "keep-alive", "transfer-encoding"}
OF_THE_MOMENT = {"date", "cf-ray"}


class Answer:
    """What must not depend on the way: status, fields by name and value, and the body. Ray ids are made alike."""

    def __init__(self, status, headers, seen):
        self.status, self.length, self.sha256 = status, seen.length, seen.sha256.hexdigest()
        self.headers = sorted((name.lower(), value) for name, value in headers
                              if name.lower() not in OF_THE_CONNECTION | OF_THE_MOMENT)
        ray = dict((name.lower(), value) for name, value in headers).get("cf-ray", "")
        assert re.fullmatch(r"[0-9a-f]{16}-[A-Z]{3}", ray), headers
        self.body = seen.body.replace(ray.split("-")[0].encode(), b"RAY")
        if ray.encode()[:16] in seen.body:
            self.sha256 = None  # the text says it

    def get(self, name, default=None):
        values = [value for key, value in self.headers if key == name]
        assert len(values) <= 1, values
        return values[0] if values else default

    def __eq__(self, other):
        return vars(self) == vars(other)

    def __repr__(self):
        return f"<{self.status} {self.headers} {self.length} bytes {self.body[:300]!r} {self.sha256}>"


def listeners(authority):
    """The two doors that visit() knows: a plain one for both versions, one with TLS for both."""
    return [{"address": "127.0.0.1:0", "edge": "FRA", "h2c": True},
            {"address": "127.0.0.1:0", "edge": "FRA", "tls": authority.tls(HOST)}]


def open_connection(transport, gateway, authority):
    plain, secure = gateway.listen
    if transport == "h1":
        return RawClient(plain)
    if transport == "h2c":
        return H2Client(plain)
    alpn = ["h2", "http/1.1"] if transport == "h2+tls" else ["http/1.1"]
    context = authority.context(alpn=alpn)
    return H2Client(secure, tls=context, name=HOST) if transport == "h2+tls" else TlsClient(secure, context, name=HOST)


def visit(client, transport, path, method="GET", headers=None, body=None, host=HOST):
    """One request on an open connection; an Answer. Names of fields go out in the case of the version."""
    headers = headers or {}
    if transport.startswith("h1"):
        response = client.request(method, path, headers, body, host).read(method)
        return Answer(response.status, response.headers, response)
    fields = [(name.lower(), value) for name, value in headers.items()]
    if body is not None:
        fields.append(("content-length", str(len(body))))
    stream = client.fetch(method, path, fields, body, authority=host, scheme="https" if "tls" in transport else "http")
    assert stream.ended and stream.reset is None, stream
    return Answer(stream.status, stream.headers, stream)

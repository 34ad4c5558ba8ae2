# SPDX-License-Identifier: Apache-2.0
"""Both ends of TLS for tests: certificates made by `nearedge trust` and openssl, a client and an
origin that speak it."""
import os
import shutil
import socket
import ssl
import subprocess

from .client import RawClient
from .gateway import BINARY
from .origin import Origin


def trust(folder, *hosts, arguments=(), env=None):
    """Runs `nearedge trust`; an Authority."""
    argv = [BINARY, "trust", "--dir", str(folder), *arguments]
    for host in hosts:
        argv += ["--host", host]
    subprocess.run(argv, check=True, capture_output=True, env=dict(os.environ, **(env or {})))
    return Authority(folder)


class Authority:
    def __init__(self, folder):
        self.folder = str(folder)

    @property
    def ca(self):
        return os.path.join(self.folder, "ca.pem")

    def pair(self, host):
        """(certificate, key) of the certificate whose first host this is."""
        return tuple(os.path.join(self.folder, "certs", host + ending) for ending in (".pem", ".key"))

    def tls(self, host):
        """A listener's "tls" with this certificate."""
        return dict(zip(("certificate", "key"), self.pair(host)))

    def copy_pair(self, host, folder, name):
        """The pair as NAME.pem and NAME.key in a folder, over what is there; the listener's "tls" with it."""
        os.makedirs(folder, exist_ok=True)
        copies = [os.path.join(folder, name + ending) for ending in (".pem", ".key")]
        for source, copy in zip(self.pair(host), copies):
            shutil.copy(source, copy)
        return dict(zip(("certificate", "key"), copies))

    def context(self, **options):
        return client_context(self.ca, **options)


def openssl(*argv, **options):
    return subprocess.run(["openssl", *argv], check=True, capture_output=True, text=True, **options).stdout


def self_signed(folder, name, days=30, bits="rsa:2048"):
    """(certificate, key) that no authority has signed; negative days: expired."""
    certificate, key = os.path.join(folder, name + ".pem"), os.path.join(folder, name + ".key")
    openssl("req", "-x509", "-newkey", bits, "-nodes", "-keyout", key, "-out", certificate, "-subj", f"/CN={name}",
            "-addext", f"subjectAltName=DNS:{name}", "-days", str(days))
    return certificate, key


def client_context(ca=None, versions=None, alpn=None):
    """Without `ca` nothing is checked."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = ca is not None
    context.verify_mode = ssl.CERT_REQUIRED if ca else ssl.CERT_NONE
    if ca:
        context.load_verify_locations(ca)
    if versions:
        context.minimum_version = context.maximum_version = versions
    if alpn:
        context.set_alpn_protocols(alpn)
    return context


class TlsClient(RawClient):
    """`session` is one of an earlier connection's .socket.session, to be resumed."""

    def __init__(self, address, context, name="www.example.test", session=None, **options):
        super().__init__(address, **options)
        self.raw = self.socket
        self.socket = context.wrap_socket(self.raw, server_hostname=name, session=session,
                                          suppress_ragged_eofs=False)

    def cut(self):
        """Closes without close_notify."""
        plain = socket.socket(fileno=self.socket.detach())
        plain.close()


class TlsOrigin(Origin):
    """An origin with a certificate; a client certificate is demanded when `client_ca` is given."""

    def __init__(self, pair, client_ca=None, maximum_version=None):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(*pair)
        self.context.set_alpn_protocols(["http/1.1"])
        if maximum_version:
            self.context.maximum_version = maximum_version
        if client_ca:
            self.context.verify_mode = ssl.CERT_REQUIRED
            self.context.load_verify_locations(client_ca)
        self.names, self.resumed, self.peers = [], [], []
        self.context.sni_callback = lambda _socket, name, _context: self.names.append(name)
        super().__init__()

    @property
    def url(self):
        return f"https://{self.address}"

    def wrap(self, sock):
        wrapped = self.context.wrap_socket(sock, server_side=True)
        self.resumed.append(wrapped.session_reused)
        self.peers.append(wrapped.getpeercert())
        return wrapped

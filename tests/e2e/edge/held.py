# SPDX-License-Identifier: Apache-2.0
"""An answer of the origin that waits, and the clients that wait for it."""
import threading

from .wait import PATIENCE_S, wait_until


def hang_up(_request, connection):
    """An answer: none."""
    connection.close()


class Held:
    """An origin path whose first answer waits for release.set(); `first` and `later` are what it gives, each a Reply or a
    function as Origin.on takes them."""

    def __init__(self, origin, path, first, later=None):
        self.release, self.all_here = threading.Event(), threading.Event()
        self.path, self.first, self.later = path, first, later or first
        self.lock, self.count = threading.Lock(), 0
        self.together = 0  # how many later requests have to be here before one is answered
        origin.on(path, self.answer)

    def answer(self, request, connection):
        with self.lock:
            self.count += 1
            number = self.count
            if number > self.together:
                self.all_here.set()
        if number == 1:
            self.release.wait(PATIENCE_S)
        else:
            assert self.all_here.wait(PATIENCE_S), f"only {self.count} requests came at once"
        reply = self.first if number == 1 else self.later
        return reply(request, connection) if callable(reply) else reply

    def wait_for_fetch(self, gateway):
        wait_until(lambda: self.count == 1, f"the fetch of {self.path}")
        gateway.metrics()  # answered in turn: by now the requests that wait have been read

    def gather(self, gateway, count):
        """The clients of so many requests at once: one is at the origin, the others wait for its answer."""
        clients = ask(gateway, count, self.path)
        self.wait_for_fetch(gateway)
        return clients


def ask(gateway, count, path="/a.css"):
    clients = [gateway.client() for _ in range(count)]
    for client in clients:
        client.request("GET", path)
    return clients


def read_all(clients):
    responses = [client.read() for client in clients]
    for client in clients:
        client.close()
    return responses

# SPDX-License-Identifier: Apache-2.0
"""Many requests at once: a burst whose answers are read after the last request was sent, and steady pressure from
threads that note when each request began, how long it took and what came; and how late the machine made them meanwhile."""
import threading
import time
from dataclasses import dataclass

from .client import RawClient


class Burst:
    """Kept connections to several gateways, in turn; `headers(i)` are those of connection i."""

    def __init__(self, gateways, count, headers):
        self.clients = [RawClient(gateways[i % len(gateways)].address) for i in range(count)]
        self.headers = [headers(i) for i in range(count)]

    def fire(self, path, **more):
        """One POST on every connection; the statuses, in order."""
        for client, headers in zip(self.clients, self.headers):
            client.request("POST", path, {**headers, **more}, body=b"{}")
        return [client.read().status for client in self.clients]

    def close(self):
        for client in self.clients:
            client.close()


@dataclass
class Answer:
    began: float    # time.monotonic()
    seconds: float  # until the whole answer was there
    status: int


class Pressure:
    """Threads that POST to a gateway one after the other until the end; `headers(thread, n)` are those of a request.

    `late_s`: by how much this process's wish to go on after 5 ms was exceeded at most. A bound on what the gateway may take
    is a bound for a machine that has time for it: what it had not, here and over there, is added."""

    def __init__(self, gateway, path, headers, threads=4):
        self.answers, self.errors, self.stopping, self.late_s = [], [], threading.Event(), 0.0
        self.threads = [threading.Thread(target=self._press, args=(gateway, path, headers, number), daemon=True)
                        for number in range(threads)]
        self.threads.append(threading.Thread(target=self._watch, daemon=True))
        for thread in self.threads:
            thread.start()

    def _press(self, gateway, path, headers, number):
        count = 0
        try:
            with RawClient(gateway.address, timeout=10) as client:
                while not self.stopping.is_set():
                    began = time.monotonic()
                    status = client.request("POST", path, headers(number, count), body=b"{}").read().status
                    self.answers.append(Answer(began, time.monotonic() - began, status))
                    count += 1
        except (OSError, AssertionError) as error:
            self.errors.append(error)

    def _watch(self):
        while not self.stopping.is_set():
            began = time.monotonic()
            time.sleep(0.005)
            self.late_s = max(self.late_s, 2 * (time.monotonic() - began - 0.005))

    def stop(self):
        self.stopping.set()
        for thread in self.threads:
            thread.join(20)
        assert not self.errors and not any(thread.is_alive() for thread in self.threads), self.errors
        return self.answers

    def since(self, moment):
        """Answers to requests that began then or later."""
        return [answer for answer in list(self.answers) if answer.began >= moment]

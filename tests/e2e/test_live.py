# SPDX-License-Identifier: Apache-2.0
"""What stays open, by other people's clients and with the demo origin behind: WebSockets (python3-websockets) and
server-sent events, plain and by TLS."""
import asyncio
import http.client
import os

import pytest
from edge import in_parallel, wait_until
from edge.demo import DemoOrigin
from edge.tls import trust
from edge.transports import HOST, listeners

websockets = pytest.importorskip("websockets", reason="python3-websockets is not installed")


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    origin = DemoOrigin(tmp_path_factory.mktemp("demo"))
    yield f"http://127.0.0.1:{origin.port}"
    origin.stop()


class Door:
    """One of the two doors of a gateway."""

    def __init__(self, gateway, authority, secure):
        self.gateway, self.secure = gateway, secure
        self.address = gateway.listen[1 if secure else 0]
        self.context = authority.context() if secure else None

    def websocket(self, path="/live/echo"):
        host, port = self.address.rsplit(":", 1)
        options = {"ssl": self.context, "server_hostname": HOST} if self.secure else {}
        return websockets.connect(f"{'wss' if self.secure else 'ws'}://{HOST}{path}", host=host, port=int(port),
                                  open_timeout=20, close_timeout=20, **options)

    def events(self, last=None):
        """A generator of (id, data), as an EventSource would tell them; it asks as one that heard `last`."""
        connection = http.client.HTTPConnection(self.address, timeout=20)
        connection.connect()
        if self.secure:
            connection.sock = self.context.wrap_socket(connection.sock, server_hostname=HOST)
        headers = {"Host": HOST, "Accept": "text/event-stream", "Cache-Control": "no-cache"}
        connection.request("GET", "/live/counter", headers=dict(headers, **({"Last-Event-ID": last} if last else {})))
        response = connection.getresponse()
        assert (response.status, response.headers["Content-Type"]) == (200, "text/event-stream")
        assert response.headers["CF-Cache-Status"] == "DYNAMIC"
        try:
            fields = {}
            while line := response.readline().decode():
                name, _, value = line.rstrip("\r\n").partition(": ")
                if name:
                    fields[name] = value
                elif "data" in fields:
                    yield fields["id"], fields["data"]
                    fields = {}
                else:
                    fields = {}
        finally:
            response.close()
            connection.close()


@pytest.fixture(scope="module")
def doors(shared_start, demo, tmp_path_factory):
    authority = trust(tmp_path_factory.mktemp("authority"), HOST)
    gateway = shared_start(demo, listen=listeners(authority))
    return {"plain": Door(gateway, authority, False), "tls": Door(gateway, authority, True)}


@pytest.fixture(params=["plain", "tls"])
def door(doors, request):
    return doors[request.param]


def test_a_websocket_says_everything_back(door):
    async def talk():
        async with door.websocket() as socket:
            for said in ("hello", "grüße ☕", b"\0\1\2", "", os.urandom(125), os.urandom(126), os.urandom(65_536), "x" * 900_000):
                await socket.send(said)
                assert await socket.recv() == said
            await socket.send(["in ", "three ", "parts"])
            assert await socket.recv() == "in three parts"
            await asyncio.wait_for(await socket.ping(b"are you there"), 20)
        return socket.close_code

    assert asyncio.run(talk()) == 1000
    lines = door.gateway.logged(1, ClientRequestURI="/live/echo")
    assert {line["EdgeResponseStatus"] for line in lines} == {101}


def test_a_hundred_websockets_keep_their_words_apart(door):
    async def one(number):
        async with door.websocket() as socket:
            for turn in range(5):
                await socket.send(f"{number}.{turn}")
                assert await socket.recv() == f"{number}.{turn}"

    async def all_of_them():
        await asyncio.gather(*[one(number) for number in range(100)])

    asyncio.run(all_of_them())


def test_the_origin_ends_a_websocket_that_breaks_the_protocol(door):
    """Its close code reaches the client: the edge does not look into frames."""
    async def talk():
        async with door.websocket() as socket:
            await socket.send(b"x" * ((1 << 20) + 1))
            with pytest.raises(websockets.ConnectionClosedError):
                await socket.recv()
        return socket.close_code

    assert asyncio.run(talk()) == 1009


def test_what_is_no_websocket_is_refused(door):
    async def refused():
        async with door.websocket("/live/nothing"):
            pass

    with pytest.raises(websockets.InvalidStatusCode, match="404"):
        asyncio.run(refused())


def test_events_come_in_their_order(door):
    def listen(last, first):
        events = door.events(last)
        told = [next(events) for _ in range(3)]
        events.close()
        assert told == [(str(n), str(n)) for n in range(first, first + 3)]

    in_parallel(lambda: listen(None, 1), lambda: listen("41", 42))  # who reconnects goes on
    wait_until(lambda: len(door.gateway.logged(1, ClientRequestURI="/live/counter")) >= 2, "the ends of both")

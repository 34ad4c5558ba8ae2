# SPDX-License-Identifier: Apache-2.0
"""101: after the handshake the gateway is a pipe."""
import os
import threading

from edge import Reply, wait_until

HANDSHAKE = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
             "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}
SWITCH = ("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
          "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n")


def echo(request, connection):
    connection.send(SWITCH)
    connection.send(connection.buffer)
    while True:
        data = connection.socket.recv(65536)
        if not data:
            break
        connection.send(data)
    connection.close()


def test_tunnel_carries_bytes_both_ways(gateway, origin):
    origin.on("/socket", echo, early=True)
    with gateway.client() as client:
        response = client.request("GET", "/socket", HANDSHAKE).read_head()
        assert response.status == 101
        assert response.get("Upgrade").lower() == "websocket"
        assert response.get("Connection").lower() == "upgrade"
        assert response.get("Sec-WebSocket-Accept") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
        for size in (1, 100, 70_000, 1_000_000):
            data = os.urandom(size)
            threading.Thread(target=client.send, args=(data,), daemon=True).start()
            while len(client.buffer) < size:
                assert client.receive()
            assert client.take(size) == data
    seen = origin.last()
    assert seen.get("Upgrade").lower() == "websocket"
    assert seen.get("Connection").lower() == "upgrade"
    assert seen.get("Sec-WebSocket-Key") == HANDSHAKE["Sec-WebSocket-Key"]
    wait_until(lambda: not origin.connections, "the origin's side to be closed")


def test_close_by_the_origin_reaches_the_client(gateway, origin):
    def once(_, connection):
        connection.send(SWITCH + "bye")
        connection.close()

    origin.on("/socket", once, early=True)
    with gateway.client() as client:
        client.request("GET", "/socket", HANDSHAKE)
        assert client.read_head().status == 101
        assert client.read_to_end() == b"bye"


def test_bytes_sent_with_the_handshake_are_not_lost(gateway, origin):
    origin.on("/socket", echo, early=True)
    with gateway.client() as client:
        client.request("GET", "/socket", HANDSHAKE).send("early")
        assert client.read_head().status == 101
        while len(client.buffer) < 5:
            assert client.receive()
        assert client.buffer == b"early"


def test_refused_upgrade_is_an_ordinary_answer(gateway, origin):
    origin.on("/socket", Reply("no", status=403))
    with gateway.client() as client:
        assert client.request("GET", "/socket", HANDSHAKE).read().status == 403
        assert client.request("GET", "/").read().status == 200


def test_origin_cannot_switch_unasked(gateway, origin):
    origin.on("/", lambda _, connection: connection.send(SWITCH))
    assert gateway.fetch("/").status == 520


def test_upgrade_is_never_cached(gateway, origin):
    origin.on("/a.css", Reply("css", cache_control="max-age=60"))
    for _ in range(2):
        assert gateway.fetch("/a.css", headers=HANDSHAKE).cache == "DYNAMIC"

# SPDX-License-Identifier: Apache-2.0
"""Answers of an origin that are not HTTP, mean two things, say too much or stop too soon: a 520, or a body that is
visibly cut; and never a byte of them in the answer to another request."""
import re

import pytest
from edge import Truncated
from edge.vectors import expand, load

VECTORS = load("h1-responses.txt", 3)
EOF = expand("{EOF}")


@pytest.fixture(scope="module")
def shared(shared_start, shared_origin):
    return shared_start(shared_origin)


def script(origin, path, raw):
    """The path is answered by these bytes; the connections it was asked on are noted."""
    asked = []

    def handler(request, connection):
        asked.append(connection)
        try:
            connection.send(raw.removesuffix(EOF))
        except OSError:
            pass  # the gateway had seen enough
        if raw.endswith(EOF):
            connection.close()

    origin.on(path, handler)
    return asked


def read(client, method):
    """(status, body), or (status, None) for a body that is visibly not whole."""
    while True:
        try:
            response = client.read(method)
        except Truncated as cut:
            assert cut.response is not None, "closed without an answer"
            return cut.response.status, None
        if response.status >= 200:
            return response.status, response.body


def check_answer(wanted, status, body, kind):
    whole = re.fullmatch(r'(\d+)(?:/(\d+))?(?: "(.*)"| (cut))?(?:/(\d+))?', wanted)
    if kind == "file.css" and " cut" in wanted and status == 520:
        return  # the fill failed before its client had been sent anything
    assert status in [int(number) for number in (whole[1], whole[2], whole[5]) if number], (status, body)
    if status >= 500:
        assert b"poison" not in body
    elif whole[4]:
        assert body is None, f"{body!r} looks whole"
    else:
        assert body == expand(whole[3])


CASES = [pytest.param(number, vector, kind, id=f"{vector}, {kind}") for number, vector in enumerate(VECTORS)
         for kind in ("page", "file.css") if not (kind == "file.css" and vector.fields[1].startswith("HEAD"))]


@pytest.mark.parametrize("number,vector,kind", CASES)
def test_answer(shared, shared_origin, number, vector, kind):
    """As a page, which streams through, and as a file, which a fill of the cache reads."""
    raw, wanted, connection = vector.fields
    method, wanted = ("HEAD", wanted[5:]) if wanted.startswith("HEAD ") else ("GET", wanted)
    path = f"/{number}/{kind}"
    asked = script(shared_origin, path, expand(raw))
    with shared.client() as client:
        check_answer(wanted, *read(client.request(method, path), method), kind)
    for _ in range(2):
        after = shared.fetch("/after")
        assert (after.status, after.body) == (200, b"hello from the origin\n")
    reused = shared_origin.last("/after").connection_id in [c.number for c in asked]
    assert reused == (connection == "kept"), "the origin's connection"


def test_nothing_of_them_was_stored(shared, shared_origin):
    """Neither a cut body nor one that more bytes followed is an object for the next visitor."""
    for number, vector in enumerate(VECTORS):
        path = f"/{number}/file.css"
        shared_origin.on(path, shared_origin.default)
        if "cut" in vector.fields[1] or vector.fields[1] == "520":
            response = shared.fetch(path)
            assert (response.status, response.body) == (200, b"hello from the origin\n"), vector.name
            assert response.cache != "HIT", vector.name

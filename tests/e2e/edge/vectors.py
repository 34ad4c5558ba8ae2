# SPDX-License-Identifier: Apache-2.0
"""Tables of raw bytes: one vector a line, fields apart by " | ", `#` begins a comment (tests/e2e/data/h1-*.txt)."""
import os
import re
from dataclasses import dataclass

FOLDER = os.path.join(os.path.dirname(__file__), "..", "data")
HOST = "Host: www.example.test\r\n"
WORDS = {
    "R": "GET / HTTP/1.1\r\n", "H": HOST, "GET": "GET / HTTP/1.1\r\n" + HOST, "POST": "POST / HTTP/1.1\r\n" + HOST,
    "CH": "POST / HTTP/1.1\r\n" + HOST + "Transfer-Encoding: chunked\r\n\r\n",
    "EOF": "\v<EOF>", "OK": "HTTP/1.1 200 OK\r\n", "OKCH": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
}


def expand(text):
    """The bytes that a field of the table means; repetitions may stand in one another."""
    text = re.sub(r"\{([A-Z]+)\}", lambda match: WORDS[match.group(1)], text)
    text = re.sub(r"\\(?:([rnt0\\])|x([0-9a-f]{2}))",
                  lambda m: chr(int(m.group(2), 16)) if m.group(2) else {"r": "\r", "n": "\n", "t": "\t", "0": "\0", "\\": "\\"}[m.group(1)], text)
    while True:
        text, count = re.subn(r"\{(\d+)\*([^{}]*)\}", lambda match: int(match.group(1)) * match.group(2), text)
        if not count:
            return text.encode("latin-1")


@dataclass
class Vector:
    name: str
    fields: list

    def __str__(self):
        return self.name


def load(name, count):
    """All vectors of a table, whose lines have so many fields; names are distinct, and so are the bytes."""
    vectors = []
    with open(os.path.join(FOLDER, name), encoding="ascii") as file:
        for line in file:
            if line.startswith("#") or not line.strip():
                continue
            first, *fields = line.rstrip("\n").split(" | ")
            assert len(fields) == count, f"{name}: {line}"
            vectors.append(Vector(first, fields))
    for key in (str, lambda vector: "".join(vector.fields)):
        assert len({key(vector) for vector in vectors}) == len(vectors), f"{name}: a vector stands there twice"
    return vectors

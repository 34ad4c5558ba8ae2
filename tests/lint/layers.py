#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Includes point down only (ARCHITECTURE.md, "Rooms"), and a third-party header has one room.

The ranks are read from the ne_rank lines of CMakeLists.txt, so there is one list to keep."""
import os
import re

import tree

# The load generator is a client: it stands beside the gateway and knows bytes and sockets only.
LOAD = "bench/load"
LOAD_RANK, LOAD_MAY_USE = 5, 2

THIRD_PARTY = [  # header, the files that may see it
    (r"uv\.h|uv/.*", r"gateway/net/.*|limiter/backend_redis\w*\.[ch]"),
    (r"openssl/.*", r"gateway/net/tls\w*\.[ch]"),
    (r"llhttp\.h", r"gateway/http/h1_parse\.c"),
    (r"hiredis/.*|hiredis\.h", r"limiter/backend_redis\w*\.[ch]"),
    (r"cjson/.*|cJSON\.h", r"config/json\.c"),
    (r"pcre2(posix)?\.h", r"config/rules/regex\.c"),
    (r"nghttp2/.*", r"gateway/session_h2\w*\.[ch]"),
    (r"seccomp\.h", r"gateway/seccomp\.c"),
    (r"zlib\.h|brotli/.*", r"gateway/recode_(gzip|brotli)\.c"),
]
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^">]+)[">]', re.M)


def read_ranks():
    ranks = {LOAD: LOAD_RANK}
    line = re.compile(r"^ne_rank\(\w+ ([\w/]+).*#\s*rank\s+(\d+)", re.M)
    for folder, rank in line.findall(tree.read("CMakeLists.txt")):
        ranks[folder] = int(rank)
    return ranks


def room_of(path, ranks):
    folder = os.path.dirname(path)
    while folder and folder not in ranks:
        folder = os.path.dirname(folder)
    return folder or None


def check_own(path, line, header, ranks, report):
    if not os.path.exists(os.path.join(tree.ROOT, header)):
        report.add(path, line, f'"{header}" is not a path from the root of the repository')
        return
    own, other = room_of(path, ranks), room_of(header, ranks)
    if own is None or own == other:
        return
    if other is None:
        report.add(path, line, f'"{header}" belongs to no room')
    elif ranks[other] == ranks[own]:
        report.add(path, line, f'sideways: {own} and {other} are both rank {ranks[own]} ("{header}")')
    elif ranks[other] > ranks[own]:
        report.add(path, line, f'upwards: {own} (rank {ranks[own]}) includes {other} (rank {ranks[other]})')
    elif own == LOAD and ranks[other] > LOAD_MAY_USE:
        report.add(path, line, f'{LOAD} uses ranks 0 to {LOAD_MAY_USE} only, not "{header}"')


def check_third_party(path, line, header, report):
    for pattern, allowed in THIRD_PARTY:
        if re.fullmatch(pattern, header) and not re.fullmatch(allowed, path):
            report.add(path, line, f"<{header}> is visible outside its one room ({allowed})")


def main():
    report, ranks = tree.Report("layers"), read_ranks()
    if len(ranks) < 9:
        report.add("CMakeLists.txt", 1, "fewer ne_rank lines with a `# rank N` comment than rooms")
    for path in tree.files("gateway", "config", "cache", "limiter", LOAD, "tests/unit", "tests/fuzz"):
        text = tree.without_comments(tree.read(path), keep_strings=True)
        for match in INCLUDE.finditer(text):
            line, header = text.count("\n", 0, match.start()) + 1, match.group(2)
            if header.endswith(".c"):
                report.add(path, line, f"a source file is included: {header}")
            elif match.group(1) == '"':
                check_own(path, line, header, ranks, report)
            if not path.startswith("tests/"):
                check_third_party(path, line, header, report)
    report.done()


main()

#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Each test that SECURITY.md names exists, each promise names one, and each file that the threat model points to is there."""
import os
import re

import tree

PROMISES, MODEL = "SECURITY.md", "deploy/threat-model.md"
TEST = re.compile(r"`(tests/[\w/.]+\.py)::(\w+)`")
FILE = re.compile(r"`((?:gateway|cache|limiter|config|tests)/[\w/.]+\.\w+)")


def main():
    report = tree.Report("promises")
    for number, line in enumerate(tree.read(PROMISES).splitlines(), 1):
        if line.startswith("|") and not TEST.search(line) and not re.match(r"\|( promise|-)", line):
            report.add(PROMISES, number, "a promise without a test")
        for path, name in TEST.findall(line):
            if not os.path.exists(os.path.join(tree.ROOT, path)) or \
                    not re.search(rf"^def {name}\(", tree.read(path), re.M):
                report.add(PROMISES, number, f"there is no {path}::{name}")
    for document in (PROMISES, MODEL):
        for number, line in enumerate(tree.read(document).splitlines(), 1):
            for path in FILE.findall(line):
                if not os.path.exists(os.path.join(tree.ROOT, path)):
                    report.add(document, number, f"there is no {path}")
    report.done()


if __name__ == "__main__":
    main()

#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Words that may not be in the tree: open ends without a ticket, paths of one machine."""
import re

import tree

# Written in pieces, so that this file does not find itself.
FORBIDDEN = [
    (re.compile(r"\b(?:TO" r"DO|FIX" r"ME|X" r"XX|HA" r"CK)\b(?!\s*\(?#\d+)"), "an open end without a ticket number"),
    (re.compile(r"(?<![\w.])/(?:wo" r"rk|ro" r"ot|ho" r"me/\w+)/"), "a path of one machine"),
    (re.compile(r"^<{7} |^>{7} |^={7}$"), "a conflict marker"),
]
ENDINGS = (".c", ".h", ".py", ".sh", ".md", ".cmake", ".txt", ".json", ".yml", ".yaml", "/run")


def main():
    report = tree.Report("words")
    for path in tree.files(endings=ENDINGS):
        for number, line in enumerate(tree.read(path).splitlines(), 1):
            for pattern, what in FORBIDDEN:
                match = pattern.search(line)
                if match:
                    report.add(path, number, f"{what}: {match.group(0)}")
    report.done()


main()

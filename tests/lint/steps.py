#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The steps in the drawing of ARCHITECTURE.md are those of the table that the driver runs."""
import os
import re
import sys

import tree

DRAWING, TABLE, LIST = "ARCHITECTURE.md", "gateway/steps.h", "EXCHANGE_STEPS"


def drawn():
    """Names in capitals in the first drawing that begins with `accept`."""
    block = re.search(r"^(?: {4}|```\w*\n)\s*accept.*?(?=\n\n|\n```|\Z)", tree.read(DRAWING), re.M | re.S)
    return set(re.findall(r"\b[A-Z]{3,}\b", block.group(0))) if block else set()


def tabled():
    """The first words of the rows of the X-list: X(LOOKUP, lookup)."""
    text = tree.without_comments(tree.read(TABLE))
    rows = re.search(r"#define " + LIST + r"\(X\)((?:.*\\\n)+.*)", text)
    return set(re.findall(r"\bX\((\w+),", rows.group(1))) if rows else set()


def main():
    if not all(os.path.exists(os.path.join(tree.ROOT, path)) for path in (DRAWING, TABLE)):
        print(f"steps: {DRAWING} or {TABLE} is not there yet")
        sys.exit(tree.SKIP)
    report, left, right = tree.Report("steps"), drawn(), tabled()
    if not left:
        report.add(DRAWING, 1, "no drawing of the way of a request (it begins with `accept`)")
    if not right:
        report.add(TABLE, 1, f"no list {LIST}")
    for name in sorted(left - right if left and right else ()):
        report.add(DRAWING, 1, f"drawn but not in the table: {name}")
    for name in sorted(right - left if left and right else ()):
        report.add(TABLE, 1, f"in the table but not drawn: {name}")
    report.done()


main()

#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Every source names its licence first; every header then has #pragma once and says what it is for."""
import tree

SPDX = "/* SPDX-License-Identifier: Apache-2.0 */"


def main():
    report = tree.Report("openers")
    for path in tree.files(*tree.ROOMS, "tests"):
        lines = (tree.read(path).splitlines() + ["", "", ""])[:3]
        if lines[0] != SPDX:
            report.add(path, 1, f"want {SPDX}")
        if not path.endswith(".h"):
            continue
        if lines[1] != "#pragma once":
            report.add(path, 2, "want #pragma once")
        if not lines[2].startswith("/* "):
            report.add(path, 3, "want a comment that says what the header is for")
    report.done()


main()

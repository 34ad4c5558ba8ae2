#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Budgets: functions of 60 lines and 6 parameters, sources of 600 lines, headers of 120.

.clang-format puts the opening brace of a function, and of nothing else, alone at column 0, so a
function is what stands between such a brace and the next closing one at column 0. Exceptions live
in exceptions.txt, one a line, each with its reason."""
import re

import tree

FUNCTION_LINES, PARAMETERS = 60, 6
FILE_LINES = {".c": 600, ".h": 120}


def read_exceptions(report):
    """{(kind, what)}: kind is lines, parameters or file; what is path:function or path."""
    found = set()
    for number, line in enumerate(tree.read("tests/lint/exceptions.txt").splitlines(), 1):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        kind, what, *reason = line.split(None, 2)
        if kind not in ("lines", "parameters", "file") or not reason:
            report.add("tests/lint/exceptions.txt", number, "want: lines|parameters|file WHAT REASON")
        found.add((kind, what))
    return found


def signature_before(lines, brace):
    """First line and text of what stands above the brace: back to a blank, a directive or an end."""
    first = brace
    while first > 0:
        above = lines[first - 1].strip()
        if not above or above.startswith("#") or above.endswith((";", "}")):
            break
        first -= 1
    return first, " ".join(line.strip() for line in lines[first:brace])


def parse_signature(text):
    """(name, number of parameters), or None when the text is no function head."""
    text = re.sub(r"\b(?:__attribute__|GW_\w+)\s*\(\(?[^()]*\)?\)", " ", text).strip()
    opening = re.search(r"(\w+)\s*\(", text)
    if not opening or not text.endswith(")"):
        return None
    inside, depth, commas, only = text[opening.end():-1], 0, 0, ""
    for char in inside:
        depth += (char in "([{") - (char in ")]}")
        commas += char == "," and depth == 0
        only += char
    count = 0 if only.strip() in ("", "void") else commas + 1
    return opening.group(1), count - only.rstrip().endswith("...")  # what follows a format is its own


def functions(text):
    """(name, first line, number of lines, number of parameters), lines counted from 1."""
    lines = tree.without_comments(text).split("\n")
    for brace, line in enumerate(lines):
        if line.rstrip() != "{":
            continue
        end = next((i for i in range(brace, len(lines)) if lines[i].startswith("}")), len(lines) - 1)
        first, head = signature_before(lines, brace)
        parsed = parse_signature(head)
        if parsed:
            yield parsed[0], first + 1, end - first + 1, parsed[1]


def check(path, report, exceptions, used):
    text = tree.read(path)

    def over(kind, what, line, count, budget):
        if count <= budget:
            return
        if (kind, what) in exceptions:
            used.add((kind, what))
        else:
            report.add(path, line, f"{what}: {count} {'lines' if kind == 'file' else kind}, budget {budget}")

    over("file", path, 1, text.count("\n"), FILE_LINES[path[-2:]])
    for name, line, length, parameters in functions(text):
        over("lines", f"{path}:{name}", line, length, FUNCTION_LINES)
        over("parameters", f"{path}:{name}", line, parameters, PARAMETERS)


def main():
    report, used = tree.Report("sizes"), set()
    exceptions = read_exceptions(report)
    for path in tree.files(*tree.ROOMS):
        check(path, report, exceptions, used)
    for kind, what in sorted(exceptions - used):
        report.add("tests/lint/exceptions.txt", 1, f"no longer needed: {kind} {what}")
    report.done()


if __name__ == "__main__":
    main()

# SPDX-License-Identifier: Apache-2.0
"""What the lints share: the source tree, C text without comments, findings as file:line."""
import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
ROOMS = ("gateway", "config", "cache", "limiter", "bench")
SKIPPED_FOLDERS = {"build", ".git", "node_modules", "__pycache__", ".pytest_cache"}
SKIP = 77  # ctest's SKIP_RETURN_CODE


def files(*folders, endings=(".c", ".h")):
    """Paths relative to the root, sorted; all of the tree when no folder is named."""
    for folder in folders or ("",):
        for where, names, found in os.walk(os.path.join(ROOT, folder)):
            names[:] = sorted(n for n in names if n not in SKIPPED_FOLDERS)
            for name in sorted(found):
                if name.endswith(endings):
                    yield os.path.relpath(os.path.join(where, name), ROOT)


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8", errors="replace") as file:
        return file.read()


_TOKEN = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)


def without_comments(text, keep_strings=False):
    """Comments (and the inside of literals) become blanks; every line keeps its number."""

    def blank(match):
        token = match.group(0)
        if token[0] in "\"'":
            return token if keep_strings else token[0] + " " * (len(token) - 2) + token[0]
        return re.sub(r"[^\n]", " ", token)

    return _TOKEN.sub(blank, text)


class Report:
    """Findings as `file:line: text`; done() is the exit code."""

    def __init__(self, what):
        self.what = what
        self.count = 0

    def add(self, path, line, text):
        self.count += 1
        print(f"{path}:{line}: {text}")

    def done(self):
        print(f"{self.what}: {self.count} finding{'' if self.count == 1 else 's'}")
        sys.exit(1 if self.count else 0)

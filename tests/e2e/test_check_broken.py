# SPDX-License-Identifier: Apache-2.0
"""`check` names file, line and mistake for every broken file in tests/config/broken.

The first line of a broken file says what is expected: `// expect: LINE: part of the message`. A
ruleset or limiters file lies in a folder beside a nearedge.json that is itself fine."""
import os
import re
import subprocess

import pytest

from edge.gateway import BINARY

FOLDER = os.path.normpath(os.path.join(os.path.dirname(__file__), "..", "config", "broken"))
EXPECT = re.compile(r"// expect: (\d+): (.+)")
FILES_AT_LEAST = 60


def broken_files():
    for folder, _, names in os.walk(FOLDER):
        for name in names:
            path = os.path.join(folder, name)
            with open(path, encoding="utf-8") as file:
                match = EXPECT.match(file.readline())
            if match:
                yield os.path.relpath(path, FOLDER), match[1], match[2].strip()


CASES = sorted(broken_files())


def test_there_are_enough():
    assert len(CASES) >= FILES_AT_LEAST


@pytest.mark.parametrize("path, line, text", CASES, ids=[case[0] for case in CASES])
def test_check_explains(path, line, text):
    folder = os.path.dirname(path)
    config = os.path.join(folder, "nearedge.json") if folder else path
    result = subprocess.run([os.path.abspath(BINARY), "check", "-c", config], cwd=FOLDER,
                            capture_output=True, text=True, timeout=30, check=False)
    output = result.stdout + result.stderr
    assert result.returncode == 3, output
    messages = [said for said in output.splitlines() if said.startswith(f"{path}:{line}:")]
    assert messages, f"nothing about {path}:{line} in:\n{output}"
    # A message may go on in the lines below it.
    assert text in output, f"expected {text!r} in:\n{output}"

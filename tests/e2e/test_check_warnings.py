# SPDX-License-Identifier: Apache-2.0
"""`check` accepts the files in tests/config/warnings and says about them what check.txt holds.

A change of a message shows there: run `nearedge check -c nearedge.json 2> check.txt` in the folder and
read the difference. The rules of the team and the examples are held to silence."""
import os
import subprocess

import pytest

from edge.gateway import BINARY

ROOT = os.path.normpath(os.path.join(os.path.dirname(__file__), "..", ".."))
FOLDER = os.path.join(ROOT, "tests", "config", "warnings")
SILENT = ["config/hub-evolution/nearedge.json", "config/examples/full.json",
          "config/examples/minimal.json"]


def check(folder, config):
    return subprocess.run([os.path.abspath(BINARY), "check", "-c", config], cwd=folder,
                          capture_output=True, text=True, timeout=30, check=False)


@pytest.mark.parametrize("name", sorted(os.listdir(FOLDER)))
def test_check_warns(name):
    folder = os.path.join(FOLDER, name)
    with open(os.path.join(folder, "check.txt"), encoding="utf-8") as file:
        expected = file.read()
    result = check(folder, "nearedge.json")
    assert result.returncode == 0, result.stderr
    assert "warning: " in expected
    assert result.stderr == expected


@pytest.mark.parametrize("config", SILENT)
def test_check_is_silent(config):
    result = check(ROOT, config)
    assert result.returncode == 0
    assert "warning" not in result.stderr.replace("${", ""), result.stderr

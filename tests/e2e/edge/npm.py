# SPDX-License-Identifier: Apache-2.0
"""Packages of npm for tests: installed once by `npm ci` from a pinned lock file, into a cache outside the tree.

Without node, npm or a registry the test is skipped and says so."""
import hashlib
import os
import re
import shutil
import subprocess
import tempfile

import pytest

UNREACHABLE = re.compile(r"\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ENETUNREACH|EHOSTUNREACH|E?TIMEDOUT|ERR_SOCKET_TIMEOUT|E404|E403|E50\d)\b")


def _cache_folder(source):
    """One folder for each lock file."""
    with open(os.path.join(source, "package-lock.json"), "rb") as file:
        lock = hashlib.sha256(file.read()).hexdigest()[:16]
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return os.path.join(base, "nearedge-tests", f"{os.path.basename(source)}-{lock}")


def _install(source, folder):
    """Into a folder of its own first, so that two runs at once do not meet."""
    os.makedirs(os.path.dirname(folder), exist_ok=True)
    with tempfile.TemporaryDirectory(dir=os.path.dirname(folder)) as fresh:
        for name in ("package.json", "package-lock.json"):
            shutil.copy(os.path.join(source, name), fresh)
        done = subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--fetch-retries", "1",
                               "--fetch-timeout", "60000"], cwd=fresh, capture_output=True, text=True, check=False, timeout=300)
        unreachable = UNREACHABLE.search(done.stderr)
        if done.returncode != 0 and unreachable:
            pytest.skip(f"the npm registry cannot be reached or has no such package ({unreachable.group(1)})")
        assert done.returncode == 0, done.stderr
        try:
            os.rename(fresh, folder)
            os.mkdir(fresh)  # for the clean-up to find
        except OSError:
            assert os.path.isdir(folder)


def npm_packages(source, least_node):
    """The folder that holds node_modules for `source`, a folder with package.json and its lock file.

    Its packages need that major version of node; Debian 12 has 18."""
    if not shutil.which("node") or not shutil.which("npm"):
        pytest.skip("node and npm are not installed")
    version = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout
    if int(re.match(r"v(\d+)", version).group(1)) < least_node:
        pytest.skip(f"node {version.strip()} is older than {least_node}, which the packages need")
    folder = _cache_folder(source)
    if not os.path.isdir(folder):
        _install(source, folder)
    return folder

# SPDX-License-Identifier: Apache-2.0
"""Cloudflare's own JavaScript client (sdk/client.mjs) with another base URL.

The client is installed once, by `npm ci` from the pinned lock file, into a cache outside the tree.
Without node, npm or a registry the test is skipped and says so."""
import hashlib
import os
import re
import shutil
import subprocess
import tempfile

import pytest
from edge.api import ZONE_ID

SDK = os.path.join(os.path.dirname(os.path.abspath(__file__)), "sdk")
NODE_LEAST = 20
UNREACHABLE = re.compile(r"\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ENETUNREACH|EHOSTUNREACH|E?TIMEDOUT|ERR_SOCKET_TIMEOUT|E404|E403|E50\d)\b")


def cache_folder():
    """One folder for each lock file."""
    with open(os.path.join(SDK, "package-lock.json"), "rb") as file:
        lock = hashlib.sha256(file.read()).hexdigest()[:16]
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return os.path.join(base, "nearedge-tests", f"sdk-{lock}")


def install(folder):
    """Into a folder of its own first, so that two runs at once do not meet."""
    os.makedirs(os.path.dirname(folder), exist_ok=True)
    with tempfile.TemporaryDirectory(dir=os.path.dirname(folder)) as fresh:
        for name in ("package.json", "package-lock.json"):
            shutil.copy(os.path.join(SDK, name), fresh)
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


@pytest.fixture(scope="module")
def sdk():
    if not shutil.which("node") or not shutil.which("npm"):
        pytest.skip("node and npm are not installed")
    version = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout
    if int(re.match(r"v(\d+)", version).group(1)) < NODE_LEAST:
        pytest.skip(f"node {version.strip()} is older than {NODE_LEAST}, which the client needs")
    folder = cache_folder()
    if not os.path.isdir(folder):
        install(folder)
    return folder


def test_sdk(start, origin, sdk):  # pylint: disable=redefined-outer-name
    gateway = start(origin, admin={"address": "127.0.0.1:0", "token": "${TEST_TOKEN}"}, env={"TEST_TOKEN": "s3cret"})
    env = {key: value for key, value in os.environ.items() if not key.startswith("CLOUDFLARE_")}
    done = subprocess.run(["node", os.path.join(SDK, "client.mjs"), f"http://{gateway.admin}/client/v4", "s3cret", ZONE_ID],
                          env=dict(env, SDK_FOLDER=sdk), capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("ok ") == 9

# SPDX-License-Identifier: Apache-2.0
"""Cloudflare's own JavaScript client (sdk/client.mjs) with another base URL.

edge/npm.py installs the client; without node, npm or a registry the test is skipped and says so."""
import os
import subprocess

import pytest
from edge.api import ZONE_ID
from edge.npm import npm_packages

SDK = os.path.join(os.path.dirname(os.path.abspath(__file__)), "sdk")


@pytest.fixture(scope="module")
def sdk():
    return npm_packages(SDK, least_node=20)


def test_sdk(start, origin, sdk):  # pylint: disable=redefined-outer-name
    gateway = start(origin, admin={"address": "127.0.0.1:0", "token": "${TEST_TOKEN}"}, env={"TEST_TOKEN": "s3cret"})
    env = {key: value for key, value in os.environ.items() if not key.startswith("CLOUDFLARE_")}
    done = subprocess.run(["node", os.path.join(SDK, "client.mjs"), f"http://{gateway.admin}/client/v4", "s3cret", ZONE_ID],
                          env=dict(env, SDK_FOLDER=sdk), capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("ok ") == 9

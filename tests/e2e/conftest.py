# SPDX-License-Identifier: Apache-2.0
"""Fixtures: an origin, a factory of gateways, a gateway with defaults, a Redis."""
import os
import sys

import pytest

sys.path.insert(0, os.path.dirname(__file__))
from edge import Gateway, Origin, Redis  # noqa: E402
from edge.browser import Browser  # noqa: E402
from edge.gateway import BINARY, make_config  # noqa: E402


def pytest_collection_modifyitems(items):
    """No binary is a failure of every test, not a reason to skip them; it is said once here."""
    if items and not os.access(BINARY, os.X_OK):
        pytest.exit(f"no gateway at {BINARY}: build it or set NEAREDGE_BIN", returncode=3)


@pytest.fixture
def origin():
    server = Origin()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def shared_origin():
    server = Origin()
    yield server
    server.stop()


class Starter:
    """start(origin, zone={…}, rules=[…], limiters={…}, **top): a running gateway."""

    def __init__(self, folders):
        self.folders, self.running = folders, []

    def prepare(self, origin, zone=None, rules=None, limiters=None, env=None, **top):
        """The gateway with its files, not started. `rules` is one ruleset's list of rules."""
        gateway = Gateway(self.folders.mktemp("gateway"), env=env)
        zone = dict(zone or {})
        if rules is not None:
            document = rules if isinstance(rules, dict) else {
                "phase": "http_request_cache_settings", "kind": "zone", "rules": rules}
            zone["rulesets"] = [gateway.write("rulesets/cache.json", document)]
        if limiters is not None:
            zone["limiters"] = gateway.write("limiters.json", limiters)
        gateway.config = make_config(origin, zone, **top)
        self.running.append(gateway)
        return gateway

    def __call__(self, origin, *args, **options):
        return self.prepare(origin, *args, **options).start()

    def stop(self):
        errors = []
        for gateway in self.running:
            try:
                gateway.stop()
            except AssertionError as error:
                errors.append(error)
        if errors:
            raise errors[0]


@pytest.fixture
def start(tmp_path_factory):
    starter = Starter(tmp_path_factory)
    yield starter
    starter.stop()


@pytest.fixture(scope="module")
def shared_start(tmp_path_factory):
    starter = Starter(tmp_path_factory)
    yield starter
    starter.stop()


@pytest.fixture
def gateway(start, origin):
    """One zone, no rules, no limiters, virtual clock; the peer is not trusted."""
    return start(origin)


@pytest.fixture
def redis(tmp_path_factory):
    server = Redis(tmp_path_factory.mktemp("redis")).start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def browser():
    """Chromium; skipped with the reason where it or npm's registry is missing."""
    return Browser()

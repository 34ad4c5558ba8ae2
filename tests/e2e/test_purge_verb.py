# SPDX-License-Identifier: Apache-2.0
"""purge: the admin's purge API from the command line."""
import json
import os
import subprocess

import pytest
from edge import Reply
from edge.gateway import BINARY

FILES = ("/a/1.css", "/a/2.css", "/b/1.css")


def purge(gateway, *arguments, config=True):
    where = ["-c", gateway.path("nearedge.json")] if config else []
    return subprocess.run([BINARY, "purge", *where, "--admin", gateway.admin, *arguments], capture_output=True, text=True, timeout=60,
                          check=False, stdin=subprocess.DEVNULL, env=dict(os.environ))


def url(path):
    return f"http://www.example.test{path}"


@pytest.fixture
def cached(gateway, origin):
    for path in FILES:
        origin.on(path, Reply("x", cache_control="max-age=600", cache_tag=path[1]))
        gateway.fetch(path)
    return gateway


@pytest.mark.parametrize("arguments, gone", [
    (["--everything"], FILES), (["--url", url("/a/1.css")], FILES[:1]), (["--url", url("/a/1.css"), "--url", url("/b/1.css")], FILES[::2]),
    (["--prefix", "www.example.test/a"], FILES[:2]), (["--host", "www.example.test"], FILES), (["--tag", "b"], FILES[2:]),
    (["--tag", "b", "--url", url("/a/2.css")], FILES[1:]), (["--tag", "nobody"], ()),
    (["--zone", "example.test", "--everything"], FILES),
])
def test_purge(cached, arguments, gone):
    result = purge(cached, *arguments)
    assert (result.returncode, result.stdout, result.stderr) == (0, "purged\n", "")
    for path in FILES:
        assert cached.fetch(path).cache == ("MISS" if path in gone else "HIT"), path


def test_invalidate(cached):
    result = purge(cached, "--invalidate", "--url", url("/a/1.css"))
    assert (result.returncode, result.stdout) == (0, "invalidated\n")
    assert cached.fetch("/a/1.css").cache in ("EXPIRED", "REVALIDATED")


def test_json(cached):
    result = purge(cached, "--everything", "--json")
    assert result.returncode == 0 and json.loads(result.stdout)["success"] is True


@pytest.mark.parametrize("arguments, code", [
    ([], 2), (["--everything", "--tag", "a"], 2), (["--nonsense"], 2), (["--everything", "operand"], 2),
    (["--url", "http://other.test/"], 1), (["--url", "/a/1.css"], 2), (["--prefix", "https://www.example.test/a"], 2), (["--host", "http://www.example.test"], 2), (["--zone", "other.test", "--everything"], 1),
])
def test_what_is_refused(cached, arguments, code):
    result = purge(cached, *arguments)
    assert (result.returncode, result.stdout) == (code, "") and result.stderr
    assert all(cached.fetch(path).cache == "HIT" for path in FILES)


def test_the_zone_is_asked_for_without_a_configuration(cached):
    assert purge(cached, "--everything", config=False).returncode == 0
    assert purge(cached, "--everything", "--zone", "other.test", config=False).returncode == 1


def test_no_gateway(cached):
    cached.stop()
    result = purge(cached, "--everything")
    assert result.returncode == 1 and cached.admin in result.stderr

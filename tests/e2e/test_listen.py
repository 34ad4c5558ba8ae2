# SPDX-License-Identifier: Apache-2.0
"""Addresses belong to one process: its workers share them, a second process is told so."""
import subprocess

import pytest
from edge import wait_until
from edge.gateway import BINARY


def second(start, origin, **top):
    """A gateway that is expected not to start: (exit code, what it said)."""
    gateway = start.prepare(origin, **top)
    gateway.write_config(gateway.config)
    ran = subprocess.run([BINARY, "run", "-c", gateway.path("nearedge.json")], capture_output=True, text=True, timeout=30)
    return ran.returncode, ran.stderr


@pytest.mark.parametrize("workers", [1, 2])
def test_a_second_process_on_the_address_is_refused(start, origin, workers):
    first = start(origin, workers=workers)
    port = first.address.rsplit(":", 1)[1]
    for address in (first.address, f"0.0.0.0:{port}"):
        code, said = second(start, origin, listen=[{"address": "127.0.0.1:0", "edge": "FRA"}, {"address": address, "edge": "FRA"}])
        assert code == 1
        assert f"cannot listen on {address}: " in said and "another process listens there" in said, said
    for _ in range(20):
        assert first.fetch("/").status == 200  # and none of its visitors was taken


def test_so_is_one_on_the_admins_address(start, origin):
    first = start(origin)
    code, said = second(start, origin, admin={"address": first.admin})
    assert code == 1 and f"cannot listen on {first.admin}: " in said


def test_addresses_of_one_configuration_may_overlap(start, origin):
    """One on every address and one on a single address, which the kernel prefers."""
    port = start(origin).address.rsplit(":", 1)[1]  # free again once it has ended
    start.running[-1].stop()
    both = [{"address": f"0.0.0.0:{port}", "edge": "FRA"}, {"address": f"127.0.0.1:{port}", "edge": "AMS"}]
    gateway = start(origin, listen=both)
    assert gateway.fetch("/").ray.endswith("-AMS")


def test_a_restart_finds_its_port_free(start, origin):
    """Connections of the first that are still open, or linger, do not count."""
    first = start(origin)
    with first.client() as kept:
        assert kept.request("GET", "/").read().status == 200
        address = first.address
        first.kill()
        again = start(origin, listen=[{"address": address, "edge": "FRA"}])
        assert again.address == address and again.fetch("/").status == 200


def test_a_reload_keeps_its_own_sockets(start, origin):
    gateway = start(origin, workers=2)
    gateway.config["listen"][0]["address"] = gateway.address
    gateway.write_config(gateway.config)
    gateway.hang_up()
    wait_until(lambda: "configuration reloaded" in gateway.log(), "the reload")
    assert gateway.fetch("/").status == 200 and "cannot listen" not in gateway.log()

# SPDX-License-Identifier: Apache-2.0
"""HUP: a good configuration replaces the running one, a bad one changes nothing."""
import copy
import os
import time

from edge import Reply, fetch, wait_until
from edge.held import Held


def with_host_header(gateway, value):
    config = copy.deepcopy(gateway.config)
    config["zones"][0]["origin"]["host_header"] = value
    return config


def reloaded(gateway, origin, value):
    def arrived():
        gateway.fetch("/probe")
        return origin.last("/probe").get("Host") == value

    wait_until(arrived, f"the configuration with {value}")


def test_good_configuration_takes_over(gateway, origin):
    for value in ("one.internal", "two.internal"):
        gateway.write_config(with_host_header(gateway, value))
        gateway.hang_up()
        reloaded(gateway, origin, value)
    wait_until(lambda: gateway.metric("nearedge_config_last_reload_successful") == 1, "the metric")


def test_bad_configuration_changes_nothing(gateway, origin):
    assert gateway.metric("nearedge_config_last_reload_successful") == 1
    loaded = gateway.metric("nearedge_config_last_reload_success_timestamp_seconds")
    assert abs(loaded - time.time()) < 300
    good = with_host_header(gateway, "good.internal")
    bad = copy.deepcopy(good)
    bad["zones"][0]["orign"] = bad["zones"][0].pop("origin")
    gateway.write_config(bad)
    gateway.hang_up()
    wait_until(lambda: gateway.metric("nearedge_config_last_reload_successful") == 0, "the metric to fall")
    assert gateway.fetch("/").status == 200
    assert origin.last().get("Host") == "www.example.test"
    assert "orign" in gateway.log() and "nearedge.json:" in gateway.log()
    assert gateway.readyz().status == 200
    assert gateway.metric("nearedge_config_last_reload_success_timestamp_seconds") == loaded

    gateway.write_config(good)
    gateway.hang_up()
    reloaded(gateway, origin, "good.internal")
    wait_until(lambda: gateway.metric("nearedge_config_last_reload_successful") == 1, "the metric to rise")


def test_file_that_is_no_json_or_gone_changes_nothing(gateway):
    for text in ("{", "", "[]", "\x00\x01"):
        gateway.write("nearedge.json", text)
        gateway.hang_up()
        wait_until(lambda: gateway.metric("nearedge_config_last_reload_successful") == 0, "the metric")
        assert gateway.fetch("/").status == 200
    os.unlink(gateway.path("nearedge.json"))
    gateway.hang_up()
    assert gateway.fetch("/").status == 200


def test_cache_and_counters_survive(start, origin):
    origin.default = Reply("x", cache_control="max-age=600")
    gateway = start(origin, limiters={
        "limiters": [{"name": "few", "limit": 3, "window_ms": 60000, "store": "durable_object", "key": "${ip}"}],
        "routes": [{"path": "/few", "limiter": "few"}]})
    assert gateway.fetch("/a.css").cache == "MISS"
    assert [gateway.fetch("/few").status for _ in range(2)] == [200, 200]
    gateway.write_config(with_host_header(gateway, "new.internal"))
    gateway.hang_up()
    reloaded(gateway, origin, "new.internal")
    assert gateway.fetch("/a.css").cache == "HIT"
    assert [gateway.fetch("/few").status for _ in range(2)] == [200, 429]


def test_exchange_under_way_ends_on_its_old_configuration(gateway, origin):
    held = Held(origin, "/slow", Reply("old and whole"))
    [client] = held.gather(gateway, 1)
    with client:
        config = with_host_header(gateway, "new.internal")
        gateway.write_config(config)
        gateway.hang_up()
        reloaded(gateway, origin, "new.internal")
        held.release.set()
        assert client.read().body == b"old and whole"
        client.request("GET", "/probe")
        assert client.read().status == 200
    assert origin.last("/probe").get("Host") == "new.internal"


def test_limit_changed_by_reload_holds_at_once(start, origin):
    rules = {"limiters": [{"name": "few", "limit": 1, "window_ms": 60000, "store": "durable_object", "key": "${ip}"}],
             "routes": [{"path": "/few", "limiter": "few"}]}
    gateway = start(origin, limiters=rules)
    assert [gateway.fetch("/few").status for _ in range(2)] == [200, 429]
    rules["limiters"][0]["limit"] = 5
    gateway.write("limiters.json", rules)
    gateway.hang_up()
    wait_until(lambda: gateway.fetch("/few").status == 200, "the new limit")


def test_new_listener_opens_and_old_one_stays(gateway):
    """Listeners that are in both configurations keep their sockets: no connection is refused meanwhile."""
    address = gateway.address
    config = copy.deepcopy(gateway.config)
    config["listen"][0]["address"] = address
    gateway.write_config(config)
    gateway.hang_up()
    for _ in range(50):
        assert fetch(address, "/").status == 200

# SPDX-License-Identifier: Apache-2.0
"""Origins of several servers: turns, failures, health checks, retries, rules that send requests elsewhere."""
import json
import threading

import pytest
from edge import Origin, Reply, wait_until


@pytest.fixture
def origins():
    """Three servers; each answers with its number."""
    servers = [Origin() for _ in range(3)]
    for number, server in enumerate(servers):
        server.default = Reply(str(number))
    yield servers
    for server in servers:
        server.stop()


def several(origins, **settings):
    return {"origin": {"url": None, "servers": [server.url for server in origins], **settings}}


def states(gateway):
    return [server["state"] for server in gateway.api_json("/api/upstreams")["upstreams"][0]["servers"]]


def bodies(gateway, count, path="/", **options):
    return "".join(gateway.fetch(path, **options).body.decode() for _ in range(count))


def test_round_robin_takes_turns(start, origins):
    assert bodies(start("", several(origins)), 6) == "012012"


def test_weights_are_spread_smoothly(start, origins):
    servers = [{"url": origins[0].url, "weight": 3}, {"url": origins[1].url}, origins[2].url]
    gateway = start("", {"origin": {"url": None, "servers": servers}})
    assert bodies(gateway, 10) == "0102001020"


def test_least_connections_avoids_the_busy(start, origins):
    release = threading.Event()
    origins[0].on("/slow", lambda *_: release.wait(20) and None or Reply("slow"))
    gateway = start("", several(origins, balance="least_connections"))
    with gateway.client() as client:
        client.request("GET", "/slow")
        wait_until(lambda: origins[0].count("/slow"), "the slow request at server 0")
        assert set(bodies(gateway, 6)) == {"1", "2"}
        release.set()
        assert client.read().body == b"slow"


def test_refused_connection_goes_to_another_server(start, origins):
    gateway = start("", several(origins))
    origins[1].down()
    assert set(bodies(gateway, 6)) == {"0", "2"}
    assert states(gateway) == ["up", "ejected", "up"]
    assert gateway.metric("nearedge_upstream_up", zone="example.test", origin="0", server="1") == 0
    assert gateway.metric("nearedge_upstream_up", zone="example.test", origin="0", server="0") == 1
    assert gateway.metric("nearedge_upstream_retries_total") == 1


def test_post_with_a_body_goes_elsewhere_when_nothing_was_sent(start, origins):
    gateway = start("", several(origins))
    origins[0].down()
    body = b"x" * 200_000
    response = gateway.fetch("/", "POST", body=body)
    assert (response.status, response.body) == (200, b"1")
    assert origins[1].last().length == len(body)


def test_post_that_was_sent_is_not_sent_again(start, origins):
    for server in origins:
        server.default = lambda _, connection: connection.close()
    gateway = start("", several(origins))
    assert gateway.fetch("/", "POST", body=b"x").status == 520
    assert sum(server.count() for server in origins) == 1


def test_get_whose_connection_dies_goes_to_another_server(start, origins):
    origins[0].default = lambda _, connection: connection.reset()
    gateway = start("", several(origins, retry={"tries": 3}))
    response = gateway.fetch("/")
    assert (response.status, response.body) == (200, b"1")


def test_nothing_is_tried_again_after_bytes_were_given(start, origins):
    def half(_, connection):
        connection.send(Reply(length=100).head() + b"some")
        connection.close()

    origins[0].default = half
    gateway = start("", several(origins))
    with gateway.client() as client:
        client.request("GET", "/")
        assert client.read_head().status == 200
        assert client.read_to_end() == b"some"
    assert origins[1].count() == origins[2].count() == 0


def test_one_try_when_retries_are_off(start, origins):
    gateway = start("", several(origins, retry={"tries": 1}, max_fails=0))
    origins[0].down()
    assert [gateway.fetch("/").status for _ in range(3)] == [521, 200, 200]


def test_budget_bounds_what_is_tried_again(start, origins):
    """With no budget but one a second, a burst of failures is retried once."""
    gateway = start("", several(origins, max_fails=0, retry={"budget_percent": 0, "min_per_second": 1}))
    origins[0].down()
    statuses = [gateway.fetch("/").status for _ in range(9)]
    assert statuses.count(521) >= 2, statuses
    gateway.advance(1000)
    statuses = [gateway.fetch("/").status for _ in range(3)]
    assert 521 not in statuses, statuses


def test_ejected_server_comes_back_after_its_time(start, origins):
    gateway = start("", several(origins, fail_timeout_ms=30_000))
    origins[2].down()
    bodies(gateway, 6)
    assert states(gateway) == ["up", "up", "ejected"]
    origins[2].up()
    assert "2" not in bodies(gateway, 6)
    gateway.advance(30_000)
    assert bodies(gateway, 6).count("2") == 2
    assert states(gateway) == ["up", "up", "up"]


def test_server_that_fails_its_trial_stays_out(start, origins):
    gateway = start("", several(origins, fail_timeout_ms=30_000))
    origins[2].down()
    bodies(gateway, 6)
    gateway.advance(30_000)
    assert "2" not in bodies(gateway, 6)
    assert states(gateway)[2] == "ejected"


def test_chosen_statuses_count_as_failures(start, origins):
    origins[1].default = Reply("sick", status=503)
    gateway = start("", several(origins, max_fails=2, fail_status=[503]))
    statuses = [gateway.fetch("/").status for _ in range(6)]
    assert statuses == [200, 503, 200, 200, 503, 200]
    assert set(bodies(gateway, 6)) == {"0", "2"}
    assert gateway.api_json("/api/upstreams")["upstreams"][0]["servers"][1]["reason"] == "status 503"


def test_read_timeout_counts_and_is_not_tried_again(start, origins):
    release = threading.Event()
    origins[0].default = lambda *_: release.wait(20) and None
    gateway = start("", several(origins, read_timeout_ms=150))
    assert gateway.fetch("/").status == 524
    assert states(gateway) == ["ejected", "up", "up"]
    release.set()


def test_backup_is_asked_only_when_all_others_are_down(start, origins):
    servers = [origins[0].url, origins[1].url, {"url": origins[2].url, "backup": True}]
    gateway = start("", {"origin": {"url": None, "servers": servers, "retry": {"tries": 3}}})
    assert bodies(gateway, 4) == "0101"
    origins[0].down()
    origins[1].down()
    assert bodies(gateway, 4) == "2222"


def test_all_down_tells_the_error_and_recovers_at_once(start, origins):
    """The virtual clock stands still: no time-out can end, and still the first server that is back serves."""
    gateway = start("", several(origins))
    for server in origins:
        server.down()
    assert {gateway.fetch("/").status for _ in range(6)} == {521}
    assert states(gateway) == ["ejected"] * 3
    origins[1].up()
    wait_until(lambda: gateway.fetch("/").status == 200, "a server to be back")
    assert bodies(gateway, 3) == "111"


def test_single_server_is_never_left_out(start, origin):
    gateway = start(origin)
    origin.down()
    assert [gateway.fetch("/").status for _ in range(3)] == [521] * 3
    assert states(gateway) == ["up"]
    origin.up()
    assert gateway.fetch("/").status == 200


# ---- health checks

def health(origins, **settings):
    return several(origins, health={"path": "/api/health", "interval_ms": 5000, "json_status": ["ok", "degraded"],
                                    "rise": 2, "fall": 2, **settings})


def answers(server, body, status=200):
    server.on("/api/health", Reply(json.dumps(body), status=status, content_type="application/json"))


def probes(gateway):
    return [server["probe"] for server in gateway.api_json("/api/upstreams")["upstreams"][0]["servers"]]


def next_probe(gateway, origins):
    """Moves the clock by an interval and waits for the probe of each server."""
    before = [server.count("/api/health") for server in origins]
    gateway.advance(5000)
    wait_until(lambda: all(server.count("/api/health") > count for server, count in zip(origins, before)), "a probe of each server")


def test_probes_take_out_and_bring_back(start, origins):
    for server in origins:
        answers(server, {"status": "ok"})
    answers(origins[1], {"status": "degraded"})
    answers(origins[2], {"status": "unhealthy"}, status=503)
    gateway = start("", health(origins))
    wait_until(lambda: probes(gateway) == ["up", "up", "down"], "the first probes")
    assert set(bodies(gateway, 6)) == {"0", "1"}
    assert origins[0].last("/api/health").get("Host") == origins[0].address
    answers(origins[2], {"status": "ok"})
    next_probe(gateway, origins)
    assert set(bodies(gateway, 6)) == {"0", "1"}, "one good probe of two is not enough"
    next_probe(gateway, origins)
    wait_until(lambda: probes(gateway) == ["up"] * 3, "server 2 to be back")
    assert set(bodies(gateway, 6)) == {"0", "1", "2"}


def test_status_word_that_is_not_listed_is_down(start, origins):
    for server in origins:
        answers(server, {"status": "ok"})
    answers(origins[0], {"status": "unhealthy"})
    gateway = start("", health(origins))
    wait_until(lambda: probes(gateway) == ["down", "up", "up"], "the first probes")
    assert gateway.api_json("/api/upstreams")["upstreams"][0]["servers"][0]["reason"] == 'health status "unhealthy"'


def test_probe_that_hangs_is_down(start, origins):
    release = threading.Event()
    for server in origins:
        answers(server, {"status": "ok"})
    origins[0].on("/api/health", lambda *_: release.wait(20) and None)
    gateway = start("", health(origins, timeout_ms=100))
    wait_until(lambda: probes(gateway) == ["down", "up", "up"], "the first probes")
    release.set()


def test_probes_do_not_count_as_requests_and_stop_with_their_configuration(start, origins):
    for server in origins:
        answers(server, {"status": "ok"})
    gateway = start("", health(origins))
    wait_until(lambda: probes(gateway) == ["up"] * 3, "the first probes")
    assert gateway.metric("nearedge_upstream_attempts_total") == 0
    config = gateway.config
    del config["zones"][0]["origin"]["health"]
    gateway.write_config(config)
    gateway.hang_up()
    wait_until(lambda: "configuration reloaded" in gateway.log(), "the reload")
    before = [server.count("/api/health") for server in origins]
    gateway.advance(60_000)
    bodies(gateway, 6)
    assert [server.count("/api/health") for server in origins] == before


# ---- rules

def test_first_rule_that_fits_decides(start, origins):
    zone = {"origin": {"url": origins[0].url}, "origin_rules": [
        {"name": "images", "expression": 'starts_with(http.request.uri.path, "/r2/")', "origin": origins[1].url,
         "host_header": "bucket.example"},
        {"expression": 'http.request.uri.path contains "r2"', "origin": {"servers": [origins[2].url]}},
        {"expression": 'http.request.uri.path eq "/vhost"', "host_header": "inner.example"}]}
    gateway = start("", zone)
    assert bodies(gateway, 1, "/r2/a.png") == "1"
    assert origins[1].last().get("Host") == "bucket.example"
    assert bodies(gateway, 1, "/x/r2") == "2"
    assert origins[2].last().get("Host") == "www.example.test"
    assert bodies(gateway, 1, "/vhost") == "0"
    assert origins[0].last().get("Host") == "inner.example"
    assert bodies(gateway, 1, "/") == "0"
    assert origins[0].last().get("Host") == "www.example.test"
    names = [upstream["origin"] for upstream in gateway.api_json("/api/upstreams")["upstreams"]]
    assert names == ["origin", "images", 'http.request.uri.path contains "r2"']
    trace = gateway.api_json("/api/explain", "POST", {"url": "http://www.example.test/r2/a.png"})
    explained = json.dumps(trace)
    assert '"origin_rule": "images"' in explained and '"host_header": "bucket.example"' in explained

# SPDX-License-Identifier: Apache-2.0
"""Counters in a real Redis Cluster: exact, whatever node a key lives on and while its slot moves; a node that is lost
concerns its own keys only."""
import threading
import time

import pytest
from edge import Burst, Pressure, RedisCluster, Reply, in_parallel, wait_until
from edge.redis_cluster import slot_of

PATH = "/api/ai-image/generate"
MIGRATED = "/api/migrated"
LIMITERS = {"limiters": [{"name": "aiGenerate", "limit": 15, "window_ms": 60000, "store": "durable_object", "key": "${ip}"},
                         {"name": "migrated", "limit": 600, "window_ms": 600000, "store": "durable_object", "key": "${ip}"},
                         {"name": "placed", "limit": 15, "window_ms": 60000, "store": "memory", "key": "${ip}"}],
            "routes": [{"methods": ["POST"], "path": PATH, "limiter": "aiGenerate"},
                       {"methods": ["POST"], "path": MIGRATED, "limiter": "migrated"},
                       {"methods": ["POST"], "path": "/api/placed", "limiter": "placed"}]}
DEADLINE_S, SLACK_S = 0.150, 0.250  # LIMITER_DEADLINE_MS; what a loop's tick and a busy machine add


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """Three masters, a replica behind the first."""
    cluster = RedisCluster(tmp_path_factory.mktemp("cluster"), masters=3, replicas=1)
    try:
        yield cluster.start()
    finally:
        cluster.stop()


@pytest.fixture(scope="module")
def on_cluster(shared_start, shared_origin, cluster):
    """begin(policy="deny", backend=None, **options): a gateway with its counters in the cluster, which it has found."""
    shared_origin.default = Reply('{"success":true}', content_type="application/json")

    def begin(policy="deny", backend=None, **options):
        gateway = shared_start(shared_origin, limiters=LIMITERS, clock="system", trusted_proxies=["127.0.0.1/32"],
                               limiter={"backend": backend or cluster.url, "on_backend_failure": policy}, **options)
        wait_until(lambda: gateway.metric("nearedge_backend_up") == 1, "the gateway to find the cluster")
        return gateway

    return begin


@pytest.fixture(scope="module")
def pair(on_cluster):
    return on_cluster(workers=2), on_cluster(workers=2)


def post(gateway, ip, path=PATH, **headers):
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    return gateway.fetch(path, "POST", {"CF-Connecting-IP": ip, **headers}, body=b"{}")


def statuses(gateway, count, ip, path=PATH):
    return [post(gateway, ip, path).status for _ in range(count)]


def addresses_of(cluster, node, net, count):
    """Client addresses whose counters live on the node."""
    found = [f"198.51.{net}.{n}" for n in range(256)]
    return [ip for ip in found if cluster.owner(ip) is node][:count]


def test_fifteen_of_four_hundred_over_two_processes(cluster, pair):
    burst = Burst(pair, 400, lambda number: {"X-Nearedge-Edge": ("FRA", "AMS")[number % 2]})
    ips = [ip for node in cluster.masters for ip in addresses_of(cluster, node, 1, 2)]
    for ip in ips:
        seen = burst.fire(PATH, **{"CF-Connecting-IP": ip})
        assert (seen.count(200), seen.count(429)) == (15, 385), ip
        assert cluster.owner(ip).command("HGET", f"rl:aiGenerate:{{{ip}}}", "c") == "15"
    burst.close()


def test_a_plain_url_finds_the_whole_cluster(cluster, on_cluster, pair):
    gateway = on_cluster(backend=f"redis://{cluster.masters[1].address}")
    for node in cluster.masters:
        ip = addresses_of(cluster, node, 2, 1)[0]
        assert statuses(gateway, 10, ip) == [200] * 10
        assert statuses(pair[0], 6, ip) == [200] * 5 + [429]


def test_a_reset_reaches_the_other_process_from_every_node(cluster, pair):
    for node in cluster.masters:
        ip = addresses_of(cluster, node, 3, 1)[0]
        assert statuses(pair[0], 16, ip)[-1] == 429
        assert post(pair[1], ip).status == 429
        answer = pair[1].api_json("/api/admin/rate-limits/reset", "POST", {"name": "aiGenerate", "key": ip})
        assert answer == {"success": True, "data": {"ok": True}}
        wait_until(lambda ip=ip: post(pair[0], ip).status == 200, "the other process to forget")


def test_listing_and_resets_over_all_nodes(cluster, pair):
    ips = [addresses_of(cluster, node, 4, 1)[0] for node in cluster.masters]
    for ip in ips:
        for edge in ("FRA", "AMS"):
            assert post(pair[0], ip, "/api/placed", X_Nearedge_Edge=edge).status == 200

    def listed():
        state = pair[1].api_json("/api/admin/rate-limits/state?name=placed")["data"]["state"]["placed"]
        return sorted((entry["key"], entry["edge"], entry["count"]) for entry in state["entries"])

    assert listed() == sorted((ip, edge, 1) for ip in ips for edge in ("FRA", "AMS"))
    answer = pair[1].api_json("/api/admin/rate-limits/reset", "POST", {"name": "placed", "key": ips[1]})
    assert answer["data"] == {"ok": True}
    assert listed() == sorted((ip, edge, 1) for ip in (ips[0], ips[2]) for edge in ("FRA", "AMS"))


def test_a_slot_moves_while_its_key_is_counted(cluster, pair):
    """600 of 800 are admitted although the key goes from node to node: ASK on the way, MOVED afterwards."""
    ip = addresses_of(cluster, cluster.masters[0], 5, 1)[0]
    source, target, slot = cluster.masters[0], cluster.masters[1], slot_of(ip)
    seen, counting = [], threading.Lock()

    def ask(gateway):
        for _ in range(200):
            status = post(gateway, ip, MIGRATED).status
            with counting:
                seen.append(status)

    def migrate():
        wait_until(lambda: len(seen) > 100, "counting to begin")
        cluster.open_slot(slot, source, target)
        assert cluster.move_keys(slot, source, target) == [f"rl:migrated:{{{ip}}}"]
        at = len(seen)
        wait_until(lambda: len(seen) > at + 100, "counting to go on through ASK")
        cluster.close_slot(slot, source, target)

    in_parallel(*[lambda n=n: ask(pair[n % 2]) for n in range(4)], migrate)
    assert (seen.count(200), seen.count(429)) == (600, 200)
    after = source.command("INFO", "errorstats")
    assert "errorstat_ASK" in after and "errorstat_MOVED" in after, after
    assert target.command("HGET", f"rl:migrated:{{{ip}}}", "c") == "600"
    cluster.open_slot(slot, target, source)
    cluster.move_keys(slot, target, source)
    cluster.close_slot(slot, target, source)
    answer = pair[0].api_json("/api/admin/rate-limits/reset", "POST", {"name": "migrated", "key": ip})
    assert answer["data"] == {"ok": True}
    wait_until(lambda: post(pair[1], ip, MIGRATED).status == 200, "the other process to forget")


POLICIES = {"memory": {200, 429}, "allow": {200}, "deny": {503}}  # and what clients see of it


def press(gateway, ips):
    return Pressure(gateway, PATH, lambda thread, n: {"CF-Connecting-IP": ips[n % len(ips)]}, threads=2)


def check_the_loss(cluster, gateways, victim, other):
    """Kills the victim under load: the policy answers for its slots within the deadline, the rest goes on in Redis."""
    lost = {policy: press(gateways[policy], addresses_of(cluster, victim, 6 + n, 80)) for n, policy in enumerate(POLICIES)}
    kept = {policy: press(gateways[policy], addresses_of(cluster, other, 6 + n, 80)) for n, policy in enumerate(POLICIES)}
    for pressure in [*lost.values(), *kept.values()]:
        wait_until(lambda pressure=pressure: len(pressure.answers) > 5, "some requests before")
    struck = time.monotonic()
    victim.kill()
    for pressure in lost.values():
        wait_until(lambda pressure=pressure: len(pressure.since(struck + 0.3)) > 20, "some requests after")
    for policy, seen in POLICIES.items():
        answers, others = lost[policy].stop(), kept[policy].stop()
        assert {a.status for a in answers if a.began > struck + 0.1} <= seen | {429}, policy
        assert max(a.seconds for a in answers + others) < DEADLINE_S + SLACK_S + lost[policy].late_s
        assert {a.status for a in others} <= {200, 429}, policy


def check_the_outage(cluster, gateways, victim, other):
    answers = {"memory": [200] * 15 + [429], "allow": [200] * 16, "deny": [503] * 16}
    for number, (policy, gateway) in enumerate(gateways.items()):
        assert statuses(gateway, 16, addresses_of(cluster, victim, 20, 3)[number]) == answers[policy]
        fresh = addresses_of(cluster, other, 20, 3)[number]
        assert statuses(gateway, 16, fresh) == [200] * 15 + [429]
        assert other.command("HGET", f"rl:aiGenerate:{{{fresh}}}", "c") == "15"
        assert gateway.metric("nearedge_backend_up") == 0
        ready = gateway.readyz()
        assert ready.status == 200 and victim.address.encode() in ready.body, "two nodes of three still serve"


def check_that_all_refuse(cluster, gateway, other):
    """With cluster-require-full-coverage the other nodes refuse, too; then no request waits for each refusal."""
    ips = [addresses_of(cluster, node, 21, 1)[0] for node in (cluster.masters[0], other)]
    alive = [node for node in cluster.nodes if node.process]
    for node in alive:
        node.command("CONFIG", "SET", "cluster-require-full-coverage", "yes")
    wait_until(lambda: not other.is_ok(), "the cluster to be down")
    for ip in ips:
        wait_until(lambda ip=ip: post(gateway, ip).status == 503, "the policy to answer")
    wait_until(lambda: gateway.readyz().status == 503, "the gateway to say that it is not ready")
    began = time.monotonic()
    assert set(statuses(gateway, 20, ips[0])) == {503}
    assert time.monotonic() - began < 20 * DEADLINE_S, "some of them did not wait"
    for node in alive:
        node.command("CONFIG", "SET", "cluster-require-full-coverage", "no")
    for ip in ips:
        wait_until(lambda ip=ip: post(gateway, ip).status == 200, "the other nodes to be used again")


def test_a_lost_master_concerns_its_own_keys(cluster, on_cluster):
    """No replica stands behind it."""
    gateways = {policy: on_cluster(policy) for policy in POLICIES}
    victim, other = cluster.masters[2], cluster.masters[1]
    check_the_loss(cluster, gateways, victim, other)
    check_the_outage(cluster, gateways, victim, other)
    check_that_all_refuse(cluster, gateways["deny"], other)
    cluster.restart(victim)
    for number, gateway in enumerate(gateways.values()):
        wait_until(lambda gateway=gateway: gateway.metric("nearedge_backend_up") == 1, "the node to be found again")
        back = addresses_of(cluster, victim, 22, 3)[number]
        assert statuses(gateway, 16, back) == [200] * 15 + [429]
        assert victim.command("HGET", f"rl:aiGenerate:{{{back}}}", "c") == "15"


def test_a_replica_takes_over(cluster, pair):
    """Last, since roles change: counters go on where the replica has them; until it is promoted the policy answers."""
    victim, heir = cluster.masters[0], cluster.replicas[0]
    ip = addresses_of(cluster, victim, 50, 1)[0]
    fresh = addresses_of(cluster, victim, 51, 40)
    assert statuses(pair[0], 10, ip) == [200] * 10
    wait_until(lambda: heir.command("DBSIZE") == victim.command("DBSIZE"), "the replica to have it all")
    pressure = Pressure(pair[0], PATH, lambda thread, n: {"CF-Connecting-IP": fresh[n % 40]})
    victim.kill()
    wait_until(lambda: pair[0].metric("nearedge_backend_up") == 0, "the loss to be noticed")
    wait_until(lambda: all(gateway.metric("nearedge_backend_up") == 1 for gateway in pair), "the replica to be used")
    answers = pressure.stop()
    assert {answer.status for answer in answers} <= {200, 429, 503}
    assert max(answer.seconds for answer in answers) < DEADLINE_S + SLACK_S + pressure.late_s
    assert statuses(pair[1], 6, ip) == [200] * 5 + [429]
    assert heir.command("HGET", f"rl:aiGenerate:{{{ip}}}", "c") == "15"

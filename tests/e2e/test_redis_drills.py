# SPDX-License-Identifier: Apache-2.0
"""What happens to a Redis in production, under load, for each failure policy at once.

| drill | memory | allow | deny |
|---|---|---|---|
| kill -9, then a new server | counted here | admitted | 503, Retry-After: 1 |
| SIGSTOP, then SIGCONT | the same, after the deadline | the same | the same |
| SCRIPT FLUSH | nothing: the script is sent again | nothing | nothing |
| the password changes | the same as kill -9, until it is right again | … | … |
| the server is demoted, a primary with its data follows at its address | the same as kill -9 | … | … |

Never a 500, and no request takes longer than the call's deadline and a little; what Redis counted before counts after,
unless it was lost there."""
import signal
import time

import pytest
from edge import Pressure, Redis, Reply, wait_until

PATH = "/api/ai-image/generate"
LIMITERS = {"limiters": [{"name": "aiGenerate", "limit": 15, "window_ms": 60000, "store": "durable_object", "key": "${ip}"}],
            "routes": [{"methods": ["POST"], "path": PATH, "limiter": "aiGenerate"}]}
ALLOWED = {"memory": {200, 429}, "allow": {200, 429}, "deny": {200, 429, 503}}
DEADLINE_S, SLACK_S = 0.150, 0.250  # LIMITER_DEADLINE_MS; a tick of the loop and a busy machine
SWITCH_S = 0.250


class Drill:
    """Three gateways, one for each policy, on one Redis, and the load on them."""

    def __init__(self, start, origin, redis):
        self.redis, self.nets, self.pressures = redis, 0, {}
        self.gateways = {policy: start(origin, limiters=LIMITERS, clock="system", trusted_proxies=["127.0.0.1/32"],
                                       limiter={"backend": redis.url, "on_backend_failure": policy}) for policy in ALLOWED}
        self.wait_until_up()

    def wait_until_up(self):
        for gateway in self.gateways.values():
            wait_until(lambda gateway=gateway: gateway.metric("nearedge_backend_up") == 1, "the backend to be up")

    def post(self, gateway, ip):
        return gateway.fetch(PATH, "POST", {"CF-Connecting-IP": ip}, body=b"{}").status

    def begin(self):
        """Load by clients that are new with each request, and one of each thread that is long over its limit."""
        self.nets += 1
        net = self.nets

        def headers(thread, n):
            who = f"10.{net}.{thread}.1" if n % 4 == 3 else f"10.{net}.{100 + thread}.{n % 250}"
            return {"CF-Connecting-IP": who}

        self.pressures = {policy: Pressure(gateway, PATH, headers, threads=2)
                          for policy, gateway in self.gateways.items()}
        self.wait_for_answers(0, 40)
        return time.monotonic()

    def wait_for_answers(self, moment, count):
        for pressure in self.pressures.values():
            wait_until(lambda pressure=pressure: len(pressure.since(moment)) >= count, "answers")

    def wait_for_the_policy(self):
        wait_until(lambda: any(a.status == 503 for a in list(self.pressures["deny"].answers)), "the policy to answer")
        self.wait_for_answers(time.monotonic(), 40)

    def end(self):
        """Holds every answer to what the drill allows; {policy: answers}."""
        answers = {policy: pressure.stop() for policy, pressure in self.pressures.items()}
        for policy, all_of_it in answers.items():
            assert {a.status for a in all_of_it} <= ALLOWED[policy], policy
            assert max(a.seconds for a in all_of_it) < DEADLINE_S + SLACK_S + self.pressures[policy].late_s, policy
        return answers

    def assert_switched(self, struck):
        """From the blow to the first answer by the policy that a client saw."""
        deny = self.pressures["deny"]
        first = min(a.began + a.seconds for a in deny.answers if a.status == 503)
        assert first - struck < SWITCH_S + deny.late_s

    def wait_until_told(self, struck, reason):
        """The policy answers in time, and /readyz says why."""
        self.wait_for_the_policy()
        self.assert_switched(struck)
        gateway = self.gateways["deny"]
        wait_until(lambda: reason in gateway.readyz().body, "the reason to be told")
        assert gateway.readyz().status == 503

    def is_counting(self, ip):
        """All three count in Redis again, as one."""
        assert [self.post(gateway, ip) for gateway in self.gateways.values()] == [200] * 3
        assert self.redis.command("HGET", f"rl:aiGenerate:{ip}", "c") == "3"


@pytest.fixture(scope="module")
def drill(shared_start, shared_origin, tmp_path_factory):
    shared_origin.default = Reply('{"success":true}', content_type="application/json")
    redis = Redis(tmp_path_factory.mktemp("redis")).start()
    yield Drill(shared_start, shared_origin, redis)
    redis.stop()


def test_kill_9_and_a_new_server(drill):
    struck = drill.begin()
    drill.redis.stop()
    drill.wait_for_the_policy()
    drill.assert_switched(struck)
    drill.redis.start()
    drill.wait_until_up()
    drill.end()
    drill.is_counting("192.0.2.1")


def test_a_server_that_hangs_and_wakes(drill):
    struck = drill.begin()
    drill.redis.process.send_signal(signal.SIGSTOP)
    try:
        drill.wait_for_the_policy()
    finally:
        drill.redis.process.send_signal(signal.SIGCONT)
    drill.assert_switched(struck)
    drill.wait_until_up()
    drill.end()
    drill.is_counting("192.0.2.2")


def test_script_flush_is_nothing(drill):
    drill.begin()
    for _ in range(5):
        drill.redis.command("SCRIPT", "FLUSH")
        drill.wait_for_answers(time.monotonic(), 10)
    answers = drill.end()
    assert {a.status for all_of_it in answers.values() for a in all_of_it} <= {200, 429}
    drill.is_counting("192.0.2.3")


def test_a_password_that_is_wrong(drill):
    struck = drill.begin()
    drill.redis.command("CONFIG", "SET", "requirepass", "another")
    drill.redis.session("AUTH another", "CLIENT KILL TYPE normal SKIPME yes", "CLIENT KILL TYPE pubsub")
    drill.wait_until_told(struck, b"NOAUTH")
    drill.redis.session("AUTH another", "CONFIG SET requirepass ''")
    drill.wait_until_up()
    drill.end()
    drill.is_counting("192.0.2.4")


def test_failover_at_the_same_address(drill):
    """Demoted, the server takes connections and refuses writes: that is away, not well. A primary with its data follows."""
    drill.is_counting("192.0.2.5")
    struck = drill.begin()
    drill.redis.command("REPLICAOF", "127.0.0.1", "1")
    drill.wait_until_told(struck, b"read-only replica")
    drill.redis.command("SAVE")
    drill.redis.stop()
    drill.redis.start()
    drill.wait_until_up()
    drill.end()
    assert drill.redis.command("HGET", "rl:aiGenerate:192.0.2.5", "c") == "3"
    drill.is_counting("192.0.2.6")

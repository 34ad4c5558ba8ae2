#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Attacks at full size, with figures: what other clients notice, and what the gateway's memory does.

    NEAREDGE_BIN=build/release/nearedge tests/hardening.py [--seconds 10] [--workers 1] [--reloads 1000] [--shared] [NAME...]

Calm and attacked are measured in the same run, in turns; a row says by what factor the 99th percentile of a patient client
rose, and "ok" when that is at most 1.5 or less than a millisecond. The client asks 200 times a second, half the time on a
new connection.

The gateway has a core of its own, attackers, origin and client have the others, and gateway and client go before everybody else
there where that is allowed (root): otherwise a row measures how Linux schedules a flood, not what the gateway does. `--shared`
leaves all that out. The columns "waits" say how long the gateway was ready to run and did not, in milliseconds a second of calm and of attack
(schedstat): what the machine, not the gateway, made others wait."""
import argparse
import os
import resource
import statistics
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "e2e"))
from edge import Gateway, Origin, Reply, wait_until  # noqa: E402
from edge.attack import Child, go_first, latencies, percentile  # noqa: E402
from edge.gateway import make_config  # noqa: E402

MIB, FACTOR, NOTHING_MS, POLITE, RATE = 1 << 20, 1.5, 1.0, 10, 200
ATTACKS = [("slow_head", 2000), ("slow_body", 1000), ("slow_reader", 500), ("fast_reader", 20), ("idle", 10000), ("connection_flood", 50),
           ("request_flood", 16), ("h2_flood", 16), ("garbage", 20)]


def rss_kib(pid):
    with open(f"/proc/{pid}/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * resource.getpagesize() // 1024


def waited_ms(pid):
    """Of all threads, for a core while they could have run."""
    total = 0
    for thread in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{thread}/schedstat", encoding="ascii") as file:
            total += int(file.read().split()[1])
    return total / 1e6


def keep_apart(pid):
    """The gateway on the last core; this process, the origin with it, and its children on the others, attackers politely."""
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        return
    for thread in os.listdir(f"/proc/{pid}/task"):
        os.sched_setaffinity(int(thread), cores[-1:])
        go_first(int(thread))
    os.sched_setaffinity(0, cores[:-1])
    for thread in os.listdir("/proc/self/task"):
        os.sched_setaffinity(int(thread), cores[:-1])
        os.setpriority(os.PRIO_PROCESS, int(thread), POLITE)


def start(folder, workers):
    origin = Origin()
    origin.default = Reply("x" * 200, cache_control="max-age=86400")
    origin.on("/big", Reply(b"x" * 4 * MIB))
    origin.on("/big.css", Reply(b"x" * 4 * MIB, cache_control="max-age=86400"))
    gateway = Gateway(folder, make_config(origin, log={"access": "off"}, workers=workers, limits={"connections": 15000},
                                          listen=[{"address": "127.0.0.1:0", "edge": "FRA", "h2c": True}])).start()
    for path in ("/probe.css", "/small.css", "/big.css"):
        gateway.fetch(path)
    return origin, gateway


def attack(gateway, name, count, seconds):
    """[row, did it hold]: calm and attacked in turns, so that other load on the machine meets both."""
    calm, attacked, before = [], [], rss_kib(gateway.pid)
    grown, waits = 0, [0.0, 0.0]
    for _ in range(3):
        mark = waited_ms(gateway.pid)
        calm += latencies(gateway.address, seconds / 6)
        waits[0] += waited_ms(gateway.pid) - mark
        mark = waited_ms(gateway.pid)
        with Child("probe", gateway.address, RATE) as probe, Child(name, gateway.address, count) as child:
            time.sleep(seconds / 6)
            attacked += probe.stop()["ms"]  # from before the first blow: some attacks are over when all are connected
            waits[1] += waited_ms(gateway.pid) - mark
            grown = max(grown, rss_kib(gateway.pid) - before)
            alive = child.process.poll() is None
        wait_until(lambda: gateway.metric("nearedge_connections") <= 2, "the attackers to be gone", 60)
    was, became = percentile(calm, 99), percentile(attacked, 99)
    holds = alive and (became <= FACTOR * was or became - was < NOTHING_MS)
    median = statistics.median(attacked) / statistics.median(calm)
    return f"{name:17} {count:6} {was:9.2f} {became:9.2f} {became / was:7.2f} {median:7.2f} {grown:9} {1024 * grown / count:10.0f} " \
           f"{2 * waits[0] / seconds:6.0f} {2 * waits[1] / seconds:6.0f}  " \
           f"{'ok' if holds else 'MORE'}", holds


def reload(gateway, count):
    """Reloads under a flood, each waited for: not one request fails, and memory stays."""
    gateway.fetch("/probe.css")
    before, began = rss_kib(gateway.pid), time.monotonic()
    with Child("request_flood", gateway.address, 4):
        for number in range(count):
            gateway.config["server_header"] = f"reload {number}"
            gateway.write_config(gateway.config)
            gateway.hang_up()
            wait_until(lambda n=number: gateway.fetch("/probe.css").get("Server") == f"reload {n}", "the reload")
    assert gateway.metric("nearedge_config_last_reload_successful") == 1
    return f"{count} reloads under load: {time.monotonic() - began:.1f} s, {rss_kib(gateway.pid) - before} KiB more"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=6)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--reloads", type=int, default=1000)
    parser.add_argument("--shared", action="store_true", help="everybody on every core")
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    held = True
    with tempfile.TemporaryDirectory() as folder:
        origin, gateway = start(folder, options.workers)
        if not options.shared:
            keep_apart(gateway.pid)
        print(f"load average {os.getloadavg()[0]:.1f}; descriptors {hard} (was {soft}); resident {rss_kib(gateway.pid)} KiB")
        print(f"{'attack':17} {'count':>6} {'calm p99':>9} {'attacked':>9} {'factor':>7} {'median':>7} {'KiB more':>9} {'bytes each':>10}"
              f" {'waits':>6} {'waits':>6}")
        for name, count in ATTACKS:
            if not options.names or name in options.names:
                row, holds = attack(gateway, name, count, options.seconds)
                held &= holds
                print(row, flush=True)
        if not options.names or "reload" in options.names:
            print(reload(gateway, options.reloads), flush=True)
        gateway.stop()
        origin.stop()
    sys.exit(0 if held else 4)


if __name__ == "__main__":
    main()

#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Attacks at full size, with figures: what other clients notice, and what the gateway's memory does.

    NEAREDGE_BIN=build/release/nearedge tests/hardening.py [--seconds 10] [--workers 1] [--reloads 1000] [NAME...]

Calm and attacked are measured in the same run, in turns; a row says by what factor the 99th percentile of a patient client
rose, and "ok" when that is at most 1.5 or less than a millisecond. The client asks 200 times a second, half the time on a
new connection. Attackers, client and gateway share this machine's cores, so a flood's row also measures their scheduling."""
import argparse
import os
import resource
import statistics
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "e2e"))
from edge import Gateway, Origin, Reply, wait_until  # noqa: E402
from edge.attack import Child, latencies, percentile  # noqa: E402
from edge.gateway import make_config  # noqa: E402

MIB, FACTOR, NOTHING_MS = 1 << 20, 1.5, 1.0
ATTACKS = [("slow_head", 2000), ("slow_body", 1000), ("slow_reader", 500), ("fast_reader", 20), ("idle", 10000), ("connection_flood", 50),
           ("request_flood", 16), ("garbage", 20)]


def rss_kib(pid):
    with open(f"/proc/{pid}/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * resource.getpagesize() // 1024


def start(folder, workers):
    origin = Origin()
    origin.default = Reply("x" * 200, cache_control="max-age=86400")
    origin.on("/big", Reply(b"x" * 4 * MIB))
    origin.on("/big.css", Reply(b"x" * 4 * MIB, cache_control="max-age=86400"))
    gateway = Gateway(folder, make_config(origin, log={"access": "off"}, workers=workers, limits={"connections": 15000})).start()
    for path in ("/probe.css", "/small.css", "/big.css"):
        gateway.fetch(path)
    return origin, gateway


def attack(gateway, name, count, seconds):
    """[row, did it hold]: calm and attacked in turns, so that other load on the machine meets both."""
    calm, attacked, before = [], [], rss_kib(gateway.pid)
    grown = 0
    for _ in range(3):
        calm += latencies(gateway.address, seconds / 6)
        with Child(name, gateway.address, count) as child:
            attacked += latencies(gateway.address, seconds / 6)
            grown = max(grown, rss_kib(gateway.pid) - before)
            alive = child.process.poll() is None
        wait_until(lambda: gateway.metric("nearedge_connections") <= 2, "the attackers to be gone", 60)
    was, became = percentile(calm, 99), percentile(attacked, 99)
    holds = alive and (became <= FACTOR * was or became - was < NOTHING_MS)
    median = statistics.median(attacked) / statistics.median(calm)
    return f"{name:17} {count:6} {was:9.2f} {became:9.2f} {became / was:7.2f} {median:7.2f} {grown:9} {1024 * grown / count:10.0f}  " \
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
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    held = True
    with tempfile.TemporaryDirectory() as folder:
        origin, gateway = start(folder, options.workers)
        print(f"load average {os.getloadavg()[0]:.1f}; descriptors {hard} (was {soft}); resident {rss_kib(gateway.pid)} KiB")
        print(f"{'attack':17} {'count':>6} {'calm p99':>9} {'attacked':>9} {'factor':>7} {'median':>7} {'KiB more':>9} {'bytes each':>10}")
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

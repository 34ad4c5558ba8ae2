# SPDX-License-Identifier: Apache-2.0
"""Medians, ratios, and what people and programs read."""
import datetime
import os
import platform
import re
import statistics
import subprocess
from pathlib import Path

from harness.peers import OTHERS

COLUMNS = ["server", "CPU µs/req", "min–max", "× nearedge", "× best peer", "req/s", "p50", "p99", "MiB", "busy"]


def summarise(rounds):
    """The median of every figure, and the spread of the one that decides."""
    summary = {key: statistics.median(r[key] for r in rounds) for key in rounds[0]}
    cpu = [r["cpu_us"] for r in rounds]
    return {**summary, "cpu_us_min": min(cpu), "cpu_us_max": max(cpu), "rounds": rounds}


def add_ratios(results):
    """CPU time of each server over nearedge's and over the cheapest peer's."""
    peers = [results[name]["cpu_us"] for name in OTHERS if name in results]
    base = {"nearedge": results.get("nearedge", {}).get("cpu_us"), "best peer": min(peers, default=None),
            "floor": results.get("floor", {}).get("cpu_us")}
    for result in results.values():
        result["ratio"] = {name: result["cpu_us"] / value for name, value in base.items() if value}


def duration(us):
    return f"{us:.0f} µs" if us < 1000 else f"{us / 1000:.2f} ms"


def row(name, r):
    ratio = [f"{r['ratio'][k]:.2f}" if k in r["ratio"] else "-" for k in ("nearedge", "best peer")]
    return [name, f"{r['cpu_us']:.2f}", f"{r['cpu_us_min']:.2f}–{r['cpu_us_max']:.2f}", *ratio,
            f"{r['requests_per_s']:,.0f}", duration(r["p50_us"]), duration(r["p99_us"]),
            f"{r['memory_bytes'] / 2**20:.1f}", f"{r['busy']:.0%}"]


def print_table(workload, results, out):
    print(f"\n{workload.name}: {workload.what}", file=out)
    rows = [COLUMNS] + [row(name, r) for name, r in sorted(results.items(), key=lambda item: item[1]["cpu_us"])]
    widths = [max(len(r[i]) for r in rows) for i in range(len(COLUMNS))]
    for r in rows:
        cells = [r[0].ljust(widths[0])] + [cell.rjust(width) for cell, width in zip(r[1:], widths[1:])]
        print("  " + "  ".join(cells), file=out)
    idle = {name: r["idle_connection_bytes"] for name, r in results.items() if "idle_connection_bytes" in r}
    if idle:
        print("  memory of an idle kept connection: "
              + ", ".join(f"{name} {size / 1024:.1f} KiB" for name, size in idle.items()), file=out)
    for against, limit in workload.goals.items():
        ratio = results.get("nearedge", {}).get("ratio", {}).get(against)
        if ratio:
            print(f"  goal: at most {limit} × {against}: {ratio:.2f} {'met' if ratio <= limit else 'MISSED'}", file=out)


def machine():
    cpu = re.search(r"model name\s*:\s*(.*)", Path("/proc/cpuinfo").read_text())
    return {"cpu": cpu.group(1) if cpu else platform.machine(), "cores": os.cpu_count(), "kernel": platform.release(),
            "system": platform.freedesktop_os_release().get("PRETTY_NAME", platform.system())}


def commit(root):
    ran = subprocess.run(["git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=12"],
                         capture_output=True, text=True)
    return ran.stdout.strip() or "none"


def document(command, root, build_type, versions, settings, results):
    return {"when": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"), "command": command,
            "commit": commit(root), "build": build_type, "machine": machine(), "versions": versions,
            "settings": settings, "workloads": results}

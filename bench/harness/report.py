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


def summarise(rounds, figure):
    """The median of every figure, and the spread of the one that decides."""
    summary = {key: statistics.median(r[key] for r in rounds) for key in rounds[0]}
    values = [r[figure] for r in rounds]
    return {**summary, "min": min(values), "max": max(values), "rounds": rounds}


def add_ratios(results, figure):
    """The figure of each server over nearedge's and over the best peer's."""
    peers = [results[name][figure] for name in OTHERS if name in results]
    base = {"nearedge": results.get("nearedge", {}).get(figure), "best peer": min(peers, default=None),
            "floor": results.get("floor", {}).get(figure)}
    for result in results.values():
        result["ratio"] = {name: result[figure] / value for name, value in base.items() if value}


def duration(us):
    return f"{us:.0f} µs" if us < 1000 else f"{us / 1000:.2f} ms"


def ratio(name):
    return f"× {name}", lambda r: f"{r['ratio'][name]:.2f}" if name in r["ratio"] else "-"


def spread(form):
    return "min–max", lambda r: f"{form(r['min'])}–{form(r['max'])}"


RATE = ("req/s", lambda r: f"{r['requests_per_s']:,.0f}")
P50, P99 = ("p50", lambda r: duration(r["p50_us"])), ("p99", lambda r: duration(r["p99_us"]))
BUSY = ("busy", lambda r: f"{r['busy']:.0%}")
MEMORY = ("MiB", lambda r: f"{r['memory_bytes'] / 2**20:.1f}")
RATIOS = [ratio("nearedge"), ratio("best peer")]

# For each way of measuring: the figure that decides, and the columns.
TABLES = {
    "saturate": ("cpu_us", [("CPU µs/req", lambda r: f"{r['cpu_us']:.2f}"), spread(lambda v: f"{v:.2f}"), *RATIOS, RATE, P50, P99,
                            MEMORY, BUSY]),
    "paced": ("p99_us", [P99, spread(duration), *RATIOS, P50, RATE, BUSY]),
    "reload": ("p99_change", [("p99 reloading/quiet", lambda r: f"{r['p99_change']:.2f}"), spread(lambda v: f"{v:.2f}"), P99,
                              ("quiet", lambda r: duration(r["quiet_p99_us"])), ("reloads", lambda r: f"{r['reloads']:.0f}"),
                              ("broken connections", lambda r: f"{r['errors']:.0f}"), RATE]),
    "idle": ("connection_bytes", [("KiB/connection", lambda r: f"{r['connection_bytes'] / 1024:.2f}"),
                                  spread(lambda v: f"{v / 1024:.2f}"), *RATIOS, MEMORY]),
}


def judge(workload, results):
    """(goal, figure, met) of each goal that could be measured."""
    figure, own = TABLES[workload.measure][0], results.get("nearedge")
    for against, limit in workload.goals.items() if own else []:
        value = own[figure] if against == "value" else own["ratio"].get(against)
        if value is not None:
            yield f"at most {limit}" + ("" if against == "value" else f" × {against}"), value, value <= limit
    for variant, limit in workload.extras.items() if own else []:
        if variant in results:
            value = results[variant][figure] / own[figure]
            yield f"{variant.removeprefix('nearedge-')} at most {limit} × without", value, value <= limit


def print_table(workload, results, out):
    print(f"\n{workload.name}: {workload.what}", file=out)
    figure, columns = TABLES[workload.measure]
    rows = [["server", *[title for title, _ in columns]]]
    rows += [[name, *[text(r) for _, text in columns]] for name, r in sorted(results.items(), key=lambda item: item[1][figure])]
    widths = [max(len(r[i]) for r in rows) for i in range(len(rows[0]))]
    for r in rows:
        cells = [r[0].ljust(widths[0])] + [cell.rjust(width) for cell, width in zip(r[1:], widths[1:])]
        print("  " + "  ".join(cells), file=out)
    for goal, value, met in judge(workload, results):
        print(f"  goal: {goal}: {value:.2f} {'met' if met else 'MISSED'}", file=out)


def print_goals(workloads, results, out):
    """All goals once more, in one table at the end."""
    rows = [(w.name, *line) for w in workloads for line in judge(w, results[w.name])]
    if not rows:
        return
    print("\ngoals", file=out)
    for name, goal, value, met in rows:
        print(f"  {name:<20} {goal:<32} {value:>8.2f}  {'met' if met else 'MISSED'}", file=out)
    print(f"  {sum(row[3] for row in rows)} of {len(rows)} met", file=out)


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

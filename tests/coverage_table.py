#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""coverage_table.py SUMMARY.json MINIMUM: gcovr's summary by room, and the files with most uncovered lines."""
import collections
import json
import sys

GOALS = ("config/rules", "limiter", "cache", "gateway/http")
WORST = 12


def room_of(path):
    return path.rpartition("/")[0]


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        files = json.load(file)["files"]
    minimum = float(sys.argv[2])
    rooms = collections.defaultdict(lambda: [0, 0, 0])
    for entry in files:
        if not entry["line_total"]:
            continue
        room = rooms[room_of(entry["filename"])]
        room[0] += 1
        room[1] += entry["line_covered"]
        room[2] += entry["line_total"]
    print(f"{'room':20} {'files':>5} {'lines':>6} {'not run':>8} {'covered':>8}")
    below = []
    for name, (count, covered, total) in sorted(rooms.items()):
        percent = 100 * covered / total
        below += [name] if name in GOALS and percent < minimum else []
        print(f"{name:20} {count:5} {total:6} {total - covered:8} {percent:7.1f} %{'  below' if name in below else ''}")
    covered, total = (sum(room[i] for room in rooms.values()) for i in (1, 2))
    print(f"{'all':20} {sum(room[0] for room in rooms.values()):5} {total:6} {total - covered:8} {100 * covered / total:7.1f} %")
    print("\nmost lines that did not run:")
    for entry in sorted(files, key=lambda e: e["line_covered"] - e["line_total"])[:WORST]:
        missing = entry["line_total"] - entry["line_covered"]
        print(f"  {missing:4} of {entry['line_total']:4}  {entry['filename']}")
    missing = [name for name in GOALS if name not in rooms]
    if missing:
        print(f"no figures for {', '.join(missing)}", file=sys.stderr)
    return 1 if below or missing else 0


sys.exit(main())

#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# cppcheck and clang-tidy over the tree; both must be silent but for the suppressions beside this file, each with its
# reason. About ten minutes of one processor, so not part of tests/run.sh.
set -euo pipefail
cd "$(dirname "$0")/../.."

usage() {
    cat <<'END'
usage: tests/lint/static.sh [FILE.c...]
  FILE.c   only these, by clang-tidy only (without the check for suppressions that match nothing)
environment:
  STATIC_BUILD   a build with compile_commands.json [build/dev]; configured when it is not there
END
}
[[ ${1:-} == -h || ${1:-} == --help ]] && { usage; exit 0; }
for tool in cppcheck clang-tidy; do
    command -v $tool >/dev/null || { echo "static.sh: $tool is missing (deploy/install-deps.sh --analysis)" >&2; exit 2; }
done

build=${STATIC_BUILD:-build/dev}
jobs=$(nproc)
[ -e "$build/compile_commands.json" ] || cmake --preset dev -B "$build" >/dev/null
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# Files that a build makes are of no interest, and clang-tidy need not know GCC's own flags.
python3 - "$build/compile_commands.json" "$work" <<'END'
import json, os, re, sys

root = os.getcwd()
entries = [e for e in json.load(open(sys.argv[1])) if re.match(rf"{re.escape(root)}/(gateway|config|cache|limiter|bench/load)/", e["file"])]
with open(sys.argv[2] + "/compile_commands.json", "w") as out:
    json.dump(entries, out)
print(f"{len(entries)} files")
END

run_cppcheck() {
    mkdir -p "$work/cppcheck"
    cppcheck --project="$work/compile_commands.json" --cppcheck-build-dir="$work/cppcheck" -j "$jobs" --quiet --std=c11 \
        --enable=warning,performance,portability --suppress='*:/usr/*' --template='{file}:{line}: {message} [{id}]' 2>&1
}

run_tidy() {
    if [ $# -gt 0 ]; then printf '%s\n' "$@"; else find gateway config cache limiter bench/load -name '*.c' | sort; fi |
        xargs -P "$jobs" -n 4 clang-tidy -p "$work" --quiet 2>/dev/null | sed 's/,-warnings-as-errors\]$/]/'
}

# Prints the findings that no line "ID FILE  # why" takes back, and (for a whole run) the lines that take back nothing.
judge() { # TOOL SUPPRESSIONS WHOLE < FINDINGS
    python3 - "$@" <(cat) <<'END'
import os, re, sys

tool, name, whole, found = sys.argv[1], sys.argv[2], sys.argv[3] == "1", sys.argv[4]
known = {}
for line in open(name):
    text, _, why = line.partition("#")
    if text.strip():
        assert why.strip(), f"{name}: no reason: {line}"
        known[tuple(text.split())] = False
bad, count = set(), 0
for line in open(found, errors="replace"):
    match = re.match(r"(.+?):\d+(?::\d+)?: (?!note:).*\[([\w.,-]+)\]$", line.rstrip())
    if not match:
        continue
    path = os.path.relpath(match[1], os.getcwd())
    keys = [(check, path) for check in match[2].split(",")]
    used = [key for key in keys if key in known]
    for key in used:
        known[key] = True
    if not used:
        bad.add(line.rstrip().replace(os.getcwd() + "/", ""))
stale = [key for key, used in known.items() if whole and not used]
for line in sorted(bad):
    print(line)
for check, path in stale:
    print(f"{name}: {check} {path}: nothing matches it any more, remove it")
print(f"{tool}: {len(bad)} findings, {len(known)} suppressions", file=sys.stderr)
sys.exit(1 if bad or stale else 0)
END
}

failed=0
if [ $# -eq 0 ]; then
    run_cppcheck >"$work/cppcheck.out" || true
    judge cppcheck tests/lint/cppcheck.suppressions 1 <"$work/cppcheck.out" || failed=1
fi
run_tidy "$@" >"$work/tidy.out" || true
judge clang-tidy tests/lint/tidy.suppressions $(($# == 0)) <"$work/tidy.out" || failed=1
exit $failed

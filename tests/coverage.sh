#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Line coverage of each room by the unit tests, the fuzz corpora and the end-to-end suite together.
set -euo pipefail
cd "$(dirname "$0")/.."
. tests/command.sh

usage() {
    cat <<'END'
usage: tests/coverage.sh [--unit] [--report] [--html FOLDER] [--minimum PERCENT] [-- PYTEST ARGUMENTS]
  --unit        unit tests and corpora only
  --report      runs nothing: reports what earlier runs left in the build
  --html DIR    also every file with its lines, as pages
  --minimum N   exit 1 when config/rules, limiter, cache or gateway/http is below N % [90]
The build is build/coverage, or $NEAREDGE_COVERAGE_BUILD.
END
}

build=${NEAREDGE_COVERAGE_BUILD:-build/coverage}
want_run=1 want_e2e=1 html='' minimum=90
option() {
    case $1 in
    --unit) want_e2e=0 ;;
    --report) want_run=0 ;;
    --html) html=${2:?--html needs a folder} used=2 ;;
    --minimum) minimum=${2:?--minimum needs a number} used=2 ;;
    *) false ;;
    esac
}
read_options "$@"
need gcovr

if [ $want_run -eq 1 ]; then
    cmake --preset coverage -B "$build" >/dev/null
    cmake --build "$build" | without_progress
    find "$build" -name '*.gcda' -delete
    # A failing test is tests/run.sh's matter: here it only covers less.
    ctest --test-dir "$build" -L 'unit|fuzzreplay' -j "$(nproc)" --quiet || true
    if [ $want_e2e -eq 1 ]; then
        NEAREDGE_BIN=$(realpath "$build")/nearedge "$python" -m pytest tests/e2e -q -p no:cacheprovider "${pytest_arguments[@]}" |
            tail -3 || true
    fi
fi

report=$(mktemp)
trap 'rm -f "$report"' EXIT
# gcovr reads the sources from here; what a build left of other trees is filtered out.
gcovr --root . --object-directory "$build" --filter '(gateway|config|cache|limiter|bench/load)/' --exclude-unreachable-branches \
    --json-summary "$report" ${html:+--html-details "$html/index.html"} "$build"
"$python" tests/coverage_table.py "$report" "$minimum"

#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs what the tests need, builds one preset, runs lint, unit and end-to-end tests, and ends
# with one line of totals. Exit code 1 when anything failed or nothing ran.
set -uo pipefail
cd "$(dirname "$0")/.."
. tests/command.sh

usage() {
    cat <<'END'
usage: tests/run.sh [--preset release|asan|tsan|dev] [--unit] [--e2e] [-k EXPR] [-- PYTEST ARGUMENTS]
  --preset P   which build to test (default: release)
  --unit       lint, unit tests and fuzz corpora only
  --e2e        end-to-end tests only
  -k EXPR      end-to-end tests that match (pytest's -k)
END
}

preset=release want_unit=1 want_e2e=1 expression=
option() {
    case $1 in
    --preset) preset=${2:?--preset needs a name} used=2 ;;
    --preset=*) preset=${1#*=} ;;
    --unit) want_e2e=0 ;;
    --e2e) want_unit=0 ;;
    -k) expression=${2:?-k needs an expression} want_unit=0 used=2 ;;
    *) false ;;
    esac
}
read_options "$@"
[ $((want_unit + want_e2e)) -gt 0 ] || { echo "run.sh: --unit and --e2e together leave nothing" >&2; exit 2; }

results=$(mktemp -d)
extra_failures=0

# Whatever happens, the last line is the totals: a build that breaks is one failure.
finish() {
    "$python" tests/totals.py --extra-failures "$extra_failures" "$results"/*.xml
    local code=$?
    rm -rf "$results"
    exit $code
}
trap finish EXIT

fail() {
    echo "run.sh: $1" >&2
    extra_failures=$((extra_failures + 1))
}

deploy/install-deps.sh --tests || { fail "the packages that the tests need are not all there"; exit; }

build=build/$preset
guard=OFF # bench/guard counts instructions of what users run, and of nothing else
[ "$preset" = release ] && guard=ON
cmake --preset "$preset" -DNEAREDGE_TESTS=ON -DNEAREDGE_BENCH=$guard >"$results/configure.log" ||
    { cat "$results/configure.log"; fail "configuring $preset failed"; exit; }
if ! cmake --build --preset "$preset" >"$results/build.log"; then
    without_progress <"$results/build.log"
    fail "building $preset failed"
    exit
fi

# A report of a sanitizer ends the process with 86, which no test expects.
export ASAN_OPTIONS=detect_leaks=1:detect_stack_use_after_return=1:exitcode=86
export UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1:exitcode=86
export TSAN_OPTIONS=exitcode=86:suppressions=$PWD/tests/tsan.supp
export LSAN_OPTIONS=exitcode=86

if [ $want_unit -eq 1 ]; then
    ctest --test-dir "$build" --output-on-failure --parallel "$(nproc)" --no-tests=error \
        --label-exclude 'slow|bench' --output-junit "$results/ctest.xml" ||
        [ -s "$results/ctest.xml" ] || fail "ctest ran no test"
fi

if [ $want_e2e -eq 1 ]; then
    export NEAREDGE_BIN=$PWD/$build/nearedge
    "$python" -m pytest tests/e2e -q -p no:cacheprovider -ra --durations=5 \
        ${expression:+-k "$expression"} --junitxml "$results/pytest.xml" "${pytest_arguments[@]}"
    code=$?
    # 0 and 1 are told by the XML; anything else (no test, a usage error, an interrupt) is a failure of its own.
    [ $code -le 1 ] || fail "pytest ended with $code"
fi

#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# memcheck with leaks over the unit tests and a part of the end-to-end suite. AddressSanitizer sees more (tests/run.sh
# --preset asan); memcheck also sees reads of what nobody wrote, and looks into the libraries. About a quarter of an hour.
set -uo pipefail
cd "$(dirname "$0")/.." || exit
. tests/command.sh

usage() {
    cat <<'END'
usage: tests/valgrind.sh [--unit|--e2e] [-- PYTEST ARGUMENTS]
  --unit   unit tests only     --e2e   the end-to-end part only
environment:
  VALGRIND_BUILD   a build without sanitizers and with tests [build/dev]
END
}

build=${VALGRIND_BUILD:-build/dev}
want_unit=1 want_e2e=1
option() {
    case $1 in
    --unit) want_e2e=0 ;;
    --e2e) want_unit=0 ;;
    *) false ;;
    esac
}
read_options "$@"
need valgrind

# What counts milliseconds is left to the plain suite.
smoke=(tests/e2e/test_proxy_basics.py tests/e2e/test_reload.py tests/e2e/test_limiter.py tests/e2e/test_explain.py)
# Those that start another program, or whose children install a filter of system calls.
not_under='backend_redis|limiter/oracle|gateway/seccomp|bench/load'

check=(valgrind --quiet --error-exitcode=86 --leak-check=full "--errors-for-leak-kinds=definite,indirect"
    "--show-leak-kinds=definite,indirect" "--suppressions=$PWD/tests/valgrind.supp")
failed=0

[ -e "$build/build.ninja" ] || cmake --preset dev -B "$build" >/dev/null
cmake --build "$build" | without_progress || exit 2

run_unit() { # PROGRAM
    local out
    out=$("${@:2}" "$1" 2>&1) || { echo "== $1"; printf '%s\n' "$out" | grep -v '^\[ ' | tail -40; exit 1; }
}
export -f run_unit

if [ $want_unit -eq 1 ]; then
    mapfile -t programs < <(ctest --test-dir "$build" -L unit -N -V | sed -n 's/.*Test command: \([^ ]*\).*/\1/p' | tr -d '"' | sort -u)
    mapfile -t programs < <(printf '%s\n' "${programs[@]}" | grep -Ev "$(sed 's,/,_,g' <<<"$not_under")")
    [ ${#programs[@]} -gt 0 ] || { echo "valgrind.sh: no unit tests in $build" >&2; exit 2; }
    printf '%s\n' "${programs[@]}" | xargs -P "$(nproc)" -I{} bash -c 'run_unit "$@"' - {} "${check[@]}" || failed=1
    echo "unit: ${#programs[@]} programs, $([ $failed -eq 0 ] && echo clean || echo 'see above')"
fi

if [ $want_e2e -eq 1 ]; then
    # A report ends the gateway with 86, which no test expects.
    NEAREDGE_RUNNER="${check[*]}" NEAREDGE_BIN=$(realpath "$build")/nearedge \
        "$python" -m pytest -q -p no:cacheprovider "${smoke[@]}" "${pytest_arguments[@]}" | tail -15
    [ "${PIPESTATUS[0]}" -eq 0 ] || failed=1
fi
exit $failed

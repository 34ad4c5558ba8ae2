#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs all fuzz targets, each for its share of the time, niced and as many at once as there are
# processors, and ends with a table. What is found beyond the seeds stays outside the repository.
set -euo pipefail
cd "$(dirname "$0")"
. ../command.sh

usage() {
    cat <<'END'
usage: tests/fuzz/campaign.sh SECONDS [TARGET...]
  SECONDS   for all of it; each target gets its share
  TARGET    names without "fuzz_" [all]
environment:
  FUZZ_BUILD    a build of the preset fuzz [build/fuzz]; made when it is not there
  FUZZ_CORPUS   where inputs that reach something new are kept, for the next campaign [build/fuzz-corpus]
  FUZZ_JOBS     targets at once [the number of processors]
exit code: 1 when a target crashed, hung or leaked; its input is in $FUZZ_CORPUS/found.
END
}
case ${1:-} in
'') usage >&2; exit 2 ;;
-h | --help) usage; exit 0 ;;
esac

root=$(cd ../.. && pwd)
seconds=$1 && shift
build=${FUZZ_BUILD:-$root/build/fuzz}
corpus=${FUZZ_CORPUS:-$root/build/fuzz-corpus}
jobs=${FUZZ_JOBS:-$(nproc)}
targets=("$@")
[ $# -gt 0 ] || mapfile -t targets < <(ls fuzz_*.c | sed 's/^fuzz_\(.*\)\.c$/\1/')

if [ ! -e "$build/build.ninja" ]; then
    (cd "$root" && cmake --preset fuzz -B "$build" >/dev/null)
fi
cmake --build "$build" --target "${targets[@]/#/fuzz_}" | without_progress

share=$((seconds * jobs / ${#targets[@]}))
[ "$share" -gt 0 ] || share=1
mkdir -p "$corpus/found" "$corpus/logs"

# A minute for one input is no bound of ours: niced as it is, a run waits for the machine's other work.
run_one() { # TARGET
    local name=$1 dict=() log=$corpus/logs/$1.log
    mkdir -p "$corpus/$name" "corpus/$name"
    [ -e "fuzz_$name.dict" ] && dict=(-dict="fuzz_$name.dict")
    [[ $name == http_re[qs]* ]] && dict=(-dict=fuzz_http_h1.dict)
    local TIMEFORMAT='processor: %U %S'
    { time ASAN_OPTIONS=detect_stack_use_after_return=1 \
        nice -n 19 "$build/fuzz/fuzz_$name" -max_total_time="$share" -timeout=60 -rss_limit_mb=2048 -malloc_limit_mb=512 \
        -print_final_stats=1 "${dict[@]}" -artifact_prefix="$corpus/found/$name-" "$corpus/$name" "corpus/$name" ||
        echo "ended with $?"; } >"$log" 2>&1
}
export -f run_one
export corpus share build
printf '%s\n' "${targets[@]}" | xargs -P "$jobs" -I{} bash -c 'run_one {}'

number() { # LOG NAME: of libFuzzer's final figures
    sed -n "s/^stat::$2: *//p" "$1" | tail -1
}

failed=0
printf '%-22s %9s %12s %10s %8s %8s\n' target 'CPU s' execs execs/s new crashes
for name in "${targets[@]}"; do
    log=$corpus/logs/$name.log
    crashes=$(grep -c '^ended with' "$log" || true)
    failed=$((failed + crashes))
    execs=$(number "$log" number_of_executed_units)
    rate=$(number "$log" average_exec_per_sec)
    new=$(number "$log" new_units_added)
    cpu=$(awk '/^processor: / { print int($2 + $3) }' "$log")
    printf '%-22s %9s %12s %10s %8s %8s\n' "$name" "${cpu:--}" "${execs:--}" "${rate:--}" "${new:--}" "$crashes"
done
echo "${#targets[@]} targets, $share s each; found: $corpus/found"
[ "$failed" -eq 0 ]

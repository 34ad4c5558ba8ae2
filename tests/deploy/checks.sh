# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Sourced by image.sh and systemd.sh: what they need of this machine, their checks and their totals.

passed=0 failed=0

die() {
    echo "$(basename "$0"): $1" >&2
    exit 2
}

# Installs nothing: these packages bring services of their own, which is for whoever owns the machine to decide.
need() { # PACKAGE...
    local package missing=()
    [ "$(id -u)" -eq 0 ] || die "needs root, for mounts and namespaces of its own"
    for package in "$@"; do
        [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
    done
    [ ${#missing[@]} -eq 0 ] || die "missing packages: apt-get install --no-install-recommends ${missing[*]}"
}

# Everything happens in namespaces whose end ends every process and mount in them, however this script is ended. What is
# left then is for clean_up.
in_namespaces() { # COMMAND... -> its exit code
    local child code
    unshare --mount --propagation private --pid --fork --kill-child --mount-proc "$@" </dev/null &
    child=$!
    trap 'kill -KILL $child; wait $child; clean_up; exit 130' INT TERM HUP
    wait "$child"
    code=$?
    clean_up
    return $code
}

fail() { # WHAT [OUTPUT]
    failed=$((failed + 1))
    echo "FAILED  $1"
    [ -z "${2:-}" ] || printf '%s\n' "$2" | tail -30 | sed 's/^/        /'
    if declare -F explain_failure >/dev/null; then explain_failure | sed 's/^/      | /'; fi
}

pass() { # WHAT
    passed=$((passed + 1))
    echo "ok      $1"
}

check() { # WHAT COMMAND... : it succeeds
    local what=$1 out
    shift
    if out=$("$@" 2>&1); then pass "$what"; else fail "$what" "$*: $out"; fi
}

refused() { # WHAT COMMAND... : it fails
    local what=$1 out
    shift
    if out=$("$@" 2>&1); then fail "$what" "$*: $out"; else pass "$what"; fi
}

same() { # WHAT WANTED GOT
    if [ "$2" = "$3" ]; then pass "$1${3:+: $3}"; else fail "$1" "want: $2"$'\n'"got:  $3"; fi
}

holds() { # WHAT PATTERN TEXT
    if grep -qE -- "$2" <<<"$3"; then pass "$1"; else fail "$1" "want: $2"$'\n'"$3"; fi
}

await() { # WHAT COMMAND... : it succeeds within two minutes
    local what=$1 end=$((SECONDS + 120))
    shift
    until "$@" >/dev/null 2>&1; do
        [ $SECONDS -lt $end ] || { fail "$what" "$* never succeeded: $("$@" 2>&1)"; return 1; }
        sleep 0.1
    done
    pass "$what"
}

finish() {
    echo "$passed passed, $failed failed"
    [ $failed -eq 0 ] || exit 1
    exit 0
}

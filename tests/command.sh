# shellcheck shell=bash disable=SC2034
# SPDX-License-Identifier: Apache-2.0
# Sourced by run.sh, coverage.sh, valgrind.sh and fuzz/campaign.sh: options, the tools they need, builds without the chatter.

python=/usr/bin/python3 # Debian's own, which has Debian's pytest: another one may be first on PATH
[ -x "$python" ] || python=python3
export PYTHONDONTWRITEBYTECODE=1

# Gives each word to `option`, which fails when it does not know it and sets used=2 when the next one was its value. What
# stands behind "--" is pytest's and left in pytest_arguments.
read_options() { # WORD...
    pytest_arguments=()
    while [ $# -gt 0 ]; do
        case $1 in
        --) pytest_arguments=("${@:2}"); return ;;
        -h | --help) usage; exit 0 ;;
        esac
        used=1
        option "$@" || { usage >&2; exit 2; }
        shift "$used"
    done
}

need() { # PROGRAM
    command -v "$1" >/dev/null && return
    echo "$(basename "$0"): $1 is missing (deploy/install-deps.sh --analysis)" >&2
    exit 2
}

without_progress() {
    grep -v '^\[[0-9]*/[0-9]*\] \(Building\|Linking\)' || true # nothing is left of a build that went well
}

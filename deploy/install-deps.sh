#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs the Debian packages (12 or newer) that the build needs; --tests, --bench and --analysis add
# what those need. With everything present it calls no apt and needs neither root nor a network.
# No daemon is started or stopped, and none that this script brought is enabled for the next boot.
set -euo pipefail

# One need a word; "a|b" means that either will do, the first one known to apt is installed.
build=(gcc libc6-dev cmake ninja-build "pkgconf|pkg-config" libuv1-dev
    "libllhttp-dev|llhttp-dev|node-llhttp" libssl-dev libhiredis-dev libcjson-dev libpcre2-dev zlib1g-dev libbrotli-dev libnghttp2-dev libseccomp-dev
    python3) # for quickstart.sh's demo origin
tests=(libcmocka-dev python3-pytest python3-h2 python3-websockets nghttp2-client redis-server curl jq openssl
    clang-format valgrind strace
    python3-yaml dpkg-dev file lintian shellcheck man-db) # for the package and what stands in deploy/
# Tests that need one of these are skipped without it, and say so: other sources of Node and Chromium exclude Debian's.
wanted_by_tests=(chromium libnss3-tools nodejs npm prometheus)
analysis=(cppcheck clang clang-tidy gcovr valgrind) # for static.sh, the campaign of the fuzz targets, coverage.sh, valgrind.sh
bench=(wrk "nginx-light|nginx" haproxy varnish h2o trafficserver redis-server nghttp2-client openssl valgrind)
daemons=(redis-server nginx haproxy varnish h2o trafficserver prometheus)

usage() {
    echo "usage: deploy/install-deps.sh [--tests] [--bench] [--analysis]"
}

needs=("${build[@]}") wanted=()
for argument in "$@"; do
    case $argument in
    --tests) needs+=("${tests[@]}") wanted+=("${wanted_by_tests[@]}") ;;
    --analysis) needs+=("${analysis[@]}") ;;
    --bench) needs+=("${bench[@]}") ;;
    -h | --help) usage; exit 0 ;;
    *) usage >&2; exit 2 ;;
    esac
done

if ! command -v dpkg-query >/dev/null; then
    echo "install-deps: not a Debian system; the build needs the equivalents of: ${needs[*]}" >&2
    exit 1
fi

is_installed() { # PACKAGE
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# What else may have brought a program: node is often a newer one than Debian's, without its package.
declare -A programs=([chromium]=chromium [nodejs]=node [npm]=npm)

is_met() { # NEED
    local name
    for name in ${1//|/ }; do
        is_installed "$name" && return 0
        [ -n "${programs[$name]:-}" ] && command -v "${programs[$name]}" >/dev/null && return 0
    done
    return 1
}

find_missing() { # NEED... -> missing
    local need
    missing=()
    for need in "$@"; do
        is_met "$need" || missing+=("$need")
    done
}
find_missing "${needs[@]}" "${wanted[@]}"
[ ${#missing[@]} -eq 0 ] && exit 0

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        echo "install-deps: root or sudo is needed to install: ${missing[*]}" >&2
        exit 1
    fi
}

# invoke-rc.d and deb-systemd-invoke ask this file before they start anything: 101 is "not allowed".
policy=/usr/sbin/policy-rc.d
restore_policy() {
    if [ -e "$policy.nearedge-saved" ] || [ -L "$policy.nearedge-saved" ]; then
        as_root mv -f "$policy.nearedge-saved" "$policy"
    else
        as_root rm -f "$policy"
    fi
}
forbid_starts() {
    if [ -e "$policy" ] || [ -L "$policy" ]; then
        as_root mv -f "$policy" "$policy.nearedge-saved"
    fi
    trap restore_policy EXIT
    printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
    as_root chmod 755 "$policy"
}

choose() { # NEED -> the package to install, nothing when apt knows none of its names
    local name
    for name in ${1//|/ }; do
        # Not by grep -q in a pipe: it stops reading early, and what it leaves unread fails the pipe (pipefail).
        if [[ $(apt-cache policy "$name" 2>/dev/null) == *"Candidate: "[^\(]* ]]; then
            echo "$name"
            return
        fi
    done
}

install_missing() {
    local need name names=()
    for need in "${missing[@]}"; do
        name=$(choose "$need")
        [ -n "$name" ] || return 1
        names+=("$name")
    done
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${names[@]}"
}

new_daemons=()
for daemon in "${daemons[@]}"; do
    is_installed "$daemon" || new_daemons+=("$daemon")
done

echo "install-deps: installing ${missing[*]}" >&2
forbid_starts
# The package lists are refreshed only when they turn out to be absent or out of date. All at once, if that works; one
# that is merely wanted must not keep the others away.
if ! install_missing >&2; then
    as_root apt-get update -q >&2
    if ! install_missing >&2; then
        find_missing "${needs[@]}"
        [ ${#missing[@]} -eq 0 ] || install_missing >&2
        for want in "${wanted[@]}"; do
            find_missing "$want"
            [ ${#missing[@]} -eq 0 ] || install_missing >&2 || true
        done
    fi
fi

for daemon in "${new_daemons[@]}"; do
    if is_installed "$daemon" && command -v systemctl >/dev/null; then
        as_root systemctl disable "$daemon" >/dev/null 2>&1 || true
    fi
done

find_missing "${wanted[@]}"
[ ${#missing[@]} -eq 0 ] || echo "install-deps: not installed, tests that need them are skipped: ${missing[*]}" >&2
find_missing "${needs[@]}"
[ ${#missing[@]} -eq 0 ] || { echo "install-deps: still missing: ${missing[*]}" >&2; exit 1; }

#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Every C file is as clang-format would write it; `--fix` writes it so.
set -euo pipefail
cd "$(dirname "$0")/../.."

# Versions differ in details; what counts is the version of Debian 12.
formatter=$(command -v clang-format-14 || command -v clang-format)
if ! "$formatter" --version | grep -q 'version 14\.'; then
    echo "format: clang-format 14 is not here"
    exit 77
fi

sources() {
    find gateway config cache limiter bench tests -name '*.[ch]' -not -path '*/build/*' -print0 | sort -z
}

if [ "${1:-}" = --fix ]; then
    sources | xargs -0 -r "$formatter" -i
    exit
fi
findings=$(sources | xargs -0 -r "$formatter" --dry-run -Werror 2>&1 |
    sed -n 's/^\([^ :]*:[0-9]*\):[0-9]*: error: .*/\1: not as clang-format writes it/p' | uniq || true)
[ -z "$findings" ] || { echo "$findings"; echo "(tests/lint/format.sh --fix)"; exit 1; }

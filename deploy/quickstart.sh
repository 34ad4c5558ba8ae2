#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# From a fresh machine to a running edge: installs what is missing, builds the release, starts a demo
# origin and the gateway with the hub-evolution configuration, and says what to try. Stays in the
# foreground until Ctrl-C. --check sends those requests itself, on free ports, and exits 0 only if
# each answer was as expected. Stops only what it started.
#
# Environment: NEAREDGE_PORT (8080), NEAREDGE_TLS_PORT (8443), NEAREDGE_ADMIN_PORT (8081), DEMO_ORIGIN_PORT (9000, or a
# free one). The authority for https lives in $XDG_DATA_HOME/nearedge (~/.local/share/nearedge) and stays there.
set -euo pipefail
cd "$(dirname "$0")/.."

usage() {
    echo "usage: deploy/quickstart.sh [--check]"
}

check=0
case ${1:-} in
'') ;;
--check) check=1 ;;
-h | --help) usage; exit 0 ;;
*) usage >&2; exit 2 ;;
esac

python=/usr/bin/python3
export PYTHONDONTWRITEBYTECODE=1 # the tree stays as it was
config=config/hub-evolution/nearedge.json
binary=build/release/nearedge
scratch=$(mktemp -d)
origin_pid='' gateway_pid=''

stop() {
    # The gateway first: it drains, and its last answers may need the origin.
    if [ -n "$gateway_pid" ] && kill -TERM "$gateway_pid" 2>/dev/null; then
        wait "$gateway_pid" || true
    fi
    if [ -n "$origin_pid" ] && kill -TERM "$origin_pid" 2>/dev/null; then
        wait "$origin_pid" 2>/dev/null || true
    fi
    rm -rf "$scratch"
}
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

say() {
    echo "$*" >&2
}

wait_for_file() { # FILE PID
    for _ in $(seq 400); do
        [ -s "$1" ] && return 0
        kill -0 "$2" 2>/dev/null || return 1
        sleep 0.05
    done
    return 1
}

build() {
    deploy/install-deps.sh
    say "quickstart: building $binary"
    if ! { cmake --preset release -DNEAREDGE_TESTS=OFF && cmake --build --preset release --target nearedge; } \
        >"$scratch/build.log" 2>&1; then
        cat "$scratch/build.log" >&2
        say "quickstart: the build failed"
        exit 1
    fi
}

start_origin() {
    [ $check -eq 0 ] || unset DEMO_ORIGIN_PORT
    "$python" deploy/demo-origin/origin.py --port-file "$scratch/port" </dev/null &
    origin_pid=$!
    wait_for_file "$scratch/port" "$origin_pid" || { say "quickstart: the demo origin did not start"; exit 1; }
    DEMO_ORIGIN_PORT=$(cat "$scratch/port")
    export DEMO_ORIGIN_PORT
}

make_authority() { # for https; --check leaves no trace
    [ $check -eq 0 ] || export XDG_DATA_HOME=$scratch/data
    ca=$("$binary" trust -c "$config" --json | "$python" -c 'import json, sys; print(json.load(sys.stdin)["ca"])')
}

start_gateway() {
    if [ $check -eq 1 ]; then
        export NEAREDGE_PORT=0 NEAREDGE_TLS_PORT=0 NEAREDGE_ADMIN_PORT=0
        "$binary" run -c "$config" --ready-file "$scratch/ready" </dev/null >"$scratch/gateway.log" 2>&1 &
    else
        "$binary" run -c "$config" --ready-file "$scratch/ready" </dev/null &
    fi
    gateway_pid=$!
    if ! wait_for_file "$scratch/ready" "$gateway_pid"; then
        [ ! -e "$scratch/gateway.log" ] || cat "$scratch/gateway.log" >&2
        say "quickstart: the gateway did not start. If its ports are taken, choose others:"
        say "    NEAREDGE_PORT=18080 NEAREDGE_TLS_PORT=18443 NEAREDGE_ADMIN_PORT=18081 deploy/quickstart.sh"
        exit 1
    fi
    listen=$("$python" -c 'import json, sys; print(json.load(open(sys.argv[1]))["listen"][0])' "$scratch/ready")
    secure=$("$python" -c 'import json, sys; print(json.load(open(sys.argv[1]))["listen"][1])' "$scratch/ready")
    admin=$("$python" -c 'import json, sys; print(json.load(open(sys.argv[1])).get("admin") or "")' "$scratch/ready")
}

print_urls() {
    local host='-H "Host: ci.hub-evolution.com"' head='curl -s -o /dev/null -D -' port=${secure##*:}
    local site=https://staging.hub-evolution.com:$port/
    cat <<END

Your edge listens on http://$listen, its admin on http://$admin. Try, in another terminal:

  MISS, then HIT        $head $host http://$listen/styles.css
  manual bypass         $head $host "http://$listen/styles.css?__no_cache=1"
  session bypass        $head $host -H "Cookie: session_id=demo" http://$listen/styles.css
  API is never cached   $head $host http://$listen/api/health
  a burst ends in 429   for i in \$(seq 20); do curl -s -o /dev/null -w '%{http_code} ' -X POST $host http://$listen/api/ai-image/generate; done; echo
  https                 $head --cacert $ca --resolve ci.hub-evolution.com:$port:127.0.0.1 https://ci.hub-evolution.com:$port/styles.css
  what it counted       curl -s http://$admin/metrics

In a browser it is $site, with its cache, a WebSocket, events and a limit to try:

  trust its authority   $binary trust --install --dir ${ca%/*}
                        (your Chromium and Firefox, through certutil of libnss3-tools; the same with sudo: curl and the rest)
  find its name         echo 127.0.0.1 staging.hub-evolution.com | sudo tee -a /etc/hosts
  or, just once         chromium --host-resolver-rules="MAP staging.hub-evolution.com 127.0.0.1" $site

Ctrl-C ends it.

END
}

build
start_origin
make_authority
start_gateway
if [ $check -eq 1 ]; then
    if "$python" deploy/demo-origin/check.py "$listen" "$secure" "$ca"; then
        say "quickstart: everything was as expected"
    else
        tail -n 20 "$scratch/gateway.log" >&2
        say "quickstart: not everything was as expected"
        exit 1
    fi
else
    print_urls
    wait "$gateway_pid"
fi

#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The Debian package in a machine of its own: boots a minimal Debian with systemd-nspawn, installs the package there and
# uses it by systemctl, dpkg and journalctl as an operator would. About three minutes, most of them for making that Debian.
set -uo pipefail
cd "$(dirname "$0")/.." || exit
. tests/deploy/checks.sh

usage() {
    cat <<'END'
usage: tests/systemd.sh [--deb FILE] [--base FILE]
  --deb FILE    the package to try; without it, one is built of build/release
  --base FILE   the Debian to boot, as a tar; made there if it is not there
Needs root, Debian's mirror, 1 GB of disk and: systemd-container mmdebstrap redis-server curl
END
}

# -- the machine

make_base() { # FILE DEB
    local needs
    [ -s "$1" ] && return
    echo "making the machine"
    # What the package depends on is there before: the machine has no network but its own loopback.
    needs=$(dpkg-deb -f "$2" Depends | sed 's/([^)]*)//g; s/[^,|]*sysusers[^,]*,//; s/|[^,]*//g; s/ //g')
    mmdebstrap --quiet --variant=minbase --include="systemd,systemd-sysv,dbus,curl,init-system-helpers,$needs" \
        --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' bookworm "$1"
}

# A control group of the machine's own on whichever hierarchies there are: it leaves none behind.
hierarchies=(/sys/fs/cgroup/systemd /sys/fs/cgroup/unified /sys/fs/cgroup)
enter_group() { # NAME
    local at
    for at in "${hierarchies[@]}"; do
        [ -e "$at/cgroup.procs" ] && mkdir -p "$at/$1" && echo $BASHPID >"$at/$1/cgroup.procs"
    done
}

remove_group() { # NAME
    local at end=$((SECONDS + 10))
    for at in "${hierarchies[@]}"; do
        # What was killed may take a moment to leave.
        while [ -d "$at/$1" ] && [ $SECONDS -lt $end ]; do
            find "$at/$1" -depth -type d -exec rmdir {} + 2>/dev/null || sleep 0.1
        done
    done
}

boot() {
    (
        enter_group "$group"
        exec systemd-nspawn --quiet --register=no --keep-unit --private-network --directory="$root" --boot --console=read-only
    ) >"$folder/console" 2>&1 &
    nspawn=$!
    await "the machine boots" is_up || { tail -20 "$folder/console"; finish; }
}

power_off() {
    m systemctl poweroff >/dev/null 2>&1
    wait $nspawn
}

leader() { # -> the machine's process 1
    pgrep --parent $nspawn
}

is_up() {
    [[ $(m systemctl is-system-running) == running ]]
}

m() { # COMMAND... : in the machine
    nsenter --target "$(leader)" --all -- "$@"
}

beside() { # COMMAND... : a program of this one, on the machine's network
    nsenter --target "$(leader)" --net -- "$@"
}

state() { # PROPERTY [UNIT]
    m systemctl show --property "$1" --value "${2:-nearedge.service}"
}

is() { # STATE [UNIT]
    [ "$(state ActiveState "${2:-nearedge.service}")" = "$1" ]
}

status_of() { # URL [FLAG...]
    m curl -sS --max-time 60 -o /dev/null -w '%{http_code}' "${@:2}" "$1"
}

journal() {
    m journalctl --unit nearedge.service --unit nearedge.socket --output cat --no-pager
}

explain_failure() {
    journal | grep -v '^{' | tail -12
}

in_journal() { # TEXT
    journal | grep -F -- "$1" >/dev/null
}

break_configuration() {
    cp "$etc/nearedge.json" "$folder/good.json"
    echo '{ "zonse": [] }' >"$etc/nearedge.json"
}

mend_configuration() {
    cp "$folder/good.json" "$etc/nearedge.json"
}

# -- what is checked

installs() {
    cp "$1" "$root/srv/package.deb"
    check "the package installs" m dpkg -i /srv/package.deb
    same "its service runs" "active running" "$(state ActiveState) $(state SubState)"
    same "and will at the next boot" enabled "$(m systemctl is-enabled nearedge.service)"
    same "its socket waits for an operator" disabled "$(m systemctl is-enabled nearedge.socket)"
    same "status says" serving "$(state StatusText)"
    same "a visitor is served" 200 "$(status_of http://127.0.0.1:8080/site.css)"
    holds "and the second from the cache" 'CF-Cache-Status: HIT' "$(m curl -sSi http://127.0.0.1:8080/site.css)"
    check "the journal has the log" in_journal "info serving workers="
    check "and the access log" in_journal '"ClientRequestURI":"/site.css"'
}

# A program that takes its time: nothing may be taken for ready before it says so.
is_active_when_ready() {
    mkdir -p "$root/run-gate" "$root/etc/systemd/system/nearedge.service.d"
    m mkfifo -m 666 /run-gate/fifo
    printf '[Service]\nExecStart=\nExecStart=/bin/sh -c "read -r word < /run-gate/fifo; exec /usr/bin/nearedge run -c /etc/nearedge/nearedge.json"\n' \
        >"$root/etc/systemd/system/nearedge.service.d/slow.conf"
    m systemctl daemon-reload
    m systemctl restart --no-block nearedge
    await "before it is ready it is activating" is activating
    refused "and serves nobody" status_of http://127.0.0.1:8080/
    m sh -c 'echo go > /run-gate/fifo'
    await "afterwards active" is active
    same "and serves" 200 "$(status_of http://127.0.0.1:8080/)"
    rm -r "$root/run-gate" "$root/etc/systemd/system/nearedge.service.d/slow.conf"
    m systemctl daemon-reload
    check "a restart waits until it serves" m sh -c 'systemctl restart nearedge && curl -sSf http://127.0.0.1:8080/'
}

reloads() {
    local before
    before=$(state MainPID)
    check "reload works" m systemctl reload nearedge
    await "and reaches the program" in_journal "configuration reloaded"
    break_configuration
    refused "reload fails with a bad configuration" m systemctl reload nearedge
    check "the journal says why" in_journal 'unknown key "zonse"'
    same "the old one goes on" "active $before 200" "$(state ActiveState) $(state MainPID) $(status_of http://127.0.0.1:8080/)"
    holds "an upgrade does not restart into it" 'the old process goes on' "$(m dpkg --force-confold -i /srv/package.deb 2>&1)"
    same "but leaves the old program serving" "active $before 200" "$(state ActiveState) $(state MainPID) $(status_of http://127.0.0.1:8080/)"
    refused "a restart fails" m systemctl restart nearedge
    same "once, without trying again" "failed 0 3" "$(state ActiveState) $(state NRestarts) $(state ExecMainStatus)"
    mend_configuration
    check "mended, it starts" m systemctl start nearedge
}

status_field() { # NAME
    sed -n "s/^$1:\t//p" "/proc/$pid/status"
}

is_hardened() {
    local pid path figure
    pid=$(pgrep --exact nearedge)
    same "it runs as its user" "$(m id -u nearedge)" "$(status_field Uid | cut -f1)"
    same "with CAP_NET_BIND_SERVICE alone" "0000000000000400 0000000000000400" "$(status_field CapEff) $(status_field CapBnd)"
    same "no new privileges and a filter of system calls" "1 2" "$(status_field NoNewPrivs) $(status_field Seccomp)"
    for path in /etc /usr/bin /home /var/log /etc/nearedge; do
        refused "it sees $path read-only" nsenter --target "$pid" --mount -- touch "$path/written"
    done
    figure=$(m systemd-analyze security nearedge --no-pager | sed -n 's/.*exposure level for nearedge.service: \([0-9.]*\).*/\1/p')
    echo "        systemd-analyze security: $figure"
    check "systemd finds little exposure" test "${figure/./}" -lt 20
}

# All that touches the system at once: low ports, its own filter, TLS, files, names, Redis, JIT's absence, persist.
works_hardened() {
    local kept=$folder/kept zone
    cp --archive "$etc" "$kept"
    cat >"$etc/nearedge.json" <<'END'
{
  "listen": [{ "address": "*:80" }, { "address": "*:443", "tls": { "local_ca": true } }, { "address": "unix:/run/nearedge/edge.sock" }],
  "admin": { "address": "127.0.0.1:8081", "persist": true },
  "seccomp": true,
  "zones": [{ "name": "example.com", "hosts": ["*"], "plan": "business", "origin": "http://localhost:9000",
              "rulesets": ["rulesets/cache.json"], "limiters": "limiters.json" }],
  "limiter": { "backend": "redis://127.0.0.1:6379/0" },
  "log": { "access": "/var/lib/nearedge/access.log" }
}
END
    cat >"$etc/rulesets/cache.json" <<'END'
{ "kind": "zone", "phase": "http_request_cache_settings", "name": "by regular expression", "rules": [
  { "action": "set_cache_settings", "action_parameters": { "cache": true }, "expression": "http.request.uri.path matches \"^/re/[a-z]+$\"" } ] }
END
    printf '[Service]\nReadWritePaths=/etc/nearedge/rulesets\n' >"$root/etc/systemd/system/nearedge.service.d/override.conf"
    m sh -c 'chgrp -R nearedge /etc/nearedge/rulesets && chmod -R g+w /etc/nearedge/rulesets && systemctl daemon-reload'
    check "with everything it has, it starts" m systemctl restart nearedge
    same "port 80 and a name for its origin" 200 "$(status_of http://localhost/)"
    same "TLS with its own authority" 200 "$(status_of https://localhost/ --cacert /var/lib/nearedge/ca.pem)"
    same "a socket in /run/nearedge" 200 "$(status_of http://localhost/api/1 --unix-socket /run/nearedge/edge.sock)"
    same "counters in Redis" 1 "$(beside redis-cli dbsize)"
    status_of http://localhost/re/abc >/dev/null
    holds "regular expressions" 'CF-Cache-Status: HIT' "$(m curl -sSi http://localhost/re/abc)"
    status_of http://localhost/large.css >/dev/null
    same "large hits" "200 200000" "$(status_of http://localhost/large.css -w '%{http_code} %{size_download}')"
    zone=http://127.0.0.1:8081/client/v4/zones/$(m curl -sS http://127.0.0.1:8081/client/v4/zones | grep -oE '"id":"[0-9a-f]{32}"' | sed -n '2s/.*:"\(.*\)"/\1/p')
    same "a ruleset is written back" 200 "$(status_of "$zone/rulesets/phases/http_request_cache_settings/entrypoint" -X PUT -H 'Content-Type: application/json' \
        --data '{"rules":[{"action":"set_cache_settings","action_parameters":{"cache":true},"expression":"true","description":"written"}]}')"
    check "to its file" grep -q written "$etc/rulesets/cache.json"
    check "an access log in /var/lib/nearedge" grep -q '/re/abc' "$root/var/lib/nearedge/access.log"
    rm "$root/var/lib/nearedge/access.log"
    m systemctl kill --signal USR1 nearedge
    await "that USR1 opens anew" test -e "$root/var/lib/nearedge/access.log"
    cp "$kept/nearedge.json" "$etc"
    cp "$kept/rulesets/cache.json" "$etc/rulesets"
    rm -r "$root/etc/systemd/system/nearedge.service.d"
    m systemctl daemon-reload
    check "back to what was packaged" m systemctl restart nearedge
}

drains() {
    local client
    m curl -sSi --max-time 60 http://127.0.0.1:8080/held >"$folder/held.out" &
    client=$!
    await "a request is under way" test -e "$folder/held"
    m systemctl stop --no-block nearedge
    await "stop begins the drain" in_journal "draining connections=1"
    same "and says so" "deactivating draining" "$(state ActiveState) $(state StatusText)"
    touch "$folder/release"
    wait $client
    holds "the request is answered" '^HTTP/1.1 200' "$(cat "$folder/held.out")"
    await "the service ends" is inactive
    same "as it should" "success 0" "$(state Result) $(state ExecMainStatus)"
}

visit_often() { # -> how many of 100 were served
    local i
    for ((i = 0; i < 100; i++)); do status_of http://127.0.0.1:8080/; echo; done | grep -c '^200$'
}

is_activated() {
    local visits
    check "the socket is enabled" m systemctl enable --now nearedge.socket
    same "the service does not run" inactive "$(state ActiveState)"
    same "a visitor is served who came before it" 200 "$(status_of http://127.0.0.1:8080/)"
    same "because he started it" active "$(state ActiveState)"
    check "it took the sockets" in_journal "listening on passed sockets address=127.0.0.1:8081"
    visit_often >"$folder/visits" &
    visits=$!
    check "it restarts" m systemctl restart nearedge
    check "and is upgraded" m dpkg -i /srv/package.deb
    wait $visits
    same "of 100 visitors meanwhile were served" 100 "$(cat "$folder/visits")"
    break_configuration
    m systemctl stop nearedge 2>/dev/null
    refused "a bad configuration serves no visitor" status_of http://127.0.0.1:8080/
    await "and closes the sockets in the end" is failed nearedge.socket
    mend_configuration
    check "mended, both come back" m sh -c 'systemctl reset-failed nearedge.socket nearedge.service && systemctl start nearedge.socket nearedge.service'
    same "and serve" 200 "$(status_of http://127.0.0.1:8080/)"
}

boots_with_it() {
    power_off
    boot
    same "after a boot both are active" "active active" "$(state ActiveState) $(state ActiveState nearedge.socket)"
    same "nothing failed" 0 "$(m systemctl --failed --no-legend | grep -c .)"
}

is_purged() {
    check "removal stops both" m dpkg -r nearedge
    same "no process is left" "" "$(pgrep --exact nearedge)"
    check "and keeps the configuration" test -e "$etc/nearedge.json" -a -e "$root/var/lib/nearedge"
    check "purge" m dpkg -P nearedge
    same "leaves nothing" "" "$(find "$root" -xdev -iname '*nearedge*' | sed "s|^$root||")"
    same "nor a unit" "" "$(m systemctl list-units --all --no-legend 'nearedge*')"
    same "but a system that is" running "$(m systemctl is-system-running)"
}

# -- stages

build_package() {
    echo "building the package" >&2
    { cmake --preset release && cmake --build --preset release --target nearedge &&
        cpack -G DEB --config build/release/CPackConfig.cmake -B "$folder/package"; } >"$folder/build.log" 2>&1 || {
        tail -20 "$folder/build.log" >&2
        die "the package does not build"
    }
    echo "$folder"/package/nearedge_*.deb
}

serve_beside() { # the app and Redis, on the machine's loopback
    beside /usr/bin/python3 tests/deploy/origin.py 127.0.0.1 "$folder" &
    beside redis-server --port 6379 --save '' --dir "$folder" >/dev/null &
    await "the app is there" beside curl -sSf http://127.0.0.1:9000/
    await "and Redis" beside redis-cli ping
}

run_machine() { # DEB BASE
    make_base "$2" "$1" || die "no machine"
    mkdir "$root"
    tar --extract --file "$2" --directory "$root"
    echo '127.0.0.1 localhost' >"$root/etc/hosts"
    boot
    serve_beside
    installs "$1"
    is_active_when_ready
    reloads
    is_hardened
    works_hardened
    drains
    is_activated
    boots_with_it
    is_purged
    power_off
    finish
}

deb='' base=''
while [ $# -gt 0 ]; do
    case $1 in
    --stage) folder=$2 root=$2/machine etc=$2/machine/etc/nearedge group=nearedge-$(basename "$2"); run_machine "${@:3}"; exit ;;
    --deb) deb=$(realpath "${2:?--deb needs a file}"); shift ;;
    --base) base=$(realpath -m "${2:?--base needs a file}"); shift ;;
    -h | --help) usage; exit 0 ;;
    *) usage >&2; exit 2 ;;
    esac
    shift
done
need systemd-container mmdebstrap redis-server curl
folder=$(mktemp -d)
clean_up() {
    remove_group "nearedge-$(basename "$folder")"
    rm -rf "$folder"
}
[ -n "$deb" ] || deb=$(build_package) || { clean_up; exit 2; }
in_namespaces "$0" --stage "$folder" "$deb" "${base:-$folder/base.tar}"

#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds deploy/docker/Dockerfile and runs it beside Redis as compose.yaml says, with neither Docker nor a registry: the base
# images are made of Debian's packages, and podman runs them. About five minutes, most of them the build.
set -uo pipefail
cd "$(dirname "$0")/.." || exit
. tests/deploy/checks.sh

usage() {
    cat <<'END'
usage: tests/image.sh [--base FILE]
  --base FILE   the Debian that the Dockerfile begins with, as a tar; made there if it is not there
Needs root, Debian's mirror, 2 GB of disk and: podman buildah crun netavark aardvark-dns iptables mmdebstrap
END
}

podman() {
    command podman --root "$folder/images" --runroot /run/images --tmpdir /run/podman --network-config-dir /run/networks \
        --cgroup-manager cgroupfs --events-backend none --log-level error "$@"
}

make_base() { # FILE
    [ -s "$1" ] && return
    echo "making the base image"
    mmdebstrap --quiet --variant=minbase --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
        --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-include=/usr/share/doc/*/copyright' bookworm "$1"
}

build() { # NAME DOCKERFILE CONTEXT [FLAG...]
    local out
    echo "building $1"
    # HEALTHCHECK is in Docker's format of images only.
    out=$(podman build --format docker --isolation chroot --network host --pull=never --squash --tag "$1" --file "$2" "${@:4}" "$3" 2>&1)
    # shellcheck disable=SC2181
    [ $? -eq 0 ] || { fail "building $1" "$out"; finish; }
}

# -- stage 1, in mount and process namespaces: the images

make_images() { # BASE
    mount -t tmpfs tmpfs /run
    mount -t tmpfs tmpfs /dev/shm # podman's locks
    export TMPDIR=$folder
    make_base "$1" || die "no base image"
    podman import --quiet "$1" docker.io/library/debian:12-slim >/dev/null || die "the base image cannot be imported"
    build nearedge deploy/docker/Dockerfile . --ignorefile deploy/docker/Dockerfile.dockerignore
    mkdir "$folder/redis"
    printf 'FROM debian:12-slim\nRUN apt-get update && apt-get install -y --no-install-recommends redis-server\nWORKDIR /data\n' >"$folder/redis/Dockerfile"
    build docker.io/library/redis:7-bookworm "$folder/redis/Dockerfile" "$folder/redis"
    weigh
    # A network of its own too: ports, bridge and firewall rules are nobody else's.
    exec unshare --net "$0" --stage run_containers "$folder"
}

size_of() { # IMAGE -> bytes
    podman image inspect --format '{{.Size}}' "$1"
}

weigh() {
    local all base
    all=$(size_of nearedge) base=$(size_of debian:12-slim)
    echo "        the image weighs $((all / 1000000)) MB, $(((all - base) / 1000000)) of them on top of its base"
    # Libraries, certificates, the program; a compiler or apt's caches would be 80 and more.
    check "the image adds less than 30 MB to its base" test $((all - base)) -lt 30000000
}

# -- stage 2, in a network namespace as well: the containers

start() { # SERVICE IMAGE [FLAG...]
    local words command=() flags=() seen=0 word
    mapfile -t words < <(/usr/bin/python3 tests/deploy/compose_flags.py deploy/docker/compose.yaml "$1" 10.89.0.1 "$folder/token")
    for word in "${words[@]}"; do
        if [ $seen -eq 1 ]; then command+=("$word"); elif [ "$word" = -- ]; then seen=1; else flags+=("$word"); fi
    done
    [ $seen -eq 1 ] || die "compose.yaml was not understood"
    podman run --detach --name "$1" --network nearedge --cgroups=disabled "${flags[@]}" "${@:3}" "$2" "${command[@]}"
}

ask() { # PATH [FLAG...] -> head and body
    curl -sSi --max-time 60 "${@:2}" "http://127.0.0.1:8080$1"
}

admin() { # PATH [FLAG...] -> status
    curl -sS --max-time 60 -o /dev/null -w '%{http_code}' "${@:2}" "http://127.0.0.1:8081$1"
}

inside() { # COMMAND... : in the gateway's container
    podman exec nearedge "$@"
}

logged() { # TEXT
    podman logs nearedge 2>&1 | grep -F "$1" >/dev/null
}

serves_and_caches() {
    holds "the first answer is a miss" '^CF-Cache-Status: MISS' "$(ask /site.css)"
    holds "the second is a hit" '^CF-Cache-Status: HIT' "$(ask /site.css)"
    holds "a large hit is whole" ' 200000$' "$(ask /large.css -o /dev/null; ask /large.css -o /dev/null -w ' %{size_download}')"
    holds "the limiter counts" '^CF-Cache-Status: DYNAMIC' "$(ask /api/orders)"
    holds "in Redis" '^[1-9]' "$(podman exec redis redis-cli dbsize)"
    same "the admin listener asks for the token" 401 "$(admin /metrics)"
    same "and takes the one in the file" 200 "$(admin /metrics -H "Authorization: Bearer $(cat "$folder/token")")"
    holds "it finds its counters up" '"kind":"redis","state":"up"' "$(curl -sS http://127.0.0.1:8081/readyz)"
}

is_confined() {
    local path
    same "it runs as" "10001:10001" "$(inside id -u):$(inside id -g)"
    for path in / /etc/nearedge /usr/bin /tmp /var/tmp /run; do
        refused "$path is not writable" inside touch "$path/written"
    done
    holds "it has no capability" '^CapBnd:\s0+$' "$(inside grep CapBnd /proc/1/status)"
    holds "and gets none" '^NoNewPrivs:\s1$' "$(inside grep NoNewPrivs /proc/1/status)"
    refused "no compiler is in it" inside sh -c 'command -v gcc || command -v cmake'
    same "nor a package that was installed" "" "$(inside find /tmp /var/cache/apt /var/lib/apt/lists -mindepth 1)"
}

goes_on_and_ends() {
    local began
    podman kill --signal HUP nearedge >/dev/null
    await "HUP reloads the configuration" logged 'configuration reloaded'
    ask /held >"$folder/held.out" &
    local client=$!
    await "a request is under way" test -e "$folder/held"
    began=$SECONDS
    podman stop nearedge >/dev/null 2>&1 &
    local stopping=$!
    await "TERM begins the drain" logged 'draining connections=1'
    touch "$folder/release"
    wait $client $stopping
    holds "the request is answered" '^HTTP/1.1 200' "$(cat "$folder/held.out")"
    same "the container ends with" 0 "$(podman inspect --format '{{.State.ExitCode}}' nearedge)"
    echo "        TERM to the end: $((SECONDS - began)) s"
    check "within its drain time" test $((SECONDS - began)) -lt 30
}

run_containers() {
    umount /sys/fs/cgroup/unified 2>/dev/null # crun knows either version of control groups, but not both at once
    export DISABLE_HC_SYSTEMD=true            # health is asked here, not by timers of a systemd
    ip link set lo up
    podman network create --subnet 10.89.0.0/24 nearedge >/dev/null || die "no network for containers"
    /usr/bin/python3 tests/deploy/origin.py 0.0.0.0 "$folder" &
    openssl rand -hex 32 | tr -d '\n' >"$folder/token"

    check "Redis starts" start redis docker.io/library/redis:7-bookworm
    await "Redis is healthy" podman exec redis redis-cli ping
    check "the gateway starts" start nearedge nearedge
    await "the gateway is healthy" podman healthcheck run nearedge
    serves_and_caches
    is_confined
    goes_on_and_ends
    same "without its token it says so and ends with" 3 "$(podman run --rm --cgroups=disabled nearedge >"$folder/no-token" 2>&1; echo $?)"
    holds "naming the file" 'nearedge_admin_token' "$(cat "$folder/no-token")"
    podman rm --all --force >/dev/null 2>&1
    finish
}

base=''
case ${1:-} in
--stage) folder=$3; "$2" "${@:4}"; exit ;;
--base) base=$(realpath -m "${2:?--base needs a file}") ;;
-h | --help) usage; exit 0 ;;
'') ;;
*) usage >&2; exit 2 ;;
esac
need podman buildah crun netavark aardvark-dns iptables mmdebstrap curl openssl python3-yaml
folder=$(mktemp -d)
clean_up() {
    rm -rf "$folder"
}
in_namespaces "$0" --stage make_images "$folder" "${base:-$folder/base.tar}"

#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""compose_flags.py FILE SERVICE GATEWAY SECRET: how podman runs a service of compose.yaml, one word a line.

First the flags, then "--", then the service's own command. GATEWAY is the address of "host-gateway", SECRET the file that
stands for every secret. A key that is not known here ends it: nothing in the file goes untried."""
import os
import re
import resource
import sys

import yaml


def expand(text):
    """Compose's ${NAME:-default}, without its environment."""
    return re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", str(text))


def ulimits(value):
    """As far as this machine lets root go: one without CAP_SYS_RESOURCE cannot go beyond its own."""
    for name, limit in value.items():
        if name == "nofile" and resource.getrlimit(resource.RLIMIT_NOFILE)[1] >= limit:
            yield from ("--ulimit", f"{name}={limit}")


def flags(service, gateway, secret):
    simple = {
        "environment": lambda value: [word for name, text in value.items() for word in ("--env", f"{name}={expand(text)}")],
        "ports": lambda value: [word for port in value for word in ("--publish", port)],
        "extra_hosts": lambda value: [word for host in value for word in ("--add-host", host.replace("host-gateway", gateway))],
        "secrets": lambda value: [word for name in value for word in ("--volume", f"{secret}:/run/secrets/{name}:ro")],
        "read_only": lambda value: ["--read-only", "--read-only-tmpfs=false"] if value else [],
        "cap_drop": lambda value: [word for name in value for word in ("--cap-drop", name.lower())],
        "security_opt": lambda value: [word for text in value for word in ("--security-opt", text.replace(":true", ""))],
        "ulimits": ulimits,
        "stop_grace_period": lambda value: ["--stop-timeout", value.rstrip("s")],
        "tmpfs": lambda value: [word for path in value for word in ("--tmpfs", path)],
        "user": lambda value: ["--user", value],
    }
    elsewhere = {"build", "image", "command", "restart", "depends_on", "healthcheck"}
    for key, value in service.items():
        if key not in elsewhere:
            yield from simple[key](value)


def main():
    path, name, gateway, secret = sys.argv[1:]
    with open(path, encoding="utf-8") as file:
        service = yaml.safe_load(file)["services"][name]
    print("\n".join([*flags(service, gateway, os.path.abspath(secret)), "--", *map(str, service.get("command", []))]))


main()

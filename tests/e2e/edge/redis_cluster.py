# SPDX-License-Identifier: Apache-2.0
"""A real Redis Cluster of our own on loopback: ports the kernel chose, only our processes are stopped.

Each node starts with its map written (nodes.conf), so that no time goes into nodes getting to know each other. The map
can be changed slot by slot, as a resharding does it, and masters can be killed with or without a replica behind them."""
import os
import socket
import subprocess

from .redis import talk
from .wait import wait_until

SLOTS = 16384


def free_ports(count):
    """Ports that nobody has now. Redis cannot take a socket or port 0 for its bus, so that a port must be named."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def crc16(data):
    crc = 0
    for byte in data:
        crc ^= byte << 8
        for _ in range(8):
            crc = (crc << 1 ^ 0x1021 if crc & 0x8000 else crc << 1) & 0xFFFF
    return crc


def slot_of(logical_key):
    """Of a limiter's key, which is its own hash tag."""
    return crc16(logical_key.encode()) % SLOTS


class Node:
    def __init__(self, folder, number, ports, slots, master=None):
        self.folder, self.id = os.path.join(folder, str(number)), f"{number:040x}"
        self.port, self.bus = ports
        self.slots, self.master, self.process = slots, master, None
        os.makedirs(self.folder)

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    def line(self, me, epoch):
        role = "slave" if self.master else "master"
        flags = f"myself,{role}" if me else role
        slots = "" if self.master or not self.slots else " {}-{}".format(*self.slots)
        of = self.master.id if self.master else "-"
        return f"{self.id} {self.address}@{self.bus} {flags} {of} 0 0 {epoch} connected{slots}\n"

    def command(self, *words):
        with socket.create_connection(("127.0.0.1", self.port), 10) as connection:
            return talk(connection, *words)

    def start(self, options):
        self.process = subprocess.Popen(
            ["redis-server", "--bind", "127.0.0.1", "--port", str(self.port), "--cluster-enabled", "yes",
             "--cluster-port", str(self.bus), "--dir", self.folder, "--save", "", "--appendonly", "no", *options],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def answers(self):
        try:
            return self.command("PING") == "PONG"
        except OSError:
            return False

    def is_ok(self):
        try:
            return "cluster_state:ok" in self.command("CLUSTER", "INFO")
        except OSError:
            return False

    def signal(self, number):
        self.process.send_signal(number)

    def kill(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None


class RedisCluster:
    """`replicas`: one behind each of the first masters. `options`: of every redis-server."""

    def __init__(self, folder, masters=3, replicas=0, options=()):
        ports = free_ports(2 * (masters + replicas))
        pairs = list(zip(ports[::2], ports[1::2]))
        self.options = ["--cluster-node-timeout", "700", "--cluster-require-full-coverage", "no",
                        "--repl-diskless-sync-delay", "0", *options]
        bounds = [SLOTS * i // masters for i in range(masters + 1)]
        self.masters = [Node(str(folder), i + 1, pairs[i], (bounds[i], bounds[i + 1] - 1)) for i in range(masters)]
        self.replicas = [Node(str(folder), masters + 1 + i, pairs[masters + i], None, self.masters[i])
                         for i in range(replicas)]
        self.epochs = {node.id: 1 + i for i, node in enumerate(self.masters)}

    @property
    def nodes(self):
        return self.masters + self.replicas

    @property
    def url(self):
        return "redis+cluster://" + ",".join(node.address for node in self.masters)

    def start(self):
        for me in self.nodes:
            with open(os.path.join(me.folder, "nodes.conf"), "w", encoding="ascii") as file:
                for node in self.nodes:
                    file.write(node.line(node is me, self.epochs[(node.master or node).id]))
                file.write(f"vars currentEpoch {len(self.masters)} lastVoteEpoch 0\n")
            me.start(self.options)
        self.wait_until_well()
        return self

    def restart(self, node):
        """After a kill; it knows the cluster from its file and comes back empty."""
        node.start(self.options)
        self.wait_until_well()

    def wait_until_well(self):
        wait_until(lambda: all(node.is_ok() for node in self.nodes), "the cluster to be well")
        for replica in self.replicas:
            wait_until(lambda: "master_link_status:up" in replica.command("INFO", "replication"), "the replica")

    def owner(self, logical_key):
        slot = slot_of(logical_key)
        return next(node for node in self.masters if node.slots[0] <= slot <= node.slots[1])

    def keys(self):
        return [key for node in self.masters if node.process for key in node.command("KEYS", "*")]

    # -- resharding, in the steps that redis-cli --cluster reshard takes

    def open_slot(self, slot, source, target):
        """The slot is on its way: keys that `source` no longer has are asked for at `target`."""
        target.command("CLUSTER", "SETSLOT", slot, "IMPORTING", source.id)
        source.command("CLUSTER", "SETSLOT", slot, "MIGRATING", target.id)

    def move_keys(self, slot, source, target):
        keys = source.command("CLUSTER", "GETKEYSINSLOT", slot, 1000)
        if keys:
            source.command("MIGRATE", "127.0.0.1", target.port, "", 0, 5000, "KEYS", *keys)
        return keys

    def close_slot(self, slot, source, target):
        """The slot has arrived; the others hear of it from these two."""
        target.command("CLUSTER", "SETSLOT", slot, "NODE", target.id)
        source.command("CLUSTER", "SETSLOT", slot, "NODE", target.id)

    def stop(self):
        for node in self.nodes:
            node.kill()

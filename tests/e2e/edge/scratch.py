# SPDX-License-Identifier: Apache-2.0
"""A copy of this system that can be thrown away: an overlay in a mount namespace of its own.

Programs run in it by chroot, with this machine's network and processes. Whatever they write is in
memory and gone at the end; no service of the system is reachable (/run is empty)."""
import os
import subprocess

SETUP = """
set -eu
mount -t tmpfs -o mode=0755 tmpfs "$1"
mkdir "$1/upper" "$1/work" "$1/root"
mount -t overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" overlay "$1/root"
mount -t proc proc "$1/root/proc"
mount --rbind /dev "$1/root/dev"
mount -t tmpfs -o mode=1777 tmpfs "$1/root/run"
mount -t tmpfs -o mode=1777 tmpfs "$1/root/tmp"
echo ready
exec sleep infinity
"""


class Unavailable(Exception):
    """Why there can be no scratch system here."""


class Scratch:
    def __init__(self, folder):
        self.folder = str(folder)
        self.root = os.path.join(self.folder, "root")
        self.holder = None

    def start(self):
        if os.geteuid() != 0:
            raise Unavailable("installing a package needs root")
        self.holder = subprocess.Popen(["unshare", "--mount", "--propagation", "private", "sh", "-c", SETUP, "sh", self.folder],
                                       stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if self.holder.stdout.readline() != "ready\n":
            why = self.holder.stderr.read().strip()
            self.stop()
            raise Unavailable(f"no overlay file system in a mount namespace: {why}")
        return self

    def command(self, *words):
        """To be given to subprocess: `words` run in the scratch system, where tests/tsan.supp is not."""
        return ["nsenter", "--target", str(self.holder.pid), "--mount", "chroot", self.root, "env", "TSAN_OPTIONS=exitcode=86", *words]

    def run(self, *words, code=0, **options):
        done = subprocess.run(self.command(*words), capture_output=True, text=True, timeout=120, check=False,
                              stdin=subprocess.DEVNULL, **options)
        assert done.returncode == code, f"{words}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done

    def put(self, source, path):
        with open(source, "rb") as file:
            subprocess.run(self.command("tee", path), stdin=file, stdout=subprocess.DEVNULL, check=True)

    def has(self, path):
        return subprocess.run(self.command("test", "-e", path), check=False).returncode == 0

    def make_read_only(self):
        subprocess.run(["nsenter", "--target", str(self.holder.pid), "--mount", "mount", "-o", "remount,ro", self.root], check=True)

    def make_writable(self):
        subprocess.run(["nsenter", "--target", str(self.holder.pid), "--mount", "mount", "-o", "remount,rw", self.root], check=True)

    def stop(self):
        if self.holder is not None:
            self.holder.kill()  # the namespace's mounts go with its last process
            self.holder.communicate()
            self.holder = None

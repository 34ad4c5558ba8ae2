# SPDX-License-Identifier: Apache-2.0
"""A Prometheus server of our own on a port that the kernel chooses; only its process is stopped."""
import json
import os
import shutil
import subprocess
import urllib.parse
import urllib.request

from .wait import wait_until

LISTENING = "0A"  # the state column of /proc/net/tcp


def listening_port(pid):
    """The TCP port on which this process listens, or None: Prometheus does not say which one it got."""
    sockets = set()
    for name in os.listdir(f"/proc/{pid}/fd"):
        try:
            sockets.add(os.readlink(f"/proc/{pid}/fd/{name}"))
        except OSError:
            pass  # closed meanwhile
    for table in ("tcp", "tcp6"):
        with open(f"/proc/{pid}/net/{table}", encoding="ascii") as file:
            for row in list(file)[1:]:
                columns = row.split()
                if columns[3] == LISTENING and f"socket:[{columns[9]}]" in sockets:
                    return int(columns[1].split(":")[1], 16)
    return None


class Prometheus:
    def __init__(self, folder, config):
        """`config` is the path of prometheus.yml; rule files are found beside it."""
        self.folder, self.config = str(folder), str(config)
        self.process = self.url = None

    @staticmethod
    def program():
        return shutil.which("prometheus")

    def log(self):
        with open(os.path.join(self.folder, "log"), encoding="utf-8", errors="replace") as file:
            return file.read()

    def start(self):
        with open(os.path.join(self.folder, "log"), "wb") as log:
            self.process = subprocess.Popen(
                [self.program(), f"--config.file={self.config}", f"--storage.tsdb.path={self.folder}/data",
                 "--web.listen-address=127.0.0.1:0"], stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder)

        def port():
            assert self.process.poll() is None, self.log()
            return listening_port(self.process.pid)

        self.url = f"http://127.0.0.1:{wait_until(port, 'Prometheus to listen')}"
        wait_until(self._is_ready, "Prometheus to be ready")
        return self

    def _is_ready(self):
        try:
            with urllib.request.urlopen(f"{self.url}/-/ready", timeout=5) as answer:
                return answer.status == 200
        except OSError:
            return False

    def api(self, path, **query):
        """`data` of the answer; an expression that does not compile is an assertion."""
        url = f"{self.url}/api/v1/{path}?{urllib.parse.urlencode(query)}"
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                told = json.load(answer)
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{path} {query}: {error.read().decode()}") from None
        assert told["status"] == "success", told
        return told["data"]

    def query(self, expression):
        """[(labels, value)] now."""
        return [(row["metric"], float(row["value"][1])) for row in self.api("query", query=expression)["result"]]

    def stop(self):
        if self.process is not None:
            self.process.kill()  # its data is thrown away
            self.process.wait()
            self.process = None

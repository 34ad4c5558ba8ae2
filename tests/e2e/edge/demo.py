# SPDX-License-Identifier: Apache-2.0
"""The demo origin that deploy/quickstart.sh runs, as a process of its own."""
import os
import subprocess
import sys

from .wait import wait_until

DEPLOY = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..", "deploy")


class DemoOrigin:
    def __init__(self, folder):
        ports = os.path.join(str(folder), "demo-port")
        environment = {name: value for name, value in os.environ.items() if name != "DEMO_ORIGIN_PORT"}
        self.process = subprocess.Popen([sys.executable, os.path.join(DEPLOY, "demo-origin", "origin.py"), "--port-file", ports],
                                        stdin=subprocess.DEVNULL, env=dict(environment, PYTHONDONTWRITEBYTECODE="1"))
        wait_until(lambda: os.path.exists(ports), "the demo origin's port")
        with open(ports, encoding="ascii") as file:
            self.port = int(file.read())

    def stop(self):
        self.process.terminate()
        self.process.wait(10)

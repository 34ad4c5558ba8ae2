# SPDX-License-Identifier: Apache-2.0
"""The team's own gateway: config/hub-evolution as it is, on ports of the kernel's choice and a virtual clock."""
import os
import shutil

from .gateway import Gateway

FOLDER = os.path.join(os.path.dirname(__file__), "..", "..", "..", "config", "hub-evolution")


def team_gateway(folder, origin, file=None, old="", new=""):
    """Not started yet. `old` in one of its files is replaced with `new`, for what it must not be."""
    folder = folder / "config"
    shutil.copytree(FOLDER, folder)
    for name, before, after in (("nearedge.json", '"listen":', '"clock": "virtual",\n  "listen":'), (file, old, new)):
        if name:
            text = (folder / name).read_text()
            assert before in text
            (folder / name).write_text(text.replace(before, after))
    env = {"NEAREDGE_PORT": "0", "NEAREDGE_TLS_PORT": "0", "NEAREDGE_ADMIN_PORT": "0", "DEMO_ORIGIN_PORT": str(origin.port),
           "XDG_DATA_HOME": str(folder / "data")}  # its authority is not the person's who runs the tests
    return Gateway(folder, arguments=["-c", str(folder / "nearedge.json")], env=env)

# SPDX-License-Identifier: Apache-2.0
"""Chromium without a window, driven by Playwright (browser/open.mjs): what a page looks like and does."""
import json
import os
import shutil
import subprocess

import pytest

from .npm import npm_packages

SOURCE = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "browser")
NAMES = ("chromium", "chromium-browser", "google-chrome")
REFRESH = os.environ.get("NEAREDGE_REFRESH_PICTURES") == "1"


def picture(stored, folder):
    """Where a screenshot goes: to the README's picture when those are taken anew, else beside the test's other files."""
    return stored if REFRESH else os.path.join(str(folder), os.path.basename(stored))


class Seen:
    """One view: `console` has errors and warnings, `requests` every URL asked for, `results` what was evaluated."""

    def __init__(self, view):
        self.console, self.requests, self.results = view["console"], view["requests"], view["results"]

    def __getitem__(self, name):
        return self.results[name]


class Browser:
    def __init__(self):
        self.chromium = next(filter(None, map(shutil.which, NAMES)), None)
        if not self.chromium:
            pytest.skip("chromium is not installed (deploy/install-deps.sh --tests)")
        self.packages = npm_packages(SOURCE, least_node=18)

    def open(self, url, *views, headers=None, args=(), env=None):
        """A Seen for each view: {"width": 390, "dark": True, "evaluate": {name: JavaScript}, "screenshot": {"path": …}}.

        `url` may be a path of this machine; `args` and `env` are Chromium's own, over those that all views need."""
        job = {"url": url if "://" in url else f"file://{os.path.abspath(url)}", "chromium": self.chromium,
               "headers": headers or {}, "args": list(args), "env": env or {}, "views": views or ({},)}
        done = subprocess.run(["node", os.path.join(SOURCE, "open.mjs")], input=json.dumps(job), text=True, timeout=120,
                              env=dict(os.environ, BROWSER_FOLDER=self.packages), capture_output=True, check=False)
        assert done.returncode == 0, done.stderr
        return [Seen(view) for view in json.loads(done.stdout)]

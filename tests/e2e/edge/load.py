# SPDX-License-Identifier: Apache-2.0
"""`nearedge load` as tests run it."""
import json
import os
import subprocess

from .gateway import BINARY

EXAMPLES = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "..", "..", "bench", "load", "examples"))


class Load:
    """Runs the verb in a folder; `report` is the JSON of the last run, `out` and `err` what it said."""

    def __init__(self, folder, gateway=None):
        self.folder, self.gateway, self.report = folder, gateway, None
        self.out = self.err = ""

    def path(self, name):
        return str(self.folder / name)

    def write(self, name, content):
        (self.folder / name).write_text(content if isinstance(content, str) else json.dumps(content))
        return self.path(name)

    def url(self, path="/"):
        return f"http://{self.gateway.address}{path}"

    def command(self, *arguments, host="www.example.test", **options):
        command = [BINARY, "load", *map(str, arguments), "--json", "report.json"]
        if self.gateway:
            command += ["--admin", self.gateway.admin] + (["-H", f"Host: {host}"] if host else [])
        for name, value in options.items():
            for one in value if isinstance(value, list) else [value]:
                command += ["--" + name.replace("_", "-")] + ([] if one is True else [str(one)])
        return command

    def start(self, *arguments, **options):
        """Running, for tests that meddle with it; end() waits for it."""
        return subprocess.Popen(self.command(*arguments, **options), cwd=self.folder, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True)

    def end(self, process):
        """Its exit code."""
        self.out, self.err = process.communicate(timeout=60)
        try:
            with open(self.path("report.json"), encoding="utf-8") as file:
                self.report = json.load(file)
        except OSError:
            self.report = None
        return process.returncode

    def __call__(self, *arguments, **options):
        return self.end(self.start(*arguments, **options))

    def scenario(self, content, **options):
        content = {"target": self.url(""), "host": "www.example.test", **content}
        return self(self.write("scenario.json", content), **options)

    def example(self, name, **options):
        """One of bench/load/examples, which brings its own Host."""
        return self(os.path.join(EXAMPLES, name), host=None, target=self.url(""), **options)

    def outcomes(self):
        return {item["expect"]: item["outcome"] for item in self.report["expectations"]}

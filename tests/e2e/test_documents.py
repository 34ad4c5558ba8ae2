# SPDX-License-Identifier: Apache-2.0
"""The documents: verbs and options in them exist, links lead somewhere, the map names what is there, and what is marked runnable runs."""
import functools
import glob
import os
import re
import subprocess

import pytest

from edge import Reply
from edge.gateway import BINARY
from edge.team import team_gateway

ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
DOCUMENTS = sorted(glob.glob(os.path.join(ROOT, "deploy", "*.md"))) + [os.path.join(ROOT, name) for name in ("README.md", "ARCHITECTURE.md", "SECURITY.md")]
BLOCK = re.compile(r"^```sh( runnable)?\n(.*?)^```$", re.M | re.S)
TOKEN = "probe"


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        return file.read()


def runnable_blocks(path):
    return [text for runnable, text in BLOCK.findall(read(path)) if runnable]


def anchors(text):
    """What headings are called in links."""
    return [re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in re.findall(r"^#+ (.*)$", text, re.M)]


@functools.lru_cache
def help_of(verb):
    return subprocess.run([BINARY, "help", verb], capture_output=True, text=True, check=False)


def commands(text):
    """(verb, options) of each `nearedge VERB …` in a block or in backquotes."""
    text = text.replace("\\\n", " ")
    for line in re.findall(r"(?<![\w/.-])nearedge ((?:[a-z]+)\b[^\n`|;&]*)", text):
        words = line.split()
        yield words[0], [word for word in words[1:] if re.match(r"--[a-z]", word)]


@pytest.mark.parametrize("path", DOCUMENTS, ids=os.path.basename)
def test_verbs_and_options_exist(path):
    spoken = [text for _, text in BLOCK.findall(read(path))] + re.findall(r"`([^`\n]+)`", read(path))
    spoken += re.findall(r"^    (?:[$#] (?:\w+=\S+ )?)?(nearedge .*(?:\\\n.*)*)", read(path), re.M)
    for verb, options in (pair for text in spoken for pair in commands(text)):
        told = help_of(verb)
        assert told.returncode == 0, f"there is no `nearedge {verb}`"
        for option in options:
            assert option.split("=")[0] in told.stdout, f"`nearedge {verb}` has no {option}"


@pytest.mark.parametrize("path", DOCUMENTS, ids=os.path.basename)
def test_links_and_files_exist(path):
    text = read(path)
    for target, anchor in re.findall(r"\]\(([^)#:]*)(?:#([^)]*))?\)", text):
        file = os.path.join(os.path.dirname(path), target) if target else path
        assert os.path.exists(file), target
        assert not anchor or anchor in anchors(read(file)), f"{target}#{anchor}"
    made = set(read(".gitignore").split())  # what the reader makes with the command beside it
    for name in set(re.findall(r"(?<![\w/.$-])(?:deploy|config|bench|tests)/[\w./-]+[\w](?![*\w])", text)) - made:
        assert os.path.exists(os.path.join(ROOT, name)), name


def test_the_map_names_what_is_there():
    """Each file and folder of ARCHITECTURE.md exists, in gateway/ or a room of it where none is said; 200 lines at most."""
    text = read("ARCHITECTURE.md")
    for name in re.findall(r"`((?:[\w.-]+/)*[\w*-]+(?:\.[chy]+|\*|/))(?: [A-Z]+)?`", text):
        assert any(glob.glob(os.path.join(ROOT, room, name)) for room in ("", "gateway", "gateway/*")), name
    assert len(text.splitlines()) <= 200


def test_every_alert_is_in_the_runbook_it_names():
    rules = read("deploy/prometheus/rules.yml")
    for name, document in re.findall(r"- alert: (\w+)\n.*?runbook: (\S+)", rules, re.S):
        assert name in read(document) or re.sub("(Fast|Medium|Slow)$", "", name) in read(document), f"{document} does not tell about {name}"


def play_the_app(origin):
    """What the team's app answers to the requests of the runbook."""

    def usage(request, _):
        return Reply('{"success":true}', content_type="application/json", set_cookie="guest_id=g1; Path=/", cache_control="no-store")

    def generate(request, _):
        token = request.get("X-CSRF-Token")
        allowed = token and f"csrf_token={token}" in request.get("Cookie", "") and request.get("Origin") == "https://staging.hub-evolution.com"
        if not allowed:
            return Reply('{"success":false,"error":{"type":"forbidden"}}', 403, content_type="application/json")
        return Reply('{"success":true,"data":{"imageUrl":"/r2-ai/g1/1.png"}}', content_type="application/json")

    def image(request, _):
        mine = "guest_id=g1" in request.get("Cookie", "")
        return Reply("png", content_type="image/png", cache_control="private, max-age=60") if mine else Reply("no", 403, cache_control="no-store")

    def claim(request, _):
        return Reply('{"success":true,"data":{"task":null}}') if request.get("x-executor-token") == TOKEN else Reply("{}", 403)

    def browse(request, _):
        return Reply('{"success":true}') if request.get("x-internal-exec") == "1" else Reply("{}", 403)

    origin.default = Reply("asset", content_type="image/x-icon", cache_control="public, max-age=600")
    origin.on("/api/health", Reply('{"status":"ok"}', content_type="application/json"))
    origin.on("/api/ai-image/usage", usage)
    origin.on("/api/ai-image/generate", generate)
    origin.on("/r2-ai/g1/1.png", image)
    origin.on("/api/testing/evaluate/next", claim)
    origin.on("/api/testing/evaluate/next/run", browse)


@pytest.fixture
def team(origin, tmp_path_factory):
    play_the_app(origin)
    gateway = team_gateway(tmp_path_factory.mktemp("team"), origin).start()
    yield gateway
    gateway.stop()


@pytest.mark.parametrize("name", ["runbook.md", "slo.md", "disaster-recovery.md"])
def test_what_is_marked_runnable_runs(team, tmp_path, name):
    found = runnable_blocks(f"deploy/{name}")
    assert found
    script = "set -euo pipefail\ntrap 'echo \"failed in block $block: $BASH_COMMAND\" >&2' ERR\nset -E\n"
    script += "".join(f"block={number}\n{text}" for number, text in enumerate(found, 1))
    env = dict(os.environ, PATH=f"{os.path.dirname(os.path.abspath(BINARY))}:{os.environ['PATH']}", EDGE=f"http://{team.address}",
               ADMIN=team.admin, CONFIG=team.path("nearedge.json"), WEB_EVAL_EXECUTOR_TOKEN=TOKEN, TMPDIR=str(tmp_path),
               BACKUPS=str(tmp_path / "backups"), ACCESS_LOG=team.path("stdout"), DEMO_ORIGIN_PORT=team.env["DEMO_ORIGIN_PORT"])
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, cwd=ROOT, env=env, timeout=120, check=False,
                          stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]


def test_the_executor_s_token_passes_and_is_not_logged(team, origin):
    token = "executor-canary-1f2e3d"
    team.fetch("/api/testing/evaluate/next", "POST", headers=[("x-executor-token", token), ("x-internal-exec", "1"),
                                                              ("CF-Connecting-IP", "203.0.113.11")], body=b"{}", host="staging.hub-evolution.com")
    team.logged(1, ClientRequestURI="/api/testing/evaluate/next")
    sent = next(request for request in origin.requests if request.path == "/api/testing/evaluate/next")
    assert (sent.get("x-executor-token"), sent.get("x-internal-exec")) == (token, "1")
    assert token not in team.access_text() + team.log()

# SPDX-License-Identifier: Apache-2.0
"""https://staging.hub-evolution.com in a browser, as a person has it after deploy/quickstart.sh and `nearedge trust --install`.

With NEAREDGE_REFRESH_PICTURES=1 the README's picture is taken anew."""
import os
import shutil
import subprocess

import pytest
from edge import wait_until
from edge.browser import picture
from edge.demo import DEPLOY, DemoOrigin
from edge.gateway import BINARY
from edge.team import team_gateway

HOST = "staging.hub-evolution.com"
PICTURE = os.path.join(DEPLOY, "staging.png")
UNTIL = """const until = async (what, test) => { for (let i = 0; i < 400; i++) { const v = test(); if (v) return v;
  await new Promise((r) => setTimeout(r, 25)); } throw new Error("never: " + what + " in: " + document.body.innerText); };
const text = (id) => document.getElementById(id).textContent;
const statuses = () => [...document.querySelectorAll("#answers tr")].map((r) => r.cells[1].textContent);"""


def script(body):
    return f"(async () => {{ {UNTIL} {body} }})()"


LOOK = {
    "protocol": "performance.getEntriesByType('navigation')[0].nextHopProtocol",
    "said": script("return until('the protocol', () => text('protocol'));"),
    "first": script("await until('answers', () => statuses().length === 2); return statuses();"),
    "again": script("document.getElementById('again').click(); await until('one more', () => statuses().length === 3); return statuses();"),
    "heard": script("return until('the echo', () => text('socket').startsWith('heard') && text('socket'));"),
    "said_back": script("""document.querySelector('[name=text]').value = 'grüße'; document.querySelector('#say button').click();
        return until('the echo', () => text('socket').includes('grüße') && text('socket'));"""),
    "counted": script("return until('four events', () => Number(text('counter')) >= 4 && text('counter'));"),
    "overflow": "document.documentElement.scrollWidth - innerWidth",
}


class Person:
    """A home of their own, the gateway they started, and their browser."""

    def __init__(self, folder, gateway, browser):
        self.home, self.gateway, self.browser = folder, gateway, browser
        self.authority = gateway.env["XDG_DATA_HOME"] + "/nearedge"

    def trust(self):
        """`nearedge trust --install`; the system's store, which is this machine's, is a folder that nobody reads."""
        tools = self.home / "bin"
        tools.mkdir()
        (tools / "update-ca-certificates").symlink_to("/bin/true")
        (self.home / "store").mkdir()
        environment = dict(os.environ, HOME=str(self.home), PATH=f"{tools}:{os.environ['PATH']}")
        ran = subprocess.run([BINARY, "trust", "--install", "--dir", self.authority, "--store", str(self.home / "store")],
                             env=environment, capture_output=True, text=True, check=True)
        assert f"told      {self.home}/.pki/nssdb" in ran.stderr

    def open(self, *views):
        """Every name but staging's leads nowhere; a certificate that is not trusted is an error."""
        port = self.gateway.listen[1].rsplit(":", 1)[1]
        rules = f"MAP {HOST}:443 127.0.0.1:{port},MAP * ~NOTFOUND"
        return self.browser.open(f"https://{HOST}/", *views, args=[f"--host-resolver-rules={rules}"],
                                 env={"HOME": str(self.home), "XDG_DATA_HOME": "", "XDG_CONFIG_HOME": ""})


@pytest.fixture
def person(browser, tmp_path, tmp_path_factory):
    if not shutil.which("certutil"):
        pytest.skip("certutil is not installed (deploy/install-deps.sh --tests)")
    origin = DemoOrigin(tmp_path)
    gateway = team_gateway(tmp_path_factory.mktemp("team"), origin).start()
    yield Person(tmp_path, gateway, browser)
    gateway.stop()
    origin.stop()


def test_a_browser_at_the_front_door(person):
    with pytest.raises(AssertionError, match="ERR_CERT_AUTHORITY_INVALID"):
        person.open()
    person.trust()
    shot = picture(PICTURE, person.home)
    desk, phone = person.open({"width": 1000, "height": 620, "evaluate": LOOK, "screenshot": {"path": shot}},
                              {"width": 390, "height": 844, "dark": True, "evaluate": LOOK})
    for seen in (desk, phone):
        assert seen.console == []
        assert all(url.startswith((f"https://{HOST}/", f"wss://{HOST}/")) for url in seen.requests), seen.requests
        assert (seen["protocol"], seen["said"]) == ("h2", "by HTTP/2")
        assert (seen["first"], seen["again"]) == (["MISS", "HIT"], ["MISS", "HIT", "HIT"])
        assert seen["heard"].startswith("heard “hello” after ") and seen["said_back"].startswith("heard “grüße” after ")
        assert seen["overflow"] <= 0
    assert 20_000 < os.path.getsize(shot) < 300_000
    assert of_the_edge(person.gateway, "/") == {("HTTP/2", 200)}
    assert of_the_edge(person.gateway, "/live/counter") == {("HTTP/2", 200)}
    assert of_the_edge(person.gateway, "/live/echo") == {("HTTP/2", 101)}  # RFC 8441: no connection of its own
    assert person.gateway.metric("nearedge_tls_handshakes_total", result="failed") >= 1  # the one before the trust


def of_the_edge(gateway, path):
    """{(version, status)} of the finished requests for a path; long-lived ones end when the page goes."""
    def lines():
        return [line for line in gateway.access_log() if line["ClientRequestURI"] == path]

    return {(line["ClientRequestProtocol"], line["EdgeResponseStatus"]) for line in wait_until(lines, f"a line about {path}")}


def test_the_limit_that_a_visitor_meets(person):
    """A browser complains of each 429; that is all it complains of."""
    person.trust()
    burst = script("""document.getElementById('burst').click(); return until('answers', () => text('statuses'));""")
    seen, = person.open({"evaluate": {"burst": burst}})
    assert seen["burst"] == "15 × 200, 5 × 429"
    assert len(seen.console) == 5 and all("429" in line for line in seen.console), seen.console

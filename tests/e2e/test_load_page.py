# SPDX-License-Identifier: Apache-2.0
"""The HTML report of the launch day in a browser: on a desk, on a phone, in the dark, without a network.

With NEAREDGE_REFRESH_PICTURES=1 the run takes ten seconds instead of one and renews the README's picture."""
import os
import re
import shutil

import pytest
from edge import Reply
from edge.browser import REFRESH, picture
from edge.load import EXAMPLES, Load
from edge.team import team_gateway

PICTURE = os.path.join(os.path.dirname(EXAMPLES), "launch-day.png")
PLOTS = """[...document.querySelectorAll('figure')].map(f => ({
    title: f.querySelector('figcaption').firstChild.textContent,
    lines: [...f.querySelectorAll('polyline')].map(l => l.points.numberOfItems),
    bars: [...f.querySelectorAll('rect')].filter(r => r.height.baseVal.value > 0).length,
    width: f.querySelector('svg').getBoundingClientRect().width,
    height: f.querySelector('svg').getBoundingClientRect().height}))"""
LOOK = {
    "plots": PLOTS,
    "overflow": "document.documentElement.scrollWidth - innerWidth",
    "beyond": "[...document.querySelectorAll('body > *')].filter(e => e.getBoundingClientRect().right > innerWidth + 1).length",
    "colours": "[getComputedStyle(document.body).backgroundColor, getComputedStyle(document.body).color]",
    "badge": "document.querySelector('.badge').textContent",
    "expectations": "document.querySelectorAll('td.held').length",
}


def brightness(colour):
    red, green, blue = map(int, re.findall(r"\d+", colour)[:3])
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.fixture
def page(browser, origin, tmp_path, tmp_path_factory):
    """The report's path."""
    origin.default = Reply('{"success":true}', content_type="application/json")
    gateway = team_gateway(tmp_path_factory.mktemp("team"), origin).start()
    load = Load(tmp_path, gateway)
    shutil.copy(os.path.join(EXAMPLES, "launch-day.json"), tmp_path)  # the page shows the command: short, as people type it
    for _ in range(5):  # on a busy machine a latency may not hold; here only the page counts
        code = load("launch-day.json", host=None, target=load.url(""), scale=0.1 if REFRESH else 0.012, html="report.html")
        if code == 0:
            break
        gateway.advance(60000)
    gateway.stop()
    assert code == 0, load.out
    return load.path("report.html")


def test_the_page(page, browser, tmp_path):
    shot = picture(PICTURE, tmp_path)
    at_desk = {"width": 1000, "height": 1440, "evaluate": LOOK, "screenshot": {"path": shot}}
    desk, phone, dark = browser.open(page, at_desk, {"width": 390, "height": 844, "evaluate": LOOK}, {"dark": True, "evaluate": LOOK})
    assert os.path.getsize(page) < 500_000
    for view in (desk, phone, dark):
        assert view.console == [] and view.requests == [f"file://{page}"]
        assert view["overflow"] <= 0 and view["beyond"] == 0
        assert (view["badge"], view["expectations"]) == ("passed", 8)
        titles = [plot["title"] for plot in view["plots"]]
        assert titles[:2] == ["Response time", "Answers"] and {"Percentiles"} < set(titles), titles
        for plot in view["plots"]:
            assert plot["bars"] >= 8 or (plot["lines"] and min(plot["lines"]) >= 8), plot
            assert plot["width"] > 300 and plot["height"] > 80, plot
    assert brightness(desk["colours"][0]) > 200 > 80 > brightness(desk["colours"][1])
    assert brightness(dark["colours"][0]) < 50 < 180 < brightness(dark["colours"][1])
    assert 20_000 < os.path.getsize(shot) < 300_000


def test_a_page_that_misbehaves_is_found_out(browser, tmp_path):
    """The helper itself: errors, requests and sideways scrolling are seen."""
    bad = tmp_path / "bad.html"
    bad.write_text('<body style="width:2000px"><img src="http://127.0.0.1:1/x.png"><script>console.error("oh"); nowhere()</script>')
    view, = browser.open(str(bad), {"width": 390, "evaluate": {"overflow": LOOK["overflow"]}})
    assert view["overflow"] > 1000 and "http://127.0.0.1:1/x.png" in view.requests
    assert "oh" in view.console and any("nowhere" in line for line in view.console)

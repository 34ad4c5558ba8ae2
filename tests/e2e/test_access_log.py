# SPDX-License-Identifier: Apache-2.0
"""One line per exchange, with Logpush's names, without secrets."""
import os
import re
import signal
import threading
from datetime import datetime

import pytest
from edge import Reply, wait_until

FIELDS = ["RayID", "ClientIP", "ClientRequestHost", "ClientRequestMethod", "ClientRequestURI", "EdgeStartTimestamp",
          "EdgeEndTimestamp", "EdgeResponseStatus", "EdgeResponseBytes", "EdgeColoCode", "CacheCacheStatus",
          "OriginResponseStatus", "OriginResponseDurationMs", "ClientSSLProtocol", "ClientSSLCipher"]


def test_line_has_all_fields(gateway, origin):
    origin.on("/page", Reply("x" * 1000))
    response = gateway.fetch("/page?q=1", "POST", body=b"abc")
    line = gateway.logged()[0]
    assert [field for field in FIELDS if field not in line] == []
    assert line["RayID"] == response.ray.split("-")[0]
    assert line["ClientIP"] == "127.0.0.1"
    assert line["ClientRequestHost"] == "www.example.test"
    assert (line["ClientRequestMethod"], line["ClientRequestURI"]) == ("POST", "/page?q=1")
    assert (line["EdgeResponseStatus"], line["OriginResponseStatus"], line["EdgeColoCode"]) == (200, 200, "FRA")
    assert 1000 <= line["EdgeResponseBytes"] < 3000
    assert str(line["CacheCacheStatus"]).lower() == "dynamic"
    start, end = (datetime.fromisoformat(line[name].replace("Z", "+00:00")) for name in ("EdgeStartTimestamp", "EdgeEndTimestamp"))
    assert start <= end


def test_cache_and_limiter_are_told(start, origin):
    gateway = start(origin, limiters={
        "limiters": [{"name": "few", "limit": 1, "window_ms": 60000, "store": "durable_object", "key": "${ip}:${user}"}],
        "routes": [{"path": "/few.css", "limiter": "few"}]})
    for _ in range(2):
        gateway.fetch("/few.css")
    first, second = gateway.logged(2)
    assert first["Limiter"] == second["Limiter"] == "few"
    assert first["LimiterDecision"] != second["LimiterDecision"]
    assert first["LimiterKey"] == second["LimiterKey"] and "127.0.0.1" not in first["LimiterKey"]
    assert second["EdgeResponseStatus"] == 429
    assert second["OriginResponseStatus"] in (0, None)


def test_refused_bytes_are_logged_too(gateway):
    with gateway.client() as client:
        client.send("NONSENSE\r\n\r\n").read_to_end()
    gateway.logged(EdgeResponseStatus=400)


def test_client_that_left_is_logged_as_499(gateway, origin):
    release = threading.Event()
    origin.on("/slow", lambda *_: release.wait(20) and Reply("x"))
    client = gateway.client()
    client.request("GET", "/slow")
    wait_until(lambda: origin.count() == 1, "the request")
    client.reset()
    gateway.logged(EdgeResponseStatus=499)
    release.set()


@pytest.mark.parametrize("value", ['quote"backslash\\', "high\xe4\xff", "tab%09", "\u00e9"])
def test_line_stays_one_json_line(gateway, value):
    gateway.fetch("/page", headers={"User-Agent": value, "Referer": value})
    gateway.fetch("/p%22%0a%5c")
    assert len(gateway.logged(2)) == 2
    assert gateway.access_text().count("\n") == 2


def test_secrets_are_never_written(start, origin):
    gateway = start(origin, log={"mask": ["token", "sig"]})
    gateway.fetch("/page?a=1&token=s3cret&b=2&sig=s3cret", headers={
        "Cookie": "session_id=s3cret", "Authorization": "Bearer s3cret"})
    uri = gateway.logged()[0]["ClientRequestURI"]
    assert "a=1" in uri and "b=2" in uri and "token=" in uri
    assert "s3cret" not in gateway.access_text() + gateway.log()


def test_common_format(start, origin):
    gateway = start(origin, log={"format": "common"})
    gateway.fetch("/page?x=1")
    wait_until(lambda: gateway.access_text().endswith("\n"), "the line")
    assert re.fullmatch(r'127\.0\.0\.1 - - \[\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d \+0000\] "GET /page\?x=1 HTTP/1\.1" 200 \d+( "-" "-")?\n',
                        gateway.access_text()), gateway.access_text()


def test_file_is_reopened_on_usr1(start, origin):
    gateway = start(origin, log={"access": "access.log"})
    gateway.fetch("/before")
    wait_until(lambda: "/before" in gateway.access_text("access.log"), "the line before")
    os.rename(gateway.path("access.log"), gateway.path("access.log.1"))
    gateway.fetch("/between")
    wait_until(lambda: "/between" in gateway.access_text("access.log.1"), "the line between")
    gateway.signal(signal.SIGUSR1)
    wait_until(lambda: os.path.exists(gateway.path("access.log")), "the new file")
    gateway.fetch("/after")
    wait_until(lambda: "/after" in gateway.access_text("access.log"), "the line after")
    assert "/after" not in gateway.access_text("access.log.1")


def test_access_log_can_be_off(start, origin):
    gateway = start(origin, log={"access": "off"})
    gateway.fetch("/")
    gateway.stop()
    assert gateway.access_text() == ""


def test_operational_log_is_quiet_about_traffic(gateway):
    before = gateway.log()
    for _ in range(20):
        gateway.fetch("/page")
    assert gateway.log() == before

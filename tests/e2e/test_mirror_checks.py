# SPDX-License-Identifier: Apache-2.0
"""mirror_checks: the app's own refusals of requests from elsewhere, in front of its limiter (spec/limiter.md a3)."""
import json

import pytest
from edge import Reply

OWN = "http://www.example.test"
TOKEN = {"X-CSRF-Token": "t0ken", "Cookie": "csrf_token=t0ken"}
RULES = {
    "limiters": [{"name": "ai", "limit": 2, "window_ms": 60000}],
    "routes": [
        {"methods": ["POST"], "path": "/token", "limiter": "ai", "csrf": True},
        {"path": "/origin", "limiter": "ai"},
        {"path": "/open", "limiter": "ai", "origin_check": False},
        {"path": "/first", "limiter": "ai", "limiter_first": True},
        {"path": "/exempt", "limiter": None},
    ],
    "allowed_origins": ["https://partner.example"],
}
MISSING, FOREIGN, INVALID = "Missing Origin/Referer header", "Origin not allowed", "Invalid CSRF token"


@pytest.fixture
def mirror(start, origin):
    origin.default = Reply('{"success":true}', content_type="application/json")

    def begin(checks=True):
        return start(origin, limiters=RULES, zone={"mirror_checks": checks})

    return begin


def send(gateway, path, headers=(), method="POST", content_type="application/json"):
    fields = {**({"Content-Type": content_type} if content_type else {}), **dict(headers)}
    return gateway.fetch(path, method, fields, body=b"{}" if method != "GET" else None)


def spent(gateway):
    return gateway.metric("nearedge_limiter_decisions_total", limiter="ai")


@pytest.mark.parametrize("path, headers, message", [
    ("/origin", {}, MISSING),
    ("/origin", {"Origin": "https://evil.example"}, FOREIGN),
    ("/origin", {"Origin": "null"}, FOREIGN),
    ("/origin", {"Origin": "https://www.example.test"}, FOREIGN),  # the other scheme
    ("/origin", {"Origin": OWN + ":8443"}, FOREIGN),
    ("/origin", {"Referer": "https://evil.example/" + OWN}, FOREIGN),
    ("/token", {"Origin": OWN}, INVALID),
    ("/token", {"Origin": OWN, "X-CSRF-Token": "t0ken"}, INVALID),
    ("/token", {"Origin": OWN, "X-CSRF-Token": "other", "Cookie": "csrf_token=t0ken"}, INVALID),
    ("/token", {"Origin": "https://evil.example", **TOKEN}, FOREIGN),
    ("/exempt", {}, MISSING),
])
def test_refusals_are_the_apps_and_spend_nothing(mirror, origin, path, headers, message):
    gateway = mirror()
    refused = send(gateway, path, headers)
    assert refused.status == 403
    assert json.loads(refused.body) == {"success": False, "error": {"type": "forbidden", "message": message}}
    assert refused.get("Content-Type") == "application/json" and refused.get("X-Frame-Options") == "DENY"
    assert "Retry-After" not in refused
    assert spent(gateway) == 0 and origin.count(path) == 0


@pytest.mark.parametrize("path, headers, method", [
    ("/origin", {"Origin": OWN}, "POST"),
    ("/origin", {"Origin": "https://partner.example"}, "PUT"),
    ("/origin", {"Referer": OWN + "/page?x=1"}, "DELETE"),
    ("/origin", {}, "GET"),
    ("/token", {"Origin": OWN, **TOKEN}, "POST"),
    ("/open", {}, "POST"),
])
def test_what_the_app_takes_passes_and_is_counted(mirror, path, headers, method):
    gateway = mirror()
    assert send(gateway, path, headers, method).status == 200
    assert spent(gateway) == 1


def test_the_redirecting_wrapper_counts_before_it_checks(mirror):
    gateway = mirror()
    assert [send(gateway, "/first").status for _ in range(3)] == [403, 403, 429]
    assert spent(gateway) == 3


def test_refused_by_the_limiter_comes_after_the_checks(mirror):
    gateway = mirror()
    assert [send(gateway, "/origin", {"Origin": OWN}).status for _ in range(3)] == [200, 200, 429]
    assert send(gateway, "/origin").status == 403


@pytest.mark.parametrize("content_type", ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain", None])
def test_form_like_bodies_from_elsewhere_are_refused_by_the_framework(mirror, content_type):
    gateway = mirror()
    refused = send(gateway, "/open", {"Origin": "https://partner.example"}, content_type=content_type)
    assert (refused.status, refused.body) == (403, b"Cross-site POST form submissions are forbidden")
    assert refused.get("Content-Type") == "text/plain;charset=UTF-8" and "X-Frame-Options" not in refused
    assert send(gateway, "/open", {"Origin": OWN}, content_type=content_type).status == 200
    assert spent(gateway) == 1


def test_checks_are_off_by_default(mirror):
    gateway = mirror(False)
    assert send(gateway, "/token").status == 200
    assert spent(gateway) == 1


# ---- explain ----

@pytest.mark.parametrize("path, headers, status, words", [
    ("/origin", {}, 403, "answers 403 as the app would (mirror_checks): Missing Origin/Referer header; its limiter does not count it."),
    ("/origin", {"Content-Type": "text/plain"}, 403, "Cross-site form submissions are forbidden; its limiter does not count it."),
    ("/first", {"Origin": "https://evil.example"}, 403, "Origin not allowed; its limiter has counted it."),
    ("/exempt", {}, 403, "Missing Origin/Referer header"),
    ("/origin", {"Origin": OWN}, None, "passes it to the origin"),
])
def test_explain_says_what_the_app_would(mirror, path, headers, status, words):
    gateway = mirror()
    fields = {"Content-Type": "application/json", **headers}
    answer = gateway.api_json("/api/explain", "POST", {"url": OWN + path, "method": "POST", "headers": fields})["result"]
    assert answer["status_code"] == status and words in answer["nearedge"]["verdict"]
    assert (answer["nearedge"]["mirror_checks"] is not None) is (status == 403)
    assert gateway.fetch(path, "POST", fields, body=b"{}").status == (status or 200)  # and does

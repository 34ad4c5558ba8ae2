# SPDX-License-Identifier: Apache-2.0
"""The shipped rules and dashboard: valid, tested, and about metrics that the gateway really has."""
import glob
import json
import os
import re
import shutil
import socket
import ssl
import subprocess

import pytest

from edge import Reply
from edge.prometheus import Prometheus
from edge.wait import wait_until

DEPLOY = os.path.join(os.path.dirname(__file__), "..", "..", "deploy")
RULES = os.path.join(DEPLOY, "prometheus", "rules.yml")
METRIC = re.compile(r"\b((?:nearedge|process)_\w+)(?![\w:(])")
RECORDED = re.compile(r"\b(?:zone|job):\w+:\w+")
EXPIRY = "nearedge_certificate_expiry_timestamp_seconds"
WORKLOAD = ("/page", "/page", "/kv", "/kv", "/exact", "/exact", "/exact", "/broken")

needs_prometheus = pytest.mark.skipif(not Prometheus.program() or not shutil.which("promtool"),
                                      reason="no Prometheus: deploy/install-deps.sh --tests")


def read(*path):
    with open(os.path.join(DEPLOY, *path), encoding="utf-8") as file:
        return file.read()


def dashboard_expressions():
    dashboard = json.loads(read("grafana", "nearedge.json"))
    found = [(panel["title"], target["expr"]) for panel in dashboard["panels"] for target in panel.get("targets", ())]
    found += [(note["name"], note["expr"]) for note in dashboard["annotations"]["list"]]
    # As Grafana does with its default choices.
    return [(title, expr.replace("$instance", ".*").replace("$zone", ".*").replace("$__rate_interval", "1m")) for title, expr in found]


def promtool(*arguments):
    done = subprocess.run(["promtool", *arguments], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@needs_prometheus
def test_promtool_finds_nothing_wrong():
    assert "SUCCESS" in promtool("check", "rules", RULES)
    assert "SUCCESS" in promtool("check", "config", os.path.join(DEPLOY, "prometheus", "prometheus.yml"))


@needs_prometheus
def test_alerts_fire_when_they_should():
    promtool("test", "rules", *sorted(glob.glob(os.path.join(DEPLOY, "prometheus", "*_test.yml"))))


def test_every_alert_has_a_case_and_a_document():
    cases = "".join(read("prometheus", name) for name in ("rules_test.yml", "rules_days_test.yml"))
    rules = read("prometheus", "rules.yml")
    for name in re.findall(r"alert: (\w+)", rules):
        assert f"alertname: {name}\n" in cases, f"{name} fires in no test"
    for document in set(re.findall(r"runbook: (\S+)", rules)):
        assert os.path.exists(os.path.join(DEPLOY, "..", document))


@pytest.fixture(scope="module")
def world(shared_start, shared_origin, tmp_path_factory):
    """A gateway that has met everything there is a metric for, its Prometheus, and the names it shows."""
    if not Prometheus.program():
        pytest.skip("no Prometheus: deploy/install-deps.sh --tests")
    shared_origin.default = Reply("x", cache_control="max-age=60")
    gateway = shared_start(
        shared_origin,
        zone={"origin": {"url": None, "servers": [shared_origin.url]},
              "faults": [{"name": "broken", "expression": 'http.request.uri.path eq "/broken"', "where": "edge", "status": 522}]},
        rules=[{"action": "set_cache_settings", "expression": "true", "action_parameters": {"cache": True}}],
        limiters={"limiters": [{"name": "on-kv", "limit": 9, "window_ms": 60000, "store": "kv", "key": "${ip}"},
                               {"name": "exact", "limit": 2, "window_ms": 60000, "store": "durable_object", "key": "${ip}",
                                "compare": ["memory", "kv"]}],
                  "routes": [{"path": "/kv", "limiter": "on-kv"}, {"path": "/exact", "limiter": "exact"}]},
        listen=[{"address": "127.0.0.1:0", "edge": "FRA"},
                *[{"address": "127.0.0.1:0", "edge": "FRA", "tls": {"local_ca": True, "local_ca_dir": "ca"}}] * 2])
    folder = tmp_path_factory.mktemp("prometheus")
    text = read("prometheus", "prometheus.yml")
    assert "127.0.0.1:8081" in text
    (folder / "prometheus.yml").write_text(text.replace("127.0.0.1:8081", gateway.admin).replace("15s", "1s"))
    shutil.copy(RULES, folder)
    prometheus = Prometheus(folder, folder / "prometheus.yml").start()
    try:
        ask_for_everything(gateway)
        wait_until(lambda: prometheus.query("nearedge_faults_injected_total > 0"), "the first scrape")
        ask_for_everything(gateway)  # rates need a second point that is higher
        wait_until(lambda: prometheus.query("rate(nearedge_faults_injected_total[1m]) > 0"), "the second scrape")
        wait_until(lambda: prometheus.query("zone:nearedge_errors:ratio_rate5m > 0"), "the recording rules")
        yield gateway, prometheus
    finally:
        prometheus.stop()


def ask_for_everything(gateway):
    for path in WORKLOAD:
        gateway.fetch(path)
    host, port = gateway.listen[1].rsplit(":", 1)
    context = ssl._create_unverified_context()
    with socket.create_connection((host, int(port)), timeout=10) as raw:
        context.wrap_socket(raw, server_hostname="www.example.test").close()


def test_every_name_in_rules_and_dashboard_is_a_metric(world):
    gateway, _ = world
    shown = gateway.api("/metrics").body.decode()
    names = set(re.findall(r"^# TYPE (\S+) ", shown, re.M))
    for name in re.findall(r"^# TYPE (\S+) histogram", shown, re.M):
        names |= {f"{name}_bucket", f"{name}_sum", f"{name}_count"}
    text = re.sub(r"#.*|zone:\S+|job:\S+", "", read("prometheus", "rules.yml"))
    text += "\n".join(RECORDED.sub("", expr) for _, expr in dashboard_expressions())
    used = set(METRIC.findall(text)) - {"process_start"}
    assert len(used) > 20 and used <= names, sorted(used - names)
    # The other way round: nothing the gateway counts is forgotten by the dashboard.
    forgotten = {name for name in names if name.startswith("nearedge_")} - set(METRIC.findall("\n".join(e for _, e in dashboard_expressions())))
    forgotten -= {name for name in forgotten if re.sub(r"_(sum|count|bucket)$", "", name) in names or f"{name}_bucket" in names}
    assert forgotten <= {"nearedge_upstream_active", "nearedge_metrics_overflow_total"}, sorted(forgotten)


def test_the_contract_of_the_interface(world):
    gateway, _ = world
    families = re.findall(r"^# TYPE (\S+) (\S+)", gateway.api("/metrics").body.decode(), re.M)
    assert {
        ("nearedge_requests_total", "counter"), ("nearedge_request_duration_seconds", "histogram"),
        ("nearedge_cache_requests_total", "counter"), ("nearedge_cache_bytes", "gauge"), ("nearedge_cache_objects", "gauge"),
        ("nearedge_origin_requests_total", "counter"), ("nearedge_origin_request_duration_seconds", "histogram"),
        ("nearedge_limiter_decisions_total", "counter"), ("nearedge_kv_operations_total", "counter"),
        ("nearedge_do_requests_total", "counter"), ("nearedge_backend_up", "gauge"), ("nearedge_rule_matches_total", "counter"),
        ("nearedge_connections", "gauge"), ("nearedge_config_last_reload_successful", "gauge"), ("nearedge_build_info", "gauge"),
        ("nearedge_config_last_reload_success_timestamp_seconds", "gauge"), ("nearedge_certificate_expiry_timestamp_seconds", "gauge"),
        ("process_cpu_seconds_total", "counter"), ("process_resident_memory_bytes", "gauge"), ("process_open_fds", "gauge"),
        ("process_start_time_seconds", "gauge")} <= set(families)


def test_a_certificate_has_one_series_and_ends_when_its_file_says(world):
    gateway, _ = world
    series = [(dict(labels), value) for (name, labels), value in gateway.metrics().items() if name == EXPIRY]
    assert len(series) == 1, series  # of three listeners two show it
    labels, value = series[0]
    assert labels["host"] == "www.example.test"
    done = subprocess.run(["openssl", "x509", "-in", labels["certificate"], "-noout", "-enddate"], capture_output=True, text=True, check=True)
    assert value == ssl.cert_time_to_seconds(done.stdout.strip().split("=", 1)[1])


def test_every_panel_shows_something(world):
    _, prometheus = world
    for title, expression in dashboard_expressions():
        rows = prometheus.query(expression)
        assert rows or title == "Restarts", f"{title}: nothing for {expression}"


def test_prometheus_evaluates_every_rule_and_the_armed_fault_alerts(world):
    _, prometheus = world

    def evaluated():
        rules = [rule for group in prometheus.api("rules")["groups"] for rule in group["rules"]]
        return rules if rules and all(rule["health"] != "unknown" for rule in rules) else None

    rules = wait_until(evaluated, "all rules")
    assert len(rules) == len(re.findall(r"- (?:alert|record): ", read("prometheus", "rules.yml")))
    assert [rule["name"] for rule in rules if rule["health"] != "ok"] == []
    firing = wait_until(lambda: [a["labels"] for a in prometheus.api("alerts")["alerts"] if a["state"] == "firing"], "the alert")
    assert "NearedgeFaultsArmed" in {labels["alertname"] for labels in firing}

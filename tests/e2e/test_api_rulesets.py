# SPDX-License-Identifier: Apache-2.0
"""Rulesets through the API (spec/api-v4.md section 3): shapes, versions, positions, errors, and
that a write is in force on every worker once it is answered."""
import json
import os
import re

import pytest
from edge import RawClient, Reply, Truncated, in_parallel, wait_until
from edge.api import CACHE_PHASE, ENTRYPOINT, ZONE_ID, Api, rule

HERE = os.path.dirname(__file__)
HUB = {"plan": "enterprise", "hosts": ["ci.hub-evolution.com", "staging.hub-evolution.com", "www.example.test"]}
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
ID = re.compile(r"[0-9a-f]{32}")


@pytest.fixture
def api(start, origin):
    return Api(start(origin, zone={"plan": "business"}))


def names(ruleset):
    return [item["description"] for item in ruleset["rules"]]


def three(api):
    return api.put(ENTRYPOINT, {"rules": [rule(description=name) for name in "abc"]})


# -- from files

def test_export_reads_back_as_it_is(start, origin):
    with open(os.path.join(HERE, "data", "sample-ruleset-export.json"), encoding="utf-8") as file:
        export = json.load(file)
    api = Api(start(origin, zone=HUB, rules=export))
    wanted = export["result"]
    for path in (ENTRYPOINT, f"/rulesets/{wanted['id']}", f"{ENTRYPOINT}/versions/9"):
        answer = api.get(path)
        assert answer == wanted
        assert json.dumps(answer) == json.dumps(wanted)  # also the order of members, as exports have it
    assert api.get("/rulesets") == [{key: value for key, value in wanted.items() if key != "rules"}]
    assert api.put(ENTRYPOINT, {"rules": wanted["rules"]})["rules"] == wanted["rules"]


def test_ids_that_a_file_leaves_out_are_the_same_after_a_restart(start, origin):
    first, second = (Api(start(origin, rules=[rule(), rule("not true", ref="mine")])).get(ENTRYPOINT) for _ in range(2))
    assert first["id"] == second["id"] and ID.fullmatch(first["id"])
    assert [r["id"] for r in first["rules"]] == [r["id"] for r in second["rules"]]
    assert first["rules"][0]["ref"] == first["rules"][0]["id"] and first["rules"][1]["ref"] == "mine"
    assert (first["version"], first["description"], first["name"]) == ("1", "", "default")


# -- rulesets

def test_create_and_delete(api):
    assert api.get("/rulesets") == []
    made = api.post("/rulesets", {"name": "mine", "kind": "zone", "phase": CACHE_PHASE, "rules": [rule()]})
    assert ID.fullmatch(made["id"]) and TIME.fullmatch(made["last_updated"])
    assert (made["name"], made["kind"], made["phase"], made["version"], made["description"]) == \
        ("mine", "zone", CACHE_PHASE, "1", "")
    only = made["rules"][0]
    assert ID.fullmatch(only["id"]) and only["ref"] == only["id"]
    assert (only["version"], only["enabled"], only["last_updated"]) == ("1", True, made["last_updated"])
    assert "description" not in only and "position" not in only
    assert [r["id"] for r in api.get("/rulesets")] == [made["id"]] and "rules" not in api.get("/rulesets")[0]
    assert api.get(f"/rulesets/{made['id']}") == made == api.get(ENTRYPOINT)
    api.delete(f"/rulesets/{made['id']}")
    assert api.refused("GET", f"/rulesets/{made['id']}", status=404)[:2] == (10005, "could not find ruleset")
    assert api.refused("GET", ENTRYPOINT, status=404)[:2] == \
        (10003, f"could not find entrypoint ruleset in the {CACHE_PHASE} phase")


def test_second_entry_point_is_refused(api):
    body = {"name": "a", "kind": "zone", "phase": CACHE_PHASE, "rules": []}
    api.post("/rulesets", body)
    code, message, pointer = api.refused("POST", "/rulesets", body)
    assert (code, pointer) == (20217, "/kind")
    assert message == ("'zone' is not a valid value for kind because exceeded maximum number of zone "
                       f"rulesets for phase {CACHE_PHASE}")


@pytest.mark.parametrize("change, pointer", [({"name": None}, "/name"), ({"kind": "custom"}, "/kind"), ({"kind": None}, "/kind"),
                                             ({"phase": "http_nothing"}, "/phase"), ({"name": 5}, "/name")])
def test_create_wants_name_kind_and_phase(api, change, pointer):
    body = {"name": "a", "kind": "zone", "phase": CACHE_PHASE, **change}
    assert api.refused("POST", "/rulesets", body)[2] == pointer


def test_put_creates_the_entry_point_and_empty_is_a_list(api):
    made = api.put(ENTRYPOINT, {})
    assert (made["name"], made["version"], made["rules"]) == ("default", "1", [])
    assert api.get(ENTRYPOINT)["rules"] == []


def test_put_replaces_rules_and_keeps_what_is_not_sent(api):
    first = three(api)
    again = api.put(ENTRYPOINT, {"description": "words"})
    assert (again["version"], again["description"], again["rules"]) == ("2", "words", first["rules"])
    less = api.put(f"/rulesets/{first['id']}", {"rules": first["rules"][:1]})
    assert (less["version"], less["description"], less["rules"]) == ("3", "words", first["rules"][:1])
    assert less["id"] == first["id"]


def test_put_by_id_takes_what_terraform_sends_but_changes_none_of_it(api):
    made = three(api)
    path = f"/rulesets/{made['id']}"
    same = {"name": "default", "kind": "zone", "phase": CACHE_PHASE, "description": "", "rules": made["rules"]}
    assert api.put(path, same)["version"] == "2"
    for field, value in (("name", "x"), ("kind", "root"), ("phase", "http_ratelimit")):
        assert api.refused("PUT", path, {**same, field: value})[2] == f"/{field}"
    assert api.get(path)["version"] == "2"


@pytest.mark.parametrize("field", ["name", "kind", "phase", "id"])
def test_entry_point_put_is_strict(api, field):
    three(api)
    value = {"name": "default", "kind": "zone", "phase": CACHE_PHASE, "id": "0" * 32}[field]
    assert api.refused("PUT", ENTRYPOINT, {"rules": [], field: value})[1] == f'invalid JSON: unknown field "{field}"'
    assert len(api.get(ENTRYPOINT)["rules"]) == 3


def test_other_phases(api):
    made = api.put("/rulesets/phases/http_request_firewall_custom/entrypoint",
                   {"rules": [{"action": "skip", "expression": "true", "action_parameters": {"ruleset": "current"}}]})
    assert made["rules"][0]["logging"] == {"enabled": True}
    limit = {"action": "managed_challenge", "expression": "true",
             "ratelimit": {"characteristics": ["ip.src", "cf.colo.id"], "period": 10, "requests_per_period": 5}}
    made = api.put("/rulesets/phases/http_ratelimit/entrypoint", {"rules": [limit]})
    assert made["rules"][0]["ratelimit"] == {**limit["ratelimit"], "mitigation_timeout": 0, "requests_to_origin": False}
    assert {r["phase"] for r in api.get("/rulesets")} == {"http_request_firewall_custom", "http_ratelimit"}


# -- what comes back

def test_parameters_come_back_as_sent_and_null_means_absent(api):
    sent = {"cache": True, "edge_ttl": {"mode": "override_origin", "default": 7200, "status_code_ttl": None},
            "cache_key": {"ignore_query_strings_order": True, "custom_key": {}}, "browser_ttl": None}
    back = api.put(ENTRYPOINT, {"rules": [rule(action_parameters=sent, description=None, ref=None, logging=None)]})["rules"][0]
    wanted = {"cache": True, "edge_ttl": {"mode": "override_origin", "default": 7200},
              "cache_key": {"ignore_query_strings_order": True, "custom_key": {}}}
    assert json.dumps(back["action_parameters"]) == json.dumps(wanted)
    assert "description" not in back and "logging" not in back and back["ref"] == back["id"]


# -- identities and versions

def test_versions_of_rules_count_changes_of_their_definition(api):
    first = three(api)
    a, b, c = first["rules"]
    api.gateway.advance(5000)
    second = api.put(ENTRYPOINT, {"rules": [c, {**a, "expression": "not true"}, b]})
    assert [r["id"] for r in second["rules"]] == [c["id"], a["id"], b["id"]]
    assert [r["version"] for r in second["rules"]] == ["1", "2", "1"]
    assert [r["last_updated"] for r in second["rules"]] == [c["last_updated"], second["last_updated"], b["last_updated"]]
    assert second["last_updated"] > first["last_updated"] and second["version"] == "2"


def test_rules_are_matched_by_id_else_by_ref(api):
    made = api.put(ENTRYPOINT, {"rules": [rule(ref="one"), rule(ref="two")]})
    one, two = made["rules"]
    export = [{**rule("not true"), "id": "f" * 32, "ref": "one"}, {**rule(), "id": two["id"], "ref": "other"}, rule()]
    again = api.put(ENTRYPOINT, {"rules": export})["rules"]
    assert [r["id"] for r in again[:2]] == [one["id"], two["id"]]
    assert [r["ref"] for r in again[:2]] == ["one", "other"]
    assert [r["version"] for r in again] == ["2", "2", "1"]
    assert again[2]["id"] not in (one["id"], two["id"])


def test_rule_without_identity_is_new_each_time(api):
    first, second = (api.put(ENTRYPOINT, {"rules": [rule()]})["rules"][0] for _ in range(2))
    assert first["id"] != second["id"] and second["version"] == "1"


def test_foreign_export_keeps_its_ids(api):
    back = api.put(ENTRYPOINT, {"rules": [rule(id="a" * 32, ref="r", version="7", last_updated="2020-01-01T00:00:00Z")]})["rules"][0]
    assert (back["id"], back["ref"], back["version"]) == ("a" * 32, "r", "1")
    assert back["last_updated"] != "2020-01-01T00:00:00Z"
    assert api.refused("PUT", ENTRYPOINT, {"rules": [rule(id="nonsense")]})[2] == "/rules/0/id"
    assert api.refused("PUT", ENTRYPOINT, {"rules": [rule(ref="")]})[2] == "/rules/0/ref"
    assert "occurs twice" in api.refused("PUT", ENTRYPOINT, {"rules": [rule(ref="x"), rule(ref="x")]})[1]


def test_versions_are_kept_listed_and_deleted(api):
    made = three(api)
    path = f"/rulesets/{made['id']}"
    for expression in ("not true", "true"):
        api.put(path, {"rules": [rule(expression)]})
    versions = api.get(f"{path}/versions")
    assert [v["version"] for v in versions] == ["1", "2", "3"] and all("rules" not in v for v in versions)
    assert versions == api.get(f"{ENTRYPOINT}/versions")
    assert api.get(f"{path}/versions/1") == made == api.get(f"{ENTRYPOINT}/versions/1")
    assert api.get(f"{path}/versions/2")["rules"][0]["expression"] == "not true"
    api.delete(f"{path}/versions/2")
    assert [v["version"] for v in api.get(f"{path}/versions")] == ["1", "3"]
    for wrong in ("2", "99", "x", "0"):
        assert "could not find" in api.refused("GET", f"{path}/versions/{wrong}", status=404)[1]
    api.refused("DELETE", f"{path}/versions/3")
    assert api.put(path, {"description": "d"})["version"] == "4"


def test_history_is_bounded(api):
    made = three(api)
    for _ in range(60):
        api.put(ENTRYPOINT, {"description": "again"})
    versions = api.get(f"/rulesets/{made['id']}/versions")
    assert len(versions) == 50 and versions[-1]["version"] == "61"


def test_versions_without_an_entry_point(api):
    assert api.get(f"{ENTRYPOINT}/versions") == []
    assert api.refused("GET", f"{ENTRYPOINT}/versions/1", status=404)[0] == 10003


# -- single rules

def test_rules_are_added_changed_and_removed(api):
    made = three(api)
    api.gateway.advance(1000)
    path = f"/rulesets/{made['id']}/rules"
    added = api.post(path, rule(description="d"))
    assert names(added) == list("abcd") and added["version"] == "2"
    b = added["rules"][1]
    changed = api.patch(f"{path}/{b['id']}", rule("not true", cache=False, description="b"))
    assert changed["rules"][1] == {**b, "version": "2", "last_updated": changed["last_updated"],
                                   "action_parameters": {"cache": False}, "expression": "not true"}
    assert [changed["rules"][n] for n in (0, 2, 3)] == [added["rules"][n] for n in (0, 2, 3)]
    removed = api.delete(f"{path}/{b['id']}", status=200)
    assert names(removed) == list("acd") and removed["version"] == "4"
    assert api.refused("DELETE", f"{path}/{b['id']}", status=404)[1] == "could not find rule"
    assert api.refused("PATCH", f"{path}/{b['id']}", {"position": {"index": 1}}, status=404)[1] == "could not find rule"


def test_patch_replaces_the_whole_definition(api):
    made = api.put(ENTRYPOINT, {"rules": [rule(description="d", enabled=False, ref="r")]})
    path = f"/rulesets/{made['id']}/rules/{made['rules'][0]['id']}"
    assert api.refused("PATCH", path, {"enabled": True})[::2] == (20125, "/expression")
    assert api.refused("PATCH", path, {})[0] == 20125
    back = api.patch(path, rule("not true"))["rules"][0]
    assert back["enabled"] is True and "description" not in back and back["ref"] == "r"
    assert api.refused("PATCH", path, rule(id="0" * 32))[2] == "/id"


@pytest.mark.parametrize("position, order", [
    ({"before": ""}, "Nabc"), ({"after": ""}, "abcN"), ({"before": "b"}, "aNbc"), ({"after": "b"}, "abNc"),
    ({"index": 1}, "Nabc"), ({"index": 3}, "abNc"), ({"index": 4}, "abcN"), (None, "abcN"), ({"after": "b", "index": None}, None)])
def test_position_of_a_new_rule(api, position, order):
    made = three(api)
    ids = {r["description"]: r["id"] for r in made["rules"]}
    if position:
        position = {key: ids.get(value, value) for key, value in position.items()}
    body = rule(description="N", position=position)
    path = f"/rulesets/{made['id']}/rules"
    if order is None:
        assert api.refused("POST", path, body)[2] == "/position"
    else:
        assert names(api.post(path, body)) == list(order)


@pytest.mark.parametrize("position, order", [({"before": ""}, "bac"), ({"after": ""}, "acb"), ({"index": 3}, "acb"), ({"index": 1}, "bac"),
                                             ({"after": "c"}, "acb"), ({"before": "a"}, "bac")])
def test_moving_keeps_the_definition(api, position, order):
    made = three(api)
    ids = {r["description"]: r["id"] for r in made["rules"]}
    position = {key: ids.get(value, value) for key, value in position.items()}
    moved = api.patch(f"/rulesets/{made['id']}/rules/{ids['b']}", {"position": position})
    assert names(moved) == list(order) and moved["version"] == "2"
    assert sorted(json.dumps(r) for r in moved["rules"]) == sorted(json.dumps(r) for r in made["rules"])


@pytest.mark.parametrize("position", [{}, {"index": 0}, {"index": 5}, {"index": 1.5}, {"index": "1"}, {"before": "f" * 32}, {"before": 5},
                                      {"before": "", "after": ""}, {"beside": ""}, 7])
def test_positions_that_are_none(api, position):
    made = three(api)
    api.refused("POST", f"/rulesets/{made['id']}/rules", rule(position=position))
    assert api.get(ENTRYPOINT) == made
    api.refused("PATCH", f"/rulesets/{made['id']}/rules/{made['rules'][0]['id']}", {"position": {"index": 4}})


# -- errors

BAD_RULES = [
    (rule(""), 20125, "expression", "'' is not a valid value for expression because the expression cannot be blank"),
    (rule(None), 20125, "expression", "the expression cannot be blank"),
    (rule("(http.host eq"), 20127, "expression", "could not parse filter expression: Filter parsing error (1:"),
    (rule("http.nothing eq 1"), 20127, "expression", "unknown identifier"),
    (rule("true" + " or true" * 600), 20127, "expression", "exceeded maximum 4096"),
    ({"action": "set_cache_settings", "expression": "true"}, 20106, "action_parameters",
     "action parameters are required for the set_cache_settings action"),
    ({**rule(), "action": "block"}, 20016, "action",
     f"'block' is not a valid value for action because it is not possible to use the block action in a ruleset with phase {CACHE_PHASE}"),
    ({**rule(), "logging": {"enabled": True}}, 20018, None, "logging"),
    ({**rule(), "expresion": "x"}, None, None, 'invalid JSON: unknown field "expresion"'),
    (rule(action_parameters={"cash": True}), None, None, 'invalid JSON: unknown field "cash"'),
]


@pytest.mark.parametrize("bad, code, pointer, message", BAD_RULES)
def test_errors_of_rules(api, bad, code, pointer, message):
    made = api.put(ENTRYPOINT, {"rules": [rule()]})
    wanted = {"PUT": f"/rules/1/{pointer}", "POST": f"/{pointer}", "PATCH": f"/{pointer}"}
    requests = {"PUT": (ENTRYPOINT, {"rules": [rule(), bad]}), "POST": (f"/rulesets/{made['id']}/rules", bad),
                "PATCH": (f"/rulesets/{made['id']}/rules/{made['rules'][0]['id']}", bad)}
    for method, (path, body) in requests.items():
        got = api.refused(method, path, body)
        assert got[0] == code and message in got[1]
        if pointer:
            assert got[2] == wanted[method]
    assert api.get(ENTRYPOINT) == made  # not even the version


def test_all_errors_are_told_at_once(api):
    errors = api.call("PUT", ENTRYPOINT, {"rules": [rule(""), rule(), rule("(")]}, 400)["errors"]
    assert [e["source"]["pointer"] for e in errors] == ["/rules/0/expression", "/rules/2/expression"]


def test_too_many_rules(start, origin):
    api = Api(start(origin))  # free: 10
    assert "10" in api.refused("PUT", ENTRYPOINT, {"rules": [rule()] * 11})[1]
    assert len(api.put(ENTRYPOINT, {"rules": [rule()] * 10})["rules"]) == 10
    made = api.get(ENTRYPOINT)
    api.refused("POST", f"/rulesets/{made['id']}/rules", rule())
    api.refused("PUT", ENTRYPOINT, {"rules": [rule()] * 100_000})


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"5", b'{"rules": 5}', b'{"rules": [5]}', b'{"rules": [[]]}', b'{"rulez": []}',
                                  b'{"description": 5}', b'{"rules": [], "rules": []}', b"[" * 100_000])
def test_bodies_that_are_none(api, body):
    for method, path in (("PUT", ENTRYPOINT), ("POST", "/rulesets")):
        response = api.gateway.api(f"/client/v4/zones/{api.zone}{path}", method, body)
        assert response.status == 400 and json.loads(response.body)["errors"]
    assert api.get("/rulesets") == []


def test_ids_that_are_none_are_not_routed(api):
    for path in ("/rulesets/x", "/rulesets/" + "A" * 32, "/rulesets/x/versions", "/rulesets/x/versions/1"):
        assert api.refused("GET", path, status=404)[0] == 7003
    assert api.refused("GET", "/rulesets/" + "0" * 32, status=404)[0] == 10005
    for method, path, body in (("PUT", "", {}), ("DELETE", "", None), ("POST", "/rules", rule()), ("GET", "/versions", None)):
        assert api.refused(method, f"/rulesets/{'0' * 32}{path}", body, status=404)[0] == 10005


# -- dry runs

def test_dry_run_checks_and_keeps_nothing(api):
    made = three(api)
    first = made["rules"][0]
    path = f"/rulesets/{made['id']}"
    for method, where, body in (("PUT", ENTRYPOINT, {"rules": []}), ("PUT", path, {"rules": []}), ("POST", f"{path}/rules", rule()),
                                ("PATCH", f"{path}/rules/{first['id']}", rule("not true")), ("DELETE", f"{path}/rules/{first['id']}", None)):
        assert api.call(method, f"{where}?dry_run=true", body)["result"] is None
    api.delete(f"{path}?dry_run=true")
    api.refused("PUT", f"{ENTRYPOINT}?dry_run=true", {"rules": [rule("(")]})
    for wrong in ("yes", "1", "", "True"):
        api.refused("PUT", f"{ENTRYPOINT}?dry_run={wrong}", {"rules": []})
    assert api.get(ENTRYPOINT) == made
    assert api.put(f"{ENTRYPOINT}?dry_run=false", {"rules": []})["rules"] == []


# -- the running edge

def test_a_write_changes_the_edge_at_once(api, origin):
    origin.default = Reply("x", cache_control="max-age=600")
    fetch = api.gateway.fetch
    assert fetch("/page").cache == "DYNAMIC"
    made = api.put(ENTRYPOINT, {"rules": [rule()]})
    assert [fetch("/page").cache for _ in range(2)] == ["MISS", "HIT"]
    api.post(f"/rulesets/{made['id']}/rules", rule('http.request.uri.path eq "/page"', cache=False))
    assert fetch("/page").cache == "DYNAMIC"
    assert fetch("/other").cache == "MISS"
    api.delete(f"/rulesets/{made['id']}")
    assert fetch("/other").cache == "DYNAMIC"


def test_a_write_is_in_force_on_every_worker_when_it_is_answered(start, origin):
    """The workers are kept busy, so that switching takes them a while."""
    origin.default = Reply("x", cache_control="max-age=600")
    gateway = start(origin, workers=2)
    clients = [gateway.client() for _ in range(16)]  # the kernel spreads them over both workers
    busy = [gateway.client() for _ in range(4)]
    writer = RawClient(gateway.admin)
    many = b"GET /static.css HTTP/1.1\r\nHost: www.example.test\r\n\r\n" * 300
    ask = b"GET /page HTTP/1.1\r\nHost: www.example.test\r\n\r\n"
    try:
        for round_number in range(60):
            cached = round_number % 2 == 0
            body = json.dumps({"rules": [rule(enabled=cached)]}).encode()
            writer.request("PUT", f"/client/v4/zones/{ZONE_ID}{ENTRYPOINT}", body=body, host="127.0.0.1")
            for client in busy:
                client.send(many)
            assert writer.read().status == 200
            for client in clients:
                client.send(ask)
            seen = {client.read().cache for client in clients}
            assert seen <= {"HIT", "MISS", "EXPIRED"} if cached else seen == {"DYNAMIC"}, (round_number, seen)
            for client in busy:
                for _ in range(300):
                    client.read()
    finally:
        for client in [*clients, *busy, writer]:
            client.close()


def test_a_write_leaves_connections_to_the_origin_open(start, origin):
    gateway = start(origin)
    api = Api(gateway)
    for _ in range(5):
        gateway.fetch("/page")
        api.put(ENTRYPOINT, {"rules": [rule("not true")]})
    assert origin.accepted == 1


def test_writes_at_once_are_one_after_the_other(start, origin):
    api = Api(start(origin, workers=2, zone={"plan": "enterprise"}))
    made = api.put(ENTRYPOINT, {"rules": []})
    answers = in_parallel(*[lambda n=n: api.post(f"/rulesets/{made['id']}/rules", rule(description=str(n))) for n in range(40)])
    assert sorted(int(a["version"]) for a in answers) == list(range(2, 42))
    assert sorted(names(api.get(ENTRYPOINT)), key=int) == [str(n) for n in range(40)]


def test_client_that_goes_away_does_not_stop_a_write(api):
    body = json.dumps({"rules": [rule()] * 20}).encode()
    head = (f"PUT /client/v4/zones/{api.zone}{ENTRYPOINT} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            f"Content-Length: {len(body)}\r\n\r\n").encode()
    for number in range(40):
        client = RawClient(api.gateway.admin)
        client.send(head + body)
        if number % 2:  # a reset takes unread bytes along: give the gateway a turn to read them
            api.gateway.api("/livez")
        client.reset()
    wait_until(lambda: api.gateway.api(f"/client/v4/zones/{api.zone}{ENTRYPOINT}").status == 200, "one of the writes")


def test_end_of_the_process_amid_writes(start, origin):
    gateway = start(origin, workers=2, zone={"plan": "enterprise"})
    api = Api(gateway)
    made = api.put(ENTRYPOINT, {"rules": []})
    path, body = f"/client/v4/zones/{ZONE_ID}/rulesets/{made['id']}", {"rules": [rule()] * 50}

    def write_on():
        """200 until the end; then 503, or nobody is there any more."""
        try:
            while gateway.api(path, "PUT", body).status == 200:
                pass
        except (OSError, AssertionError, Truncated):
            pass

    def end():
        wait_until(lambda: int(api.get(f"/rulesets/{made['id']}")["version"]) > 20, "some writes")
        gateway.terminate()
        assert gateway.wait() == 0

    in_parallel(end, *[write_on] * 4)


# -- files

def test_hang_up_returns_to_the_files_and_says_so(start, origin):
    gateway = start(origin, rules=[rule(description="file")])
    api = Api(gateway)
    api.put(ENTRYPOINT, {"rules": [rule(description="api")]})
    api.patch("/settings/cache_level", {"value": "basic"})
    gateway.hang_up()
    wait_until(lambda: names(api.get(ENTRYPOINT)) == ["file"], "the file's rules")
    assert "reload replaces the rulesets changed through the API" in gateway.log()
    assert "reload replaces the settings changed through the API" in gateway.log()
    assert api.get("/settings/cache_level")["value"] == "aggressive"
    gateway.hang_up()
    wait_until(lambda: gateway.log().count("configuration reloaded") == 2, "the second reload")
    assert gateway.log().count("reload replaces the rulesets") == 1


def test_persist_writes_the_file(start, origin):
    gateway = start(origin, rules=[rule(description="file")], admin={"address": "127.0.0.1:0", "persist": True})
    api = Api(gateway)
    path = gateway.path("rulesets/cache.json")
    os.chmod(path, 0o640)
    made = api.put(ENTRYPOINT, {"rules": [rule(description="api", ref="mine")]})
    with open(path, encoding="utf-8") as file:
        assert json.load(file) == made
    assert os.stat(path).st_mode & 0o777 == 0o640 and os.listdir(gateway.path("rulesets")) == ["cache.json"]
    api.call("PUT", f"{ENTRYPOINT}?dry_run=true", {"rules": []})
    gateway.hang_up()
    wait_until(lambda: "configuration reloaded" in gateway.log(), "the reload")
    assert api.get(ENTRYPOINT) == made
    assert "reload replaces" not in gateway.log()
    api.delete(f"/rulesets/{made['id']}")
    with open(path, encoding="utf-8") as file:
        assert json.load(file)["rules"] == []


def test_persist_that_fails_changes_nothing(start, origin):
    gateway = start(origin, rules=[rule(description="file")], admin={"address": "127.0.0.1:0", "persist": True})
    api = Api(gateway)
    os.unlink(gateway.path("rulesets/cache.json"))
    before = api.get(ENTRYPOINT)
    for method, path, body in (("PUT", ENTRYPOINT, {"rules": []}), ("DELETE", f"/rulesets/{before['id']}", None)):
        assert "could not write" in api.refused(method, path, body, status=500)[1]
    assert api.get(ENTRYPOINT) == before
    assert "a ruleset could not be written" in gateway.log()

# SPDX-License-Identifier: Apache-2.0
"""Every kind of expectation holds where it should and fails, with exit code 99, where it should.

Kinds and words are read from the program's own source: a new one fails here until it has cases of both sorts."""
import os
import re

import pytest
from edge import Reply
from edge.load import Load

SOURCE = os.path.join(os.path.dirname(__file__), "..", "..", "bench", "load")
GENERATE, LIAR = "/api/ai-image/generate", "/liar"
LIMITERS = {
    "limiters": [{"name": "aiGenerate", "limit": 15, "window_ms": 60000, "store": "durable_object", "key": "${ip}:${user}", "mode": "enforce"}],
    "routes": [{"methods": ["POST"], "path": GENERATE, "limiter": "aiGenerate"}]}

# kind: (what holds, what fails, where to) when two visitors send forty requests in 100 ms, one after the other:
# thirty are admitted, then ten refused.
CASES = {
    "count": (
        ["200 == 30", "429 = 10", "429 != 11", "429 < 11", "429 <= 10", "429 > 9", "429 >= 10", "429 in 9..11", "429 == 9 +- 1",
         "429 == 9 ± 1", "4xx == 10", "limited == 10", "DYNAMIC == 30", "errors == 0", "failed == 0", "answers == 40",
         "requests == 40", "429 of request == 10", "phase load: 200 == 30", "each identity: 200 == 15", "per 50ms: requests == 20",
         "phase load, per 60s: 200 <= 30"],
        ["200 == 29", "429 = 11", "429 != 10", "429 < 10", "429 <= 9", "429 > 10", "429 >= 11", "429 in 11..20", "429 == 12 +- 1",
         "429 == 12 ± 1", "4xx == 9", "limited == 9", "HIT == 30", "errors == 1", "failed == 1", "answers == 39",
         "requests == 41", "429 of request == 9", "phase load: 200 == 15", "each identity: 200 == 14", "per 50ms: requests == 21",
         "phase load, per 60s: 200 <= 29"], GENERATE),
    "ratio": (["ratio 429 < 26%", "429 == 25%", "ratio 200 in 74%..76%", "ratio 429 <= 0.25"],
              ["ratio 429 < 25%", "429 == 24%", "ratio 200 in 76%..80%", "ratio 429 <= 0.24"], GENERATE),
    "rate": (["rate requests in 399/s..401/s", "200 >= 290/s"], ["rate requests in 401/s..500/s", "200 >= 310/s"], GENERATE),
    "time": (["p99 < 5s", "p99.9 of request < 5s", "service p50 < 5s", "response p50 < 5s", "mean < 5s", "avg < 5s", "min > 1us",
              "max < 9s", "median < 5s"],
             ["p99 < 1us", "p99.9 of request < 1us", "service p50 < 1us", "response p50 < 1us", "mean < 1us", "avg < 1us", "min > 5s",
              "max < 1us", "median < 1us"], GENERATE),
    "only": (["only 200,429", "only DYNAMIC, limited", "only 2xx, 4xx of request"], ["only 200", "only limited", "only 5xx of request"],
             GENERATE),
    "first": (["first 429 after 30", "first 429 after 29..31", "first limited of request after >= 30"],
              ["first 429 after 29", "first 429 after 31..40", "first limited of request after >= 31", "first 500 after 3"], GENERATE),
    "honest": (["retry-after honest", "retry-after honest of request"], [], GENERATE),
    "honest ": ([], ["retry-after honest", "retry-after honest of request"], LIAR),
    "origin": (["origin requests == 30"], ["origin requests == 29", "origin not contacted"], GENERATE),
    "origin ": (["origin not contacted"], [], "/logo.svg"),
}


def source(name):
    with open(os.path.join(SOURCE, name), encoding="utf-8") as file:
        return file.read()


def kinds():
    enum = re.search(r"enum expect_kind \{(.*?)\}", source("expect.h"), re.S).group(1)
    return [name.lower() for name in re.findall(r"\bEXPECT_(\w+)", enum)]


def grammar():
    """Every word and sign that the parser knows."""
    text = source("expect_parse.c")
    words = re.findall(r'expect_lex_(?:take|is)\(&p->lex, "([^"]+)"', text)
    tables = re.findall(r"static const struct \{(.*?)\n *for \(", text, re.S)
    rows = [row for table in tables for row in re.findall(r'\{"([^"]+)", ', table)]
    assert len(words) > 15 and len(rows) > 20
    return sorted(set(words + rows))


@pytest.fixture(scope="module")
def gateway(shared_start, shared_origin):
    shared_origin.default = Reply('{"success":true}', content_type="application/json")
    shared_origin.on(LIAR, Reply("", status=429, headers={"Retry-After": "soon"}))
    shared_origin.on("/logo.svg", Reply("<svg/>", content_type="image/svg+xml", cache_control="max-age=86400"))
    started = shared_start(shared_origin, limiters=LIMITERS, trusted_proxies=["127.0.0.1/32"])
    assert started.fetch("/logo.svg").cache == "MISS"
    return started


def run(gateway, folder, path, sentences):
    """A machine that is busy with something else makes a run inconclusive (6): that says nothing about the expectation."""
    for _ in range(8):
        gateway.advance(60000)
        load = Load(folder, gateway)
        method = "GET" if path == "/logo.svg" else "POST"
        code = load("--url", load.url(path), "-X", method, rate="400/s", duration="100ms", identities=2, connections=1, expect=sentences)
        if code != 6:
            break
    return code, load


@pytest.mark.parametrize("kind", kinds())
def test_a_kind_holds_and_fails(gateway, tmp_path, kind):
    rows = [case for name, case in CASES.items() if name.strip() == kind]
    assert any(row[0] for row in rows) and any(row[1] for row in rows), f"no cases for {kind}"
    for holds, fails, path in rows:
        for sentences, expected, outcome in ((holds, 0, "held"), (fails, 99, "failed")):
            if not sentences:
                continue
            code, load = run(gateway, tmp_path, path, sentences)
            assert code == expected, load.out + load.err
            assert load.outcomes() == {sentence: outcome for sentence in sentences}, load.out
            assert {item["kind"] for item in load.report["expectations"]} == {kind}


@pytest.mark.parametrize("fails", [(row[1][0], row[2]) for row in CASES.values() if row[1]])
def test_one_failing_expectation_is_enough(gateway, tmp_path, fails):
    """Among others that hold."""
    code, load = run(gateway, tmp_path, fails[1], ["requests == 40", fails[0], "answers == 40"])
    assert (code, load.report["verdict"]) == (99, "failed"), load.out + load.err
    assert sorted(load.outcomes().values()) == ["failed", "held", "held"]


@pytest.mark.parametrize("side", [0, 1], ids=["holds", "fails"])
def test_every_word_of_the_grammar_is_in_a_case(side):
    sentences = [sentence for row in CASES.values() for sentence in row[side]]
    used = {word for sentence in sentences for word in re.findall(r"[a-zA-Z-]+|\+-|\.\.|[<>=!]=?|[±:,]", sentence)}
    assert set(grammar()) <= used, set(grammar()) - used

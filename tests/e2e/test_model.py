# SPDX-License-Identifier: Apache-2.0
"""A short random walk of cache and limiters against the reference model; tests/model/walk.py makes long ones."""
import os
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "model"))
import walk  # noqa: E402
from reference import Cache, Limiter  # noqa: E402

STEPS, SEED = 20_000, 1


def test_gateway_and_model_agree(tmp_path):
    seen = walk.walk(tmp_path, STEPS, SEED)
    for answer in ("HIT", "MISS", "EXPIRED", "REVALIDATED", "BYPASS", "DYNAMIC", 200, 429):
        assert seen[answer] > STEPS // 100, "the walk goes everywhere"


@pytest.mark.parametrize("model,forgets", [(Cache, "purge_path"), (Limiter, "reset")])
def test_a_mistake_is_found_and_shown(tmp_path, monkeypatch, model, forgets):
    """A model that forgets something stands for a gateway that does."""
    monkeypatch.setattr(model, forgets, lambda *_: None)
    with pytest.raises(walk.Difference, match=r"seed 1: the gateway said(.|\n)*at \d+: "):
        walk.walk(tmp_path, STEPS, SEED)

"""The results as plain data: valid, whole, consistent with the findings they come from."""

from __future__ import annotations

import json

import jsonschema
import numpy as np
import pandas as pd
import pytest

from landform.formulation import Study
from unit.formulation.published import PAINT, ROOT

SCHEMA = json.loads((ROOT / "docs" / "results.schema.json").read_text())


@pytest.fixture(scope="module")
def found():
    return Study.read(PAINT, PAINT.with_name("problem.toml")).run()


def studies():
    """Problems of every shape: no goal, no mixture, a missing cell, cost, constraints, one factor."""
    rng = np.random.default_rng(2)
    X = rng.dirichlet(np.ones(3), 16)
    frame = pd.DataFrame(
        {"a": X[:, 0], "b": X[:, 1], "c": X[:, 2], "t": rng.uniform(20, 60, 16), "y [mm]": X @ [1, 2, 5.0]}
    )
    frame["y [mm]"] += 0.05 * frame["t"] + 0.1 * rng.standard_normal(16)
    frame["z"] = rng.standard_normal(16)
    frame.loc[3, "z"] = np.nan
    mixture = {"total": 1.0, "ingredients": {n: {"cost": 1.0} for n in "abc"}, "trials": {"closure": "none"}}
    small = {"study": {"recipes": 1, "starts": 4}}
    return {
        "no goal": (frame, {**mixture, "properties": {"y": {"model": "linear"}, "z": {"model": "linear"}}}),
        "nothing predictable": (
            frame,
            {**mixture, "properties": {"z": {"goal": "maximize", "model": "mean"}}, **small},
        ),
        "factors alone": (
            frame,
            {"factors": {"t": {}, "a": {}}, "properties": {"y": {"goal": "minimize", "model": "linear"}}, **small},
        ),
        "one factor": (
            frame,
            {"factors": {"t": {"unit": "°C"}}, "properties": {"y": {"goal": "maximize", "model": "linear"}}, **small},
        ),
        "mixture with factor, cost and constraint": (
            frame,
            {
                **mixture,
                "factors": {"t": {}},
                "properties": {"y": {"goal": "in range", "limits": [2.0, float("inf")], "model": "linear"}},
                "cost": {"goal": "minimize", "limits": [0.5, 2.0]},
                "constraints": [{"terms": {"a": 1, "b": 1}, "upper": 0.9}],
                **small,
            },
        ),
    }


@pytest.mark.parametrize("case", studies())
def test_every_kind_of_study_keeps_to_the_schema(case):
    frame, problem = studies()[case]
    results = Study.read(frame, problem).run().to_dict()
    jsonschema.Draft202012Validator(SCHEMA).validate(json.loads(json.dumps(results, allow_nan=False)))


def test_numbers_are_the_findings(found):
    results = found.to_dict()
    assert results["recipes"][0]["inputs"] == found.recipes[0].inputs
    assert len(results["effects"]) == len(found.effects.effects) == 2 * 2 * 4
    assert len(results["swaps"]) == 2 * 2 * 12
    assert results["source"]["rows"] == 19
    assert [row["row"] for row in results["table"]["rows"]] == list(range(2, 21))


def test_what_was_closed_stands_in_it(found):
    table = found.to_dict()["table"]
    assert [c["row"] for c in table["closed"]] == [12, 13, 14, 15]
    assert sum(row["closed"] for row in table["rows"]) == 4
    for row in table["rows"]:
        assert sum(row["inputs"].values()) == pytest.approx(1, abs=1e-12)


def test_swaps_that_are_possible_have_no_reason(found):
    for swap in found.to_dict()["swaps"]:
        assert swap["possible"] == (swap["why_not"] is None)
    for effect in found.to_dict()["effects"]:
        low, high = effect["estimate"]["lower"], effect["estimate"]["upper"]
        assert effect["sure"] == (low > 0 or high < 0)


def test_the_seed_and_the_versions_are_written(found):
    made_by = found.to_dict()["made_by"]
    assert made_by["seed"] == 0
    assert made_by["landform"] == "0.1.0"
    assert made_by["numpy"] == np.__version__

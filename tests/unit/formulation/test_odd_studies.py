"""Whole studies of unusual but valid tables: simulated, so that the truth is known."""

import json
from pathlib import Path

import jsonschema
import numpy as np
import pandas as pd
import pytest
from rich.console import Console

import landform
from landform.errors import InfeasibleError, ProblemError, TableError
from landform.report import dumps, page, print_summary

SCHEMA = json.loads((Path(__file__).parents[3] / "docs/results.schema.json").read_text())


def blends(n=30, seed=1):
    """Three ingredients and a process factor; y has a ridge in the factor at 50."""
    rng = np.random.default_rng(seed)
    X = rng.dirichlet(np.ones(3), n).round(4)
    X[:, 2] = 1 - X[:, 0] - X[:, 1]
    heat = rng.uniform(20, 80, n).round(1)
    y = 10 * X[:, 0] + 5 * X[:, 1] + 8 * X[:, 0] * X[:, 1] - 0.002 * (heat - 50) ** 2 + rng.normal(0, 0.05, n)
    z = 3 + 4 * X[:, 2] + rng.normal(0, 0.05, n)
    columns = {"a": X[:, 0], "b": X[:, 1], "c": X[:, 2], "heat [°C]": heat, "y": y, "z [mm]": z}
    return pd.DataFrame(columns)


def problem(properties, **more):
    ingredients = {"a": {}, "b": {}, "c": {"cost": 2.0}}
    return {"total": 1.0, "ingredients": ingredients, "factors": {"heat": {}}, "properties": properties} | more


def checked(found):
    """The findings as data, after they have passed the schema, the page and the terminal."""
    data = found.to_dict()
    jsonschema.validate(json.loads(dumps(data)), SCHEMA)
    assert "<script" in page(data)
    with Path("/dev/null").open("w") as nowhere:
        print_summary(data, Console(file=nowhere, width=80))
    return data


def test_ingredients_with_a_factor_and_a_cost():
    found = landform.study(blends(), problem({"y": {"goal": "target", "target": 9.0}}, cost={}))
    data = checked(found)
    best = found.recipes[0]
    assert abs(sum(best.inputs[n] for n in "abc") - 1) < 1e-9
    assert best.cost == pytest.approx(2 * best.inputs["c"])
    assert [p["name"] for p in data["properties"]] == ["y", "cost"]
    assert {e.direction for e in found.effects.effects} == {"Cox", "factor"}


def test_goals_reached_in_full_still_wander_and_promise_nothing_more():
    found = landform.study(blends(), problem({"y": {"goal": "maximize", "limits": [0, 6]}}))
    checked(found)
    best = found.recipes[0]
    assert best.beyond
    assert best.desirability == 1.0
    assert max(best.spread.values()) > 1e-3
    assert all(a.gain is None or a.gain == 0 for a in best.active)
    assert "flat" in found.shape.words


def test_ranges_alone_lead_deep_inside_them():
    wanted = {"y": {"goal": "in range", "limits": [6, 8]}, "z": {"goal": "in range", "limits": [3.5, 5.5]}}
    found = landform.study(blends(), problem(wanted))
    checked(found)
    y, z = (e.mean.value for e in found.recipes[0].expected)
    assert 6.5 < y < 7.5
    assert 4.0 < z < 5.0
    assert found.recipes[0].chance > 0.99


def test_goals_out_of_reach_name_the_nearest_recipe():
    found = landform.study(blends(), problem({"y": {"goal": "maximize", "limits": [50, 60]}}))
    words = checked(found)["summary"]["make"]
    assert found.recipes == ()
    assert "No recipe within the limits" in words
    assert "at least 50 is wanted" in words
    assert abs(found.closest[:3].sum() - 1) < 1e-9


def test_pure_noise_is_said_to_be_noise():
    """Twenty properties of nothing but noise: at most two pass for predictable (one in twenty is the promise)."""
    rng = np.random.default_rng(5)
    table = blends(20)
    names = [f"n{k}" for k in range(20)]
    table[names] = rng.normal(size=(20, 20))
    found = landform.study(table, problem({name: {"goal": "maximize"} for name in names}))
    assert sum(one.predictable for one in found.surrogates) <= 2
    assert len(found.not_optimized) >= 18
    assert "better than its mean" in found.surrogates[0].words


def test_inputs_that_only_moved_together_are_named():
    rng = np.random.default_rng(2)
    a = rng.uniform(0.1, 0.4, 16)
    table = pd.DataFrame({"a": a, "b": a, "c": 1 - 2 * a, "y": 7 * a + rng.normal(0, 0.01, 16)})
    wanted = {"y": {"goal": "maximize"}}
    found = landform.study(table, {"total": 1.0, "ingredients": {n: {} for n in "abc"}, "properties": wanted})
    notes = [note["text"] for note in checked(found)["summary"]["notes"]]
    assert any("never varied a, b independently" in text for text in notes)
    swap = next(s for s in found.effects.swaps if (s.into, s.out_of) == ("a", "b"))
    assert swap.estimate.standard_error is None
    assert not swap.estimate.sure


def test_an_optimum_on_the_edge_of_reach_keeps_its_desirability():
    """The end of a range met to rounding counts as met."""
    found = landform.study(
        blends(), problem({"y": {"goal": "maximize"}, "z": {"goal": "in range", "limits": [3.5, 4]}})
    )
    best = found.recipes[0]
    assert best.desirability > 0.3
    assert best.certificate.violation < 1e-6


def test_one_factor_alone():
    rng = np.random.default_rng(3)
    t = np.linspace(20, 80, 25)
    table = pd.DataFrame({"t": t, "y": -0.01 * (t - 47) ** 2 + rng.normal(0, 0.1, 25)})
    found = landform.study(table, {"factors": {"t": {}}, "properties": {"y": {"goal": "maximize"}}})
    checked(found)
    assert found.recipes[0].inputs["t"] == pytest.approx(47, abs=1.5)
    (shape,) = found.shape.properties
    assert shape.nature == "maximum"
    assert shape.point["t"] == pytest.approx(47, abs=1.5)


@pytest.mark.parametrize(
    ("table", "wanted", "kind", "words"),
    [
        (blends(), problem({"y": {"goal": "target", "target": 5000.0}}), ProblemError, "target between the limits"),
        (
            blends().assign(a=0.2, b=0.3, c=0.5).drop(columns="heat [°C]"),
            {"total": 1.0, "ingredients": {n: {} for n in "abc"}, "properties": {"y": {}}},
            TableError,
            "at least 3 different recipes",
        ),
        (
            blends(),
            problem({"y": {"goal": "maximize"}}, constraints=[{"terms": {"a": 1, "b": 1, "c": 1}, "upper": 0.9}]),
            InfeasibleError,
            "sum of ingredients = 1",
        ),
        (blends(7), problem({"y": {"model": "quadratic"}}), ProblemError, "7 trials can carry"),
    ],
)
def test_refused(table, wanted, kind, words):
    with pytest.raises(kind, match=words):
        landform.study(table, wanted)


def test_effects_at_a_recipe_of_ones_own():
    """A linear surface has the same slopes everywhere."""
    wanted = problem({"z": {"model": "linear"}})
    found = landform.study(blends(), wanted)
    here = found.effects_at({"a": 0.2, "b": 0.3, "c": 0.5, "heat": 40.0})
    swap = {(s.into, s.out_of): s.estimate.value for s in here.swaps if s.at == "recipe"}
    there = {(s.into, s.out_of): s.estimate.value for s in found.effects.swaps if s.at == "recipe"}
    assert swap == pytest.approx(there, rel=1e-9)
    assert swap["c", "a"] == pytest.approx(0.04, abs=0.005)
    with pytest.raises(ProblemError, match="'heat' missing"):
        found.effects_at({"a": 0.2, "b": 0.3, "c": 0.5})
    with pytest.raises(ProblemError, match=r"add to 1, got 1\.1"):
        found.effects_at({"a": 0.3, "b": 0.3, "c": 0.5, "heat": 40.0})

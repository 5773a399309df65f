"""Pictures as data: ternaries, slices and traces keep to the recipe, the sum and the limits."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from landform.formulation import Study
from unit.formulation.published import PAINT


@pytest.fixture(scope="module")
def paint():
    found = Study.read(PAINT, PAINT.with_name("problem.toml")).run()
    return found, found.to_dict()["pictures"]


@pytest.fixture(scope="module")
def mill():
    rng = np.random.default_rng(4)
    X = np.column_stack([rng.uniform(20, 60, 30), rng.uniform(1, 5, 30), rng.uniform(0, 1, 30)])
    y = X @ [0.3, 2.0, -1.0] + 0.1 * rng.standard_normal(30)
    problem = {
        "factors": {"heat": {}, "time": {}, "load": {}},
        "constraints": [{"terms": {"heat": 1, "time": 10}, "upper": 90.0}],
        "properties": {"y": {"goal": "maximize", "model": "linear"}},
        "study": {"recipes": 1},
    }
    found = Study.read(pd.DataFrame(np.column_stack([X, y]), columns=["heat", "time", "load", "y"]), problem).run()
    return found, found.to_dict()["pictures"]


def test_the_ternary_keeps_its_sum_and_the_limits(paint):
    found, pictures = paint
    ternary = pictures["ternary"]
    points = np.array(ternary["points"])
    held = sum(ternary["held"].values())
    np.testing.assert_allclose(points.sum(axis=1), ternary["span"], atol=1e-12)
    assert ternary["span"] + held == pytest.approx(1)
    for k, name in enumerate(ternary["inputs"]):
        i = found.ground.names.index(name)
        assert points[:, k].min() >= found.ground.lower[i] - 1e-8
        assert points[:, k].max() <= found.ground.upper[i] + 1e-8
    triangles = np.array(ternary["triangles"])
    assert triangles.max() < len(points)
    assert set(triangles.ravel()) == set(range(len(points)))


def test_its_layers_are_predictions(paint):
    found, pictures = paint
    ternary = pictures["ternary"]
    X = np.tile(found.place, (len(ternary["points"]), 1))
    for k, name in enumerate(ternary["inputs"]):
        X[:, found.ground.names.index(name)] = np.array(ternary["points"])[:, k]
    layers = {layer["name"]: layer["values"] for layer in ternary["layers"]}
    assert list(layers) == ["desirability", *found.responses.names]
    for part in found.responses.parts:
        np.testing.assert_allclose(layers[part.name], part.mean(X), rtol=1e-9)
    assert max(layers["desirability"]) <= found.recipes[0].desirability + 1e-9


def test_the_recipe_stands_on_it(paint):
    found, pictures = paint
    ternary = pictures["ternary"]
    best = next(r for r in ternary["recipes"] if r["rank"] == 1)
    np.testing.assert_allclose(best["point"], [found.recipes[0].inputs[n] for n in ternary["inputs"]], atol=1e-9)
    assert len(ternary["trials"]) == len(found.trials.rows)


def test_traces_pass_through_the_recipe_and_keep_the_sum(paint):
    found, pictures = paint
    assert [t["input"] for t in pictures["traces"]]
    for trace in pictures["traces"]:
        i = found.ground.names.index(trace["input"])
        assert trace["direction"] == "Cox"
        assert min(trace["amounts"]) - 1e-9 <= trace["at"] <= max(trace["amounts"]) + 1e-9
        assert min(trace["amounts"]) >= found.ground.lower[i] - 1e-9
        for layer in trace["layers"]:
            assert len(layer["values"]) == len(trace["amounts"])
            assert np.all(np.array(layer["lower"]) <= np.array(layer["values"]))
            assert np.all(np.array(layer["values"]) <= np.array(layer["upper"]))


def test_slices_of_factors(mill):
    found, pictures = mill
    assert pictures["ternary"] is None
    assert len(pictures["slices"]) == 3
    for one in pictures["slices"]:
        u, v = one["inputs"]
        values = np.array(next(layer for layer in one["layers"] if layer["name"] == "y")["values"], dtype=float)
        assert values.shape == (len(one["v"]), len(one["u"]))
        row, column = np.argwhere(np.isfinite(values))[-1]
        x = dict(one["held"]) | {u: one["u"][column], v: one["v"][row]}
        point = np.array([[x[name] for name in found.ground.names]])
        assert values[row, column] == pytest.approx(found.responses.means(point)[0, 0])


def test_slices_stop_at_the_limits(mill):
    """Where 10 time + heat exceeds 90 there is no recipe, and no number."""
    _, pictures = mill
    (one,) = [s for s in pictures["slices"] if set(s["inputs"]) == {"heat", "time"}]
    axes = {name: np.array(one[key]) for name, key in zip(one["inputs"], "uv", strict=True)}
    values = np.array(one["layers"][-1]["values"], dtype=float)
    across, up = np.meshgrid(axes[one["inputs"][0]], axes[one["inputs"][1]])
    grid = dict(zip(one["inputs"], (across, up), strict=True))
    np.testing.assert_array_equal(np.isfinite(values), grid["heat"] + 10 * grid["time"] <= 90 + 1e-6)


def test_traces_of_factors_stop_at_the_limits(mill):
    found, pictures = mill
    heat = next(t for t in pictures["traces"] if t["input"] == "heat")
    assert heat["direction"] == "factor"
    assert max(heat["amounts"]) <= 90 - 10 * found.recipes[0].inputs["time"] + 1e-4

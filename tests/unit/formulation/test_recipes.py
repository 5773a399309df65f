"""Recipes from the whole search, on fitted functions whose best recipe is known or can be searched by brute force."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from landform.errors import InfeasibleError, ProblemError, TableError
from landform.formulation import Study, study
from landform.formulation.goals import overall
from unit.formulation.published import PAINT, YARN


def paint_problem(**more):
    bounds = {"TiO2": (0.05, 0.45), "vehicle": (0.20, 0.60), "extender A": (0.30, 0.70), "extender B": (0.05, 0.45)}
    return {
        "total": 1.0,
        "ingredients": {name: {"lower": low, "upper": high} for name, (low, high) in bounds.items()},
        "properties": {
            "hiding": {"goal": "maximize", "model": "quadratic"},
            "scrub": {"goal": "minimize", "model": "quadratic", "limits": [39.5, 749.0]},
        },
        "study": {"recipes": 3},
        **more,
    }


@pytest.fixture(scope="module")
def found():
    return Study.read(PAINT, paint_problem()).run()


def test_no_sampled_recipe_is_better(found):
    X = found.region.sample(20_000, 5)
    names = [g.name for g in found.goals]
    best = overall(found.goals, found.responses.means(X, names)).max()
    assert best <= found.recipes[0].desirability + 1e-12
    assert best > 0.95 * found.recipes[0].desirability


def test_recipes_are_distinct_allowed_and_certified(found):
    points = [np.array(list(r.inputs.values())) for r in found.recipes]
    assert len(points) == 3
    for k, x in enumerate(points):
        assert found.region.contains(x, 1e-8)
        assert found.recipes[k].certificate.violation < 1e-8
        assert all(np.linalg.norm(x - other) > 0.05 - 1e-6 for other in points[:k])
    assert found.recipes[0].certificate.certified


def test_expectations_are_the_surrogates(found):
    """Mean and interval of the fit; the batch interval adds the noise; the chance is Student's t."""
    x = np.array([list(found.recipes[0].inputs.values())])
    for part, expected in zip(found.responses.parts, found.recipes[0].expected, strict=True):
        mean, error = part.surrogate.predict(x)
        quantile = part.surrogate.widening * stats.t.ppf(0.975, part.surrogate.degrees)
        assert expected.mean.value == pytest.approx(mean[0])
        assert expected.mean.half_width == pytest.approx(quantile * error[0])
        batch = np.hypot(error[0], part.surrogate.noise)
        assert (expected.high - expected.low) / 2 == pytest.approx(quantile * batch)
        spread = part.surrogate.widening * batch
        below = stats.t(part.surrogate.degrees).cdf((749.0 - mean[0]) / spread)
        # Of hiding no limit is stated, only that more is better: there is no chance to speak of.
        assert expected.chance == (pytest.approx(below) if expected.name == "scrub" else None)
    assert found.recipes[0].chance == found.recipes[0].expected[1].chance


def test_gains_are_what_relaxing_a_limit_brings(found):
    """The multiplier of each bound against a study with that bound moved by half a point."""
    best = found.recipes[0]
    assert best.active
    for held in best.active:
        name = held.limit.split(" ≥ ")[0]
        moved = paint_problem()
        moved["ingredients"][name]["lower"] -= 0.002
        moved["study"] = {"recipes": 1}
        after = Study.read(PAINT, moved).run().recipes[0].desirability
        assert (after - best.desirability) / 0.002 * 0.01 == pytest.approx(held.gain, rel=0.1, abs=2e-4)


def test_leverage_and_the_nearest_trial(found):
    best = found.recipes[0]
    assert not best.extrapolates
    assert best.leverage <= best.largest_leverage * (1 + 1e-6)
    x = np.array(list(best.inputs.values()))
    gaps = np.linalg.norm((found.trials.X - x) / 0.01, axis=1)
    row, _, distance = best.nearest
    assert distance == pytest.approx(gaps.min())
    assert found.trials.rows[np.argmin(gaps)] == row


def test_recipes_stay_within_the_reach_unless_told_otherwise():
    wide = paint_problem(
        ingredients={n: {"lower": 0.0, "upper": 1.0} for n in ("TiO2", "vehicle", "extender A", "extender B")},
        properties={"hiding": {"goal": "maximize", "limits": [0.0, 200.0], "model": "quadratic"}},
    )
    near = Study.read(PAINT, wide).run().recipes[0]
    assert not near.extrapolates
    assert "within what was tried" in near.leverage_words
    far = Study.read(PAINT, wide | {"study": {"extrapolate": True, "recipes": 1}}).run().recipes[0]
    assert far.extrapolates
    assert far.desirability > near.desirability


def test_spread_is_of_the_best_alone(found):
    assert set(found.recipes[0].spread) == set(found.recipes[0].inputs)
    assert all(v >= 0 for v in found.recipes[0].spread.values())
    assert found.recipes[1].spread is None


@pytest.mark.parametrize("unit", [100.0, 0.25])
def test_the_unit_of_the_total_leaves_the_shares(found, unit):
    """Shares, percent or kilograms, and the ingredients in another order: the recipe is the same."""
    order = [2, 0, 3, 1]
    names = [list(found.recipes[0].inputs)[k] for k in order]
    X = pd.DataFrame(unit * found.trials.X[:, order], columns=names)
    Y = pd.DataFrame(found.trials.Y, columns=list(found.trials.properties))
    problem = paint_problem(total=unit, trials={"closure": "none"}, study={"recipes": 1})
    bounds = problem["ingredients"]
    problem["ingredients"] = {n: {end: unit * value for end, value in bounds[n].items()} for n in names}
    best = Study.read(pd.concat([X, Y], axis=1), problem).run().recipes[0]
    assert best.desirability == pytest.approx(found.recipes[0].desirability, rel=1e-9)
    for name, amount in found.recipes[0].inputs.items():
        assert best.inputs[name] / unit == pytest.approx(amount, abs=1e-7)


def test_every_goal_reached_goes_past_and_says_so():
    problem = paint_problem()
    problem["properties"]["hiding"]["limits"] = [5.0, 8.0]
    problem["properties"]["scrub"]["limits"] = [150.0, 400.0]
    best = Study.read(PAINT, problem).run().recipes[0]
    assert best.desirability == 1.0
    assert "Every goal is reached in full" in best.words
    assert best.certificate.certified


def test_goals_that_cannot_be_met_give_the_nearest_miss():
    problem = paint_problem()
    problem["properties"]["hiding"]["limits"] = [200.0, 300.0]
    found = Study.read(PAINT, problem).run()
    assert found.recipes == ()
    assert found.closest is not None and found.region.contains(found.closest, 1e-8)
    words = found.to_dict()["summary"]["make"]
    assert "No recipe within the limits" in words
    assert "hiding would be" in words and "at least 200" in words


def test_a_target_that_can_be_hit_is_hit():
    problem = paint_problem()
    problem["properties"] = {
        "hiding": {"goal": "target", "target": 20.0, "limits": [10.0, 30.0], "model": "quadratic"},
        "scrub": {},
    }
    best = Study.read(PAINT, problem).run().recipes[0]
    assert best.expected[0].mean.value == pytest.approx(20.0, abs=1e-6)
    assert best.desirability == pytest.approx(1, abs=1e-7)


def test_a_constraint_is_kept_and_named():
    problem = paint_problem(
        constraints=[{"name": "extenders", "terms": {"extender A": 1, "extender B": 1}, "lower": 0.45}]
    )
    best = Study.read(PAINT, problem).run().recipes[0]
    assert best.inputs["extender A"] + best.inputs["extender B"] >= 0.45 - 1e-8
    assert any("extenders" in a.limit for a in best.active)


def test_no_goal_no_recipe():
    problem = paint_problem(properties={"hiding": {"model": "quadratic"}, "scrub": {"model": "linear"}})
    found = Study.read(PAINT, problem).run()
    assert found.recipes == ()
    assert "centre" in found.place_words
    assert "No property has a goal" in found.to_dict()["summary"]["make"]
    assert len(found.to_frame()) == 0


def test_cost_is_a_sum_without_doubt():
    problem = paint_problem(cost={"goal": "minimize"})
    for name, price in (("TiO2", 3.0), ("vehicle", 1.0), ("extender A", 0.5), ("extender B", 0.2)):
        problem["ingredients"][name]["cost"] = price
    best = Study.read(PAINT, problem).run().recipes[0]
    truth = (
        best.inputs["TiO2"] * 3
        + best.inputs["vehicle"]
        + best.inputs["extender A"] * 0.5
        + best.inputs["extender B"] * 0.2
    )
    cost = next(e for e in best.expected if e.name == "cost")
    assert best.cost == pytest.approx(truth)
    assert cost.mean.value == pytest.approx(truth)
    assert cost.mean.standard_error == 0.0


def test_conflicting_limits_are_named():
    problem = paint_problem(constraints=[{"name": "much TiO2", "terms": {"TiO2": 1}, "lower": 0.6}])
    with pytest.raises(InfeasibleError, match="TiO2") as caught:
        Study.read(PAINT, problem).run()
    assert "much TiO2" in str(caught.value)


def test_a_model_the_trials_cannot_carry():
    problem = paint_problem(properties={"hiding": {"goal": "maximize", "model": "quadratic"}})
    table = pd.read_csv(PAINT).iloc[:9]
    with pytest.raises(ProblemError, match=r"properties\.hiding\.model.*10 terms"):
        Study.read(table, problem).run()


def test_a_data_frame_and_a_file_give_the_same():
    one = study(YARN, YARN.with_name("problem.toml"))
    other = study(pd.read_csv(YARN), YARN.with_name("problem.toml"))
    np.testing.assert_allclose(list(one.recipes[0].inputs.values()), list(other.recipes[0].inputs.values()), atol=1e-12)
    assert one.recipes[0].to_frame().shape == (4, 5)
    with pytest.raises(TableError):
        study(pd.read_csv(YARN).iloc[:1], YARN.with_name("problem.toml"))

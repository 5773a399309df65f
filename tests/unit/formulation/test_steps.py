"""Steps a person would make, in words; the region of recipes allowed."""

from __future__ import annotations

import numpy as np
import pytest

from landform.errors import InfeasibleError
from landform.formulation.problem import Problem
from landform.formulation.steps import make_ground, make_region, round_step, step_of, step_words
from landform.formulation.trials import Input
from unit.formulation.published import paint


@pytest.mark.parametrize(
    ("span", "step"), [(60.0, 5.0), (0.34, 0.02), (100.0, 10.0), (19.9, 1.0), (0.0, 1.0), (3e-5, 2e-6), (7e6, 5e5)]
)
def test_round_steps_are_at_most_a_tenth_of_the_range(span, step):
    """1, 2 or 5 times a power of ten."""
    found = round_step(span)
    assert span == 0 or 0.02 * span < found <= span / 10 * (1 + 1e-9)
    assert float(f"{found:.12e}"[0]) in (1, 2, 5)
    if span != 0.34:
        assert found == pytest.approx(step)


def test_steps_in_words():
    share = Input("a", "ingredient", "", 0, 1, (0, 1))
    heat = Input("heat", "factor", "°C", 0, 90, (20, 80), step=2.5)
    assert step_words(share, 1.0, 1.0) == "+1 percentage point"
    assert step_words(share, 100.0, 2.0) == "+2 percentage points"
    assert step_words(Input("a", "ingredient", "kg", 0, 50, (0, 50)), 50.0, 1.0) == "+0.5 kg (1 % of the total)"
    assert step_of(heat, None, 1.0) == 2.5
    assert step_words(heat, None, 1.0) == "+2.5 °C"
    assert step_words(Input("rate", "factor", "", 0, 90, (20, 80)), None, 1.0) == "+5"


def problem(**more):
    names = ("TiO2", "vehicle", "extender A", "extender B")
    return Problem.from_dict(
        {"total": 1.0, "ingredients": {n: {} for n in names}, "properties": {"hiding": {}}, **more}
    )


def test_ground_of_the_paint():
    ground = make_ground(paint(), 2.0)
    assert ground.names == ("TiO2", "vehicle", "extender A", "extender B")
    assert ground.ingredients == 4
    np.testing.assert_allclose(ground.steps, 0.02)


def test_region_holds_the_sum_and_the_constraints():
    wanted = problem(constraints=[{"terms": {"TiO2": 1, "vehicle": -1}, "lower": 0.0}])
    region = make_region(paint(), wanted)
    X = region.sample(500, 3)
    np.testing.assert_allclose(X.sum(axis=1), 1, atol=1e-9)
    assert np.all(X[:, 0] >= X[:, 1] - 1e-9)
    assert region.A_names == ("sum of ingredients", "constraint 1")
    assert region.contains(np.array([0.3, 0.25, 0.35, 0.10]), 1e-9)
    assert not region.contains(np.array([0.2, 0.35, 0.35, 0.10]), 1e-9)


def test_a_region_that_is_empty_is_refused_by_name():
    wanted = problem(constraints=[{"name": "thick", "terms": {"TiO2": 1}, "lower": 0.9}])
    with pytest.raises(InfeasibleError, match="thick"):
        make_region(paint(), wanted)

"""Curvature of a study: canonical directions and stationary points of known surfaces."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from landform.formulation import Study
from landform.formulation.shape import direction_words, simplex_basis
from landform.sensitivity import Ground

RNG = np.random.default_rng(21)
U = RNG.uniform(-1, 1, (40, 2))
X = np.column_stack([170 + 20 * U[:, 0], 5 + 2 * U[:, 1]])  # heat, time


def study_of(y, **wanted):
    table = pd.DataFrame({"heat": X[:, 0], "time": X[:, 1], "y": y})
    problem = {
        "factors": {"heat": {"step": 4.0}, "time": {"step": 0.5}},
        "properties": {"y": {"model": "quadratic", **wanted}},
        "study": {"recipes": 1},
    }
    return Study.read(table, problem).run()


def surface(top, curves, centre, noise=0.0):
    """top + ½ Σ curve (u − centre)², in inputs scaled to −1 … 1 (heat 170 ± 20, time 5 ± 2)."""
    gap = U - np.array(centre)
    return top + 0.5 * gap**2 @ np.array(curves) + noise * RNG.standard_normal(40)


@pytest.mark.parametrize(
    ("curves", "nature"),
    [((-4.0, -2.0), "maximum"), ((4.0, 2.0), "minimum"), ((4.0, -2.0), "saddle"), ((-6.0, -0.02), "ridge")],
)
def test_stationary_points_are_found_and_named(curves, nature):
    (shape,) = study_of(surface(10.0, curves, (0.3, -0.2), noise=1e-7)).shape.properties
    assert shape.nature == nature
    assert shape.point["heat"] == pytest.approx(176.0, abs=1e-3)
    assert shape.point["time"] == pytest.approx(4.6, abs=1e-2)
    assert shape.value.value == pytest.approx(10.0, abs=1e-5)
    assert shape.inside_limits and shape.inside_data
    # Per squared step: heat's is 4/20 of the scaled unit, time's 0.5/2.
    truth = sorted((curves[0] * 0.2**2, curves[1] * 0.25**2), key=abs, reverse=True)
    assert [d.eigenvalue.value for d in shape.directions] == pytest.approx(truth, rel=1e-3)
    assert set(shape.directions[0].moves) == {"heat", "time"}


def test_a_stationary_point_outside_is_never_offered():
    found = study_of(surface(10.0, (-1.0, -1.0), (2.5, 0.0), noise=1e-6), goal="maximize")
    (shape,) = found.shape.properties
    assert shape.nature == "maximum"
    assert not shape.inside_data and not shape.inside_limits
    assert "not a recipe" in shape.words
    assert found.recipes[0].inputs["heat"] <= X[:, 0].max() + 1e-9
    assert shape.distance > 5


def test_a_plane_is_flat():
    (shape,) = study_of(3 + U @ [1.0, 2.0] + 1e-14 * RNG.standard_normal(40), model="linear").shape.properties
    assert shape.nature == "flat"
    assert shape.point is None
    assert "plane" in shape.words


def test_doubt_of_an_eigenvalue_is_that_of_the_curve_along_it():
    found = study_of(surface(10.0, (-4.0, -2.0), (0.3, -0.2), noise=0.2))
    (shape,) = found.shape.properties
    fitted = found.surrogates[0].choice.surrogate
    point = np.array(list(shape.point.values()))
    for direction in shape.directions:
        v = np.array(list(direction.moves.values())) * found.ground.steps
        error = np.sqrt(fitted.posterior.curve(point, v))
        assert direction.eigenvalue.standard_error == pytest.approx(error)
        assert direction.eigenvalue.half_width == pytest.approx(fitted.quantile() * error)


def test_the_best_recipe_is_a_summit_of_desirability():
    found = study_of(surface(10.0, (-4.0, -2.0), (0.3, -0.2), noise=0.05), goal="maximize", limits=[0.0, 30.0])
    assert all(d.eigenvalue.value < 0 for d in found.shape.directions)
    assert found.shape.tangent_dimension == 2
    assert "Stiffest along" in found.shape.words


def test_directions_that_exist():
    """Ingredients keep their sum in the user's units, whatever the steps; what is fixed stays."""
    lower, upper = np.array([0.0, 0.0, 0.2, 10.0]), np.array([1.0, 1.0, 0.2, 90.0])
    ground = Ground(("a", "b", "c", "t"), 3, lower, upper, np.array([0.01, 0.01, 0.01, 5.0]))
    basis = simplex_basis(ground)
    assert basis.shape == (4, 2)
    moves = ground.steps[:, None] * basis
    np.testing.assert_allclose(moves[:3].sum(axis=0), 0, atol=1e-15)
    np.testing.assert_allclose(moves[2], 0, atol=1e-15)


def test_directions_in_words():
    assert direction_words({"a": 0.8, "b": -0.5, "c": -0.3}) == "more a, less b and c"
    assert direction_words({"a": 1.0, "b": 0.01}) == "more a"

"""The Hessian of desirability against Richardson differences of the desirability itself (Derringer and Suich 1980)."""

from __future__ import annotations

import numpy as np
import pytest

from landform.fit import Observations, fit_polynomial, fit_process
from landform.formulation.goals import Goal, overall
from landform.formulation.responses import Response, Responses
from landform.formulation.shape import desirability_derivatives
from richardson import gradient_and_hessian

NAMES = ("a", "b", "c", "t")


@pytest.fixture(scope="module")
def responses():
    rng = np.random.default_rng(4)
    X = np.hstack([rng.dirichlet(np.ones(3), 30), rng.uniform(20, 60, (30, 1))])
    first = 3 + 4 * X[:, 0] + 9 * X[:, 0] * X[:, 1] + 0.03 * X[:, 3] + 0.05 * rng.standard_normal(30)
    second = np.exp(1 + X[:, 1] - 0.8 * X[:, 2] * X[:, 0] + 0.02 * rng.standard_normal(30))
    third = np.sin(3 * X[:, 2]) + X[:, 3] / 40 + 0.02 * rng.standard_normal(30)
    data = [Observations(X, y, np.arange(30), NAMES, 3) for y in (first, np.log(second), third)]
    parts = (
        Response("first", "", fit_polynomial("quadratic", data[0])),
        Response("second", "", fit_polynomial("quadratic", data[1]), log=True),
        Response("third", "", fit_process(data[2])),
    )
    return Responses(parts, NAMES, X)


GOALS = {
    "one goal": (Goal("first", "", "maximize", 2.0, 9.0),),
    "weights and exponents": (
        Goal("first", "", "maximize", 2.0, 9.0, weight=2.0, shape=0.7),
        Goal("second", "", "minimize", 1.0, 8.0, weight=0.5, shape=2.0),
        Goal("third", "", "target", -1.0, 5.0, target=1.2),
    ),
    "a target from above, a range and a goal that is reached": (
        Goal("third", "", "target", -1.0, 5.0, target=3.5),
        Goal("second", "", "in range", 0.0, 50.0),
        Goal("first", "", "maximize", 0.0, 1.0),
    ),
}


@pytest.mark.parametrize("case", GOALS)
def test_gradient_and_hessian(responses, case):
    goals = GOALS[case]
    x = np.array([0.4, 0.25, 0.35, 41.0])
    names = [goal.name for goal in goals]

    def desirability(X):
        return overall(goals, responses.means(X, names))

    value, gradient, hessian = desirability_derivatives(responses, goals, x)
    assert 0.05 < value < 0.95
    assert value == pytest.approx(float(desirability(x[None])[0]), rel=1e-9)
    slopes, curves, error = gradient_and_hessian(desirability, x, np.array([0.05, 0.05, 0.05, 3.0]))
    assert error < 1e-5
    size = np.array([0.05, 0.05, 0.05, 3.0])
    np.testing.assert_allclose(gradient * size, slopes * size, atol=10 * error + 1e-9)
    np.testing.assert_allclose(hessian * np.outer(size, size), curves * np.outer(size, size), atol=10 * error + 1e-9)
    assert np.array_equal(hessian, hessian.T) or np.max(np.abs(hessian - hessian.T)) < 1e-12

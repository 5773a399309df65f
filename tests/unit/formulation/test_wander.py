"""How surely the best recipe is known, where the answer can be had by hand."""

from __future__ import annotations

import numpy as np
import pytest

from landform.fit import Observations, fit_polynomial
from landform.formulation.goals import Goal
from landform.formulation.responses import Response, Responses
from landform.formulation.wander import wander

GRID = np.linspace(-1, 1, 201)[:, None]


def parabola(noise):
    """y = 1 − x² + noise on 30 places: the summit of a redraw is −b₁/(2 b₂)."""
    rng = np.random.default_rng(2)
    X = np.linspace(-1, 1, 30)[:, None]
    y = 1 - X[:, 0] ** 2 + noise * rng.standard_normal(30)
    fitted = fit_polynomial("quadratic", Observations(X, y, np.arange(30), ("x",), 0))
    responses = Responses((Response("y", "", fitted),), ("x",), X)
    return fitted, responses, (Goal("y", "", "maximize", -2.0, 3.0),)


@pytest.mark.parametrize("noise", [0.05, 0.1])
def test_the_summit_wanders_as_the_delta_method_says(noise):
    fitted, responses, goals = parabola(noise)
    best = GRID[np.argmax(responses.means(GRID)[:, 0])]
    rng = np.random.default_rng(0)
    found = wander(responses, goals, best, rng.permutation(GRID), beyond=False, seed=4)
    b = {n: v for n, v, _ in fitted.parameters}
    slope_error = np.sqrt(fitted.posterior.slopes(best[None], np.ones((1, 1, 1)))[0, 0])
    assert found[0] == pytest.approx(slope_error / abs(2 * b["x × x"]), rel=0.2)


def test_no_noise_no_wandering():
    _, responses, goals = parabola(1e-9)
    best = GRID[np.argmax(responses.means(GRID)[:, 0])]
    assert wander(responses, goals, best, GRID, beyond=False, seed=0)[0] < 0.02


def test_the_seed_decides():
    _, responses, goals = parabola(0.1)
    one, again, other = (wander(responses, goals, GRID[100], GRID, beyond=False, seed=s)[0] for s in (1, 1, 2))
    assert one == again != other

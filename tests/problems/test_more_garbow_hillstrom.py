"""Least squares problems of Moré, Garbow and Hillstrom against the minima that their paper lists."""

from __future__ import annotations

from functools import cache

import jax.numpy as jnp
import numpy as np
import pytest
from more_garbow_hillstrom import SQUARES

from landform.optimize import solve
from landform.optimize.problem import make_problem

# Two runs that end elsewhere, and two that end short and say so. What is flat to rounding (curvatures 1e-22 apart) may
# still have its lowest point far along a bent valley.
ELSEWHERE = {
    ("Powell badly scaled", 10.0): "flat to rounding",
    ("trigonometric", 10.0): "another minimum",
    ("Meyer", 10.0): "uncertified",
    ("Biggs EXP6", 1.0): "uncertified",
}
RUNS = [(case, factor) for case in SQUARES for factor in case.factors]


@cache
def halved(case):
    return make_problem(lambda x: 0.5 * jnp.sum(case.residuals(x) ** 2), case.start).program


def lowest_around(case, x):
    """Lowest of 400 points drawn around ``x``: it knows nothing of derivatives."""
    around = np.random.default_rng(0).standard_normal((200, len(x))) * np.maximum(1, np.abs(x))
    return min(float(halved(case).objective.value(x + h * away)[0]) for h in (1e-2, 1e-4) for away in around)


def outcome(case, found):
    total = 2 * found.objective
    if not found.certificate.certified:
        return "uncertified"
    if any(abs(total - m) <= 1e-5 * m + 1e-10 for m in case.minima):
        return "a known minimum"
    if lowest_around(case, found.x) < found.objective * (1 - 1e-9):
        return "a false success"
    return "flat to rounding" if found.certificate.nature == "flat" else "another minimum"


@pytest.mark.parametrize(("case", "factor"), RUNS, ids=lambda part: str(part))
def test_the_start_leads_to_a_known_minimum(case, factor):
    found = solve(halved(case), factor * case.start[None])[0]
    seen = outcome(case, found)
    assert seen in ("a known minimum", ELSEWHERE.get((str(case), factor))), (seen, 2 * found.objective)
    assert all(abs(2 * found.objective - far) > 1e-3 * far or seen == "uncertified" for far in case.beyond)

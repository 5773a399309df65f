"""The last digits of a large program's optimum: Newton's method on the first-order conditions."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from landform.optimize.program import Point
from landform.optimize.sparse.conditions import Conditions, conditions, seen_at
from landform.optimize.sparse.factor import factored
from landform.optimize.sparse.nlp import Nlp

NEAR = 1e-5
"""Limits within this distance (in steps) are thought to be active at first, if their multipliers do not pull."""

_LONGEST = 0.1


def polished(
    nlp: Nlp, x: Point, *, tolerance: float, prices: Float[np.ndarray, " m"] | None = None, most: int = 10
) -> tuple[Point, Conditions | None]:
    """``x`` moved to the nearest point that meets the first-order conditions, and what holds there.

    Parameters
    ----------
    nlp : Nlp
        What is minimized.
    x : array, shape (n,)
        A point close to a solution.
    tolerance : float
        For the first-order conditions.
    prices : array, shape (m,), optional
        About the multipliers of the rows, where they are known.
    most : int
        Steps; each is kept only if the conditions are met better after it.
    """
    state = _measured(nlp, x, NEAR, prices)
    for _ in range(most):
        if state is None or state.merit <= tolerance:
            break
        step = _newton(state)
        if step is None or not np.abs(step).max() <= _LONGEST:
            break
        there = np.clip(state.seen.x + step * state.seen.unit, nlp.program.region.lower, nlp.program.region.upper)
        length = float(np.abs(step).max())
        trial = _measured(nlp, there, min(NEAR, 10 * length * length + 1e-9), state.prices)
        if trial is None or not trial.merit < state.merit:
            break
        state = trial
    return (x, None) if state is None else (state.seen.x, state)


def _measured(nlp: Nlp, x: Point, near: float, prices: Float[np.ndarray, " m"] | None) -> Conditions | None:
    seen = seen_at(nlp, x)
    return conditions(nlp, seen, near=near, prices=prices) if seen.finite else None


def _newton(state: Conditions) -> Point | None:
    """The step onto the active limits and to where their multipliers explain the gradient."""
    factor = factored(state.hessian / state.measure, state.normals, 0.0)
    if factor is None:
        return None
    step = factor.solve(
        -state.seen.gradient / state.measure, -state.seen.reach[state.active], -state.multipliers / state.measure
    )[0]
    return step if np.isfinite(step).all() else None

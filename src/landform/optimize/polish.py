"""The last digits: Newton's method on the first-order conditions of the active limits.

References
----------
Nocedal and Wright (2006), *Numerical Optimization*, sections 18.1 (Newton on the KKT system) and 16.5
(active sets).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from landform.optimize.local import Local, curvature, look, prices, residual
from landform.optimize.local import steps as steps_of
from landform.optimize.program import Program

NEAR = 1e-3
"""Limits within this distance (in steps) are thought to be active at first."""

LONGEST = 0.1
"""A Newton step longer than this (in steps) is not a last digit."""


@dataclass(frozen=True, eq=False)
class _State:
    local: Local
    multipliers: Float[np.ndarray, " l"]
    hessian: Float[np.ndarray, "n n"]
    merit: float


def polish(
    program: Program, x: Float[np.ndarray, " n"], *, tolerance: float, most: int = 20
) -> Float[np.ndarray, " n"]:
    """``x`` moved to the nearest point that meets the first-order conditions, as exactly as floats allow.

    Each step is a quadratic programme with the exact Hessian of the Lagrangian, solved by trying active
    sets: limits with a negative multiplier are dropped, limits that the step would break are added. A step
    is kept only if the conditions are met better after it; otherwise the point stays.

    Parameters
    ----------
    program : Program
        What is minimized.
    x : array, shape (n,)
        A point close to a solution.
    tolerance : float
        For the first-order conditions; steps go on to a thousandth of it where they can.
    most : int
        Steps.
    """
    unit = steps_of(program, x)
    state = _measure(program, x, unit, NEAR)
    for _ in range(most):
        if state is None or state.merit <= 1e-3 * tolerance:
            break
        step = _newton(state)
        if step is None:
            break
        there = _into_bounds(program, state.local.x + step * unit, unit)
        length = float(np.abs(step).max(initial=0.0))
        trial = _measure(program, there, unit, min(NEAR, 10 * length * length + 1e-9))
        if trial is None or not trial.merit < state.merit:
            break
        state = trial
    return x if state is None else state.local.x


def _into_bounds(
    program: Program, x: Float[np.ndarray, " n"], unit: Float[np.ndarray, " n"]
) -> Float[np.ndarray, " n"]:
    """``x`` brought into the bounds, and onto a bound that it misses by rounding."""
    low, high = program.region.lower, program.region.upper
    x = np.where(np.abs(x - low) <= 1e-14 * unit, low, x)
    x = np.where(np.abs(x - high) <= 1e-14 * unit, high, x)
    return np.asarray(np.clip(x, low, high))


def _measure(program: Program, x: Float[np.ndarray, " n"], unit: Float[np.ndarray, " n"], near: float) -> _State | None:
    """Where ``x`` stands; None where something is not finite."""
    local = look(program, x, unit)
    if not local.finite:
        return None
    active = local.near(near)
    multipliers = prices(local, active)
    hessian = curvature(program, local, multipliers)
    if not np.isfinite(hessian).all():
        return None
    gap = np.abs(multipliers * local.reach)[active & ~local.equality].max(initial=0.0)
    measure = max(float(np.abs(local.gradient).max()), float(np.abs(hessian).max()), 1e-300)
    merit = max(residual(local, multipliers, hessian), local.misfit, float(gap / measure))
    return _State(local, multipliers, hessian, merit)


def _newton(state: _State) -> Float[np.ndarray, " n"] | None:
    """Step of the quadratic programme at this point, its active set found by trial; None if none is found."""
    local = state.local
    working = local.equality | (state.multipliers > 0)
    for _ in range(2 * len(working) + 5):
        step, multipliers = _equality_step(state, working)
        if not np.isfinite(step).all() or np.abs(step).max(initial=0.0) > LONGEST:
            return None
        left = local.reach + local.normals @ step
        broken = np.where(working, 0.0, np.minimum(left, 0.0))
        wrong = np.where(working & ~local.equality, np.minimum(multipliers, 0.0), 0.0)
        if broken.min(initial=0.0) < -1e-13:
            working = _with(working, int(broken.argmin()), True)
        elif wrong.min(initial=0.0) < -1e-12 * max(1.0, float(np.abs(multipliers).max(initial=0.0))):
            working = _with(working, int(wrong.argmin()), False)
        else:
            return step
    return None


def _with(working: Bool[np.ndarray, " l"], i: int, state: bool) -> Bool[np.ndarray, " l"]:
    changed = working.copy()
    changed[i] = state
    return changed


def _equality_step(
    state: _State, working: Bool[np.ndarray, " l"]
) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, " l"]]:
    """Newton step onto the working limits, and their multipliers; the smallest step where several serve."""
    local, held = state.local, np.flatnonzero(working)
    n, k = len(local.x), len(held)
    J = local.normals[held]
    matrix = np.zeros((n + k, n + k))
    matrix[:n, :n], matrix[:n, n:], matrix[n:, :n] = state.hessian, -J.T, J
    right = np.concatenate([-local.gradient, -local.reach[held]])
    answer = np.linalg.lstsq(matrix, right, rcond=1e-13)[0]
    multipliers = np.zeros(len(working))
    multipliers[held] = answer[n:]
    return answer[:n], multipliers

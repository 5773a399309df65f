"""The inner problem, solved until nothing is left of its gradient but rounding.

References
----------
Nocedal and Wright (2006), *Numerical Optimization*, algorithms 3.2 (Newton with modification) and 7.1 (Newton-CG).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from landform.fit.tuning.curved import Curved, Dense, Free, NoMinimumError, conjugate_gradients
from landform.fit.tuning.level import Level
from landform.optimize import Polytope, Program, Smooth, solve

Array = np.ndarray
_MOST = 100
_SEARCHED = 300
"""The most parameters for which `landform.optimize` looks further where Newton's steps end at no minimum."""

DENSE = 2000
"""The most parameters whose Hessian is formed, unless asked for otherwise."""


@dataclass(frozen=True, eq=False)
class Inner:
    """Where the inner problem was left, and the curvature there.

    Parameters
    ----------
    theta : array, shape (n,)
    slope : array, shape (n,)
        What is left of its gradient.
    curved : Curved
        Its Hessian.
    steps : int
        Newton steps that were taken.
    """

    theta: Float[Array, " n"]
    slope: Float[Array, " n"]
    curved: Curved
    steps: int


def standing(level: Level, theta: Float[Array, " n"], z: Float[Array, " p"], *, dense: bool) -> Inner:
    """The inner problem as it stands at θ.

    Raises
    ------
    NoMinimumError
        Where the loss is not finite, or its Hessian is not positive definite.
    """
    if not dense:
        value, slope = level.first(theta, z)
        curved: Curved = Free(lambda v: level.bent(theta, z, v))
        hessian = None
    else:
        value, slope, hessian = level.second(theta, z)
    if not np.isfinite(value) or not np.isfinite(slope).all():
        raise NoMinimumError("its loss or its gradient is not finite")
    if hessian is not None:
        curved = Dense(hessian, level.names)
    return Inner(theta, slope, curved, 0)


def solved(level: Level, theta: Float[Array, " n"], z: Float[Array, " p"], *, dense: bool) -> Inner:
    """The inner problem solved from θ.

    Damped Newton steps with the exact Hessian (for many parameters by conjugate gradients); where they end at no
    minimum, a trust region that follows negative curvature goes on.

    Raises
    ------
    NoMinimumError
        Where no minimum that determines the parameters was reached.
    """
    theta, steps, ended = (_dense_descent if dense else _free_descent)(level, theta, z)
    try:
        found = standing(level, theta, z, dense=dense)
    except NoMinimumError:
        if len(theta) > _SEARCHED or not np.isfinite(theta).all():
            raise
        theta = _searched(level, theta, z)
        found = standing(level, theta, z, dense=dense)
    else:
        if not ended:
            raise NoMinimumError(
                f"it has not converged after {steps} Newton steps: the largest parameter is "
                f"{np.abs(theta).max():.3g} and its gradient {np.abs(found.slope).max():.3g}"
            )
    return Inner(found.theta, found.slope, found.curved, steps)


def _dense_descent(level: Level, theta: Array, z: Array) -> tuple[Array, int, bool]:
    """Where damped Newton steps lead, their number, and whether they came to rest."""
    value, slope, hessian = level.second(theta, z)
    for step in range(_MOST):
        if not np.isfinite(value) or not np.isfinite(slope).all() or not np.isfinite(hessian).all():
            return theta, step, False
        move = _damped(hessian, slope)
        promised = -float(slope @ move)
        length = _length(level, theta, z, move, value, promised)
        if length == 0.0:
            return theta, step, True
        there = theta + length * move
        ahead = level.second(there, z)
        if length == 1.0 and _at_rest(value, promised) and not _shorter(hessian, ahead[1], slope):
            return theta, step, True
        theta, (value, slope, hessian) = there, ahead
    return theta, _MOST, False


def _at_rest(value: float, promised: float) -> bool:
    """Whether a step is too short for the loss to tell."""
    return promised <= 1e-9 * abs(value) or promised <= 1e-290


def _shorter(hessian: Array, new: Array, old: Array) -> bool:
    """Whether the gradient still falls markedly, each entry by its own curvature."""
    unit = 1.0 / np.sqrt(np.maximum(np.abs(np.diag(hessian)), 1e-300))
    return bool(np.linalg.norm(new * unit) < 0.5 * np.linalg.norm(old * unit))


def _damped(hessian: Array, slope: Array) -> Array:
    """Newton's step; where the Hessian is not positive definite, with as much added to it as makes it so."""
    unit = 1.0 / np.sqrt(np.maximum(np.abs(np.diag(hessian)), 1e-12 * max(np.abs(hessian).max(), 1e-300)))
    scaled = hessian * np.outer(unit, unit)
    added = 0.0
    while True:
        try:
            factor = np.linalg.cholesky(scaled + added * np.eye(len(slope)))
        except np.linalg.LinAlgError:
            added = max(10.0 * added, 1e-8)
            continue
        half = np.linalg.solve(factor, -unit * slope)
        return np.asarray(unit * np.linalg.solve(factor.T, half))


def _length(level: Level, theta: Array, z: Array, move: Array, value: float, promised: float) -> float:
    """How far to go along a Newton step: halved until the loss falls by a part of what it promises (Armijo)."""
    if not np.isfinite(promised) or promised <= 0.0:
        return 0.0
    if _at_rest(value, promised):
        return 1.0
    length = 1.0
    for _ in range(60):
        if level.value(theta + length * move, z) <= value - 1e-4 * length * promised:
            return length
        length *= 0.5
    return 0.0


def _free_descent(level: Level, theta: Array, z: Array) -> tuple[Array, int, bool]:
    """The same by products alone, each step as exact as the gradient is short."""
    value, slope = level.first(theta, z)
    first = float(np.linalg.norm(slope))
    for step in range(_MOST):
        size = float(np.linalg.norm(slope))
        if size == 0.0 or not np.isfinite(value + size):
            return theta, step, size == 0.0
        move = _truncated(level, theta, z, slope, min(max(size / max(first, 1e-300), 1e-10), 1e-2))
        promised = -float(slope @ move)
        length = _length(level, theta, z, move, value, promised)
        if length == 0.0:
            return theta, step, True
        there = theta + length * move
        ahead = level.first(there, z)
        if length == 1.0 and _at_rest(value, promised) and not np.linalg.norm(ahead[1]) < 0.5 * size:
            return theta, step, True
        theta, (value, slope) = there, ahead
    return theta, _MOST, False


def _truncated(level: Level, theta: Array, z: Array, slope: Array, share: float) -> Array:
    """A Newton step by conjugate gradients; straight down where the loss does not bend up."""
    goal = share * float(np.linalg.norm(slope))
    try:
        return conjugate_gradients(lambda v: level.bent(theta, z, v), -slope, goal=goal, most=10 * len(slope))
    except NoMinimumError:
        return -slope


def _searched(level: Level, theta: Array, z: Array) -> Array:
    """Where a trust region that follows negative curvature leads."""
    n = len(theta)
    region = Polytope(tuple(level.names()), [-np.inf] * n, [np.inf] * n, np.zeros((0, n)), [], [], ())  # type: ignore[arg-type]
    smooth = Smooth(
        lambda x: np.array([level.value(x, z)]),
        lambda x: level.slope(x, z)[None],
        lambda x, w: w[0] * level.second(x, z)[2],
    )
    return solve(Program(smooth, region), theta[None])[0].x

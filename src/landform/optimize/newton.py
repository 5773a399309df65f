"""One descent by Newton's method within bounds: a trust region with the exact Hessian.

References
----------
Moré and Sorensen (1983), "Computing a trust region step", SIAM J. Sci. Stat. Comput. 4; Conn, Gould and Toint (1988),
"Global convergence of a class of trust region algorithms for optimization with simple bounds", SIAM J. Numer. Anal. 25.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float
from scipy.optimize import brentq

from landform.optimize.local import steps
from landform.optimize.program import Point, Program

_LONGEST = 1e12
_BOTTOMLESS = -1e20
"""An objective that has fallen so far is taken to have no lowest point."""
_GOOD, _POOR = 0.75, 0.25


@dataclass(frozen=True, eq=False)
class _Here:
    """Value, slope and curvature at a point, in steps of ``unit``."""

    x: Point
    value: float
    gradient: Point
    hessian: Float[np.ndarray, "n n"]


def newton(program: Program, start: Point, *, tolerance: float, most: int = 500) -> Point:
    """Where a trust region ends up from ``start``, in a program whose only limits are bounds.

    Variables whose bound holds them against the slope stay there for one step; the others take the best step of the
    quadratic model within the region's radius, negative curvature followed, and are brought back into the bounds. Where
    that promises less than a step down the projected slope, the latter is taken.

    Parameters
    ----------
    program : Program
        What is minimized.
    start : array, shape (n,)
        Where to begin; brought into the bounds.
    tolerance : float
        It ends where the model promises to lower the objective by less than a thousandth of this part of it.
    most : int
        Evaluations of the objective.
    """
    low, high = program.region.lower, program.region.upper
    x = np.clip(start, low, high)
    unit = steps(program, x)
    here, radius = _look(program, x, unit), 1.0
    if here is None:
        return np.asarray(x)
    for _ in range(most):
        free = ~(((here.x <= low) & (here.gradient > 0)) | ((here.x >= high) & (here.gradient < 0)))
        if not free.any() or (not here.gradient[free].any() and not _bends_down(here, free)):
            break
        step, promised = _step(here, free, radius, (low - here.x) / unit, (high - here.x) / unit)
        if promised <= tolerance * max(abs(here.value), 1e-300) * 1e-3 or not step.any():
            break
        there = np.clip(here.x + step * unit, low, high)
        value = float(program.objective.value(there)[0])
        gain = here.value - value if np.isfinite(value) else -np.inf
        grain = 10 * np.finfo(float).eps * abs(here.value)
        if promised <= 10 * grain and abs(gain) <= grain:  # rounding hides the last digits from the objective
            moved = _look(program, there, unit)
            return moved.x if moved is not None and _slope(moved, free) < _slope(here, free) else here.x
        moved = _look(program, there, unit) if gain > 1e-4 * promised else None
        radius = next_radius(radius, gain / promised if moved is not None else -1.0, float(np.linalg.norm(step)))
        here = moved or here
        far = float(np.abs((here.x - x) / unit).max())
        if radius < 1e-14 or here.value < _BOTTOMLESS or far > _LONGEST:
            break
    return here.x


def _slope(here: _Here, free: Bool[np.ndarray, " n"]) -> float:
    return float(np.abs(here.gradient[free]).max())


def next_radius(radius: float, ratio: float, length: float) -> float:
    """Shorter where the model promised too much, longer where it held at the edge (Conn, Gould and Toint 2000, 6.1)."""
    if ratio < _POOR:
        return 0.25 * length
    return min(2.0 * radius, _LONGEST) if ratio > _GOOD and length > 0.8 * radius else radius


def _look(program: Program, x: Point, unit: Point) -> _Here | None:
    value = float(program.objective.value(x)[0])
    gradient = program.objective.jacobian(x)[0] * unit
    if not np.isfinite(value) or not np.isfinite(gradient).all():
        return None
    hessian = program.objective.hessian(x, np.ones(1)) * np.outer(unit, unit)
    if not np.isfinite(hessian).all():
        return None
    return _Here(x, value, gradient, hessian)


def _bends_down(here: _Here, free: Bool[np.ndarray, " n"]) -> bool:
    curves = np.linalg.eigvalsh(here.hessian[np.ix_(free, free)])
    return bool(curves[0] < -1e-10 * max(abs(curves[0]), abs(curves[-1])))


def _step(here: _Here, free: Bool[np.ndarray, " n"], radius: float, low: Point, high: Point) -> tuple[Point, float]:
    """The better of the model's step and the step down the slope, both within the bounds; what it promises."""
    best, promised = np.zeros_like(here.gradient), 0.0
    for step in (_newton_step(here, free, radius, low, high), _slope_step(here, free, radius, low, high)):
        gain = -float(here.gradient @ step + 0.5 * step @ here.hessian @ step)
        if gain > promised:
            best, promised = step, gain
    return best, promised


def _newton_step(here: _Here, free: Bool[np.ndarray, " n"], radius: float, low: Point, high: Point) -> Point:
    """Best step of the model; variables that it sends past their bound are held there and the rest solved again."""
    step, open_ = np.zeros_like(here.gradient), free.copy()
    for _ in range(int(free.sum())):
        slope = here.gradient + here.hessian @ np.where(open_, 0.0, step)
        step[open_] = trust_region_step(here.hessian[np.ix_(open_, open_)], slope[open_], radius)
        past = open_ & ((step < low) | (step > high))
        step = np.clip(step, low, high)
        if not past.any() or (open_ == past).all():
            break
        open_ &= ~past
    return step


def _slope_step(here: _Here, free: Bool[np.ndarray, " n"], radius: float, low: Point, high: Point) -> Point:
    """Down the slope, brought into the bounds, at the length that suits the model best among halvings."""
    down = np.where(free, -here.gradient, 0.0)
    length = float(np.linalg.norm(down))
    if not length:
        return down
    trials = [np.clip(down / length * radius * 0.5**k, low, high) for k in range(0, 30, 2)]
    gains = [here.gradient @ s + 0.5 * s @ here.hessian @ s for s in trials]
    return trials[int(np.argmin(gains))]


def trust_region_step(
    hessian: Float[np.ndarray, "n n"], gradient: Float[np.ndarray, " n"], radius: float
) -> Float[np.ndarray, " n"]:
    """The lowest point of ``gradient·s + s'Hs/2`` within ``|s| <= radius``, from the eigenvectors of H.

    Where the gradient does not see the direction of most negative curvature (the hard case), the step goes on along it
    to the radius.

    Examples
    --------
    >>> trust_region_step(np.diag([2.0, 4.0]), np.array([-2.0, 4.0]), 10.0)
    array([ 1., -1.])
    >>> trust_region_step(np.diag([1.0, -1.0]), np.array([0.0, 0.0]), 2.0).round(6).tolist()
    [0.0, 2.0]
    """
    values, vectors = np.linalg.eigh(hessian)
    slope = vectors.T @ gradient
    size = max(abs(values[0]), abs(values[-1]), 1e-300)

    def along(shift: float) -> Point:
        return np.asarray(-slope / np.maximum(values + shift, 1e-300))

    if values[0] > 1e-14 * size:
        inner = along(0.0)
        if np.linalg.norm(inner) <= radius:
            return np.asarray(vectors @ inner)
    floor = max(0.0, -values[0])
    near = values + floor <= 1e-12 * size
    if not slope[near].any() or np.linalg.norm(slope[near]) < 1e-14 * np.linalg.norm(slope):
        rest = np.where(near, 0.0, along(floor))
        if (left := radius**2 - rest @ rest) >= 0:
            lowest = int(np.argmin(values))
            return np.asarray(vectors @ (rest + np.sqrt(left) * (np.arange(len(values)) == lowest)))
    smallest = floor + 1e-15 * size + 1e-300
    largest = floor + 2.0 * float(np.linalg.norm(slope)) / radius + size
    if np.linalg.norm(along(smallest)) <= radius:
        return np.asarray(vectors @ along(smallest))
    shift = brentq(lambda s: 1.0 / radius - 1.0 / np.linalg.norm(along(s)), smallest, largest, xtol=1e-15, rtol=1e-12)
    return np.asarray(vectors @ along(float(shift)))

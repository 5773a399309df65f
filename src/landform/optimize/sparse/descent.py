"""One descent within bounds for many variables: a trust region whose steps come from conjugate gradients.

References
----------
Steihaug (1983), "The conjugate gradient method and trust regions in large scale optimization", SIAM J. Numer. Anal. 20;
Lin and Moré (1999), "Newton's method for large bound-constrained optimization problems", SIAM J. Optim. 9.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool

from landform.optimize.newton import next_radius
from landform.optimize.program import Point, Program
from landform.optimize.sparse.patterns import scaled

_BOTTOMLESS = -1e20
_LONGEST = 1e12
_ENOUGH = 1e-2
"""The part of what the slope promises that a projected step must keep."""


@dataclass(frozen=True, eq=False)
class _Model:
    """The quadratic model at a point, each variable divided by ``unit``: there the Hessian's diagonal is about one."""

    x: Point
    value: float
    gradient: Point
    hessian: Any
    unit: Point
    low: Point
    high: Point

    def change(self, step: Point) -> float:
        """What the model makes of a step."""
        return float(self.gradient @ step + 0.5 * step @ (self.hessian @ step))

    def within(self, step: Point) -> Point:
        """The step, cut off at the bounds."""
        return np.clip(step, self.low, self.high)


def descended(program: Program, start: Point, *, tolerance: float, most: int = 500) -> Point:
    """Where a trust region ends up from ``start``, in a large program whose only limits are bounds.

    Parameters
    ----------
    program : Program
        What is minimized; its Hessian is sparse, or anything that multiplies vectors and knows its diagonal.
    start : array, shape (n,)
        Where to begin; brought into the bounds.
    tolerance : float
        It ends where the model promises to lower the objective by less than a thousandth of this part of it.
    most : int
        Evaluations of the objective.
    """
    region = program.region
    here = _model(program, np.clip(start, region.lower, region.upper))
    if here is None:
        return np.clip(start, region.lower, region.upper)
    radius = max(1.0, float(np.linalg.norm(here.within(-here.gradient))))
    for _ in range(most):
        step = _step(here, radius)
        promised = -here.change(step)
        floor = max(1e-3 * tolerance, 100 * np.finfo(float).eps) * abs(here.value)  # below it the polish goes on
        if not promised > max(floor, 1e-300):
            break
        there = np.clip(here.x + step * here.unit, region.lower, region.upper)
        value = float(program.objective.value(there)[0])
        gain = here.value - value if np.isfinite(value) else -np.inf
        moved = _model(program, there) if gain > 1e-4 * promised else None
        length = float(np.linalg.norm(step))
        radius = next_radius(radius, gain / promised if moved is not None else -1.0, length)
        if moved is not None:
            radius *= float(np.linalg.norm(step * here.unit / moved.unit)) / length
            here = moved
        if radius < 1e-14 or here.value < _BOTTOMLESS or np.abs(here.x - start).max() > _LONGEST:
            break
    return here.x


def _model(program: Program, x: Point) -> _Model | None:
    value, gradient = float(program.objective.value(x)[0]), program.objective.jacobian(x)[0]
    if not np.isfinite(value + gradient.sum()):
        return None
    hessian = program.objective.hessian(x, np.ones(1))
    diagonal = np.abs(hessian.diagonal())
    if not np.isfinite(diagonal.sum()):
        return None
    stiffest = diagonal.max(initial=0.0)
    unit = 1.0 / np.sqrt(np.maximum(diagonal, 1e-8 * stiffest)) if stiffest > 0 else np.ones_like(diagonal)
    low, high = (program.region.lower - x) / unit, (program.region.upper - x) / unit
    return _Model(x, value, gradient * unit, scaled(hessian, unit, unit), unit, low, high)


def _step(model: _Model, radius: float) -> Point:
    """Down the projected slope first; then conjugate gradients among the variables that no bound holds there."""
    step = _slope_step(model, radius)
    for _ in range(5):
        slope = model.gradient + model.hessian @ step
        free = ((step > model.low) | (slope < 0)) & ((step < model.high) | (slope > 0))
        free &= model.low < model.high
        before = float(np.linalg.norm(slope[free]))
        if before <= 1e-2 * float(np.linalg.norm(model.gradient)):
            break
        room = radius - float(np.linalg.norm(step))
        if room <= 1e-3 * radius:
            break
        move = truncated(model.hessian, np.where(free, slope, 0.0), room, free)
        step, cut = _projected(model, step, move, float(slope @ move))
        if not cut:
            break
    return step


def _slope_step(model: _Model, radius: float) -> Point:
    """A step down the slope within bounds and radius that keeps a part of what the slope promises."""
    bent = float(model.gradient @ (model.hessian @ model.gradient))
    size = float(model.gradient @ model.gradient)
    length = size / bent if bent > 0 else np.inf
    length = min(length, radius / max(np.sqrt(size), 1e-300))
    for _ in range(40):
        step = model.within(-length * model.gradient)
        if model.change(step) <= _ENOUGH * float(model.gradient @ step):
            break
        length *= 0.25
    return step


def _projected(model: _Model, step: Point, move: Point, rate: float) -> tuple[Point, bool]:
    """``step`` moved on within the bounds, shortened until the model is lowered; and whether a bound cut it."""
    before, part = model.change(step), 1.0
    whole = model.within(step + move)
    cut = not np.array_equal(whole, step + move)
    for _ in range(30):
        trial = model.within(step + part * move)
        if model.change(trial) - before <= min(0.0, _ENOUGH * part * rate):
            return trial, cut
        part *= 0.5
    return step, False


def truncated(hessian: Any, slope: Point, radius: float, free: Bool[np.ndarray, " n"], most: int = 1000) -> Point:
    """Steihaug's step: conjugate gradients until the slope is small, the radius is reached or the model bends down.

    Examples
    --------
    >>> truncated(np.diag([2.0, 4.0]), np.array([-2.0, 4.0]), 10.0, np.ones(2, dtype=bool)).round(9)
    array([ 1., -1.])
    >>> truncated(np.diag([1.0, -1.0]), np.array([0.0, -1.0]), 2.0, np.ones(2, dtype=bool))
    array([0., 2.])
    """
    step, left = np.zeros_like(slope), -slope
    way, square = left.copy(), float(left @ left)
    small = min(0.1, square**0.25) ** 2 * square
    for _ in range(most):
        if square <= small:
            break
        image = np.where(free, hessian @ way, 0.0)
        bend = float(way @ image)
        if bend <= 1e-14 * float(way @ way):
            return step + _to_radius(step, way, radius) * way
        length = square / bend
        further = step + length * way
        if float(further @ further) >= radius * radius:
            return step + _to_radius(step, way, radius) * way
        step, left = further, left - length * image
        square, before = float(left @ left), square
        way = left + (square / before) * way
    return step


def _to_radius(step: Point, way: Point, radius: float) -> float:
    """How far along ``way`` the radius is reached."""
    a, b, c = float(way @ way), float(step @ way), float(step @ step) - radius * radius
    return (np.sqrt(max(b * b - a * c, 0.0)) - b) / a if a else 0.0

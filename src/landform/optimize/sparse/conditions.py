"""A large program at one point: first-order conditions and curvature, in steps that suit every variable."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.sparse import csr_array, diags_array, vstack

from landform.optimize.local import steps
from landform.optimize.program import Point
from landform.optimize.sparse.factor import Factor, factored
from landform.optimize.sparse.nlp import Nlp
from landform.optimize.sparse.patterns import largest_in_rows, scaled

Array = np.ndarray
WEAK = 1e-5
"""Curvature above this part of the largest slope or curvature is seen at the first look."""

_ROUNDS = 5


@dataclass(frozen=True, eq=False)
class Seen:
    """First order at ``x``, in steps of ``unit``; ``slack``, ``reach`` and ``size`` have one entry per side."""

    x: Point
    unit: Point
    objective: float
    gradient: Point
    jacobian: csr_array
    slack: Float[Array, " l"]
    reach: Float[Array, " l"]
    size: Float[Array, " l"]
    equality: Bool[Array, " l"]

    @property
    def finite(self) -> bool:
        """Whether every number is one."""
        return bool(np.isfinite(self.objective + self.gradient.sum() + self.slack.sum() + self.jacobian.data.sum()))

    @property
    def violation(self) -> float:
        """By how much the worst limit is missed, in its own unit."""
        return float(np.where(self.equality, np.abs(self.slack), -self.slack).max(initial=0.0))

    @property
    def misfit(self) -> float:
        """How far away the worst limit is that is missed, in steps."""
        return float(np.where(self.equality, np.abs(self.reach), -self.reach).max(initial=0.0))


@dataclass(frozen=True, eq=False)
class Conditions:
    """Multipliers and curvature at a point.

    ``multipliers`` belong to the unit ``normals`` of the ``active`` sides, ``hessian`` is the Lagrangian's. ``factor``
    has it in parts of ``measure``, the largest slope or curvature, and shifted down by ``WEAK``.
    """

    seen: Seen
    active: Int[Array, " k"]
    normals: csr_array
    multipliers: Float[Array, " k"]
    prices: Float[Array, " m"]
    hessian: csr_array
    measure: float
    factor: Factor | None

    @property
    def one_sided(self) -> Bool[Array, " k"]:
        """Which active sides are inequalities."""
        return ~self.seen.equality[self.active]

    @cached_property
    def residual(self) -> float:
        """What the multipliers leave of the gradient, in parts of each variable's slope and curvature."""
        measure = np.abs(self.seen.gradient) + largest_in_rows(self.hessian)
        measure = np.maximum(measure, 1e-6 * measure.max())
        left = np.abs(self.seen.gradient - self.normals.T @ self.multipliers)
        return float(np.where(left > 0, left / np.where(measure > 0, measure, 1.0), 0.0).max())

    @cached_property
    def complementarity(self) -> float:
        """The largest product of multiplier and distance, in parts of ``measure``."""
        product = np.abs(self.multipliers * self.seen.reach[self.active])[self.one_sided]
        return float(product.max(initial=0.0)) / self.measure

    @cached_property
    def merit(self) -> float:
        """How far the first-order conditions are from holding."""
        return max(self.residual, self.seen.misfit, self.complementarity)


def seen_at(nlp: Nlp, x: Point) -> Seen:
    """First order at a point."""
    sides, unit = nlp.program.sides, steps(nlp.program, x)
    jacobian = scaled(nlp.jacobian(x), None, unit)
    values = np.concatenate([x, nlp.rows(x)])
    lengths = np.concatenate([unit, np.sqrt(jacobian.power(2).sum(axis=1))])
    size = np.where(lengths > 0, lengths, 1.0)[sides.row]
    slack = sides.sign * (values[sides.row] - sides.value)
    return Seen(x, unit, nlp.value(x), nlp.gradient(x) * unit, jacobian, slack, slack / size, size, sides.equality)


def conditions(nlp: Nlp, seen: Seen, *, near: float, prices: Float[Array, " m"] | None = None) -> Conditions | None:
    """Multipliers and curvature at a point; sides within ``near`` are active as long as their multipliers do not pull.

    Parameters
    ----------
    nlp : Nlp
        The program.
    seen : Seen
        The point.
    near : float
        In steps.
    prices : array, shape (m,), optional
        About the rows' multipliers; found by least squares where not given.

    Returns
    -------
    Conditions or None
        None where the curvature is not finite.
    """
    active = np.flatnonzero(seen.equality | (seen.reach <= near))
    found = None
    for _ in range(_ROUNDS):
        normals = normals_of(nlp, seen, active)
        if prices is None:
            prices = _row_prices(nlp, active, _explaining(normals, seen.gradient) / seen.size[active])
        found = _with_curvature(nlp, seen, active, normals, prices)
        if found is None:
            return None
        pulling = found.one_sided & (found.multipliers < -1e-9 * found.measure)
        change = np.abs(found.prices - prices).max(initial=0.0)
        if not pulling.any() and change <= 1e-7 * max(1.0, float(np.abs(prices).max(initial=0.0))):
            break
        active, prices = active[~pulling], None if pulling.any() else found.prices
    return found


def normals_of(nlp: Nlp, seen: Seen, sides: Int[Array, " k"]) -> csr_array:
    """Unit gradients of some sides, in steps."""
    row, sign = nlp.program.sides.row[sides], nlp.program.sides.sign[sides]
    if not len(row):
        return csr_array((0, nlp.n))
    if row.min() >= nlp.n:
        chosen = seen.jacobian[row - nlp.n]
    elif row.max() < nlp.n:
        own = (seen.unit[row], (np.arange(len(row)), row))
        chosen = csr_array(own, shape=(len(row), nlp.n))
    else:
        chosen = vstack([diags_array(seen.unit, format="csr"), seen.jacobian], format="csr")[row]
    return scaled(csr_array(chosen), sign / seen.size[sides], np.ones(nlp.n))


def _with_curvature(
    nlp: Nlp, seen: Seen, active: Int[Array, " k"], normals: csr_array, prices: Float[Array, " m"]
) -> Conditions | None:
    hessian = scaled(nlp.hessian(seen.x, 1.0, -prices), seen.unit, seen.unit)
    measure = max(float(np.abs(seen.gradient).max()), float(np.abs(hessian.data).max(initial=0.0)), 1e-300)
    if not np.isfinite(measure):
        return None
    factor = factored(hessian / measure, normals, WEAK)
    multipliers = np.zeros(len(active))
    if factor is not None and len(active):
        by_row = np.concatenate([np.zeros(nlp.n), prices])[nlp.program.sides.row[active]]
        guess = -nlp.program.sides.sign[active] * seen.size[active] * by_row / measure
        multipliers = -measure * factor.solve(-seen.gradient / measure, -seen.reach[active], guess)[1]
    found = _row_prices(nlp, active, multipliers / seen.size[active])
    return Conditions(seen, active, normals, multipliers, found, hessian, measure, factor)


def _row_prices(nlp: Nlp, active: Int[Array, " k"], multipliers: Float[Array, " k"]) -> Float[Array, " m"]:
    """What each row is worth, ``∇value = Σ price ∇row`` and the bounds' part, from the slacks' multipliers."""
    row, sign = nlp.program.sides.row[active], nlp.program.sides.sign[active]
    prices = np.zeros(nlp.m)
    of_rows = row >= nlp.n
    np.add.at(prices, row[of_rows] - nlp.n, (sign * multipliers)[of_rows])
    return prices


def _explaining(normals: csr_array, gradient: Point) -> Float[Array, " k"]:
    """The multipliers that explain the gradient best, by least squares."""
    k, n = normals.shape
    if not k:
        return np.zeros(0)
    unity = csr_array(diags_array(np.ones(n)))
    factor = factored(unity, normals, 0.0)
    return np.zeros(k) if factor is None else -factor.solve(-gradient, np.zeros(k), np.zeros(k))[1]

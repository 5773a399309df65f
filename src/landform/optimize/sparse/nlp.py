"""A program in the form that sparse solvers take: values, and entries of its matrices at places that never change."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from weakref import WeakKeyDictionary

import numpy as np
from jaxtyping import Float, Int
from scipy.sparse import csr_array

from landform.optimize.program import Point, Program
from landform.optimize.sparse.patterns import Sum, compressed, entries, places, stacked, sum_of

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class Nlp:
    """Minimize ``value(x)`` within bounds and ``lower <= rows(x) <= upper``: linear rows first, then constraints.

    Parameters
    ----------
    program : Program
        What it stands for; its matrices may be arrays or sparse.
    lower, upper : array, shape (m,)
        Limits of the rows.
    slopes_at : csr_array, shape (m, n)
        The rows' Jacobian at some point, for its places.
    curves : Sum
        Hessians of the objective and of the constraints, for their places.
    """

    program: Program
    lower: Float[Array, " m"]
    upper: Float[Array, " m"]
    slopes_at: csr_array
    curves: Sum

    @property
    def n(self) -> int:
        """How many variables there are."""
        return self.program.n

    @property
    def m(self) -> int:
        """How many rows there are."""
        return len(self.lower)

    @cached_property
    def slope_places(self) -> tuple[Int[Array, " k"], Int[Array, " k"]]:
        """Row and variable of every entry of `slopes`."""
        return places(self.slopes_at)

    @property
    def curve_places(self) -> tuple[Int[Array, " k"], Int[Array, " k"]]:
        """Row and column of every entry of `triangle`, the lower half."""
        return self.curves.triangle[1:]

    def value(self, x: Point) -> float:
        """The objective."""
        return float(self.program.objective.value(x)[0])

    def gradient(self, x: Point) -> Point:
        """Its slopes."""
        return np.asarray(self.program.objective.jacobian(x)[0])

    def rows(self, x: Point) -> Float[Array, " m"]:
        """Linear rows and constraints."""
        linear = self.program.region.A @ x
        bent = self.program.constraints
        return linear if bent is None else np.concatenate([linear, bent.value(x)])

    def slopes(self, x: Point) -> Float[Array, " k"]:
        """The entries of their Jacobian."""
        linear, bent = entries(self.program.region.A), self.program.constraints
        return linear if bent is None else np.concatenate([linear, entries(bent.jacobian(x))])

    def jacobian(self, x: Point) -> csr_array:
        """Their Jacobian."""
        at = self.slopes_at
        return csr_array((self.slopes(x), at.indices, at.indptr), shape=at.shape)

    def _curvature(
        self, x: Point, weight: float, multipliers: Float[Array, " m"]
    ) -> tuple[Float[Array, " k"] | None, Float[Array, " k"] | None]:
        own, bent = None, self.program.constraints
        if weight:
            own = entries(self.program.objective.hessian(x, np.array([weight])))
        if bent is None:
            return own, None
        weights = multipliers[len(self.program.region.A_lower) :]
        return own, entries(bent.hessian(x, weights)) if weights.any() else None

    def hessian(self, x: Point, weight: float, multipliers: Float[Array, " m"]) -> csr_array:
        """The Hessian of ``weight·value + multipliers·rows``."""
        return self.curves(*self._curvature(x, weight, multipliers)[: self._parts])

    def triangle(self, x: Point, weight: float, multipliers: Float[Array, " m"]) -> Float[Array, " k"]:
        """The entries of its lower half."""
        return self.curves.data(*self._curvature(x, weight, multipliers)[: self._parts])[self.curves.triangle[0]]

    @property
    def _parts(self) -> int:
        return 1 if self.program.constraints is None else 2


_MADE: WeakKeyDictionary[Program, Nlp] = WeakKeyDictionary()


def as_nlp(program: Program, x: Point) -> Nlp:
    """The program as sparse solvers take it, made once; ``x`` is a point where its matrices can be formed."""
    if program not in _MADE:
        _MADE[program] = _made(program, x)
    return _MADE[program]


def _made(program: Program, x: Point) -> Nlp:
    region, bent = program.region, program.constraints
    linear = compressed(region.A)
    own = compressed(program.objective.hessian(x, np.ones(1)))
    if bent is None:
        return Nlp(program, region.A_lower, region.A_upper, linear, sum_of([own]))
    low, high = np.r_[region.A_lower, program.c_lower], np.r_[region.A_upper, program.c_upper]
    slopes = stacked([linear, compressed(bent.jacobian(x))])
    curves = sum_of([own, compressed(bent.hessian(x, np.ones(len(program.c_lower))))])
    return Nlp(program, low, high, slopes, curves)

"""One descent by POUNCE (package pounce-solver), Ipopt's interior point method in another maker's hand.

References
----------
Wächter and Biegler (2006), "On the implementation of an interior-point filter line-search algorithm for large-scale
nonlinear programming", Math. Program. 106.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from landform.optimize.program import Point
from landform.optimize.sparse.nlp import Nlp

_NONE = 2e19
"""What the solver takes for no limit."""


class _Asked:
    """What the solver asks for, under the names it asks by."""

    def __init__(self, nlp: Nlp) -> None:
        self.objective, self.gradient = nlp.value, nlp.gradient
        self.constraints, self.jacobian = nlp.rows, nlp.slopes
        self._nlp = nlp

    def jacobianstructure(self) -> Any:
        return self._nlp.slope_places

    def hessianstructure(self) -> Any:
        return self._nlp.curve_places

    def hessian(self, x: Point, multipliers: Point, weight: float) -> Point:
        return self._nlp.triangle(x, weight, multipliers)


def pounce(nlp: Nlp, start: Point, *, tolerance: float, most: int = 1000) -> tuple[Point, Point]:
    """Where POUNCE ends up from ``start``, whatever it says about it, and the rows' multipliers there.

    Parameters
    ----------
    nlp : Nlp
        What is minimized.
    start : array, shape (n,)
        Where to begin; brought into the bounds, which are not relaxed.
    tolerance : float
        Of its scaled residual.
    most : int
        Iterations.
    """
    import pounce as package

    low, high = nlp.program.region.lower, nlp.program.region.upper
    ends = [np.clip(end, -_NONE, _NONE) for end in (low, high, nlp.lower, nlp.upper)]
    problem = package.Problem(nlp.n, nlp.m, _Asked(nlp), *ends)
    options = {"print_level": 0, "sb": "yes", "tol": tolerance, "max_iter": most, "bound_relax_factor": 0.0}
    for name, value in options.items():
        problem.add_option(name, value)
    x, said = problem.solve(np.clip(start, low, high))
    end, prices = np.clip(np.asarray(x), low, high), -np.asarray(said["mult_g"])
    return (end, prices) if np.isfinite(end).all() else (start, np.zeros(nlp.m))

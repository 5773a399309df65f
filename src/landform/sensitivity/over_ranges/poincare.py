"""The Poincaré constant of a distribution: the least C with Var g <= C E[g'^2] for every g.

References
----------
Roustant, Barthe and Iooss (2017), "Poincaré inequalities on intervals: application to sensitivity analysis",
*Electron. J. Stat.* 11, 3081: the constant is one over the first positive eigenvalue of −(p g')' = λ p g, found there
by finite elements as here.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.linalg import eigh_tridiagonal

from landform.sensitivity.over_ranges.marginals import Marginal

_CELLS = 4000
_TAIL, _FAR_TAIL = 1e-7, 1e-13


def poincare_constant(marginal: Marginal) -> float:
    """The constant, in squared units of the input; infinite where tails are too heavy for one.

    Examples
    --------
    >>> from landform.sensitivity.over_ranges.marginals import uniform
    >>> from scipy import stats
    >>> round(poincare_constant(uniform("x", 0.0, math.pi)), 6)
    1.0
    >>> poincare_constant(Marginal("x", stats.lognorm(1.0), "lognormal"))
    inf
    """
    name = getattr(getattr(marginal.law, "dist", None), "name", "")
    low, high = (float(end) for end in marginal.law.support())
    if name == "uniform":
        return ((high - low) / math.pi) ** 2
    if name == "norm":
        return marginal.deviation**2
    if name == "expon":
        return 4.0 * marginal.deviation**2
    near, far = (_by_elements(marginal, tail) for tail in (_TAIL, _FAR_TAIL))
    return far if marginal.bounded or far < 1.5 * near else math.inf


def _by_elements(marginal: Marginal, tail: float) -> float:
    """Cells with the mass that the distribution gives them, joined by the density between their middles."""
    low, high = (float(end) for end in marginal.law.support())
    low = low if np.isfinite(low) else float(marginal.law.ppf(tail))
    high = high if np.isfinite(high) else float(marginal.law.isf(tail))
    edges = np.linspace(low, high, _CELLS + 1)
    middle = (edges[1:] + edges[:-1]) / 2
    step = edges[1] - edges[0]
    mass = np.diff(np.asarray(marginal.law.cdf(edges)))
    mass = np.where(mass > 1e-14, mass, np.asarray(marginal.law.pdf(middle)) * step)
    held = mass > 0
    mass = np.maximum(mass, mass[held].min())
    link = np.asarray(marginal.law.pdf(edges[1:-1])) / step
    root = np.sqrt(mass)
    main = (np.append(link, 0.0) + np.insert(link, 0, 0.0)) / mass
    values = eigh_tridiagonal(main, -link / (root[1:] * root[:-1]), eigvals_only=True, select="i", select_range=(0, 1))
    return float(1.0 / values[1])

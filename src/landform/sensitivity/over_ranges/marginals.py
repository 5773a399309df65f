"""What one input is like: its distribution, and the variable in which polynomials of it are taken.

That variable, the germ, is the standardized input itself where its range is bounded or it is normal, and its normal
score elsewhere. In it, slopes are weighted by the Stein kernel t: Var g <= E[t g'^2] holds for every g with equality
for straight lines, and for the classical families it makes the slopes of orthogonal polynomials orthogonal as well.

References
----------
Xiu and Karniadakis (2002), *SIAM J. Sci. Comput.* 24, 619 (polynomials of a distribution); Gautschi (2004), *Orthogonal
Polynomials*, sec. 2.2 (Stieltjes' procedure); Cacoullos (1982), *Ann. Probab.* 10, 799 (the Stein kernel's inequality).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from jaxtyping import Float
from scipy import special, stats

from landform.errors import ProblemError
from landform.sensitivity.over_ranges.empirical import Empirical

_PANELS, _NODES = 200, 16
_EDGE = 1e-12
"""Probabilities this near to 0 and 1 are not drawn: an unbounded input has no value there."""

Column = Float[np.ndarray, " rows"]


@dataclass(frozen=True, eq=False)
class Marginal:
    """The distribution of one input.

    Parameters
    ----------
    name : str
        The input.
    law : frozen distribution
        With ``ppf``, ``cdf``, ``pdf``, ``mean``, ``std`` and ``support``, as `scipy.stats` makes them.
    words : str
        The distribution in words.
    """

    name: str
    law: Any
    words: str

    @cached_property
    def mean(self) -> float:
        """Its mean."""
        return float(self.law.mean())

    @cached_property
    def deviation(self) -> float:
        """Its standard deviation."""
        return float(self.law.std())

    @cached_property
    def normal(self) -> bool:
        """Whether it is a normal distribution."""
        return getattr(getattr(self.law, "dist", None), "name", "") == "norm"

    @cached_property
    def bounded(self) -> bool:
        """Whether its range is finite: then polynomials are of the input itself."""
        return bool(np.isfinite(self.law.support()).all())

    def at(self, u: Column) -> Column:
        """The values below which shares ``u`` of the distribution lie."""
        return np.asarray(self.law.ppf(np.clip(u, _EDGE, 1 - _EDGE)), dtype=np.float64)

    def germ(self, u: Column) -> Column:
        """The standardized variable of the polynomials there."""
        if self.bounded:
            return (self.at(u) - self.mean) / self.deviation
        return np.asarray(special.ndtri(np.clip(u, _EDGE, 1 - _EDGE)))

    def slope(self, u: Column) -> Column:
        """The input's slope against the germ."""
        if self.bounded or self.normal:
            return np.full(len(u), self.deviation)
        score = self.germ(u)
        return np.asarray(np.exp(-0.5 * score**2) / math.sqrt(2 * math.pi) / self.law.pdf(self.at(u)))

    @cached_property
    def quadrature(self) -> tuple[Column, Column]:
        """Nodes and weights of the standardized bounded distribution: Gauss's rule on panels of equal probability."""
        low, high = self.law.support()
        if getattr(getattr(self.law, "dist", None), "name", "") == "beta":
            a, b = self.law.dist._parse_args(*self.law.args, **self.law.kwds)[0]
            nodes, weights = special.roots_jacobi(200, b - 1.0, a - 1.0)
            x, w = low + (high - low) * (nodes + 1) / 2, weights
        else:
            x, w = self._panels(low, high)
        return (x - self.mean) / self.deviation, w / w.sum()

    def _panels(self, low: float, high: float) -> tuple[Column, Column]:
        edges = getattr(self.law, "edges", None)
        if edges is None:
            edges = np.asarray(self.law.ppf(np.linspace(0.0, 1.0, _PANELS + 1)))
            edges[0], edges[-1] = low, high
            edges = np.unique(edges)
        share = np.diff(np.asarray(self.law.cdf(edges)))
        nodes, weights = special.roots_legendre(_NODES)
        x = edges[:-1, None] + np.diff(edges)[:, None] * (nodes + 1) / 2
        w = np.asarray(self.law.pdf(x)) * weights
        return x.ravel(), (w * (share / w.sum(axis=1))[:, None]).ravel()

    @cached_property
    def recurrence(self) -> tuple[Column, Column]:
        """Coefficients a, b of the orthonormal polynomials' three-term recurrence."""
        size = 40
        if not self.bounded:
            return np.zeros(size), np.sqrt(np.arange(1.0, size + 1))
        z, w = self.quadrature
        a, b = np.zeros(size), np.zeros(size)
        before, now = np.zeros_like(z), np.ones_like(z)
        for k in range(size):
            a[k] = w @ (z * now * now)
            ahead = (z - a[k]) * now - (b[k - 1] * before if k else 0.0)
            b[k] = math.sqrt(w @ (ahead * ahead))
            before, now = now, ahead / b[k]
        return a, b

    def polynomials(self, z: Column, degree: int) -> tuple[Float[np.ndarray, "rows k"], Float[np.ndarray, "rows k"]]:
        """The orthonormal polynomials up to a degree at germs ``z``, and their slopes.

        Examples
        --------
        >>> values, slopes = uniform("x", -1.0, 1.0).polynomials(np.array([0.0, 1.0]), 2)
        >>> values[:, 2].round(6), slopes[:, 1].round(6)
        (array([-1.118034,  0.      ]), array([1., 1.]))
        """
        a, b = self.recurrence
        P, D = np.zeros((2, degree + 1, len(z)))
        P[0] = 1.0
        for k in range(degree):
            P[k + 1] = (z - a[k]) * P[k] / b[k]
            D[k + 1] = (P[k] + (z - a[k]) * D[k]) / b[k]
            if k:
                P[k + 1] -= b[k - 1] * P[k - 1] / b[k]
                D[k + 1] -= b[k - 1] * D[k - 1] / b[k]
        return P.T, D.T

    def stein(self, z: Column) -> Column:
        """The Stein kernel at germs ``z``: 1 for a normal score."""
        if not self.bounded:
            return np.ones(len(z))
        if getattr(getattr(self.law, "dist", None), "name", "") in ("uniform", "beta"):
            # For a beta distribution it is a multiple of (x - low)(high - x), of mean one here.
            low, high = ((end - self.mean) / self.deviation for end in self.law.support())
            return np.maximum((z - low) * (high - z) / (-low * high - 1.0), 0.0)
        nodes, weights = self.quadrature
        # The integral of z dF above a node, half of the node's own part included.
        above = np.cumsum((weights * nodes)[::-1])[::-1] - 0.5 * weights * nodes
        density = np.asarray(self.law.pdf(self.mean + self.deviation * z)) * self.deviation
        inside = np.interp(z, nodes, above)
        return np.asarray(np.maximum(inside, 0.0) / np.where(density > 0, density, np.inf))


def uniform(name: str, low: float, high: float) -> Marginal:
    """An input anywhere between two bounds alike."""
    return Marginal(name, stats.uniform(low, high - low), f"uniform from {low:g} to {high:g}")


def make_marginal(name: str, given: Any) -> Marginal:
    """The distribution a user means.

    Parameters
    ----------
    name : str
        The input.
    given : pair of numbers, frozen `scipy.stats` distribution, or array
        Bounds of a uniform distribution; any continuous distribution; ten or more measured values.

    Raises
    ------
    ProblemError
        If it is none of these, or the distribution has no finite spread.

    Examples
    --------
    >>> make_marginal("x", (0, 2)).words, make_marginal("y", stats.norm(1, 0.1)).words
    ('uniform from 0 to 2', 'norm(1, 0.1)')
    """
    where = f"input {name}"
    if hasattr(given, "ppf") and hasattr(given, "pdf") and hasattr(given, "support"):
        return _checked(Marginal(name, given, _described(given)), where)
    try:
        values = np.asarray(given, dtype=np.float64)
    except (TypeError, ValueError):
        values = np.empty((0, 0))
    if values.ndim != 1 or (values.size != 2 and values.size < 10):
        raise ProblemError(
            "a pair (lower, upper), a continuous distribution of scipy.stats, or ten or more values",
            got=repr(given)[:60],
            remedy="give one of these",
            where=where,
        )
    if not np.isfinite(values).all():
        raise ProblemError("finite numbers", got="NaN or inf", remedy="leave it out", where=where)
    if values.size == 2:
        if not values[0] < values[1]:
            raise ProblemError("a lower bound below the upper", got=repr(given), remedy="correct them", where=where)
        return uniform(name, *(float(v) for v in values))
    if np.ptp(values) <= 1e-12 * np.abs(values).max():
        raise ProblemError("values that differ", got=f"{values[0]:g} throughout", remedy="hold it fixed", where=where)
    return Marginal(name, Empirical.of(values), f"{values.size} measured values")


def _described(law: Any) -> str:
    kind = getattr(getattr(law, "dist", None), "name", type(law).__name__)
    numbers = [f"{v:g}" for v in getattr(law, "args", ())]
    numbers += [f"{key}={v:g}" for key, v in getattr(law, "kwds", {}).items()]
    return f"{kind}({', '.join(numbers)})"


def _checked(marginal: Marginal, where: str) -> Marginal:
    spread = marginal.deviation
    if not (np.isfinite(marginal.mean) and np.isfinite(spread) and spread > 0):
        raise ProblemError(
            "a distribution with a mean and a standard deviation",
            got=f"{marginal.words}, of standard deviation {spread:g}",
            remedy="choose one with lighter tails, or truncate it",
            where=where,
        )
    return marginal

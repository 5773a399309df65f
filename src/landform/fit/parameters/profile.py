"""Profile likelihood, followed along its own differential equation.

As one parameter moves, the best values of the others move by ``dq/dc = −H_qq⁻¹ H_qc``, H the exact Hessian of the
objective: a step along it, and one or two of Newton's to stay on the path, replace a refit.

References
----------
Chen and Jennrich (2002), "Simple accurate approximation of likelihood profiles", J. Comput. Graph. Stat. 11; Raue et al
(2009), "Structural and practical identifiability analysis of partially observed dynamical models by exploiting the
profile likelihood", Bioinformatics 25.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Bool, Float
from scipy.optimize import brentq

from landform.findings import Finding
from landform.findings.pictures import Picture, Scatter
from landform.optimize.problem import Problem

if TYPE_CHECKING:
    import pandas as pd

Array = np.ndarray
_STEPS = 200
_STRIDE = 0.3
"""Of the signed root of the likelihood ratio, aimed at in one step."""

_FARTHEST = 1e4
"""Standard errors from the estimate at which an interval is called open."""


@dataclass(frozen=True, eq=False)
class Profile(Finding):
    """How the fit worsens as one parameter moves and the others make up for it. Made by `Fitted.profile`.

    Parameters
    ----------
    name : str
        The parameter that was moved.
    names : tuple of str
        All parameters.
    points : array, shape (k, n)
        The best parameters at every value of the one, in its order.
    root : array, shape (k,)
        Signed root of the likelihood ratio: a straight line where the Wald interval is right.
    limit : float
        Where the interval ends.
    lower, upper : float
        The interval; infinite where the profile never reaches the limit, a bound where it meets one first.
    words : str
        The verdict in one sentence.
    """

    name: str
    names: tuple[str, ...]
    points: Float[Array, "k n"]
    root: Float[Array, " k"]
    limit: float
    lower: float
    upper: float
    words: str

    def to_frame(self) -> pd.DataFrame:
        """One row per point of the path."""
        import pandas as pd

        found = pd.DataFrame(self.points, columns=list(self.names))
        found.insert(0, "signed root", self.root)
        return found

    def pictures(self) -> Sequence[Picture]:
        """The signed root against the parameter."""
        i = self.names.index(self.name)
        none = [None] * len(self.root)
        values = self.points[:, i].tolist()
        return (Scatter(values, self.root.tolist(), none, none, self.words, self.name, "signed root", diagonal=False),)


@dataclass(frozen=True, eq=False)
class _Path:
    """What the path is followed with."""

    problem: Problem
    i: int
    others: Bool[Array, " n"]
    best: float
    variance: float

    def root(self, p: Float[Array, " n"]) -> float:
        """The root of the likelihood ratio."""
        worse = float(self.problem.prepared.value(p)[0]) - self.best
        return float(np.sqrt(2 * max(worse, 0.0) / self.variance))

    def slope(self, p: Float[Array, " n"]) -> Float[Array, " n"]:
        """How all parameters move per unit of the one."""
        H = self.problem.prepared.hessian(p)
        move = np.zeros(len(p))
        move[self.i] = 1.0
        move[self.others] = -_solve(H[np.ix_(self.others, self.others)], H[self.others, self.i])
        return move

    def settled(self, p: Float[Array, " n"]) -> Float[Array, " n"]:
        """The others brought to their best by Newton's steps."""
        region = self.problem.program.region
        for _ in range(8):
            value, gradient = self.problem.prepared.value_and_jacobian(p)
            g = gradient[0][self.others]
            H = self.problem.prepared.hessian(p)[np.ix_(self.others, self.others)]
            step = -_solve(H, g)
            there = p.copy()
            there[self.others] += step
            there = np.clip(there, region.lower, region.upper)
            if not self.problem.prepared.value(there)[0] <= value[0] * (1 + 1e-12) + 1e-300:
                break
            p = there
            if np.abs(g @ step) < 1e-10 * self.variance:
                break
        return p


def _solve(H: Float[Array, "k k"], right: Float[Array, " k"]) -> Float[Array, " k"]:
    if not len(H):
        return np.zeros(0)
    size = np.sqrt(np.abs(np.diag(H)))
    size = np.where(size > 0, size, 1.0)
    return np.linalg.lstsq(H / np.outer(size, size), right / size, rcond=1e-14)[0] / size


def profile_of(
    problem: Problem, best: Float[Array, " n"], i: int, *, variance: float, limit: float, width: float
) -> Profile:
    """Follow the profile of parameter i to both sides until it crosses the limit, meets a bound, or stays open."""
    name, region = problem.program.region.names[i], problem.program.region
    others = np.arange(len(best)) != i
    others &= (best > region.lower) & (best < region.upper)
    path = _Path(problem, i, others, float(problem.prepared.value(best)[0]), variance)
    down, up = (_side(path, best, sign * width, limit) for sign in (-1.0, 1.0))
    points = np.array([*down[0][::-1], best, *up[0]])
    roots = np.array([*(-r for r in down[1][::-1]), 0.0, *up[1]])
    lower, upper = down[2], up[2]
    return Profile(name, region.names, points, roots, limit, lower, upper, _in_words(name, lower, upper))


def _side(
    path: _Path, best: Float[Array, " n"], width: float, limit: float
) -> tuple[list[Float[Array, " n"]], list[float], float]:
    """The path to one side: its points, their roots, and where the interval ends."""
    i, region = path.i, path.problem.program.region
    edge = region.upper[i] if width > 0 else region.lower[i]
    points: list[Float[Array, " n"]] = []
    roots: list[float] = []
    p, step = best, _STRIDE * width
    for _ in range(_STEPS):
        at = float(np.clip(p[i] + step, region.lower[i], region.upper[i]))
        there = path.settled(np.clip(p + (at - p[i]) * path.slope(p), region.lower, region.upper))
        root = path.root(there)
        before = roots[-1] if roots else 0.0
        if not np.isfinite(root) or root - before > 3 * _STRIDE:
            step /= 4
            if abs(step) < 1e-12 * abs(width):
                break
            continue
        points.append(there)
        roots.append(root)
        if root >= limit:
            return points, roots, _crossing(path, p, there, limit)
        if at == edge:
            return points, roots, edge
        if abs(at - best[i]) > _FARTHEST * abs(width):
            break
        gain = max(root - before, 1e-3)
        step *= float(np.clip(_STRIDE / gain, 0.3, 2.0))
        p = there
    return points, roots, np.inf if width > 0 else -np.inf


def _crossing(path: _Path, inside: Float[Array, " n"], outside: Float[Array, " n"], limit: float) -> float:
    """Where the root is exactly the limit, between two points of the path."""

    def excess(c: float) -> float:
        share = (c - inside[path.i]) / (outside[path.i] - inside[path.i])
        return path.root(path.settled(inside + share * (outside - inside))) - limit

    low, high = float(inside[path.i]), float(outside[path.i])
    return float(brentq(excess, low, high, rtol=1e-10, xtol=1e-14 * max(abs(low), abs(high), 1e-300)))


def _in_words(name: str, lower: float, upper: float) -> str:
    match np.isfinite(lower), np.isfinite(upper):
        case True, True:
            return f"{name} lies between {lower:.6g} and {upper:.6g}"
        case True, False:
            return f"{name} lies above {lower:.6g}; the data set no upper limit"
        case False, True:
            return f"{name} lies below {upper:.6g}; the data set no lower limit"
    return f"the data set no limit to {name}"

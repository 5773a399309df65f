"""Of many solutions, the different ones."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from landform.optimize.certificate import Certificate


@dataclass(frozen=True, eq=False)
class Solution:
    """Where one start led.

    Parameters
    ----------
    x : array, shape (n,)
        The point.
    objective : float
        Its value there.
    certificate : Certificate
        What the derivatives prove about it.
    start : array, shape (n,)
        Where the search began.
    by : str
        The solver that led there.
    """

    x: Float[np.ndarray, " n"]
    objective: float
    certificate: Certificate
    start: Float[np.ndarray, " n"]
    by: str = ""


def rank(solutions: Iterable[Solution]) -> tuple[Solution, ...]:
    """Points within the limits first, then by objective, then the certified before the others.

    Objectives that agree to ten digits count as equal.
    """
    solutions = tuple(solutions)
    sizes = [abs(s.objective) for s in solutions if np.isfinite(s.objective)]
    grain = 1e-10 * max(sizes, default=0.0) or 1e-300
    return tuple(sorted(solutions, key=lambda s: _place(s, grain)))


def _place(solution: Solution, grain: float) -> tuple[bool, float, bool, float]:
    f = solution.objective if np.isfinite(solution.objective) else np.inf
    within = solution.certificate.violation <= 1e-6
    return (not within, round(f / grain) if f < np.inf else f, not solution.certificate.certified, f)


def cluster(solutions: Iterable[Solution], distance: float) -> tuple[Solution, ...]:
    """Solutions that differ by more than ``distance`` in some variable, best first.

    Parameters
    ----------
    solutions : iterable of Solution
        In any order.
    distance : float
        In the unit of the variables; of solutions nearer than this the best is kept.

    Examples
    --------
    >>> from dataclasses import replace
    >>> from landform.optimize import Polytope, Program, Smooth, certify
    >>> bowl = Smooth(lambda x: np.array([x @ x]), lambda x: 2 * x[None], lambda x, w: 2 * w[0] * np.eye(1))
    >>> line = Program(bowl, Polytope(("a",), [-1.0], [1.0], np.zeros((0, 1)), [], [], ()))
    >>> points = [np.array([v]) for v in (0.0, 0.01, 0.5)]
    >>> found = [Solution(x, float(x @ x), certify(line, x), x) for x in points]
    >>> [float(s.x[0]) for s in cluster(found, 0.1)]
    [0.0, 0.5]
    """
    kept: list[Solution] = []
    for solution in rank(solutions):
        if all(np.abs(solution.x - other.x).max() > distance for other in kept):
            kept.append(solution)
    return tuple(kept)

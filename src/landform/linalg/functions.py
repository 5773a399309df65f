"""The trace of a function of a symmetric matrix from products alone, with an interval and a rule to stop.

Every random vector's share is a Gauss quadrature of its own Lanczos steps, as many as it takes for the quadrature to
settle; how many vectors is decided from a first sample's spread (Stein's two-stage rule), and the interval is made from
that spread, widened by what the quadratures are still uncertain of.

References
----------
Golub and Meurant (2010), *Matrices, Moments and Quadrature*, ch. 6 (quadrature), 7 (stopping); Ubaru, Chen and Saad
(2017), SIAM J. Matrix Anal. Appl. 38; Stein (1945), Ann. Math. Stat. 16.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from jaxtyping import Float
from scipy.stats import t as student

from landform.errors import ShapeError
from landform.linalg.quadrature import tridiagonal
from landform.linalg.trace import Sampled

Product = Callable[[Float[np.ndarray, " n"]], Float[np.ndarray, " n"]]
_FIRST = 16
"""Random vectors of the first stage."""
_SHORTER = 0.75
"""Part of the steps whose quadrature says how far the whole one has settled."""
_SETTLED = 0.1
"""Part of the tolerance that a quadrature may be uncertain of."""


def sampled_trace_of_function(
    product: Product,
    size: int,
    f: Callable[[Float[np.ndarray, " k"]], Float[np.ndarray, " k"]],
    *,
    tolerance: float = 0.02,
    floor: float = 1.0,
    level: float = 0.95,
    most: int | None = None,
    seed: int = 0,
) -> Sampled:
    """The sum of f over all eigenvalues of a symmetric matrix known by its products.

    Parameters
    ----------
    product : callable
        ``product(v)`` is A v for v of shape (n,).
    size : int
        n.
    f : callable
        From eigenvalues to numbers, element by element; smooth where eigenvalues lie.
    tolerance : float
        Half the interval's width, relative to the sum or, if that is larger, to the floor.
    floor : float
        For sums near zero.
    level : float
        Of the interval.
    most : int, optional
        Products allowed; 200,000 unless given. What they do not suffice for is said by ``converged``.
    seed : int
        Of the random vectors.

    Raises
    ------
    ShapeError
        For a tolerance or level out of range.

    Examples
    --------
    >>> found = sampled_trace_of_function(lambda v: 3.0 * v, 50, np.log)
    >>> round(found.value, 6), found.converged
    (54.930614, True)
    """
    if not 0 < level < 1 or tolerance <= 0:
        raise ShapeError(
            "a level between 0 and 1 and a positive tolerance", got=f"{level}, {tolerance}", remedy="0.95, 0.02 serve"
        )
    rng, limit = np.random.default_rng(seed), 200_000 if most is None else most
    steps, spent = min(16, size), 0
    samples: list[float] = []
    doubts: list[float] = []

    def draw() -> None:
        nonlocal steps, spent
        v = rng.standard_normal(size)
        while True:
            diagonal, beside = tridiagonal(product, v, steps)
            spent += len(diagonal)
            exhausted = len(diagonal) < steps or steps >= size
            value, doubt = _settled(diagonal, beside, f, size, exhausted=exhausted)
            if doubt <= _SETTLED * tolerance * max(abs(value), floor) or exhausted or spent >= limit:
                break
            steps = min(2 * steps, size)
        samples.append(value)
        doubts.append(doubt)

    while len(samples) < _FIRST and (spent < limit or len(samples) < 2):
        draw()
    first = len(samples)
    spread = float(np.std(samples, ddof=1))
    wide = float(student.ppf((1 + level) / 2, first - 1))
    goal = (0.95 - _SETTLED) * tolerance * max(abs(float(np.mean(samples))), floor)
    number = max(first, int(np.ceil((wide * spread / goal) ** 2)))
    while len(samples) < number and spent < limit:
        draw()
    value, error = float(np.mean(samples)), spread / np.sqrt(len(samples))
    half = wide * error + float(np.mean(doubts))
    converged = bool(half <= tolerance * max(abs(value), floor))
    return Sampled(value, error, value - half, value + half, spent, converged, False)


def _settled(
    diagonal: np.ndarray,
    beside: np.ndarray,
    f: Callable[[np.ndarray], np.ndarray],
    size: int,
    *,
    exhausted: bool,
) -> tuple[float, float]:
    """One vector's quadrature, and how much the last quarter of its steps still changed it."""
    whole = _quadrature(diagonal, beside, f)
    if exhausted:
        return size * whole, 0.0
    fewer = max(1, int(_SHORTER * len(diagonal)))
    return size * whole, size * abs(whole - _quadrature(diagonal[:fewer], beside[: fewer - 1], f))


def _quadrature(diagonal: np.ndarray, beside: np.ndarray, f: Callable[[np.ndarray], np.ndarray]) -> float:
    k = len(diagonal)
    values, vectors = np.linalg.eigh(np.diag(diagonal) + np.diag(beside[: k - 1], 1) + np.diag(beside[: k - 1], -1))
    return float(vectors[0] ** 2 @ f(values))

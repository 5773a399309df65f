"""Trace and diagonal of a matrix from products alone, with standard errors and a stopping rule that holds.

Hutch++ takes a leading subspace out exactly, so that little is left to chance. How many random vectors the rest needs
is decided from a first sample's spread, and the interval is made from that same spread (Stein's two-stage rule): unlike
"go on until it looks good", this keeps the level that it claims.

References
----------
Hutchinson (1990), Commun. Stat. Simul. Comput. 19; Meyer, Musco, Musco and Woodruff (2021), "Hutch++: optimal
stochastic trace estimation", SOSA; Bekas, Kokiopoulou and Saad (2007), Appl. Numer. Math. 57 (diagonal); Stein (1945),
"A two-sample test for a linear hypothesis whose power is independent of the variance", Ann. Math. Stat. 16.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.stats import t as student

from landform.errors import DerivativeError, ShapeError

Product = Callable[[Float[np.ndarray, " n"]], Float[np.ndarray, " n"]]
_FIRST = 16
"""Random vectors of the first stage."""
_AIM = 0.95
"""Part of the tolerance aimed at: the number it is relative to is itself known only in the end."""


@dataclass(frozen=True, eq=False)
class Sampled:
    """A number, or numbers, from random vectors.

    Parameters
    ----------
    value, standard_error : float or array, shape (n,)
        Zero error where it is exact.
    lower, upper : float or array, shape (n,)
        The interval at the level asked for.
    products : int
        Products with a vector that it took.
    converged : bool
        Whether the interval is as narrow as was asked.
    exact : bool
        Whether nothing was left to chance.
    """

    value: float | Float[np.ndarray, " n"]
    standard_error: float | Float[np.ndarray, " n"]
    lower: float | Float[np.ndarray, " n"]
    upper: float | Float[np.ndarray, " n"]
    products: int
    converged: bool
    exact: bool


def sampled_trace(
    product: Product,
    size: int,
    *,
    tolerance: float = 0.01,
    level: float = 0.95,
    deflate: int = 10,
    most: int | None = None,
    seed: int = 0,
) -> Sampled:
    """The trace of a symmetric matrix known by its products.

    Parameters
    ----------
    product : callable
        ``product(v)`` is A v for v of shape (n,).
    size : int
        n.
    tolerance : float
        Half the interval's width, relative to the trace.
    level : float
        Of the interval.
    deflate : int
        Dimension of the leading subspace taken out, at two products each; 0 is Hutchinson's estimate.
    most : int, optional
        Products allowed; not more than n, at which price the trace is had exactly.
    seed : int
        Of the random vectors.

    Examples
    --------
    >>> d = 1.0 / np.arange(1.0, 2001.0)
    >>> found = sampled_trace(lambda v: d * v, 2000)
    >>> found.converged, bool(found.lower <= d.sum() <= found.upper)
    (True, True)
    """
    return _sampled(_Trace(), product, size, tolerance, level, deflate, most, seed)


def sampled_diagonal(
    product: Product,
    size: int,
    *,
    tolerance: float = 0.1,
    level: float = 0.95,
    deflate: int = 10,
    most: int | None = None,
    seed: int = 0,
) -> Sampled:
    """The diagonal of a symmetric matrix known by its products, with an interval for every entry.

    Parameters
    ----------
    product, size, level, deflate, most, seed
        As for `sampled_trace`.
    tolerance : float
        Length of the vector of half widths, relative to that of the diagonal.

    Examples
    --------
    >>> found = sampled_diagonal(lambda v: np.arange(50.0) * v, 50)
    >>> bool(np.allclose(found.value, np.arange(50.0)))
    True
    """
    return _sampled(_Diagonal(), product, size, tolerance, level, deflate, most, seed)


class _Trace:
    """What one random vector z says of the trace, given A z."""

    def known(self, Q: np.ndarray, AQ: np.ndarray) -> np.ndarray:
        """Of the part along Q."""
        return np.atleast_1d(np.sum(Q * AQ))

    def sample(self, z: np.ndarray, rest: np.ndarray, Q: np.ndarray) -> np.ndarray:
        """Of what is left: z'(I − QQ') A (I − QQ') z."""
        return np.atleast_1d((z - Q @ (Q.T @ z)) @ rest)

    def whole(self, product: Product, size: int) -> np.ndarray:
        """Exactly."""
        return np.atleast_1d(sum(float(_checked(product(e))[i]) for i, e in _units(size)))


class _Diagonal:
    """The same of the diagonal."""

    def known(self, Q: np.ndarray, AQ: np.ndarray) -> np.ndarray:
        """The diagonal of QQ'A + AQQ' − QQ'AQQ'."""
        inner = Q.T @ AQ
        return np.asarray(2 * np.sum(Q * AQ, axis=1) - np.sum((Q @ inner) * Q, axis=1))

    def sample(self, z: np.ndarray, rest: np.ndarray, Q: np.ndarray) -> np.ndarray:
        """z ∘ (I − QQ') A (I − QQ') z."""
        return np.asarray(z * (rest - Q @ (Q.T @ rest)))

    def whole(self, product: Product, size: int) -> np.ndarray:
        """Exactly."""
        return np.array([_checked(product(e))[i] for i, e in _units(size)])


def _units(size: int) -> Iterator[tuple[int, np.ndarray]]:
    for i in range(size):
        e = np.zeros(size)
        e[i] = 1.0
        yield i, e


def _checked(product: np.ndarray) -> np.ndarray:
    if not np.all(np.isfinite(product)):
        raise DerivativeError(
            "finite products", got="NaN or infinity in A v", remedy="move the point to where the function is smooth"
        )
    return np.asarray(product, dtype=np.float64)


def _sampled(
    what: _Trace | _Diagonal,
    product: Product,
    size: int,
    tolerance: float,
    level: float,
    deflate: int,
    most: int | None,
    seed: int,
) -> Sampled:
    if not 0 < level < 1 or tolerance <= 0 or deflate < 0:
        raise ShapeError(
            "a level between 0 and 1, a positive tolerance and no negative dimension",
            got=f"level={level}, tolerance={tolerance}, deflate={deflate}",
            remedy="0.95, 0.01 and 10 serve",
        )
    limit = size if most is None else min(most, size)
    if size <= 2 * deflate + _FIRST and limit == size:
        return _exactly(what, what.whole(product, size), size)
    rng = np.random.default_rng(seed)
    Q, AQ = _leading(product, size, deflate, rng)
    known = what.known(Q, AQ)

    def draw(times: int) -> list[np.ndarray]:
        found = []
        for _ in range(times):
            z = rng.choice([-1.0, 1.0], size)
            found.append(what.sample(z, _checked(product(z - Q @ (Q.T @ z))), Q))
        return found

    samples = draw(_FIRST)
    first = known + np.mean(samples, axis=0)
    spread = np.std(samples, axis=0, ddof=1)
    wide = float(student.ppf((1 + level) / 2, _FIRST - 1))
    goal = _AIM * tolerance * float(np.linalg.norm(first))
    ideal = (wide * float(np.linalg.norm(spread)) / goal) ** 2 if goal > 0 else (np.inf if np.any(spread) else 0.0)
    paid = 2 * deflate
    if limit == size and paid + ideal >= size:
        return _exactly(what, what.whole(product, size), size + paid + _FIRST)
    number = int(max(_FIRST, min(np.ceil(ideal), max(limit - paid, _FIRST))))
    samples += draw(number - _FIRST)
    value = known + np.mean(samples, axis=0)
    error = spread / np.sqrt(number)
    half = wide * error
    converged = bool(np.linalg.norm(half) <= tolerance * np.linalg.norm(value))
    if isinstance(what, _Trace):
        middle, doubt, reach = float(value[0]), float(error[0]), float(half[0])
        return Sampled(middle, doubt, middle - reach, middle + reach, paid + number, converged, False)
    return Sampled(value, error, value - half, value + half, paid + number, converged, False)


def _exactly(what: _Trace | _Diagonal, value: np.ndarray, products: int) -> Sampled:
    if isinstance(what, _Trace):
        one = float(value[0])
        return Sampled(one, 0.0, one, one, products, True, True)
    return Sampled(value, np.zeros_like(value), value, value, products, True, True)


def _leading(product: Product, size: int, rank: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A subspace that holds most of the matrix, and its products."""
    if not rank:
        return np.zeros((size, 0)), np.zeros((size, 0))
    sketch = np.stack([_checked(product(z)) for z in rng.choice([-1.0, 1.0], (rank, size))], axis=1)
    Q = np.linalg.qr(sketch)[0]
    return Q, np.stack([_checked(product(q)) for q in Q.T], axis=1)

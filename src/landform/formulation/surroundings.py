"""What its surroundings say about a measured value: leave-some-out predictions of a smooth function of the inputs.

A linear trend plus a smooth departure from it plus noise, all normal with fixed relative sizes: coarse, but the
prediction of a value from all the others, and of two values from all but these, then follow from one inverse
matrix, and no value takes part in its own prediction.

References
----------
Rasmussen and Williams (2006), *Gaussian Processes for Machine Learning*, equations 5.10 to 5.12.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from statistics import NormalDist

import numpy as np
from jaxtyping import Float, Int

Indices = Int[np.ndarray, " k"]

_TREND = 100.0  # variances relative to the smooth departure
_NOISE = 0.1
_MANY = 1500  # trials, past which the exact inverse takes too long
_CARRIERS = 300
_REACH = 1.5  # over which the departure is smooth, in standard deviations of the inputs


@dataclass(frozen=True, eq=False)
class Surroundings:
    """What some trials' values say about each other.

    Parameters
    ----------
    precision : array, shape (n, n)
        The inverse covariance of the values.
    values : array, shape (n,)
        Measured values, or their decimal logarithms.
    places : array of int, shape (n,)
        The trials they stand in.
    logs : bool
        Whether they are logarithms.
    gone : tuple of int
        Values that are set aside; they predict nothing, and their own residuals are given as zero.
    """

    precision: Float[np.ndarray, "n n"]
    values: Float[np.ndarray, " n"]
    places: Indices
    logs: bool = False
    gone: tuple[int, ...] = ()

    def scale(self, value: float) -> float:
        """A measured value on the scale of these values."""
        return float(np.log10(value)) if self.logs else value

    def without(self, *out: int) -> Surroundings:
        """The surroundings once some values are set aside."""
        return replace(self, gone=(*self.gone, *out))

    @cached_property
    def _reduced(self) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, " n"]]:
        """The precision times the values, and the precision's diagonal, both without what is gone."""
        pull = self.precision @ (self.values - np.median(self.values))
        diagonal = np.diag(self.precision)
        if not self.gone:
            return pull, diagonal
        out = list(self.gone)
        cross = self.precision[:, out]
        weight = np.linalg.solve(self.precision[np.ix_(out, out)], cross.T)
        pull, diagonal = pull - weight.T @ pull[out], diagonal - np.sum(cross * weight.T, axis=1)
        pull[out], diagonal[out] = 0.0, 1.0
        return pull, diagonal

    @property
    def residuals(self) -> Float[np.ndarray, " n"]:
        """Each value minus its prediction from all the others."""
        pull, diagonal = self._reduced
        return pull / diagonal

    @property
    def standardized(self) -> Float[np.ndarray, " n"]:
        """The residuals, each divided by its expected size up to a common scale."""
        pull, diagonal = self._reduced
        return pull / np.sqrt(diagonal)

    def spread(self) -> float:
        """The common scale of the standardized residuals, the worst few set aside."""
        sizes = np.sort(np.abs(np.delete(self.standardized, list(self.gone))))
        kept = sizes[: sizes.size - max(1, sizes.size // 50)]
        return float(np.sqrt(np.mean(kept**2)))

    def size(self, k: int) -> float:
        """How large the residual of one value is expected to be, judged by all the others."""
        return self.without(k).spread() / float(np.sqrt(self._reduced[1][k]))

    def leaving(self, out: Indices) -> tuple[Float[np.ndarray, " k"], Float[np.ndarray, "k k"]]:
        """Residuals of some values from all the others, and their covariance up to the common scale."""
        covariance = np.linalg.inv(self.precision[np.ix_(out, out)])
        return covariance @ self._reduced[0][out], covariance


def precision(X: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "n n"]:
    """The inverse covariance of a smooth function's values at the rows of X, noise included."""
    deviation = X.std(axis=0)
    Z = (X - X.mean(axis=0))[:, deviation > 0] / deviation[deviation > 0]
    if len(Z) > _MANY:
        return _approximate_precision(Z)
    inner = Z @ Z.T
    squares = np.diag(inner)
    distance = np.maximum(squares[:, None] + squares[None, :] - 2 * inner, 0.0)
    covariance = _TREND * (1.0 + inner) + np.exp(-distance / (2 * _REACH**2))
    covariance[np.diag_indices_from(covariance)] += _NOISE
    return np.asarray(np.linalg.inv(covariance))


def _approximate_precision(Z: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "n n"]:
    """The same with the smooth departure carried by a few hundred of the rows (Nyström's approximation)."""
    some = Z[np.random.default_rng(0).choice(len(Z), _CARRIERS, replace=False)]
    values, vectors = np.linalg.eigh(_similarity(some, some))
    kept = values > 1e-8 * values[-1]
    smooth = _similarity(Z, some) @ (vectors[:, kept] / np.sqrt(values[kept]))
    F = np.column_stack([np.full(len(Z), np.sqrt(_TREND)), np.sqrt(_TREND) * Z, smooth])
    inside = np.linalg.solve(_NOISE * np.eye(F.shape[1]) + F.T @ F, F.T)
    found = F @ inside
    found *= -1.0 / _NOISE
    found[np.diag_indices_from(found)] += 1.0 / _NOISE
    return np.asarray(found)


def _similarity(A: Float[np.ndarray, "a d"], B: Float[np.ndarray, "b d"]) -> Float[np.ndarray, "a b"]:
    distance = np.sum(A * A, axis=1)[:, None] + np.sum(B * B, axis=1)[None, :] - 2 * A @ B.T
    return np.exp(-np.maximum(distance, 0.0) / (2 * _REACH**2))


def studentized(X: Float[np.ndarray, "n d"], y: Float[np.ndarray, " n"]) -> tuple[Float[np.ndarray, " n"], int]:
    """Leave-one-out studentized residuals of a linear model, and their degrees of freedom."""
    A = np.column_stack([np.ones(y.size), X - X.mean(axis=0)])
    U, sizes, _ = np.linalg.svd(A / np.maximum(np.abs(A).max(axis=0), 1e-300), full_matrices=False)
    U = U[:, sizes > 1e-10 * sizes[0]]
    degrees = y.size - U.shape[1] - 1
    if degrees < 1:
        return np.zeros(y.size), 0
    leverage = np.minimum(np.sum(U**2, axis=1), 1.0)
    residual = y - U @ (U.T @ y)
    free = np.maximum(1.0 - leverage, 1e-12)
    variance = np.maximum(residual @ residual - residual**2 / free, 0.0) / degrees
    bound = np.maximum(variance * free, 1e-24 * max(float(y @ y), 1e-300))
    return np.where(1.0 - leverage > 1e-9, residual / np.sqrt(bound), 0.0), degrees


def t_quantile(chance: float, degrees: int) -> float:
    """Student's two-sided quantile, by Hill's expansion in 1/degrees; good from 4 degrees on.

    Examples
    --------
    >>> round(t_quantile(0.05, 10), 2)
    2.23
    """
    z = NormalDist().inv_cdf(1 - chance / 2)
    first = (z**3 + z) / 4
    second = (5 * z**5 + 16 * z**3 + 3 * z) / 96
    third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
    return z + first / degrees + second / degrees**2 + third / degrees**3

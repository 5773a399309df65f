"""Slopes along directions, with their standard errors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

CovarianceOfSlopes = Callable[[Float[np.ndarray, "rows d"], Float[np.ndarray, "rows d k"]], Float[np.ndarray, "k k"]]


@dataclass(frozen=True)
class Slope:
    """A derivative along a direction.

    Parameters
    ----------
    value : float
        In units of the output per unit along the direction.
    standard_error : float
        Likewise.
    """

    value: float
    standard_error: float


def slopes_along(
    jacobians: Float[np.ndarray, "rows d"],
    X: Float[np.ndarray, "rows d"],
    V: Float[np.ndarray, "rows d k"],
    covariance: CovarianceOfSlopes | None,
    weights: Float[np.ndarray, "k slopes"] | None = None,
) -> tuple[Slope, ...]:
    """Slopes of one output, each a weighted sum over points of its derivative along a direction there.

    Parameters
    ----------
    jacobians : array, shape (rows, d)
        The output's derivatives at every point.
    X : array, shape (rows, d)
        The points.
    V : array, shape (rows, d, k)
        For every point, k directions as columns, times the weight of that point (1/rows for a mean).
    covariance : callable or None
        ``covariance(X, V)`` of such slopes, shape (k, k); None where the output is known exactly.
    weights : array, shape (k, slopes), optional
        Combinations of the k slopes that are wanted instead.

    Examples
    --------
    >>> V = np.array([[[1.0, 0.0], [-0.5, 1.0]]])
    >>> slopes_along(np.array([[3.0, 2.0]]), np.zeros((1, 2)), V, lambda X, V: np.diag([0.04, 0.09]))
    (Slope(value=2.0, standard_error=0.2), Slope(value=2.0, standard_error=0.3))
    """
    W = np.eye(V.shape[2]) if weights is None else weights
    values = np.einsum("rd,rdk->k", jacobians, V) @ W
    spread = np.zeros((V.shape[2],) * 2) if covariance is None else covariance(X, V)
    errors = np.sqrt(np.maximum(np.einsum("ks,kl,ls->s", W, spread, W, optimize=True), 0.0))
    return tuple(Slope(float(v), float(e)) for v, e in zip(values, errors, strict=True))

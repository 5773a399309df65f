"""Mean and covariance of rows that come in batches, without the loss of digits that sums of squares bring.

References
----------
Chan, Golub and LeVeque (1983), "Algorithms for computing the sample variance", The American Statistician 37.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

_CANCELS = 1e8
"""Where a mean squared is this many times the variance, a sparse batch is centered densely after all."""


@dataclass(frozen=True, eq=False)
class Moments:
    """What rows seen so far say about their mean and covariance.

    Parameters
    ----------
    rows : int
        How many.
    mean : array, shape (d,)
        Of every column.
    scatter : array, shape (d, d)
        Sum over rows of the products of deviations from the mean.

    Examples
    --------
    >>> X = np.array([[1.0, 2.0], [3.0, 5.0], [8.0, 1.0]])
    >>> both = moments_of(X[:1]).merged(moments_of(X[1:]))
    >>> bool(np.allclose(both.covariance, np.cov(X.T)))
    True
    """

    rows: int
    mean: Float[np.ndarray, " d"]
    scatter: Float[np.ndarray, "d d"]

    def merged(self, other: Moments) -> Moments:
        """The moments of the rows of both."""
        rows = self.rows + other.rows
        apart = other.mean - self.mean
        between = np.outer(apart, apart) * (self.rows * other.rows / rows)
        return Moments(rows, self.mean + apart * (other.rows / rows), self.scatter + other.scatter + between)

    @property
    def covariance(self) -> Float[np.ndarray, "d d"]:
        """Sample covariance, divided by rows − 1."""
        return self.scatter / (self.rows - 1)


def moments_of(batch: Any) -> Moments:
    """The moments of one batch, a dense or a sparse matrix of shape (rows, d)."""
    rows = batch.shape[0]
    mean = np.asarray(batch.mean(axis=0)).ravel()
    if not isinstance(batch, np.ndarray):
        scatter = np.asarray((batch.T @ batch).toarray()) - rows * np.outer(mean, mean)
        if np.all(rows * mean**2 <= _CANCELS * np.diag(scatter)):
            return Moments(rows, mean, scatter)
        batch = batch.toarray()
    deviations = batch - mean
    return Moments(rows, mean, deviations.T @ deviations)

"""Active directions from values alone: how mean and spread of the inputs differ between slices of the output.

References
----------
Li and Wang (2007), "On directional regression for dimension reduction", JASA 102; it sees straight and even
dependence, where sliced inverse regression (Li 1991) is blind to the latter.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int


def slices_of(y: Float[np.ndarray, " rows"], count: int) -> Int[np.ndarray, " rows"]:
    """The slice that each row falls into: ``count`` slices of as many rows each, ties in one slice.

    Examples
    --------
    >>> slices_of(np.array([5.0, 1.0, 1.0, 9.0]), 2)
    array([1, 0, 0, 1])
    """
    edges = np.quantile(y, np.linspace(0, 1, count + 1)[1:-1])
    return np.searchsorted(np.unique(edges), y, side="left")


def directional_regression(
    z: Float[np.ndarray, "rows t"], members: Int[np.ndarray, " rows"]
) -> Float[np.ndarray, "t t"]:
    """The matrix whose leading eigenvectors are the directions that the output depends on.

    Parameters
    ----------
    z : array, shape (rows, t)
        Inputs with mean zero, unit variance and no correlations.
    members : array of int, shape (rows,)
        The slice of each row.
    """
    rows, t = z.shape
    spreads, means, inner = np.zeros((t, t)), np.zeros((t, t)), 0.0
    for one in np.unique(members):
        inside = z[members == one]
        part, mean = len(inside) / rows, inside.mean(axis=0)
        second = inside.T @ inside / len(inside)
        spreads += part * (second @ second)
        means += part * np.outer(mean, mean)
        inner += part * float(mean @ mean)
    return 2 * spreads + 2 * means @ means + 2 * inner * means - 2 * np.eye(t)

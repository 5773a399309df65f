"""Orthonormal bases of the directions that linear conditions leave free."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float


def tangent_basis(conditions: Float[np.ndarray, "k n"]) -> Float[np.ndarray, "n t"]:
    """An orthonormal basis of the directions v with ``conditions @ v = 0``.

    Parameters
    ----------
    conditions : array, shape (k, n)
        One condition a row; dependent rows and zero rows count once or not at all.

    Returns
    -------
    array, shape (n, n − rank)

    Examples
    --------
    >>> Z = tangent_basis(np.ones((1, 3)))
    >>> Z.shape, bool(np.allclose(Z.sum(axis=0), 0))
    ((3, 2), True)
    """
    conditions = np.atleast_2d(np.asarray(conditions, dtype=np.float64))
    n = conditions.shape[1]
    if not len(conditions):
        return np.eye(n)
    _, sizes, rows = np.linalg.svd(conditions, full_matrices=True)
    rank = int(np.sum(sizes > n * np.finfo(float).eps * max(1.0, float(sizes[0])))) if len(sizes) else 0
    return rows[rank:].T

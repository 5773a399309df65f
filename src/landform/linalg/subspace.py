"""Orthonormal bases of the directions that linear conditions leave free."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

_DEPENDENT = 1e-11
"""A singular value of the unit rows below this says that one follows from the others."""


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
    if not len(conditions):
        return np.eye(conditions.shape[1])
    size = np.linalg.norm(conditions, axis=1, keepdims=True)
    _, sizes, rows = np.linalg.svd(conditions / np.where(size > 0, size, 1.0))
    return rows[int(np.sum(sizes > _DEPENDENT)) :].T

"""Leading eigenpairs of a symmetric matrix from products with blocks of vectors alone, with residual bounds.

References
----------
Musco and Musco (2015), "Randomized block Krylov methods for stronger and faster approximate singular value
decomposition", NeurIPS 28. Stathopoulos and Saad (1998), "Restarting techniques for the (Jacobi-)Davidson symmetric
eigenvalue methods", ETNA 7 (thick restart). Davis and Kahan (1970), SIAM J. Numer. Anal. 7 (the bound on the angle).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

_SPARE = 10
_BLOCKS = 12
"""Blocks kept before the basis is folded into its best vectors."""


@dataclass(frozen=True, eq=False)
class LeadingPairs:
    """The largest eigenvalues of a matrix and their vectors, and how near they are.

    Parameters
    ----------
    eigenvalues : array, shape (r,)
        Largest first; the asked-for ones, then the spare ones that the iteration carried.
    vectors : array, shape (n, r)
        Orthonormal columns.
    residuals : array, shape (r,)
        ‖A v − θ v‖: an eigenvalue of A lies within this of every θ.
    angle : float
        Largest angle in radians between the span of the asked-for vectors and the true one, bounded from residuals and
        the gap to the next value found.
    products : int
        Products with a block that it took.
    converged : bool
        Whether the angle is within the tolerance.
    """

    eigenvalues: Float[np.ndarray, " r"]
    vectors: Float[np.ndarray, "n r"]
    residuals: Float[np.ndarray, " r"]
    angle: float
    products: int
    converged: bool


def leading_pairs(
    product: Callable[[Float[np.ndarray, "n b"]], Float[np.ndarray, "n b"]],
    size: int,
    *,
    count: int,
    tolerance: float = 1e-6,
    most: int = 40,
    seed: int = 0,
) -> LeadingPairs:
    """The ``count`` largest eigenpairs of a symmetric matrix known by its products.

    Parameters
    ----------
    product : callable
        ``product(V)`` is A V for V of shape (n, b).
    size : int
        n.
    count : int
        How many pairs.
    tolerance : float
        Largest angle allowed between the span found and the true one, in radians.
    most : int
        Products allowed.
    seed : int
        Of the random block it begins with.

    Examples
    --------
    >>> A = np.diag(1.0 / np.arange(1.0, 101.0))
    >>> found = leading_pairs(lambda V: A @ V, 100, count=2)
    >>> found.converged, found.eigenvalues[:2].round(9)
    (True, array([1. , 0.5]))
    """
    block = min(count + _SPARE, size)
    Q, _ = np.linalg.qr(np.random.default_rng(seed).standard_normal((size, block)))
    AQ = product(Q)
    for products in range(1, most + 1):
        found = _ritz(Q, AQ, count, block, products, tolerance)
        whole = Q.shape[1] >= size
        if found.converged or whole or products == most:
            return found
        if Q.shape[1] + block > _BLOCKS * block:
            V = _rotation(Q, AQ)[:, : 2 * block]
            Q, AQ, newest = Q @ V, AQ @ V, AQ @ V
        else:
            newest = AQ[:, -block:]
        fresh = _orthonormal(newest, Q)
        if not fresh.shape[1]:
            return found
        Q, AQ = np.hstack([Q, fresh]), np.hstack([AQ, product(fresh)])
    raise AssertionError("unreachable: the loop returns")


def _rotation(Q: np.ndarray, AQ: np.ndarray) -> np.ndarray:
    T = Q.T @ AQ
    return np.linalg.eigh((T + T.T) / 2)[1][:, ::-1]


def _ritz(Q: np.ndarray, AQ: np.ndarray, count: int, block: int, products: int, tolerance: float) -> LeadingPairs:
    T = Q.T @ AQ
    values, rotation = np.linalg.eigh((T + T.T) / 2)
    values, rotation = values[::-1][:block], rotation[:, ::-1][:, :block]
    vectors = Q @ rotation
    errors = AQ @ rotation - vectors * values
    residuals = np.linalg.norm(errors, axis=0)
    gap = values[count - 1] - values[count] if len(values) > count else values[count - 1]
    worst = float(np.linalg.norm(errors[:, :count], 2))
    if Q.shape[1] >= Q.shape[0]:
        angle = worst / max(values[0], np.finfo(float).tiny)
    else:
        angle = float(np.arcsin(min(1.0, worst / gap))) if gap > 0 else np.pi / 2
    return LeadingPairs(values, vectors, residuals, angle, products, angle <= tolerance)


def _orthonormal(block: np.ndarray, Q: np.ndarray) -> np.ndarray:
    """An orthonormal basis of what a block adds to Q."""
    size = np.linalg.norm(block, axis=0)
    block = block[:, size > 0] / size[size > 0]
    for _ in range(2):
        block = block - Q @ (Q.T @ block)
    left, sizes, _ = np.linalg.svd(block, full_matrices=False)
    left = left[:, sizes > 1e-13][:, : Q.shape[0] - Q.shape[1]]
    left = left - Q @ (Q.T @ left)
    return np.linalg.qr(left)[0]

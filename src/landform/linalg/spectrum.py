"""Eigenvalues of a symmetric matrix along a subspace."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float


@dataclass(frozen=True)
class Spectrum:
    """Eigenpairs, the largest absolute eigenvalue first.

    Parameters
    ----------
    eigenvalues : array, shape (t,)
        Eigenvalues.
    directions : array, shape (n, t)
        Unit vectors in the full space, one a column, the largest entry of each positive.
    """

    eigenvalues: Float[np.ndarray, " t"]
    directions: Float[np.ndarray, "n t"]


def projected_spectrum(matrix: Float[np.ndarray, "n n"], basis: Float[np.ndarray, "n t"]) -> Spectrum:
    """Eigenpairs of ``basis' matrix basis``, with the eigenvectors brought back to the full space.

    Parameters
    ----------
    matrix : array, shape (n, n)
        Symmetric.
    basis : array, shape (n, t)
        Orthonormal columns.

    Examples
    --------
    >>> found = projected_spectrum(np.diag([1.0, -4.0, 2.0]), np.eye(3)[:, 1:])
    >>> found.eigenvalues
    array([-4.,  2.])
    """
    values, vectors = np.linalg.eigh(basis.T @ matrix @ basis)
    order = np.argsort(-np.abs(values), kind="stable")
    directions = basis @ vectors[:, order]
    largest = np.argmax(np.abs(directions), axis=0)
    signs = np.sign(directions[largest, np.arange(directions.shape[1])]) if directions.size else np.ones(0)
    return Spectrum(values[order], directions * signs)

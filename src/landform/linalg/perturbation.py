"""How a span of eigenvectors turns, and what its eigenvalues do, when the matrix changes a little: orders one and two.

Nothing here divides by a difference of eigenvalues inside the span, so ties within it do no harm.

References
----------
Stewart and Sun (1990), *Matrix Perturbation Theory*, ch. V; Sibson (1979), "Studies in the robustness of
multidimensional scaling: perturbational analysis", JRSS B 41 (the second order).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

Stack = Float[np.ndarray, "rows d g"]
Change = Callable[[Stack], Stack]
"""Applies one symmetric matrix for every row of the stack."""


@dataclass(frozen=True, eq=False)
class Eigenpairs:
    """Eigenvalues and orthonormal vectors of a symmetric matrix; what the vectors leave out has eigenvalue zero.

    Parameters
    ----------
    values : array, shape (r,)
        Largest first.
    vectors : array, shape (d, r)
        One a column.
    """

    values: Float[np.ndarray, " r"]
    vectors: Float[np.ndarray, "d r"]

    def outside(self, members: slice, W: Stack) -> Stack:
        """The part of W outside the span of ``members``, every eigendirection k of it divided by λⱼ − λₖ."""
        mine = self.values[members]
        gaps = mine[None, :] - self.values[:, None]
        gaps[members] = np.inf
        parts = np.einsum("dk,ndg->nkg", self.vectors, W, optimize=True)
        found = np.einsum("dk,nkg->ndg", self.vectors, parts / gaps, optimize=True)
        if self.vectors.shape[1] < self.vectors.shape[0]:
            found = found + (W - np.einsum("dk,nkg->ndg", self.vectors, parts, optimize=True)) / mine
        return found


@dataclass(frozen=True, eq=False)
class SpanChange:
    """What small changes of the matrix do to a span of g eigenvectors, one change a row.

    Parameters
    ----------
    turn : array, shape (rows, d, g)
        What is added to the vectors, at right angles to all of them.
    trace : array, shape (rows,)
        Change of the sum of their eigenvalues.
    """

    turn: Stack
    trace: Float[np.ndarray, " rows"]

    @property
    def angle(self) -> Float[np.ndarray, " rows"]:
        """Largest angle between the spans before and after, in radians."""
        return np.arctan(np.linalg.norm(self.turn, ord=2, axis=(1, 2)))


def span_change(
    pairs: Eigenpairs, members: slice, first: Change, *, size: float, rows: int, second: Change | None, order: int
) -> SpanChange:
    """Change of a span of eigenvectors when the matrix A becomes A + size·E + size²·F.

    Parameters
    ----------
    pairs : Eigenpairs
        Of A.
    members : slice
        Which of them make the span.
    first, second : callable
        Apply E and F, one of each a row, to a stack of shape (rows, d, g); ``second=None`` where F = 0.
    size : float
        Small.
    rows : int
        How many changes.
    order : {1, 2}
        Of the expansion.

    Examples
    --------
    >>> pairs = Eigenpairs(np.array([3.0, 1.0]), np.eye(2))
    >>> E = np.array([[0.0, 1.0], [1.0, 0.0]])
    >>> found = span_change(pairs, slice(0, 1), lambda Y: E @ Y, size=0.01, rows=1, second=None, order=2)
    >>> round(float(3 + found.trace[0]), 8), round(float(np.linalg.eigvalsh(np.diag([3, 1]) + 0.01 * E)[1]), 8)
    (3.00005, 3.00005)
    """
    V = np.broadcast_to(pairs.vectors[:, members], (rows, *pairs.vectors[:, members].shape))
    W = first(V)
    inside = np.einsum("ndg,ndh->ngh", V, W)
    turn = pairs.outside(members, W)
    trace = size * np.einsum("ngg->n", inside)
    if order == 1:
        return SpanChange(size * turn, trace)
    bend = first(turn) - np.einsum("ndg,ngh->ndh", turn, inside)
    trace = trace + size**2 * np.einsum("ndg,ndg->n", W, turn)
    if second is not None:
        F = second(V)
        bend = bend + F
        trace = trace + size**2 * np.einsum("ndg,ndg->n", V, F)
    return SpanChange(size * turn + size**2 * pairs.outside(members, bend), trace)

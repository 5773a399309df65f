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

Stack = Float[np.ndarray, "rows r g"]
"""For every row g vectors, in coordinates along the r eigenvectors of the unchanged matrix."""
Change = Callable[[Stack], Stack]
"""Applies one symmetric matrix for every row of the stack."""


@dataclass(frozen=True, eq=False)
class Eigenpairs:
    """Eigenvalues and orthonormal vectors of a symmetric matrix.

    Parameters
    ----------
    values : array, shape (r,)
        Largest first.
    vectors : array, shape (d, r)
        One a column.
    """

    values: Float[np.ndarray, " r"]
    vectors: Float[np.ndarray, "d r"]


@dataclass(frozen=True, eq=False)
class SpanChange:
    """What small changes of the matrix do to a span of g eigenvectors, one change a row.

    Parameters
    ----------
    turn : array, shape (rows, r, g)
        What is added to the vectors, at right angles to all of them.
    trace : array, shape (rows,)
        Change of the sum of their eigenvalues.
    """

    turn: Stack
    trace: Float[np.ndarray, " rows"]

    @property
    def angle(self) -> Float[np.ndarray, " rows"]:
        """Largest angle between the spans before and after, in radians."""
        if self.turn.shape[2] == 1:
            return np.arctan(np.sqrt(np.einsum("rij,rij->r", self.turn, self.turn)))
        return np.arctan(np.linalg.norm(self.turn, ord=2, axis=(1, 2)))


def span_change(
    values: Float[np.ndarray, " r"],
    members: slice,
    first: Change,
    *,
    size: float,
    rows: int,
    second: Change | None,
    order: int,
) -> SpanChange:
    """Change of a span of eigenvectors when the matrix A becomes A + size·E + size²·F.

    Parameters
    ----------
    values : array, shape (r,)
        Eigenvalues of A; everything else is in coordinates along its eigenvectors.
    members : slice
        Which of them make the span.
    first, second : callable
        Apply E and F, one of each a row, to a stack of shape (rows, r, g); ``second=None`` where F = 0.
    size : float
        Small.
    rows : int
        How many changes.
    order : {1, 2}
        Of the expansion.

    Examples
    --------
    >>> E = np.array([[0.0, 1.0], [1.0, 0.0]])
    >>> found = span_change(
    ...     np.array([3.0, 1.0]), slice(0, 1), lambda Y: E @ Y, size=0.01, rows=1, second=None, order=2
    ... )
    >>> round(float(3 + found.trace[0]), 8), round(float(np.linalg.eigvalsh(np.diag([3, 1]) + 0.01 * E)[1]), 8)
    (3.00005, 3.00005)
    """
    gaps = values[None, members] - values[:, None]
    gaps[members] = np.inf  # what stays inside the span does not turn it
    V = np.broadcast_to(np.eye(len(values))[:, members], (rows, *gaps.shape))
    W = first(V)
    turn = W / gaps
    trace = size * np.trace(W[:, members], axis1=1, axis2=2)
    if order == 1:
        return SpanChange(size * turn, trace)
    bend = first(turn) - turn @ W[:, members]
    trace = trace + size**2 * np.einsum("nrg,nrg->n", W, turn)
    if second is not None:
        F = second(V)
        bend = bend + F
        trace = trace + size**2 * np.trace(F[:, members], axis1=1, axis2=2)
    return SpanChange(size * turn + size**2 * bend / gaps, trace)

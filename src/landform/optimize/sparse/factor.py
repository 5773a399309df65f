"""Factors of the first-order conditions' matrix: its solutions, and what its pivots prove about curvature.

With ``K = [H − s, N'; N, −d]`` and d > 0, K has as many negative pivots as N has rows exactly if ``H − s + N'N/d`` is
positive definite. Then ``v'Hv > s v'v`` for every v that N does not see: a proof, whatever d is, to within the rounding
of the factors, which is measured.

References
----------
Nocedal and Wright (2006), *Numerical Optimization*, theorem 16.3 (inertia of the KKT matrix); Li and Demmel (2003), ACM
TOMS 29 (SuperLU); Chabrillac and Crouzeix (1984), Linear Algebra Appl. 63 (definiteness on a subspace).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float
from scipy.sparse import block_array, csc_array, csr_array, eye_array
from scipy.sparse.linalg import splu

Array = np.ndarray
FINE, COARSE = 1e-8, 1e-6
"""d above, small beside unit rows of N and a Hessian of size one: rounding is its inverse times that of floats."""

_ROUNDING = 0.1
"""The most that the factors may be off, in parts of the shift, where their pivots are to prove something."""

_DEPENDENT = 0.1
"""Rows of N that this part of 1/d multiplies count as dependent."""


@dataclass(frozen=True, eq=False)
class Factor:
    """Factors of K for one Hessian and one set of unit normals."""

    matrix: csc_array
    n: int
    shift: float
    slack: float
    lu: Any

    def definite(self) -> bool:
        """Whether the pivots say that the Hessian, less the shift, is positive where the normals see nothing."""
        if not np.array_equal(self.lu.perm_r, self.lu.perm_c):
            return False  # pivots off the diagonal have no sign to count
        return int((self.lu.U.diagonal() > 0).sum()) == self.n

    def positive(self) -> bool:
        """Whether they prove it: rounding of the factors is far below the shift."""
        return self.definite() and self._off() < _ROUNDING * abs(self.shift)

    def _off(self) -> float:
        """Backward error of the solution with a random right-hand side."""
        right = np.random.default_rng(0).standard_normal(self.matrix.shape[0])
        found = self.lu.solve(right)
        size = abs(self.matrix) @ np.abs(found) + np.abs(right)
        return float((np.abs(self.matrix @ found - right) / size).max())

    def solve(
        self, top: Float[Array, " n"], bottom: Float[Array, " k"], guess: Float[Array, " k"]
    ) -> tuple[Float[Array, " n"], Float[Array, " k"]]:
        """Solve with d = 0: the part that d adds is taken off again, from the multipliers of the round before."""
        low = guess
        for _ in range(3):
            found = self.lu.solve(np.concatenate([top, bottom - self.slack * low]))
            low = found[self.n :]
        return found[: self.n], low

    def lowest(self, count: int, steps: int = 4) -> Float[Array, "n count"]:
        """About the directions of least curvature (less the shift) where the normals see nothing: inverse iteration."""
        ways = np.random.default_rng(0).standard_normal((self.n, count))
        zeros = np.zeros((self.matrix.shape[0] - self.n, count))
        for _ in range(steps):
            ways = np.linalg.qr(self.lu.solve(np.concatenate([ways, zeros]))[: self.n])[0]
        upper = ways.T @ (self.matrix[: self.n, : self.n] @ ways)
        return np.asarray(ways @ np.linalg.eigh((upper + upper.T) / 2)[1])

    def independent(self) -> bool:
        """Whether no row of N follows from the others: what does is multiplied by 1/d in solutions."""
        if self.matrix.shape[0] == self.n:
            return True
        way = np.random.default_rng(0).standard_normal(self.matrix.shape[0] - self.n)
        for _ in range(3):
            way = self.lu.solve(np.concatenate([np.zeros(self.n), way / np.linalg.norm(way)]))[self.n :]
        return bool(np.linalg.norm(way) < _DEPENDENT / self.slack)


def factored(hessian: csr_array, normals: csr_array, shift: float, slack: float = FINE) -> Factor | None:
    """Factor K with d = ``slack``, in an order that keeps it sparse; None where a pivot vanishes.

    Examples
    --------
    >>> saddle, along = csr_array(np.diag([1.0, -1.0])), csr_array(np.array([[0.0, 1.0]]))
    >>> factored(saddle, along, 0.5).positive(), factored(saddle, along[:0], 0.5).positive()
    (True, False)
    """
    n, k = hessian.shape[0], normals.shape[0]
    corner = hessian - shift * eye_array(n) if shift else hessian
    blocks = [[corner, normals.T], [normals, -slack * eye_array(k)]] if k else [[corner]]
    matrix = csc_array(block_array(blocks, format="csc"))
    try:
        lu = splu(matrix, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options={"SymmetricMode": True})
    except RuntimeError:  # exactly singular
        return None
    return Factor(matrix, n, shift, slack, lu)

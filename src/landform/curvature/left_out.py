"""Where the minimum of a loss goes when a row of its data is left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.linalg import LinAlgError, cho_factor, cho_solve, eigvalsh
from scipy.sparse.linalg import LinearOperator, cg

from landform.curvature.at_point import Batch, LossAt, Vector
from landform.derivatives.plan import readable_bytes
from landform.errors import DerivativeError, ShapeError

_MOST = 40
"""Gradients of one refit."""
_SOME = 20
"""Rows, about, whose first steps say how far a typical one goes."""
_TINY = float(np.finfo(float).tiny)
_SHORTENED = 12
"""Halvings of one step."""


@dataclass(frozen=True, eq=False)
class Refit:
    """Where the minimum lies without a row.

    Parameters
    ----------
    step : array, shape (n,)
        From the parameters to the last point whose gradient was taken.
    rest : array, shape (n,)
        What is left to go from there, as far as is known: the next step, not taken.
    first : float
        Length of the first step, in the norm of the Hessian.
    reach : float
        How far the minimum may be from the end of both, in the same norm: the length of ``rest``, times its ratio to
        the step before it.
    settled : bool
        Whether ``rest`` is as short as was asked.
    gradients : int
        Taken, each over all data.
    """

    step: Vector
    rest: Vector
    first: float
    reach: float
    settled: bool
    gradients: int


class LeftOut:
    """A loss whose rows can be left out, one at a time.

    The objective is the loss of the data as they are without the row; where the loss takes means, times the rows.
    Its minimum is sought by BFGS steps (Nocedal and Wright 2006, section 7.2) that start from the inverse Hessian with
    all rows: a row changes it along few directions, so few gradients tell the difference.

    Parameters
    ----------
    at : LossAt
        The loss at its minimum.
    damping : float
        λ in ½ λ |θ − θ₀|², added to the loss: every fit is held to the parameters by it.
    chosen : bool
        Whether the user chose rows: then a Hessian too large for a factor is used by its products.

    Raises
    ------
    DerivativeError
        If the Hessian is not positive definite.
    ShapeError
        If the Hessian does not fit the memory budget and no rows were chosen, or there are no rows.
    """

    def __init__(self, at: LossAt, damping: float, *, chosen: bool) -> None:
        self.at = at
        self._batches = [batch for batch, _ in at.batches()]
        self._sizes = [_row_count(at, batch, number) for number, batch in enumerate(self._batches)]
        self._starts = np.cumsum([0, *self._sizes])
        self.count = int(self._starts[-1])
        if self.count < 2:
            raise ShapeError(
                "two rows of data or more", got="one", remedy="nothing is left without it", where="influence"
            )
        self._scale = self.count if at.mean else 1
        self._damping = damping * self._scale
        need = 3 * 8 * at.n**2
        self._fits = need <= at.memory
        if not self._fits and not chosen:
            raise ShapeError(
                f"a Hessian of {at.n} parameters that fits into {readable_bytes(at.memory)}",
                got=f"{readable_bytes(need)} with its factor",
                remedy="raise memory=, or choose a few rows=: each of them takes some hundred Hessian products then",
                where="influence",
            )

    @cached_property
    def _factor(self) -> tuple[np.ndarray, bool]:
        matrix = self._scale * self.at.dense() + self._damping * np.eye(self.at.n)
        try:
            factor: tuple[np.ndarray, bool] = cho_factor(matrix, lower=True)
        except LinAlgError:
            raise _no_minimum(float(eigvalsh(matrix, subset_by_index=[0, 0])[0]) / self._scale) from None
        return factor

    def solve(self, slope: Vector) -> Vector:
        """The inverse Hessian with all rows, times a vector."""
        if self._fits:
            return np.asarray(cho_solve(self._factor, slope, check_finite=False))
        n = self.at.n
        times = LinearOperator((n, n), self._times)
        found, left = cg(times, slope, rtol=1e-6, maxiter=max(1000, n // 10))
        if left or slope @ found <= 0 < np.linalg.norm(slope):
            raise _no_minimum(None)
        return np.asarray(found)

    def minimum(self, tolerance: float) -> Refit:
        """The minimum with all rows, near the parameters."""
        return self._descend(self._batches, self._sizes, tolerance, 0.0)

    def without(self, row: int, tolerance: float, scale: float) -> Refit:
        """The minimum without a row.

        Parameters
        ----------
        row : int
            Counted over all batches.
        tolerance : float
            The length left to go, in the norm of the Hessian, relative to that of the first step or ``scale``.
        scale : float
            A length from which on rows matter.
        """
        batches, sizes = list(self._batches), list(self._sizes)
        k, place = self._place(row)
        batches[k] = self._taken(k, np.delete(np.arange(sizes[k]), place))
        sizes[k] -= 1
        return self._descend(batches, sizes, tolerance, scale)

    def hangs_on(self, row: int) -> bool:
        """Whether a direction has its curvature from one row alone, so that nothing determines it without the row.

        The part of a row in the curvature along u = H⁻¹ Hᵢ v, for a random v: 1 for a leverage of 1.
        """
        own, t = self.alone(row), self.at.target

        def times(v: Vector) -> Vector:
            with t.precision():
                along = t.vector(v, self.at.n, "parameter")
                found = t.backend.hessian_product(t.flat, t.x, self.at.ones, along, *own)
                return np.asarray(t.backend.to_numpy(found), dtype=np.float64)

        u = np.random.default_rng(row).standard_normal(self.at.n)
        for _ in range(2):
            image = times(u)
            u = self.solve(image)
        whole = float(u @ image)
        return whole > 0 and float(u @ times(u)) >= (1 - max(1e-6, 1e2 * self.at.rounding)) * whole

    def own_loss(self, row: int, step: Vector) -> tuple[float, Vector]:
        """What a row adds to the loss a step away, and its slopes; a summed loss's penalty is not among it."""
        (k, place), x = self._place(row), self.at.x + step
        if self.at.mean or self._sizes[k] == 1:
            return self.at.value_and_gradient(x, self.alone(row))
        other = place - 1 if place else 1
        both, slopes = self.at.value_and_gradient(x, self._taken(k, np.array([other, place])))
        one, slope = self.at.value_and_gradient(x, self._taken(k, np.array([other])))
        return both - one, slopes - slope

    def length(self, slope: Vector) -> float:
        """Of a slope, in the norm of the inverse Hessian: the most it makes of a step of length one."""
        return float(np.sqrt(max(slope @ self.solve(slope), 0.0)))

    def typical(self, rows: Sequence[int]) -> tuple[float, int]:
        """The median length of the first step without a row, over some rows, and how many these are."""
        some = rows[:: max(1, len(rows) // _SOME)]
        return float(np.median([self.without(row, np.inf, 0.0).first for row in some])), len(some)

    def _times(self, v: Vector) -> Vector:
        return self._scale * self.at.product(v) + self._damping * v

    def alone(self, row: int) -> Batch:
        """A row's data, as a batch of one."""
        k, place = self._place(row)
        return self._taken(k, np.array([place]))

    def _place(self, row: int) -> tuple[int, int]:
        """The batch that a row is in, and its place there."""
        k = int(np.searchsorted(self._starts, row, side="right")) - 1
        return k, row - int(self._starts[k])

    def _taken(self, batch: int, places: np.ndarray) -> Batch:
        taken: Batch = self.at.target.backend.map_leaves(
            lambda leaf: leaf[places] if np.ndim(leaf) else leaf, self._batches[batch]
        )
        return taken

    def _descend(self, batches: list[Batch], sizes: list[int], tolerance: float, scale: float) -> Refit:
        start = self.at.x

        def objective(step: Vector) -> tuple[float, Vector]:
            value, slope = self._damping * (step @ step) / 2, self._damping * step
            for batch, size in zip(batches, sizes, strict=True):
                if size or not self.at.mean:  # an empty sum still has its penalty
                    own, slopes = self.at.value_and_gradient(start + step, batch)
                    share = size if self.at.mean else 1
                    value, slope = value + share * own, slope + share * slopes
            return float(value), slope

        memory: list[tuple[Vector, Vector, float]] = []
        step, taken = np.zeros(self.at.n), 1
        value, slope = objective(step)
        move = -self.solve(slope)
        first = float(np.sqrt(max(-slope @ move, 0.0)))
        goal = tolerance * max(first, scale)
        before = first
        while True:
            left = np.sqrt(max(-slope @ move, 0.0))
            reach, before = left * min(1.0, left / max(before, _TINY)), left
            rounding = 64 * self.at.rounding * (abs(value) + self._scale * self.at.rounding)
            if left <= goal or left**2 <= rounding:
                return Refit(step, move, first, reach, True, taken)
            length = 1.0
            for _ in range(_SHORTENED):
                if taken == _MOST:
                    return Refit(step, move, first, reach, False, taken)
                there, after = objective(step + length * move)
                taken += 1
                if there <= value + 1e-4 * length * (slope @ move) + rounding:  # Armijo's condition; not for NaN
                    break
                length /= 2
            else:
                return Refit(step, move, first, reach, False, taken)
            bend = after - slope
            if length * (move @ bend) > 0:
                memory.append((length * move, bend, 1 / (length * float(move @ bend))))
            step, value, slope = step + length * move, there, after
            move = -self._bfgs(slope, memory)

    def _bfgs(self, slope: Vector, memory: list[tuple[Vector, Vector, float]]) -> Vector:
        """The two-loop recursion."""
        q, shares = slope.copy(), []
        for moved, bend, inverse in reversed(memory):
            shares.append(inverse * (moved @ q))
            q -= shares[-1] * bend
        found = self.solve(q)
        for (moved, bend, inverse), share in zip(memory, reversed(shares), strict=True):
            found += (share - inverse * (bend @ found)) * moved
        return found


def _row_count(at: LossAt, batch: Batch, number: int) -> int:
    lengths = [int(np.shape(leaf)[0]) for leaf in at.target.backend.leaves_of(batch) if np.ndim(leaf)]
    if not lengths:
        raise ShapeError(
            "a loss with its data apart, so that rows can be left out",
            got="a loss of parameters alone",
            remedy="pass landscape(loss, params, (X, y)) with loss(params, X, y)",
            where="argument data",
        )
    if len(set(lengths)) != 1:
        raise ShapeError(
            "arrays with a row of data along their first axis",
            got=f"first axes of {', '.join(map(str, lengths))} in batch {number + 1}",
            remedy="hold what is no row (a mask, class weights) in a closure",
            where="argument data",
        )
    return lengths[0]


def _no_minimum(lowest: float | None) -> DerivativeError:
    return DerivativeError(
        "a minimum with curvature along every direction",
        got="a direction without it" if lowest is None else f"a lowest curvature of {lowest:.3g}",
        remedy="train on, add weight decay to the loss, or pass damping= to hold fits to these parameters",
        where="influence",
    )

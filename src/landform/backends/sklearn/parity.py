"""Whether a translation gives what the estimator gives: the smallest difference that can be told from rounding."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from jaxtyping import Float

from landform.backends.sklearn.data import single_precision, values_of
from landform.errors import ModelError

CLOSE = 1e-12
"""Of each output's spread over the rows."""

SINGLE = 1e-5
"""The same for estimators fitted in single precision."""

ROUNDED = "fitted in single precision: the estimator's own values are rounded to about six digits, these are not"

_ULPS = 64
_TIMES = 16
"""So many times its own change under rounding may a translation differ from an estimator: both lose digits, and sums
taken in another order lose others."""

_MOVES, _MOST = 4, 0.9
_LOST = 1e-9


@dataclass(frozen=True, eq=False)
class Parity:
    """An estimator's own values on real rows, and how finely they can be told.

    Parameters
    ----------
    estimator : estimator
        For messages.
    theirs : array, shape (rows, m)
        Its own values.
    tolerance : float
        Largest difference, relative to the spread of each output over the rows; to its size where it has none.
    shares : bool
        Whether the outputs are probabilities, whose rounding is that of 1.
    again : callable
        ``again(sign)`` gives the values for rows whose entries are moved by one unit in the last place, up, down or
        not at all as ``sign`` of shape (rows, n) says.
    inputs : int
        n.
    single : bool
        Whether the estimator works in single precision.
    """

    estimator: Any
    theirs: Float[np.ndarray, "rows m"]
    tolerance: float
    shares: bool
    again: Callable[[np.ndarray], np.ndarray]
    inputs: int
    single: bool

    @property
    def outputs(self) -> int:
        """m."""
        return self.theirs.shape[1]

    def refuse(self, ours: Float[np.ndarray, "rows m"]) -> None:
        """Refuse values that differ by more than the tolerance and what the estimator itself loses to rounding.

        How much that is gets measured where it matters: the rows are moved by one unit in the last place.

        Raises
        ------
        ModelError
        """
        ours = ours.reshape(self.theirs.shape)
        gap = np.abs(ours - self.theirs)
        allowed = self.tolerance * self._scale + _ULPS * np.finfo(float).eps * self._size
        if np.all(gap <= allowed) or np.all(gap <= allowed + _TIMES * self.rounding):
            return
        excess = gap / np.maximum(allowed + _TIMES * self.rounding, np.finfo(float).tiny)
        row, output = np.unravel_index(np.argmax(np.where(np.isnan(excess), np.inf, excess)), gap.shape)
        raise ModelError(
            f"a translation of {type(self.estimator).__name__} equal to it on every row",
            got=f"{float(ours[row, output])} for {float(self.theirs[row, output])} in row {row}, output {output}",
            remedy="report this estimator's settings as an issue; its derivatives would be wrong",
        )

    @property
    def notes(self) -> tuple[str, ...]:
        """What to say where rounding has eaten so many digits that slopes suffer; asked for after `refuse`."""
        said = (ROUNDED,) if self.single else ()
        if "rounding" not in vars(self):
            return said
        lost = float(
            np.max(
                _TIMES * np.quantile(self.rounding, _MOST, axis=0) / np.where(self._scale > 0, self._scale, np.inf),
                initial=0.0,
            )
        )
        if self.single or lost <= _LOST:
            return said
        return (
            *said,
            f"badly conditioned: the estimator's own values are rounding noise below {lost:.0e} of their spread",
        )

    @cached_property
    def _size(self) -> np.ndarray:
        most = np.max(np.abs(self.theirs), axis=0, initial=0.0)
        return np.maximum(most, 1.0) if self.shares else most

    @cached_property
    def _scale(self) -> np.ndarray:
        spread = np.ptp(self.theirs, axis=0)
        return np.where(spread > 0, spread, self._size)

    @cached_property
    def rounding(self) -> Float[np.ndarray, "rows m"]:
        """How far each value moves when the rows are rounded anew; at least as far as nine in ten of its output do."""
        rng = np.random.default_rng(0)
        shape = (len(self.theirs), self.inputs)
        try:
            moves = [np.abs(self.again(rng.integers(-1, 2, shape)) - self.theirs) for _ in range(_MOVES)]
        except ModelError:  # the estimator answers for the rows as they are and for no others: nothing is allowed
            return np.zeros_like(self.theirs)
        moved = np.max(moves, axis=0)
        return np.asarray(np.maximum(moved, np.quantile(moved, _MOST, axis=0)))


def parity(
    estimator: Any, method: str, table: Any, tolerance: float = CLOSE, *, fixed: frozenset[int] = frozenset()
) -> Parity:
    """Parity on a table of the estimator's own kind; columns whose places are ``fixed`` are no numbers to be moved."""
    single = single_precision(estimator)
    unit = float(np.finfo(np.float32 if single else np.float64).eps)

    def again(sign: np.ndarray) -> np.ndarray:
        moved = table.copy()
        for place in set(range(sign.shape[1])) - fixed:
            factor = 1.0 + unit * sign[:, place]
            if hasattr(moved, "columns"):
                moved[moved.columns[place]] = np.asarray(moved.iloc[:, place], dtype=np.float64) * factor
            else:
                moved[:, place] = moved[:, place].astype(np.float64) * factor
        return values_of(estimator, method, moved)

    theirs = values_of(estimator, method, table)
    _refuse_not_finite(estimator, method, theirs)
    tolerance = max(tolerance, SINGLE) if single else tolerance
    return Parity(estimator, theirs, tolerance, method == "predict_proba", again, table.shape[1], single)


def _refuse_not_finite(estimator: Any, method: str, theirs: Float[np.ndarray, "rows m"]) -> None:
    bad = np.argwhere(~np.isfinite(theirs))
    if len(bad):
        row, output = bad[0]
        rows = len(np.unique(bad[:, 0]))
        more = f" and {rows - 1} more rows" if rows > 1 else ""
        raise ModelError(
            f"finite values of {type(estimator).__name__}.{method} at every row",
            got=f"{theirs[row, output]} in row {row}, output {output}{more}",
            remedy="leave these rows out: the estimator itself has no answer there",
            where="argument X",
        )

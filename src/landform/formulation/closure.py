"""Closing sums: rows whose printed amounts miss the total by no more than rounding explains.

Amounts printed to two decimals may each be off by half a hundredth; thirds come out as 0.33 + 0.33 + 0.33. Such
a row is closed, and it is said how. A row that misses by more holds a fault and is refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float, Int

from landform.errors import TableError

Row = Float[np.ndarray, " q"]
Change = tuple[str, float, float]

EXACT = 1e-6  # of the total: float noise, not rounding
_NOISE = 1e-12  # of the total: already as exact as floats are
_SLACK = 1e-9


@dataclass(frozen=True)
class Closure:
    """What was done to one row so that it adds to the total.

    Parameters
    ----------
    row : int
        The row's number in the file.
    label : str
        The trial's label.
    sum : float
        What the printed amounts add to.
    changes : tuple of (ingredient, from, to)
        Empty where the row was used as written.
    words : str
        The same in one sentence.
    """

    row: int
    label: str
    sum: float
    changes: tuple[Change, ...]
    words: str


@dataclass(frozen=True, eq=False)
class Printed:
    """The ingredients' amounts as printed, and by how much each may be off."""

    amounts: Float[np.ndarray, "n q"]
    half: Float[np.ndarray, " q"]
    names: tuple[str, ...]
    rows: Int[np.ndarray, " n"]
    labels: tuple[str, ...]
    source: str

    def only(self, rows: Int[np.ndarray, " k"]) -> Printed:
        """Some of the rows."""
        labels = tuple(self.labels[i] for i in rows)
        return Printed(self.amounts[rows], self.half, self.names, self.rows[rows], labels, self.source)


def half_units(decimals: Sequence[int]) -> Float[np.ndarray, " q"]:
    """By how much an amount printed with so many decimals may be off.

    Examples
    --------
    >>> half_units([2, 0]).tolist()
    [0.005, 0.5]
    """
    return 0.5 * 10.0 ** -np.asarray(decimals, dtype=float)


def close(
    printed: Printed, total: float, *, how: Literal["share", "none"] = "share"
) -> tuple[Float[np.ndarray, "n q"], tuple[Closure, ...]]:
    """Make every row add to the total.

    Parameters
    ----------
    printed : Printed
        The amounts as they stand in the table.
    total : float
        What every row should add to.
    how : {"share", "none"}
        "share" gives what is missing first to the amounts that no exact row uses (those were rounded), in
        equal parts, as far as rounding allows; else to all that are not zero. "none" uses such rows as written,
        and says so.

    Returns
    -------
    amounts : array, shape (n, q)
    closures : tuple of Closure
        One per row that missed by more than float noise.

    Raises
    ------
    TableError
        Where a row misses the total by more than rounding explains.
    """
    sums = printed.amounts.sum(axis=1)
    allowance = (printed.amounts != 0) @ printed.half
    missing = total - sums
    _refuse(printed, sums, allowance, total)
    exact = np.abs(missing) <= EXACT * total
    if how == "none":
        return printed.amounts, tuple(_as_written(printed, i, sums[i], total) for i in map(int, np.flatnonzero(~exact)))
    amounts = printed.amounts.copy()
    noisy = exact & (np.abs(missing) > _NOISE * total)
    amounts[noisy] *= (total / sums[noisy])[:, None]
    closures = []
    for i in map(int, np.flatnonzero(~exact)):
        amounts[i] = _shared(printed, exact, i, missing[i])
        closures.append(_closed(printed, i, amounts[i], float(sums[i]), total))
    return amounts, tuple(closures)


def off_by_more(
    sums: Float[np.ndarray, " n"], allowance: Float[np.ndarray, " n"], total: float
) -> Bool[np.ndarray, " n"]:
    """Which rows miss the total by more than rounding explains."""
    return np.asarray(np.abs(total - sums) > np.maximum(allowance + _SLACK * total, EXACT * total))


def _shared(printed: Printed, exact: Bool[np.ndarray, " n"], i: int, missing: float) -> Row:
    """Row i with what is missing shared among the amounts that were rounded."""
    row = printed.amounts[i]
    rounded = (row != 0) & ~(printed.amounts[exact] == row).any(axis=0)
    if rounded.any():
        share = missing / rounded.sum()
        if np.all(abs(share) <= printed.half[rounded] * (1 + _SLACK)):
            return _exactly(np.where(rounded, row + share, row), row, missing)
    weights = np.where(row != 0, printed.half, 0.0)
    return _exactly(row + missing * weights / weights.sum(), row, missing)


def _exactly(shared: Row, row: Row, missing: float) -> Row:
    """Put the last bit of float noise on the largest amount."""
    largest = int(np.argmax(shared))
    shared[largest] += (row.sum() + missing) - shared.sum()
    return shared


def _closed(printed: Printed, i: int, after: Row, added: float, total: float) -> Closure:
    before = printed.amounts[i]
    changes = tuple(
        (name, float(old), float(new))
        for name, old, new, half in zip(printed.names, before, after, printed.half, strict=True)
        if abs(new - old) > _SLACK * half
    )
    moved = ", ".join(f"{name} {old:g} → {new:.6g}" for name, old, new in changes)
    words = f"The amounts add to {added:.6g} instead of {total:g}, which rounding explains; closed by {moved}."
    return Closure(int(printed.rows[i]), printed.labels[i], added, changes, words)


def _as_written(printed: Printed, i: int, added: float, total: float) -> Closure:
    words = f"The amounts add to {added:.6g} instead of {total:g}, which rounding explains; used as written."
    return Closure(int(printed.rows[i]), printed.labels[i], float(added), (), words)


def _refuse(printed: Printed, sums: Float[np.ndarray, " n"], allowance: Float[np.ndarray, " n"], total: float) -> None:
    wrong = np.flatnonzero(off_by_more(sums, allowance, total))
    if not wrong.size:
        return
    i = int(wrong[0])
    others = wrong.size - 1
    also = f" (so {'does' if others == 1 else 'do'} {others} more row{'s' if others > 1 else ''})" if others else ""
    raise TableError(
        f"ingredients that add to {total:g} within {allowance[i]:.3g}, the most that rounding explains",
        got=f"a sum of {sums[i]:.6g}{also}",
        remedy=_remedy(printed, sums, i, total),
        where=f"{printed.source}, row {printed.rows[i]}",
    )


def _remedy(printed: Printed, sums: Float[np.ndarray, " n"], i: int, total: float) -> str:
    if sums.size > 2 and np.ptp(sums) <= 1e-3 * abs(sums[0]):
        return f"set `total` to what all rows add to, {np.median(sums):g}, or correct the amounts"
    slip = _slip(printed, i, total)
    if slip:
        return f"correct the row; {slip} would close it"
    if np.all(sums < total):
        return "correct the amount that is wrong, or name the ingredient that is not in the table with `balance`"
    return "correct the amount that is wrong, or `total`"


def _slip(printed: Printed, i: int, total: float) -> str:
    """A single decimal point whose move would close the row."""
    row, allowance = printed.amounts[i], float(printed.half[printed.amounts[i] != 0].sum())
    for j in np.flatnonzero(row):
        for factor in (0.1, 10.0, 0.01, 100.0):
            if abs(row.sum() - row[j] + row[j] * factor - total) <= allowance * (1 + _SLACK) + EXACT * total:
                return f"{printed.names[j]} {row[j] * factor:g} in place of {row[j]:g}"
    return ""

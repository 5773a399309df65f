"""Table health: which cells look wrong, and why. It changes nothing, and rather says too little than too much."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from landform.formulation.exchanges import adjacent_rows, input_pairs, within_rows
from landform.formulation.repeats import copied, disagreeing
from landform.formulation.slips import input_slips, property_slips
from landform.formulation.surroundings import Surroundings, precision, studentized, t_quantile
from landform.formulation.suspicion import Records, Suspicion

__all__ = ["Suspicion", "inspect"]

_FAR = 5.0  # standardized residual from the surroundings
_FAR_TREND = 4.0  # studentized residual from the linear trend, at the least
_CHANCE = 0.01  # of naming one sound value in a column
_DECADE = 10.0  # a property that spans this is judged by its logarithm
_FEWEST = 8


def inspect(
    X: Float[np.ndarray, "n d"],
    Y: Float[np.ndarray, "n p"],
    *,
    inputs: tuple[str, ...],
    properties: tuple[str, ...],
    rows: Int[np.ndarray, " n"],
    labels: tuple[str, ...],
    groups: Int[np.ndarray, " n"],
) -> tuple[Suspicion, ...]:
    """Name the cells that look wrong; change nothing.

    Parameters
    ----------
    X : array, shape (n, d)
        Amounts and settings.
    Y : array, shape (n, p)
        Measured values, NaN where missing.
    inputs, properties : tuple of str
        The columns' names.
    rows, labels : array of int, tuple of str
        The trials' rows in the file and their labels.
    groups : array of int, shape (n,)
        Replicates share a number.

    Returns
    -------
    tuple of Suspicion
        By row; a cell is named once, for the most telling reason.
    """
    records = Records(X, Y, inputs, properties, rows, labels, groups)
    named: dict[tuple[int, str], Suspicion] = {}
    for suspicion in _suspicions(records):
        named.setdefault((suspicion.row, suspicion.column), suspicion)
    return tuple(sorted(named.values(), key=lambda s: s.row))


def _suspicions(records: Records) -> Iterator[Suspicion]:
    """All suspicions, the most telling kinds first."""
    yield from input_slips(records)
    yield from input_pairs(records)
    precisions: dict[bytes, Float[np.ndarray, "k k"]] = {}
    columns = [_column(records, j, precisions) for j in range(len(records.properties))]
    columns = [column for column in columns if column.plain.values.size >= _FEWEST]
    natural = {column.j: column.natural for column in columns}
    yield from within_rows(records, natural)
    for column in columns:
        yield from adjacent_rows(records, column.j, column.natural)
    for column in columns:
        if column.logs is not None:
            yield from property_slips(records, column.j, column.logs)
        yield from disagreeing(records, column.j)
        yield from _far(records, column)
    yield from copied(records)


@dataclass(frozen=True, eq=False)
class _Column:
    """A property's values, and their logarithms where these serve."""

    j: int
    plain: Surroundings
    logs: Surroundings | None

    @property
    def all_positive(self) -> bool:
        return self.logs is not None and self.logs.values.size == self.plain.values.size

    @property
    def natural(self) -> Surroundings:
        """The scale on which the values are of one size."""
        wide = self.all_positive and np.max(self.plain.values) > _DECADE * np.min(self.plain.values)
        return self.logs if wide and self.logs is not None else self.plain

    @property
    def scales(self) -> list[Surroundings]:
        return [self.plain, self.logs] if self.all_positive and self.logs is not None else [self.plain]


def _column(records: Records, j: int, precisions: dict[bytes, Float[np.ndarray, "k k"]]) -> _Column:
    y = records.Y[:, j]
    measured, positive = np.isfinite(y), np.isfinite(y) & (y > 0)
    plain = _around(records, y, measured, precisions)
    amounts = bool(np.all(y[measured] >= 0)) and 2 * positive.sum() > measured.sum()
    logs = np.log10(np.where(positive, y, 1.0))
    return _Column(j, plain, _around(records, logs, positive, precisions, logs=True) if amounts else None)


def _around(
    records: Records,
    values: Float[np.ndarray, " n"],
    kept: Bool[np.ndarray, " n"],
    precisions: dict[bytes, Float[np.ndarray, "k k"]],
    *,
    logs: bool = False,
) -> Surroundings:
    """The surroundings of some trials' values; those of the same trials share their matrix."""
    key = kept.tobytes()
    if key not in precisions:
        precisions[key] = precision(records.X[kept]) if kept.any() else np.zeros((0, 0))
    return Surroundings(precisions[key], values[kept], np.flatnonzero(kept), logs)


def _far(records: Records, column: _Column) -> Iterator[Suspicion]:
    """Values off both the linear trend and their surroundings, on every scale that serves."""
    plain = column.plain
    off = np.all([_off(records.X[plain.places], around) for around in column.scales], axis=0)
    for k in map(int, np.flatnonzero(off)):
        value, expected = plain.values[k], plain.values[k] - plain.residuals[k]
        words = f"{value:.6g} lies far from what the other trials suggest, about {expected:.3g}."
        name = records.properties[column.j]
        yield records.suspect(int(plain.places[k]), name, value, "far from its surroundings", words)


def _off(X: Float[np.ndarray, "n d"], around: Surroundings) -> Bool[np.ndarray, " n"]:
    """Which values are off."""
    t, degrees = studentized(X, around.values)
    if degrees < _FEWEST // 2:
        return np.zeros(t.size, dtype=bool)
    off = np.abs(t) > max(_FAR_TREND, t_quantile(_CHANCE / t.size, degrees))
    for k in np.flatnonzero(off):
        off[k] = abs(around.residuals[k]) > _FAR * around.size(int(k))
    return np.asarray(off)

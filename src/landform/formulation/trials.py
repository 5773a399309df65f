"""Trials: a table, checked against its problem, as arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float, Int

from landform.errors import TableError
from landform.formulation.cells import Cell
from landform.formulation.closure import Closure
from landform.formulation.columns import (
    find_columns,
    input_values,
    property_values,
    refuse_constant_factors,
    refuse_properties,
)
from landform.formulation.health import Suspicion, inspect
from landform.formulation.mixture import Mixture, mix
from landform.formulation.problem import Problem
from landform.formulation.table import RawTable

__all__ = ["Input", "LeftOut", "Trials", "make_trials"]

_SAME = 1e-9  # of an input's scale: two settings that count as one


@dataclass(frozen=True)
class Input:
    """One ingredient or process factor.

    Parameters
    ----------
    name : str
        Its column, without the unit.
    kind : {"ingredient", "factor"}
        Ingredients add to the total.
    unit : str
        Empty where none is given.
    lower, upper : float
        The bounds of the problem, or the smallest and largest amount tried.
    observed : tuple of float
        The smallest and largest amount tried.
    cost : float or None
        Per unit.
    balance : bool
        Whether it is the ingredient that makes up the rest.
    step : float or None
        A factor's change that slopes are quoted for; None leaves the choice to the study.
    """

    name: str
    kind: Literal["ingredient", "factor"]
    unit: str
    lower: float
    upper: float
    observed: tuple[float, float]
    cost: float | None = None
    balance: bool = False
    step: float | None = None


@dataclass(frozen=True)
class LeftOut:
    """A row that serves no property."""

    row: int
    words: str


@dataclass(frozen=True, eq=False)
class Trials:
    """What was tried and what was measured.

    Parameters
    ----------
    source, sheet : str, str or None
        The file, and the sheet of a workbook.
    rows : array of int, shape (n,)
        The trials' rows in the file; the header is row 1.
    labels : tuple of str
        The trials' ids, or "row 7" where the table has none.
    inputs : tuple of Input
        Ingredients first, the balance last among them, then factors.
    X : array, shape (n, d)
        Amounts and settings in the user's units; ingredients add to ``total``.
    properties : tuple of str
        In the problem's order.
    Y : array, shape (n, p)
        Measured values, NaN where missing.
    units : dict
        Unit of every input and property, "" where none is given.
    groups : array of int, shape (n,)
        Replicates share a number.
    blocks : tuple or None
        The block of each trial.
    closures, left_out, suspicions : tuple
        What was closed, what was left out, and which cells look wrong.
    total : float or None
        What the ingredients add to; None where there is no mixture.
    unused : tuple of str
        Columns of the table that the problem does not mention.
    """

    source: str
    sheet: str | None
    rows: Int[np.ndarray, " n"]
    labels: tuple[str, ...]
    inputs: tuple[Input, ...]
    X: Float[np.ndarray, "n d"]
    properties: tuple[str, ...]
    Y: Float[np.ndarray, "n p"]
    units: dict[str, str]
    groups: Int[np.ndarray, " n"]
    blocks: tuple[str | None, ...] | None
    closures: tuple[Closure, ...]
    left_out: tuple[LeftOut, ...]
    suspicions: tuple[Suspicion, ...]
    total: float | None
    unused: tuple[str, ...] = ()

    @property
    def input_ranges(self) -> Float[np.ndarray, " d"]:
        """Largest minus smallest amount tried, for every input."""
        return np.array([i.observed[1] - i.observed[0] for i in self.inputs])

    @property
    def property_ranges(self) -> dict[str, float]:
        """Largest minus smallest value measured, for every property."""
        return {name: float(np.nanmax(y) - np.nanmin(y)) for name, y in zip(self.properties, self.Y.T, strict=True)}


def make_trials(table: RawTable, problem: Problem) -> Trials:
    """Check a table against its problem and make arrays of it.

    Parameters
    ----------
    table : RawTable
        As read.
    problem : Problem
        Which column is what.

    Returns
    -------
    Trials
        Sums closed, rows without any measurement left out; both are listed. Suspicious cells are listed, not
        changed.

    Raises
    ------
    TableError
        Where cells, sums or measurements do not hold; names row and column.
    ProblemError
        Where the problem names a column that is not there.
    """
    places = find_columns(table, problem)
    Y = property_values(table, tuple(problem.properties))
    used = np.flatnonzero(np.isfinite(Y).any(axis=1))
    refuse_properties(table, problem, Y)
    left_out = _left_out(table, Y)
    table, Y = _only(table, used), Y[used]
    labels = _labels(table, problem.trials.id)
    mixture = mix(table, problem, labels)
    settings = input_values(table, tuple(problem.factors))
    refuse_constant_factors(table, problem, settings)
    X = np.hstack([mixture.amounts, settings])
    inputs = (*_ingredients(table, problem, mixture), *_factors(table, problem, settings))
    _refuse_few(table, inputs)
    groups = replicate_groups(X, [problem.total or 1.0] * len(mixture.names) + [None] * settings.shape[1])
    _refuse_one_recipe(table, groups)
    rows = np.array(table.rows, dtype=int)
    names = tuple(i.name for i in inputs)
    suspicions = inspect(
        X, Y, inputs=names, properties=tuple(problem.properties), rows=rows, labels=labels, groups=groups
    )
    return Trials(
        source=table.source,
        sheet=table.sheet,
        rows=rows,
        labels=labels,
        inputs=inputs,
        X=X,
        properties=tuple(problem.properties),
        Y=Y,
        units=_units(table, problem, inputs),
        groups=groups,
        blocks=_blocks(table, problem.trials.block),
        closures=mixture.closures,
        left_out=left_out,
        suspicions=suspicions,
        total=problem.total,
        unused=tuple(name for name in table.names if name not in places),
    )


def replicate_groups(X: Float[np.ndarray, "n d"], scales: list[float | None]) -> Int[np.ndarray, " n"]:
    """Number the distinct rows in order of appearance; rows equal to within float noise share a number.

    Examples
    --------
    >>> replicate_groups(np.array([[0.5, 0.5], [1.0, 0.0], [0.5, 0.5]]), [1.0, 1.0]).tolist()
    [0, 1, 0]
    """
    levels = np.column_stack([_levels(x, scale) for x, scale in zip(X.T, scales, strict=True)])
    _, first, group = np.unique(levels, axis=0, return_index=True, return_inverse=True)
    rank = np.empty(first.size, dtype=int)
    rank[np.argsort(first)] = np.arange(first.size)
    return np.asarray(rank[group.reshape(-1)])


def _levels(x: Float[np.ndarray, " n"], scale: float | None) -> Int[np.ndarray, " n"]:
    order = np.argsort(x, kind="stable")
    gap = _SAME * (scale if scale is not None else float(np.max(np.abs(x))))
    levels = np.empty(x.size, dtype=int)
    levels[order] = np.concatenate([[0], np.cumsum(np.diff(x[order]) > gap)])
    return levels


def _only(table: RawTable, used: Int[np.ndarray, " n"]) -> RawTable:
    cells = tuple(table.cells[i] for i in used)
    return RawTable(table.source, table.sheet, table.columns, cells, tuple(table.rows[i] for i in used))


def _left_out(table: RawTable, Y: Float[np.ndarray, "n p"]) -> tuple[LeftOut, ...]:
    empty = np.flatnonzero(~np.isfinite(Y).any(axis=1))
    return tuple(LeftOut(table.rows[i], f"Row {table.rows[i]} has no measured property.") for i in empty)


def _labels(table: RawTable, column: str | None) -> tuple[str, ...]:
    ids: tuple[Cell, ...] = table.column(column) if column is not None else (None,) * len(table.rows)
    return tuple(f"row {row}" if cell is None else _text(cell) for row, cell in zip(table.rows, ids, strict=True))


def _blocks(table: RawTable, column: str | None) -> tuple[str | None, ...] | None:
    if column is None:
        return None
    return tuple(None if cell is None else _text(cell) for cell in table.column(column))


def _text(cell: str | float) -> str:
    return cell if isinstance(cell, str) else f"{cell:.12g}"


def _ingredients(table: RawTable, problem: Problem, mixture: Mixture) -> list[Input]:
    found = []
    for name, amounts in zip(mixture.names, mixture.amounts.T, strict=True):
        part = problem.ingredients.get(name)
        seen = (float(amounts.min()), float(amounts.max()))
        lower = seen[0] if part is None or part.lower is None else part.lower
        upper = seen[1] if part is None or part.upper is None else part.upper
        found.append(
            Input(
                name,
                "ingredient",
                _unit(table, name, part.unit if part else None),
                lower,
                max(lower, upper) if part is None or part.upper is None else upper,
                seen,
                part.cost if part else None,
                balance=name == problem.balance,
            )
        )
    return found


def _factors(table: RawTable, problem: Problem, settings: Float[np.ndarray, "n k"]) -> list[Input]:
    found = []
    for (name, part), values in zip(problem.factors.items(), settings.T, strict=True):
        seen = (float(values.min()), float(values.max()))
        lower = seen[0] if part.lower is None else part.lower
        upper = seen[1] if part.upper is None else part.upper
        found.append(
            Input(name, "factor", _unit(table, name, part.unit), lower, upper, seen, part.cost, step=part.step)
        )
    return found


def _unit(table: RawTable, name: str, stated: str | None) -> str:
    if stated is not None:
        return stated
    return table.unit(name) if name in table.names else ""


def _units(table: RawTable, problem: Problem, inputs: tuple[Input, ...]) -> dict[str, str]:
    units = {item.name: item.unit for item in inputs}
    return units | {name: _unit(table, name, wanted.unit) for name, wanted in problem.properties.items()}


def _refuse_one_recipe(table: RawTable, groups: Int[np.ndarray, " n"]) -> None:
    recipes = len(np.unique(groups))
    if recipes < 3:
        raise TableError(
            "at least 3 different recipes",
            got=f"{recipes}",
            remedy="vary the inputs: repeats of one recipe do not show what moves a property",
            where=table.source,
        )


def _refuse_few(table: RawTable, inputs: tuple[Input, ...]) -> None:
    if len(table.rows) <= len(inputs):
        raise TableError(
            f"at least {len(inputs) + 1} trials for {len(inputs)} inputs",
            got=f"{len(table.rows)}",
            remedy="make more trials, or hold some inputs constant and leave them out",
            where=table.source,
        )

"""Columns as the problem uses them: found by name, read as numbers, refused where they cannot serve."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np
from jaxtyping import Float

from landform.errors import ProblemError, TableError
from landform.formulation.cells import Cell, number
from landform.formulation.problem import Problem
from landform.formulation.problem_errors import key_path, suggestion
from landform.formulation.table import RawTable


def find_columns(table: RawTable, problem: Problem) -> frozenset[str]:
    """The columns that the problem mentions.

    Raises
    ------
    ProblemError
        Where it names a column that the table lacks, or the balance is a column of the table.
    """
    named = dict(_named(problem))
    for key, name in named.items():
        if name not in table.names:
            raise ProblemError(
                f"a column of {table.source}",
                got=repr(name),
                remedy=suggestion(name, table.names),
                where=f"{problem.source}, key {key}",
            )
    found = frozenset(named.values())
    if problem.balance in table.names and problem.balance not in problem.trials.ignore:
        raise ProblemError(
            f"a balance that is not a column of {table.source}",
            got=repr(problem.balance),
            remedy="leave `balance` out and list it under [ingredients], or add it to trials.ignore",
            where=f"{problem.source}, key balance",
        )
    return found


def _named(problem: Problem) -> Iterator[tuple[str, str]]:
    """Every column name with its key path."""
    yield from ((key_path("ingredients", name), name) for name in problem.listed)
    for section in ("factors", "properties"):
        yield from ((key_path(section, name), name) for name in getattr(problem, section))
    for key in ("id", "block"):
        name = getattr(problem.trials, key)
        if name is not None:
            yield key_path("trials", key), name
    for place, name in enumerate(problem.trials.ignore):
        yield key_path("trials", "ignore", place), name


def input_values(table: RawTable, names: tuple[str, ...]) -> Float[np.ndarray, "n k"]:
    """Ingredients or factors; every cell must hold a finite number.

    Raises
    ------
    TableError
        Naming the row and column of the first cell that does not.
    """
    return _values(table, names, _input_value)


def _values(
    table: RawTable, names: tuple[str, ...], read: Callable[[RawTable, int, str, Cell], float]
) -> Float[np.ndarray, "n k"]:
    values = [
        [read(table, row, name, cell) for row, cell in zip(table.rows, table.column(name), strict=True)]
        for name in names
    ]
    return np.array(values, dtype=float).reshape(len(names), len(table.rows)).T


def _input_value(table: RawTable, row: int, name: str, cell: Cell) -> float:
    value = number(cell)
    if value is None or not math.isfinite(value):
        raise TableError(
            "a number" if value is None else "an amount or setting",
            got="nothing" if cell is None else repr(cell),
            remedy=_remedy(cell, "an input must be known in every trial: fill the cell, or delete the row"),
            where=_cell(table, row, name),
        )
    return value


def property_values(table: RawTable, names: tuple[str, ...]) -> Float[np.ndarray, "n p"]:
    """Properties; a cell holds a finite number or is missing (NaN).

    Raises
    ------
    TableError
        Naming the row and column of the first cell that holds anything else.
    """
    return _values(table, names, _property_value)


def _property_value(table: RawTable, row: int, name: str, cell: Cell) -> float:
    value = number(cell)
    if value is None or math.isinf(value):
        raise TableError(
            "a number, or nothing where it was not measured",
            got=repr(cell),
            remedy=_remedy(cell, "empty the cell, or correct it"),
            where=_cell(table, row, name),
        )
    return value


def _remedy(cell: Cell, otherwise: str) -> str:
    if isinstance(cell, str) and number(cell.replace(",", ".")) is not None:
        return "write it with a decimal point and without thousands separators"
    if isinstance(cell, str) and number(cell.rstrip(" %")) is not None and cell.endswith("%"):
        return "write the number alone, and the unit in the header"
    return otherwise


def _cell(table: RawTable, row: int, name: str) -> str:
    sheet = "" if table.sheet is None else f", sheet {table.sheet!r}"
    return f"{table.source}{sheet}, row {row}, column {name!r}"


def refuse_properties(table: RawTable, problem: Problem, Y: Float[np.ndarray, "n p"]) -> None:
    """Refuse a property that was never measured, never varies, or has no logarithm.

    Raises
    ------
    TableError
        Naming the column, and the row where there is one.
    """
    for (name, wanted), values in zip(problem.properties.items(), Y.T, strict=True):
        where = f"{table.source}, column {name!r}"
        measured = values[np.isfinite(values)]
        if not measured.size:
            raise TableError(
                "a measured property",
                got="an empty column",
                remedy="leave it out of [properties], or add its values",
                where=where,
            )
        if np.ptp(measured) == 0:
            raise TableError(
                "a property that varies",
                got=f"{measured[0]:g} in every trial",
                remedy="leave it out of [properties]; nothing can be learned from it",
                where=where,
            )
        if wanted.transform == "log" and (measured <= 0).any():
            i = int(np.flatnonzero(values <= 0)[0])
            raise TableError(
                "values above 0 for a logarithm",
                got=f"{values[i]:g}",
                remedy='correct the cell, or set transform = "none"',
                where=_cell(table, table.rows[i], name),
            )


def refuse_constant_factors(table: RawTable, problem: Problem, settings: Float[np.ndarray, "n k"]) -> None:
    """Refuse a process factor that never varies.

    Raises
    ------
    TableError
        Naming the column.
    """
    for name, values in zip(problem.factors, settings.T, strict=True):
        if np.ptp(values) == 0:
            raise TableError(
                "a factor tried at two settings or more",
                got=f"{values[0]:g} in every trial",
                remedy="leave it out of [factors] and add it to trials.ignore",
                where=f"{table.source}, column {name!r}",
            )

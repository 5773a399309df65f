"""The ingredients' amounts: read, balanced, closed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float, Int

from landform.errors import TableError
from landform.formulation.cells import decimals
from landform.formulation.closure import Closure, Printed, close, half_units
from landform.formulation.columns import input_values
from landform.formulation.problem import Problem
from landform.formulation.table import RawTable


@dataclass(frozen=True, eq=False)
class Mixture:
    """Ingredients whose amounts add to the total; none where the problem has no mixture."""

    names: tuple[str, ...]
    amounts: Float[np.ndarray, "n q"]
    closures: tuple[Closure, ...]


def mix(table: RawTable, problem: Problem, labels: tuple[str, ...]) -> Mixture:
    """Read the ingredients, add the balance, and close the sums.

    Raises
    ------
    TableError
        Where an amount is missing, negative or no number, or a row's sum is off.
    """
    names = tuple(problem.listed)
    amounts = input_values(table, names)
    _refuse_negative(table, names, amounts)
    if problem.total is None:
        return Mixture(names, amounts, ())
    half = half_units([max(map(decimals, table.column(name))) for name in names])
    printed = Printed(amounts, half, names, np.array(table.rows, dtype=int), labels, table.source)
    if problem.balance is not None:
        return _balanced(printed, problem.balance, problem.total, problem.trials.closure)
    closed, closures = close(printed, problem.total, how=problem.trials.closure)
    return Mixture(names, closed, closures)


def _balanced(printed: Printed, name: str, total: float, how: Literal["share", "none"]) -> Mixture:
    """Add what is left of the total; rows that exceed it are closed, or refused."""
    over = np.flatnonzero(printed.amounts.sum(axis=1) > total)
    amounts = printed.amounts.copy()
    amounts[over], closures = close(printed.only(over), total, how=how)
    rest = np.maximum(total - amounts.sum(axis=1), 0.0)
    rest[rest < 1e-9 * total] = 0.0
    return Mixture((*printed.names, name), np.column_stack([amounts, rest]), closures)


def _refuse_negative(table: RawTable, names: tuple[str, ...], amounts: Float[np.ndarray, "n q"]) -> None:
    wrong: Int[np.ndarray, "k 2"] = np.argwhere(amounts < 0)
    if wrong.size:
        i, j = wrong[0]
        raise TableError(
            "an amount of at least 0",
            got=f"{amounts[i, j]:g}",
            remedy="correct the cell",
            where=f"{table.source}, row {table.rows[i]}, column {names[j]!r}",
        )

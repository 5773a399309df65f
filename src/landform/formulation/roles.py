"""Roles: which column is an ingredient, a factor, a property, and why; a first guess for the user to check."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from landform.errors import TableError
from landform.formulation.cells import is_numeric, number
from landform.formulation.problem_errors import suggestion
from landform.formulation.table import RawTable
from landform.formulation.vocabulary import (
    is_block_name,
    is_error_name,
    is_factor_name,
    is_id_name,
    is_property_name,
)
from landform.formulation.wholes import Whole, find_whole

Role = Literal["id", "block", "ingredient", "factor", "property", "ignore"]


@dataclass(frozen=True)
class ColumnRole:
    """One column's role, the reason, and whether it is a guess to check."""

    name: str
    unit: str
    role: Role
    reason: str
    guess: bool = False


@dataclass(frozen=True)
class Roles:
    """What each column seems to be.

    Parameters
    ----------
    columns : tuple of ColumnRole
        In the table's order.
    total : float or None
        What the ingredients add to.
    balance : str or None
        The name for an ingredient that is not in the table.
    sure : bool
        Whether the evidence for the balance is strong enough to use it without asking.
    words : str
        What was concluded about the mixture as a whole.
    """

    columns: tuple[ColumnRole, ...]
    total: float | None
    balance: str | None
    sure: bool
    words: str

    def names(self, role: Role) -> list[str]:
        """The columns of one role."""
        return [column.name for column in self.columns if column.role == role]


def guess_roles(
    table: RawTable,
    *,
    properties: Sequence[str] = (),
    factors: Sequence[str] = (),
    balance: str | None = None,
    total: float | None = None,
) -> Roles:
    """Guess what each column of a table is.

    Parameters
    ----------
    table : RawTable
        As read.
    properties, factors : sequence of str
        Columns that the user says are such; all other inputs are then no properties.
    balance, total : str, float, optional
        What the user says about the mixture.

    Returns
    -------
    Roles

    Raises
    ------
    TableError
        Where a column that the user named is not there or holds no numbers.
    """
    _refuse_unknown(table, (*properties, *factors))
    if balance in table.names:
        raise TableError(
            "a balance that has no column of its own",
            got=f"{balance!r}, which is a column",
            remedy="leave --balance out: the column is read like any other",
            where=table.source,
        )
    told = {name: ColumnRole(name, table.unit(name), "property", "You said so.") for name in properties}
    told |= {name: ColumnRole(name, table.unit(name), "factor", "You said so.") for name in factors}
    known = told | _set_apart(table, told)
    open_ = [name for name in table.names if name not in known]
    whole = find_whole(table, open_, total=total, balance=balance)
    named = set(whole.names) if whole else set()
    known |= {name: _role(table, name, "ingredient", whole.reason) for name in whole.names} if whole else {}
    rest = [name for name in open_ if name not in named]
    known |= _inputs_and_outputs(table, rest, told=bool(properties), mixture=whole is not None)
    columns = tuple(known[name] for name in table.names)
    return _summed_up(columns, whole)


def _refuse_unknown(table: RawTable, names: Sequence[str]) -> None:
    for name in names:
        if name not in table.names:
            remedy = suggestion(name, table.names)
            raise TableError("a column of the table", got=repr(name), remedy=remedy, where=table.source)
        if not is_numeric(table.column(name)):
            raise TableError(
                "a column of numbers",
                got="text or nothing",
                remedy="correct its cells, or leave it out",
                where=f"{table.source}, column {name!r}",
            )


def _set_apart(table: RawTable, told: dict[str, ColumnRole]) -> dict[str, ColumnRole]:
    """Columns that are neither inputs nor outputs; at most one id and one block among them."""
    found: dict[str, ColumnRole] = {}
    for place, name in enumerate(table.names):
        role = None if name in told else _apart(table, place, name)
        if role is not None and role.role != "ignore" and any(r.role == role.role for r in found.values()):
            role = replace(role, role="ignore", reason=f"It is another {role.role}, and one is enough.")
        if role is not None:
            found[name] = role
    return found


def _apart(table: RawTable, place: int, name: str) -> ColumnRole | None:
    """The role of a column that is neither input nor output; None where it may be one."""
    cells = table.column(name)
    filled = [cell for cell in cells if cell is not None]
    if not filled:
        return _role(table, name, "ignore", "It is empty.")
    unique = len(set(filled)) == len(cells)
    if unique and (is_id_name(name) or (place == 0 and _counts(table, name))):
        return _role(table, name, "id", "Its values are all different, and it is named or placed as an id.")
    if is_block_name(name) and not unique and len(set(filled)) > 1:
        return _role(table, name, "block", "Its name says that it groups trials, and its values repeat.")
    if not is_numeric(cells):
        return _text_role(table, name, place, filled, unique=unique)
    if is_error_name(name):
        return _role(table, name, "ignore", "Its name says that it is the error of a measurement.")
    return None


def _counts(table: RawTable, name: str) -> bool:
    """Whether a column holds 1, 2, 3, ... in any order."""
    values = sorted(v for cell in table.column(name) if (v := number(cell)) is not None and v == v)
    return (
        len(values) == len(table.rows) and values == [values[0] + i for i in range(len(values))] and values[0] in (0, 1)
    )


def _text_role(table: RawTable, name: str, place: int, filled: Sequence[str | float], *, unique: bool) -> ColumnRole:
    if place == 0 and unique:
        return _role(table, name, "id", "It comes first and its texts are all different.")
    shown = next(cell for cell in filled if number(cell) is None)
    strange = [cell for cell in filled if number(cell) is None]
    if len(strange) <= len(filled) / 5:
        row = next(row for row, cell in zip(table.rows, table.column(name), strict=True) if cell == shown)
        words = f"Its cells are numbers except {shown!r} in row {row}: correct that, and run this again."
        return replace(_role(table, name, "ignore", words), guess=True)
    count = len(set(filled))
    several = f", one of {count} different ones" if count > 1 else ""
    return _role(table, name, "ignore", f"It holds text ({shown!r}{several}); only numbers can be studied.")


def _inputs_and_outputs(table: RawTable, names: list[str], *, told: bool, mixture: bool) -> dict[str, ColumnRole]:
    """Factors and properties among the numeric columns that are in no mixture."""
    found = {name: _by_word(table, name) for name in names}
    if told:
        found = {
            name: role
            if role and role.role in {"factor", "ignore"}
            else _role(table, name, "factor", "It is no property you named.")
            for name, role in found.items()
        }
    if mixture:
        return {name: role or _beside_mixture(table, name) for name, role in found.items()}
    return _by_place(table, found)


def _role(table: RawTable, name: str, role: Role, reason: str, *, guess: bool = False) -> ColumnRole:
    return ColumnRole(name, table.unit(name), role, reason, guess)


def _by_word(table: RawTable, name: str) -> ColumnRole | None:
    if _varies_never(table, name):
        return _role(table, name, "ignore", "It never varies, so nothing can be learned from it.")
    if is_property_name(name):
        return _role(table, name, "property", "Its name is that of something measured.")
    if is_factor_name(name, table.unit(name)):
        return _role(table, name, "factor", "Its name or unit is that of a process setting.")
    return None


def _varies_never(table: RawTable, name: str) -> bool:
    values = [number(cell) for cell in table.column(name) if cell is not None]
    return len(set(values)) == 1


def _has_gaps(table: RawTable, name: str) -> bool:
    return None in table.column(name)


def _levels(table: RawTable, name: str) -> bool:
    """Whether a column keeps to a few settings that come back, as designs do."""
    values = np.array([number(cell) for cell in table.column(name)], dtype=float)
    distinct = np.unique(values).size
    return bool(len(values) >= 6 and distinct <= max(2, min(7, len(values) // 3)))


def _beside_mixture(table: RawTable, name: str) -> ColumnRole:
    if _levels(table, name) and not _has_gaps(table, name):
        reason = "It keeps to a few settings that come back."
        return _role(table, name, "factor", reason, guess=True)
    return _role(
        table, name, "property", "It is a number that is no part of the mixture.", guess=not _has_gaps(table, name)
    )


def _by_place(table: RawTable, found: dict[str, ColumnRole | None]) -> dict[str, ColumnRole]:
    """Roles where nothing adds to a whole: words first, then place; the last column where nothing decides."""
    names = list(found)
    sure = {name: role for name, role in found.items() if role is not None}
    gaps = [name for name in names if name not in sure and _has_gaps(table, name)]
    sure |= {name: _role(table, name, "property", "It has gaps, which inputs never have.", guess=True) for name in gaps}
    outputs = [place for place, name in enumerate(names) if name in sure and sure[name].role == "property"]
    if outputs:
        return {name: sure.get(name) or _around(table, name, place, outputs[0]) for place, name in enumerate(names)}
    undecided = [name for name in names if name not in sure]
    if not undecided:
        return sure
    last = undecided[-1]
    sure[last] = _role(
        table, last, "property", "Nothing tells inputs from results, so the last column was taken.", guess=True
    )
    rest = {n: _role(table, n, "factor", "It is a number before the last column.", guess=True) for n in undecided[:-1]}
    return sure | rest


def _around(table: RawTable, name: str, place: int, first: int) -> ColumnRole:
    if place < first:
        return _role(table, name, "factor", "It is a number before the measured columns.", guess=True)
    if _levels(table, name):
        return _role(table, name, "factor", "It keeps to a few settings that come back.", guess=True)
    return _role(table, name, "property", "It stands among the measured columns.", guess=True)


def _summed_up(columns: tuple[ColumnRole, ...], whole: Whole | None) -> Roles:
    if whole is None:
        return Roles(columns, None, None, True, "No columns add to a constant: there is no mixture, only settings.")
    if whole.sure:
        return Roles(columns, whole.total, whole.balance, True, whole.words)
    reason = "It may be an ingredient of a mixture with an unlisted rest; see `balance`."
    settings = tuple(
        replace(column, role="factor", reason=reason, guess=True) if column.role == "ingredient" else column
        for column in columns
    )
    return Roles(settings, whole.total, whole.balance, False, whole.words)

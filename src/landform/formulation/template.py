"""Templates: a commented ``problem.toml`` from the roles of a table's columns."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import tomlkit
from tomlkit.items import Table

from landform.errors import TableError
from landform.formulation.cells import numbers
from landform.formulation.roles import Roles
from landform.formulation.table import RawTable

_GOALS = "maximize, minimize, target, in range, or none"
_HEAD = """What may vary, and what is wanted. Written by `landform init` from {file}; check it, and set the goals.
A line that begins with # is not in force. Units are read from the table's headers."""
_BALANCE = """These columns may be shares of a whole whose rest is not in the table. If so, use these two lines,
and rename their sections from [factors.…] to [ingredients.…]:"""
_LIMITS = """limits: maximize counts from 0 at the first to 1 at the second, minimize from 1 to 0; a target counts
from 0 over 1 at the target to 0; in range must lie inside. Without limits: the smallest and largest value measured.
Also: target, weight (1), shape (1), transform ("none" or "log"), model ("auto")."""
_BOUNDS = "Without bounds: the smallest and largest amount tried. A cost is per unit of the amount."
_CONSTRAINTS = """[[constraints]]                 # a weighted sum of inputs, within bounds
name = "at most half"
terms = {{ {terms} }}
upper = {upper:g}"""
_STUDY = """[study]
seed = 0        # the same seed, the same results
recipes = 5     # how many distinct recipes to list"""


def render(table: RawTable, roles: Roles) -> str:
    """Write a problem description as text.

    Parameters
    ----------
    table : RawTable
        For the amounts and values that stand in the comments.
    roles : Roles
        What each column is.

    Returns
    -------
    str
        TOML that `Problem.read` accepts.

    Raises
    ------
    TableError
        Where no column is an input, or none a property.
    """
    _refuse_incomplete(table, roles)
    document = tomlkit.document()
    _comment(document, _HEAD.format(file=Path(table.source).name))
    _whole(document, roles)
    document.add("trials", _trials(table, roles))
    for role, section in (("ingredient", "ingredients"), ("factor", "factors")):
        names = roles.names(role)  # type: ignore[arg-type]
        if names:
            document.add(section, _inputs(table, names))
    document.add("properties", _properties(table, roles.names("property")))
    document.add(tomlkit.nl())
    _comment(document, _constraint_example(table, roles))
    document.add(tomlkit.nl())
    _comment(document, _STUDY)
    return tomlkit.dumps(document)


def _refuse_incomplete(table: RawTable, roles: Roles) -> None:
    if not roles.names("property"):
        raise TableError(
            "at least one column of measured values",
            got="none that looks like one",
            remedy='name them, e.g. --properties "viscosity,gloss"',
            where=table.source,
        )
    if not roles.names("ingredient") and not roles.names("factor"):
        raise TableError(
            "at least one column of ingredients or settings",
            got="none that looks like one",
            remedy='name them, e.g. --factors "temperature,time"',
            where=table.source,
        )


def _comment(place: Any, text: str) -> None:
    for line in text.splitlines():
        place.add(tomlkit.comment(line))


def _whole(document: tomlkit.TOMLDocument, roles: Roles) -> None:
    document.add(tomlkit.nl())
    if roles.total is None:
        document.add(tomlkit.comment("No total: nothing adds to a whole, so there are factors only."))
    elif roles.sure:
        document.add("total", tomlkit.item(_plain(roles.total)).comment("what the ingredients add to"))
        if roles.balance is not None:
            item = tomlkit.item(roles.balance).comment("not in the table: the total minus the rest")
            document.add("balance", item)
    else:
        _comment(document, f'{_BALANCE}\ntotal = {roles.total:g}\nbalance = "{roles.balance}"')
    document.add(tomlkit.nl())


def _plain(value: float) -> int | float:
    return int(value) if value == int(value) else value


def _trials(table: RawTable, roles: Roles) -> Table:
    section = tomlkit.table()
    for role in ("id", "block"):
        names = roles.names(role)
        if names:
            section.add(role, names[0])
    if table.sheet is not None:
        section.add("sheet", table.sheet)
    ignored = tomlkit.array()
    for name in roles.names("ignore"):
        ignored.append(name)
    section.add("ignore", ignored.multiline(len(ignored) > 3))
    section.add(tomlkit.comment('closure = "none"   # use sums that rounding leaves short as they are'))
    return section


def _inputs(table: RawTable, names: list[str]) -> Table:
    section = tomlkit.table(is_super_table=True)
    for place, name in enumerate(names):
        values = numbers(table.column(name))
        part = tomlkit.table()
        if place == 0:
            _comment(part, _BOUNDS)
        part.add(tomlkit.comment(f"lower = {np.min(values):g}"))
        part.add(tomlkit.comment(f"upper = {np.max(values):g}"))
        if place == 0:
            part.add(tomlkit.comment("cost = 1.0"))
        part.add(tomlkit.nl())
        section.add(name, part)
    return section


def _properties(table: RawTable, names: list[str]) -> Table:
    section = tomlkit.table(is_super_table=True)
    for place, name in enumerate(names):
        values = numbers(table.column(name))
        part = tomlkit.table()
        part.add("goal", tomlkit.item("none").comment(_GOALS))
        part.add(tomlkit.comment(f"limits = [{np.nanmin(values):g}, {np.nanmax(values):g}]"))
        if place == 0:
            _comment(part, _LIMITS)
        part.add(tomlkit.nl())
        section.add(name, part)
    return section


def _constraint_example(table: RawTable, roles: Roles) -> str:
    names = [*roles.names("ingredient"), *roles.names("factor")][:2]
    terms = ", ".join(f"{tomlkit.key(name).as_string()} = 1" for name in names)
    most = sum(float(np.max(numbers(table.column(name)))) for name in names)
    return _CONSTRAINTS.format(terms=terms, upper=most / 2)

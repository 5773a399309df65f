"""Headers: a column's name and its unit."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

_BRACKETS = re.compile(r"\[([^\[\]]*)\]")
_LAST_GROUP = re.compile(r"^(.*\S)\s*\(([^()]*)\)$")
_NO_UNIT = re.compile(r"^\d(?!\s*/)|^$")  # "(28-day)" says what, not in which unit; "(1/s)" is a unit
_DIMENSIONLESS = {"-", "–", "—", "1"}


@dataclass(frozen=True)
class Column:
    """One column: its name without the unit, the unit ("" where none), and the header as written."""

    name: str
    unit: str
    header: str


def read_headers(headers: Sequence[str]) -> tuple[Column, ...]:
    """Split headers into names and units.

    Square brackets always hold a unit. A last group in parentheses is taken for one too, unless it begins
    with a digit or the names would collide without it.

    Examples
    --------
    >>> [(c.name, c.unit) for c in read_headers(["viscosity [Pa s]", "SLUMP(cm)", "Strength (28-day)(MPa)"])]
    [('viscosity', 'Pa s'), ('SLUMP', 'cm'), ('Strength (28-day)', 'MPa')]
    >>> [(c.name, c.unit) for c in read_headers(["extender (A)", "extender (B)"])]
    [('extender (A)', ''), ('extender (B)', '')]
    """
    columns = [split_header(header) for header in headers]
    taken = Counter(column.name for column in columns)
    return tuple(
        column if taken[column.name] == 1 or "[" in column.header else Column(column.header, "", column.header)
        for column in columns
    )


def split_header(header: str) -> Column:
    r"""Split one header into name and unit.

    Examples
    --------
    >>> split_header(" flow\n rate  [mL/min] ")
    Column(name='flow rate', unit='mL/min', header='flow rate [mL/min]')
    """
    header = " ".join(header.split())
    name, unit = _in_brackets(header) or _in_parentheses(header) or (header, "")
    if not name:
        name, unit = header, ""
    return Column(name, "" if unit in _DIMENSIONLESS else unit, header)


def _in_brackets(header: str) -> tuple[str, str] | None:
    groups = list(_BRACKETS.finditer(header))
    if not groups:
        return None
    last = groups[-1]
    name = f"{header[: last.start()].strip()} {header[last.end() :].strip()}".strip()
    return name, last.group(1).strip()


def _in_parentheses(header: str) -> tuple[str, str] | None:
    group = _LAST_GROUP.match(header)
    if group is None or _NO_UNIT.match(group.group(2).strip()):
        return None
    return group.group(1), group.group(2).strip()

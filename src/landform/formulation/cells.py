"""Cells: what is missing, what is a number, how many decimals were printed."""

from __future__ import annotations

import re
from decimal import Decimal

import numpy as np
from jaxtyping import Float

Cell = str | float | None

_MISSING = frozenset({"", "na", "n/a", "n.a.", "nan", "-", "–", "—", "?", "none", "null", "#n/a", "<na>"})
_NUMBER = re.compile(r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$")
_INFINITE = re.compile(r"^[+-]?inf(inity)?$", re.IGNORECASE)
_SIGNIFICANT = 12  # digits of a spreadsheet's float that a person can have typed


def clean(text: str) -> str | None:
    """Strip a cell's text; None where it means that nothing was measured.

    Examples
    --------
    >>> clean(" 0.33 "), clean("N/A"), clean("-")
    ('0.33', None, None)
    """
    text = text.strip().replace("\N{MINUS SIGN}", "-")
    return None if text.lower() in _MISSING else text


def number(cell: Cell) -> float | None:
    """The number in a cell; NaN where the cell is missing, None where it holds text.

    Examples
    --------
    >>> number(".05"), number("high"), number(None)
    (0.05, None, nan)
    """
    if cell is None:
        return float("nan")
    if isinstance(cell, float):
        return cell
    if _NUMBER.match(cell) or _INFINITE.match(cell):
        return float(cell)
    return None


def is_numeric(cells: tuple[Cell, ...]) -> bool:
    """Whether a column holds at least one number and no text."""
    values = [number(cell) for cell in cells]
    return None not in values and any(np.isfinite(v) for v in values if v is not None)


def numbers(cells: tuple[Cell, ...]) -> Float[np.ndarray, " n"]:
    """A column as floats, NaN where missing; only for a column that `is_numeric`."""
    return np.array([float("nan") if (v := number(cell)) is None else v for cell in cells])


def decimals(cell: Cell) -> int:
    """How many decimals a number was printed with; a spreadsheet's float loses its trailing zeros.

    Examples
    --------
    >>> decimals("0.330"), decimals("1e-3"), decimals(0.1 + 0.2), decimals("5")
    (3, 3, 1, 0)
    """
    if cell is None:
        return 0
    text = cell if isinstance(cell, str) else f"{cell:.{_SIGNIFICANT}g}"
    if not _NUMBER.match(text):
        return 0
    value = Decimal(text) if isinstance(cell, str) else Decimal(text).normalize()
    exponent = value.as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0

"""Wholes: the columns that add to a constant, or that would with one ingredient more."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from jaxtyping import Float

from landform.formulation.cells import decimals, is_numeric, numbers
from landform.formulation.closure import EXACT, half_units, off_by_more
from landform.formulation.table import RawTable
from landform.formulation.vocabulary import is_factor_name, is_property_name, is_share

_USUAL = (1.0, 100.0, 1000.0)
_MOST_OFF = 0.1  # of the rows may hold a fault
_COARSE = 0.03  # of the total: rounding beyond this proves nothing unless most rows are exact
_MOST_SUBSETS = 14  # columns of which every subset is tried


@dataclass(frozen=True)
class Whole:
    """Columns that are shares of a whole.

    Parameters
    ----------
    names : tuple of str
        The columns.
    total : float
        What they add to, the balance included.
    balance : str or None
        The name for the ingredient that is not in the table.
    sure : bool
        Whether to use it without asking.
    reason, words : str
        Said of each column; said of the whole.
    """

    names: tuple[str, ...]
    total: float
    balance: str | None
    sure: bool
    reason: str
    words: str


@dataclass(frozen=True, eq=False)
class _Amounts:
    """Numeric, non-negative columns without gaps, and by how much each cell may be rounded."""

    names: tuple[str, ...]
    values: Float[np.ndarray, "n q"]
    half: Float[np.ndarray, " q"]


def find_whole(
    table: RawTable, names: Sequence[str], *, total: float | None = None, balance: str | None = None
) -> Whole | None:
    """Find the ingredients among some columns; None where nothing points to a mixture.

    Parameters
    ----------
    table : RawTable
    names : sequence of str
        The columns that may be ingredients.
    total, balance : float, str, optional
        What the user says.
    """
    amounts = _amounts(table, names)
    if balance is None:
        complete = _complete(amounts, total)
        if complete is not None:
            return complete
    return _incomplete(table, amounts, total=total, balance=balance)


def _amounts(table: RawTable, names: Sequence[str]) -> _Amounts:
    kept = [name for name in names if None not in table.column(name) and is_numeric(table.column(name))]
    kept = [name for name in kept if np.all(np.isfinite(v := numbers(table.column(name)))) and np.all(v >= 0)]
    values = np.array([numbers(table.column(name)) for name in kept]).reshape(len(kept), len(table.rows)).T
    half = half_units([max(map(decimals, table.column(name))) for name in kept])
    return _Amounts(tuple(kept), values, half)


def _complete(amounts: _Amounts, total: float | None) -> Whole | None:
    """The columns that add to a constant: a run of neighbours if there is one, else any."""
    for search in (_runs, _subsets):
        found = [(score, chosen) for chosen in search(len(amounts.names)) if (score := _score(amounts, chosen, total))]
        if found:
            (_, _, _, whole), chosen = max(found, key=lambda item: item[0])
            names = tuple(amounts.names[j] for j in chosen)
            words = f"{_listed(names)} add to {whole:g}: they are the ingredients of a mixture."
            return Whole(names, whole, None, True, f"With its fellows it adds to {whole:g} in every row.", words)
    return None


def _runs(count: int) -> Iterator[tuple[int, ...]]:
    for first in range(count):
        for last in range(first + 2, count + 1):
            yield tuple(range(first, last))


def _subsets(count: int) -> Iterator[tuple[int, ...]]:
    if count <= _MOST_SUBSETS:
        for size in range(count - 1, 2, -1):
            yield from combinations(range(count), size)


def _score(amounts: _Amounts, chosen: tuple[int, ...], stated: float | None) -> tuple[bool, float, int, float] | None:
    """How good a whole some columns make (usual total, share of exact rows, size, total); None if they make none."""
    columns = list(chosen)
    sums = amounts.values[:, columns].sum(axis=1)
    middle = float(np.median(sums))
    if middle <= 0 or np.mean(np.abs(sums - middle) > 2 * _COARSE * middle) > _MOST_OFF:
        return None
    if np.sum(np.ptp(amounts.values[:, columns], axis=0) > 0) < 2:
        return None
    allowance = (amounts.values[:, columns] != 0) @ amounts.half[columns]
    total = stated or next((usual for usual in _USUAL if abs(usual - middle) <= np.max(allowance)), middle)
    exact = float(np.mean(np.abs(sums - total) <= EXACT * total))
    if np.mean(off_by_more(sums, allowance, total)) > _MOST_OFF:
        return None
    if exact < 0.5 and np.max(allowance) > _COARSE * total:
        return None
    if total not in _USUAL and stated is None and exact < 1 - _MOST_OFF:
        return None
    return total in _USUAL or stated is not None, exact, len(columns), total


def _incomplete(table: RawTable, amounts: _Amounts, *, total: float | None, balance: str | None) -> Whole | None:
    """Columns that look like shares of a whole whose rest is not in the table."""
    said = [j for j, name in enumerate(amounts.names) if is_share(name, table.unit(name))]
    plain = [j for j, name in enumerate(amounts.names) if not _is_other(table, name)]
    chosen = said if len(said) >= 2 and balance is None else plain
    if len(chosen) < (1 if balance else 2):
        return None
    values = amounts.values[:, chosen]
    sums = values.sum(axis=1)
    whole = total or next((usual for usual in _USUAL[:2] if sums.max() <= usual * (1 + EXACT)), None)
    if whole is None or sums.max() > whole * (1 + EXACT):
        return None
    zeros = float(np.mean(values == 0))
    by_unit = chosen is said
    sparse = zeros >= 0.3 and len(chosen) >= 3
    if balance is None and not (by_unit or sparse):
        return None
    sure = balance is not None or by_unit or (zeros >= 0.5 and len(chosen) >= 4)
    name = balance or _rest_name(table)
    names = tuple(amounts.names[j] for j in chosen)
    return Whole(
        names,
        whole,
        name,
        sure,
        _reason(whole, balance, by_unit=by_unit, zeros=zeros),
        _rest_words(names, sums, whole, name, sure=sure),
    )


def _is_other(table: RawTable, name: str) -> bool:
    return is_property_name(name) or is_factor_name(name, table.unit(name))


def _rest_name(table: RawTable) -> str:
    taken = {name.casefold() for name in table.names}
    return next(name for name in ("water", "rest", "balance", "unlisted rest") if name not in taken)


def _reason(whole: float, stated: str | None, *, by_unit: bool, zeros: float) -> str:
    if stated is not None:
        return f"You named the balance {stated!r}, so it is a share of {whole:g}."
    if by_unit:
        return f"Its unit says that it is a share, and the sums stay below {whole:g}."
    return f"{zeros:.0%} of such cells are zero and the sums stay below {whole:g}, as where a rest is not listed."


def _rest_words(names: tuple[str, ...], sums: Float[np.ndarray, " n"], whole: float, name: str, *, sure: bool) -> str:
    facts = (
        f"{_listed(names)} add to {sums.min():.4g} to {sums.max():.4g} and never to more than {whole:g}: the rest, "
        f"{whole - sums.max():.4g} to {whole - sums.min():.4g}, is not in the table."
    )
    if sure:
        return f'{facts} It is taken for an unlisted ingredient: balance = "{name}", total = {whole:g}.'
    return f'{facts} If it is an ingredient, use balance = "{name}" with total = {whole:g} (`--balance {name}`).'


def _listed(names: tuple[str, ...]) -> str:
    if len(names) <= 5:
        return ", ".join(names[:-1]) + f" and {names[-1]}" if len(names) > 1 else names[0]
    return f"The {len(names)} columns {names[0]}, {names[1]}, ..., {names[-1]}"

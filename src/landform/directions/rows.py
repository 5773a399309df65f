"""Rows of data from wherever they come: an array, a data frame, a sparse matrix, batches; checked at the door."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
from scipy import sparse

from landform.errors import ShapeError

ARGUMENT = "argument X"
_BLOCK = 4096
Batch = Any
"""A float64 array or `scipy.sparse.csr_array` of shape (rows, d)."""


@dataclass(frozen=True, eq=False)
class Rows:
    """Checked rows.

    Parameters
    ----------
    names : tuple of str
        Of the d columns.
    labels : tuple or None
        Of the rows, where they are known beforehand.
    batches : callable
        Begins anew at the first row and gives batches, each checked.
    again : bool
        Whether it can be called more than once.
    whole : array or None
        All rows, where they are one dense array in memory.
    """

    names: tuple[str, ...]
    labels: tuple[Any, ...] | None
    batches: Callable[[], Iterator[Batch]]
    again: bool
    whole: np.ndarray | None


def rows_of(X: Any, names: Sequence[str] | None = None) -> Rows:
    """Bring data into one form.

    Parameters
    ----------
    X : array, data frame, scipy.sparse matrix, or batches of these
        Batches come from an iterable or from a function without arguments that returns a new iterator.
    names : sequence of str, optional
        Of the columns; a data frame brings its own.

    Raises
    ------
    ShapeError
        If something is not a table of finite real numbers; the row and column are named.
    """
    if callable(X) and not hasattr(X, "shape"):
        return _batched(X, True, names)
    if hasattr(X, "shape") or not isinstance(X, Iterable):
        return _one_table(X, names)
    if isinstance(X, Iterator):
        return _batched(lambda: X, False, names)
    first = next(iter(X), None)
    if getattr(first, "ndim", np.ndim(first) if isinstance(first, (list, tuple)) else 0) == 2:
        return _batched(lambda: iter(X), True, names)
    return _one_table(np.asarray(X), names)


def _one_table(X: Any, names: Sequence[str] | None) -> Rows:
    named = _names(X, names)
    labels = tuple(X.index) if hasattr(X, "index") and hasattr(X, "columns") else None
    table = checked_batch(X, named, start=0)

    def batches() -> Iterator[Batch]:
        return (table[k : k + _BLOCK] for k in range(0, table.shape[0], _BLOCK))

    labels = tuple(range(table.shape[0])) if labels is None else labels
    return Rows(named, labels, batches, True, table if isinstance(table, np.ndarray) else None)


def _batched(begin: Callable[[], Any], again: bool, names: Sequence[str] | None) -> Rows:
    start = iter(begin())
    first = next(start, None)
    if first is None:
        raise ShapeError("batches of rows", got="none", remedy="pass a fresh iterator, or a list", where=ARGUMENT)
    named = _names(first, names)

    def batches() -> Iterator[Batch]:
        # The batch already taken goes first where there is no second time.
        source = iter(begin()) if again else chain([first], start)
        seen = 0
        for one in source:
            batch = checked_batch(one, named, start=seen)
            for k in range(0, batch.shape[0], _BLOCK):
                yield batch[k : k + _BLOCK]
            seen += batch.shape[0]

    return Rows(named, None, batches, again, None)


def _names(X: Any, names: Sequence[str] | None) -> tuple[str, ...]:
    shape = np.shape(X)
    if len(shape) != 2 or not shape[1]:
        raise ShapeError(
            "a table of rows and columns", got=f"shape {shape}", remedy="pass one row per observation", where=ARGUMENT
        )
    if names is None:
        names = X.columns if hasattr(X, "columns") else [f"x{i}" for i in range(shape[1])]
    if len(names) != shape[1]:
        raise ShapeError(f"{shape[1]} names", got=f"{len(names)}", remedy="give one for each column")
    named = tuple(map(str, names))
    if len(set(named)) < len(named):
        twice = next(name for name in named if named.count(name) > 1)
        raise ShapeError("every column named once", got=f"{twice!r} twice", remedy="rename one of them", where=ARGUMENT)
    return named


def checked_batch(X: Any, names: tuple[str, ...], *, start: int) -> Batch:
    """One batch as finite float64 numbers, with the columns expected; ``start`` rows came before it."""
    shape = np.shape(X)
    if len(shape) != 2 or shape[1] != len(names):
        raise ShapeError(
            f"rows of {len(names)} columns",
            got=f"shape {shape} from row {start} on",
            remedy="pass the same columns throughout",
            where=ARGUMENT,
        )
    if hasattr(X, "columns"):
        _refuse_other_columns(X, names)
    if sparse.issparse(X):
        table = sparse.csr_array(X)
        _refuse_kind(table.data, names)
        table = table.astype(np.float64)
        bad = np.flatnonzero(~np.isfinite(table.data))[:1]
        where = [(int(np.searchsorted(table.indptr, k, side="right") - 1), int(table.indices[k])) for k in bad]
        _refuse_missing(table, where, names, start)
        return table
    plain = np.asarray(X)
    _refuse_kind(plain, names)
    table = plain.astype(np.float64)
    # One sum finds out whether any number is missing, without a second table of the same size.
    if not np.isfinite(table.sum()):
        _refuse_missing(table, [tuple(place) for place in np.argwhere(~np.isfinite(table))[:1]], names, start)
    return table


def _refuse_other_columns(X: Any, names: tuple[str, ...]) -> None:
    given = tuple(map(str, X.columns))
    if given != names:
        place = next(k for k, (mine, theirs) in enumerate(zip(names, given, strict=True)) if mine != theirs)
        raise ShapeError(
            f"column {names[place]} at place {place + 1}",
            got=repr(given[place]),
            remedy="pass the same columns in the same order throughout",
            where=ARGUMENT,
        )


def _refuse_kind(values: np.ndarray, names: tuple[str, ...]) -> None:
    if values.dtype.kind in "fiub":
        return
    got = f"dtype {values.dtype}"
    if values.dtype.kind == "O":
        try:
            values.astype(np.float64)
        except (TypeError, ValueError):
            row, column = next(place for place, v in np.ndenumerate(values) if not _is_number(v))[-2:]
            got = f"{values[row, column]!r} in row {row}, column {names[column]}"
        else:
            return
    raise ShapeError("real numbers", got=got, remedy="convert or leave out what is no number", where=ARGUMENT)


def _is_number(value: Any) -> bool:
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return True


def _refuse_missing(table: Any, where: Sequence[tuple[int, ...]], names: tuple[str, ...], start: int) -> None:
    for row, column in where:
        raise ShapeError(
            "finite numbers",
            got=f"{table[row, column]} in row {start + row}, column {names[column]}",
            remedy="drop the row or fill the gap: no direction can be had from a missing value",
            where=ARGUMENT,
        )

"""From slopes to a matrix: where every value goes, worked out once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Int

from landform.derivatives.sparse.slopes import Slot, Term, Terms, run_of

MOST_LAYERS = 8
"""Where at most so many slopes meet in a value they are gathered, one layer after the other: a scatter takes longer."""
Kinds = Sequence[bool]
"""For every term, whether its slope is one number for all of its elements."""


@dataclass(frozen=True)
class Pattern:
    """A sparse matrix's structure in compressed rows, columns sorted, and the way its values get there.

    Parameters
    ----------
    indptr, indices : array of int32 or int64
        As in `scipy.sparse.csr_array`.
    source : array
        For every value its place in the slopes set end to end (see `end_to_end`), or, where several slopes
        add up, for every slope that counts.
    target : array, optional
        For every slope that counts the value it adds to; none where each value is one slope.
    weight : float
        What every slope counts: a half where a matrix is averaged with its transpose.
    """

    indptr: Int[np.ndarray, " rows1"]
    indices: Int[np.ndarray, " nnz"]
    source: Int[np.ndarray, " k"]
    target: Int[np.ndarray, " k"] | None
    weight: float = 1.0

    @property
    def nnz(self) -> int:
        """Values stored."""
        return len(self.indices)


def _index_type(size: int) -> Any:
    return np.int32 if size < 2**31 else np.int64


def native_order(terms: Terms, single: Kinds) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Row, column and place end to end of every slope, in the order in which they come."""
    rows, cols, places = [np.empty(0, np.int64)], [np.empty(0, np.int32)], [np.empty(0, np.int64)]
    start = 0
    for term, one in zip(terms, single, strict=True):
        flat = term.cols.ravel()
        kept = np.flatnonzero(flat >= 0)
        rows.append(kept if isinstance(term, Slot) else term.rows[kept])
        cols.append(flat[kept])
        places.append(np.full(len(kept), start) if one else kept + start)
        start += 1 if one else len(flat)
    return np.concatenate(rows), np.concatenate(cols), np.concatenate(places)


def end_to_end(vals: Sequence[Any], dtype: Any) -> Any:
    """The slopes of all terms as one vector; a single number stays one."""
    parts = [jnp.asarray(v, dtype).reshape(-1) for v in vals]
    return jnp.concatenate(parts) if parts else jnp.zeros(0, dtype)


def pattern_of(terms: Terms, single: Kinds, m: int, n: int) -> Pattern:
    """The structure of the slopes of m results in n inputs."""
    found = _of_slots([t.cols for t in terms], single, m, n) if _only_slots(terms) else None
    return found if found is not None else _of_coordinates(terms, single, m, n)


def _only_slots(terms: Sequence[Term]) -> bool:
    return bool(terms) and all(isinstance(t, Slot) for t in terms)


def _pattern(counts: np.ndarray, cols: np.ndarray, source: np.ndarray, target: np.ndarray | None, n: int) -> Pattern:
    kind = _index_type(max(n, len(cols), int(source.max(initial=0))))
    indptr = np.concatenate([[0], np.cumsum(counts)]).astype(kind)
    return Pattern(indptr, cols.astype(kind, copy=False), source.astype(kind, copy=False), target)


def _of_slots(columns: Sequence[np.ndarray], single: Kinds, m: int, n: int) -> Pattern | None:
    """Slots alone, each input once in a row: sorting within short rows is enough."""
    slots = len(columns)
    keyed = np.empty((m, slots), np.int64)
    for k, cols in enumerate(columns):
        keyed[:, k] = np.where(cols < 0, np.int64(n), cols) * slots + k
    keyed.sort(axis=1)
    cols, order = np.divmod(keyed, slots)
    if slots > 1 and ((cols[:, 1:] == cols[:, :-1]) & (cols[:, 1:] < n)).any():
        return None
    kept = cols < n
    starts = np.concatenate([[0], np.cumsum([1 if one else m for one in single])[:-1]])
    source = starts[order] + np.where(np.asarray(single)[order], 0, np.arange(m)[:, None])
    if kept.all():
        return _pattern(np.full(m, slots), cols.ravel(), source.ravel(), None, n)
    return _pattern(kept.sum(axis=1), cols[kept], source[kept], None, n)


def _of_coordinates(terms: Terms, single: Kinds, m: int, n: int) -> Pattern:
    """Any terms: coordinates sorted, slopes that meet in one place added."""
    rows, cols, places = native_order(terms, single)
    unique, first, target = np.unique(rows * np.int64(n) + cols, return_index=True, return_inverse=True)
    counts = np.bincount(unique // max(1, n), minlength=m)
    if len(unique) == len(rows):
        return _pattern(counts, unique % max(1, n), places[first], None, n)
    order = np.argsort(target, kind="stable")
    return _pattern(counts, unique % max(1, n), places[order], target[order].astype(np.int32), n)


def mirrored(pattern: Pattern, n: int) -> Pattern | None:
    """The upper triangle's values taken from the lower, or None where that cannot be done by index alone."""
    rows = np.repeat(np.arange(n), np.diff(pattern.indptr))
    keys, swapped = rows * np.int64(n) + pattern.indices, pattern.indices * np.int64(n) + rows
    partner = np.minimum(np.searchsorted(keys, swapped), max(0, len(keys) - 1))
    if pattern.target is not None or not np.array_equal(keys[partner], swapped):
        return None
    source = np.where(pattern.indices > rows, pattern.source[partner], pattern.source)
    return Pattern(pattern.indptr, pattern.indices, source, None)


def averaged(terms: Terms, single: Kinds, n: int) -> Pattern:
    """The mean of a square matrix and its transpose; both triangles add up the same slopes in the same order."""
    rows, cols, places = native_order(terms, single)
    keys = np.concatenate([rows * np.int64(n) + cols, cols * np.int64(n) + rows])
    places = np.concatenate([places, places])
    unique, target = np.unique(keys, return_inverse=True)
    order = np.lexsort((places, target))
    counts = np.bincount(unique // max(1, n), minlength=n)
    found = _pattern(counts, unique % max(1, n), places[order], target[order].astype(np.int32), n)
    return replace(found, weight=0.5)


def in_any_order(pattern: Pattern) -> Pattern:
    """The same with every row's columns in the order in which their slopes come; sorted where slopes add up."""
    if pattern.target is not None:
        return pattern
    rows = np.repeat(np.arange(len(pattern.indptr) - 1), np.diff(pattern.indptr))
    order = np.lexsort((pattern.source, rows))
    return replace(pattern, indices=pattern.indices[order], source=pattern.source[order])


def gathered(line: Any, source: Any) -> Any:
    """The slopes end to end, in the order of the values."""
    return line.at[source].get(mode="promise_in_bounds")


def added(line: Any, source: Any, target: Any, count: int, weight: float) -> Any:
    """The same where several slopes add up to one value."""
    found = gathered(line, source) * jnp.asarray(weight, line.dtype)
    return jax.ops.segment_sum(found, target, count, indices_are_sorted=True)


def layers_of(pattern: Pattern, size: int) -> Int[np.ndarray, "layers nnz"] | None:
    """For every value the slopes that meet in it, ``size`` where there is none; None where they may be many."""
    if pattern.target is None:
        return None
    counts = np.bincount(pattern.target, minlength=pattern.nnz)
    if counts.max(initial=0) > MOST_LAYERS:
        return None
    rank = np.arange(len(pattern.source)) - (np.cumsum(counts) - counts)[pattern.target]
    table = np.full((int(counts.max(initial=0)), pattern.nnz), size, pattern.source.dtype)
    table[rank, pattern.target] = pattern.source
    return table


def added_in_layers(line: Any, layers: Any, weight: float) -> Any:
    """The sum of the slopes that meet in each value, in their order."""
    wide = jnp.append(line, jnp.zeros(1, line.dtype))
    total = gathered(wide, layers[0])
    for layer in layers[1:]:
        total = total + gathered(wide, layer)
    return total * jnp.asarray(weight, line.dtype)


def held(vals: Sequence[Any], *, numbers: bool = False) -> list[Any]:
    """The slopes, with ``numbers`` single ones too, behind a barrier, lest XLA work each out again where it is read."""
    kept = iter(jax.lax.optimization_barrier([jnp.asarray(v) for v in vals if numbers or np.ndim(v)]))
    return [next(kept) if numbers or np.ndim(v) else v for v in vals]


def with_known(vals: Sequence[Any], terms: Terms) -> list[Any]:
    """The slopes, numbers that were known while tracing put back: what is written many times is then no variable."""
    return [v if t.val is None else t.val for v, t in zip(vals, terms, strict=True)]


def listed(vals: Sequence[Any], terms: Terms, dtype: Any) -> Any:
    """The slopes in the order of `native_order`: copies, no gathers where all is filled."""
    parts = [
        jnp.broadcast_to(jnp.asarray(v, dtype).reshape(-1), (t.cols.size,))[run_of(np.flatnonzero(t.cols.ravel() >= 0))]
        for v, t in zip(vals, terms, strict=True)
    ]
    return jnp.concatenate(parts) if parts else jnp.zeros(0, dtype)

"""From slopes to a matrix: where every value goes, worked out once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Int

from landform.derivatives.sparse.slopes import Slot, Terms, as_ragged, concatenated, run_of

Vals = Sequence[Any]
MOST_RUNS = 24
"""Runs of rows alike that are copied one after the other; with more, values are gathered."""


@dataclass(frozen=True)
class Pattern:
    """A sparse matrix's structure in compressed rows, columns sorted, with the way its values get there.

    Parameters
    ----------
    shape : tuple of int
        (rows, columns).
    indptr, indices : array of int32 or int64
        As in `scipy.sparse.csr_array`.
    data : callable
        From the traced slopes, term by term, to the values in this order.
    """

    shape: tuple[int, int]
    indptr: Int[np.ndarray, " rows1"]
    indices: Int[np.ndarray, " nnz"]
    data: Callable[[Vals], Any]

    @property
    def nnz(self) -> int:
        """Values stored."""
        return len(self.indices)


def pattern_of(terms: Terms, m: int, n: int) -> Pattern:
    """The structure of the slopes of a vector of m results in n inputs."""
    if terms and all(isinstance(t, Slot) for t in terms):
        table = np.stack([t.cols for t in terms])
        found = _of_slots(table, n)
        if found is not None:
            return found
    return _of_coordinates(terms, m, n)


def _index_type(n: int, nnz: int) -> Any:
    return np.int32 if max(n, nnz) < 2**31 else np.int64


def _compressed(shape: tuple[int, int], counts: np.ndarray, cols: np.ndarray, data: Any) -> Pattern:
    kind = _index_type(shape[1], len(cols))
    indptr = np.concatenate([[0], np.cumsum(counts)]).astype(kind)
    return Pattern(shape, indptr, cols.astype(kind, copy=False), data)


def _of_slots(table: np.ndarray, n: int) -> Pattern | None:
    """Slots alone, each input once in a row: rows alike are copied, not gathered."""
    slots, m = table.shape
    table = np.ascontiguousarray(table.T)
    keyed = np.where(table < 0, np.int64(n), table.astype(np.int64)) * slots + np.arange(slots)
    keyed.sort(axis=1)
    cols, order = (keyed // slots).astype(np.int32), (keyed % slots).astype(np.int8 if slots < 128 else np.int32)
    if slots > 1 and ((cols[:, 1:] == cols[:, :-1]) & (cols[:, 1:] < n)).any():
        return None
    kept = cols < n
    return _compressed((m, n), kept.sum(axis=1), cols[kept], _copying(order, kept))


def _copying(order: np.ndarray, kept: np.ndarray) -> Callable[[Vals], Any]:
    """Values row by row, slots in the order of each row."""
    m, slots = order.shape
    counts = kept.sum(axis=1)
    alike = (order[1:] == order[:-1]).all(axis=1) & (counts[1:] == counts[:-1])
    starts = np.concatenate([[0], np.flatnonzero(~alike) + 1, [m]])
    if len(starts) - 1 <= MOST_RUNS:
        runs = [(int(a), int(b), order[a][: counts[a]]) for a, b in zip(starts[:-1], starts[1:], strict=True) if b > a]
        return lambda vals: _stacked(vals, runs, m)
    whole = _mostly_alike(order) if kept.all() else None
    if whole is not None:
        return whole
    index = (order.astype(np.int64) + slots * np.arange(m)[:, None])[kept]
    index = index.astype(_index_type(1, m * slots))
    return lambda vals: jnp.stack(_wide(vals, m), -1).reshape(-1)[index]


def _wide(vals: Vals, m: int) -> list[Any]:
    return [jnp.broadcast_to(jnp.asarray(v), (m,)) for v in vals]


def _stacked(vals: Vals, runs: Sequence[tuple[int, int, np.ndarray]], m: int) -> Any:
    """Runs of rows whose slots come in the same order."""
    wide = _wide(vals, m)
    parts = [jnp.stack([wide[k][a:b] for k in order], -1).reshape(-1) for a, b, order in runs if len(order)]
    return jnp.concatenate(parts) if parts else jnp.zeros(0, wide[0].dtype)


def _mostly_alike(order: np.ndarray) -> Callable[[Vals], Any] | None:
    """A few long runs with strays between them (a grid with its edges): copy the runs, mend the strays."""
    m, slots = order.shape
    code = order.astype(np.int64) @ (np.int64(slots) ** np.arange(slots)) if slots <= 15 else None
    if code is None:
        return None
    names, counts = np.unique(code, return_counts=True)
    common = names[np.argsort(-counts)][:4]
    spans = sorted((*_span(np.flatnonzero(code == c)), c) for c in common[np.sort(counts)[::-1][:4] > m // 50])
    bounds = [0, *(s[0] for s in spans[1:]), m]
    if not spans or any(a[1] > b[0] for a, b in zip(spans, spans[1:], strict=False)):
        return None
    orders = [order[first] for first, _, _ in spans]
    expected = np.repeat([s[2] for s in spans], np.diff(bounds))
    strays = np.flatnonzero(code != expected)
    if len(strays) > m // 8:
        return None
    runs = [(a, b, o) for a, b, o in zip(bounds[:-1], bounds[1:], orders, strict=True)]
    where = (strays[:, None] * slots + np.arange(slots)).ravel()
    from_slot, from_row = order[strays].ravel().astype(np.int32), np.repeat(strays, slots).astype(np.int32)

    def data(vals: Vals) -> Any:
        picked = jnp.stack([v[strays] for v in _wide(vals, m)])
        place = np.searchsorted(strays, from_row)
        return _stacked(vals, runs, m).at[where].set(picked[from_slot, place], unique_indices=True)

    return data


def _span(rows: np.ndarray) -> tuple[int, int]:
    return int(rows[0]), int(rows[-1])


def _of_coordinates(terms: Terms, m: int, n: int) -> Pattern:
    """Any terms: coordinates sorted, values that meet in one place added."""
    parts = [as_ragged(_numbered(t)) for t in terms]
    if not parts:
        return _compressed((m, n), np.zeros(m, np.int64), np.empty(0, np.int32), lambda _: jnp.zeros(0))
    keys = np.concatenate([p.rows * np.int64(n) + p.cols for p in parts])
    unique, first, place = np.unique(keys, return_index=True, return_inverse=True)
    counts = np.bincount(unique // n, minlength=m)
    picks = [_pick(t) for t in terms]

    def listed(vals: Vals) -> Any:
        flat = [jnp.broadcast_to(jnp.asarray(v), s).reshape(-1)[at] for v, (s, at) in zip(vals, picks, strict=True)]
        return concatenated(flat)

    if len(unique) == len(keys):
        return _compressed((m, n), counts, unique % n, lambda vals: listed(vals)[run_of(first)])
    return _compressed(
        (m, n), counts, unique % n, lambda vals: jax.ops.segment_sum(listed(vals), place, len(unique))
    )


def _numbered(term: Any) -> Any:
    """The term without its traced values."""
    return Slot(term.cols, np.zeros((), np.float32)) if isinstance(term, Slot) else term


def _pick(term: Any) -> tuple[tuple[int, ...], Any]:
    if isinstance(term, Slot):
        return term.cols.shape, run_of(np.flatnonzero(term.cols.ravel() >= 0))
    return (len(term.rows),), slice(None)


def native_order(terms: Terms) -> tuple[np.ndarray, np.ndarray, Callable[[Vals], Any]]:
    """Rows, columns and values in the order in which they come, with no sorting at all."""
    parts = [as_ragged(_numbered(t)) for t in terms]
    picks = [_pick(t) for t in terms]

    def values(vals: Vals) -> Any:
        return jnp.concatenate(
            [jnp.broadcast_to(jnp.asarray(v), s).reshape(-1)[at] for v, (s, at) in zip(vals, picks, strict=True)]
        )

    rows = [p.rows for p in parts] or [np.empty(0, np.int64)]
    cols = [p.cols for p in parts] or [np.empty(0, np.int32)]
    return np.concatenate(rows), np.concatenate(cols), values if parts else lambda _: jnp.zeros(0)

"""What one array of a traced program owes to the inputs: columns known before it runs, slopes known when it has.

An array's slopes are a list of terms that add up. A `Slot` names one input for every element; a `Ragged` is a
list of coordinates. Columns are NumPy arrays, fixed while the program is traced; the slopes beside them are
traced like any other number, or are constants where they do not depend on the point.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Int

WIDEST = 40
"""More slots than this for one array become one list of coordinates: fewer, longer operations."""


@dataclass(frozen=True)
class Slot:
    """One input for every element of an array.

    Parameters
    ----------
    cols : array of int32, of the array's shape
        The input, -1 for none.
    val : array of the array's shape, or a single number
        The slope: zero where there is no input. A single number stands only where every element has an input.
    """

    cols: Int[np.ndarray, ...]
    val: Any


@dataclass(frozen=True)
class Ragged:
    """Slopes by coordinates.

    Parameters
    ----------
    rows : array of int64, shape (k,)
        Element of the array, counted flat.
    cols : array of int32, shape (k,)
        Input.
    val : array, shape (k,)
        Slope.
    """

    rows: Int[np.ndarray, " k"]
    cols: Int[np.ndarray, " k"]
    val: Any


Term = Slot | Ragged
Terms = list[Term]


def is_constant(val: Any) -> bool:
    """Whether a slope is known already while tracing."""
    return isinstance(val, (np.ndarray, np.generic))


def spread(val: Any, shape: Sequence[int]) -> Any:
    """The slopes at full shape."""
    if np.shape(val) == tuple(shape):
        return val
    return np.broadcast_to(val, shape) if is_constant(val) else jnp.broadcast_to(val, tuple(shape))


def typed(val: Any, dtype: Any) -> Any:
    """The slopes in the precision of the array they belong to."""
    if np.dtype(val.dtype) == np.dtype(dtype):
        return val
    if np.issubdtype(val.dtype, np.complexfloating) and not np.issubdtype(dtype, np.complexfloating):
        val = val.real
    return val.astype(dtype)


def masked(slot: Slot, keep: Any) -> Slot | None:
    """The slot with the elements outside ``keep`` emptied; nothing where none is left."""
    cols = np.where(keep, slot.cols, np.int32(-1))
    if not (cols >= 0).any():
        return None
    val = spread(slot.val, cols.shape)
    return Slot(cols, np.where(keep, val, 0) if is_constant(val) else jnp.where(keep, val, 0))


def _agree(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether two slots name the same input wherever both name one."""
    if a is b:
        return True
    step = max(1, a.size // 64)
    if a.size > 256 and not _clear(a.ravel()[::step], b.ravel()[::step]):
        return False
    return _clear(a, b)


def _clear(a: np.ndarray, b: np.ndarray) -> bool:
    return bool(np.all((a == b) | (a < 0) | (b < 0)))


def _joined(a: Slot, b: Slot) -> Slot:
    # A single number stands only where every element has an input, so the sum may broadcast it.
    return Slot(a.cols if a.cols is b.cols else np.maximum(a.cols, b.cols), a.val + b.val)


def merged(terms: Terms, inputs: int) -> Terms:
    """The same slopes in as few terms as agree with each other."""
    slots: list[Slot] = []
    ragged: list[Ragged] = []
    for term in terms:
        if isinstance(term, Ragged):
            ragged = _with_ragged(ragged, term)
            continue
        for k, other in enumerate(slots):
            if _agree(other.cols, term.cols):
                slots[k] = _joined(other, term)
                break
        else:
            slots.append(term)
    if len(slots) > WIDEST:
        ragged, slots = [*ragged, *(as_ragged(s) for s in slots)], []
    if len(ragged) > 1:
        ragged = [compressed(ragged, inputs)]
    return [*slots, *ragged]


def _with_ragged(ragged: list[Ragged], term: Ragged) -> list[Ragged]:
    """One more list of coordinates, added to one that has the same coordinates where there is one."""
    for k, other in enumerate(ragged):
        if other.rows is term.rows and other.cols is term.cols:
            return [*ragged[:k], Ragged(other.rows, other.cols, other.val + term.val), *ragged[k + 1 :]]
    return [*ragged, term]


def as_ragged(term: Term) -> Ragged:
    """A slot as a list of coordinates."""
    if isinstance(term, Ragged):
        return term
    cols = term.cols.ravel()
    val = spread(term.val, term.cols.shape).reshape(-1)
    rows = np.flatnonzero(cols >= 0)
    if len(rows) == len(cols):
        return Ragged(rows, cols, val)
    return Ragged(rows, cols[rows], val[run_of(rows)])


def run_of(index: np.ndarray) -> Any:
    """The index as a slice where it is a run: a slice costs a copy, a gather several."""
    if len(index) and index[-1] - index[0] == len(index) - 1 and np.all(np.diff(index) == 1):
        return slice(int(index[0]), int(index[-1]) + 1)
    return index


def concatenated(parts: Sequence[Any]) -> Any:
    """One vector of several; constant where all are."""
    if len(parts) == 1:
        return parts[0]
    return np.concatenate(parts) if all(map(is_constant, parts)) else jnp.concatenate(parts)


def compressed(parts: Sequence[Ragged], inputs: int) -> Ragged:
    """One list of coordinates, each coordinate once."""
    rows = np.concatenate([p.rows for p in parts])
    cols = np.concatenate([p.cols for p in parts])
    val = concatenated([p.val for p in parts])
    if not len(rows):
        return Ragged(rows, cols, val)
    unique, place = np.unique(rows * np.int64(inputs) + cols, return_inverse=True)
    if len(unique) == len(rows):
        return Ragged(rows, cols, val)
    total = jax.ops.segment_sum(jnp.asarray(val), place, len(unique))
    return Ragged(unique // inputs, (unique % inputs).astype(np.int32), total)


def keys_of(terms: Terms, inputs: int) -> Int[np.ndarray, " k"]:
    """Every coordinate that may be non-zero, as row · inputs + column, sorted, each once."""
    found = [np.empty(0, np.int64)]
    for term in terms:
        if isinstance(term, Ragged):
            found.append(term.rows * np.int64(inputs) + term.cols)
        else:
            cols = term.cols.ravel()
            rows = np.flatnonzero(cols >= 0)
            found.append(rows * np.int64(inputs) + cols[rows])
    return np.unique(np.concatenate(found))


def slots_for(keys: Int[np.ndarray, " k"], shape: Sequence[int], inputs: int) -> list[np.ndarray]:
    """Columns of the fewest slots that hold the coordinates ``keys`` of an array of this shape."""
    rows, cols = keys // inputs, (keys % inputs).astype(np.int32)
    rank = np.arange(len(rows)) - np.searchsorted(rows, rows)
    size = int(np.prod(shape, dtype=np.int64))
    table = np.full((int(rank.max()) + 1 if len(rank) else 0, size), -1, np.int32)
    table[rank, rows] = cols
    return [line.reshape(tuple(shape)) for line in table]


def fitted(terms: Terms, layout: Sequence[np.ndarray], dtype: Any) -> list[Any]:
    """The slopes as traced arrays in slots with the columns of ``layout``, which hold every coordinate of theirs."""
    if not layout:
        return []
    shape = layout[0].shape
    totals: list[Any] = [jnp.zeros(shape, dtype) for _ in layout]
    for term in terms:
        for k, cols in enumerate(layout):
            if isinstance(term, Slot):
                here = (cols == term.cols) & (cols >= 0)
                if here.any():
                    val = spread(term.val, shape)
                    totals[k] = totals[k] + (val if (here | (term.cols < 0)).all() else jnp.where(here, val, 0))
            else:
                here = cols.ravel()[term.rows] == term.cols
                if here.any():
                    part = jnp.asarray(term.val)[here]
                    totals[k] = totals[k].reshape(-1).at[term.rows[here]].add(part).reshape(shape)
    return [typed(jnp.asarray(v), dtype) for v in totals]

"""Operations that only move elements: what they do to a NumPy array, and to slopes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np

from landform.derivatives.sparse.slopes import Ragged, Slot, Term, is_constant, run_of, spread

Params = dict[str, Any]


def _slice(a: np.ndarray, p: Params) -> np.ndarray:
    strides = p["strides"] or (1,) * a.ndim
    return a[tuple(slice(i, j, k) for i, j, k in zip(p["start_indices"], p["limit_indices"], strides, strict=True))]


def _broadcast(a: np.ndarray, p: Params) -> np.ndarray:
    shape = [1] * len(p["shape"])
    for i, d in enumerate(p["broadcast_dimensions"]):
        shape[d] = a.shape[i]
    return np.broadcast_to(a.reshape(shape), p["shape"])


def _reshape(a: np.ndarray, p: Params) -> np.ndarray:
    return (a if p.get("dimensions") is None else np.transpose(a, p["dimensions"])).reshape(p["new_sizes"])


MOVERS: dict[str, Callable[[np.ndarray, Params], np.ndarray]] = {
    "slice": _slice,
    "reshape": _reshape,
    "squeeze": lambda a, p: np.squeeze(a, tuple(p["dimensions"])),
    "expand_dims": lambda a, p: np.expand_dims(a, tuple(p["dimensions"])),
    "transpose": lambda a, p: np.transpose(a, p["permutation"]),
    "rev": lambda a, p: np.flip(a, p["dimensions"]),
    "broadcast_in_dim": _broadcast,
    "copy": lambda a, _: a,
    "copy_p": lambda a, _: a,
}
"""Operations of one operand that move its elements, by what they do in NumPy."""


def pad(a: np.ndarray, config: Any, fill: Any) -> np.ndarray:
    """``lax.pad`` in NumPy: with interior padding and negative edges.

    Examples
    --------
    >>> pad(np.array([1, 2, 3]), [(1, -1, 1)], 0)
    array([0, 1, 0, 2, 0])
    """
    for axis, (low, high, interior) in enumerate(config):
        if interior and a.shape[axis] > 1:
            wide = list(a.shape)
            wide[axis] = (a.shape[axis] - 1) * (interior + 1) + 1
            spaced = np.full(wide, fill, a.dtype)
            spaced[(slice(None),) * axis + (slice(None, None, interior + 1),)] = a
            a = spaced
        ends = [(0, 0)] * a.ndim
        ends[axis] = (max(low, 0), max(high, 0))
        a = np.pad(a, ends, constant_values=fill)
        a = a[(slice(None),) * axis + (slice(max(-low, 0), a.shape[axis] - max(-high, 0)),)]
    return a


class Move:
    """Where every element of a result comes from, among the elements of one operand.

    Parameters
    ----------
    source : array of int64, of the result's shape
        Flat place in the operand, -1 where the element comes from elsewhere.
    size : int
        Elements of the operand.
    apply : callable, optional
        The same on traced slopes of the operand's shape, where there is something better than a gather; it
        must give zero where the element comes from elsewhere.
    """

    def __init__(self, source: np.ndarray, size: int, apply: Callable[[Any], Any] | None = None) -> None:
        self.source = source
        self.size = size
        self.full = bool((source >= 0).all())
        self._apply = apply

    def slopes(self, val: Any) -> Any:
        """Slopes of full operand shape, moved."""
        if is_constant(val):
            taken = val.reshape(-1)[np.maximum(self.source, 0)] if self.size else np.zeros(self.source.shape)
            return taken if self.full else np.where(self.source >= 0, taken, np.zeros((), val.dtype))
        if self._apply is not None:
            return self._apply(val)
        taken = jnp.take(val.reshape(-1), jnp.asarray(np.maximum(self.source, 0)), mode="clip")
        return taken if self.full else jnp.where(self.source >= 0, taken, 0)

    def __call__(self, term: Term) -> Term | None:
        """One term, moved; nothing where no element of it stays."""
        return self._slot(term) if isinstance(term, Slot) else self._ragged(term)

    def _slot(self, term: Slot) -> Slot | None:
        if not self.size:
            return None
        cols = term.cols.reshape(-1)[np.maximum(self.source, 0)]
        if not self.full:
            cols = np.where(self.source >= 0, cols, np.int32(-1))
        if not (cols >= 0).any():
            return None
        if np.ndim(term.val) == 0 and self.full:
            return Slot(cols, term.val)
        return Slot(cols, self.slopes(spread(term.val, term.cols.shape)))

    def _ragged(self, term: Ragged) -> Ragged | None:
        flat = self.source.reshape(-1)
        order = np.argsort(flat, kind="stable")
        lined = flat[order]
        first, last = np.searchsorted(lined, term.rows), np.searchsorted(lined, term.rows, side="right")
        counts = last - first
        which = np.repeat(np.arange(len(counts)), counts)
        if not len(which):
            return None
        place = np.arange(len(which)) - np.repeat(np.cumsum(counts) - counts, counts) + np.repeat(first, counts)
        val = term.val if len(which) == len(counts) and (counts == 1).all() else term.val[run_of(which)]
        return Ragged(order[place], term.cols[which], val)


def moved_simply(eqn: Any, term: Term) -> Term | None:
    """A term through an operation of one operand listed in `MOVERS`; slots move as views, without an index."""
    mover, p = MOVERS[eqn.primitive.name], eqn.params
    if isinstance(term, Slot):
        cols = mover(term.cols, p)
        if (np.ndim(term.val) == 0 and term.cols.ndim > 0) or (not term.cols.ndim and is_constant(term.val)):
            return Slot(cols, term.val)
        if is_constant(term.val):
            return Slot(cols, mover(term.val, p))
        return Slot(cols, eqn.primitive.bind(term.val, **p))
    size = int(np.prod(eqn.invars[0].aval.shape, dtype=np.int64))
    source = mover(np.arange(size).reshape(eqn.invars[0].aval.shape), p)
    return Move(source, size)(term)

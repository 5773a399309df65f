"""Linear operations that add elements up: sums over axes, and products with what is fixed."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np

from landform.derivatives.sparse.slopes import (
    Ragged,
    Slot,
    Terms,
    as_ragged,
    compressed,
    merged,
    run_of,
    spread,
)
from landform.derivatives.sparse.step import Step

SHORT = 32
"""Sums of at most this many slopes stay in slots."""


def result_places(shape: tuple[int, ...], axes: tuple[int, ...]) -> np.ndarray:
    """For every element of an array, the flat place of the sum over ``axes`` that it goes into."""
    kept = [1 if k in axes else s for k, s in enumerate(shape)]
    return np.broadcast_to(np.arange(int(np.prod(kept, dtype=np.int64))).reshape(kept), shape)


def summed(step: Step) -> list[Terms]:
    """Slopes of a sum over axes."""
    axes = tuple(step.eqn.params["axes"])
    value = step.ins[0]
    length = int(np.prod([value.shape[k] for k in axes], dtype=np.int64))
    slots = sum(isinstance(t, Slot) for t in value.terms)
    terms: Terms = []
    rest: list[Ragged] = []
    for term in value.terms:
        one = _same_input(term, axes, length) if isinstance(term, Slot) else None
        if one is not None:
            terms.append(one)
        elif isinstance(term, Slot) and length * slots <= SHORT:
            terms += _one_by_one(term, axes)
        else:
            flat = as_ragged(term)
            rest.append(Ragged(result_places(value.shape, axes).ravel()[flat.rows], flat.cols, flat.val))
    if rest:
        terms.append(_added_up(step, rest))
    return [merged(terms, step.context.inputs)]


def _same_input(term: Slot, axes: tuple[int, ...], length: int) -> Slot | None:
    """The sum where all that is added belongs to one input."""
    if not length:
        return None
    cols = term.cols.max(axis=axes, keepdims=True)
    if not np.all((term.cols == cols) | (term.cols < 0)):
        return None
    total = term.val * np.asarray(length, term.val.dtype) if np.ndim(term.val) == 0 else term.val.sum(axis=axes)
    return Slot(np.squeeze(cols, axes), total)


def _one_by_one(term: Slot, axes: tuple[int, ...]) -> Terms:
    """A slot for every element of a short sum."""
    shape = term.cols.shape
    kept = [k for k in range(len(shape)) if k not in axes]
    order = [*kept, *axes]
    lined = (*(shape[k] for k in kept), -1)
    cols = term.cols.transpose(order).reshape(lined)
    val = spread(term.val, shape).transpose(order).reshape(lined)
    found: Terms = [Slot(cols[..., j], val[..., j]) for j in range(cols.shape[-1])]
    return [t for t in found if isinstance(t, Slot) and (t.cols >= 0).any()]


def contracted(step: Step) -> list[Terms]:
    """Slopes of a matrix product, one factor at a time."""
    return [merged([t for k in step.moving for t in _contracted_with(step, k)], step.context.inputs)]


def _contracted_with(step: Step, k: int) -> Terms:
    """What operand k brings: its slopes times the other operand, zeros of a known one left out."""
    (contract, batch), shape = step.eqn.params["dimension_numbers"], step.out.shape
    mine, other = (contract[k], batch[k]), (contract[1 - k], batch[1 - k])
    x, a = step.ins[k], step.ins[1 - k]
    order, (nb, free, nk) = _canonical(x.shape, *mine)
    order_a, (_, free_a, _) = _canonical(a.shape, *other, contracted_first=True)
    matrix = jnp.transpose(a.primal, order_a).reshape(nb, nk, free_a)
    nonzero = np.ones((nb, nk, free_a), bool)
    if a.known is not None:
        nonzero = np.transpose(np.asarray(a.known.get()), order_a).reshape(nb, nk, free_a) != 0
    frame = (nb, free, free_a)
    slots = [t for t in x.terms if isinstance(t, Slot)]
    if nk * len(slots) <= SHORT and len(slots) == len(x.terms):
        found = [s for t in slots for s in _few(t, order, (nb, free, nk), matrix, nonzero, step.out.dtype)]
        return [Slot(_back(t.cols, frame, shape, k), _back(t.val, frame, shape, k)) for t in found]
    places = np.arange(step.out_size).reshape(frame if k == 0 else (nb, free_a, free))
    places = places if k == 0 else places.transpose(0, 2, 1)
    parts = [_many(as_ragged(t), x.shape, order, (nb, free, nk), matrix, nonzero, places) for t in x.terms]
    return [_added_up(step, parts)]


def _added_up(step: Step, parts: list[Ragged]) -> Ragged:
    """One list of coordinates, each once; what that costs is counted."""
    whole = compressed(parts, step.context.inputs)
    given = sum(len(t.rows) for t in parts)
    if given > len(whole.rows):
        step.context.tally.scattered(given)
    return whole


def _canonical(
    shape: tuple[int, ...], contract: Any, batch: Any, *, contracted_first: bool = False
) -> tuple[list[int], tuple[int, int, int]]:
    """Axes in the order batch, free, contracted (or batch, contracted, free), and the three sizes."""
    free = [k for k in range(len(shape)) if k not in contract and k not in batch]
    order = [*batch, *contract, *free] if contracted_first else [*batch, *free, *contract]
    sizes = [int(np.prod([shape[k] for k in axes], dtype=np.int64)) for axes in (batch, free, contract)]
    return order, (sizes[0], sizes[1], sizes[2])


def _back(array: Any, frame: tuple[int, int, int], shape: tuple[int, ...], k: int) -> Any:
    """From (batch, mine, other's) to the result's shape, in which the left operand's axes come first."""
    array = array.reshape(frame)
    return (array if k == 0 else array.transpose(0, 2, 1)).reshape(shape)


def _few(
    term: Slot, order: list[int], sizes: tuple[int, int, int], matrix: Any, nonzero: np.ndarray, dtype: Any
) -> list[Slot]:
    """A slot for every contracted element."""
    cols = term.cols.transpose(order).reshape(sizes)
    val = jnp.asarray(spread(term.val, term.cols.shape), dtype).transpose(order).reshape(sizes)
    found = []
    for j in range(sizes[2]):
        wide = np.where(nonzero[:, j, None, :], cols[:, :, j, None], np.int32(-1))
        if (wide >= 0).any():
            found.append(Slot(wide, val[:, :, j, None] * matrix[:, j, None, :]))
    return found


def _many(
    term: Ragged,
    shape: tuple[int, ...],
    order: list[int],
    sizes: tuple[int, int, int],
    matrix: Any,
    nonzero: np.ndarray,
    places: np.ndarray,
) -> Ragged:
    """Coordinates: every slope meets the non-zeros of its row of the matrix."""
    nb, free, nk = sizes
    number = np.arange(int(np.prod(shape, dtype=np.int64))).reshape(shape).transpose(order).ravel()
    canonical = np.empty_like(number)
    canonical[number] = np.arange(len(number))
    at = canonical[term.rows]
    b, f, c = at // (free * nk), at // nk % free, at % nk
    line = b * nk + c
    lines, across = np.nonzero(nonzero.reshape(nb * nk, -1))
    first, last = np.searchsorted(lines, line), np.searchsorted(lines, line, side="right")
    counts = last - first
    which = np.repeat(np.arange(len(counts)), counts)
    entry = np.arange(len(which)) - np.repeat(np.cumsum(counts) - counts, counts) + np.repeat(first, counts)
    p = across[entry]
    val = jnp.asarray(term.val)[run_of(which)] * matrix.reshape(nb * nk, -1)[line[which], p]
    return Ragged(places[b[which], f[which], p], term.cols[which], val)

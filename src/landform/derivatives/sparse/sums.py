"""Linear operations that add elements up: sums over axes, and products with what is fixed."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np

from landform.derivatives.sparse.slopes import (
    Ragged,
    Slot,
    Term,
    Terms,
    as_ragged,
    compressed,
    merged,
    run_of,
    spread,
)
from landform.derivatives.sparse.step import Step
from landform.derivatives.sparse.together import Contraction, of_many_inputs, of_one_input

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


def _contraction(step: Step, k: int) -> Contraction:
    """Operand k's part in a matrix product; zeros of a known other operand are left out."""
    contract, batch = step.eqn.params["dimension_numbers"]
    mine, other = (contract[k], batch[k]), (contract[1 - k], batch[1 - k])
    x, a = step.ins[k], step.ins[1 - k]
    order, (nb, free, nk) = _canonical(x.shape, *mine)
    order_a, (_, free_a, _) = _canonical(a.shape, *other, contracted_first=True)
    matrix = jnp.transpose(a.primal, order_a).reshape(nb, nk, free_a)
    nonzero = np.ones((nb, nk, free_a), bool)
    if a.known is not None:
        nonzero = np.transpose(np.asarray(a.known.get()), order_a).reshape(nb, nk, free_a) != 0
    places = np.arange(step.out_size).reshape((nb, free, free_a) if k == 0 else (nb, free_a, free))
    places = places if k == 0 else places.transpose(0, 2, 1)
    precision = step.eqn.params["precision"]
    return Contraction(x.shape, order, (nb, free, nk), matrix, nonzero, places, step.out.dtype, precision)


def _contracted_with(step: Step, k: int) -> Terms:
    """What operand k brings: its slopes times the other operand."""
    c = _contraction(step, k)
    tried = [(t, of_one_input(t, c)) for t in step.ins[k].terms]
    found: Terms = [one for _, one in tried if one is not None]
    rest = [t for t, one in tried if one is None]
    few = [t for t in rest if isinstance(t, Slot)]
    if len(few) == len(rest) and c.sizes[2] * len(few) <= SHORT:
        found += [s for t in few for s in _few(t, c)]
    else:
        together = of_many_inputs(rest, c, step.context)
        found += [_added_up(step, [_many(as_ragged(t), c) for t in rest])] if together is None else together
    return [_in_place(t, c, step, k) for t in found if isinstance(t, Ragged) or (t.cols >= 0).any()]


def _in_place(term: Term, c: Contraction, step: Step, k: int) -> Term:
    """A slot of shape (batch, mine, other's) in the result's, in which the left operand's axes come first."""
    if isinstance(term, Ragged):
        return term
    cols, val = (v.reshape(c.places.shape) for v in (term.cols, term.val))
    if k:
        cols, val = cols.transpose(0, 2, 1), val.transpose(0, 2, 1)
    return Slot(cols.reshape(step.out.shape), val.reshape(step.out.shape))


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


def _few(term: Slot, c: Contraction) -> list[Slot]:
    """A slot for every contracted element."""
    cols = c.lined(term.cols)
    val = c.lined(jnp.asarray(spread(term.val, term.cols.shape), c.dtype))
    found = []
    for j in range(c.sizes[2]):
        wide = np.where(c.nonzero[:, j, None, :], cols[:, :, j, None], np.int32(-1))
        if (wide >= 0).any():
            found.append(Slot(wide, val[:, :, j, None] * c.matrix[:, j, None, :]))
    return found


def _many(term: Ragged, c: Contraction) -> Ragged:
    """Coordinates: every slope meets the non-zeros of its row of the matrix."""
    nb, free, nk = c.sizes
    at = c.canonical[term.rows]
    b, f, line = at // (free * nk), at // nk % free, at // (free * nk) * nk + at % nk
    lines, across = np.nonzero(c.nonzero.reshape(nb * nk, -1))
    first, last = np.searchsorted(lines, line), np.searchsorted(lines, line, side="right")
    counts = last - first
    which = np.repeat(np.arange(len(counts)), counts)
    entry = np.arange(len(which)) - np.repeat(np.cumsum(counts) - counts, counts) + np.repeat(first, counts)
    p = across[entry]
    val = jnp.asarray(term.val)[run_of(which)] * c.matrix.reshape(nb * nk, -1)[line[which], p]
    return Ragged(c.places[b[which], f[which], p], term.cols[which], val)

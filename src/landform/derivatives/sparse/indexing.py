"""Reading and writing at known places: gathers, slices, pads, concatenations, scatters."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from landform.derivatives.sparse.known import bind
from landform.derivatives.sparse.moves import Move, moved_simply, pad
from landform.derivatives.sparse.slopes import (
    Ragged,
    Slot,
    Terms,
    as_ragged,
    compressed,
    is_constant,
    merged,
    run_of,
    spread,
)
from landform.derivatives.sparse.step import Step

MOVED: dict[str, tuple[int, ...]] = {
    "gather": (0,),
    "dynamic_slice": (0,),
    "dynamic_update_slice": (0, 1),
    "scatter": (0, 2),
}
"""Operations that move elements of the operands named here to places that the other operands name."""


def rearranged(step: Step) -> list[Terms]:
    """Slopes through an operation of one operand that moves its elements."""
    return [[t for t in (moved_simply(step.eqn, term) for term in step.ins[0].terms) if t is not None]]


def places_known(step: Step) -> bool:
    """Whether the places that an indexed operation reads and writes are known."""
    moved = MOVED.get(step.name, (0, 2))
    return all(v.known is not None for k, v in enumerate(step.ins) if k not in moved)


def indexed(step: Step) -> list[Terms]:
    """Slopes through reading or overwriting at known places."""
    moved = list(MOVED[step.name])
    terms: Terms = []
    for k, source in zip(moved, _sources(step, moved), strict=True):
        if step.ins[k].terms and (source >= 0).any():
            move = Move(source, int(np.prod(step.ins[k].shape, dtype=np.int64)), _natively(step))
            terms += [t for t in (move(term) for term in step.ins[k].terms) if t is not None]
    return [merged(terms, step.context.inputs)]


def _natively(step: Step) -> Any:
    """The operation itself on slopes, where it reads a window: that is a copy, a gather is not."""
    if step.name != "dynamic_slice":
        return None
    rest = step.primals[1:]
    return lambda val: bind(step.eqn, [val, *rest])[0]


def _sources(step: Step, operands: list[int]) -> list[np.ndarray]:
    """For every moved operand, where each element of the result comes from in it (-1: from elsewhere)."""
    sizes = [int(np.prod(step.ins[k].shape, dtype=np.int64)) for k in operands]
    starts = [1 + sum(sizes[:i]) for i in range(len(sizes))]
    xs: list[Any] = [None if v.known is None else v.known.get() for v in step.ins]
    for k, start, size in zip(operands, starts, sizes, strict=True):
        xs[k] = np.arange(start, start + size).reshape(step.ins[k].shape)
    found = _numbers(step, xs)
    return [np.where((found >= a) & (found < a + size), found - a, -1) for a, size in zip(starts, sizes, strict=True)]


def _numbers(step: Step, xs: list[Any]) -> np.ndarray:
    """The operation run on the numbers of the elements."""
    if step.name == "gather":
        quick = _rows_taken(step, xs)
        if quick is not None:
            return quick
    with jax.enable_x64(True), jax.ensure_compile_time_eval():
        arrays = [jnp.asarray(x) for x in xs]
        if step.name == "gather":
            return np.asarray(step.eqn.primitive.bind(*arrays, **{**step.eqn.params, "fill_value": 0}))
        return np.asarray(bind(step.eqn, arrays)[0])


def _rows_taken(step: Step, xs: list[Any]) -> np.ndarray | None:
    """The common gather, whole entries along the first axis at places inside, in NumPy: nothing to compile."""
    p, operand, index = step.eqn.params, xs[0], xs[1]
    d = p["dimension_numbers"]
    plain = d.collapsed_slice_dims == (0,) and d.start_index_map == (0,) and not d.operand_batching_dims
    whole = tuple(p["slice_sizes"]) == (1, *operand.shape[1:]) and index.shape[-1] == 1
    last = tuple(range(index.ndim - 1, index.ndim - 1 + operand.ndim - 1))
    if not (plain and whole and tuple(d.offset_dims) == last and index.size):
        return None
    places = index[..., 0]
    return operand[places] if places.min() >= 0 and places.max() < operand.shape[0] else None


def concatenated_along(step: Step) -> list[Terms]:
    """Slopes of arrays set side by side."""
    axis, shapes = step.eqn.params["dimension"], [v.shape for v in step.ins]
    slots = [[t for t in v.terms if isinstance(t, Slot)] for v in step.ins]
    terms: Terms = []
    for k in range(max(len(s) for s in slots)):
        cols = [s[k].cols if k < len(s) else np.full(q, -1, np.int32) for s, q in zip(slots, shapes, strict=True)]
        vals = [s[k].val if k < len(s) else np.zeros((), step.out.dtype) for s in slots]
        terms.append(Slot(np.concatenate(cols, axis), _side_by_side(vals, shapes, axis)))
    terms = merged(terms, step.context.inputs)
    ids = _places_side_by_side(step, axis) if any(isinstance(t, Ragged) for v in step.ins for t in v.terms) else []
    ragged = [
        Ragged(place.ravel()[t.rows], t.cols, t.val)
        for v, place in zip(step.ins, ids, strict=False)
        for t in v.terms
        if isinstance(t, Ragged)
    ]
    return [[*terms, *_one(ragged, step.context.inputs)]]


def _one(ragged: list[Ragged], inputs: int) -> Terms:
    return [compressed(ragged, inputs)] if len(ragged) > 1 else list(ragged)


def _places_side_by_side(step: Step, axis: int) -> list[np.ndarray]:
    number = np.arange(step.out_size).reshape(step.out.shape)
    return np.split(number, np.cumsum([v.shape[axis] for v in step.ins])[:-1], axis)


def _side_by_side(vals: list[Any], shapes: list[tuple[int, ...]], axis: int) -> Any:
    if all(map(is_constant, vals)):
        if all(np.ndim(v) == 0 for v in vals) and len({float(v) for v in vals}) == 1 and float(vals[0]) != 0:
            return vals[0]
        return np.concatenate([spread(v, s) for v, s in zip(vals, shapes, strict=True)], axis)
    return jnp.concatenate([jnp.asarray(spread(v, s)) for v, s in zip(vals, shapes, strict=True)], axis)


def padded(step: Step) -> list[Terms]:
    """Slopes of a padded array; the padding number's own where it has any."""
    config, inside = step.eqn.params["padding_config"], step.ins[0]
    source = None
    terms: Terms = []
    for term in inside.terms:
        if isinstance(term, Slot):
            val = spread(term.val, inside.shape)
            zero = jnp.zeros((), step.out.dtype)
            moved = pad(val, config, 0) if is_constant(val) else jax.lax.pad(val.astype(zero.dtype), zero, config)
            terms.append(Slot(pad(term.cols, config, -1), moved))
            continue
        if source is None:
            source = pad(np.arange(int(np.prod(inside.shape, dtype=np.int64))).reshape(inside.shape), config, -1)
        found = Move(source, int(np.prod(inside.shape, dtype=np.int64)))(term)
        terms += [found] if found is not None else []
    if step.ins[1].terms:
        around = pad(np.ones(inside.shape, np.int64), config, 0) - 1
        move = Move(np.where(around < 0, 0, -1), 1)
        terms += [t for t in map(move, step.ins[1].terms) if t is not None]
    return [merged([t for t in terms if isinstance(t, Ragged) or (t.cols >= 0).any()], step.context.inputs)]


def scattered_sum(step: Step) -> list[Terms]:
    """Slopes of sums at known places, as in ``segment_sum``: what was there, and what is added."""
    operand, _, updates = step.ins
    terms = list(operand.terms)
    if updates.terms:
        where = _destinations(step)
        used = where[where >= 0]
        if len(np.unique(used)) == len(used):
            source = np.full(step.out_size, -1)
            source[used] = np.flatnonzero(where >= 0)
            move = Move(source.reshape(step.out.shape), where.size)
            terms += [t for t in map(move, updates.terms) if t is not None]
        else:
            terms += [_summed(as_ragged(t), where, step.context.inputs) for t in updates.terms]
    return [merged([t for t in terms if not isinstance(t, Ragged) or len(t.rows)], step.context.inputs)]


def _destinations(step: Step) -> np.ndarray:
    """Where every element of the updates lands in the result, flat; -1: nowhere."""
    operand, index, updates = step.ins
    with jax.enable_x64(True), jax.ensure_compile_time_eval():
        numbers = jnp.arange(1.0, step.out_size + 1.0).reshape(step.out.shape)
        zeros = jnp.zeros(updates.shape), jnp.zeros(operand.shape)
        places = jnp.asarray(index.known.get() if index.known is not None else 0)
        _, pull = jax.vjp(lambda u: bind(step.eqn, [zeros[1], places, u])[0], zeros[0])
        return np.asarray(pull(numbers)[0]).ravel().astype(np.int64) - 1


def _summed(term: Ragged, where: np.ndarray, inputs: int) -> Ragged:
    rows = where[term.rows]
    if (rows < 0).any():
        kept = np.flatnonzero(rows >= 0)
        rows, term = rows[kept], Ragged(term.rows[kept], term.cols[kept], term.val[run_of(kept)])
    return compressed([Ragged(rows, term.cols, term.val)], inputs)

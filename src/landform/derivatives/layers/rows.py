"""Which rows of a batch every value depends on, operation by operation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np

from landform.derivatives.sparse.elementwise import NAMES
from landform.derivatives.sparse.known import Known
from landform.derivatives.sparse.moves import MOVERS

Kind = Literal["fixed", "weights", "direct", "rows", "total"]

ELEMENTWISE = NAMES | {"eq", "ne", "lt", "le", "gt", "ge", "and", "or", "not", "xor", "stop_gradient"}
_REDUCING = ("reduce_sum", "reduce_max", "reduce_min", "reduce_prod", "reduce_and", "reduce_or", "argmax", "argmin")
_RUNNING = {"cumsum": "axis", "cumprod": "axis", "cummax": "axis", "cummin": "axis", "cumlogsumexp": "axis"}
_ALONG = {**_RUNNING, "sort": "dimension", "split": "axis", "concatenate": "dimension"}
_LINEAR = frozenset(["add", "add_any", "sub", "neg", "convert_element_type", "reduce_sum", *MOVERS])


class NotLayers(Exception):  # noqa: N818 - a turn of the road, not an error that a user meets
    """A function that is not a sum over rows of a network's losses, and where that showed."""


@dataclass(frozen=True)
class State:
    """What a value depends on.

    Parameters
    ----------
    kind : {"fixed", "weights", "direct", "rows", "total"}
        Nothing; weights as they stand, only rearranged; weights in some other way; what the layers give, element
        by element of one row alone; a sum over rows, with or without terms of the weights alone.
    shape : tuple of int
        Its shape.
    axis : int, optional
        Of "rows", the axis along which the rows lie; None where there is one row, without an axis.
    places : array, optional
        Of "weights", every element's place among the inputs.
    known : Known, optional
        Of "fixed", its value.
    """

    kind: Kind
    shape: tuple[int, ...]
    axis: int | None = None
    places: np.ndarray | None = None
    known: Known | None = None


def followed(eqn: Any, states: Sequence[State], rows: int | None) -> list[State]:
    """What the results of an operation depend on, with operands among them that depend on rows or on their sum.

    Raises
    ------
    NotLayers
        If rows would mix otherwise than in a sum, or a sum over rows is not used linearly.
    """
    name, shapes = eqn.primitive.name, [v.aval.shape for v in eqn.outvars]
    kinds = {s.kind for s in states}
    if "total" in kinds:
        return [_of_total(name, states, shapes[0])]
    if kinds - {"rows", "fixed"}:
        raise NotLayers(f"'{name}' mixes weights into activations")
    if rows is None:
        return [State("rows", shape) for shape in shapes]
    axes = {s.axis for s in states if s.kind == "rows"}
    if name == "dot_general":
        return [_of_product(eqn, states, shapes[0])]
    if len(axes) != 1:
        raise NotLayers(f"'{name}' mixes rows")
    return _one_axis(eqn, states, axes.pop(), shapes, rows)


def _one_axis(eqn: Any, states: Sequence[State], axis: Any, shapes: Any, rows: int) -> list[State]:
    """Operations that are no products; the rows lie along one axis of every operand that has any."""
    name, p = eqn.primitive.name, eqn.params
    alone = name in ELEMENTWISE or (name in _ALONG and p[_ALONG[name]] != axis)
    if alone and all(shape[axis] == rows for shape in shapes):
        return [State("rows", shape, axis) for shape in shapes]
    if name == "pad" and tuple(p["padding_config"][axis]) == (0, 0, 0):
        return [State("rows", shapes[0], axis)]
    if name in _REDUCING:
        if axis not in p["axes"]:
            return [State("rows", shapes[0], axis - sum(a < axis for a in p["axes"]))]
        if name == "reduce_sum":
            return [State("total", shapes[0])]
    if name in MOVERS:
        return [State("rows", shapes[0], _axis_of(MOVERS[name](_row_numbers(states[0], rows), p), rows, name))]
    if name == "gather" and states[0].kind == "rows" and states[1].known is not None:
        return [State("rows", shapes[0], _axis_of(_gathered(eqn, states, rows), rows, name))]
    raise NotLayers(f"'{name}' may mix rows")


def _row_numbers(state: State, rows: int) -> np.ndarray:
    """Every element's row."""
    lines = np.arange(rows).reshape([-1 if k == state.axis else 1 for k in range(len(state.shape))])
    return np.broadcast_to(lines, state.shape)


def _axis_of(numbers: np.ndarray, rows: int, name: str) -> int:
    """The axis along which the rows lie in order, from every element's row."""
    for axis, size in enumerate(numbers.shape):
        lines = np.arange(rows).reshape([-1 if k == axis else 1 for k in range(numbers.ndim)])
        if size == rows and np.array_equal(numbers, np.broadcast_to(lines, numbers.shape)):
            return axis
    raise NotLayers(f"'{name}' mixes rows")


def _gathered(eqn: Any, states: Sequence[State], rows: int) -> np.ndarray:
    known = states[1].known
    with jax.ensure_compile_time_eval():
        places = jnp.asarray(known.get() if known is not None else 0)
        numbers = jnp.asarray(_row_numbers(states[0], rows), dtype=jnp.int32)
        return np.asarray(eqn.primitive.bind(numbers, places, **{**eqn.params, "fill_value": -1}))


def _of_product(eqn: Any, states: Sequence[State], shape: tuple[int, ...]) -> State:
    """A product of two operands, at least one of which depends on rows."""
    contracted, batch = eqn.params["dimension_numbers"]
    place: list[tuple[str, int] | None] = [None, None]
    for k, state in enumerate(states):
        if state.kind == "rows" and state.axis is not None:
            axis = state.axis
            if axis in contracted[k]:
                place[k] = ("summed", contracted[k].index(axis))
            elif axis in batch[k]:
                place[k] = ("paired", batch[k].index(axis))
            else:
                free = [a for a in range(len(state.shape)) if a not in contracted[k] and a not in batch[k]]
                before = len(batch[0]) + (k and len(states[0].shape) - len(contracted[0]) - len(batch[0]))
                place[k] = ("free", before + free.index(axis))
    both = states[0].kind == states[1].kind == "rows"
    how, where = place[0] or place[1] or ("", 0)
    if both and (place[0] != place[1] or how == "free"):
        raise NotLayers("'dot_general' mixes rows")
    return State("total", shape) if how == "summed" else State("rows", shape, where)


def _of_total(name: str, states: Sequence[State], shape: tuple[int, ...]) -> State:
    others = {s.kind for s in states} - {"total"}
    totals = [k for k, s in enumerate(states) if s.kind == "total"]
    scaled = name in ("mul", "dot_general") or (name == "div" and totals == [0])
    if "rows" not in others and (name in _LINEAR or (scaled and len(totals) == 1 and others == {"fixed"})):
        return State("total", shape)
    raise NotLayers(f"'{name}' of a sum over rows is not linear in it")

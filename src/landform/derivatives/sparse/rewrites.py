"""Linear operations said in simpler ones, so that their pattern is exact."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from landform.derivatives.sparse.slopes import Terms
from landform.derivatives.sparse.step import Step

MOST_TAPS = 200
"""A window of more elements than this is not taken apart."""


def rewritten(step: Step) -> list[Terms] | None:
    """Slopes by way of simpler operations, or None where there is no such way."""
    simpler = REWRITES[step.name](step)
    if simpler is None:
        return None
    closed = jax.make_jaxpr(simpler)(*step.primals)
    return [v.terms for v in step.context.run(closed, step.ins)]


def _cumsum(step: Step) -> Callable[..., Any]:
    axis, length = step.eqn.params["axis"], step.out.shape[step.eqn.params["axis"]]
    matrix = np.tri(length, dtype=step.out.dtype)
    matrix = matrix if step.eqn.params["reverse"] else matrix.T
    return lambda x: jnp.moveaxis(jnp.tensordot(x, jnp.asarray(matrix), axes=(axis, 0)), -1, axis)


def _split(step: Step) -> Callable[..., Any]:
    axis, ends = step.eqn.params["axis"], np.cumsum(step.eqn.params["sizes"])
    starts = [0, *ends[:-1]]
    return lambda x: [jax.lax.slice_in_dim(x, int(a), int(b), axis=axis) for a, b in zip(starts, ends, strict=True)]


def _stack(step: Step) -> Callable[..., Any]:
    axis = step.eqn.params["axis"]
    return lambda *xs: jax.lax.concatenate([jax.lax.expand_dims(x, (axis,)) for x in xs], axis)


def _tile(step: Step) -> Callable[..., Any]:
    repeats, shape = step.eqn.params["reps"], step.ins[0].shape
    paired = [n for pair in zip(repeats, shape, strict=True) for n in pair]
    axes = tuple(range(1, len(paired), 2))
    return lambda x: jax.lax.broadcast_in_dim(x, paired, axes).reshape(step.out.shape)


def _unstack(step: Step) -> Callable[..., Any]:
    axis = step.eqn.params["axis"]
    return lambda x: [jax.lax.index_in_dim(x, k, axis, keepdims=False) for k in range(x.shape[axis])]


def _window_sum(step: Step) -> Callable[..., Any] | None:
    p = step.eqn.params
    taps = list(np.ndindex(*p["window_dimensions"]))
    if len(taps) > MOST_TAPS:
        return None
    config = [(lo, hi, d - 1) for (lo, hi), d in zip(p["padding"], p["base_dilation"], strict=True)]

    def function(x: Any) -> Any:
        wide = jax.lax.pad(x, jnp.zeros((), x.dtype), config)
        return sum(_tap(wide, tap, p["window_dilation"], p["window_strides"], step.out.shape) for tap in taps)

    return function


def _tap(wide: Any, tap: Any, dilation: Any, strides: Any, shape: Any) -> Any:
    """What one element of a window sees."""
    start = [t * d for t, d in zip(tap, dilation, strict=True)]
    limit = [a + (s - 1) * q + 1 for a, s, q in zip(start, shape, strides, strict=True)]
    return jax.lax.slice(wide, start, limit, strides)


def _convolution(step: Step) -> Callable[..., Any] | None:
    """A convolution as a sum over the window of products with one matrix each."""
    p = step.eqn.params
    numbers, groups = p["dimension_numbers"], p["feature_group_count"]
    kernel = [step.ins[1].shape[k] for k in numbers.rhs_spec[2:]]
    taps = list(np.ndindex(*kernel))
    if len(taps) > MOST_TAPS or p["batch_group_count"] != 1:
        return None
    config = [(0, 0, 0), (0, 0, 0)]
    config += [(lo, hi, d - 1) for (lo, hi), d in zip(p["padding"], p["lhs_dilation"], strict=True)]
    places = [step.out.shape[k] for k in numbers.out_spec[2:]]
    back = [int(k) for k in np.argsort(numbers.out_spec)]

    def function(x: Any, w: Any) -> Any:
        x, w = jnp.transpose(x, numbers.lhs_spec), jnp.transpose(w, numbers.rhs_spec)
        wide = jax.lax.pad(x, jnp.zeros((), x.dtype), config)
        seen = [(1, 1), *zip(p["rhs_dilation"], p["window_strides"], strict=True)]
        dilation, strides = [1, *(d for d, _ in seen)], [1, *(s for _, s in seen)]
        total: Any = 0.0
        for tap in taps:
            window = _tap(wide, (0, 0, *tap), dilation, strides, (*x.shape[:2], *places))
            window = window.reshape(x.shape[0], groups, -1, *places)
            matrix = w[(slice(None), slice(None), *tap)].reshape(groups, -1, w.shape[1])
            part = jnp.einsum("bgc...,goc->bgo...", window, matrix).reshape(x.shape[0], -1, *places)
            total = total + part
        return jnp.transpose(total, back)

    return function


REWRITES: dict[str, Callable[[Step], Callable[..., Any] | None]] = {
    "cumsum": _cumsum,
    "split": _split,
    "stack": _stack,
    "tile": _tile,
    "unstack": _unstack,
    "reduce_window_sum": _window_sum,
    "conv_general_dilated": _convolution,
}

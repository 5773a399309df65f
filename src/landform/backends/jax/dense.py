"""Dense matrices of derivatives, some products at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp

from landform.backends.jax.compiled import compiled
from landform.backends.jax.flat import Flat


def _unit_rows(first: jax.Array, chunk: int, size: int, dtype: Any) -> jax.Array:
    return (first + jnp.arange(chunk)[:, None] == jnp.arange(size)).astype(dtype)


def _rows_of(linear: Callable[[jax.Array], jax.Array], size: int, chunk: int, dtype: Any) -> jax.Array:
    """``linear`` applied to every unit vector, ``chunk`` at a time, each written where it stays."""
    if chunk >= size:
        return jax.vmap(linear)(jnp.eye(size, dtype=dtype))
    out = jax.eval_shape(linear, jax.ShapeDtypeStruct((size,), dtype))

    def fill(i: jax.Array, filled: jax.Array) -> jax.Array:
        first = jnp.minimum(i * chunk, size - chunk)
        part = jax.vmap(linear)(_unit_rows(first, chunk, size, dtype))
        return jax.lax.dynamic_update_slice_in_dim(filled, part, first, 0)

    return jax.lax.fori_loop(0, -(-size // chunk), fill, jnp.zeros((size, *out.shape), out.dtype))


def symmetric_rows(linear: Callable[[jax.Array], jax.Array], size: int, chunk: int, dtype: Any) -> jax.Array:
    """The same for a linear map that is symmetric but for rounding, made so to the last bit.

    Every chunk of rows is written as columns too, over what came before: no second matrix is needed.
    """
    if chunk >= size:
        matrix = jax.vmap(linear)(jnp.eye(size, dtype=dtype))
        return (matrix + matrix.T) / 2

    def fill(i: jax.Array, filled: jax.Array) -> jax.Array:
        first = jnp.minimum(i * chunk, size - chunk)
        part = jax.vmap(linear)(_unit_rows(first, chunk, size, dtype))
        corner = jax.lax.dynamic_slice_in_dim(part, first, chunk, 1)
        part = jax.lax.dynamic_update_slice_in_dim(part, (corner + corner.T) / 2, first, 1)
        filled = jax.lax.dynamic_update_slice_in_dim(filled, part.T, first, 1)
        return jax.lax.dynamic_update_slice_in_dim(filled, part, first, 0)

    return jax.lax.fori_loop(0, -(-size // chunk), fill, jnp.zeros((size, size), dtype))


@compiled(0, 1)
def jacobian_reverse(f: Flat, chunk: int, x: jax.Array, *args: Any) -> tuple[jax.Array, jax.Array]:
    """f(x) and J(x) row by row."""
    y, pull = jax.vjp(lambda z: f(z, *args), x)
    return y, _rows_of(lambda u: pull(u)[0], y.size, chunk, y.dtype)


@compiled(0, 1, reverse=jacobian_reverse)
def jacobian_forward(f: Flat, chunk: int, x: jax.Array, *args: Any) -> tuple[jax.Array, jax.Array]:
    """f(x) and J(x) column by column: linearized once, then applied to unit vectors."""
    y, push = jax.linearize(lambda z: f(z, *args), x)
    return y, _rows_of(push, x.size, chunk, x.dtype).T


@compiled(0, 1)
def _hessian_by_reverse(
    f: Flat, chunk: int, x: jax.Array, weights: jax.Array, *args: Any
) -> tuple[jax.Array, jax.Array]:
    _, pull, y = jax.vjp(_gradient_and_value(f, weights, args), x, has_aux=True)
    return y, symmetric_rows(lambda u: pull(u)[0], x.size, chunk, x.dtype)


@compiled(0, 1, reverse=_hessian_by_reverse)
def hessian_dense(f: Flat, chunk: int, x: jax.Array, weights: jax.Array, *args: Any) -> tuple[jax.Array, jax.Array]:
    """f(x) and the Hessian of weights·f, its gradient linearized once; symmetric to the last bit."""
    _, push, y = jax.linearize(_gradient_and_value(f, weights, args), x, has_aux=True)
    return y, symmetric_rows(push, x.size, chunk, x.dtype)


def _gradient_and_value(
    f: Flat, weights: jax.Array, args: Sequence[Any]
) -> Callable[[jax.Array], tuple[jax.Array, jax.Array]]:
    def weighted(z: jax.Array) -> tuple[jax.Array, jax.Array]:
        y = f(z, *args)
        return weights @ y, y

    return jax.grad(weighted, has_aux=True)

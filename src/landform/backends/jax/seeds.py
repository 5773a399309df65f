"""Products with many seeds at once, and the sparse matrices that are read off them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from landform.backends.jax.compiled import compiled
from landform.backends.jax.flat import Flat


def _along(linear: Callable[[jax.Array], jax.Array], seeds: jax.Array, chunk: int) -> jax.Array:
    """``linear`` applied to every seed, ``chunk`` at a time."""
    if chunk >= len(seeds):
        return jax.vmap(linear)(seeds)
    return jax.lax.map(linear, seeds, batch_size=chunk)


@compiled(0, 1)
def pullbacks(f: Flat, chunk: int, x: jax.Array, seeds: jax.Array, *args: Any) -> tuple[jax.Array, jax.Array]:
    """f(x), and J' u for every u among the rows of ``seeds``."""
    y, pull = jax.vjp(lambda z: f(z, *args), x)
    return y, _along(lambda u: pull(u)[0], seeds.astype(y.dtype), chunk)


@compiled(0, 1)
def _pushforwards_by_reverse(
    f: Flat, chunk: int, x: jax.Array, seeds: jax.Array, *args: Any
) -> tuple[jax.Array, jax.Array]:
    y, pull = jax.vjp(lambda z: f(z, *args), x)
    _, back = jax.vjp(lambda u: pull(u)[0], jnp.zeros_like(y))
    return y, _along(lambda v: back(v)[0], seeds.astype(x.dtype), chunk)


@compiled(0, 1, reverse=_pushforwards_by_reverse)
def pushforwards(f: Flat, chunk: int, x: jax.Array, seeds: jax.Array, *args: Any) -> tuple[jax.Array, jax.Array]:
    """f(x), and J v for every v among the rows of ``seeds``."""
    y, push = jax.linearize(lambda z: f(z, *args), x)
    return y, _along(push, seeds.astype(x.dtype), chunk)


@compiled(0, 1)
def _products_by_reverse(
    f: Flat, chunk: int, x: jax.Array, weights: jax.Array, seeds: jax.Array, *args: Any
) -> jax.Array:
    _, pull = jax.vjp(jax.grad(lambda z: weights @ f(z, *args)), x)
    return _along(lambda u: pull(u)[0], seeds.astype(x.dtype), chunk)


@compiled(0, 1, reverse=_products_by_reverse)
def hessian_products(f: Flat, chunk: int, x: jax.Array, weights: jax.Array, seeds: jax.Array, *args: Any) -> jax.Array:
    """The Hessian of weights·f times every v among the rows of ``seeds``."""
    _, push = jax.linearize(jax.grad(lambda z: weights @ f(z, *args)), x)
    return _along(push, seeds.astype(x.dtype), chunk)


@jax.jit
def taken(parts: Sequence[jax.Array], source: jax.Array) -> jax.Array:
    """The numbers at ``source`` among all arrays set end to end."""
    line = jnp.concatenate([part.reshape(-1) for part in parts])
    return line.at[source].get(mode="promise_in_bounds")


def sparse_matrix(indptr: np.ndarray, columns: np.ndarray, data: jax.Array, shape: tuple[int, int]) -> Any:
    """A matrix in compressed rows as JAX's ``BCOO``."""
    from jax.experimental.sparse import BCOO

    rows = np.repeat(np.arange(shape[0], dtype=columns.dtype), np.diff(indptr))
    places = jnp.asarray(np.stack([rows, columns], axis=1))
    return BCOO((data, places), shape=shape, indices_sorted=True, unique_indices=True)

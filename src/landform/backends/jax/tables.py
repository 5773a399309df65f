"""Slopes and curves at every row of a table."""

from __future__ import annotations

from typing import Any

import jax

from landform.backends.jax.compiled import compiled
from landform.backends.jax.flat import Flat


@compiled(0)
def slopes_by_output(f: Flat, X: jax.Array, *args: Any) -> jax.Array:
    """J at every row of X by reverse products, shape (rows, m, n): for few outputs."""
    return jax.vmap(jax.jacrev(lambda z: f(z, *args)))(X)


@compiled(0, reverse=slopes_by_output)
def slopes_by_input(f: Flat, X: jax.Array, *args: Any) -> jax.Array:
    """J at every row of X by forward products."""
    return jax.vmap(jax.jacfwd(lambda z: f(z, *args)))(X)


@compiled(0)
def _curves_by_reverse(f: Flat, X: jax.Array, *args: Any) -> jax.Array:
    return jax.vmap(jax.jacrev(jax.jacrev(lambda z: f(z, *args))))(X)


@compiled(0, reverse=_curves_by_reverse)
def curves(f: Flat, X: jax.Array, *args: Any) -> jax.Array:
    """The Hessian of every output at every row of X, shape (rows, m, n, n): forward over reverse."""
    return jax.vmap(jax.jacfwd(jax.jacrev(lambda z: f(z, *args))))(X)

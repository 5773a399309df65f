"""Beyond single products: the loss of a linearized function, Laplacians, Taylor coefficients."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache, partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from landform.backends.jax.compiled import compiled
from landform.backends.jax.flat import Flat


@lru_cache(maxsize=256)
def loss_of_linear(f: Flat, loss: Flat) -> Flat:
    """``z ↦ loss(f(x) + J(x)(z − x))``: its Hessian at x is the Gauss-Newton matrix.

    It takes x, what else the loss takes (a tuple), and what else f takes.
    """

    def composed(z: jax.Array, x: jax.Array, extra: tuple[Any, ...], *args: Any) -> jax.Array:
        y, slope = jax.jvp(lambda w: f(w, *args), (x,), (z - x,))
        return loss(y + slope, *extra)

    return composed


@compiled(0, 1)
def _laplacian_by_reverse(f: Flat, _: int, x: jax.Array, *args: Any) -> jax.Array:
    return jnp.trace(jax.jacrev(jax.jacrev(lambda z: f(z, *args)))(x), axis1=1, axis2=2)


@compiled(0, 1, reverse=_laplacian_by_reverse)
def laplacian(f: Flat, chunk: int, x: jax.Array, *args: Any) -> jax.Array:
    """The sum of every output's second derivatives along the inputs, ``chunk`` inputs at a time."""

    def along(k: jax.Array) -> jax.Array:
        v = (jnp.arange(x.size) == k).astype(x.dtype)
        return jax.jvp(lambda z: jax.jvp(lambda w: f(w, *args), (z,), (v,))[1], (x,), (v,))[1]

    def add(i: jax.Array, total: jax.Array) -> jax.Array:
        k = i * chunk + jnp.arange(chunk)  # past the last input the direction is zero
        return total + jax.vmap(along)(k).sum(axis=0)

    out = jax.eval_shape(along, jnp.zeros((), int))
    return jax.lax.fori_loop(0, -(-x.size // chunk), add, jnp.zeros(out.shape, out.dtype))


def taylor(f: Flat, order: int, x: Any, v: Any, *args: Any) -> jax.Array:
    """Taylor coefficients of f along v, shape (order + 1, m): by JAX's Taylor arithmetic, or by nested slopes.

    Taylor arithmetic is taken where it has every rule and agrees with the slopes of first and second order, which
    are worked out beside it: some of its rules give wrong coefficients in silence.
    """
    if order > 2:
        try:
            found = _by_arithmetic(f, order, x, v, *args)
        except Exception:  # whatever the experimental arithmetic stumbles over
            return _by_nesting(f, order, x, v, *args)
        if isinstance(found, jax.core.Tracer):
            return _by_nesting(f, order, x, v, *args)
        checked = np.asarray(_by_nesting(f, 3, x, v, *args))
        if np.allclose(found[:4], checked, rtol=1e-3 * float(jnp.finfo(checked.dtype).eps) ** 0.25, atol=0):
            return found
    return _by_nesting(f, order, x, v, *args)


@compiled(0, 1)
def _by_arithmetic(f: Flat, order: int, x: jax.Array, v: jax.Array, *args: Any) -> jax.Array:
    from jax.experimental.jet import jet

    series = [v] + [jnp.zeros_like(v)] * (order - 1)
    y, terms = jet(lambda z: f(z, *args), (x,), (series,))
    return jnp.stack([y, *terms]) / _factorials(order, y.dtype)


@compiled(0, 1)
def _by_nesting(f: Flat, order: int, x: jax.Array, v: jax.Array, *args: Any) -> jax.Array:
    def along(t: jax.Array) -> jax.Array:
        return f(x + t * v, *args)

    found, derivative = [], along
    zero, one = jnp.zeros((), x.dtype), jnp.ones((), x.dtype)
    for _ in range(order + 1):
        found.append(derivative(zero))
        derivative = partial(_slope, derivative, one)
    return jnp.stack(found) / _factorials(order, found[0].dtype)


def _slope(g: Callable[[jax.Array], jax.Array], one: jax.Array, t: jax.Array) -> jax.Array:
    return jax.jvp(g, (t,), (one,))[1]


def _factorials(order: int, dtype: Any) -> jax.Array:
    return jnp.asarray([[float(math.factorial(k))] for k in range(order + 1)], dtype)

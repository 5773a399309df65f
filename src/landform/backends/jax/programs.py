"""Products of derivatives: evaluate, push forward, pull back, bend."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax.flatten_util import ravel_pytree

from landform.backends.jax.compiled import compiled
from landform.backends.jax.flat import Flat, output_tree


@compiled(0)
def value(f: Flat, x: jax.Array, *args: Any) -> jax.Array:
    """f(x)."""
    return f(x, *args)


def outputs_at(f: Flat, x: Any, args: Sequence[Any], m: int, precision: Callable[[], Any]) -> Any:
    """The outputs at x in their own shapes."""
    with precision():
        y = value(f, x, *args)
        tree = output_tree(f, m)
        zeros = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), tree)
        return y if tree is None else ravel_pytree(zeros)[1](y)


@compiled(0)
def values(f: Flat, X: jax.Array, *args: Any) -> jax.Array:
    """f at every row of X."""
    return jax.vmap(lambda x: f(x, *args))(X)


@compiled(0)
def _pushforward_by_reverse(f: Flat, x: jax.Array, v: jax.Array, *args: Any) -> jax.Array:
    """J(x) v from J' alone: u ↦ J'u is linear, and its own pull-back is J."""
    y, pull = jax.vjp(lambda z: f(z, *args), x)
    return jax.vjp(lambda u: pull(u)[0], jnp.zeros_like(y))[1](v)[0]


@compiled(0, reverse=_pushforward_by_reverse)
def pushforward(f: Flat, x: jax.Array, v: jax.Array, *args: Any) -> jax.Array:
    """J(x) v."""
    return jax.jvp(lambda z: f(z, *args), (x,), (v,))[1]


@compiled(0)
def pullback(f: Flat, x: jax.Array, u: jax.Array, *args: Any) -> jax.Array:
    """J(x)' u."""
    return jax.vjp(lambda z: f(z, *args), x)[1](u)[0]


@compiled(0)
def _value_and_pushforward_by_reverse(f: Flat, x: jax.Array, v: jax.Array, *args: Any) -> tuple[jax.Array, jax.Array]:
    return f(x, *args), _pushforward_by_reverse.function(f, x, v, *args)


@compiled(0, reverse=_value_and_pushforward_by_reverse)
def value_and_pushforward(f: Flat, x: jax.Array, v: jax.Array, *args: Any) -> tuple[jax.Array, jax.Array]:
    """f(x) and J(x) v."""
    return jax.jvp(lambda z: f(z, *args), (x,), (v,))


@compiled(0)
def value_and_pullback(f: Flat, x: jax.Array, u: jax.Array, *args: Any) -> tuple[jax.Array, jax.Array]:
    """f(x) and J(x)' u."""
    y, pull = jax.vjp(lambda z: f(z, *args), x)
    return y, pull(u)[0]


@compiled(0)
def _values_and_jacobians_by_reverse(f: Flat, X: jax.Array, *args: Any) -> tuple[jax.Array, jax.Array]:
    return jax.vmap(lambda x: (f(x, *args), jax.jacrev(lambda z: f(z, *args))(x)))(X)


@compiled(0, reverse=_values_and_jacobians_by_reverse)
def values_and_jacobians(f: Flat, X: jax.Array, *args: Any) -> tuple[jax.Array, jax.Array]:
    """f and J at every row of X, shapes (rows, m) and (rows, m, n)."""

    def one(x: jax.Array) -> tuple[jax.Array, jax.Array]:
        y, push = jax.linearize(lambda z: f(z, *args), x)
        return y, jax.vmap(push)(jnp.eye(x.size, dtype=x.dtype)).T

    return jax.vmap(one)(X)


def _gradient_slope(f: Flat, x: jax.Array, weights: jax.Array, v: jax.Array, args: Sequence[Any]) -> jax.Array:
    """H v by reverse over reverse."""
    return jax.grad(lambda z: jax.grad(lambda w: weights @ f(w, *args))(z) @ v)(x)


@compiled(0)
def _product_by_reverse(f: Flat, x: jax.Array, weights: jax.Array, v: jax.Array, *args: Any) -> jax.Array:
    return _gradient_slope(f, x, weights, v, args)


@compiled(0, reverse=_product_by_reverse)
def hessian_product(f: Flat, x: jax.Array, weights: jax.Array, v: jax.Array, *args: Any) -> jax.Array:
    """The Hessian of weights·f at x, times v: forward over reverse."""
    return jax.jvp(jax.grad(lambda z: weights @ f(z, *args)), (x,), (v,))[1]


@compiled(0)
def _value_and_product_by_reverse(
    f: Flat, x: jax.Array, weights: jax.Array, v: jax.Array, *args: Any
) -> tuple[jax.Array, jax.Array]:
    return weights @ f(x, *args), _gradient_slope(f, x, weights, v, args)


@compiled(0, reverse=_value_and_product_by_reverse)
def value_and_hessian_product(
    f: Flat, x: jax.Array, weights: jax.Array, v: jax.Array, *args: Any
) -> tuple[jax.Array, jax.Array]:
    """weights·f at x, and its Hessian times v."""
    (value, _), (_, product) = jax.jvp(jax.value_and_grad(lambda z: weights @ f(z, *args)), (x,), (v,))
    return value, product


@compiled(0)
def _linear_gradient(f: Flat, x: jax.Array, weights: jax.Array, *args: Any) -> Any:
    """The gradient's linearization as arrays in a tree that can be called."""
    return jax.linearize(jax.grad(lambda z: weights @ f(z, *args)), x)[1]


@jax.jit
def _call(linear: Any, v: jax.Array) -> jax.Array:
    return linear(v)


class FixedPoint:
    """Products with the Hessian of weights·f at one point, its gradient linearized once.

    Parameters
    ----------
    f, x, weights, args
        As for `hessian_product`.
    budget : int
        Bytes that the linearization may keep; where it needs more, every product starts afresh.
    """

    def __init__(self, f: Flat, x: Any, weights: Any, args: Sequence[Any], budget: int) -> None:
        self._afresh = lambda v: hessian_product(f, x, weights, v, *args)
        self._linear: Any = None
        try:
            kept = jax.eval_shape(partial(_linear_gradient.function, f), x, weights, *args)
        except (TypeError, NotImplementedError):  # a rule for reverse products alone
            return
        if sum(v.size * v.dtype.itemsize for v in jax.tree.leaves(kept)) <= budget:
            self._linear = _linear_gradient(f, x, weights, *args)

    def __call__(self, v: Any) -> jax.Array:
        """H v."""
        return self._afresh(v) if self._linear is None else _call(self._linear, v)


@compiled(0)
def _value_and_quadratic_by_reverse(
    f: Flat, x: jax.Array, weights: jax.Array, v: jax.Array, *args: Any
) -> tuple[jax.Array, jax.Array]:
    return weights @ f(x, *args), v @ _gradient_slope(f, x, weights, v, args)


@compiled(0, reverse=_value_and_quadratic_by_reverse)
def value_and_quadratic(
    f: Flat, x: jax.Array, weights: jax.Array, v: jax.Array, *args: Any
) -> tuple[jax.Array, jax.Array]:
    """weights·f at x, and v' H v of it: forward over forward, nothing stored."""

    def along(z: jax.Array) -> tuple[jax.Array, jax.Array]:
        return jax.jvp(lambda w: weights @ f(w, *args), (z,), (v,))

    (value, _), (_, curve) = jax.jvp(along, (x,), (v,))
    return value, curve


@compiled(0)
def _bend_by_reverse(f: Flat, x: jax.Array, v: jax.Array, *args: Any) -> tuple[jax.Array, jax.Array]:
    return f(x, *args), jax.jacrev(lambda z: jax.jacrev(lambda w: f(w, *args))(z) @ v)(x) @ v


@compiled(0, reverse=_bend_by_reverse)
def bend(f: Flat, x: jax.Array, v: jax.Array, *args: Any) -> tuple[jax.Array, jax.Array]:
    """f(x), and v' H v of every output, shape (m,): forward over forward."""
    (y, _), (_, curve) = jax.jvp(lambda z: jax.jvp(lambda w: f(w, *args), (z,), (v,)), (x,), (v,))
    return y, curve


@compiled(0)
def _second_by_reverse(f: Flat, x: jax.Array, *args: Any) -> tuple[jax.Array, jax.Array, jax.Array]:
    def slopes(z: jax.Array) -> jax.Array:
        return jax.jacrev(lambda w: f(w, *args))(z)

    return f(x, *args), slopes(x), jax.jacrev(slopes)(x)


@compiled(0, reverse=_second_by_reverse)
def second_derivatives(f: Flat, x: jax.Array, *args: Any) -> tuple[jax.Array, jax.Array, jax.Array]:
    """f, J and the Hessian of every output, shapes (m,), (m, n), (m, n, n): for few inputs, one program."""

    def first(z: jax.Array) -> tuple[jax.Array, jax.Array]:
        y, push = jax.linearize(lambda w: f(w, *args), z)
        return y, jax.vmap(push)(jnp.eye(z.size, dtype=z.dtype)).T

    (y, jacobian), push = jax.linearize(first, x)
    curves = jax.vmap(lambda v: push(v)[1])(jnp.eye(x.size, dtype=x.dtype))
    return y, jacobian, jnp.moveaxis(curves, 0, -1)

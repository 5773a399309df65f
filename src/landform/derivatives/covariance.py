"""Covariances of slopes and curves: a covariance function differentiated in both of its points.

Where ``f`` is a random function with covariance k(x, z), the covariance of its slope at x along v with its slope
at z along w is ``v' (d²k / dx dz') w``, and so on for curves: the derivative of a Gaussian process is one.

References
----------
Rasmussen and Williams (2006), *Gaussian Processes for Machine Learning*, sec. 9.4.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np
from jaxtyping import Float

from landform.backends.jax import compiled, double_precision

Covariance = Callable[..., Any]
"""``k(x, z, *args)`` of two points, JAX-traceable, to a scalar."""


@compiled(0)
def _slopes(k: Covariance, X: jax.Array, V: jax.Array, args: Sequence[Any]) -> jax.Array:
    def pair(x: jax.Array, z: jax.Array) -> jax.Array:
        return jax.jacfwd(jax.grad(k, argnums=0), argnums=1)(x, z, *args)

    def row(carry: jax.Array, one: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, None]:
        x, v = one
        along = jax.vmap(lambda z, w: v.T @ pair(x, z) @ w)(X, V)
        return carry + along.sum(axis=0), None

    total, _ = jax.lax.scan(row, jax.numpy.zeros((V.shape[2], V.shape[2]), dtype=X.dtype), (X, V))
    return total


def covariance_of_slopes(
    k: Covariance, X: Float[np.ndarray, "rows n"], V: Float[np.ndarray, "rows n k"], args: Sequence[Any] = ()
) -> Float[np.ndarray, "k k"]:
    """Covariance of k slopes, each a sum over points of the slope there along a direction of its own.

    Parameters
    ----------
    k : callable
        Covariance function.
    X : array, shape (rows, n)
        Points.
    V : array, shape (rows, n, k)
        For every point, k directions as columns, zero where a slope does not take that point in; for a mean
        over points divide by their number.
    args : sequence
        The covariance function's further arguments.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> rbf = lambda x, z: jnp.exp(-0.5 * jnp.sum((x - z) ** 2 / 4.0))
    >>> covariance_of_slopes(rbf, np.zeros((1, 2)), np.eye(2)[None])
    array([[0.25, 0.  ],
           [0.  , 0.25]])
    """
    with double_precision():
        return np.asarray(_slopes.quick(k, np.asarray(X), np.asarray(V), tuple(args)))


@compiled(0)
def _variances(k: Covariance, X: jax.Array, V: jax.Array, args: Sequence[Any]) -> jax.Array:
    def pair(x: jax.Array, z: jax.Array) -> jax.Array:
        return jax.jacfwd(jax.grad(k, argnums=0), argnums=1)(x, z, *args)

    def row(carry: jax.Array, one: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, None]:
        x, v = one
        along = jax.vmap(lambda z, w: jax.numpy.sum(v * (pair(x, z) @ w), axis=0))(X, V)
        return carry + along.sum(axis=0), None

    return jax.lax.scan(row, jax.numpy.zeros(V.shape[2], dtype=X.dtype), (X, V))[0]


def variances_of_slopes(
    k: Covariance, X: Float[np.ndarray, "rows n"], V: Float[np.ndarray, "rows n k"], args: Sequence[Any] = ()
) -> Float[np.ndarray, " k"]:
    """The diagonal of `covariance_of_slopes`, for many slopes at a fraction of its cost.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> rbf = lambda x, z: jnp.exp(-0.5 * jnp.sum((x - z) ** 2 / 4.0))
    >>> variances_of_slopes(rbf, np.zeros((1, 2)), np.eye(2)[None])
    array([0.25, 0.25])
    """
    with double_precision():
        return np.asarray(_variances.quick(k, np.asarray(X), np.asarray(V), tuple(args)))


@compiled(0)
def _slopes_of_rows(k: Covariance, X: jax.Array, V: jax.Array, args: Sequence[Any]) -> jax.Array:
    def one(x: jax.Array, v: jax.Array) -> jax.Array:
        return v.T @ jax.jacfwd(jax.grad(k, argnums=0), argnums=1)(x, x, *args) @ v

    return jax.vmap(one)(X, V)


def covariances_of_slopes(
    k: Covariance, X: Float[np.ndarray, "rows n"], V: Float[np.ndarray, "rows n k"], args: Sequence[Any] = ()
) -> Float[np.ndarray, "rows k k"]:
    """Covariance of the slopes along k directions, at every row by itself.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> rbf = lambda x, z: jnp.exp(-0.5 * jnp.sum((x - z) ** 2 / 4.0))
    >>> covariances_of_slopes(rbf, np.zeros((1, 2)), np.array([[[1.0], [1.0]]]))
    array([[[0.5]]])
    """
    with double_precision():
        return np.asarray(_slopes_of_rows.quick(k, np.asarray(X), np.asarray(V), tuple(args)))


@compiled(0)
def _values(k: Covariance, X: jax.Array, Z: jax.Array, args: Sequence[Any]) -> jax.Array:
    return jax.vmap(lambda x: jax.vmap(lambda z: k(x, z, *args))(Z))(X)


def covariance_of_values(
    k: Covariance, X: Float[np.ndarray, "rows n"], Z: Float[np.ndarray, "more n"], args: Sequence[Any] = ()
) -> Float[np.ndarray, "rows more"]:
    """Covariance of the values at every row of X with those at every row of Z.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> covariance_of_values(lambda x, z: x @ z, np.eye(2), np.ones((1, 2)))
    array([[1.],
           [1.]])
    """
    with double_precision():
        return np.asarray(_values.quick(k, np.asarray(X), np.asarray(Z), tuple(args)))


@compiled(0)
def _differences(k: Covariance, X: jax.Array, Z: jax.Array, args: Sequence[Any]) -> jax.Array:
    return jax.vmap(lambda x, z: k(x, x, *args) + k(z, z, *args) - 2.0 * k(x, z, *args))(X, Z)


def variances_of_differences(
    k: Covariance, X: Float[np.ndarray, "rows n"], Z: Float[np.ndarray, "rows n"], args: Sequence[Any] = ()
) -> Float[np.ndarray, " rows"]:
    """Variance of the value at a row of X less that at the same row of Z.

    Examples
    --------
    >>> variances_of_differences(lambda x, z: x @ z, np.eye(2), np.zeros((2, 2)))
    array([1., 1.])
    """
    with double_precision():
        return np.asarray(_differences.quick(k, np.asarray(X), np.asarray(Z), tuple(args)))


@compiled(0)
def _curve(k: Covariance, x: jax.Array, v: jax.Array, args: Sequence[Any]) -> jax.Array:
    def second(g: Callable[[jax.Array], jax.Array]) -> jax.Array:
        def slope(z: jax.Array) -> jax.Array:
            return jax.jvp(g, (z,), (v,))[1]

        return jax.jvp(slope, (x,), (v,))[1]

    return second(lambda y: second(lambda z: k(y, z, *args)))


def variance_of_curve(
    k: Covariance, x: Float[np.ndarray, " n"], v: Float[np.ndarray, " n"], args: Sequence[Any] = ()
) -> float:
    """Variance of the second derivative at x along v.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> rbf = lambda x, z: jnp.exp(-0.5 * jnp.sum((x - z) ** 2))
    >>> round(variance_of_curve(rbf, np.zeros(2), np.array([1.0, 0.0])), 6)
    3.0
    """
    with double_precision():
        return float(_curve.quick(k, np.asarray(x), np.asarray(v), tuple(args)))

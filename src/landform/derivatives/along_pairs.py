"""Second derivatives along pairs of directions: of functions, of random functions, and by a model's parameters.

A pair (v, w) asks for d²/da db of f at ``x + a v + b w``; a bent pair follows ``x + a v + b w + a b v`` instead, which
for w = v = x is what the logarithm of an input asks for: d²f/d(log x)² = x² f″ + x f′.

References
----------
Rasmussen and Williams (2006), *Gaussian Processes for Machine Learning*, sec. 9.4: derivatives of a process, of any
order that it has, are jointly Gaussian with derivatives of its covariance function as covariances.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from landform.backends.jax import compiled, double_precision
from landform.derivatives.covariance import Covariance
from landform.derivatives.parameters import Link, by_parameters

Array = np.ndarray


class Pairs(NamedTuple):
    """Which directions meet: places of the two in every pair, and 1 where a pair is bent, 0 elsewhere."""

    first: np.ndarray
    second: np.ndarray
    bent: np.ndarray

    @classmethod
    def of(cls, logs: Sequence[bool]) -> Pairs:
        """All pairs of directions, each with itself too; that of a logarithm with itself is bent.

        Examples
        --------
        >>> Pairs.of([False, True]).bent
        array([0., 0., 1.])
        """
        first, second = np.triu_indices(len(logs))
        return cls(first, second, (np.asarray(logs)[first] & (first == second)).astype(np.float64))


def second_along(f: Callable[..., Any], x: jax.Array, v: jax.Array, w: jax.Array, bent: jax.Array) -> jax.Array:
    """d²/da db of f at x + a v + b w + bent a b v."""
    zero, one = jnp.zeros((), dtype=x.dtype), jnp.ones((), dtype=x.dtype)

    def slope(a: jax.Array) -> jax.Array:
        return jax.jvp(lambda b: f(x + a * v + b * w + bent * a * b * v), (zero,), (one,))[1]

    return jax.jvp(slope, (zero,), (one,))[1]


def _pairwise(f: Callable[..., Any], x: jax.Array, V: jax.Array, pairs: Pairs) -> jax.Array:
    """Second derivatives along all pairs, the pairs last."""

    def one(i: jax.Array, j: jax.Array, bent: jax.Array) -> jax.Array:
        return second_along(f, x, V[:, i], V[:, j], bent)

    return jax.vmap(one, out_axes=-1)(*map(jnp.asarray, pairs))


@compiled(0)
def _of_rows(f: Callable[..., Any], X: jax.Array, V: jax.Array, pairs: Pairs, args: Sequence[Any]) -> jax.Array:
    return jax.vmap(lambda x, v: _pairwise(lambda y: f(y, *args), x, v, pairs))(X, V)


def curves_along_pairs(
    f: Callable[..., Any],
    X: Float[Array, "rows n"],
    V: Float[Array, "rows n k"],
    pairs: Pairs,
    args: Sequence[Any] = (),
) -> Float[Array, "rows m p"]:
    """Second derivatives of a function at rows, along pairs of each row's k directions.

    Examples
    --------
    >>> curves_along_pairs(lambda x: x[:1] * x[1:], np.ones((1, 2)), np.eye(2)[None], Pairs.of([False, False]))
    array([[[0., 1., 0.]]])
    """
    with double_precision():
        return np.asarray(_of_rows.quick(f, np.asarray(X), np.asarray(V), pairs, tuple(args)))


def _variance(
    k: Covariance, x: jax.Array, v: jax.Array, z: jax.Array, w: jax.Array, pairs: Pairs, args: Sequence[Any]
) -> jax.Array:
    """Covariance of the second derivatives at x and z, pair by pair."""

    def one(i: jax.Array, j: jax.Array, bent: jax.Array) -> jax.Array:
        def inner(y: jax.Array) -> jax.Array:
            return second_along(lambda u: k(y, u, *args), z, w[:, i], w[:, j], bent)

        return second_along(inner, x, v[:, i], v[:, j], bent)

    return jax.vmap(one)(*map(jnp.asarray, pairs))


@compiled(0)
def _local(k: Covariance, X: jax.Array, V: jax.Array, pairs: Pairs, args: Sequence[Any]) -> jax.Array:
    return jax.vmap(lambda x, v: _variance(k, x, v, x, v, pairs, args))(X, V)


@compiled(0)
def _mean(k: Covariance, X: jax.Array, V: jax.Array, pairs: Pairs, args: Sequence[Any]) -> jax.Array:
    def row(total: jax.Array, one: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, None]:
        x, v = one
        return total + jax.vmap(lambda z, w: _variance(k, x, v, z, w, pairs, args))(X, V).mean(axis=0), None

    return jax.lax.scan(row, jnp.zeros(len(pairs.first), dtype=X.dtype), (X, V))[0] / len(X)


def variances_of_curves(
    k: Covariance, X: Float[Array, "rows n"], V: Float[Array, "rows n k"], pairs: Pairs, args: Sequence[Any] = ()
) -> tuple[Float[Array, "rows p"], Float[Array, " p"]]:
    """Of the second derivatives of a random function with covariance k, at every row and of their mean over the rows.

    Parameters
    ----------
    k : callable
        Covariance function; four times differentiable where two points coincide.
    X, V : array
        Points, and k directions at each.
    pairs : Pairs
        Which of them meet.
    args : sequence
        The covariance function's further arguments.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> rbf = lambda x, z: jnp.exp(-0.5 * jnp.sum((x - z) ** 2))
    >>> variances_of_curves(rbf, np.zeros((1, 2)), np.eye(2)[None], Pairs.of([False, False]))[0]
    array([[3., 1., 3.]])
    """
    with double_precision():
        X, V, args = np.asarray(X), np.asarray(V), tuple(args)
        return np.asarray(_local.quick(k, X, V, pairs, args)), np.asarray(_mean.quick(k, X, V, pairs, args))


@compiled(0)
def _by_parameters(
    link: Link, F: jax.Array, U: jax.Array, C: jax.Array, W: jax.Array, b: jax.Array, pairs: Pairs, args: Sequence[Any]
) -> jax.Array:
    def one(features: jax.Array, moves: jax.Array, turns: jax.Array) -> jax.Array:
        def curves(W: jax.Array, b: jax.Array) -> jax.Array:
            eta = W @ features + b

            def along(i: jax.Array, j: jax.Array, turn: jax.Array) -> jax.Array:
                def slope(e: jax.Array) -> jax.Array:
                    return jax.jvp(lambda e: link(e, *args), (e,), (W @ moves[:, i],))[1]

                bent = jax.jvp(lambda e: link(e, *args), (eta,), (W @ turn,))[1]
                return jax.jvp(slope, (eta,), (W @ moves[:, j],))[1] + bent

            return jax.vmap(along, in_axes=(0, 0, 1), out_axes=1)(
                jnp.asarray(pairs.first), jnp.asarray(pairs.second), turns
            )

        return by_parameters(curves, W, b)

    return jax.vmap(one)(F, U, C)


def curves_by_parameters(
    link: Link,
    F: Float[Array, "rows q"],
    U: Float[Array, "rows q k"],
    C: Float[Array, "rows q p"],
    W: Float[Array, "l q"],
    b: Float[Array, " l"],
    pairs: Pairs,
    args: Sequence[Any] = (),
) -> Float[Array, "rows m p parameters"]:
    """How the second derivatives of link(W φ(x) + b) along pairs change with every entry of W and b.

    Parameters
    ----------
    link : callable
        From η to the outputs.
    F, U, C : array
        Features φ(x) of every row, their slopes along k directions, their second derivatives along p pairs.
    W, b : array
        Parameters.
    pairs : Pairs
        Which directions meet.
    args : sequence
        The link's further arguments.

    Examples
    --------
    >>> one = np.ones((1, 1))
    >>> curves_by_parameters(lambda e: e**2, one, one[None], 0 * one[None], 3 * one, np.zeros(1), Pairs.of([False]))
    array([[[[12.,  0.]]]])
    """
    with double_precision():
        arrays = map(np.asarray, (F, U, C, W, b))
        return np.asarray(_by_parameters.quick(link, *arrays, pairs, tuple(args)))

"""Slopes of a model differentiated by the model's own parameters: how their doubt becomes the slopes' doubt.

For f(x) = link(W φ(x) + b) the slope along v is ``link'(η) W φ'(x) v``; its derivative by W and b, times their
covariance from both sides, is its variance (the delta method, exact where the link is the identity).

References
----------
Oehlert (1992), "A note on the delta method", The American Statistician 46.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from landform.backends.jax import compiled, double_precision

Link = Callable[..., Any]
"""``link(eta, *args)``, JAX-traceable, from shape (k,) to shape (m,)."""


def by_parameters(f: Callable[..., Any], W: jax.Array, b: jax.Array) -> jax.Array:
    """Derivatives of f(W, b) by both as one last axis: every row of W followed by its intercept."""
    by_weights, by_intercept = jax.jacrev(f, argnums=(0, 1))(W, b)
    both = jnp.concatenate([by_weights, by_intercept[..., None]], axis=-1)
    return both.reshape(*both.shape[:-2], -1)


@compiled(0)
def _slopes(link: Link, F: jax.Array, U: jax.Array, W: jax.Array, b: jax.Array, args: Sequence[Any]) -> jax.Array:
    def one(features: jax.Array, moves: jax.Array) -> jax.Array:
        def slopes(W: jax.Array, b: jax.Array) -> jax.Array:
            eta = W @ features + b

            def along(u: jax.Array) -> jax.Array:
                return jax.jvp(lambda e: link(e, *args), (eta,), (W @ u,))[1]

            return jax.vmap(along, in_axes=1, out_axes=1)(moves)

        return by_parameters(slopes, W, b)

    return jax.vmap(one)(F, U)


def slopes_by_parameters(
    link: Link,
    F: Float[np.ndarray, "rows p"],
    U: Float[np.ndarray, "rows p d"],
    W: Float[np.ndarray, "k p"],
    b: Float[np.ndarray, " k"],
    args: Sequence[Any] = (),
) -> Float[np.ndarray, "rows m d q"]:
    """How every slope changes with every parameter, q = k (p + 1) of them.

    Parameters
    ----------
    link : callable
        From η to the outputs.
    F, U : array
        Features φ(x) of every row, and φ'(x) times d directions.
    W, b : array
        Parameters.
    args : sequence
        The link's further arguments.

    Examples
    --------
    >>> slopes_by_parameters(lambda e: e, np.ones((1, 2)), np.eye(2)[None], np.array([[3.0, 4.0]]), np.zeros(1))
    array([[[[1., 0., 0.],
             [0., 1., 0.]]]])
    """
    with double_precision():
        return np.asarray(_slopes.quick(link, *map(np.asarray, (F, U, W, b)), tuple(args)))


@compiled(0)
def _values(link: Link, F: jax.Array, W: jax.Array, b: jax.Array, args: Sequence[Any]) -> jax.Array:
    def one(features: jax.Array) -> jax.Array:
        return by_parameters(lambda W, b: link(W @ features + b, *args), W, b)

    return jax.vmap(one)(F)


def values_by_parameters(
    link: Link,
    F: Float[np.ndarray, "rows p"],
    W: Float[np.ndarray, "k p"],
    b: Float[np.ndarray, " k"],
    args: Sequence[Any] = (),
) -> Float[np.ndarray, "rows m q"]:
    """How every value changes with every parameter.

    Examples
    --------
    >>> values_by_parameters(lambda e: e, np.array([[5.0, 6.0]]), np.array([[3.0, 4.0]]), np.zeros(1))
    array([[[5., 6., 1.]]])
    """
    with double_precision():
        return np.asarray(_values.quick(link, *map(np.asarray, (F, W, b)), tuple(args)))

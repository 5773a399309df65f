"""What is added up over the rows: squares, robust losses, or a negative log-likelihood of one's own.

References
----------
Huber (1964), "Robust estimation of a location parameter", Ann. Math. Statist. 35; Triggs et al. (1999), "Bundle
adjustment: a modern synthesis", sec. 3 (the losses as SciPy names them).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, Literal

import jax
import jax.numpy as jnp

Named = Literal["squares", "soft l1", "huber", "cauchy"]

ROBUST: dict[str, Callable[[jax.Array], jax.Array]] = {
    "soft l1": lambda z: 2 * (jnp.sqrt(1 + z) - 1),
    "huber": lambda z: jnp.where(z <= 1, z, 2 * jnp.sqrt(jnp.where(z <= 1, 1.0, z)) - 1),
    "cauchy": jnp.log1p,
}
"""ρ of the squared residual in units of the scale; half of it is added up."""


@lru_cache(maxsize=64)
def residual_function(model: Callable[..., Any], unflatten: Callable[[Any], Any]) -> Callable[..., jax.Array]:
    """Weighted residuals ``w (model − y)`` as a flat vector; the same object for the same model."""

    def residuals(p: jax.Array, x: Any, y: jax.Array, weights: jax.Array) -> jax.Array:
        return jnp.ravel(weights * (_predicted(model, x, unflatten(p), y.shape) - y))

    return residuals


@lru_cache(maxsize=64)
def row_function(
    model: Callable[..., Any], unflatten: Callable[[Any], Any], loss: Callable[..., Any] | str, scale: float
) -> Callable[..., jax.Array]:
    """What every row adds to the objective, as a flat vector."""
    residuals = residual_function(model, unflatten)

    def rows(p: jax.Array, x: Any, y: jax.Array, weights: jax.Array) -> jax.Array:
        if callable(loss):
            predicted = _predicted(model, x, unflatten(p), y.shape)
            return jnp.ravel(weights**2 * loss(y, predicted))
        z = (residuals(p, x, y, weights) / scale) ** 2
        return 0.5 * scale**2 * (ROBUST[loss](z) if loss in ROBUST else z)

    return rows


@lru_cache(maxsize=64)
def summed(rows: Callable[..., jax.Array]) -> Callable[..., jax.Array]:
    """The sum of what the rows add."""
    return lambda p, *args: jnp.sum(rows(p, *args))


def _predicted(model: Callable[..., Any], x: Any, p: Any, shape: tuple[int, ...]) -> jax.Array:
    """The model's predictions; their shape was checked before anything is compiled."""
    return jnp.reshape(model(x, p), shape)

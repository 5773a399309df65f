"""Log-odds of probabilities."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from landform.backends.sklearn.registry import Translation


def log_odds(x: jax.Array) -> jax.Array:
    """log(p / (1 − p))."""
    return jnp.log(x) - jnp.log1p(-x)


LOG_ODDS = Translation(log_odds, ())

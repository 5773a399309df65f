"""Power transforms, Yeo and Johnson's and Box and Cox's, and the way back."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from landform.backends.sklearn.join import chain
from landform.backends.sklearn.registry import Translation, translate

_TINY = float(np.spacing(1.0))


def _box_cox_of_log(log: jax.Array, power: jax.Array) -> jax.Array:
    """(exp(λ log) − 1) / λ, and log itself for λ = 0."""
    flat = jnp.abs(power) < _TINY
    return jnp.where(flat, log, jnp.expm1(power * log) / jnp.where(flat, 1.0, power))


def _log_of_box_cox(y: jax.Array, power: jax.Array) -> jax.Array:
    """log(1 + λ y) / λ, and y itself for λ = 0."""
    flat = jnp.abs(power) < _TINY
    return jnp.where(flat, y, jnp.log1p(power * y) / jnp.where(flat, 1.0, power))


def box_cox(x: jax.Array, powers: jax.Array) -> jax.Array:
    """(x^λ − 1) / λ."""
    return _box_cox_of_log(jnp.log(x), powers)


def inverse_box_cox(y: jax.Array, powers: jax.Array) -> jax.Array:
    """(λ y + 1)^(1/λ)."""
    return jnp.exp(_log_of_box_cox(y, powers))


def yeo_johnson(x: jax.Array, powers: jax.Array) -> jax.Array:
    """Box and Cox of 1 + x, mirrored with power 2 − λ where x is negative."""
    up = x >= 0
    above = _box_cox_of_log(jnp.log1p(jnp.where(up, x, 0.0)), powers)
    below = _box_cox_of_log(jnp.log1p(jnp.where(up, 0.0, -x)), 2.0 - powers)
    return jnp.where(up, above, -below)


def inverse_yeo_johnson(y: jax.Array, powers: jax.Array) -> jax.Array:
    """The inverse of `yeo_johnson`."""
    up = y >= 0
    above = jnp.expm1(_log_of_box_cox(jnp.where(up, y, 0.0), powers))
    below = jnp.expm1(_log_of_box_cox(jnp.where(up, 0.0, -y), 2.0 - powers))
    return jnp.where(up, above, -below)


BENT = "Yeo-Johnson: the curve jumps at 0 unless the power is 1"


def translate_power(estimator: Any, method: str) -> Translation:
    """`PowerTransformer`."""
    box = estimator.method == "box-cox"
    powers = (np.asarray(estimator.lambdas_, dtype=np.float64),)
    bend = Translation(box_cox, powers) if box else Translation(yeo_johnson, powers, (BENT,))
    return chain([bend, translate(estimator._scaler, "transform")] if estimator.standardize else [bend])


def translate_inverse_power(estimator: Any, method: str) -> Translation:
    """The way back through a `PowerTransformer`."""
    box = estimator.method == "box-cox"
    powers = (np.asarray(estimator.lambdas_, dtype=np.float64),)
    bend = Translation(inverse_box_cox, powers) if box else Translation(inverse_yeo_johnson, powers, (BENT,))
    return chain([translate(estimator._scaler, method), bend] if estimator.standardize else [bend])

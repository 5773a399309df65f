"""Scalers: a shift and a scale for every input, and the way back; rows of unit length."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from landform.backends.sklearn.join import affine_by, chain
from landform.backends.sklearn.linear import CLIPPED
from landform.backends.sklearn.registry import Translation, translate


def rescale(x: jax.Array, shift: jax.Array, scale: jax.Array) -> jax.Array:
    """(x − shift) · scale."""
    return (x - shift) * scale


def restore(x: jax.Array, shift: jax.Array, scale: jax.Array) -> jax.Array:
    """x / scale + shift, the inverse of `rescale`."""
    return x / scale + shift


def clip(x: jax.Array, low: jax.Array, high: jax.Array) -> jax.Array:
    """X, at least low and at most high."""
    return jnp.where(x < low, low, jnp.where(x > high, high, x))


def _rescale(estimator: Any, shift: Any, divisor: Any) -> Translation:
    """Shift and divisor, either of them None where the estimator leaves it out."""
    n = estimator.n_features_in_
    center = np.zeros(n) if shift is None else np.asarray(shift, dtype=np.float64)
    scale = np.ones(n) if divisor is None else 1.0 / np.asarray(divisor, dtype=np.float64)
    return Translation(rescale, (center, scale))


def _clipped(line: Translation, low: float, high: float) -> Translation:
    return chain([line, Translation(clip, (np.float64(low), np.float64(high)), (CLIPPED,))])


def translate_standard(estimator: Any, method: str = "transform") -> Translation:
    """`StandardScaler`, with or without mean and deviation."""
    mean = estimator.mean_ if estimator.with_mean else None
    return _rescale(estimator, mean, estimator.scale_ if estimator.with_std else None)


def translate_robust(estimator: Any, method: str = "transform") -> Translation:
    """`RobustScaler`, with or without center and range."""
    center = estimator.center_ if estimator.with_centering else None
    return _rescale(estimator, center, estimator.scale_ if estimator.with_scaling else None)


def translate_range(estimator: Any, method: str = "transform") -> Translation:
    """`MinMaxScaler`, clipped where it clips."""
    scale = np.asarray(estimator.scale_, dtype=np.float64)
    line = Translation(rescale, (-np.asarray(estimator.min_, dtype=np.float64) / scale, scale))
    return _clipped(line, *estimator.feature_range) if estimator.clip else line


def translate_largest(estimator: Any, method: str = "transform") -> Translation:
    """`MaxAbsScaler`, clipped where it clips."""
    line = _rescale(estimator, None, estimator.scale_)
    return _clipped(line, -1.0, 1.0) if getattr(estimator, "clip", False) else line


def translate_inverse(estimator: Any, method: str) -> Translation:
    """The way back from scaled values; clipping has no part in it."""
    line = translate(estimator, "transform")
    args = line.args[0] if line.notes else line.args
    return Translation(restore, args)


def unit_length(x: jax.Array) -> jax.Array:
    """x over its Euclidean length."""
    square = x @ x
    return x / jnp.where(square > 0, jnp.sqrt(jnp.where(square > 0, square, 1.0)), 1.0)


def unit_sum(x: jax.Array) -> jax.Array:
    """x over the sum of its absolute values."""
    total = jnp.sum(jnp.abs(x))
    return x / jnp.where(total > 0, total, 1.0)


def unit_largest(x: jax.Array) -> jax.Array:
    """x over its largest absolute value."""
    largest = jnp.max(jnp.abs(x))
    return x / jnp.where(largest > 0, largest, 1.0)


def norm(kind: str) -> Translation:
    """Rows of length, sum or largest value 1; a row of zeros stays."""
    if kind == "l2":
        return Translation(unit_length, ())
    if kind == "l1":
        return Translation(unit_sum, (), ("sum of absolute values: a kink where an entry is zero",))
    return Translation(unit_largest, (), ("largest absolute value: a kink where another entry becomes the largest",))


def translate_norm(estimator: Any, method: str) -> Translation:
    """`Normalizer`."""
    return norm(estimator.norm)


affine_by(rescale, lambda _, shift, scale: (np.diag(scale), -shift * scale))
affine_by(restore, lambda _, shift, scale: (np.diag(1.0 / scale), shift))

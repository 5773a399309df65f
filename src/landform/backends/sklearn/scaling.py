"""Scalers: a shift and a scale for every input."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from landform.backends.sklearn.registry import Translation, register_translation
from landform.errors import ModelError


def rescale(x: jax.Array, shift: jax.Array, scale: jax.Array) -> jax.Array:
    """(x − shift) · scale."""
    return (x - shift) * scale


@register_translation(StandardScaler)
def translate_standard(estimator: Any) -> Translation:
    """`StandardScaler`, with or without mean and deviation."""
    n = estimator.n_features_in_
    shift = np.zeros(n) if estimator.mean_ is None or not estimator.with_mean else estimator.mean_
    scale = np.ones(n) if estimator.scale_ is None else estimator.scale_
    return Translation(rescale, (np.asarray(shift), 1.0 / np.asarray(scale)))


@register_translation(MinMaxScaler)
def translate_range(estimator: Any) -> Translation:
    """`MinMaxScaler` without clipping."""
    if estimator.clip:
        raise ModelError(
            "a MinMaxScaler with clip=False",
            got="clip=True",
            remedy="fit without clipping, whose slope is zero outside",
        )
    return Translation(rescale, (-estimator.min_ / estimator.scale_, estimator.scale_))

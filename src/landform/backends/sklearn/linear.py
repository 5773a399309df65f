"""Linear models: a matrix and an intercept."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np
from sklearn.linear_model import LinearRegression, Ridge

from landform.backends.sklearn.registry import Translation, register_translation


def affine(x: jax.Array, weights: jax.Array, intercept: jax.Array) -> jax.Array:
    """Weights of shape (m, n) times x, plus the intercept."""
    return weights @ x + intercept


@register_translation(LinearRegression)
@register_translation(Ridge)
def translate_linear(estimator: Any) -> Translation:
    """`LinearRegression` and `Ridge`."""
    weights = np.atleast_2d(estimator.coef_)
    intercept = np.broadcast_to(np.asarray(estimator.intercept_, dtype=np.float64), (weights.shape[0],))
    return Translation(affine, (weights, intercept))

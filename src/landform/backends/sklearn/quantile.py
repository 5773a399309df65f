"""Quantile transforms: piecewise linear between quantiles, then perhaps normal."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from scipy import stats

from landform.backends.sklearn.join import chain
from landform.backends.sklearn.registry import Translation
from landform.errors import ModelError

BETWEEN_QUANTILES = "quantiles: piecewise linear, with kinks at the quantiles and flat beyond the outermost"

RAMPS = "isotonic: flat stretches joined by straight ramps, with kinks between; its curve is zero"

_EDGE = 1e-7
_LOW = float(stats.norm.ppf(_EDGE - np.spacing(1)))
_HIGH = float(stats.norm.ppf(1 - (_EDGE - np.spacing(1))))


def _line(x: jax.Array, places: jax.Array, heights: jax.Array, side: str) -> jax.Array:
    """Linear interpolation of one number in sorted places; where places repeat, ``side`` says which counts."""
    places, heights = jnp.asarray(places), jnp.asarray(heights)
    last = places.shape[0] - 1
    k = jnp.clip(jnp.searchsorted(places, x, side=side) - 1, 0, last - 1)
    width = places[k + 1] - places[k]
    slope = jnp.where(width > 0, (heights[k + 1] - heights[k]) / jnp.where(width > 0, width, 1.0), 0.0)
    inside = heights[k] + slope * (x - places[k])
    return jnp.where(x <= places[0], heights[0], jnp.where(x >= places[last], heights[last], inside))


def ranks(x: jax.Array, quantiles: jax.Array, references: jax.Array) -> jax.Array:
    """Where every entry stands among its quantiles, between 0 and 1; amid repeated quantiles, in their middle."""

    def one(value: jax.Array, places: jax.Array) -> jax.Array:
        up = _line(value, places, references, "right")
        down = _line(-value, -places[::-1], -references[::-1], "right")
        middle = 0.5 * (up - down)
        return jnp.where(value == places[0], 0.0, jnp.where(value == places[-1], 1.0, middle))

    return jax.vmap(one)(x, quantiles)


def normal_scores(x: jax.Array, quantiles: jax.Array, references: jax.Array) -> jax.Array:
    """Normal scores of the ranks, clipped as scikit-learn clips them."""
    lowest, highest = x - _EDGE < quantiles[:, 0], x + _EDGE > quantiles[:, -1]
    inside = ~(lowest | highest)
    rank = jnp.where(inside, ranks(jnp.where(inside, x, quantiles.mean(axis=1)), quantiles, references), 0.5)
    kept = (rank > _EDGE) & (rank < 1 - _EDGE)
    score = jax.scipy.special.ndtri(jnp.where(kept, rank, 0.5))
    score = jnp.where(kept, score, jnp.where(rank < 0.5, _LOW, _HIGH))
    return jnp.where(lowest, _LOW, jnp.where(highest, _HIGH, score))


def values_at(y: jax.Array, quantiles: jax.Array, references: jax.Array) -> jax.Array:
    """The values that stand at given ranks."""
    return jax.vmap(lambda value, heights: _line(value, references, heights, "right"))(y, quantiles)


def normal_ranks(y: jax.Array) -> jax.Array:
    """Ranks of normal scores; next to the ends they count as the ends."""
    rank = jax.scipy.special.ndtr(y)
    return jnp.where(rank < _EDGE, 0.0, jnp.where(rank > 1 - _EDGE, 1.0, rank))


def translate_isotonic(estimator: Any, method: str) -> Translation:
    """`IsotonicRegression`: straight lines between its thresholds."""
    places = np.asarray(estimator.X_thresholds_, dtype=np.float64)
    if len(places) < 2:
        raise ModelError("an isotonic regression that rises or falls", got="one value everywhere", remedy="drop it")
    return Translation(_ramps, (places, np.asarray(estimator.y_thresholds_, dtype=np.float64)), (RAMPS,))


def _ramps(x: jax.Array, places: jax.Array, heights: jax.Array) -> jax.Array:
    return _line(x[0], places, heights, "right")[None]


def _args(estimator: Any) -> tuple[np.ndarray, np.ndarray]:
    return np.ascontiguousarray(np.asarray(estimator.quantiles_).T), np.asarray(estimator.references_)


def translate_quantile(estimator: Any, method: str) -> Translation:
    """`QuantileTransformer`."""
    function = normal_scores if estimator.output_distribution == "normal" else ranks
    return Translation(function, _args(estimator), (BETWEEN_QUANTILES,))


def translate_inverse_quantile(estimator: Any, method: str) -> Translation:
    """The way back through a `QuantileTransformer`."""
    line = Translation(values_at, _args(estimator), (BETWEEN_QUANTILES,))
    return chain([Translation(normal_ranks, ()), line] if estimator.output_distribution == "normal" else [line])

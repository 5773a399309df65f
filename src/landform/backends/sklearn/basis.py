"""Bases: products of powers, and splines."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from scipy.interpolate import PPoly

from landform.backends.sklearn.registry import Translation
from landform.errors import ModelError


def products(x: jax.Array, index: jax.Array) -> jax.Array:
    """Products of entries of x: every row of ``index`` names its factors, n stands for 1.

    Multiplied one by one, so that slopes and curves are right where entries are zero.
    """
    factors = jnp.concatenate([x, jnp.ones(1, dtype=x.dtype)])[index]
    total = factors[:, 0]
    for k in range(1, index.shape[1]):
        total = total * factors[:, k]
    return total


def translate_polynomial(estimator: Any, method: str) -> Translation:
    """`PolynomialFeatures`."""
    powers = np.asarray(estimator.powers_)
    n = powers.shape[1]
    index = np.full((len(powers), max(1, int(powers.sum(axis=1).max(initial=0)))), n, dtype=np.int64)
    for row, own in zip(index, powers, strict=True):
        factors = np.repeat(np.arange(n), own)
        row[: len(factors)] = factors
    return Translation(products, (index,))


@lru_cache(maxsize=16)
def splines(extrapolation: str) -> Callable[..., jax.Array]:
    """Splines of every entry, from polynomial pieces; beyond the limits as ``extrapolation`` says."""

    def one(x: jax.Array, breaks: jax.Array, pieces: jax.Array) -> jax.Array:
        degree = pieces.shape[0] - 1
        low, high = breaks[degree], breaks[-degree - 1]
        if extrapolation == "periodic":
            x = low + (x - low) % (high - low)
        at = jnp.where(x < low, low, jnp.where(x > high, high, x)) if extrapolation in ("constant", "linear") else x
        inner = breaks.shape[0] - degree - 2
        k = jnp.clip(jnp.searchsorted(breaks, at, side="right") - 1, degree, inner)
        gap = at - breaks[k]
        value = jnp.zeros(pieces.shape[2], dtype=x.dtype)
        slope = value
        for power in range(degree + 1):
            slope = slope * gap + value
            value = value * gap + pieces[power, k]
        return value + slope * (x - at) if extrapolation == "linear" else value

    def all_entries(x: jax.Array, breaks: jax.Array, pieces: jax.Array, kept: jax.Array) -> jax.Array:
        return jax.vmap(one)(x, breaks, pieces).ravel()[kept]

    return all_entries


_JOINTS = {1: "linear splines: a kink at every knot", 2: "quadratic splines: the curve jumps at every knot"}
_ENDS = {
    "constant": "splines: flat beyond the outermost knots, with a kink there",
    "linear": "splines: straight beyond the outermost knots, where the curve jumps",
}


def translate_spline(estimator: Any, method: str) -> Translation:
    """`SplineTransformer`, in local powers between its knots."""
    if estimator.degree == 0:
        raise ModelError("splines of degree 1 or more", got="degree 0, a staircase", remedy="fit with a higher degree")
    breaks = np.stack([spline.t for spline in estimator.bsplines_])
    pieces = np.stack(
        [np.stack([PPoly.from_spline((s.t, column, s.k)).c for column in s.c.T], axis=-1) for s in estimator.bsplines_]
    )
    each = pieces.shape[-1]
    kept = np.arange(len(breaks) * each).reshape(-1, each)
    kept = (kept if estimator.include_bias else kept[:, :-1]).reshape(1, -1)[0]
    said = (_JOINTS.get(estimator.degree), _ENDS.get(estimator.extrapolation))
    notes = tuple(note for note in said if note)
    return Translation(splines(estimator.extrapolation), (breaks, pieces, kept), notes)

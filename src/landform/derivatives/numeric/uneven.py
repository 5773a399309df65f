"""Noise in proportion to the value: weighed against noise that is the same everywhere, by likelihood."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from jaxtyping import Float

from landform.derivatives.numeric.taylor import EPS, Coefficient, taylor_coefficient

RANGE = 2.0
"""By what factor an output's size must change along the line before its noise can be told to change with it."""
_FLOOR = 0.01
_SEEN = 10.0


def weigh_uneven_noise(
    t: Float[np.ndarray, " steps"], y: Float[np.ndarray, "steps m"], order: int, even: Coefficient
) -> Coefficient:
    """A Taylor coefficient under two models of the noise, each as far as the values speak for it.

    Many simulators and instruments are good to so many digits: their noise grows with the value. Where an output's
    size changes a lot along the line, a fit that takes all values to be equally noisy has bars that are too short
    where the value is large. Outputs whose noise is rounding are left as they are.

    Parameters
    ----------
    t, y : array, shape (steps,) and (steps, m)
        Steps and values.
    order : int
        Which coefficient.
    even : Coefficient
        From `taylor_coefficient` of the same values.
    """
    size = np.abs(y)
    largest = size.max(axis=0)
    value, error = even.value.copy(), even.error.copy()
    for i in np.flatnonzero((RANGE * size.min(axis=0) < largest) & (even.noise > _SEEN * EPS * largest)):
        spread = np.maximum(size[:, i], _FLOOR * largest[i])
        other = taylor_coefficient(t, y[:, [i]], order, spread=spread / np.exp(np.mean(np.log(spread))))
        share = 1.0 / (1.0 + np.exp(np.clip(even.evidence[i] - other.evidence[0], -500.0, 500.0)))
        shares, values = np.array([1.0 - share, share]), np.array([even.value[i], other.value[0]])
        errors = np.array([even.error[i], other.error[0]])
        value[i] = shares @ values
        error[i] = np.sqrt(shares @ (errors**2 + (values - value[i]) ** 2))
    return replace(even, value=value, error=error)

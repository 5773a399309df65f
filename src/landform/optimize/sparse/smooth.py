"""A large program's functions, from derivatives whose zeros the engine has left out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Float
from scipy.sparse import csr_array

from landform.derivatives import Prepared
from landform.optimize.program import Point, Smooth
from landform.optimize.sparse.patterns import Sum, entries, stacked

Array = np.ndarray


class _Remembered:
    """Value and slopes from one call; asked again at the same point they come from memory."""

    def __init__(self, prepared: Prepared) -> None:
        self._prepared = prepared
        self._at: Point = np.empty(0)
        self._found: Any = None

    def __call__(self, x: Point) -> tuple[Array, csr_array]:
        if not np.array_equal(self._at, x):
            self._found = self._prepared.value_and_jacobian(x)
            self._at = x.copy()
        return self._found


def objective_of(prepared: Prepared) -> Smooth:
    """A function with one value; its slopes are an array, its curvature is sparse."""
    both = _Remembered(prepared)

    def gradient(x: Point) -> Float[Array, "1 n"]:
        return both(x)[1].toarray()

    return Smooth(lambda x: both(x)[0], gradient, prepared.hessian)


def constraints_of(parts: Sequence[Prepared]) -> Smooth:
    """Several functions as one, with sparse slopes and curvature at places that never change."""
    if len(parts) == 1:
        both = _Remembered(parts[0])
        return Smooth(lambda x: both(x)[0], lambda x: both(x)[1], parts[0].hessian)
    each = [_Remembered(part) for part in parts]
    ends = np.cumsum([part.target.m for part in parts])[:-1]
    sums: list[Sum] = []

    def hessian(x: Point, weights: Float[Array, " m"]) -> csr_array:
        own = [part.hessian(x, w) for part, w in zip(parts, np.split(weights, ends), strict=True)]
        if not sums:
            sums.append(Sum(own))
        return sums[0](*map(entries, own))

    return Smooth(
        lambda x: np.concatenate([both(x)[0] for both in each]),
        lambda x: stacked([both(x)[1] for both in each]),
        hessian,
    )

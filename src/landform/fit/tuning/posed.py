"""What a scikit-learn estimator minimizes when it is fitted, as losses that tuning understands."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import jax
import numpy as np
from jaxtyping import Float

Array = np.ndarray
Settings = Mapping[str, Any]
"""The tuned parameters by name."""


@dataclass(frozen=True, eq=False)
class Split:
    """Rows to train on and rows that judge, the targets as the estimator's fit sees them.

    Parameters
    ----------
    X, y : array
        To train on.
    judging, judged : array
        That judge.
    """

    X: Float[Array, "rows d"]
    y: Array
    judging: Float[Array, "held d"]
    judged: Array


@dataclass(frozen=True, eq=False)
class Posed:
    """An estimator's training as an inner problem, and what judges it.

    Parameters
    ----------
    inner, outer : callable
        ``loss(θ, settings, *data)``.
    curve : callable or None
        The inner Hessian in closed form.
    data : callable
        From a `Split` to what the losses look at.
    start : callable
        From a `Split` to the parameters to begin with.
    names : callable
        From a `Split` to the names of the parameters.
    rows : tuple of tuple of int
        Groups of places in ``data`` whose first axis runs over the same rows, the last place holding what these weigh:
        they may be padded with rows that weigh nothing.
    """

    inner: Callable[..., jax.Array]
    outer: Callable[..., jax.Array]
    curve: Callable[..., jax.Array] | None
    data: Callable[[Split], tuple[Any, ...]]
    start: Callable[[Split], Float[Array, " n"]]
    names: Callable[[Split], Sequence[str]]
    rows: tuple[tuple[int, ...], ...] = field(default=())


def padded(posed: Posed, data: Sequence[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Data of several splits brought to one number of rows, so that one compiled program serves them all."""
    found = [list(one) for one in data]
    for places in posed.rows:
        most = max(len(one[places[0]]) for one in found)
        for one in found:
            for place in places:
                width = [(0, most - len(one[place]))] + [(0, 0)] * (np.ndim(one[place]) - 1)
                one[place] = np.pad(one[place], width, mode="constant" if place == places[-1] else "edge")
    return [tuple(one) for one in found]

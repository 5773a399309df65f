"""What a surrogate is fitted to: points, one measured property, and which rows repeat each other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int


@dataclass(frozen=True)
class Observations:
    """Points and one property measured there.

    Parameters
    ----------
    X : array, shape (n, d)
        Amounts and factor settings, ingredients first, in the user's units.
    y : array, shape (n,)
        The property, finite.
    groups : array of int, shape (n,)
        Rows with one number repeat the same recipe and are held out together.
    names : tuple of str
        The d inputs' names.
    ingredients : int
        How many of the inputs are ingredients.
    total : float
        What the ingredients add to; 1 where there are none.
    """

    X: Float[np.ndarray, "n d"]
    y: Float[np.ndarray, " n"]
    groups: Int[np.ndarray, " n"]
    names: tuple[str, ...]
    ingredients: int
    total: float = 1.0

    @property
    def recipes(self) -> int:
        """Number of different groups."""
        return len(np.unique(self.groups))


@dataclass(frozen=True)
class NoiseFloor:
    """How much repeats of one recipe differ: no surrogate can predict better.

    Parameters
    ----------
    deviation : float or None
        Pooled standard deviation within groups; None where nothing is repeated.
    degrees : int
        Degrees of freedom.
    """

    deviation: float | None
    degrees: int


def noise_floor(data: Observations) -> NoiseFloor:
    """The pooled standard deviation of repeats.

    Examples
    --------
    >>> X = np.zeros((4, 1))
    >>> noise_floor(Observations(X, np.array([1.0, 3.0, 5.0, 5.0]), np.array([0, 0, 1, 1]), ("a",), 0))
    NoiseFloor(deviation=1.0, degrees=2)
    """
    _, group = np.unique(data.groups, return_inverse=True)
    counts = np.bincount(group)
    means = np.bincount(group, weights=data.y) / counts
    degrees = int(np.sum(counts - 1))
    if degrees == 0:
        return NoiseFloor(None, 0)
    return NoiseFloor(float(np.sqrt(np.sum((data.y - means[group]) ** 2) / degrees)), degrees)


def grouped_folds(data: Observations, *, seed: int, repeats: int, folds: int) -> list[Int[np.ndarray, " n"]]:
    """For every repeat, the fold of every row; rows of one group share a fold.

    Parameters
    ----------
    data : Observations
        What is split.
    seed : int
        Of the shuffles.
    repeats : int
        How many different splits; one where every group is its own fold, since shuffling changes nothing.
    folds : int
        The most folds; fewer where there are fewer groups.
    """
    kinds, group = np.unique(data.groups, return_inverse=True)
    k = min(folds, len(kinds))
    rng = np.random.default_rng(seed)
    splits = []
    for _ in range(1 if k == len(kinds) else repeats):
        places = np.empty(len(kinds), dtype=np.int64)
        places[rng.permutation(len(kinds))] = np.arange(len(kinds)) % k
        splits.append(places[group])
    return splits

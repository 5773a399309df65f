"""What resampling the rows does to eigenvalues and spans, and the dimension that the gap between them gives.

References
----------
Constantine and Gleich (2015), "Computing active subspaces with Monte Carlo", arXiv:1408.0545; Constantine (2015),
*Active Subspaces*, SIAM, ch. 3.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

_MOST = 10
"""The largest dimension sought, and the number of directions with standard errors."""


@dataclass(frozen=True, eq=False)
class Resampled:
    """Eigenpairs of a matrix averaged over rows, and their spread over resamples.

    Parameters
    ----------
    eigenvalues : array, shape (t,)
        Largest first.
    vectors : array, shape (t, t)
        One a column.
    draws : array, shape (resamples, t)
        Eigenvalues of the resamples.
    vector_draws : array, shape (resamples, t, k)
        Leading vectors of the resamples, signs as in ``vectors``.
    distances : array, shape (k,)
        Mean sine of the largest angle between the span of 1, 2, … vectors and that of a resample.
    floor : float
        Eigenvalues below it are nothing.
    """

    eigenvalues: Float[np.ndarray, " t"]
    vectors: Float[np.ndarray, "t t"]
    draws: Float[np.ndarray, "resamples t"]
    vector_draws: Float[np.ndarray, "resamples t k"]
    distances: Float[np.ndarray, " k"]
    floor: float

    def dimension(self) -> tuple[int, float]:
        """Where the largest gap between the logarithms of neighbors is, and the part of resamples that agree."""
        chosen = _largest_gap(self.eigenvalues, self.floor)
        return chosen, float(np.mean([_largest_gap(draw, self.floor) == chosen for draw in self.draws]))


def _largest_gap(values: Float[np.ndarray, " t"], floor: float) -> int:
    logs = np.log(np.maximum(values, floor))
    steps = logs[:-1] - logs[1:]
    return int(np.argmax(steps[:_MOST])) + 1 if len(steps) else 1


def _eigenpairs(matrix: Float[np.ndarray, "t t"]) -> tuple[Float[np.ndarray, " t"], Float[np.ndarray, "t t"]]:
    values, vectors = np.linalg.eigh(matrix)
    return np.maximum(values[::-1], 0.0), vectors[:, ::-1]


def resample(
    matrix: Callable[[Int[np.ndarray, " rows"]], Float[np.ndarray, "t t"]],
    rows: int,
    *,
    resamples: int,
    seed: int,
    dimension: int | None,
    floor: float,
) -> Resampled:
    """Eigenpairs for all rows and for rows drawn with replacement.

    Parameters
    ----------
    matrix : callable
        ``matrix(times)`` is the symmetric matrix with row i taken ``times[i]`` times.
    rows, resamples, seed : int
        How many rows, how many resamples, and where randomness begins.
    dimension : int or None
        At least so many vectors are followed.
    floor : float
        Eigenvalues below it are nothing: gaps among them do not count.
    """
    values, vectors = _eigenpairs(matrix(np.ones(rows, dtype=int)))
    largest = np.argmax(np.round(np.abs(vectors), 10), axis=0)
    vectors = vectors * np.where(vectors[largest, np.arange(len(values))] < 0, -1.0, 1.0)
    kept = min(max(_MOST, dimension or 0), len(values))
    draws, others = np.zeros((resamples, len(values))), np.zeros((resamples, len(values), kept))
    apart = np.zeros((resamples, kept))
    rng = np.random.default_rng(seed)
    for b in range(resamples):
        draws[b], own = _eigenpairs(matrix(np.bincount(rng.integers(rows, size=rows), minlength=rows)))
        signs = np.sign(np.sum(own * vectors, axis=0))
        others[b] = (own * np.where(signs == 0, 1.0, signs))[:, :kept]
        across = vectors.T @ own
        apart[b] = [np.linalg.norm(across[k:, :k], 2) if k < len(values) else 0.0 for k in range(1, kept + 1)]
    return Resampled(values, vectors, draws, others, apart.mean(axis=0), floor)

"""Estimates from independent scramblings of Sobol points: more points until their spread is small enough.

References
----------
Owen (1998), *ACM Trans. Model. Comput. Simul.* 8, 71 (scrambled nets); L'Ecuyer, Nakayama, Owen and Tuffin (2023),
*Winter Simulation Conference* (t intervals over about ten or more scramblings cover as they should).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from jaxtyping import Float
from scipy import stats
from scipy.stats import qmc

from landform.sensitivity.over_ranges.indices import Measured

REPLICATES = 16

Moments = Callable[[Float[np.ndarray, "n k"], np.random.Generator], tuple[dict[str, np.ndarray], np.ndarray]]
"""From points of the unit cube to mean numerators by kind, shapes (m, ...), and the outputs' variance, shape (m,)."""


def ratios(parts: dict[str, list[np.ndarray]], variances: list[np.ndarray]) -> dict[str, Measured]:
    """Numerators over variances, pooled over replicates, with jackknife intervals at 95 %."""
    R = len(variances)
    bottom = np.array(variances)
    quantile = float(stats.t.ppf(0.975, R - 1))
    found = {}
    for kind, several in parts.items():
        top = np.array(several)
        below = bottom.reshape(*bottom.shape, *[1] * (top.ndim - 2))
        pooled = top.sum(axis=0) / below.sum(axis=0)
        without = (top.sum(axis=0) - top) / (below.sum(axis=0) - below)
        spread = np.sqrt((R - 1) / R * np.sum((without - without.mean(axis=0)) ** 2, axis=0))
        found[kind] = Measured(pooled, quantile * spread)
    return found


def replicate(
    moments: Moments, *, columns: int, cost: int, tolerance: float, most: int, seed: int, first: int = 64
) -> tuple[dict[str, Measured], Float[np.ndarray, " m"]]:
    """Double the points of every scrambling until all half-widths are at most ``tolerance``, or ``most`` is spent.

    Parameters
    ----------
    moments : callable
        What a batch of points gives.
    columns : int
        Numbers that one point takes from the unit cube.
    cost : int
        Evaluations that one point takes.
    tolerance : float
        Largest half-width wanted.
    most : int
        Evaluations allowed; at least one round is made.
    seed : int
        Of the scramblings.
    first : int
        Points of each scrambling in the first round, a power of two.

    Returns
    -------
    dict of Measured, and the outputs' pooled variance.
    """
    streams = [np.random.default_rng(s) for s in np.random.SeedSequence(seed).spawn(REPLICATES)]
    sequences = [qmc.Sobol(columns, rng=stream) for stream in streams]
    sums: list[tuple[dict[str, np.ndarray], np.ndarray]] = []
    nothing: list[Any] = [None] * REPLICATES
    points, batch = 0, first
    while True:
        batches = [moments(sequence.random(batch), rng) for sequence, rng in zip(sequences, streams, strict=True)]
        sums = [_added(old, new, batch) for old, new in zip(sums or nothing, batches, strict=True)]
        points += batch
        variances = [bottom for _, bottom in sums]
        found = ratios({kind: [top[kind] for top, _ in sums] for kind in sums[0][0]}, variances)
        if max(one.widest for one in found.values()) <= tolerance or REPLICATES * 2 * points * cost > most:
            return found, np.asarray(np.mean(variances, axis=0) / points)
        batch = points


def _added(old: Any, new: tuple[dict[str, np.ndarray], np.ndarray], batch: int) -> Any:
    top, bottom = {kind: value * batch for kind, value in new[0].items()}, new[1] * batch
    if old is None:
        return top, bottom
    return {kind: old[0][kind] + value for kind, value in top.items()}, old[1] + bottom

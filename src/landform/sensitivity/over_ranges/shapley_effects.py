"""Shapley effects: shares of the variance that add to one, for tied inputs too.

The worth of a set of inputs is the variance of the mean of the output given them. It is the covariance of two outputs
whose points agree in the set and are otherwise drawn apart, given it.

References
----------
Owen (2014), *SIAM/ASA J. Uncertain. Quantif.* 2, 245; Song, Nelson and Staum (2016), same journal 4, 1060 (tied
inputs, sampling permutations); Janon et al. (2014), *ESAIM Probab. Stat.* 18, 342 (the covariance's estimator).
"""

from __future__ import annotations

from itertools import combinations
from math import comb

import numpy as np
from jaxtyping import Bool, Float

from landform.sensitivity.over_ranges.evaluate import Evaluator
from landform.sensitivity.over_ranges.expansion import refuse_constant
from landform.sensitivity.over_ranges.indices import Indices
from landform.sensitivity.over_ranges.inputs import Inputs
from landform.sensitivity.over_ranges.replicates import replicate

EXACT_UP_TO = 8
"""So many inputs have all their sets weighed; beyond, sets along random orders are."""
_ORDERS = 12


def sample_shapley(
    evaluator: Evaluator, inputs: Inputs, *, tolerance: float, most: int, seed: int
) -> tuple[Indices, Float[np.ndarray, " m"]]:
    """Shapley effects and, from the same values, the indices of single inputs, with the outputs' variance.

    "first" is the share of the variance that knowing one input removes, "total" the share that is left while all
    others are known; with tied inputs the second can be smaller than the first.
    """
    d = inputs.d
    center = evaluator.values(feasible_points(inputs, 64, seed))
    refuse_constant(center)
    shift = center.mean(axis=0)
    exact = d <= EXACT_UP_TO
    everything = _all_sets(d) if exact else None
    cost = 2**d - 1 if exact else 2 * _ORDERS * (d - 1) + 2 * d

    def moments(U: np.ndarray, rng: np.random.Generator) -> tuple[dict[str, np.ndarray], np.ndarray]:
        masks, shares = everything or _sets_of_orders(d, rng)
        scores = _into_region(inputs, inputs.scores(U[:, :d]), rng)
        y = evaluator.values(inputs.points(scores)) - shift
        fresh = [inputs.redrawn(scores, mask, U[:, d:], rng) for mask in masks]
        others = (evaluator.values(inputs.points(np.concatenate(fresh))) - shift).reshape(len(masks), *y.shape)
        everyone = np.concatenate([y[None], others])
        mean = everyone.mean(axis=(0, 1))
        variance = np.mean(everyone**2, axis=(0, 1)) - mean**2
        worth = np.mean((y - mean) * (others - mean), axis=1)
        table = _table(masks, d)
        first = np.stack([worth[table[1 << i]] for i in range(d)])
        total = np.stack([variance - worth[table[(2**d - 1) ^ (1 << i)]] for i in range(d)])
        worths = np.concatenate([np.zeros_like(worth[:1]), worth, variance[None]])
        return {"first": first.T, "total": total.T, "shapley": (shares @ worths).T}, variance

    return replicate(moments, columns=2 * d, cost=cost, tolerance=tolerance, most=most, seed=seed, first=32)


def _table(masks: list[Bool[np.ndarray, " d"]], d: int) -> dict[int, int]:
    powers = 1 << np.arange(d)
    return {int(mask @ powers): k for k, mask in enumerate(masks)}


def _all_sets(d: int) -> tuple[list[Bool[np.ndarray, " d"]], Float[np.ndarray, "d sets"]]:
    """Every proper set, and how much each (the empty first, the full last) counts for each input."""
    masks = [np.isin(np.arange(d), members) for size in range(1, d) for members in combinations(range(d), size)]
    everything = np.array([np.zeros(d, bool), *masks, np.ones(d, bool)])
    size = everything.sum(axis=1)
    inside = np.array([1.0 / (d * comb(d - 1, s - 1)) if s else 0.0 for s in size])
    outside = np.array([1.0 / (d * comb(d - 1, s)) if s < d else 0.0 for s in size])
    return masks, np.where(everything, inside[:, None], -outside[:, None]).T


def _sets_of_orders(
    d: int, rng: np.random.Generator
) -> tuple[list[Bool[np.ndarray, " d"]], Float[np.ndarray, "d sets"]]:
    """Sets met along random orders and their reverses; those of one, and of all but one, besides."""
    found: dict[int, int] = {}
    steps: list[tuple[int, int, int]] = []
    full = 2**d - 1
    for i in range(d):
        found.setdefault(1 << i, len(found))
        found.setdefault(full ^ (1 << i), len(found))
    for _ in range(_ORDERS):
        order = rng.permutation(d)
        for path in (order, order[::-1]):
            members = 0
            for i in path:
                steps.append((int(i), members, members | (1 << int(i))))
                members |= 1 << int(i)
                if members != full:
                    found.setdefault(members, len(found))
    shares = np.zeros((d, len(found) + 2))
    place = {0: 0, full: len(found) + 1} | {key: k + 1 for key, k in found.items()}
    for i, before, after in steps:
        shares[i, place[after]] += 1.0 / (2 * _ORDERS)
        shares[i, place[before]] -= 1.0 / (2 * _ORDERS)
    masks = [np.array([(key >> i) & 1 for i in range(d)], dtype=bool) for key in found]
    return masks, shares


def feasible_points(inputs: Inputs, count: int, seed: int) -> Float[np.ndarray, "n d"]:
    """Points drawn from the inputs' joint distribution."""
    rng = np.random.default_rng(seed)
    return inputs.points(_into_region(inputs, inputs.scores(rng.random((count, inputs.d))), rng))


def _into_region(
    inputs: Inputs, scores: Float[np.ndarray, "n d"], rng: np.random.Generator
) -> Float[np.ndarray, "n d"]:
    """Scores with the ones that miss a condition drawn again."""
    if not inputs.limits and inputs.mixture is None:
        return scores
    missing = np.flatnonzero(~inputs.inside(inputs.points(scores)))
    while len(missing):
        scores[missing] = inputs.scores(rng.random((len(missing), inputs.d)))
        missing = missing[~inputs.inside(inputs.points(scores[missing]))]
    return scores

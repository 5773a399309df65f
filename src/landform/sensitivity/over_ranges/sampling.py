"""Sobol indices of independent inputs from values alone, however rough the function.

References
----------
Sobol' (2001), *Math. Comput. Simul.* 55, 271; Saltelli (2002), *Comput. Phys. Commun.* 145, 280 (the design that shares
values between indices, pairs included); Saltelli et al. (2010), *Comput. Phys. Commun.* 181, 259 (first-order
estimator); Jansen (1999), *Comput. Phys. Commun.* 117, 35 (total).
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from landform.sensitivity.over_ranges.evaluate import Evaluator
from landform.sensitivity.over_ranges.expansion import refuse_constant
from landform.sensitivity.over_ranges.indices import Indices
from landform.sensitivity.over_ranges.inputs import Inputs
from landform.sensitivity.over_ranges.replicates import replicate


def sample_indices(
    evaluator: Evaluator, inputs: Inputs, *, tolerance: float, most: int, seed: int
) -> tuple[Indices, Float[np.ndarray, " m"]]:
    """First-order, total and pair indices with their half-widths, and the outputs' variance.

    Every point takes 2 d + 2 evaluations: A, B, and each with one column of the other.
    """
    d = inputs.d

    def at(U: np.ndarray) -> np.ndarray:
        return evaluator.values(np.stack([m.at(u) for m, u in zip(inputs.marginals, U.T, strict=True)], axis=1))

    # A shift of the outputs changes no index and saves digits.
    center = at(np.random.default_rng(seed).random((64, d)))
    refuse_constant(center)
    shift = center.mean(axis=0)

    def moments(U: np.ndarray, _: np.random.Generator) -> tuple[dict[str, np.ndarray], np.ndarray]:
        n = len(U)
        A, B = U[:, :d], U[:, d:]
        mixed = [A, B]
        for one, other in ((A, B), (B, A)):
            for i in range(d):
                swapped = one.copy()
                swapped[:, i] = other[:, i]
                mixed.append(swapped)
        Y = (at(np.concatenate(mixed)) - shift).reshape(2 * d + 2, n, -1)
        return design_moments(Y)

    return replicate(moments, columns=2 * d, cost=2 * d + 2, tolerance=tolerance, most=most, seed=seed)


def design_moments(Y: Float[np.ndarray, "runs n m"]) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Mean numerators of the indices, and the variance, from the values at A, B, A with B's columns, B with A's."""
    d = (len(Y) - 2) // 2
    a, b, ab, ba = Y[0], Y[1], Y[2 : 2 + d], Y[2 + d :]
    n = Y.shape[1]
    variance = np.mean((a - b) ** 2, axis=0) / 2
    first = (np.mean(b * (ab - a), axis=1) + np.mean(a * (ba - b), axis=1)) / 2
    total = (np.mean((a - ab) ** 2, axis=1) + np.mean((b - ba) ** 2, axis=1)) / 4
    joint = np.einsum("inm,jnm->mij", ba, ab) / n - np.mean(a * b, axis=0)[:, None, None]
    second = (joint + joint.swapaxes(1, 2)) / 2 - first.T[:, :, None] - first.T[:, None, :]
    second[:, np.arange(d), np.arange(d)] = 0.0
    return {"first": first.T, "total": total.T, "second": second}, variance

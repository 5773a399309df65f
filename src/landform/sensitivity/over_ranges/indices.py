"""Indices with their half-widths, and how a chaos's coefficients make them.

References
----------
Sudret (2008), *Reliab. Eng. Syst. Saf.* 93, 964 (Sobol indices from chaos coefficients); Owen (2014), *SIAM/ASA J.
Uncertain. Quantif.* 2, 245 (Shapley effects: every interaction shared alike); Efron and Stein (1981), *Ann. Stat.* 9,
586 (the jackknife).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from scipy import stats


@dataclass(frozen=True, eq=False)
class Measured:
    """Numbers with the half-widths of their 95 % intervals.

    Parameters
    ----------
    values, half_widths : array, shape (m, d), or (m, d, d) for pairs
        For every output and input.
    """

    values: Float[np.ndarray, "m ..."]
    half_widths: Float[np.ndarray, "m ..."]

    @property
    def widest(self) -> float:
        """The largest half-width."""
        return float(np.max(self.half_widths, initial=0.0))


Indices = dict[str, Measured]
"""By kind: "first", "total", "second" (pairs), "shapley"."""


def stacked(several: list[Indices]) -> Indices:
    """Outputs one above the other."""
    return {
        kind: Measured(
            np.stack([one[kind].values for one in several]), np.stack([one[kind].half_widths for one in several])
        )
        for kind in several[0]
    }


def shares_of_terms(terms: Int[np.ndarray, "terms d"]) -> dict[str, Float[np.ndarray, "... terms"]]:
    """What part of each term's variance goes to each index.

    Examples
    --------
    >>> shares_of_terms(np.array([[0, 0], [2, 0], [1, 1]]))["shapley"]
    array([[0. , 1. , 0.5],
           [0. , 0. , 0.5]])
    """
    active = (terms > 0).T.astype(np.float64)
    order = active.sum(axis=0)
    pairs = np.where(order == 2, active[:, None] * active[None], 0.0)
    pairs[np.arange(len(active)), np.arange(len(active))] = 0.0
    return {
        "first": np.where(order == 1, active, 0.0),
        "total": active,
        "second": pairs,
        "shapley": active / np.maximum(order, 1.0),
    }


def indices_of_chaos(
    terms: Int[np.ndarray, "terms d"],
    coefficients: Float[np.ndarray, " terms"],
    replicas: Float[np.ndarray, "groups terms"],
    unexplained: float,
    points: int,
) -> Indices:
    """Indices of one output, with their half-widths.

    A half-width adds up the share of the variance that the chaos does not explain, which could belong to any index,
    and, at 95 %, the larger of two: what leaving out groups of points in turn moves the index by, and how far the
    part not explained can go with the part that is, at so many points.
    """
    found = {}
    groups = len(replicas)
    quantile = float(stats.t.ppf(0.975, groups - 1))
    for kind, shares in shares_of_terms(terms).items():
        value, each = _normalized(shares, coefficients), [_normalized(shares, c) for c in replicas]
        spread = np.sqrt((groups - 1) / groups * np.sum((np.array(each) - np.mean(each, axis=0)) ** 2, axis=0))
        shared = 2 * np.sqrt(value * unexplained / points)
        width = quantile * np.maximum(spread, shared) + unexplained
        if kind == "second":
            width = width * (1.0 - np.eye(len(width)))
        found[kind] = Measured(value, width)
    return found


def _normalized(shares: np.ndarray, coefficients: Float[np.ndarray, " terms"]) -> np.ndarray:
    squares = coefficients**2
    squares[0] = 0.0
    total = squares.sum()
    return np.asarray(shares @ squares / (total if total > 0 else 1.0))

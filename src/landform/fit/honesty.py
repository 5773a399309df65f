"""Do intervals hold what they promise? Coverage, the factor that mends it, and a score for both.

References
----------
Gneiting and Raftery (2007), "Strictly proper scoring rules, prediction, and estimation", J. Am. Stat. Assoc. 102,
eq. 43 (interval score); Vovk et al. (2005), *Algorithmic Learning in a Random World* (the rank of the quantile).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from landform.fit.surrogate import LEVEL, HeldOut, half_width


@dataclass(frozen=True)
class Honesty:
    """How a candidate's intervals did on trials it had not seen.

    Parameters
    ----------
    coverage : float
        Share of held-out values inside their interval.
    widening : float
        Factor that mends it; 1 where nothing needs mending.
    coverage_after : float
        Share inside once widened, each trial by a factor learned from the other folds.
    score : float
        Mean interval score, widened likewise, in the property's unit; smaller is better.
    """

    coverage: float
    widening: float
    coverage_after: float
    score: float


def half_widths(held: HeldOut) -> Float[np.ndarray, "repeats n"]:
    """Half widths of the intervals as the fit states them."""
    return np.asarray(half_width(LEVEL, held.degrees) * held.deviation)


def excess(y: Float[np.ndarray, " n"], held: HeldOut) -> Float[np.ndarray, "repeats n"]:
    """How far each held-out value lies from its prediction, in half widths of its interval."""
    return np.abs(y - held.mean) / np.maximum(half_widths(held), np.finfo(float).tiny)


def widening_factor(ratios: Float[np.ndarray, " k"]) -> float:
    """The factor that makes 95 % of intervals hold; 1 where they already hold within chance.

    The quantile is taken at rank ⌈(k+1) 0.95⌉, so that it holds for the next trial and not only for these.

    Examples
    --------
    >>> widening_factor(np.linspace(0.0, 0.9, 40))
    1.0
    >>> round(widening_factor(np.linspace(0.0, 2.0, 100)), 2)
    1.92
    """
    k = len(ratios)
    covered = float(np.mean(ratios <= 1.0))
    if covered >= LEVEL - np.sqrt(LEVEL * (1 - LEVEL) / k):
        return 1.0
    rank = min(k, int(np.ceil((k + 1) * LEVEL)))
    return max(1.0, float(np.sort(ratios)[rank - 1]))


def judge_intervals(y: Float[np.ndarray, " n"], held: HeldOut, splits: Sequence[Int[np.ndarray, " n"]]) -> Honesty:
    """Judge, and where needed mend, a candidate's intervals."""
    ratios = excess(y, held)
    factors = np.empty_like(ratios)
    for repeat, folds in enumerate(splits):
        for fold in np.unique(folds):
            rows = folds == fold
            factors[repeat, rows] = widening_factor(ratios[repeat, ~rows])
    widening = float(np.mean([widening_factor(row) for row in ratios]))
    return Honesty(
        coverage=float(np.mean(ratios <= 1.0)),
        widening=widening,
        coverage_after=float(np.mean(ratios <= factors)),
        score=_interval_score(np.abs(y - held.mean), factors * half_widths(held)),
    )


def _interval_score(gap: Float[np.ndarray, "repeats n"], half: Float[np.ndarray, "repeats n"]) -> float:
    return float(np.mean(2 * half + 2 / (1 - LEVEL) * np.maximum(gap - half, 0.0)))

"""Chaos with as many points as it takes, or the reason why it will not do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float
from scipy.stats import qmc
from threadpoolctl import threadpool_limits

from landform.errors import ProblemError
from landform.sensitivity.over_ranges.chaos import Chaos, Sample, fit_chaos, predicted
from landform.sensitivity.over_ranges.evaluate import Evaluator
from landform.sensitivity.over_ranges.indices import Indices, indices_of_chaos, stacked
from landform.sensitivity.over_ranges.inputs import Inputs

_GROWTH = 1.5
_STALLED = 3
"""After so many rounds the errors must point to success within the points allowed."""


@dataclass(frozen=True, eq=False)
class Drawn:
    """Points of the inputs with what the function gave there.

    Parameters
    ----------
    U : array, shape (n, d)
        In the unit cube.
    values : array, shape (n, m)
        Outputs.
    gradients : array, shape (n, m, d), or None
        Their derivatives against the inputs.
    """

    U: Float[np.ndarray, "n d"]
    values: Float[np.ndarray, "n m"]
    gradients: Float[np.ndarray, "n m d"] | None

    def joined(self, other: Drawn) -> Drawn:
        """These points, then the others."""
        both = None
        if self.gradients is not None and other.gradients is not None:
            both = np.concatenate([self.gradients, other.gradients])
        return Drawn(np.concatenate([self.U, other.U]), np.concatenate([self.values, other.values]), both)


@dataclass(frozen=True, eq=False)
class Expansion:
    """What chaos gave.

    Parameters
    ----------
    indices : dict
        Sobol indices and Shapley effects of every output.
    chaos : tuple of Chaos
        One for every output.
    unexplained : array, shape (m,)
        The share of the variance that each does not explain: the larger of its leave-one-out error and what the
        chaos before it missed at points it had not seen.
    mean, variance : array, shape (m,)
        Of the outputs.
    drawn : Drawn
        The points.
    reached : bool
        Whether every half-width is at most the tolerance.
    trouble : str
        Why not, in words; empty otherwise.
    """

    indices: Indices
    chaos: tuple[Chaos, ...]
    unexplained: Float[np.ndarray, " m"]
    mean: Float[np.ndarray, " m"]
    variance: Float[np.ndarray, " m"]
    drawn: Drawn
    reached: bool
    trouble: str


def draw(evaluator: Evaluator, inputs: Inputs, U: Float[np.ndarray, "n d"]) -> Drawn:
    """Evaluate independent inputs at points of the unit cube."""
    X = np.stack([m.at(u) for m, u in zip(inputs.marginals, U.T, strict=True)], axis=1)
    if evaluator.differentiable:
        return Drawn(U, *evaluator.values_and_gradients(X))
    return Drawn(U, evaluator.values(X), None)


def expand(evaluator: Evaluator, inputs: Inputs, *, tolerance: float, most: int, seed: int) -> Expansion:
    """Draw scrambled Sobol points, half as many again each round, until the indices are known well enough.

    It ends early where the errors of the rounds so far do not point to the tolerance within ``most`` points.
    """
    sequence = qmc.Sobol(inputs.d, seed=seed)
    count = min(most, max(16, 2 * inputs.d) if evaluator.differentiable else max(32, 4 * inputs.d))
    drawn = _next(sequence, evaluator, inputs, count)
    before: Expansion | None = None
    history: list[tuple[int, float]] = []
    while True:
        with threadpool_limits(limits=1, user_api="blas"):
            found = _fitted(drawn, inputs, before)
        widest = max(found.indices[kind].widest for kind in found.indices)
        history.append((count, widest if before is not None else np.inf))
        reached = before is not None and widest <= tolerance
        trouble = "" if reached else _trouble(history, tolerance, most)
        if reached or trouble:
            return Expansion(
                found.indices, found.chaos, found.unexplained, found.mean, found.variance, drawn, reached, trouble
            )
        before = found
        more = min(most, int(np.ceil(count * _GROWTH))) - count
        drawn = drawn.joined(_next(sequence, evaluator, inputs, more))
        count += more


def _next(sequence: Any, evaluator: Evaluator, inputs: Inputs, count: int) -> Drawn:
    import warnings

    with warnings.catch_warnings():
        # Counts between powers of two keep the points even enough for a regression.
        warnings.simplefilter("ignore", UserWarning)
        U = sequence.random(count)
    return draw(evaluator, inputs, U)


def _trouble(history: list[tuple[int, float]], tolerance: float, most: int) -> str:
    count, width = history[-1]
    if count >= most and not np.isfinite(width):
        return f"{count} points are too few"
    if count >= most:
        return f"after {count} points its indices are known to ± {width:.2g} only"
    known = [(n, w) for n, w in history if np.isfinite(w)]
    if len(known) < _STALLED:
        return ""
    n, w = np.log(np.array(known[-_STALLED:])).T
    rate = min(float(np.polyfit(n, w, 1)[0]), 0.0)
    if w.min() + rate * (np.log(most) - n[-1]) > np.log(tolerance):
        return f"its error does not fall: ± {width:.2g} after {count} points"
    return ""


def _samples(drawn: Drawn, inputs: Inputs) -> list[Sample]:
    germs = np.stack([m.germ(u) for m, u in zip(inputs.marginals, drawn.U.T, strict=True)], axis=1)
    slopes = [m.slope(u) * np.sqrt(m.stein(z)) for m, u, z in zip(inputs.marginals, drawn.U.T, germs.T, strict=True)]
    mean, deviation = drawn.values.mean(axis=0), drawn.values.std(axis=0)
    samples = []
    for k in range(drawn.values.shape[1]):
        rows = ((drawn.values[:, k] - mean[k]) / deviation[k])[:, None]
        if drawn.gradients is not None:
            rows = np.hstack([rows, drawn.gradients[:, k] * np.stack(slopes, axis=1) / deviation[k]])
        samples.append(Sample(germs, rows, inputs.marginals))
    return samples


def _fitted(drawn: Drawn, inputs: Inputs, before: Expansion | None) -> Expansion:
    refuse_constant(drawn.values)
    samples = _samples(drawn, inputs)
    mean, deviation = drawn.values.mean(axis=0), drawn.values.std(axis=0)
    chaos, indices, unexplained = [], [], []
    for k, sample in enumerate(samples):
        one = fit_chaos(sample, before.chaos[k] if before else None)
        missed = one.unexplained
        if before is not None:
            missed = max(missed, _missed(before, k, drawn, sample) / deviation[k] ** 2)
        chaos.append(one)
        unexplained.append(missed)
        indices.append(indices_of_chaos(one.terms, one.coefficients, one.replicas, missed, sample.n))
    squares = np.array([np.sum(c.coefficients[1:] ** 2) for c in chaos])
    shift = np.array([c.coefficients[0] for c in chaos])
    return Expansion(
        stacked(indices),
        tuple(chaos),
        np.array(unexplained),
        mean + deviation * shift,
        deviation**2 * squares,
        drawn,
        False,
        "",
    )


def _missed(before: Expansion, k: int, drawn: Drawn, sample: Sample) -> float:
    """Mean square error, in squared units of the output, of the last round's chaos at the points new since."""
    old = before.drawn.values[:, k]
    new = slice(len(old), None)
    said = old.mean() + old.std() * predicted(before.chaos[k], sample.germs[new], sample.marginals)
    return float(np.mean((said - drawn.values[new, k]) ** 2))


def refuse_constant(values: Float[np.ndarray, "n m"]) -> None:
    """Refuse an output that does not vary: no input has a share in nothing.

    Raises
    ------
    ProblemError
    """
    flat = np.flatnonzero(np.ptp(values, axis=0) <= 1e-13 * np.abs(values).max(axis=0))
    if len(flat):
        raise ProblemError(
            "outputs that vary over the ranges",
            got=f"{values[0, flat[0]]:g} at every point for output {flat[0]}",
            remedy="widen the ranges, or leave this output out",
        )


_TRUSTED = 0.05
"""A chaos that leaves more than this share of the variance unexplained does not say total indices."""


def total_by_chaos(drawn: Drawn, inputs: Inputs) -> Float[np.ndarray, "m d"]:
    """Total indices from points that are there already; NaN for an output that the chaos does not explain."""
    with threadpool_limits(limits=1, user_api="blas"):
        found = _fitted(drawn, inputs, None)
    return np.where(found.unexplained[:, None] < _TRUSTED, found.indices["total"].values, np.nan)

"""Which surrogate serves a property: by held-out error and by the honesty of its intervals."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float, Int

from landform.errors import ModelError
from landform.fit.honesty import LEVEL, Honesty, judge_intervals
from landform.fit.observations import NoiseFloor, Observations, grouped_folds, noise_floor
from landform.fit.polynomial import (
    DEGREES,
    fit_polynomial,
    hold_out_polynomial,
    polynomial_words,
    why_not_polynomial,
)
from landform.fit.process import fit_process, hold_out_process, why_not_process
from landform.fit.surrogate import HeldOut, Surrogate, half_width

KINDS = (*DEGREES, "gaussian process")
_REPEATS = 3
_FOLDS = 10


@dataclass(frozen=True)
class Candidate:
    """One model and how it predicted trials it had not seen.

    Parameters
    ----------
    kind, words : str
        Which model, and what a reader calls it.
    why_not : str
        Why it could not be fitted or tested; empty where it could.
    surrogate : Surrogate or None
        The model fitted to all trials.
    held_out : HeldOut or None
        Its predictions of held-out trials.
    rmse, rmse_standard_error : float
        Root mean square error of those predictions, and its standard error over recipes.
    r2 : float
        Share of the variance predicted, against the held-out mean of the other trials.
    honesty : Honesty or None
        How its intervals did.
    """

    kind: str
    words: str
    why_not: str = ""
    surrogate: Surrogate | None = None
    held_out: HeldOut | None = None
    rmse: float = float("nan")
    rmse_standard_error: float = float("nan")
    r2: float = float("nan")
    honesty: Honesty | None = None

    @property
    def parameters(self) -> int:
        """How many fitted numbers."""
        return len(self.surrogate.parameters) if self.surrogate else 0


@dataclass(frozen=True)
class Choice:
    """The surrogate chosen for a property, beside those it was chosen from.

    Parameters
    ----------
    chosen : Candidate
        With its surrogate, intervals widened where they needed it.
    candidates : tuple of Candidate
        All of them, the chosen one included.
    noise : NoiseFloor
        What repeats say about the best that can be had.
    mean_rmse : float
        Held-out error of predicting the mean of the other trials.
    predictable : bool
        Whether some model predicts better than that mean by more than chance, or was asked for by name.
    grouped : bool
        Whether replicates were held out together; a model with as many terms as recipes cannot be tested so.
    forced : bool
        Whether the problem named the model.
    """

    chosen: Candidate
    candidates: tuple[Candidate, ...]
    noise: NoiseFloor
    mean_rmse: float
    predictable: bool
    grouped: bool
    forced: bool

    @property
    def surrogate(self) -> Surrogate:
        """The chosen model."""
        assert self.chosen.surrogate is not None
        return self.chosen.surrogate


def choose_surrogate(
    data: Observations,
    *,
    model: str = "auto",
    seed: int = 0,
    progress: Callable[[str], None] = lambda _: None,
) -> Choice:
    """Fit the candidates, test them on held-out trials, and choose.

    Replicates are held out together. Among the candidates whose intervals hold (widened where they must be), the
    one with the smallest product of root mean square error and interval score is taken: the first says how near
    its predictions come, the second weighs the width of its intervals against their coverage.

    Parameters
    ----------
    data : Observations
        The trials of one property.
    model : str
        "auto", or the name of the model to use; the others are then not fitted.
    seed : int
        Of the splits.
    progress : callable
        Told the name of each candidate as its turn comes.

    Returns
    -------
    Choice

    Raises
    ------
    ModelError
        If the model asked for cannot be fitted to these trials.

    Examples
    --------
    >>> x = np.linspace(0, 1, 12)[:, None]
    >>> y = (x**2)[:, 0] + 0.01 * np.cos(40 * x[:, 0])
    >>> choose_surrogate(Observations(x, y, np.arange(12), ("x",), 0)).chosen.words
    'quadratic response surface'
    """
    splits, grouped = grouped_folds(data, seed=seed, repeats=_REPEATS, folds=_FOLDS), True
    forced = model != "auto"
    kinds = [kind for kind in KINDS if not forced or kind in ("mean", model)]
    candidates = [_try(kind, data, splits, seed, progress) for kind in kinds]
    if forced:
        asked = next(c for c in candidates if c.kind == model)
        if asked.surrogate is None:
            raise ModelError(
                f"trials that a {asked.words} can be fitted to",
                got=asked.why_not,
                remedy="choose another model",
            )
        if asked.honesty is None:
            splits, grouped = [np.arange(len(data.y))], False
            candidates = [_try(kind, data, splits, seed, progress) for kind in kinds]
    elif _best(_with_r2(candidates), data).kind == "mean" and any(_saturated(c) for c in candidates):
        # As many terms as recipes, the design of a textbook: without a recipe of its own nothing can be predicted,
        # so single replicates are held out instead, for all candidates alike, and that is said.
        splits, grouped = [np.arange(len(data.y))], False
        candidates = [_try(kind, data, splits, seed, progress) for kind in kinds]
    candidates = _with_r2(candidates)
    mean = next(c for c in candidates if c.kind == "mean")
    chosen = next(c for c in candidates if c.kind == model) if forced else _best(candidates, data)
    predictable = chosen.kind != "mean"
    return Choice(_widened(chosen), tuple(candidates), noise_floor(data), mean.rmse, predictable, grouped, forced)


def _saturated(candidate: Candidate) -> bool:
    """Whether a model was fitted but every held-out recipe would take its terms away."""
    return candidate.surrogate is not None and candidate.held_out is None


def _try(
    kind: str,
    data: Observations,
    splits: Sequence[Int[np.ndarray, " n"]],
    seed: int,
    progress: Callable[[str], None],
) -> Candidate:
    process = kind == "gaussian process"
    words = "Gaussian process" if process else polynomial_words(kind, data.ingredients)
    progress(words)
    why_not = why_not_process(data) if process else why_not_polynomial(kind, data)
    if why_not:
        return Candidate(kind, words, why_not)
    if process:
        surrogate = fit_process(data, seed=seed)
        held = hold_out_process(data, surrogate, splits)
    else:
        surrogate = fit_polynomial(kind, data)
        held = hold_out_polynomial(kind, data, splits)
    if not held.complete:
        return Candidate(kind, words, "leaving out one recipe leaves too few trials for its terms", surrogate)
    rmse, error = _root_mean_square(data, held)
    return Candidate(kind, words, "", surrogate, held, rmse, error, honesty=judge_intervals(data.y, held, splits))


def _per_recipe(data: Observations, values: Float[np.ndarray, "repeats n"]) -> Float[np.ndarray, " groups"]:
    """Mean of something held out, for every recipe, over repeats and replicates."""
    _, group = np.unique(data.groups, return_inverse=True)
    return np.bincount(group, weights=np.mean(values, axis=0)) / np.bincount(group)


def _root_mean_square(data: Observations, held: HeldOut) -> tuple[float, float]:
    rmse = float(np.sqrt(np.mean((data.y - held.mean) ** 2)))
    squares = _per_recipe(data, (data.y - held.mean) ** 2)
    if rmse == 0 or len(squares) < 2:
        return rmse, 0.0
    return rmse, float(np.std(squares, ddof=1) / np.sqrt(len(squares)) / (2 * rmse))


def _with_r2(candidates: Sequence[Candidate]) -> list[Candidate]:
    mean = next(c for c in candidates if c.kind == "mean")
    return [replace(c, r2=1 - (c.rmse / mean.rmse) ** 2) if mean.rmse > 0 else c for c in candidates]


def _best(candidates: Sequence[Candidate], data: Observations) -> Candidate:
    """The smallest product of held-out error and interval score, among those that beat the mean and hold."""
    mean = next(c for c in candidates if c.kind == "mean")
    better = [c for c in candidates if c.honesty is not None and _beats(c, mean, data)]
    honest = [c for c in better if _holds(c.honesty, len(data.y))] or better
    return min(honest, key=lambda c: c.rmse * c.honesty.score if c.honesty else np.inf, default=mean)


def _beats(candidate: Candidate, mean: Candidate, data: Observations) -> bool:
    """Whether the gain over the mean, recipe by recipe, exceeds what chance gives any model one time in twenty."""
    if candidate.held_out is None or mean.held_out is None:
        return False
    # Absolute errors: one wild trial must not decide.
    gain = _per_recipe(data, np.abs(data.y - mean.held_out.mean) - np.abs(data.y - candidate.held_out.mean))
    quantile = half_width(1 - 2 * 0.05 / (len(KINDS) - 1), len(gain) - 1)
    return bool(np.mean(gain) > quantile * np.std(gain, ddof=1) / np.sqrt(len(gain)))


def _holds(honesty: Honesty | None, n: int) -> bool:
    """Whether intervals, once widened, cover within two binomial standard errors of what they promise."""
    return honesty is not None and honesty.coverage_after >= LEVEL - 2 * np.sqrt(LEVEL * (1 - LEVEL) / n)


def _widened(candidate: Candidate) -> Candidate:
    if candidate.surrogate is None or candidate.honesty is None:
        return candidate
    return replace(candidate, surrogate=replace(candidate.surrogate, widening=candidate.honesty.widening))

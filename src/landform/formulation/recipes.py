"""Recipes: what to make, what to expect of it, how sure that is, and the certificate that nothing nearby is better."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float
from scipy import stats

from landform.findings import Estimate, Finding
from landform.fit.leverage import Reach
from landform.formulation.goals import Goal
from landform.formulation.limits_held import NATURES, LimitHeld, held_limits, verdict
from landform.formulation.responses import Response, Responses
from landform.formulation.search import Found
from landform.formulation.trials import Trials
from landform.optimize import Certificate

if TYPE_CHECKING:
    import pandas as pd

Array = np.ndarray


@dataclass(frozen=True)
class Expected:
    """What to expect of one property of a recipe.

    Parameters
    ----------
    name : str
        Which.
    mean : Estimate
        The fitted property there.
    low, high : float
        Between these one new batch will measure, at the study's level.
    desirability : float or None
        None where it has no goal.
    chance : float or None
        Probability that one new batch is within its limits; None where it has none.
    """

    name: str
    mean: Estimate
    low: float
    high: float
    desirability: float | None
    chance: float | None

    def to_dict(self) -> dict[str, Any]:
        """As it stands in ``results.json``."""
        return {
            "property": self.name,
            "mean": self.mean.to_dict(),
            "prediction": {"lower": self.low, "upper": self.high},
            "desirability": self.desirability,
            "chance": self.chance,
        }


@dataclass(frozen=True, eq=False)
class Recipe(Finding):
    """One recipe.

    Parameters
    ----------
    rank : int
        1 is the best.
    kind, words : str
        "best", "local optimum" or "alternative", and a sentence.
    inputs : dict
        Amounts and settings.
    spread : dict or None
        How far the best recipe wanders when the surrogates are redrawn from their uncertainty, one standard
        deviation; None for recipes other than the best.
    desirability : float
        Weighted geometric mean over all goals.
    cost : float or None
        Per unit of the total.
    expected : tuple of Expected
        Per property.
    chance : float or None
        Probability that one new batch is within all limits.
    leverage, largest_leverage : float
        How far the recipe lies from the trials; above the largest of theirs it extrapolates.
    untried : tuple of str
        Combinations of ingredients that no trial holds.
    nearest : tuple
        Row, label and distance in steps of the nearest trial.
    certificate : Certificate
        Recomputed from exact derivatives.
    active : tuple of LimitHeld
        Limits the recipe sits on.
    beyond : bool
        Whether every goal is reached in full.
    """

    rank: int
    kind: str
    words: str
    inputs: dict[str, float]
    spread: dict[str, float] | None
    desirability: float
    cost: float | None
    expected: tuple[Expected, ...]
    chance: float | None
    leverage: float
    largest_leverage: float
    untried: tuple[str, ...]
    nearest: tuple[int, str, float]
    certificate: Certificate
    active: tuple[LimitHeld, ...]
    beyond: bool = False

    @property
    def extrapolates(self) -> bool:
        """Whether the recipe lies outside what was tried."""
        return self.leverage > self.largest_leverage * (1 + 1e-9) or bool(self.untried)

    @property
    def certificate_words(self) -> str:
        """The certificate's verdict for somebody who wants the best recipe."""
        return verdict(self.certificate, beyond=self.beyond)

    @property
    def leverage_words(self) -> str:
        """Where the recipe lies among the trials."""
        if self.untried:
            return f"No trial combined {', '.join(self.untried)}: nothing is known about that."
        if self.extrapolates:
            return "It lies outside what was tried: make it, measure it, and add it to the trials before trusting it."
        return "It lies within what was tried."

    def to_frame(self) -> pd.DataFrame:
        """Amounts and expected properties, one row each."""
        import pandas as pd

        amounts = [
            {"kind": "input", "name": n, "value": v, "lower": None, "upper": None} for n, v in self.inputs.items()
        ]
        measured = [
            {
                "kind": "property",
                "name": e.name,
                "value": e.mean.value,
                "lower": e.mean.lower,
                "upper": e.mean.upper,
            }
            for e in self.expected
        ]
        return pd.DataFrame(amounts + measured)

    def to_dict(self) -> dict[str, Any]:
        """As it stands in ``results.json``."""
        row, label, distance = self.nearest
        return {
            "rank": self.rank,
            "kind": self.kind,
            "words": self.words,
            "inputs": self.inputs,
            "inputs_sd": self.spread,
            "desirability": self.desirability,
            "cost": self.cost,
            "properties": [e.to_dict() for e in self.expected],
            "chance": self.chance,
            "leverage": {
                "value": self.leverage,
                "largest_of_trials": self.largest_leverage,
                "extrapolates": self.extrapolates,
                "words": self.leverage_words,
            },
            "nearest_trial": {"row": row, "trial": label, "distance": distance},
            "certificate": {
                "certified": self.certificate.certified,
                "words": self.certificate_words,
                "violation": self.certificate.violation,
                "kkt_residual": self.certificate.kkt_residual,
                # The program minimizes minus the logarithm of desirability; a reader climbs.
                "eigenvalues": [-float(v) for v in self.certificate.eigenvalues],
                "nature": NATURES.get(self.certificate.nature, self.certificate.nature),
                "active": [
                    {"limit": a.limit, "multiplier": a.gain, "unit": a.unit, "words": a.words} for a in self.active
                ],
            },
        }


def expected_properties(
    responses: Responses, goals: Sequence[Goal], X: Float[Array, "rows d"]
) -> list[tuple[Expected, ...]]:
    """What to expect of every property at every row of X."""
    wanted = {goal.name: goal for goal in goals}
    columns = [_expected(part, wanted.get(part.name), X) for part in responses.parts]
    return [tuple(row) for row in zip(*columns, strict=True)]


def _expected(part: Response, goal: Goal | None, X: Float[Array, "rows d"]) -> list[Expected]:
    mean, error, low, high = part.interval(X)
    _, _, low_batch, high_batch = part.interval(X, batch=True)
    chances = _chances(part, goal, X)
    how = "exact sum" if part.surrogate is None else "prediction"
    return [
        Expected(
            part.name,
            Estimate(float(mean[i]), float(error[i]), float(low[i]), float(high[i]), part.unit, how),
            float(low_batch[i]),
            float(high_batch[i]),
            None if goal is None or not goal.graded else float(goal.desirability(mean[i])),
            chances[i],
        )
        for i in range(len(X))
    ]


def _chances(part: Response, goal: Goal | None, X: Float[Array, "rows d"]) -> list[float | None]:
    """Probability of a new batch inside the limits, from the predictive distribution."""
    low, high = (-np.inf, np.inf) if goal is None else goal.demanded
    if np.isinf(low) and np.isinf(high):
        return [None] * len(X)
    if part.surrogate is None:
        return [float(low <= v <= high) for v in part.mean(X)]
    if part.log:
        low, high = (-np.inf if low <= 0 else np.log(low)), (-np.inf if high <= 0 else np.log(high))
    mean, error = part.surrogate.predict(X)
    spread = part.surrogate.widening * np.hypot(error, part.surrogate.noise)
    spread = np.maximum(spread, 1e-300)
    shape = stats.norm if np.isinf(part.surrogate.degrees) else stats.t(part.surrogate.degrees)
    return [float(c) for c in shape.cdf((high - mean) / spread) - shape.cdf((low - mean) / spread)]


def make_recipes(
    found: Sequence[Found],
    responses: Responses,
    goals: Sequence[Goal],
    trials: Trials,
    reach: Reach,
    steps: Float[Array, " d"],
    step_words: Sequence[str],
    *,
    cost: Float[Array, " d"] | None,
    spread: Mapping[str, float] | None,
) -> tuple[Recipe, ...]:
    """Everything a reader wants to know about each recipe found."""
    if not found:
        return ()
    X = np.array([f.x for f in found])
    expected = expected_properties(responses, goals, X)
    names = tuple(i.name for i in trials.inputs)
    recipes = []
    for rank, (one, hopes, leverage) in enumerate(zip(found, expected, reach.leverage(X), strict=True), start=1):
        gaps = np.linalg.norm((trials.X - one.x) / steps, axis=1)
        near = int(np.argmin(gaps))
        chances = [h.chance for h in hopes if h.chance is not None]
        recipes.append(
            Recipe(
                rank=rank,
                kind=one.kind,
                words=_kind_words(one),
                inputs={name: float(v) for name, v in zip(names, one.x, strict=True)},
                spread=dict(spread) if spread is not None and rank == 1 else None,
                desirability=one.desirability,
                cost=None if cost is None else float(cost @ one.x),
                expected=hopes,
                chance=float(np.prod(chances)) if chances else None,
                leverage=float(leverage),
                largest_leverage=reach.largest,
                untried=reach.untried(one.x, names),
                nearest=(int(trials.rows[near]), trials.labels[near], float(gaps[near])),
                certificate=one.certificate,
                active=held_limits(one, responses, goals, names, steps, step_words),
                beyond=one.beyond,
            )
        )
    return tuple(recipes)


def _kind_words(one: Found) -> str:
    if one.kind == "best" and one.many:
        return "The best found; many recipes are as good, and this is the one predicted most surely of those seen."
    if one.kind == "best":
        return "The best found." + (" Every goal is reached in full." if one.beyond else "")
    if one.many:
        return "As good as the best, and clearly different."
    if one.kind == "local optimum":
        return "Best in its own neighbourhood: another way to make a good product."
    return "The best that differs clearly from the recipes above."

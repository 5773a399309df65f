"""Recipes: what to make, what to expect of it, how sure that is, and the certificate that nothing nearby is better."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float
from scipy import stats

from landform.findings import Estimate, Finding, Scatter
from landform.fit.leverage import Reach
from landform.formulation.goals import REACH, Goal
from landform.formulation.program import DISTANCE, u_name
from landform.formulation.responses import Response, Responses
from landform.formulation.search import Found
from landform.formulation.trials import Trials
from landform.optimize import ActiveLimit, Certificate

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


@dataclass(frozen=True)
class LimitHeld:
    """A limit the recipe sits on, and what relaxing it would gain."""

    limit: str
    gain: float | None
    unit: str
    words: str


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

    @property
    def extrapolates(self) -> bool:
        """Whether the recipe lies outside what was tried."""
        return self.leverage > self.largest_leverage * (1 + 1e-9) or bool(self.untried)

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
                "words": certificate_words(self.certificate),
                "violation": self.certificate.violation,
                "kkt_residual": self.certificate.kkt_residual,
                # The program minimizes minus the logarithm of desirability; a reader climbs.
                "eigenvalues": [-float(v) for v in self.certificate.eigenvalues],
                "nature": _NATURES.get(self.certificate.nature, self.certificate.nature),
                "active": [
                    {"limit": a.limit, "multiplier": a.gain, "unit": a.unit, "words": a.words} for a in self.active
                ],
            },
        }


_NATURES = {"strict minimum": "strict maximum"}  # a program minimizes; a reader maximizes desirability


def certificate_words(certificate: Certificate) -> str:
    """The certificate's verdict for somebody who wants the best recipe."""
    if not certificate.certified:
        return f"Not certified as the best nearby: {certificate.words.rstrip('.')}."
    meaning = {
        "strict minimum": "every small change within the limits makes it worse",
        "vertex": "the limits it sits on hold it from every side, and leaving any of them makes it worse",
        "flat": "no small change makes it better, though some make no difference",
    }[certificate.nature]
    return f"Certified: {meaning}."


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
    if goal is None:
        return [None] * len(X)
    low, high = goal.acceptable
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
                active=_held(one, goals, names, steps, step_words),
            )
        )
    return tuple(recipes)


def _kind_words(one: Found) -> str:
    if one.kind == "best":
        return "The best found." + (" Every goal is reached in full." if one.beyond else "")
    if one.kind == "local optimum":
        return "Best in its own neighbourhood: another way to make a good product."
    return "The best that differs clearly from the recipes above."


def _held(
    one: Found, goals: Sequence[Goal], names: Sequence[str], steps: Float[Array, " d"], step_words: Sequence[str]
) -> tuple[LimitHeld, ...]:
    """The limits a reader knows of, and what relaxing each would gain to first order."""
    rows = []
    for limit in one.certificate.multipliers:
        if limit.equality or limit.name.startswith("line of "):
            continue
        rows.append(_held_words(limit, one, goals, names, steps, step_words))
    return tuple(rows)


def _held_words(
    limit: ActiveLimit,
    one: Found,
    goals: Sequence[Goal],
    names: Sequence[str],
    steps: Float[Array, " d"],
    step_words: Sequence[str],
) -> LimitHeld:
    gain = one.desirability * limit.multiplier
    kink = next((goal for goal in goals if limit.name == u_name(goal)), None)
    if kink is not None:
        edge = kink.target if kink.target is not None else kink.high if kink.kind == "maximize" else kink.low
        text = f"{kink.name} {edge:g} {kink.unit}".rstrip()
        return LimitHeld(text, None, "", f"{kink.name} sits exactly on its goal of {edge:g} {kink.unit}".rstrip() + ".")
    if limit.name.startswith(DISTANCE):
        other = limit.name.removeprefix(DISTANCE)
        words = f"It is kept at a distance from recipe {other}, to be a real alternative to it."
        return LimitHeld(f"distance from recipe {other}", None, "", words)
    if limit.name == REACH:
        words = "It stays within the reach of the trials; better is predicted beyond, with no trial near to back it."
        return LimitHeld(REACH, None, "", words)
    if limit.name in names:
        i = names.index(limit.name)
        amount = step_words[i].lstrip("+")
        words = (
            f"Relaxing {limit.words} by {amount} would gain about {gain * steps[i]:.2g} desirability."
            if limit.strongly
            else f"{limit.words} is touched but costs nothing."
        )
        return LimitHeld(limit.words, gain * float(steps[i]), f"desirability per {amount}", words)
    words = (
        f"Relaxing {limit.words} by one unit would gain about {gain:.2g} desirability."
        if limit.strongly
        else f"{limit.words} is touched but costs nothing."
    )
    return LimitHeld(limit.words, gain, "desirability per unit", words)


def held_out_picture(name: str, measured: Sequence[float], predicted: Sequence[float], low: Any, high: Any) -> Scatter:
    """Measured against predicted, each trial predicted from the others."""
    return Scatter(
        x=list(measured),
        y=list(predicted),
        lower=list(low),
        upper=list(high),
        title=name,
        x_axis=f"measured {name}",
        y_axis="predicted from the other trials",
    )

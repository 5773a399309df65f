"""The answer in words: what to make, how sure that is, what matters most, and what to be careful with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Float

from landform.formulation.effects import Effect, Effects
from landform.formulation.goals import Goal
from landform.formulation.recipes import Recipe, certificate_words
from landform.formulation.responses import Responses
from landform.formulation.surrogates import Fitted
from landform.formulation.trials import Trials

_MATTERS = 6


def amount_words(value: float, unit: str, total: float | None) -> str:
    """An amount as a person writes it.

    Examples
    --------
    >>> amount_words(0.30763, "", 1.0), amount_words(34.25, "%", 100.0)
    ('0.308', '34.2 %')
    """
    text = f"{value:.3f}" if total == 1 else f"{value:.4g}" if total is None else f"{value:.3g}"
    return f"{text} {unit}".rstrip()


def make_words(recipes: Sequence[Recipe], goals: Sequence[Goal], trials: Trials, closest: str) -> str:
    """What to make."""
    if recipes:
        parts = [
            f"{i.name} {amount_words(recipes[0].inputs[i.name], i.unit, trials.total if i.kind == 'ingredient' else None)}"
            for i in trials.inputs
        ]
        return f"Make {', '.join(parts)}."
    if not goals:
        return (
            "No property has a goal, so no recipe is proposed: set `goal` to maximize, minimize, target or in range "
            "for at least one property that can be predicted."
        )
    return f"No recipe within the limits is predicted to meet every goal. {closest}"


def closest_words(responses: Responses, goals: Sequence[Goal], x: Float[np.ndarray, " d"], trials: Trials) -> str:
    """The recipe that misses least, and what it misses."""
    Y = responses.means(x[None], [goal.name for goal in goals])[0]
    missed = []
    for goal, y in zip(goals, Y, strict=True):
        low, high = goal.acceptable
        if goal.line(np.array([y]))[0] <= 0:
            side, limit = ("at least", low) if y <= low else ("at most", high)
            missed.append(f"{goal.name} would be {y:.3g} where {side} {limit:.3g} is wanted".replace("  ", " "))
    amounts = ", ".join(f"{i.name} {v:.4g}" for i, v in zip(trials.inputs, x, strict=True))
    return f"The nearest to it is {amounts}: {'; '.join(missed) or 'the limits cannot all be met at once'}."


def sure_words(recipes: Sequence[Recipe], goals: Sequence[Goal]) -> str:
    """How sure that is."""
    if not recipes:
        return "There is no recipe to be sure of."
    best = recipes[0]
    wanted = {goal.name for goal in goals}
    hopes = [
        f"{e.property} {e.mean.value:.3g} ({e.low:.3g} to {e.high:.3g} in one batch) {e.mean.unit}".rstrip()
        for e in best.expected
        if e.property in wanted and e.mean.standard_error
    ]
    text = f"Expect {'; '.join(hopes)}. " if hopes else ""
    text += f"Overall desirability {best.desirability:.3f} of 1. {certificate_words(best.certificate)} "
    return text + best.leverage_words


def matters(effects: Effects, trials: Trials, goals: Sequence[Goal]) -> list[Effect]:
    """The largest sure effects at the recipe, measured against the spread of their property."""
    spread = {name: float(np.nanmax(y) - np.nanmin(y)) for name, y in zip(trials.properties, trials.Y.T, strict=True)}
    wanted = [goal.name for goal in goals] or list(spread)
    here = [
        e
        for e in effects.effects
        if e.at == "recipe" and e.property in wanted and e.property in spread and e.estimate.sure
    ]
    ranked: list[Effect] = []
    for effect in sorted(here, key=lambda e: -abs(e.over_range) / (spread[e.property] or 1.0)):
        if not any(_mirrors(effect, other) for other in ranked):
            ranked.append(effect)
    # The two strongest of every property first, so that none is crowded out.
    first = [e for name in wanted for e in [r for r in ranked if r.property == name][:2]]
    rest = [e for e in ranked if e not in first]
    return (first + rest)[:_MATTERS]


def _mirrors(one: Effect, other: Effect) -> bool:
    """Whether both say the same exchange of two ingredients, seen from either side."""
    return (
        one.property == other.property and list(one.gives_way) == [other.input] and list(other.gives_way) == [one.input]
    )


def matters_words(effect: Effect) -> str:
    """One effect as a sentence."""
    room = f" ({' and '.join(effect.gives_way)} giving way)" if 0 < len(effect.gives_way) <= 3 else ""
    return f"{effect.words}{room}."


def notes(
    trials: Trials, fitted: Sequence[Fitted], recipes: Sequence[Recipe], why_not: dict[str, str]
) -> list[dict[str, Any]]:
    """What a reader should know before acting."""
    found: list[dict[str, Any]] = []

    def add(level: str, text: str) -> None:
        found.append({"level": level, "text": text})

    if recipes and recipes[0].extrapolates:
        add("warning", f"The best recipe extrapolates. {recipes[0].leverage_words}")
    if recipes and not recipes[0].certificate.certified:
        add("warning", certificate_words(recipes[0].certificate))
    if trials.suspicions:
        places = ", ".join(f"{s.label} ({s.column})" for s in trials.suspicions[:4])
        more = f" and {len(trials.suspicions) - 4} more" if len(trials.suspicions) > 4 else ""
        add(
            "warning",
            f"{_count(trials.suspicions, 'cell')} of the table look wrong: {places}{more}. Nothing was changed; see the data section.",
        )
    for name, why in why_not.items():
        add("warning", f"{name} is not optimized: {why}")
    for one in fitted:
        widening = one.choice.surrogate.widening
        if one.predictable and widening > 1.5:
            add(
                "caution",
                f"The intervals of {one.property} were too narrow on held-out trials and are widened {widening:.1f} times.",
            )
        if one.choice.surrogate.never:
            add(
                "caution",
                f"{one.property}: never tried together: {', '.join(one.choice.surrogate.never[:5])}"
                + (f" and {len(one.choice.surrogate.never) - 5} more" if len(one.choice.surrogate.never) > 5 else "")
                + ".",
            )
    if trials.closures:
        rows = ", ".join(str(c.row) for c in trials.closures[:8]) + (" …" if len(trials.closures) > 8 else "")
        add(
            "info",
            f"The amounts of {_count(trials.closures, 'row')} miss the total by rounding (rows {rows}); see the data section.",
        )
    if trials.left_out:
        add("info", f"{_count(trials.left_out, 'row')} without any measurement left out.")
    if trials.unused:
        add("info", f"Columns not used: {', '.join(trials.unused)}.")
    if len(np.unique(trials.groups)) == len(trials.groups):
        add(
            "info",
            "No recipe was repeated, so the noise of a measurement is judged from the fit alone; repeat two or three recipes to know it.",
        )
    return found


def _count(things: Sequence[Any], noun: str) -> str:
    return f"{len(things)} {noun}{'' if len(things) == 1 else 's'}"

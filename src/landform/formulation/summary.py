"""The answer in words: what to make, how sure that is, what matters most, and what to be careful with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float

from landform.findings import minus
from landform.formulation.effects import Effect, Effects
from landform.formulation.goals import Goal
from landform.formulation.recipes import Recipe
from landform.formulation.responses import Responses
from landform.formulation.surrogates import Fitted
from landform.formulation.trials import Trials

_MATTERS = 6
_LIKELY = 0.95
_DOUBTFUL = 0.8


def amount_words(value: float, unit: str, total: float | None) -> str:
    """An amount as a person writes it.

    Examples
    --------
    >>> amount_words(0.30763, "", 1.0), amount_words(34.25, "%", 100.0)
    ('0.308', '34.2 %')
    """
    text = f"{value:.3f}" if total == 1 else f"{value:.4g}" if total is None else f"{value:.3g}"
    return f"{minus(text)} {unit}".rstrip()


def make_words(
    recipes: Sequence[Recipe], goals: Sequence[Goal], trials: Trials, closest: str, unpredictable: Sequence[str]
) -> str:
    """What to make."""
    if recipes:
        return _sentence(f"Make {_recipe_words(recipes[0].inputs, trials)}")
    if not goals and unpredictable:
        return (
            f"No recipe can be proposed: nothing predicts {' or '.join(unpredictable)} better than the mean, so these "
            "trials do not show how to reach the goal."
        )
    if not goals:
        return (
            "No property has a goal, so no recipe is proposed: set `goal` to maximize, minimize, target or in range "
            "for at least one property that can be predicted."
        )
    return f"No recipe within the limits is predicted to meet every goal. {closest}"


def _recipe_words(amounts: Mapping[str, float], trials: Trials) -> str:
    parts = []
    for one in trials.inputs:
        total = trials.total if one.kind == "ingredient" else None
        parts.append(f"{one.name} {amount_words(amounts[one.name], one.unit, total)}")
    return ", ".join(parts)


def _sentence(text: str) -> str:
    return f"{text.rstrip('. ')}."


def closest_words(responses: Responses, goals: Sequence[Goal], x: Float[np.ndarray, " d"], trials: Trials) -> str:
    """The recipe that misses least, and what it misses."""
    Y = responses.means(x[None], [goal.name for goal in goals])[0]
    missed = []
    for goal, y in zip(goals, Y, strict=True):
        low, high = goal.acceptable
        if goal.line(np.array([y]))[0] <= 0:
            side, limit = ("at least", low) if y <= low else ("at most", high)
            wanted = f"{side} {_number(limit)} {goal.unit}".rstrip()
            missed.append(f"{goal.name} would be {_number(y)} where {wanted} is wanted")
    amounts = _recipe_words({i.name: float(v) for i, v in zip(trials.inputs, x, strict=True)}, trials)
    return _sentence(f"The nearest to it is {amounts}: {'; '.join(missed) or 'the limits cannot all be met at once'}")


def sure_words(recipes: Sequence[Recipe], goals: Sequence[Goal]) -> str:
    """How sure that is."""
    if not recipes:
        return "There is no recipe to be sure of."
    best = recipes[0]
    wanted = {goal.name for goal in goals}
    hopes = [
        f"{e.name} {_number(e.mean.value)} {e.mean.unit}".rstrip()
        + f" (one batch: {_number(e.low)} to {_number(e.high)})"
        for e in best.expected
        if e.name in wanted and e.mean.standard_error
    ]
    text = f"Expect {'; '.join(hopes)}. " if hopes else ""
    if best.chance is not None and best.chance < _LIKELY:
        text += f"One batch meets all limits with a chance of {best.chance:.0%}. "
    text += f"Overall desirability {best.desirability:.3f} of 1. {best.certificate_words} "
    return text + best.leverage_words


def _number(value: float) -> str:
    return minus(f"{value:.3g}")


def matters(effects: Effects, trials: Trials, goals: Sequence[Goal]) -> list[Effect]:
    """The largest sure effects at the recipe, measured against the spread of their property."""
    spread = trials.property_ranges
    wanted = [goal.name for goal in goals] or list(spread)
    movable = {i.name for i in trials.inputs if i.upper > i.lower}
    here = [
        e
        for e in effects.effects
        if e.at == "recipe" and e.input in movable and e.name in wanted and e.name in spread and e.estimate.sure
    ]
    ranked: list[Effect] = []
    for effect in sorted(here, key=lambda e: -abs(e.over_range) / (spread[e.name] or 1.0)):
        if not any(_mirrors(effect, other) for other in ranked):
            ranked.append(effect)
    # The two strongest of every property first, so that none is crowded out.
    first = [e for name in wanted for e in [r for r in ranked if r.name == name][:2]]
    rest = [e for e in ranked if e not in first]
    return (first + rest)[:_MATTERS]


def _mirrors(one: Effect, other: Effect) -> bool:
    """Whether both say the same exchange of two ingredients, seen from either side."""
    return one.name == other.name and list(one.gives_way) == [other.input] and list(other.gives_way) == [one.input]


def matters_words(effect: Effect) -> str:
    """One effect as a sentence."""
    givers = list(effect.gives_way)
    named = " and ".join(part for part in (", ".join(givers[:-1]), *givers[-1:]) if part)
    room = f" ({named} giving way)" if 0 < len(givers) <= 3 else ""
    return _sentence(f"{effect.words}{room}")


def notes(
    trials: Trials, fitted: Sequence[Fitted], recipes: Sequence[Recipe], why_not: dict[str, str]
) -> list[dict[str, Any]]:
    """What a reader should know before acting, the gravest first."""
    found = [
        *(("warning", text) for text in _warnings(trials, recipes, why_not)),
        *(("caution", text) for text in _confounded(trials)),
        *(("caution", text) for one in fitted for text in _cautions(one)),
        *(("info", text) for text in _remarks(trials)),
    ]
    return [{"level": level, "text": text} for level, text in found]


def _warnings(trials: Trials, recipes: Sequence[Recipe], why_not: dict[str, str]) -> Iterator[str]:
    if recipes and recipes[0].extrapolates:
        yield f"The best recipe extrapolates. {recipes[0].leverage_words}"
    if recipes and not recipes[0].certificate.certified:
        yield recipes[0].certificate_words
    if recipes and recipes[0].chance is not None and recipes[0].chance < _DOUBTFUL:
        yield (
            f"One batch of the best recipe meets all limits with a chance of only {recipes[0].chance:.0%}: "
            "tighten the limits asked for, to stay clear of them."
        )
    if trials.suspicions:
        places = [f"{s.label} ({s.column})" for s in trials.suspicions]
        verb = "looks" if len(places) == 1 else "look"
        yield (
            f"{_count(places, 'cell')} of the table {verb} wrong: {_some(places, 4)}. "
            "Nothing was changed; see the data section."
        )
    for name, why in why_not.items():
        yield f"{name} is not optimized: {why}"


def _confounded(trials: Trials) -> Iterator[str]:
    """Inputs that only ever moved together, so that nothing tells what each does."""
    free = [k for k, i in enumerate(trials.inputs) if i.observed[1] > i.observed[0]]
    names = [trials.inputs[k].name for k in free]
    X = trials.X[:, free]
    scaled = (X - X.mean(axis=0)) / X.std(axis=0)
    _, sizes, rows = np.linalg.svd(scaled, full_matrices=True)
    null = rows[int(np.sum(sizes > 1e-6 * sizes[0])) :]
    whole = np.array([trials.inputs[k].kind == "ingredient" for k in free]) * X.std(axis=0)
    if whole.any():  # that ingredients add to a constant is no news
        unit = whole / np.linalg.norm(whole)
        null = null - np.outer(null @ unit, unit)
    tied = [name for name, weight in zip(names, np.abs(null).max(axis=0, initial=0.0), strict=True) if weight > 1e-6]
    if tied:
        yield (
            f"The trials never varied {', '.join(tied)} independently of each other: what each does by itself "
            "cannot be known from them."
        )


def _cautions(one: Fitted) -> Iterator[str]:
    surrogate = one.choice.surrogate
    if one.predictable and surrogate.widening > 1.5:
        yield (
            f"The intervals of {one.name} were too narrow on held-out trials and are widened "
            f"{surrogate.widening:.1f} times."
        )
    if one.predictable and not one.choice.grouped:
        yield (
            f"{one.name} was tested by leaving out single trials, not whole recipes: there are as many terms as "
            "recipes, so nothing tests the shape between them."
        )
    if surrogate.never:
        yield _sentence(f"{one.name}: never tried together: {_some(surrogate.never, 5)}")


def _remarks(trials: Trials) -> Iterator[str]:
    if trials.closures:
        rows = _some([str(c.row) for c in trials.closures], 8)
        yield (
            f"The amounts of {_count(trials.closures, 'row')} miss the total by rounding (in the file: {rows}); "
            "see the data section."
        )
    if trials.left_out:
        yield f"{_count(trials.left_out, 'row')} without any measurement left out."
    if trials.unused:
        yield _sentence(f"Columns not used: {', '.join(trials.unused)}")
    if len(np.unique(trials.groups)) == len(trials.groups):
        yield (
            "No recipe was repeated, so the noise of a measurement is judged from the fit alone; "
            "repeat two or three recipes to know it."
        )


def _some(words: Sequence[str], most: int) -> str:
    more = f" and {len(words) - most} more" if len(words) > most else ""
    return ", ".join(words[:most]) + more


def _count(things: Sequence[Any], noun: str) -> str:
    return f"{len(things)} {noun}{'' if len(things) == 1 else 's'}"

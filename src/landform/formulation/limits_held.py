"""A certificate in the words of somebody who wants the best recipe: the verdict, and the limits that hold it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from landform.formulation.goals import REACH, Goal
from landform.formulation.program import DISTANCE, LINE, u_name
from landform.formulation.responses import Responses
from landform.formulation.search import Found
from landform.optimize import ActiveLimit, Certificate

NATURES = {"strict minimum": "strict maximum"}  # a program minimizes; a reader maximizes desirability

_MEANINGS = {
    "strict minimum": "every small change within the limits makes it worse",
    "vertex": "the limits it sits on hold it from every side, and leaving any of them makes it worse",
    "flat": "no small change makes it better, though some make no difference",
}


@dataclass(frozen=True)
class LimitHeld:
    """A limit the recipe sits on.

    Parameters
    ----------
    limit : str
        As a reader writes it: "extender A ≥ 0.3".
    gain : float or None
        What relaxing it by one ``unit`` gains to first order; None where that is not determined.
    unit, words : str
        In what unit, and the same as a sentence.
    """

    limit: str
    gain: float | None
    unit: str
    words: str


def verdict(certificate: Certificate, *, beyond: bool) -> str:
    """The certificate's verdict.

    Parameters
    ----------
    certificate : Certificate
        Of the recipe.
    beyond : bool
        Whether every goal is reached in full, so that the search went on past the goals.
    """
    if not certificate.certified:
        return f"Not certified as the best nearby: {certificate.words.rstrip('.')}."
    if beyond:
        return "Certified: every goal is reached in full, and no small change carries it further past them all."
    return f"Certified: {_MEANINGS[certificate.nature]}."


def held_limits(
    one: Found,
    responses: Responses,
    goals: Sequence[Goal],
    names: Sequence[str],
    steps: Float[np.ndarray, " d"],
    step_words: Sequence[str],
) -> tuple[LimitHeld, ...]:
    """The limits a reader knows of, and what relaxing each would gain to first order."""
    bounds = {
        name: (float(step), words.lstrip("+")) for name, step, words in zip(names, steps, step_words, strict=True)
    }
    found = []
    for limit in one.certificate.multipliers:
        if limit.equality or limit.name.startswith(LINE):
            continue
        kink = next((goal for goal in goals if limit.name == u_name(goal)), None)
        if kink is not None:
            found.append(_kink(kink, one, responses))
        elif limit.name.startswith(DISTANCE):
            other = limit.name.removeprefix(DISTANCE)
            words = f"It is kept at a distance from recipe {other}, to be a real alternative to it."
            found.append(LimitHeld(f"distance from recipe {other}", None, "", words))
        elif limit.name == REACH:
            words = "It stays within the reach of the trials; beyond, no trial is near enough to back a prediction."
            found.append(LimitHeld(REACH, None, "", words))
        else:
            found.append(_priced(limit, one, *bounds.get(limit.name, (1.0, "one unit"))))
    return tuple(found)


def _kink(goal: Goal, one: Found, responses: Responses) -> LimitHeld:
    """A property that has reached its goal, exactly or with something to spare."""
    edge = goal.target if goal.target is not None else goal.high if goal.kind == "maximize" else goal.low
    text = f"{goal.name} {edge:g} {goal.unit}".rstrip()
    line = float(goal.line(responses.means(one.x[None], [goal.name]))[0, 0])
    place = "sits exactly on" if line <= 1 + 1e-6 else "is past"
    return LimitHeld(text, None, "", f"{goal.name} {place} its goal of {edge:g} {goal.unit}".rstrip() + ".")


def _priced(limit: ActiveLimit, one: Found, step: float, amount: str) -> LimitHeld:
    """A bound or constraint, with what relaxing it by one step would gain."""
    unit = f"desirability per {amount}"
    if not limit.strongly:
        return LimitHeld(limit.words, 0.0, unit, f"{limit.words} is touched but costs nothing.")
    if one.beyond:
        return LimitHeld(limit.words, None, "", f"{limit.words} holds it; every goal is reached all the same.")
    if not one.certificate.unique:
        words = (
            f"{limit.words} holds it together with other limits; what relaxing it alone would gain is not determined."
        )
        return LimitHeld(limit.words, None, "", words)
    gain = one.desirability * limit.multiplier * step
    words = f"Relaxing {limit.words} by {amount} would gain about {gain:.2g} desirability."
    if limit.kind == "bound" and limit.words.endswith("≥ 0"):
        words = f"{limit.name} is left out; {amount} of it would cost about {gain:.2g} desirability."
    return LimitHeld(limit.words, gain, unit, words)

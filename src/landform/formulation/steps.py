"""Changes a person would make, and the bounds they are made within."""

from __future__ import annotations

import math

import numpy as np

from landform.formulation.problem import Problem
from landform.formulation.trials import Input, Trials
from landform.optimize import Polytope
from landform.sensitivity import Ground


def round_step(span: float) -> float:
    """A round number near a tenth of a range.

    Examples
    --------
    >>> round_step(60.0), round_step(0.34)
    (5.0, 0.02)
    """
    if span <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(span / 10))
    return max(m for m in (1.0, 2.0, 5.0) if m * power <= span / 10 * (1 + 1e-9)) * power


def step_of(one: Input, total: float | None, percent: float) -> float:
    """The change that slopes of one input are quoted for."""
    if one.kind == "ingredient" and total is not None:
        return total * percent / 100
    return one.step or round_step(one.observed[1] - one.observed[0])


def step_words(one: Input, total: float | None, percent: float) -> str:
    """The change in words."""
    if one.kind == "ingredient" and total in (1, 100):
        return f"+{percent:g} percentage point" + ("" if percent == 1 else "s")
    amount = f"+{step_of(one, total, percent):g} {one.unit}".rstrip()
    return amount + (f" ({percent:g} % of the total)" if one.kind == "ingredient" and total is not None else "")


def steps_in_words(trials: Trials, percent: float) -> tuple[str, ...]:
    """Every input's step."""
    return tuple(step_words(one, trials.total, percent) for one in trials.inputs)


def make_ground(trials: Trials, percent: float) -> Ground:
    """Bounds and steps of all inputs."""
    return Ground(
        names=tuple(i.name for i in trials.inputs),
        ingredients=sum(i.kind == "ingredient" for i in trials.inputs),
        lower=np.array([i.lower for i in trials.inputs], dtype=float),
        upper=np.array([i.upper for i in trials.inputs], dtype=float),
        steps=np.array([step_of(i, trials.total, percent) for i in trials.inputs]),
    )


def make_region(trials: Trials, problem: Problem) -> Polytope:
    """The recipes allowed: bounds, the total, the problem's linear constraints.

    Raises
    ------
    InfeasibleError
        If no recipe meets them all; names a smallest set of limits that conflict.
    """
    names = tuple(i.name for i in trials.inputs)
    rows, low, high, words = [], [], [], []
    if trials.total is not None:
        rows.append([1.0 if i.kind == "ingredient" else 0.0 for i in trials.inputs])
        low.append(trials.total)
        high.append(trials.total)
        words.append("sum of ingredients")
    for k, constraint in enumerate(problem.constraints, start=1):
        rows.append([constraint.terms.get(name, 0.0) for name in names])
        low.append(-np.inf if constraint.lower is None else constraint.lower)
        high.append(np.inf if constraint.upper is None else constraint.upper)
        words.append(constraint.name or f"constraint {k}")
    region = Polytope(
        names=names,
        lower=np.array([i.lower for i in trials.inputs], dtype=float),
        upper=np.array([i.upper for i in trials.inputs], dtype=float),
        A=np.array(rows, dtype=float).reshape(len(rows), len(names)),
        A_lower=np.array(low, dtype=float),
        A_upper=np.array(high, dtype=float),
        A_names=tuple(words),
    )
    region.interior_point()
    return region

"""What is wanted of each property, as desirabilities.

References
----------
Derringer and Suich (1980), "Simultaneous optimization of several response variables", J. Quality Technology 12.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from landform.errors import ProblemError
from landform.formulation.problem import CostGoal, Problem, Property
from landform.formulation.trials import Trials

COST = "cost"
REACH = "reach of the trials"
"""The leverage of a recipe against the trials, kept below the largest of theirs."""


_TOUCHES = 1e-7
"""A recipe that sits on the end of a range meets it, rounding or not."""


@dataclass(frozen=True)
class Piece:
    """A line ``offset + slope · y`` that a desirability must stay under."""

    offset: float
    slope: float


@dataclass(frozen=True)
class Goal:
    """What is wanted of one property.

    Parameters
    ----------
    name, unit : str
        The property.
    kind : str
        "maximize", "minimize", "target" or "in range".
    low, high : float
        Limits, in the property's unit; infinite where a range is open.
    target : float or None
        For the goal "target".
    weight, shape : float
        Weight in the geometric mean; exponent of the desirability.
    stated : tuple of bool
        Whether each limit was asked for; one that was not is the smallest or largest value measured.
    """

    name: str
    unit: str
    kind: str
    low: float
    high: float
    target: float | None = None
    weight: float = 1.0
    shape: float = 1.0
    stated: tuple[bool, bool] = (True, True)

    @property
    def graded(self) -> bool:
        """Whether the goal has a desirability between 0 and 1; a range is met or not."""
        return self.kind != "in range"

    @property
    def pieces(self) -> tuple[Piece, ...]:
        """The lines whose smallest, cut at 1, is the desirability before the exponent."""
        rising = self.kind in ("maximize", "target")
        falling = self.kind in ("minimize", "target")
        top = self.high if self.target is None else self.target
        bottom = self.low if self.target is None else self.target
        found = []
        if rising and top > self.low:
            found.append(Piece(-self.low / (top - self.low), 1 / (top - self.low)))
        if falling and self.high > bottom:
            found.append(Piece(self.high / (self.high - bottom), -1 / (self.high - bottom)))
        return tuple(found)

    def line(self, y: Float[np.ndarray, ...]) -> Float[np.ndarray, ...]:
        """The smallest of the lines, neither cut nor raised: negative where the goal is missed."""
        y = np.asarray(y, dtype=np.float64)
        if not self.graded:
            gap = self.gap(y)
            return np.where(gap <= _TOUCHES, 1.0, -gap)
        return np.asarray(np.min([p.offset + p.slope * y for p in self.pieces], axis=0))

    def gap(self, y: Float[np.ndarray, ...]) -> Float[np.ndarray, ...]:
        """How far a value lies outside its limits, in parts of their width (or of their size)."""
        below = self.low - y if np.isfinite(self.low) else np.full_like(y, -np.inf)
        above = y - self.high if np.isfinite(self.high) else np.full_like(y, -np.inf)
        width = self.high - self.low
        ends = [abs(v) for v in (self.low, self.high) if np.isfinite(v)]
        size = width if np.isfinite(width) and width > 0 else max([*ends, 1e-12])
        return np.maximum(np.maximum(below, above), 0.0) / size

    def desirability(self, y: Float[np.ndarray, ...], *, top: float = 1.0) -> Float[np.ndarray, ...]:
        """Between 0 (useless) and 1 (all that is wanted), or past it up to ``top``."""
        return np.clip(self.line(y), 0.0, top) ** self.shape

    @property
    def acceptable(self) -> tuple[float, float]:
        """Between which values a batch is of any use."""
        return (
            -np.inf if self.kind == "minimize" else self.low,
            np.inf if self.kind == "maximize" else self.high,
        )

    @property
    def demanded(self) -> tuple[float, float]:
        """The acceptable values as far as the problem states them."""
        low, high = self.acceptable
        return (low if self.stated[0] else -np.inf, high if self.stated[1] else np.inf)


def make_goals(problem: Problem, trials: Trials, predictable: Sequence[str]) -> tuple[Goal, ...]:
    """The goals of all properties that can be predicted, and of cost where it has one."""
    found = []
    for name, wanted in problem.properties.items():
        if wanted.goal != "none" and name in predictable:
            y = trials.Y[:, trials.properties.index(name)]
            observed = float(np.nanmin(y)), float(np.nanmax(y))
            goal = _goal(name, trials.units.get(name, ""), wanted, observed)
            _refuse_target_outside(goal, problem.source)
            found.append(goal)
    if problem.cost is not None:
        found.append(_cost_goal(problem.cost, trials))
    if not any(goal.graded for goal in found):
        found = [_deep_inside(goal, trials) for goal in found]
    return tuple(found)


def _deep_inside(goal: Goal, trials: Trials) -> Goal:
    """A range as a goal with degrees, where there are only ranges: the recipe sought lies deepest inside them."""
    y = trials.Y[:, trials.properties.index(goal.name)]
    if np.isfinite(goal.low) and np.isfinite(goal.high):
        return replace(goal, kind="target", target=(goal.low + goal.high) / 2)
    if np.isfinite(goal.low):
        return replace(goal, kind="maximize", high=max(float(np.nanmax(y)), goal.low + float(np.nanstd(y))))
    return replace(goal, kind="minimize", low=min(float(np.nanmin(y)), goal.high - float(np.nanstd(y))))


def _refuse_target_outside(goal: Goal, source: str) -> None:
    if goal.target is not None and not goal.low < goal.target < goal.high:
        raise ProblemError(
            f"a target between the limits {goal.low:g} and {goal.high:g} (what was measured, where none are given)",
            got=f"{goal.target:g}",
            remedy="give limits on either side of the target, or choose another",
            where=f"{source}, key properties.{goal.name}.target",
        )


def _goal(name: str, unit: str, wanted: Property, observed: tuple[float, float]) -> Goal:
    low, high = wanted.limits or (None, None)
    if wanted.goal == "in range":
        ends = (-np.inf if low is None else low, np.inf if high is None else high)
    else:
        ends = (observed[0] if low is None else low, observed[1] if high is None else high)
    stated = (low is not None, high is not None)
    return Goal(name, unit, wanted.goal, *ends, wanted.target, wanted.weight, wanted.shape, stated)


def costs(trials: Trials) -> Float[np.ndarray, " d"]:
    """Price of one unit of every input; 0 where none is given."""
    return np.array([i.cost or 0.0 for i in trials.inputs])


def _cost_goal(wanted: CostGoal, trials: Trials) -> Goal:
    tried = trials.X @ costs(trials)
    low, high = wanted.limits or (None, None)
    ends = (float(tried.min()) if low is None else low, float(tried.max()) if high is None else high)
    stated = (low is not None, high is not None)
    return Goal(COST, "", "minimize", *ends, None, wanted.weight, wanted.shape, stated)


def overall(
    goals: Sequence[Goal], Y: Float[np.ndarray, "rows goals"], *, capped: bool = True
) -> Float[np.ndarray, " rows"]:
    """Weighted geometric mean of the desirabilities; 0 where a range is missed.

    Parameters
    ----------
    goals : sequence of Goal
        What is wanted.
    Y : array, shape (rows, goals)
        The properties, one column for each goal.
    capped : bool
        Whether a desirability stops at 1; without, recipes past their goals are told apart.

    Examples
    --------
    >>> goals = [Goal("a", "", "maximize", 0.0, 10.0), Goal("b", "", "minimize", 0.0, 4.0)]
    >>> overall(goals, np.array([[2.5, 3.0], [10.0, 0.0], [5.0, 9.0]]))
    array([0.25, 1.  , 0.  ])
    """
    top = 1.0 if capped else np.inf
    each = np.column_stack([goal.desirability(Y[:, k], top=top) for k, goal in enumerate(goals)])
    weights = np.array([goal.weight if goal.graded else 0.0 for goal in goals])
    met = np.all(each > 0, axis=1)
    logs = np.log(np.where(each > 0, each, 1.0))
    mean = logs @ weights / weights.sum() if weights.any() else np.zeros(len(Y))
    return np.where(met, np.exp(mean), 0.0)

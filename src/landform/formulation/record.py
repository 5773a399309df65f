"""A study's findings as plain data: the content of ``results.json``, as ``docs/results.md`` describes it."""

from __future__ import annotations

import platform
from datetime import UTC, datetime
from importlib import metadata
from typing import TYPE_CHECKING, Any

import numpy as np

from landform.fit.leverage import Reach
from landform.fit.surrogate import LEVEL
from landform.formulation.goals import COST, Goal, costs
from landform.formulation.steps import steps_in_words
from landform.formulation.summary import closest_words, make_words, matters, matters_words, notes, sure_words
from landform.formulation.trials import Trials

if TYPE_CHECKING:
    from landform.formulation.study import StudyFindings

SCHEMA = "landform.study/1"

METHODS = {
    "prediction": "Value of the fitted surrogate; its interval is for the mean of many batches, from the sampling "
    "covariance of the coefficients or the posterior of the Gaussian process, widened where held-out trials asked "
    "for it.",
    "slope, recipe": "Exact derivative of the fitted surrogate at the recipe (automatic differentiation of its "
    "translation), times the step; the standard error differentiates the surrogate's covariance in both points.",
    "slope, region": "The same derivative averaged over the trials (at most 127 of them), each along its own "
    "direction.",
    "never varied": "The trials never varied this direction by itself, so nothing is known about it: the value is the "
    "surrogate's guess, without an interval.",
    "curvature": "Eigenvalue of the exact Hessian along the directions that exist, inputs measured in their steps; "
    "the standard error is that of the second derivative along the fixed direction.",
    "exact curvature": "Eigenvalue of the exact Hessian of the desirability of the fitted properties.",
    "exact sum": "A weighted sum of the amounts, without error.",
    "coefficient": "Least squares; terms in shares of the total, factors scaled to −1 … 1 over the trials.",
    "held out": "Repeated ten-fold cross-validation with replicates kept together; the model is chosen by the "
    "product of root mean square error and interval score among those whose intervals hold.",
    "recipe": "Weighted geometric mean of Derringer-Suich desirabilities, maximized by SLSQP from many starts with "
    "exact derivatives, each answer polished by Newton's method and certified from the derivatives anew.",
    "chance": "Probability under the predictive distribution that one new batch is within the limits, properties "
    "taken as independent.",
    "wander": "Standard deviation of the best recipe over 400 redraws of the surrogates from their uncertainty.",
    "leverage": "Leverage in a polynomial of the inputs, against the largest leverage of a trial.",
}


def record(found: StudyFindings) -> dict[str, Any]:
    """The findings as one dictionary of plain data."""
    trials, problem = found.trials, found.problem
    return {
        "schema": SCHEMA,
        "made_by": _made_by(found),
        "level": LEVEL,
        "methods": METHODS,
        "source": {
            "file": trials.source,
            "sheet": trials.sheet,
            "rows": len(trials.rows),
            "problem": None if problem.source.startswith("<") else problem.source,
        },
        "total": trials.total,
        "inputs": _inputs(found),
        "constraints": [
            {"name": c.name or f"constraint {k}", "terms": dict(c.terms), "lower": c.lower, "upper": c.upper}
            for k, c in enumerate(problem.constraints, start=1)
        ],
        "properties": _properties(found),
        "summary": _summary(found),
        "table": _table(trials, found.reach),
        "surrogates": [one.to_dict() for one in found.surrogates],
        "effects": [e.to_dict() for e in found.effects.effects],
        "swaps": [s.to_dict() for s in found.effects.swaps],
        "recipes": [r.to_dict() for r in found.recipes],
        "curvature": found.shape.to_dict() if found.shape else _no_shape(found),
        "pictures": found.drawn,
    }


def _made_by(found: StudyFindings) -> dict[str, Any]:
    packages = ("landform", "jax", "scikit-learn", "numpy", "scipy")
    return {name: metadata.version(name) for name in packages} | {
        "python": platform.python_version(),
        "seed": found.problem.study.seed,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds": round(found.seconds, 3),
    }


def _inputs(found: StudyFindings) -> list[dict[str, Any]]:
    words = steps_in_words(found.trials, found.problem.study.percent)
    return [
        {
            "name": one.name,
            "kind": one.kind,
            "unit": one.unit,
            "lower": one.lower,
            "upper": one.upper,
            "observed": list(one.observed),
            "step": float(step),
            "step_words": said,
            "cost": one.cost,
            "balance": one.balance,
        }
        for one, step, said in zip(found.trials.inputs, found.ground.steps, words, strict=True)
    ]


def _properties(found: StudyFindings) -> list[dict[str, Any]]:
    goals = {goal.name: goal for goal in found.goals}
    rows = []
    for k, (name, wanted) in enumerate(found.problem.properties.items()):
        y = found.trials.Y[:, k]
        goal = goals.get(name)
        rows.append(
            {
                "name": name,
                "unit": found.trials.units.get(name, ""),
                "goal": wanted.goal,
                "limits": _limits(goal) if goal else list(wanted.limits or (None, None)),
                "target": wanted.target,
                "weight": wanted.weight,
                "shape": wanted.shape,
                "transform": wanted.transform,
                "observed": [float(np.nanmin(y)), float(np.nanmax(y))],
                "measured": int(np.isfinite(y).sum()),
                "missing": int(np.isnan(y).sum()),
                "optimized": goal is not None,
                "why_not": found.not_optimized.get(name) or (None if goal else "It has no goal."),
            }
        )
    return rows + [_cost_row(goal, found.trials) for goal in found.goals if goal.name == COST]


def _cost_row(goal: Goal, trials: Trials) -> dict[str, Any]:
    """Cost as a property that needs no measurement."""
    tried = trials.X @ costs(trials)
    return {
        "name": COST,
        "unit": goal.unit,
        "goal": goal.kind,
        "limits": _limits(goal),
        "target": goal.target,
        "weight": goal.weight,
        "shape": goal.shape,
        "transform": "none",
        "observed": [float(tried.min()), float(tried.max())],
        "measured": len(tried),
        "missing": 0,
        "optimized": True,
        "why_not": None,
    }


def _limits(goal: Goal) -> list[float | None]:
    return [v if np.isfinite(v) else None for v in (goal.low, goal.high)]


def _summary(found: StudyFindings) -> dict[str, Any]:
    closest = ""
    if found.closest is not None:
        closest = closest_words(found.responses, found.goals, found.closest, found.trials)
    return {
        "make": make_words(found.recipes, found.goals, found.trials, closest, list(found.not_optimized)),
        "sure": sure_words(found.recipes, found.goals),
        "matters": [matters_words(e) for e in matters(found.effects, found.trials, found.goals)],
        "notes": notes(found.trials, found.surrogates, found.recipes, found.not_optimized),
    }


def _table(trials: Trials, reach: Reach) -> dict[str, Any]:
    leverage = reach.leverage(trials.X)
    closed = {c.row for c in trials.closures if c.changes}
    names = [i.name for i in trials.inputs]
    counts = np.bincount(trials.groups)
    return {
        "rows": [
            {
                "row": int(row),
                "trial": trials.labels[i],
                "inputs": {name: float(v) for name, v in zip(names, trials.X[i], strict=True)},
                "properties": {
                    name: (float(v) if np.isfinite(v) else None)
                    for name, v in zip(trials.properties, trials.Y[i], strict=True)
                },
                "group": int(trials.groups[i]),
                "block": trials.blocks[i] if trials.blocks is not None else None,
                "leverage": float(leverage[i]),
                "closed": int(row) in closed,
            }
            for i, row in enumerate(trials.rows)
        ],
        "closed": [
            {
                "row": int(c.row),
                "trial": c.label,
                "sum": float(c.sum),
                "words": c.words,
                "changes": [{"input": n, "from": float(a), "to": float(b)} for n, a, b in c.changes],
            }
            for c in trials.closures
        ],
        "left_out": [{"row": int(r.row), "words": r.words} for r in trials.left_out],
        "health": [
            {
                "row": int(s.row),
                "trial": s.label,
                "column": s.column,
                "value": float(s.value),
                "kind": s.kind,
                "words": s.words,
            }
            for s in trials.suspicions
        ],
        "replicates": {"groups": int(np.sum(counts > 1)), "trials": int(np.sum(counts[counts > 1]))},
    }


def _no_shape(found: StudyFindings) -> dict[str, Any]:
    words = "No property can be predicted, so there is no landscape to describe."
    recipe = {
        "place_words": found.place_words,
        "of": "desirability",
        "tangent_dimension": 0,
        "eigenvalues": [],
        "directions": [],
        "words": words,
    }
    return {"recipe": recipe, "properties": []}

"""The main job: from a table of trials to slopes, curves and the best recipe."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float
from threadpoolctl import threadpool_limits

from landform.backends import linear_model
from landform.errors import ProblemError
from landform.findings import Finding, Picture
from landform.fit.leverage import Reach, reach_of
from landform.formulation.effects import Effects, find_effects
from landform.formulation.goals import COST, REACH, Goal, costs, make_goals
from landform.formulation.grids import Scene, draw_pictures
from landform.formulation.problem import Problem
from landform.formulation.program import Search
from landform.formulation.recipes import Recipe, make_recipes
from landform.formulation.responses import Response, Responses
from landform.formulation.search import Outcome, find_recipes
from landform.formulation.shape import Shape, find_shape
from landform.formulation.steps import make_ground, make_region, steps_in_words
from landform.formulation.surrogates import Fitted, fit_properties
from landform.formulation.table import RawTable, read_table
from landform.formulation.trials import Trials, make_trials
from landform.formulation.wander import wander
from landform.optimize import Polytope
from landform.sensitivity import Ground

if TYPE_CHECKING:
    import pandas as pd

Array = np.ndarray
Progress = Callable[[str], None]


_CHECKED = 31
"""So many trials, and a recipe with them, make one padded batch."""


def _silent(_: str) -> None:
    return None


@dataclass(frozen=True, eq=False)
class StudyFindings(Finding):
    """All that a study found.

    Parameters
    ----------
    problem : Problem
        What was asked.
    trials : Trials
        What was tried.
    surrogates : tuple of Fitted
        One per property.
    recipes : tuple of Recipe
        Best first; empty where there is no goal, or none can be met.
    effects : Effects
        What moves what, and the swaps; at ``place`` and averaged over the trials.
    shape : Shape
        Curvature at ``place`` and of every property.
    goals : tuple of Goal
        With their limits filled in.
    not_optimized : dict
        Property to the reason why it has no part in the recipe.
    place : array, shape (d,)
        The best recipe, or the centre of the trials where there is none.
    place_words : str
        Which of the two.
    closest : array or None
        Where no recipe meets every goal, the one that misses least.
    responses, ground, region, reach
        The fitted properties, steps and bounds, the recipes allowed, and how far the trials reach.
    drawn : dict
        Grids for the pictures.
    seconds : float
        How long it took.
    """

    problem: Problem
    trials: Trials
    surrogates: tuple[Fitted, ...]
    recipes: tuple[Recipe, ...]
    effects: Effects
    shape: Shape | None
    goals: tuple[Goal, ...]
    not_optimized: dict[str, str]
    place: Float[Array, " d"]
    place_words: str
    closest: Float[Array, " d"] | None
    responses: Responses
    ground: Ground
    region: Polytope
    reach: Reach
    drawn: dict[str, Any]
    seconds: float

    def to_frame(self) -> pd.DataFrame:
        """The recipes side by side: one row per recipe, inputs and expected properties as columns."""
        import pandas as pd

        rows = [
            {"rank": r.rank, "kind": r.kind, "desirability": r.desirability}
            | r.inputs
            | {e.name: e.mean.value for e in r.expected}
            for r in self.recipes
        ]
        return pd.DataFrame(rows)

    def pictures(self) -> list[Picture]:
        """What moves each property at the recipe."""
        return list(self.effects.pictures())

    def effects_at(self, inputs: Mapping[str, float]) -> Effects:
        """What moves what, and the swaps, at a recipe of your own choice.

        Parameters
        ----------
        inputs : mapping
            The amount of every ingredient and the setting of every factor.

        Raises
        ------
        ProblemError
            If an input is missing or unknown, or the ingredients do not add to the total.
        """
        x = _point(inputs, self.trials)
        words = steps_in_words(self.trials, self.problem.study.percent)
        ranges = self.trials.input_ranges
        return find_effects(self.responses, x, self.trials.X, self.ground, words, ranges=ranges)

    def to_dict(self) -> dict[str, Any]:
        """The findings as plain data: the content of ``results.json``."""
        from landform.formulation.record import record

        return record(self)


@dataclass(frozen=True, eq=False)
class Study:
    """Trials and a problem, checked and ready to be studied.

    Parameters
    ----------
    trials : Trials
        What was tried.
    problem : Problem
        What may vary and what is wanted.

    Examples
    --------
    >>> study = Study.read("examples/yarn/trials.csv", "examples/yarn/problem.toml")
    >>> findings = study.run()
    >>> findings.recipes[0].certificate.certified
    True
    >>> {name: round(x, 3) + 0.0 for name, x in findings.recipes[0].inputs.items()}
    {'polyethylene': 0.294, 'polystyrene': 0.0, 'polypropylene': 0.706}
    """

    trials: Trials
    problem: Problem

    @classmethod
    def read(cls, trials: str | Path | pd.DataFrame, problem: str | Path | Mapping[str, Any]) -> Study:
        """Read a table and its problem.

        Parameters
        ----------
        trials : path or DataFrame
            CSV or xlsx file, or a data frame with the same columns.
        problem : path or mapping
            ``problem.toml``, or the same as a dictionary.

        Raises
        ------
        TableError, ProblemError
            In one sentence: what is wrong, where, and what would be right.
        """
        wanted = Problem.from_dict(dict(problem)) if isinstance(problem, Mapping) else Problem.read(problem)
        table = (
            read_table(trials, sheet=wanted.trials.sheet)
            if isinstance(trials, (str, Path))
            else RawTable.from_frame(trials)
        )
        return cls(make_trials(table, wanted), wanted)

    def run(self, *, progress: Progress = _silent) -> StudyFindings:
        """Fit, search and analyse.

        Parameters
        ----------
        progress : callable
            Told in a few words what is being done.

        Raises
        ------
        InfeasibleError
            If no recipe meets the bounds and constraints; names those that conflict.
        ProblemError
            If a model was asked for that the trials cannot carry.
        """
        # Matrices here are a few hundred rows: several BLAS threads would only wait for each other.
        with threadpool_limits(limits=1, user_api="blas"):
            return _run(self.trials, self.problem, progress)


def study(trials: str | Path | pd.DataFrame, problem: str | Path | Mapping[str, Any]) -> StudyFindings:
    """From a table of trials to slopes, curves and the best recipe, in one call.

    Parameters
    ----------
    trials : path or DataFrame
        CSV or xlsx file, or a data frame.
    problem : path or mapping
        ``problem.toml``, or the same as a dictionary.

    Returns
    -------
    StudyFindings

    Examples
    --------
    >>> found = study("examples/yarn/trials.csv", "examples/yarn/problem.toml")
    >>> round(found.recipes[0].expected[0].mean.value, 4)
    17.3844
    """
    return Study.read(trials, problem).run()


def _run(trials: Trials, problem: Problem, progress: Progress) -> StudyFindings:
    started = time.perf_counter()
    options, percent = problem.study, problem.study.percent
    region = make_region(trials, problem)
    ground = make_ground(trials, percent)
    words = steps_in_words(trials, percent)
    fitted = fit_properties(trials, problem, seed=options.seed, progress=progress)
    reach = reach_of(trials.X, ingredients=ground.ingredients, total=trials.total or 1.0)
    responses = _responses(fitted, problem, trials, reach)
    goals = make_goals(problem, trials, [f.name for f in fitted if f.predictable])
    outcome = _search(trials, problem, region, ground, responses, goals, reach, progress)
    found = outcome.found if outcome else ()
    place = found[0].x if found else _centre(trials, region)
    progress("slopes, curves and pictures")
    recipes = make_recipes(
        found,
        responses,
        goals,
        trials,
        reach,
        ground.steps,
        words,
        cost=costs(trials) if any(i.cost is not None for i in trials.inputs) else None,
        spread=_spread(responses, goals, outcome, ground, options.seed) if found and outcome else None,
    )
    place_words = "at the best recipe" if found else "at the centre of the trials (there is no recipe)"
    effects = (
        find_effects(responses, place, trials.X, ground, words, ranges=trials.input_ranges, seed=options.seed)
        if responses.parts
        else Effects((), ())
    )
    shape = (
        find_shape(responses, goals if found else (), place, trials.X, ground, region, place_words=place_words)
        if responses.parts
        else None
    )
    drawn = (
        draw_pictures(Scene(responses, goals, ground, region, trials, place, recipes, _ranking(effects, trials)))
        if responses.parts
        else {"ternary": None, "slices": [], "traces": []}
    )
    return StudyFindings(
        problem=problem,
        trials=trials,
        surrogates=fitted,
        recipes=recipes,
        effects=effects,
        shape=shape,
        goals=goals,
        not_optimized=_not_optimized(fitted, problem),
        place=place,
        place_words=place_words,
        closest=outcome.closest if outcome else None,
        responses=responses,
        ground=ground,
        region=region,
        reach=reach,
        drawn=drawn,
        seconds=time.perf_counter() - started,
    )


def _responses(fitted: tuple[Fitted, ...], problem: Problem, trials: Trials, reach: Reach) -> Responses:
    """Every property that can be predicted, cost where it has a goal, and silently the reach of the trials."""
    names = tuple(i.name for i in trials.inputs)
    parts = [one.response for one in fitted if one.predictable]
    if problem.cost is not None:
        prices = costs(trials)
        model = linear_model(prices, inputs=names, output=COST)
        parts.append(Response(COST, "", None, exact=model, values=lambda X: X @ prices))
    far = Response(REACH, "", None, exact=reach.model(names, REACH), values=reach.leverage)
    return Responses(tuple(parts), names, trials.X[:_CHECKED], () if problem.study.extrapolate else (far,))


def _search(
    trials: Trials,
    problem: Problem,
    region: Polytope,
    ground: Ground,
    responses: Responses,
    goals: tuple[Goal, ...],
    reach: Reach,
    progress: Progress,
) -> Outcome | None:
    if not goals:
        return None
    if responses.silent and np.min(reach.leverage(region.sample(500, problem.study.seed))) < reach.largest:
        # Limits that lie wholly outside what was tried leave nothing but extrapolation; it is said at every recipe.
        goals = (*goals, Goal(REACH, "", "in range", -np.inf, reach.largest))
    width = np.where(ground.upper > ground.lower, ground.upper - ground.lower, 1.0)
    whole = np.arange(len(width)) < ground.ingredients
    scale = np.where(whole, trials.total or 1.0, width)
    return find_recipes(
        Search(region, responses, goals, scale=scale, spread=scale),
        trials.X,
        count=problem.study.recipes,
        starts=problem.study.starts,
        seed=problem.study.seed,
        progress=progress,
    )


def _point(inputs: Mapping[str, float], trials: Trials) -> Float[Array, " d"]:
    """A recipe given by names, as an array."""
    names = [i.name for i in trials.inputs]
    wrong = [name for name in (*names, *inputs) if (name in inputs) != (name in names)]
    if wrong:
        raise ProblemError(
            f"a recipe of {', '.join(names)}",
            got=f"{wrong[0]!r} {'missing' if wrong[0] in names else 'unknown'}",
            remedy="give every input once",
        )
    x = np.array([float(inputs[name]) for name in names])
    whole = np.array([i.kind == "ingredient" for i in trials.inputs])
    if trials.total is not None and abs(x[whole].sum() - trials.total) > 1e-6 * trials.total:
        raise ProblemError(
            f"ingredients that add to {trials.total:g}", got=f"{x[whole].sum():g}", remedy="change an amount"
        )
    return x


def _centre(trials: Trials, region: Polytope) -> Float[Array, " d"]:
    """The mean of the trials where it is allowed, or else a point well inside the limits."""
    mean = trials.X.mean(axis=0)
    return mean if region.contains(mean, 1e-9 * float(np.max(np.abs(mean)))) else region.interior_point()


def _spread(
    responses: Responses, goals: tuple[Goal, ...], outcome: Outcome, ground: Ground, seed: int
) -> dict[str, float]:
    best = outcome.found[0]
    sd = wander(responses, goals, best.x, outcome.candidates, beyond=best.beyond, seed=seed)
    return {name: float(v) for name, v in zip(ground.names, sd, strict=True)}


def _not_optimized(fitted: tuple[Fitted, ...], problem: Problem) -> dict[str, str]:
    return {
        one.name: "nothing predicts it better than its mean by more than chance."
        for one in fitted
        if not one.predictable and problem.properties[one.name].goal != "none"
    }


def _ranking(effects: Effects, trials: Trials) -> tuple[int, ...]:
    """Inputs by their largest effect over their range, in parts of the property's spread."""
    spread = trials.property_ranges
    names = [i.name for i in trials.inputs]
    weight = dict.fromkeys(names, 0.0)
    for e in effects.effects:
        if e.name in spread and spread[e.name] > 0:
            weight[e.input] = max(weight[e.input], abs(e.over_range) / spread[e.name])
    return tuple(sorted(range(len(names)), key=lambda i: -weight[names[i]]))

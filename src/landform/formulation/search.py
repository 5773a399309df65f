"""The search for recipes: from many starts to a ranked list of distinct ones, each with its certificate."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from jaxtyping import Float

from landform.formulation.goals import overall
from landform.formulation.program import Search, best_recipe_program, least_bad_program
from landform.optimize import Certificate, Program, certify, solve

Array = np.ndarray
Kind = Literal["best", "local optimum", "alternative"]
_SAMPLES = 2000
_APART = 0.05
_WORTH = 0.5
_ALTERNATIVE_STARTS = 4


@dataclass(frozen=True, eq=False)
class Found:
    """A recipe the search ended at.

    Parameters
    ----------
    x : array, shape (d,)
        In the user's units.
    kind : {"best", "local optimum", "alternative"}
        "alternative": the best recipe at least ``distance`` away from those ranked above it.
    desirability : float
        Weighted geometric mean over all goals.
    certificate : Certificate
        Of the program it solves, in the user's units.
    beyond : bool
        Whether every goal is reached in full, so that recipes were told apart by how far they go past.
    many : bool
        Whether recipes clearly different from the best are exactly as good.
    """

    x: Float[Array, " d"]
    kind: Kind
    desirability: float
    certificate: Certificate
    beyond: bool = False
    many: bool = False


@dataclass(frozen=True, eq=False)
class Outcome:
    """What the search found.

    Parameters
    ----------
    found : tuple of Found
        Best first; empty where no recipe meets every limit.
    closest : array or None
        Where none does: the recipe that misses the limits least.
    candidates : array, shape (rows, d)
        Points of the region, best first, as the search began from.
    """

    found: tuple[Found, ...]
    closest: Float[Array, " d"] | None
    candidates: Float[Array, "rows d"]


def find_recipes(
    search: Search,
    trials: Float[Array, "n d"],
    *,
    count: int,
    starts: int,
    seed: int,
    progress: Callable[[str], None] = lambda _: None,
) -> Outcome:
    """Search the region for the best recipe, other local optima, and alternatives away from them.

    Parameters
    ----------
    search : Search
        Region, responses and goals.
    trials : array, shape (n, d)
        Recipes tried; those inside the region are candidates to start from.
    count : int
        How many recipes are wanted.
    starts : int
        How many starts the first search makes.
    seed : int
        Of the sampled candidates.
    """
    progress("searching for the best recipe")
    inside = [x for x in trials if search.region.contains(x, 1e-9)]
    sampled = search.region.sample(_SAMPLES, seed)
    X = np.vstack([sampled, *[x[None] for x in inside]])
    Y = search.properties(X)
    score = overall(search.goals, Y)
    margin = np.min(np.column_stack([g.line(Y[:, k]) for k, g in enumerate(search.goals)]), axis=1)
    order = np.lexsort((-margin, -score))
    X, score = X[order], score[order]
    if score[0] <= 0:
        start, reached = _least_bad(search, X[:starts])
        if not reached:
            return Outcome((), start, X)
        X, score = np.vstack([start[None], X]), np.append(search.desirability(start[None]), score)
    best, beyond = _descend(search, _spread_out(X, score, search, starts))
    found = _distinct(search, best, beyond)[:count]
    while 0 < len(found) < count:
        progress(f"searching for alternative {len(found) + 1} of {count}")
        another = _alternative(search, found, X, score)
        if another is None:
            break
        found.append(another)
    return Outcome(tuple(sorted(found, key=lambda one: -one.desirability)), None, X)


def _spread_out(X: Array, score: Array, search: Search, count: int) -> Array:
    """Starts apart from each other: half of them the best candidates, half the farthest from those chosen already.

    The best ones alone can all sit on one hill, and leave a higher, narrower one without a start.
    """
    X = X[score > 0]
    gap = np.full(len(X), np.inf)
    chosen: list[Array] = []
    while len(chosen) < count and (gap > _APART).any():
        best = len(chosen) < (count + 1) // 2
        k = int(np.argmax(gap > _APART) if best else np.argmax(gap))
        chosen.append(X[k])
        gap = np.minimum(gap, np.linalg.norm((X - X[k]) / search.spread, axis=1))
    return np.array(chosen)


def _lift(search: Search, X: Array) -> Array:
    """Recipes as variables of the program: scaled, with every u on its lowest line."""
    Y = search.properties(X)
    u = [np.clip(search.goals[k].line(Y[:, k]), 1e-6, 1.0) for k in search.graded]
    return np.column_stack([X / search.scale, *u])


def _least_bad(search: Search, X: Array) -> tuple[Array, bool]:
    """The recipe with the largest smallest margin, and whether that is positive and every range holds."""
    Y = search.properties(X)
    graded = [search.goals[k].line(Y[:, k]) for k in search.graded]
    t = np.min(graded, axis=0) if graded else np.zeros(len(X))
    solution = solve(least_bad_program(search), np.column_stack([X / search.scale, t]))[0]
    x = _inside(search, solution.x[: search.d] * search.scale)
    return x, bool(search.desirability(x[None])[0] > 0)


def _inside(search: Search, x: Array) -> Array:
    return np.clip(x, search.region.lower, search.region.upper)


def _descend(search: Search, X: Array) -> tuple[list[Array], bool]:
    """Solve from every start; where every goal is reached in full, again without the cap."""
    lifted = _lift(search, X)
    if not search.graded:
        return [x[: search.d] * search.scale for x in lifted[:1]], True
    solutions = solve(best_recipe_program(search), lifted)
    beyond = bool(np.all(solutions[0].x[search.d :] > 1 - 1e-9)) and solutions[0].certificate.violation < 1e-6
    if beyond:
        solutions = solve(best_recipe_program(search, capped=False), lifted)
    usable = [s for s in solutions if s.certificate.violation < 1e-6]
    return [_inside(search, s.x[: search.d] * search.scale) for s in usable], beyond


def _distinct(search: Search, points: list[Array], beyond: bool) -> list[Found]:
    """Different end points, best first, each judged in the user's units."""
    chosen: list[Array] = []
    # Past the goals they come ordered by how far they go; short of them ties are broken by doubt.
    for x in points if beyond else _surest_first(search, points):
        if all(np.linalg.norm((x - other) / search.spread) >= _APART for other in chosen):
            chosen.append(x)
    found: list[Found] = []
    for x in chosen:
        one = _judged(search, x, "local optimum" if found else "best", beyond)
        if not found or (one.certificate.certified and one.desirability > _WORTH * found[0].desirability):
            found.append(one)
    return _mark_ties(found, beyond)


def _surest_first(search: Search, points: list[Array]) -> list[Array]:
    """Best first; where several are exactly as good, the one predicted most surely first."""
    if len(points) < 2:
        return points
    X = np.array(points)
    score = np.round(search.desirability(X), 9)
    return [points[i] for i in np.lexsort((_doubt(search, X), -score))]


def _doubt(search: Search, X: Float[Array, "rows d"]) -> Float[Array, " rows"]:
    """Sum over the goals' properties of the squared standard error, in parts of their limits' width."""
    total = np.zeros(len(X))
    for goal in search.goals:
        part = search.responses.every[search.responses.at(goal.name)]
        width = goal.high - goal.low
        if part.surrogate is not None and np.isfinite(width) and width > 0:
            total += (part.interval(X)[1] / width) ** 2
    return total


def _mark_ties(found: list[Found], beyond: bool) -> list[Found]:
    """Say where others are exactly as good as the best."""
    if beyond or not found:
        return found
    ties = [f.desirability >= found[0].desirability - 1e-9 for f in found]
    if sum(ties) < 2:
        return found
    return [
        replace(f, many=True, kind=f.kind if f.kind == "best" else "alternative") if tie else f
        for f, tie in zip(found, ties, strict=True)
    ]


def _judged(search: Search, x: Array, kind: Kind, beyond: bool) -> Found:
    natural = replace(search, scale=np.ones(search.d))
    program = best_recipe_program(natural, capped=not beyond)
    return Found(x, kind, float(search.desirability(x[None])[0]), _certificate(natural, program, x, beyond), beyond)


def _certificate(search: Search, program: Program, x: Array, beyond: bool) -> Certificate:
    Y = search.properties(x[None])
    top = np.inf if beyond else 1.0
    u = [np.clip(search.goals[k].line(Y[:, k])[0], 1e-9, top) for k in search.graded]
    return certify(program, np.concatenate([x, u]), tolerance=1e-6)


def _alternative(search: Search, found: list[Found], X: Array, score: Array) -> Found | None:
    """The best recipe that keeps its distance from all found so far."""
    apart = replace(search, apart=tuple(f.x for f in found), distance=_APART)
    gaps = np.min([np.linalg.norm((X - f.x) / search.spread, axis=1) for f in found], axis=0)
    far = (gaps > _APART) & (score > 0)
    starts = _spread_out(X[far], score[far], search, _ALTERNATIVE_STARTS)
    if not len(starts):
        return None
    points, beyond = _descend(apart, starts)
    if not points:
        return None
    one = _judged(apart, points[0], "alternative", beyond)
    return one if one.desirability > _WORTH * found[0].desirability else None

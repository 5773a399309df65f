"""The search for recipes as a smooth program: the kinks of desirabilities become constraints.

Instead of maximizing a geometric mean of functions with corners, every graded goal gets a variable u of its own, at
most 1 and at most each of its desirability's lines; the mean of log u is then smooth, and at the answer each u
stands on the lowest of its lines.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Float

from landform.formulation.goals import Goal, overall
from landform.formulation.responses import Responses
from landform.optimize import Polytope, Program, Smooth

Array = np.ndarray
DISTANCE = "distance from recipe "
LINE = "line of "
_LEAST = 1e-9
_FEW = 8


@dataclass(frozen=True)
class Row:
    """One smooth constraint ``offset + slope · y − (own u, or the common t) ≥ 0``, or a range of y."""

    goal: int
    offset: float
    slope: float
    graded: bool


@dataclass(frozen=True, eq=False)
class Search:
    """What the recipe programs are made of.

    Parameters
    ----------
    region : Polytope
        Recipes allowed, in the user's units.
    responses : Responses
        All properties.
    goals : tuple of Goal
        What is wanted.
    scale : array, shape (d,)
        One unit of each variable inside the programs; ones give programs in the user's units.
    apart : tuple of array
        Recipes to stay away from.
    distance : float
        How far, in the norm of recipes divided by ``spread``.
    spread : array, shape (d,)
        One unit of distance for every input.
    """

    region: Polytope
    responses: Responses
    goals: tuple[Goal, ...]
    scale: Float[Array, " d"]
    spread: Float[Array, " d"]
    apart: tuple[Float[Array, " d"], ...] = ()
    distance: float = 0.0

    @property
    def d(self) -> int:
        """Number of inputs."""
        return len(self.scale)

    def properties(self, X: Float[Array, "rows d"]) -> Float[Array, "rows goals"]:
        """What the goals are about, at the rows of X."""
        return self.responses.means(X, [goal.name for goal in self.goals])

    def desirability(self, X: Float[Array, "rows d"]) -> Float[Array, " rows"]:
        """Overall desirability at the rows of X."""
        return overall(self.goals, self.properties(X))

    @property
    def graded(self) -> tuple[int, ...]:
        """Places of the goals that have a desirability."""
        return tuple(k for k, goal in enumerate(self.goals) if goal.graded)

    def rows(self) -> tuple[Row, ...]:
        """Every smooth constraint that goals bring."""
        found = []
        for k, goal in enumerate(self.goals):
            if goal.graded:
                found += [Row(k, piece.offset, piece.slope, True) for piece in goal.pieces]
            else:
                found += [Row(k, 0.0, 1.0, False)]
        return tuple(found)


def u_name(goal: Goal) -> str:
    """The name of a goal's own variable."""
    return f"desirability of {goal.name}"


def _scaled_region(search: Search, extra: Sequence[str], low: float, high: float) -> Polytope:
    """The region in scaled variables, with bounded extra variables appended."""
    region, scale, more = search.region, search.scale, len(extra)
    return Polytope(
        names=(*region.names, *extra),
        lower=np.append(region.lower / scale, np.full(more, low)),
        upper=np.append(region.upper / scale, np.full(more, high)),
        A=np.hstack([region.A * scale, np.zeros((len(region.A), more))]),
        A_lower=region.A_lower,
        A_upper=region.A_upper,
        A_names=region.A_names,
    )


def best_recipe_program(search: Search, *, capped: bool = True) -> Program:
    """Minimize minus the weighted mean of log u. Variables: the recipe divided by ``scale``, then one u per goal.

    Parameters
    ----------
    search : Search
        What is sought.
    capped : bool
        Whether u stops at 1; without, recipes that reach every goal are told apart by how far they go past.
    """
    goals = [search.goals[k] for k in search.graded]
    weights = np.array([goal.weight * goal.shape for goal in goals])
    weights = weights / max(sum(goal.weight for goal in goals), 1e-300)
    d, n = search.d, search.d + len(goals)

    def value(v: Array) -> Array:
        return np.array([-(weights @ np.log(np.maximum(v[d:], _LEAST)))])

    def jacobian(v: Array) -> Array:
        found = np.zeros((1, n))
        found[0, d:] = -weights / np.maximum(v[d:], _LEAST)
        return found

    def hessian(v: Array, w: Array) -> Array:
        found = np.zeros((n, n))
        found[range(d, n), range(d, n)] = w[0] * weights / np.maximum(v[d:], _LEAST) ** 2
        return found

    region = _scaled_region(search, [u_name(g) for g in goals], _LEAST, 1.0 if capped else np.inf)
    places = {k: d + place for place, k in enumerate(search.graded)}
    return Program(Smooth(value, jacobian, hessian), region, *_constraints(search, n, places))


def least_bad_program(search: Search) -> Program:
    """Maximize t, the smallest line of all goals: positive where a recipe meets every limit."""
    d, n = search.d, search.d + 1
    slope = np.zeros((1, n))
    slope[0, d] = -1.0
    objective = Smooth(lambda v: -v[d:], lambda _: slope, lambda _v, _w: np.zeros((n, n)))
    places = dict.fromkeys(search.graded, d)
    return Program(
        objective, _scaled_region(search, ["the smallest margin"], -np.inf, np.inf), *_constraints(search, n, places)
    )


def _constraints(search: Search, n: int, places: dict[int, int]) -> tuple[Smooth | None, Array, Array, tuple[str, ...]]:
    """Lines over u, ranges of properties, distances from other recipes."""
    rows, d, scale = search.rows(), search.d, search.scale
    if not rows and not search.apart:
        return None, np.zeros(0), np.zeros(0), ()
    of = [search.responses.at(search.goals[row.goal].name) for row in rows]
    offset, slope = np.array([r.offset for r in rows]), np.array([r.slope for r in rows])
    pull = np.zeros((len(rows), n))
    for i, row in enumerate(rows):
        if row.graded:
            pull[i, places[row.goal]] = 1.0

    @lru_cache(maxsize=2)
    def second(key: bytes) -> tuple[Array, ...]:
        return search.responses.derivatives.second(np.frombuffer(key) * scale)

    @lru_cache(maxsize=2)
    def first(key: bytes) -> tuple[Array, ...]:
        # With few inputs the Hessians come almost free, and one compiled program serves instead of two.
        derivatives = search.responses.derivatives
        return second(key) if d <= _FEW else derivatives.value_and_jacobian(np.frombuffer(key) * scale)

    def value(v: Array) -> Array:
        lines = offset + slope * first(v[:d].tobytes())[0][of] - pull @ v if rows else np.zeros(0)
        return np.concatenate([lines, [_gap(v[:d], other, search) for other in search.apart]])

    def jacobian(v: Array) -> Array:
        found = np.zeros((len(rows) + len(search.apart), n))
        if rows:
            found[: len(rows), :d] = slope[:, None] * first(v[:d].tobytes())[1][of] * scale
            found[: len(rows)] -= pull
        for i, other in enumerate(search.apart):
            found[len(rows) + i, :d] = 2 * (v[:d] * scale - other) * scale / search.spread**2
        return found

    def hessian(v: Array, w: Array) -> Array:
        found = np.zeros((n, n))
        if rows:
            curves = np.tensordot(w[: len(rows)] * slope, second(v[:d].tobytes())[2][of], axes=1)
            found[:d, :d] = curves * np.outer(scale, scale)
        found[range(d), range(d)] += 2 * w[len(rows) :].sum() * (scale / search.spread) ** 2
        return found

    low, high, names = _limits(search, rows)
    return Smooth(value, jacobian, hessian), low, high, names


def _gap(v: Array, other: Array, search: Search) -> float:
    step = (v * search.scale - other) / search.spread
    return float(step @ step)


def _limits(search: Search, rows: Sequence[Row]) -> tuple[Array, Array, tuple[str, ...]]:
    low, high, names = [], [], []
    for row in rows:
        goal = search.goals[row.goal]
        low.append(0.0 if row.graded else goal.low)
        high.append(np.inf if row.graded else goal.high)
        names.append(f"{LINE}{goal.name}" if row.graded else goal.name)
    for i in range(len(search.apart)):
        low.append(search.distance**2)
        high.append(np.inf)
        names.append(f"{DISTANCE}{i + 1}")
    return np.array(low), np.array(high), tuple(names)

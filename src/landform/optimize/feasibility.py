"""Is there a point, where is the middle, and if there is none, which limits are in each other's way.

Every answer is a linear programme over the rows of a polytope (HiGHS, through SciPy), or a closed form
where one is known.

References
----------
Boyd and Vandenberghe (2004), *Convex Optimization*, section 8.5.1 (centre of the largest ball).
Chinneck and Dravnieks (1991), *ORSA J. Computing* 3, 157 (the deletion filter).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.optimize import linprog

from landform.errors import InfeasibleError
from landform.linalg import tangent_basis
from landform.optimize.limits import Rows, say

_ORDERS = 10

THIN = 1e-8
"""A ball smaller than this, in units of the variables' ranges, is no ball: some limit is an equality."""


@dataclass(frozen=True, eq=False)
class Inside:
    """A point inside, and the directions in which there is room around it.

    ``fixed`` marks the rows that leave no room: equalities, and those that the others turn into one.
    ``basis`` spans the directions left, in variables divided by ``scale``.
    """

    point: Float[np.ndarray, " n"]
    scale: Float[np.ndarray, " n"]
    basis: Float[np.ndarray, "n t"]
    fixed: Bool[np.ndarray, " r"]


def scale(rows: Rows) -> Float[np.ndarray, " n"]:
    """Range of each variable as its bounds give it; 1 where they do not."""
    with np.errstate(invalid="ignore"):
        width = rows.upper[: rows.n] - rows.lower[: rows.n]
    return np.where(np.isfinite(width) & (width > 0), width, 1.0)


def inside(rows: Rows) -> Inside:
    """Find the centre of the largest ball, within the flat that the equalities (implied ones too) leave.

    A programme whose largest ball has radius zero names, by its dual values, limits that can only hold with
    equality; they join the equalities and it is solved again.
    """
    unit = scale(rows)
    target = np.where(rows.equality, rows.upper, np.nan)
    while True:
        fixed = ~np.isnan(target)
        basis = tangent_basis(rows.matrix[fixed] * unit)
        point, radius, tight = _largest_ball(rows, target, unit, basis)
        if radius > THIN or not basis.shape[1] or np.isnan(tight).all():
            return Inside(point, unit, basis, fixed)
        target = np.where(fixed, target, tight)


def _largest_ball(
    rows: Rows,
    target: Float[np.ndarray, " r"],
    unit: Float[np.ndarray, " n"],
    basis: Float[np.ndarray, "n t"],
) -> tuple[Float[np.ndarray, " n"], float, Float[np.ndarray, " r"]]:
    """Centre and radius, rows with a ``target`` held there; the values at which others hold the radius."""
    matrix, fixed = rows.matrix * unit, ~np.isnan(target)
    size = np.linalg.norm(matrix @ basis, axis=1)
    loose = ~fixed & (size > 1e-11 * np.linalg.norm(matrix, axis=1))
    size = np.where(loose, size, 0.0)
    upper = np.flatnonzero(np.isfinite(rows.upper) & ~fixed)
    lower = np.flatnonzero(np.isfinite(rows.lower) & ~fixed)
    answer = _solve(
        np.append(np.zeros(rows.n), -1.0),
        np.vstack([np.c_[matrix, size][upper], np.c_[-matrix, size][lower]]),
        np.concatenate([rows.upper[upper], -rows.lower[lower]]),
        np.c_[matrix, np.zeros(len(matrix))][fixed],
        target[fixed],
        bounds=[(None, None)] * rows.n + [(0.0, 1.0)],
    )
    if answer.status != 0:
        raise _infeasible(rows)
    price = np.abs(answer.ineqlin.marginals) > 1e-9
    tight = np.full(len(matrix), np.nan)
    tight[upper] = np.where(price[: len(upper)], rows.upper[upper], np.nan)
    tight[lower] = np.where(price[len(upper) :], rows.lower[lower], tight[lower])
    return answer.x[:-1] * unit, float(answer.x[-1]), np.where(loose, tight, np.nan)


def _solve(
    cost: Float[np.ndarray, " n"],
    matrix: Float[np.ndarray, "r n"],
    limit: Float[np.ndarray, " r"],
    equal: Float[np.ndarray, "e n"],
    target: Float[np.ndarray, " e"],
    *,
    bounds: Any = (None, None),
) -> Any:
    return linprog(cost, matrix, limit, equal, target, bounds=bounds, method="highs")


def _infeasible(rows: Rows) -> InfeasibleError:
    clash = conflict(rows)
    return InfeasibleError(
        "limits that can hold together",
        got="; ".join(clash) or "no point that meets all of them",
        remedy="relax at least one of these",
    )


def conflict(rows: Rows) -> tuple[str, ...]:
    """Find a small set of limits that cannot all hold, irreducible: leave out any one and a point exists.

    The deletion filter: each limit is left out in turn, for good if the rest still cannot hold. Which set is left
    depends on the order, and the smallest one is hard to find; of several orders the smallest set is kept.

    References
    ----------
    Chinneck (2008), *Feasibility and Infeasibility in Optimization*, ch. 6.
    """
    matrix, limit, equal, words = _one_sided(rows)
    if _feasible(matrix, limit, equal, np.ones(len(matrix), dtype=bool)):
        return ()
    rng = np.random.default_rng(0)
    places = np.arange(len(matrix))
    orders = [places, places[::-1], *(rng.permutation(places) for _ in range(_ORDERS))]
    kept = min((_left_by(order, matrix, limit, equal) for order in orders), key=np.count_nonzero)
    return tuple(words[i] for i in np.flatnonzero(kept))


def _left_by(
    order: Int[np.ndarray, " l"],
    matrix: Float[np.ndarray, "l n"],
    limit: Float[np.ndarray, " l"],
    equal: Bool[np.ndarray, " l"],
) -> Bool[np.ndarray, " l"]:
    """Which limits the deletion filter keeps when it goes through them in this order."""
    kept = np.ones(len(matrix), dtype=bool)
    for i in order:
        kept[i] = False
        kept[i] = _feasible(matrix, limit, equal, kept)
    return kept


def _one_sided(
    rows: Rows,
) -> tuple[Float[np.ndarray, "l n"], Float[np.ndarray, " l"], Bool[np.ndarray, " l"], list[str]]:
    """Every limit as ``a @ x <= b`` (or ``=``), with its words."""
    parts: list[tuple[Float[np.ndarray, " n"], float, bool, str]] = []
    for a, low, high, name in zip(rows.matrix, rows.lower, rows.upper, rows.names, strict=True):
        if low == high:
            parts.append((a, high, True, say(name, "=", high)))
            continue
        if low > -np.inf:
            parts.append((-a, -low, False, say(name, "≥", low)))
        if high < np.inf:
            parts.append((a, high, False, say(name, "≤", high)))
    matrix = np.array([p[0] for p in parts]).reshape(-1, rows.n)
    return (
        matrix,
        np.array([p[1] for p in parts]),
        np.array([p[2] for p in parts], bool),
        [p[3] for p in parts],
    )


def _feasible(
    matrix: Float[np.ndarray, "l n"],
    limit: Float[np.ndarray, " l"],
    equal: Bool[np.ndarray, " l"],
    kept: Bool[np.ndarray, " l"],
) -> bool:
    le, eq = kept & ~equal, kept & equal
    answer = _solve(np.zeros(matrix.shape[1]), matrix[le], limit[le], matrix[eq], limit[eq])
    return bool(answer.status != 2)


def span(rows: Rows, x: Float[np.ndarray, " n"], direction: Float[np.ndarray, " n"]) -> tuple[float, float]:
    """How far every row holds, against and along ``direction``."""
    rate = rows.matrix @ direction
    below, above = rows.slack(x)
    below, above = np.maximum(below, 0.0), np.maximum(above, 0.0)
    still = np.abs(rate) <= 1e-13 * (np.abs(rows.matrix) @ np.abs(direction))
    with np.errstate(divide="ignore", invalid="ignore"):
        ahead = np.where(still, np.inf, np.where(rate > 0, above, below) / np.abs(rate))
        behind = np.where(still, np.inf, np.where(rate > 0, below, above) / np.abs(rate))
    return -float(behind.min(initial=np.inf)), float(ahead.min(initial=np.inf))


def extent(rows: Rows) -> Float[np.ndarray, "n 2"]:
    """Smallest and largest value of each variable, in closed form where there is at most one row."""
    if len(rows.matrix) <= rows.n + 1:
        return _extent_of_one_row(rows)
    matrix, limit, equal, _ = _one_sided(rows)
    ends = np.empty((rows.n, 2))
    for j in range(rows.n):
        for side, sign in enumerate((1.0, -1.0)):
            cost = np.zeros(rows.n)
            cost[j] = sign
            answer = _solve(cost, matrix[~equal], limit[~equal], matrix[equal], limit[equal])
            if answer.status not in (0, 3):
                raise _infeasible(rows)
            ends[j, side] = sign * answer.fun if answer.status == 0 else -sign * np.inf
    return ends


def _extent_of_one_row(rows: Rows) -> Float[np.ndarray, "n 2"]:
    """Bounds and one row: a variable's end is its bound, or what the others' bounds leave of the row."""
    n = rows.n
    low, high = rows.lower[:n].copy(), rows.upper[:n].copy()
    if (low > high).any():
        raise _infeasible(rows)
    for a, floor, ceiling in zip(rows.matrix[n:], rows.lower[n:], rows.upper[n:], strict=True):
        used = a != 0
        ends = np.sort(np.stack([low * np.where(used, a, 1.0), high * np.where(used, a, 1.0)]), axis=0)
        ends[:, ~used] = 0.0
        room = 1e-9 * (1.0 + np.abs(a).max(initial=0.0))
        if ends[0].sum() > ceiling + room or ends[1].sum() < floor - room:
            raise _infeasible(rows)
        for j in np.flatnonzero(used):
            others = np.delete(ends, j, axis=1).sum(axis=1)
            reach = np.sort(np.array([floor - others[1], ceiling - others[0]]) / a[j])
            low[j], high[j] = max(low[j], reach[0]), min(high[j], reach[1])
    return np.stack([low, np.maximum(low, high)], axis=1)

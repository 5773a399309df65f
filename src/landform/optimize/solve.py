"""From many starts to solutions that carry their certificate."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import Float

from landform.errors import ShapeError
from landform.optimize.certificate import Certificate, judge
from landform.optimize.distinct import Solution, rank
from landform.optimize.local import steps
from landform.optimize.nearest import nearest_miss
from landform.optimize.polish import polish
from landform.optimize.program import Point, Program, Smooth
from landform.optimize.sparse.judged import judged
from landform.optimize.sparse.nlp import as_nlp
from landform.optimize.sparse.polish import polished
from landform.optimize.ways import Method, ways

_MISSED = 1e-6
"""A descent that ends further outside the limits than this begins again, from a point beside its start that is brought
as near to them as can be."""

SAME = 1e-3
"""A descent that ends this near (in steps) to a certified solution, and not below it, has found it."""


def solve(
    program: Program,
    starts: Float[np.ndarray, "s n"],
    *,
    tolerance: float = 1e-10,
    method: Method = "own",
    shown: Callable[[Iterable[Point]], Iterable[Point]] = iter,
) -> tuple[Solution, ...]:
    """One solution per start, best first.

    Where bounds are the only limits, each start goes down by a trust region with exact Hessians, else by SLSQP with
    exact slopes; the last digits are found by Newton's method on the first-order conditions. The point is then judged
    by `certify`: a saddle or a maximum is left along its negative curvature and the search goes on; a point short of
    the conditions is searched again more tightly; one that misses the limits is searched again from beside the start,
    brought as near to the limits as can be; what still falls short comes back as not certified, with the reason.

    Parameters
    ----------
    program : Program
        What is minimized, within what limits.
    starts : array, shape (s, n)
        Where to begin; they need not meet the limits.
    tolerance : float
        For the first-order conditions, in parts of the gradient and the curvature.
    method : {"own", "auto", "newton", "slsqp", "uno", "filtersqp", "pounce"}
        Which solvers, as for `minimize`; "own" needs no package beyond SciPy, but for large programs with constraints.
    shown : callable
        What the starts go through one by one, such as a progress bar.

    Returns
    -------
    tuple of Solution
        Points within the limits first, then by objective. `cluster` keeps the different ones.

    Raises
    ------
    ShapeError
        If a start does not have one finite entry per variable.

    Examples
    --------
    >>> from landform.optimize import Polytope
    >>> hill = Smooth(
    ...     lambda x: np.array([x[0] ** 4 - x[0] ** 2]),
    ...     lambda x: np.array([[4 * x[0] ** 3 - 2 * x[0]]]),
    ...     lambda x, w: w[0] * np.array([[12 * x[0] ** 2 - 2]]),
    ... )
    >>> line = Polytope(("a",), [-1.0], [1.0], np.zeros((0, 1)), [], [], ())
    >>> best = solve(Program(hill, line), np.array([[0.0]]))[0]
    >>> round(abs(float(best.x[0])), 8), best.certificate.nature
    (0.70710678, 'strict minimum')
    """
    starts = np.asarray(starts, dtype=np.float64)
    if starts.ndim != 2 or starts.shape[1] != program.n or not np.isfinite(starts).all():
        raise ShapeError(
            f"finite starts of shape (s, {program.n})",
            got=starts.shape,
            remedy="give one start per row",
            where="starts",
        )
    remembering = program if program.sparse else _remembering(program)
    found: list[Solution] = []
    with np.errstate(all="ignore"):
        for start in shown(starts):
            found.append(_from(remembering, start, tolerance, found, method))
    return rank(found)


def _from(program: Program, start: Point, tolerance: float, found: Sequence[Solution], method: Method) -> Solution:
    """Where one start leads; ``found`` holds what the starts before it led to."""
    x = start
    best: Solution | None = None
    for attempt, way in enumerate(ways(program, start, method)):
        x, prices = way.go(x)
        twin = _twin(program, x, found)
        if twin is not None:
            return replace(twin, start=start)
        x, certificate = _finished(program, x, prices, tolerance)
        solution = Solution(x, float(program.objective.value(x)[0]), certificate, start, way.name)
        if best is None or _better(solution, best):
            best = solution
        if certificate.certified:
            break
        if certificate.escape is not None:
            x = _leave(program, x, certificate.escape)
        elif certificate.violation > _MISSED:
            aside = _aside(program, start, attempt)
            x = aside if program.sparse else nearest_miss(program, aside)
    assert best is not None
    return best


def _better(solution: Solution, best: Solution) -> bool:
    """Certified or not, then within the limits or not; of equals the later attempt of the same solver."""
    new, old = ((not s.certificate.certified, s.certificate.violation > _MISSED) for s in (solution, best))
    return new < old or (new == old and solution.by == best.by)


def _finished(program: Program, x: Point, prices: Point | None, tolerance: float) -> tuple[Point, Certificate]:
    """The last digits, and the verdict."""
    bound = max(1e-7, tolerance)
    if not program.sparse:
        x = polish(program, x, tolerance=tolerance)
        return x, judge(program, x, tolerance=bound)
    nlp = as_nlp(program, x)
    x, known = polished(nlp, x, tolerance=tolerance, prices=prices)
    return x, judged(nlp, x, tolerance=bound, known=known)


def _twin(program: Program, x: Point, found: Sequence[Solution]) -> Solution | None:
    unit = steps(program, x)
    for other in found:
        if not other.certificate.certified or (np.abs(x - other.x) > SAME * unit).any():
            continue
        size = 1.0 + abs(other.objective)
        if float(program.objective.value(x)[0]) > other.objective - 1e-6 * size:
            return other
    return None


def _aside(program: Program, start: Point, attempt: int) -> Point:
    """A point beside the start, further away at every attempt: slopes of the limits that vanish there need not here."""
    away = np.random.default_rng(attempt).standard_normal(program.n)
    x = start + 0.1 * 3.0**attempt * away * steps(program, start)
    return np.clip(x, program.region.lower, program.region.upper)


def _leave(program: Program, x: Point, direction: Point) -> Point:
    """Step down from a saddle: along the direction or against it, to the lowest trial within the region."""
    here, best, there = float(program.objective.value(x)[0]), np.inf, x
    unit = direction / max(float((np.abs(direction) / steps(program, x)).max()), 1e-300)
    behind, ahead = _span(program, x, unit)
    for way, room in ((1.0, ahead), (-1.0, -behind)):
        for length in (0.3, 0.1, 0.03, 0.01):
            trial = x + way * min(length, room) * unit
            value = float(program.objective.value(trial)[0])
            if room > 0 and value < best and (value < here or program.constraints is not None):
                best, there = value, trial
    return there


def _span(program: Program, x: Point, direction: Point) -> tuple[float, float]:
    """How far the bounds and linear rows hold, against and along a direction."""
    if not program.sparse:
        return program.region.span(x, direction)
    region = program.region
    at, rate = np.concatenate([x, region.A @ x]), np.concatenate([direction, region.A @ direction])
    low, high = np.concatenate([region.lower, region.A_lower]), np.concatenate([region.upper, region.A_upper])
    still = np.abs(rate) <= 1e-13
    ahead = np.where(still, np.inf, np.maximum(np.where(rate > 0, high - at, at - low), 0.0) / np.abs(rate))
    behind = np.where(still, np.inf, np.maximum(np.where(rate > 0, at - low, high - at), 0.0) / np.abs(rate))
    return -float(behind.min()), float(ahead.min())


def _remembering(program: Program) -> Program:
    """Copy the program; a function asked twice at one point answers from memory."""
    constraints = None if program.constraints is None else _remember(program.constraints)
    return replace(program, objective=_remember(program.objective), constraints=constraints)


def _remember(smooth: Smooth) -> Smooth:
    value_at: list[object] = [None, None]
    slope_at: list[object] = [None, None]

    def value(x: Point) -> np.ndarray:
        key = x.tobytes()
        if key != value_at[0]:
            value_at[:] = key, smooth.value(x)
        return value_at[1]  # type: ignore[return-value]

    def jacobian(x: Point) -> np.ndarray:
        key = x.tobytes()
        if key != slope_at[0]:
            slope_at[:] = key, smooth.jacobian(x)
        return slope_at[1]  # type: ignore[return-value]

    return Smooth(value, jacobian, smooth.hessian)

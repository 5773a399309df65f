"""The lowest point of a function within limits, with a certificate."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from landform.backends import Model
from landform.errors import DerivativeError, ShapeError
from landform.optimize.certificate import Certificate, judge
from landform.optimize.distinct import Solution
from landform.optimize.local import look, steps
from landform.optimize.nearest import nearest_miss
from landform.optimize.optimum import Optimum
from landform.optimize.problem import Constraints, Limits, Problem, make_problem
from landform.optimize.program import Point, Program
from landform.optimize.solve import solve
from landform.optimize.sparse.nlp import as_nlp
from landform.optimize.starts import scattered
from landform.optimize.ways import Method

_SAME = 1e-6
"""Optima closer than this, in steps, are one."""

_BOTTOMLESS = 1e15
_LOOKED_AT = 100
"""The most variables that are searched for a kink."""


def minimize(
    function: Callable[..., Any] | Model,
    x0: Any,
    *,
    args: Sequence[Any] = (),
    bounds: Limits = None,
    constraints: Constraints = (),
    starts: int = 1,
    seed: int = 0,
    tolerance: float = 1e-10,
    method: Method = "auto",
    inputs: Sequence[str] | None = None,
    progress: bool = False,
) -> Optimum:
    """The lowest point of a function within bounds and constraints, with a certificate from its exact derivatives.

    Whatever a solver says of its own answer, the point is judged anew: a saddle is left along its negative curvature, a
    point short of the first-order conditions is continued, and what cannot be certified comes back saying why.

    Parameters
    ----------
    function : callable or Model
        A JAX function with one output, ``function(x, *args)``.
    x0 : array or tree of arrays
        Where to begin, n numbers in all; it must lie within the bounds. Work is done in double precision.
    args : sequence
        Parameters of the problem, passed to the objective and to every nonlinear constraint: `Optimum.sensitivity`
        tells how the optimum moves with them.
    bounds : (lower, upper) or scipy.optimize.Bounds, optional
        Each side a number for all variables, an array or a tree like ``x0``; None or infinity for no bound.
    constraints : scipy.optimize.LinearConstraint or NonlinearConstraint, or a sequence or mapping of them
        The keys of a mapping are their names. Functions are JAX functions of ``(x, *args)``; their derivatives are
        exact, and any that came with the constraint are not used.
    starts : int
        How many starts: ``x0`` first, the others spread over the bounds, or around ``x0`` where there are none.
    seed : int
        Of the spread.
    tolerance : float
        For the first-order conditions, in parts of the gradient and the curvature.
    method : {"auto", "own", "newton", "slsqp", "uno", "filtersqp", "pounce"}
        "auto": a trust region with exact Hessians where bounds are the only limits, else SLSQP; what these cannot
        certify is tried again with the solvers of the extra ``nlp`` where they are installed, and large problems with
        constraints go there at once. "own" goes without these; the other names are one solver alone: "uno" is Uno's
        interior point method. `Optimum.by` tells which one led to the answer.
    inputs : sequence of str, optional
        Names of the variables.
    progress : bool
        Show a bar on the error stream.

    Returns
    -------
    Optimum
        With ``x``, ``value``, ``certificate``, the other optima, and ``sensitivity()``.

    Raises
    ------
    ShapeError
        If bounds, constraints and start do not fit together, or the objective is not finite at the start: then it says
        where it becomes finite.
    InfeasibleError
        If bounds and linear constraints contradict each other; it names a smallest set of limits that do.

    References
    ----------
    Nocedal and Wright (2006), *Numerical Optimization*, ch. 4, 12 and 18.

    Examples
    --------
    >>> from scipy.optimize import NonlinearConstraint
    >>> best = minimize(
    ...     lambda x: x[0] + x[1],
    ...     np.array([1.0, 0.5]),
    ...     constraints={"disc": NonlinearConstraint(lambda x: x[0] ** 2 + x[1] ** 2, -np.inf, 2.0)},
    ... )
    >>> best.x.round(8), best.certificate.nature
    (array([-1., -1.]), 'strict minimum')
    >>> best.certificate.to_frame()
          limit        kind  multiplier  strongly
    0  disc ≤ 2  constraint         0.5      True
    """
    problem = make_problem(function, x0, args=args, bounds=bounds, constraints=constraints, inputs=inputs)
    if starts < 1:
        raise ShapeError("at least one start", got=starts, remedy="leave it out, or raise it", where="argument starts")
    program = problem.program
    if len(program.region.A_names) and not program.sparse:
        program.region.interior_point()  # refuses limits in conflict, by name
    _refuse_not_finite(program, problem.start)
    points = np.vstack([problem.start[None], scattered(program, problem.start, count=starts - 1, seed=seed)])
    solutions = solve(program, points, tolerance=tolerance, method=method, shown=_bar if progress else iter)
    return _optimum(problem, solutions)


def _bar(points: Iterable[Point]) -> Iterable[Point]:
    from rich.console import Console
    from rich.progress import track

    return track(list(points), description="minimizing", console=Console(stderr=True), transient=True)


def _optimum(problem: Problem, solutions: Sequence[Solution]) -> Optimum:
    program, best = problem.program, solutions[0]
    unit = steps(program, best.x)
    certificate = _explained(program, best, problem.start)
    best = replace(best, certificate=certificate)
    optima: list[Solution] = [best]
    for other in solutions[1:]:
        if all((np.abs(other.x - s.x) > _SAME * unit).any() for s in optima):
            optima.append(other)
    led = sum(bool((np.abs(s.x - best.x) <= _SAME * unit).all()) for s in solutions)
    x = problem.shaped(best.x)
    return Optimum(x, best.objective, certificate, certificate.words, tuple(optima), led, len(solutions), problem)


def _explained(program: Program, best: Solution, start: Point) -> Certificate:
    """The certificate, its words more exact where the problem itself has no answer."""
    certificate = best.certificate
    if certificate.certified:
        return certificate
    far = float(np.abs((best.x - start) / steps(program, start)).max())
    if best.objective < -_BOTTOMLESS or far > 1e9:
        words = f"not certified: unbounded, it falls to {best.objective:.3g} and goes on falling; add bounds"
        return replace(certificate, words=words)
    kinked = _kinked(program, best.x)
    if kinked:
        words = f"not certified: the objective has a kink in {kinked} here, where slopes and curves say nothing"
        return replace(certificate, words=words)
    if 1e-6 < certificate.violation < np.inf and not program.sparse:
        missed = judge(program, nearest_miss(program, best.x))
        if missed.violation > 1e-6:
            words = f"{missed.words}, and no point nearby misses it by less: the limits contradict each other here"
            return replace(certificate, words=words)
    return certificate


def _kinked(program: Program, x: Point) -> str:
    """The first variable along which the slope jumps at x: its second difference does not shrink with the step."""
    unit = steps(program, x)
    names = program.region.names[:_LOOKED_AT]

    def jump(j: int, h: float) -> float:
        step = np.zeros(len(x))
        step[j] = h * unit[j]
        ends = [float(program.objective.value(x + s)[0]) for s in (step, -step)]
        return (ends[0] - 2.0 * float(program.objective.value(x)[0]) + ends[1]) / h

    with np.errstate(all="ignore"):
        size = float(np.abs(program.objective.jacobian(x)[0] * unit).max())
        for j, name in enumerate(names):
            wide, narrow = jump(j, 1e-3), jump(j, 1e-5)
            if abs(narrow) > 0.5 * abs(wide) > 1e-3 * max(size, 1e-300):
                return name
    return ""


def _refuse_not_finite(program: Program, start: Point) -> None:
    """Refuse a start where the objective or a constraint is not finite, and say where it is."""
    with np.errstate(all="ignore"):
        if _finite(program, start):
            return
        where = next((x for x in scattered(program, start, count=256, seed=0) if _finite(program, x)), None)
    got = f"{program.objective.value(start)[0]}"
    if where is None:
        raise DerivativeError(
            "an objective and constraints that are finite somewhere",
            got=f"{got} at the start, and nothing finite at 256 points around it",
            remedy="set bounds where the function is defined",
            where="argument x0",
        )
    near = ", ".join(f"{name} = {v:.6g}" for name, v in list(zip(program.region.names, where, strict=True))[:6])
    raise ShapeError(
        "an objective and constraints that are finite at the start",
        got=got,
        remedy=f"start for example at {near}",
        where="argument x0",
    )


def _finite(program: Program, x: Point) -> bool:
    if program.sparse:
        nlp = as_nlp(program, x)
        return bool(np.isfinite(nlp.value(x) + nlp.gradient(x).sum() + nlp.rows(x).sum() + nlp.slopes(x).sum()))
    return look(program, x, steps(program, x)).finite

"""The search over hyperparameters: down the outer loss within bounds, and what is proven where it ends."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from typing import Any, Literal

import numpy as np
from jaxtyping import Float
from scipy.optimize import minimize as scipy_minimize
from threadpoolctl import threadpool_limits

from landform.errors import ShapeError
from landform.fit.tuning.curved import NoMinimumError
from landform.fit.tuning.hyper import Hyper
from landform.fit.tuning.hypergradient import Solver, forms_hessian, no_minimum
from landform.fit.tuning.level import Level
from landform.fit.tuning.response import Response
from landform.fit.tuning.tuned import Tuned
from landform.optimize import Polytope, Program, Smooth, Solution, solve
from landform.optimize.certificate import judge
from landform.optimize.polish import polish
from landform.optimize.starts import scattered

Array = np.ndarray
Curvature = Literal["auto", "exact", "learned"]
_FORMED = 100
"""Hyperparameters up to which every step takes the exact outer Hessian."""


def search(
    levels: Sequence[Level],
    thetas: Sequence[Float[Array, " n"]],
    hyper: Hyper,
    *,
    starts: int,
    seed: int,
    solver: Solver,
    curvature: Curvature,
    tolerance: float,
    progress: bool,
) -> Callable[[Callable[[list[Array]], Any], Any], Tuned]:
    """Minimize the mean outer loss of some levels; what comes back makes the finding."""
    if starts < 1:
        raise ShapeError("at least one start", got=starts, remedy="leave it out, or raise it", where="argument starts")
    if curvature not in ("auto", "exact", "learned"):
        raise ShapeError(
            '"auto", "exact" or "learned"', got=repr(curvature), remedy="choose one", where="argument curvature"
        )
    p = len(hyper.start)
    response = Response(levels, thetas, dense=forms_hessian(solver, len(thetas[0])), tolerance=tolerance)
    moved = tuple(f"log {name}" if log else name for name, log in zip(hyper.names, hyper.log, strict=True))
    region = Polytope(
        moved, hyper.inward(hyper.lower), hyper.inward(hyper.upper), np.zeros((0, p)), np.empty(0), np.empty(0), ()
    )
    program = Program(Smooth(response.value, response.jacobian, response.hessian), region)
    start = np.clip(hyper.inward(hyper.start), region.lower, region.upper)
    with np.errstate(all="ignore"), threadpool_limits(1, "blas"), _shown(response) if progress else nullcontext():
        try:
            response.at(start)
        except NoMinimumError as error:
            remedy = "begin with other hyperparameters, or give the inner loss a minimum that determines all parameters"
            raise no_minimum(str(error), remedy, "tune, at the start") from None
        points = np.vstack([start[None], scattered(program, start, count=starts - 1, seed=seed)])
        exact = curvature == "exact" or (curvature == "auto" and p <= _FORMED)
        best = solve(program, points)[0] if exact else _by_slopes(program, points)
        met = response.at(best.x)
        curve = response.hessian(best.x)
        try:
            response.require_minima(met)
        except NoMinimumError as error:
            raise no_minimum(str(error), "give the inner loss a minimum that determines all", "tune") from None
    words = best.certificate.words

    def finding(form: Callable[[list[Array]], Any], estimator: Any) -> Tuned:
        return Tuned(
            x=hyper.shaped(hyper.outward(met.z)),
            value=met.value,
            value_error=met.value_error,
            certificate=best.certificate,
            parameters=form([a.inner.theta for a in met.answers]),
            words=words,
            hyper=hyper,
            met=met,
            curve=curve,
            response=response,
            estimator=estimator,
        )

    return finding


def _by_slopes(program: Program, points: Float[Array, "s p"]) -> Solution:
    """The best of where L-BFGS-B leads, its last digits by Newton's method with the exact Hessian."""
    found = []
    limits = list(zip(program.region.lower, program.region.upper, strict=True))
    for point in points:
        ended = scipy_minimize(
            lambda z: (float(program.objective.value(z)[0]), np.nan_to_num(program.objective.jacobian(z)[0])),
            point,
            jac=True,
            method="L-BFGS-B",
            bounds=limits,
            options={"maxiter": 500, "ftol": 1e-12, "gtol": 1e-12, "maxcor": 20},
        )
        x = polish(program, np.asarray(ended.x), tolerance=1e-10, most=5)
        found.append(Solution(x, float(program.objective.value(x)[0]), judge(program, x), point))
    return min(found, key=lambda s: s.objective)


class _shown:  # noqa: N801
    """While it lasts, the error stream shows where the search is."""

    def __init__(self, response: Response) -> None:
        from rich.console import Console

        self._response = response
        self._status = Console(stderr=True).status("tuning")

    def __enter__(self) -> None:
        self._status.start()
        self._response.heard = lambda visit: self._status.update(
            f"tuning: {len(self._response.visits)} evaluations, outer loss {visit.value:.6g}"
        )

    def __exit__(self, *_: object) -> None:
        self._response.heard = None
        self._status.stop()

"""One descent by Uno (package unopy): its ipopt preset, an interior point method, or its filtersqp preset.

References
----------
Vanaret and Leyffer (2024), "Unifying nonlinearly constrained nonconvex optimization", arXiv:2406.13454; Wächter and
Biegler (2006), Math. Program. 106 (Ipopt); Fletcher and Leyffer (2002), Math. Program. 91 (filterSQP).
"""

from __future__ import annotations

import numpy as np

from landform.optimize.program import Point
from landform.optimize.sparse.nlp import Nlp


def uno(nlp: Nlp, start: Point, *, tolerance: float, preset: str = "ipopt", most: int = 1000) -> tuple[Point, Point]:
    """Where Uno ends up from ``start``, whatever it says about it, and the rows' multipliers there.

    Parameters
    ----------
    nlp : Nlp
        What is minimized.
    start : array, shape (n,)
        Where to begin; brought into the bounds.
    tolerance : float
        Of its primal and dual residuals.
    preset : {"ipopt", "filtersqp"}
        Which of its methods. Bounds are not relaxed.
    most : int
        Iterations.
    """
    import unopy

    low, high = nlp.program.region.lower, nlp.program.region.upper
    model = unopy.Model(unopy.PROBLEM_NONLINEAR, nlp.n, low.tolist(), high.tolist(), unopy.ZERO_BASED_INDEXING)
    model.set_lagrangian_sign_convention(unopy.MULTIPLIER_POSITIVE)

    def gradient(x: Point, out: Point) -> None:
        out[:] = nlp.gradient(x)

    def rows(x: Point, out: Point) -> None:
        out[:] = nlp.rows(x)

    def slopes(x: Point, out: Point) -> None:
        out[:] = nlp.slopes(x)

    def curves(x: Point, weight: float, multipliers: Point, out: Point) -> None:
        out[:] = nlp.triangle(x, weight, multipliers)

    model.set_objective(unopy.MINIMIZE, nlp.value, gradient)
    if nlp.m:
        row, column = (place.tolist() for place in nlp.slope_places)
        model.set_constraints(nlp.m, rows, nlp.lower.tolist(), nlp.upper.tolist(), len(row), row, column, slopes)
    row, column = (place.tolist() for place in nlp.curve_places)
    model.set_lagrangian_hessian(len(row), unopy.LOWER_TRIANGLE, row, column, curves)
    model.set_initial_primal_iterate(np.clip(start, low, high).tolist())
    solver = unopy.UnoSolver()
    solver.set_preset(preset)
    options = {"logger": "SILENT", "primal_tolerance": tolerance, "dual_tolerance": tolerance, "max_iterations": most}
    for name, value in (options | ({"bound_relaxation_factor": 0.0} if preset == "ipopt" else {})).items():
        solver.set_option(name, value)
    found = solver.optimize(model)
    end, prices = np.clip(np.array(found.primal_solution), low, high), -np.array(found.constraint_dual_solution)
    return (end, prices) if np.isfinite(end).all() else (start, np.zeros(nlp.m))

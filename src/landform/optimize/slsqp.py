"""One descent by SciPy's SLSQP, with exact derivatives, variables in steps and a scaled objective.

References
----------
Kraft (1988), *A software package for sequential quadratic programming*, DFVLR-FB 88-28.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from jaxtyping import Float
from scipy.optimize import minimize

from landform.optimize.local import steps
from landform.optimize.program import Program

HIGH = 1e8
"""Stands for a value that is not finite, so that a line search turns back."""

Array = np.ndarray


class _LostError(Exception):
    """A slope was asked for where there is none."""


def slsqp(
    program: Program, start: Float[np.ndarray, " n"], *, tolerance: float, most: int = 200
) -> Float[np.ndarray, " n"]:
    """Where SLSQP ends up from ``start``, whatever it says about it.

    Every trial is brought into the bounds first. A value that is not finite turns the line search back; a
    slope that is not finite ends the descent at the last point that had one.

    Parameters
    ----------
    program : Program
        What is minimized.
    start : array, shape (n,)
        Where to begin; brought into the bounds.
    tolerance : float
        SLSQP's ``ftol``, for the objective divided by the size of its slope at the start.
    most : int
        Iterations.
    """
    region, unit = program.region, steps(program, start)
    low, high = region.lower, region.upper
    last = np.clip(start, low, high)
    inverse = _inverse_slope(program, last, unit)

    def slope(z: Array) -> Array:
        nonlocal last
        x = np.minimum(np.maximum(z * unit, low), high)
        gradient = program.objective.jacobian(x)[0] * unit * inverse
        if not np.isfinite(gradient).all():
            raise _LostError
        last = x
        return gradient

    def value(z: Array) -> float:
        found = float(program.objective.value(np.minimum(np.maximum(z * unit, low), high))[0]) * inverse
        return found if abs(found) < HIGH else HIGH

    try:
        answer = minimize(
            value,
            last / unit,
            jac=slope,
            bounds=list(zip((low / unit).tolist(), (high / unit).tolist(), strict=True)),
            constraints=_linear(program, unit) + _nonlinear(program, unit),
            method="SLSQP",
            options={"ftol": tolerance, "maxiter": most},
        )
    except _LostError:
        return last
    end = np.clip(answer.x * unit, low, high)
    return np.asarray(end) if np.isfinite(end).all() else last


def _inverse_slope(program: Program, x: Array, unit: Array) -> float:
    size = float(np.abs(program.objective.jacobian(x)[0] * unit).max())
    return 1.0 / size if 1e-12 < size < np.inf else 1.0


def _linear(program: Program, unit: Array) -> list[dict[str, Any]]:
    """Linear rows as SLSQP takes them: independent equalities, and inequalities that are not negative."""
    region = program.region
    equal = region.A_lower == region.A_upper
    below, above = np.isfinite(region.A_lower) & ~equal, np.isfinite(region.A_upper) & ~equal
    fixed = region.lower == region.upper
    known = region.A[equal][:, fixed] @ region.lower[fixed]
    E, target = _independent(region.A[equal] * ~fixed, region.A_upper[equal] - known)
    N = np.vstack([region.A[below], -region.A[above]])
    floor = np.concatenate([region.A_lower[below], -region.A_upper[above]])
    return [_affine(kind, M * unit, level) for kind, M, level in (("eq", E, target), ("ineq", N, floor)) if len(M)]


def _affine(kind: str, matrix: Array, level: Array) -> dict[str, Any]:
    return {"type": kind, "fun": lambda z: matrix @ z - level, "jac": lambda _: matrix}


def _independent(E: Array, target: Array) -> tuple[Array, Array]:
    """Give the same flat by orthonormal rows: SLSQP stops at dependent ones."""
    if not E.any():
        return E[:0], target[:0]
    left, values, right = np.linalg.svd(E, full_matrices=False)
    rank = int((values > 1e-11 * values[0]).sum())
    return right[:rank], (left[:, :rank].T @ target) / values[:rank]


def _nonlinear(program: Program, unit: Array) -> list[dict[str, Any]]:
    """Constraints as SLSQP takes them."""
    if program.constraints is None:
        return []
    equal = program.c_lower == program.c_upper
    below, above = np.isfinite(program.c_lower) & ~equal, np.isfinite(program.c_upper) & ~equal
    sides = [
        ("eq", np.flatnonzero(equal), np.ones(equal.sum()), program.c_upper[equal]),
        (
            "ineq",
            np.concatenate([np.flatnonzero(below), np.flatnonzero(above)]),
            np.repeat([1.0, -1.0], [below.sum(), above.sum()]),
            np.concatenate([program.c_lower[below], program.c_upper[above]]),
        ),
    ]
    return [_bent(program, kind, unit, row, sign, level) for kind, row, sign, level in sides if len(row)]


def _bent(program: Program, kind: str, unit: Array, row: Array, sign: Array, level: Array) -> dict[str, Any]:
    assert program.constraints is not None
    low, high = program.region.lower, program.region.upper
    values: Callable[[Array], Array] = program.constraints.value
    slopes: Callable[[Array], Array] = program.constraints.jacobian

    def value(z: Array) -> Array:
        found = sign * (values(np.minimum(np.maximum(z * unit, low), high))[row] - level)
        return np.nan_to_num(found, nan=-HIGH, posinf=HIGH, neginf=-HIGH)

    def slope(z: Array) -> Array:
        found = slopes(np.minimum(np.maximum(z * unit, low), high))[row] * (sign[:, None] * unit)
        if not np.isfinite(found).all():
            raise _LostError
        return found

    return {"type": kind, "fun": value, "jac": slope}

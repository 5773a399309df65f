"""A program at one point: values, slopes and curvature, in steps that suit every variable."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float
from scipy.optimize import nnls

from landform.optimize.program import Program


@dataclass(frozen=True, eq=False)
class Local:
    """First-order information at ``x``, in steps of ``unit`` per variable.

    ``normals`` are the gradients of the limits at unit length, ``reach`` the slack of each limit divided by
    the length of its gradient: how far away it is, in steps. ``size`` holds those lengths.
    """

    x: Float[np.ndarray, " n"]
    objective: float
    gradient: Float[np.ndarray, " n"]
    unit: Float[np.ndarray, " n"]
    slack: Float[np.ndarray, " l"]
    normals: Float[np.ndarray, "l n"]
    size: Float[np.ndarray, " l"]
    reach: Float[np.ndarray, " l"]
    equality: Bool[np.ndarray, " l"]

    @property
    def finite(self) -> bool:
        """Whether every number is one."""
        return bool(np.isfinite(self.objective + self.gradient.sum() + self.reach.sum() + self.normals.sum()))

    @property
    def violation(self) -> float:
        """By how much the worst limit is missed, in its own unit."""
        missed = np.where(self.equality, np.abs(self.slack), -self.slack)
        return abs(float(missed.max(initial=0.0)))

    @property
    def misfit(self) -> float:
        """How far away the worst limit is that is missed, in steps."""
        missed = np.where(self.equality, np.abs(self.reach), -self.reach)
        return abs(float(missed.max(initial=0.0)))

    def near(self, distance: float) -> Bool[np.ndarray, " l"]:
        """Which limits are active, to within ``distance``; equalities always are."""
        return self.equality | (self.reach <= distance)


def steps(program: Program, x: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    """One step of each variable: its range, but no more than its size (or 1) where that is less.

    A bound of a million on a variable that is near 2 would otherwise make a miss of 0.1 look small.
    """
    width = program.region.upper - program.region.lower
    size = np.maximum(np.abs(x), 1.0)
    return np.where((width > 0) & (width < size), width, size)


def look(program: Program, x: Float[np.ndarray, " n"], unit: Float[np.ndarray, " n"]) -> Local:
    """Everything of first order at ``x``."""
    sides = program.sides
    values, slopes = [x, program.region.A @ x], [np.eye(program.n), program.region.A]
    if program.constraints is not None:
        values.append(program.constraints.value(x))
        slopes.append(program.constraints.jacobian(x))
    slack = sides.sign * (np.concatenate(values)[sides.row] - sides.value)
    normals = np.concatenate(slopes)[sides.row] * (sides.sign[:, None] * unit)
    size = np.sqrt(np.einsum("ln,ln->l", normals, normals))
    length = np.where(size > 0, size, 1.0)
    return Local(
        x,
        float(program.objective.value(x)[0]),
        np.asarray(program.objective.jacobian(x)[0]) * unit,
        unit,
        slack,
        normals / length[:, None],
        length,
        slack / length,
        sides.equality,
    )


def prices(local: Local, active: Bool[np.ndarray, " l"]) -> Float[np.ndarray, " l"]:
    """Multipliers of the unit normals that explain the gradient best: free for equalities, else not negative.

    The equalities are projected out, and what is left is a non-negative least squares problem. Where several
    sets of multipliers serve (a degenerate corner), one of them comes out.
    """
    found = np.zeros(len(active))
    equal, one = np.flatnonzero(active & local.equality), np.flatnonzero(active & ~local.equality)
    E, N = local.normals[equal], local.normals[one]
    basis = np.linalg.svd(E, full_matrices=False)[2][: np.linalg.matrix_rank(E)] if len(equal) else E
    if len(one):
        found[one] = nonnegative((N - N @ basis.T @ basis).T, local.gradient - basis.T @ (basis @ local.gradient))
    if len(equal):
        found[equal] = np.linalg.lstsq(E.T, local.gradient - N.T @ found[one], rcond=None)[0]
    return found


def nonnegative(matrix: Float[np.ndarray, "n k"], target: Float[np.ndarray, " n"]) -> Float[np.ndarray, " k"]:
    """Find the non-negative combination of columns nearest to ``target``.

    Examples
    --------
    >>> nonnegative(np.eye(2), np.array([3.0, -1.0]))
    array([3., 0.])
    """
    try:
        return np.asarray(nnls(matrix, target)[0])
    except RuntimeError:  # it cycled: the columns are dependent to rounding
        return np.maximum(np.linalg.lstsq(matrix, target, rcond=1e-10)[0], 0.0)


def curvature(program: Program, local: Local, multipliers: Float[np.ndarray, " l"]) -> Float[np.ndarray, "n n"]:
    """Hessian of the Lagrangian, in steps; ``multipliers`` belong to the unit normals."""
    H = np.array(program.objective.hessian(local.x, np.ones(1)), dtype=np.float64)
    if program.constraints is not None:
        first = program.n + len(program.region.A)
        bent = (program.sides.row >= first) & (multipliers != 0)
        if bent.any():
            weights = np.zeros(len(program.c_names))
            pull = -program.sides.sign * multipliers / local.size
            np.add.at(weights, program.sides.row[bent] - first, pull[bent])
            H += program.constraints.hessian(local.x, weights)
    H = (H + H.T) / 2 * np.outer(local.unit, local.unit)
    return np.asarray(H)


def residual(local: Local, multipliers: Float[np.ndarray, " l"], hessian: Float[np.ndarray, "n n"]) -> float:
    """Tell what the multipliers leave of the gradient, in parts of the gradient and the curvature.

    Each variable has its own measure, ``|gradient_j| + max_k |Hessian_jk|``, so the number does not change
    when the objective or a variable is rescaled; where the curvature rules it is a distance to the
    stationary point.
    """
    left = np.abs(local.gradient - multipliers @ local.normals)
    measure = np.abs(local.gradient) + np.abs(hessian).max(axis=1)
    measure = np.maximum(measure, 1e-6 * measure.max())
    return float(np.where(left > 0, left / np.where(measure > 0, measure, 1.0), 0.0).max())

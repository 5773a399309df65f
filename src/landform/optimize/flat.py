"""Where second order says nothing: steps along the flat directions, in search of something lower."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float

from landform.optimize.critical import Cone
from landform.optimize.local import Local, look
from landform.optimize.program import Program

LENGTHS = (3e-2, 3e-3)
"""How far to step, in ranges of the variables."""


def lower_nearby(
    program: Program,
    local: Local,
    cone: Cone,
    multipliers: Float[np.ndarray, " l"],
    hessian: Float[np.ndarray, "n n"],
    *,
    level: float,
) -> Float[np.ndarray, " n"] | None:
    """Find a flat direction of the cone (in steps) along which the objective falls after all.

    x³ at 0 passes every test of second order and is no minimum. Each step is brought back to the strongly
    active limits before it is judged, by the Lagrangian, so that a limit's curvature is not taken for a
    gain.
    """
    values, vectors = np.linalg.eigh(cone.basis.T @ hessian @ cone.basis)
    for vector in vectors.T[np.abs(values) <= level]:
        for way in (vector, -vector):
            if (cone.sides @ way < -1e-9).any():
                continue
            direction = cone.basis @ way
            if any(_falls(program, local, cone.strong, multipliers, h * direction) for h in LENGTHS):
                return direction
    return None


def _falls(
    program: Program,
    local: Local,
    strong: Bool[np.ndarray, " l"],
    multipliers: Float[np.ndarray, " l"],
    step: Float[np.ndarray, " n"],
) -> bool:
    there = look(program, local.x + step * local.unit, local.unit)
    for _ in range(3):
        if not there.finite or np.abs(there.reach[strong]).max(initial=0.0) < 1e-12:
            break
        back = np.linalg.lstsq(there.normals[strong], -there.reach[strong], rcond=None)[0]
        there = look(program, there.x + back * local.unit, local.unit)
    if not there.finite or there.misfit > 1e-9:
        return False
    gain = local.objective - there.objective + multipliers @ (there.slack / local.size)
    noise = (
        1e-13 * (abs(local.objective) + abs(there.objective)) + 1e-9 * np.abs(local.gradient).max() * np.abs(step).max()
    )
    return bool(gain > noise)

"""Where second order says nothing: steps along the flat directions, in search of something lower."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from jaxtyping import Bool, Float

from landform.optimize.critical import Cone
from landform.optimize.local import Local, look, nonnegative
from landform.optimize.program import Program

LENGTHS = (3e-2, 3e-3)
"""How far to step, in ranges of the variables."""

MIXTURES = 32
"""How many mixtures of several flat directions are tried."""


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
    for way in _ways(vectors[:, np.abs(values) <= level], cone):
        direction = cone.basis @ way
        if any(_falls(program, local, cone.strong, multipliers, h * direction) for h in LENGTHS):
            return direction
    return None


def _ways(flat: Float[np.ndarray, "t k"], cone: Cone) -> Iterator[Float[np.ndarray, " t"]]:
    """Directions in the cone and in the flat subspace: its axes, both ways, then mixtures where it has several.

    -xyz at 0 is level along every axis and every plane of two, and falls between them.
    """
    tries = [sign * axis for axis in flat.T for sign in (1.0, -1.0)]
    if flat.shape[1] > 1:
        mixtures = np.random.default_rng(0).standard_normal((MIXTURES, flat.shape[1]))
        sides = cone.sides @ flat
        if len(sides):  # brought into the cone; sums of what lies on its faces lie between them
            mixtures = np.array([v + sides.T @ nonnegative(sides.T, -v) for v in mixtures])
            mixtures = np.concatenate(
                [mixtures, mixtures + np.roll(mixtures, 1, axis=0) + np.roll(mixtures, 2, axis=0)]
            )
        lengths = np.linalg.norm(mixtures, axis=1)
        tries += list((mixtures[lengths > 1e-6] / lengths[lengths > 1e-6, None]) @ flat.T)
    for way in tries:
        if not (cone.sides @ way < -1e-9).any():
            yield way


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
    noise = 1e-13 * (abs(local.objective) + abs(there.objective))
    noise += 1e-9 * np.abs(local.gradient).max() * np.abs(step).max()
    noise += 10 * np.abs(there.gradient).max() * there.misfit  # what a step past a limit by rounding gains
    return bool(gain > noise)

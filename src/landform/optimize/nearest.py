"""Back towards the limits: the point nearby that misses them by least."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from scipy.optimize import least_squares

from landform.optimize.local import look
from landform.optimize.program import Point, Program


def nearest_miss(program: Program, x: Point) -> Point:
    """Where the sum of squared misses is lowest nearby, within the bounds; ``x`` itself where no miss is finite.

    Examples
    --------
    >>> from landform.optimize import Polytope, Smooth
    >>> square = Smooth(lambda x: np.array([x @ x]), lambda x: 2 * x[None], lambda x, w: 2 * w[0] * np.eye(1))
    >>> line = Polytope(("a",), [0.0], [9.0], np.zeros((0, 1)), [], [], ())
    >>> nearest_miss(Program(square, line, square, [4.0], [4.0], ("square",)), np.array([1.0])).round(6)
    array([2.])
    """
    low, high = program.region.lower, program.region.upper

    def misses(z: Point) -> Point:
        local = look(program, z, np.ones(program.n))
        return np.where(local.equality, local.slack, np.minimum(local.slack, 0.0))

    def slopes(z: Point) -> Float[np.ndarray, "l n"]:
        local = look(program, z, np.ones(program.n))
        missed = local.equality | (local.slack < 0)
        return np.asarray(local.normals * (local.size * missed)[:, None])

    # A fixed variable is free here and fixed again afterwards: least_squares wants some room.
    room = np.where(high > low, high, np.inf)
    inside = np.clip(x, low, room)
    if not np.isfinite(misses(inside)).all() or not np.isfinite(slopes(inside)).all():
        return np.clip(x, low, high)
    try:
        found = least_squares(misses, inside, slopes, bounds=(low, room), xtol=1e-12, ftol=1e-12)
    except (ValueError, np.linalg.LinAlgError):  # a slope on the way was not finite
        return np.clip(x, low, high)
    return np.clip(found.x, low, high)

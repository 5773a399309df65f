"""Points spread over a polytope: walks through the inside, and its corners.

References
----------
Smith (1984), *Operations Research* 32, 1296 (hit-and-run).
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from landform.optimize.feasibility import Inside
from landform.optimize.limits import Rows

FAR = 10.0
"""Where nothing ends a walk, it ends here, in units of the variables' ranges."""


def spread(rows: Rows, inside: Inside, *, count: int, seed: int) -> Float[np.ndarray, "count n"]:
    """``count`` points: one in five a vertex, the rest from independent hit-and-run walks.

    Parameters
    ----------
    rows : Rows
        The polytope.
    inside : Inside
        A point inside it and the room around it.
    count, seed : int
        How many, and which.
    """
    rng = np.random.default_rng(seed)
    normals, room = _half_spaces(rows, inside)
    corners = _vertices(normals, room, max(count, 2 * inside.basis.shape[1] + 2), rng)
    walkers = _walk(normals, room, corners, rng)
    places = np.where(np.arange(len(corners))[:, None] % 5 == 4, corners, walkers)[:count]
    return np.asarray(inside.point + (places @ inside.basis.T) * inside.scale)


def _half_spaces(rows: Rows, inside: Inside) -> tuple[Float[np.ndarray, "h t"], Float[np.ndarray, " h"]]:
    """Tangent coordinates y are inside where ``normals @ y <= room``; unit normals, room > 0."""
    matrix = (rows.matrix * inside.scale) @ inside.basis
    below, above = rows.slack(inside.point)
    normals, room = np.vstack([matrix, -matrix]), np.concatenate([above, below])
    size = np.linalg.norm(normals, axis=1)
    weight = np.linalg.norm(rows.matrix * inside.scale, axis=1)
    loose = np.isfinite(room) & np.tile(~inside.fixed, 2) & (size > 1e-11 * np.tile(weight, 2))
    return normals[loose] / size[loose, None], np.maximum(room[loose] / size[loose], 0.0)


def _steps(
    normals: Float[np.ndarray, "h t"],
    room: Float[np.ndarray, " h"],
    places: Float[np.ndarray, "c t"],
    directions: Float[np.ndarray, "c t"],
) -> Float[np.ndarray, "c h"]:
    """How far each direction goes before each half-space ends it."""
    rate = directions @ normals.T
    left = np.maximum(room - places @ normals.T, 0.0)
    ahead = rate > 1e-9 * np.linalg.norm(directions, axis=1, keepdims=True)
    return np.where(ahead, left / np.where(ahead, rate, 1.0), np.inf)


def _vertices(
    normals: Float[np.ndarray, "h t"], room: Float[np.ndarray, " h"], count: int, rng: np.random.Generator
) -> Float[np.ndarray, "count t"]:
    """Run to a face in a random direction, then along it to an edge of it, until no direction is left."""
    t = normals.shape[1]
    places, kept = np.zeros((count, t)), np.zeros((count, t, t))
    lane = np.arange(count)
    if not len(normals):
        return FAR * rng.standard_normal((count, t))
    for stage in range(t):
        directions = _free(rng.standard_normal((count, t)), kept)
        directions /= np.maximum(np.linalg.norm(directions, axis=1, keepdims=True), 1e-300)
        steps = _steps(normals, room, places, directions)
        wall = steps.argmin(axis=1)
        length = steps[lane, wall]
        places = places + np.minimum(length, FAR)[:, None] * directions
        reached = np.where(np.isfinite(length)[:, None], normals[wall], directions)
        reached = _free(_free(reached, kept), kept)
        kept[:, stage] = reached / np.maximum(np.linalg.norm(reached, axis=1, keepdims=True), 1e-300)
    return places


def _free(directions: Float[np.ndarray, "c t"], kept: Float[np.ndarray, "c t t"]) -> Float[np.ndarray, "c t"]:
    """Directions without their part along the kept ones."""
    return np.asarray(directions - np.einsum("ck,ckt->ct", np.einsum("ct,ckt->ck", directions, kept), kept))


def _walk(
    normals: Float[np.ndarray, "h t"],
    room: Float[np.ndarray, " h"],
    corners: Float[np.ndarray, "c t"],
    rng: np.random.Generator,
) -> Float[np.ndarray, "c t"]:
    """Hit-and-run from between the centre and the corners, directions stretched as the corners are."""
    count, t = corners.shape
    if t == 0:
        return corners
    stretch = np.linalg.cholesky(corners.T @ corners / count + 1e-9 * np.eye(t))
    places = corners * rng.random((count, 1)) ** (1.0 / t) * 0.9
    for _ in range(8 + 3 * t):
        directions = rng.standard_normal((count, t)) @ stretch.T
        ahead = np.minimum(_steps(normals, room, places, directions).min(axis=1, initial=np.inf), FAR)
        behind = np.minimum(_steps(normals, room, places, -directions).min(axis=1, initial=np.inf), FAR)
        places = places + ((ahead + behind) * rng.random(count) - behind)[:, None] * directions
    return places

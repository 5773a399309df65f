"""Second order: the directions that first order leaves open, and how the Lagrangian curves along them.

References
----------
Nocedal and Wright (2006), *Numerical Optimization*, section 12.5 (critical cone, theorems 12.5 and 12.6).
Kaplan (2000), *Linear Algebra and its Applications* 313, 203 (copositivity by eigenvectors of principal
parts).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain, combinations

import numpy as np
from jaxtyping import Bool, Float

from landform.linalg import tangent_basis
from landform.optimize.local import Local, nonnegative

MOST = 8
"""Faces of the critical cone are looked at one by one up to this many weakly active limits."""


@dataclass(frozen=True, eq=False)
class Cone:
    """The critical cone: ``basis @ y`` with ``sides @ y >= 0``; a subspace where there are no sides.

    ``strong`` marks the limits that every critical direction keeps.
    """

    basis: Float[np.ndarray, "n t"]
    sides: Float[np.ndarray, "w t"]
    strong: Bool[np.ndarray, " l"]


def critical_cone(
    local: Local, active: Bool[np.ndarray, " l"], multipliers: Float[np.ndarray, " l"], *, weak: float
) -> Cone:
    """Directions along which no active limit is broken and the objective does not change to first order.

    A limit whose multiplier is at most ``weak`` may still be kept by every such direction, when its normal
    is the negative of a combination of the others (another valid set of multipliers then has it positive);
    by Farkas' lemma that is a non-negative least squares problem per limit.
    """
    strong = active & (local.equality | (multipliers > weak))
    loose = np.flatnonzero(active & ~strong)
    for i in loose.tolist():
        if len(loose) > 1 and _kept_by_others(local.normals, strong, loose, i):
            strong[i] = True
    basis = tangent_basis(local.normals[strong])
    sides = local.normals[active & ~strong] @ basis
    return Cone(basis, sides[np.linalg.norm(sides, axis=1) > 1e-10], strong)


def _kept_by_others(
    normals: Float[np.ndarray, "l n"], strong: Bool[np.ndarray, " l"], loose: np.ndarray, i: int
) -> bool:
    others = normals[loose[loose != i]]
    fixed = normals[strong]
    columns = np.vstack([others, fixed, -fixed]).T
    return bool(np.linalg.norm(columns @ nonnegative(columns, -normals[i]) + normals[i]) < 1e-9)


def least_curvature(
    hessian: Float[np.ndarray, "n n"], cone: Cone
) -> tuple[float, Float[np.ndarray, " n"] | None, bool]:
    """Find the smallest curvature in the cone, a unit direction that has it, and whether all faces were seen.

    A smallest value is taken inside some face, where its direction is an eigenvector of the Hessian on that
    face; so the eigenvectors of all faces that lie in the cone are compared.
    """
    reduced = cone.basis.T @ hessian @ cone.basis
    best, way = np.inf, None
    count = len(cone.sides)
    sizes = range(count + 1) if count <= MOST else (0, 1)
    for face in chain.from_iterable(combinations(range(count), k) for k in sizes):
        Z = tangent_basis(cone.sides[list(face)]) if face else np.eye(reduced.shape[0])
        if not Z.shape[1]:
            continue
        values, vectors = np.linalg.eigh(Z.T @ reduced @ Z)
        for value, vector in zip(values, (Z @ vectors).T, strict=True):
            if value >= best:
                break
            inside = [s * vector for s in (1.0, -1.0) if (s * (cone.sides @ vector) >= -1e-9).all()]
            if inside:
                best, way = float(value), cone.basis @ inside[0]
                break
    return best, way, count <= MOST

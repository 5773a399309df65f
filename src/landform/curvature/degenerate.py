"""What a loss does along directions in which its Hessian vanishes.

Second derivatives are silent there, and a straight line may deceive (Peano's surface rises along every line through a
point that is no minimum). So the loss is followed along each such direction with all others relaxed to their own
stationary point: the reduction of Lyapunov and Schmidt.

References
----------
Golubitsky and Schaeffer (1985), *Singularities and Groups in Bifurcation Theory*, ch. VII (the reduction).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from landform.curvature.at_point import LossAt, Vector

_REACHES = np.array([1e-3, 3e-3, 1e-2, 3e-2, 1e-1])
_ROUNDS = 5
_PROBES = 64


@dataclass(frozen=True, eq=False)
class Probed:
    """What was found along directions without curvature.

    Parameters
    ----------
    down, up, level : int
        How many of the probed directions lead down, up, or neither.
    step : array, shape (n,), or None
        The step that led down most.
    """

    down: int
    up: int
    level: int
    step: Vector | None


class Reduced:
    """The loss over the flat directions, the curved ones relaxed."""

    def __init__(self, at: LossAt, flat: Float[np.ndarray, "n d"], bent: Float[np.ndarray, "n r"], values: Vector):
        self.at, self.flat, self._bent, self._values = at, flat, bent, values
        self.base, self._start = self.followed(np.zeros(at.n))

    def followed(self, step: Vector) -> tuple[float, Vector]:
        """The loss and the point where the curved directions have settled after a step."""
        y = self.at.x + step
        best, where = self.at.value(y), y
        for _ in range(_ROUNDS if self._values.size else 0):
            y = y - self._bent @ ((self._bent.T @ self.at.gradient(y)) / self._values)
            value = self.at.value(y)
            if not np.isfinite(value):
                break
            best, where = value, y
        return best, where

    def noise(self) -> float:
        """How much of the loss is rounding: measured by moving the point by its last digits."""
        rng = np.random.default_rng(1)
        eps = self.at.rounding
        moved = [self.at.value(self.at.x * (1 + eps * rng.choice([-1, 1], self.at.n))) for _ in range(6)]
        return 16 * max(eps * abs(self.base), float(np.ptp(moved)))

    def descended(self, u: Vector, reach: float, rounds: int = 12) -> Vector:
        """A flat direction turned toward where the loss is lowest at this distance."""
        c = self.flat.T @ u
        for k in range(rounds):
            _, where = self.followed(reach * (self.flat @ c))
            slope = self.flat.T @ self.at.gradient(where)
            slope = slope - c * (c @ slope)
            size = np.linalg.norm(slope)
            if size == 0:
                break
            c = c - slope / size * (0.7 / (1 + k))
            c = c / np.linalg.norm(c)
        return np.asarray(self.flat @ c)


def probe(at: LossAt, flat: Float[np.ndarray, "n d"], bent: Float[np.ndarray, "n r"], values: Vector) -> Probed:
    """Follow the loss along directions without curvature, both ways.

    Parameters
    ----------
    flat, bent : array, shapes (n, d) and (n, r)
        Orthonormal directions without and with curvature.
    values : array, shape (r,)
        Curvatures of the latter.
    """
    reduced = Reduced(at, flat, bent, values)
    noise = reduced.noise()
    scale = max(1.0, float(np.linalg.norm(at.x)) / np.sqrt(at.n))
    residual = float(np.linalg.norm(flat.T @ at.gradient()))
    counts, best, step = {-1: 0, 0: 0, 1: 0}, 0.0, None

    def look(u: Vector) -> float:
        """Count a direction; the change at the largest reach is returned."""
        nonlocal best, step
        changes = []
        for reach in scale * _REACHES:
            value, where = reduced.followed(reach * u)
            change = value - reduced.base
            changes.append(change)
            if change < best:
                best, step = change, where - at.x
        counts[_sign(np.array(changes), noise + 4 * residual * scale * _REACHES)] += 1
        return changes[-1]

    rng = np.random.default_rng(0)
    d = flat.shape[1]
    singles = [sign * flat[:, k] for k in range(min(d, _PROBES // 4)) for sign in (1, -1)]
    if d > 1:
        mixed = rng.standard_normal((_PROBES - len(singles), d))
        singles += list((mixed / np.linalg.norm(mixed, axis=1, keepdims=True)) @ flat.T)
    ends = [look(u) for u in singles]
    if d > 1 and not counts[-1]:
        for k in np.argsort(ends)[:3]:
            for reach in (0.01, 0.1):
                look(reduced.descended(singles[k], reach * scale))
    return Probed(counts[-1], counts[1], counts[0], step if counts[-1] else None)


def _sign(changes: Float[np.ndarray, " t"], noise: Float[np.ndarray, " t"]) -> int:
    """Whether the loss goes up or down at first, as far as that stands out of the noise."""
    clear = np.abs(changes) > 10 * noise
    for k in np.flatnonzero(clear):
        later = changes[k + 1 : k + 2]
        if not len(later) or np.sign(later[0]) == np.sign(changes[k]):
            return int(np.sign(changes[k]))
    return 0

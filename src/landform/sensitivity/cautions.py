"""What a derivative cannot say, row by row: extrapolation, a kink nearby, a flat region, a slope drowned in its doubt.

References
----------
Cook and Weisberg (1982), *Residuals and Influence in Regression*, sec. 2.2, for leverage.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from landform.sensitivity.ground import Ground
from landform.sensitivity.subject import Subject, Taken

Array = np.ndarray
_NEAR = 0.05
_BEND = 0.05
_FLAT = 1e-3
_ROUGH = 0.01
_OFTEN = 3.0


@dataclass(frozen=True, eq=False)
class Caution:
    """Something to keep in mind at some rows.

    Parameters
    ----------
    kind : {"far", "kink", "flat", "unsure", "bound", "rough"}
        Which.
    words : str
        What it means.
    where : array of bool, shape (rows, m)
        The rows and outputs it holds for.
    """

    kind: str
    words: str
    where: Bool[Array, "rows m"]

    @property
    def rows(self) -> int:
        """How many rows it holds for, for one output at least."""
        return int(np.sum(self.where.any(axis=1)))

    def counted(self, outputs: Sequence[str]) -> list[str]:
        """How many rows it holds for, in words; output by output where these differ."""
        counts, n = self.where.sum(axis=0), len(self.where)
        if (self.where == self.where[:, :1]).all():
            return [f"{counts[0]} of {n} rows: {self.words}."]
        pairs = zip(outputs, counts, strict=True)
        return [f"{name}, {count} of {n} rows: {self.words}." for name, count in pairs if count]


def far_rows(X: Float[Array, "rows d"], train: Float[Array, "n d"] | None, outputs: int) -> Caution:
    """Rows outside what the model was fitted on, by leverage and by distance; without training rows, unusual ones.

    Examples
    --------
    >>> far_rows(np.array([[0.5], [3.0]]), np.linspace(0, 1, 9)[:, None], 1).where.ravel()
    array([False,  True])
    """
    reference = X if train is None else train
    center, spread = reference.mean(axis=0), reference.std(axis=0)
    varied = spread > 1e-12 * np.maximum(np.abs(center), 1e-300)
    scale = np.where(varied, spread, 1.0)
    _, sizes, axes = np.linalg.svd((reference - center) / scale, full_matrices=False)
    kept = sizes > 1e-8 * max(float(sizes[0]), 1e-300)
    whiten = (axes[kept] / sizes[kept, None]).T

    def white(rows: Array) -> Array:
        return np.asarray(((rows - center) / scale) @ whiten)

    own, known = white(X), white(reference)
    leverage, usual = (np.sum(z * z, axis=1) for z in (own, known))
    if train is None:
        far = leverage + 1 / len(X) > _OFTEN * (kept.sum() + 1) / len(X)
        words = "far from most other rows: the model is known least there"
        return Caution("far", words, np.repeat(far[:, None], outputs, axis=1))
    # A direction that never varied in training cannot be trusted at all.
    left = (X - center) / scale - own @ (axes[kept] * sizes[kept, None])
    far = (leverage > usual.max() * (1 + 1e-9)) | (np.abs(left).max(axis=1) > 1e-6)
    if kept.any():
        far |= _distance(own, known) > _gap_between(known)
    words = "extrapolation: outside the rows that the model was fitted on"
    return Caution("far", words, np.repeat(far[:, None], outputs, axis=1))


def _distance(rows: Float[Array, "rows d"], known: Float[Array, "n d"]) -> Float[Array, " rows"]:
    from scipy.spatial import cKDTree

    return np.asarray(cKDTree(known).query(rows)[0])


def _gap_between(known: Float[Array, "n d"]) -> float:
    """The largest distance from a training row to its nearest other one."""
    from scipy.spatial import cKDTree

    return float(cKDTree(known).query(known, k=2)[0][:, 1].max()) if len(known) > 1 else np.inf


def kinks(subject: Subject, taken: Taken, spreads: Float[Array, " d"]) -> Caution | None:
    """Rows with a kink within a twentieth of an input's standard deviation; None for smooth models.

    The slope just above an input's value and that just below differ by the curve between them; what they differ by
    more is a kink.
    """
    if not subject.notes:
        return None
    X, where = subject.X, np.zeros(taken.values.shape, dtype=bool)
    typical = np.sqrt(np.mean((taken.jacobians * spreads) ** 2, axis=(0, 2)))
    curves = np.concatenate([np.einsum("rmii->rmi", block) for _, block in subject.slopes.curves(X)])
    for i in np.flatnonzero(spreads > 0):
        step = np.zeros(X.shape[1])
        step[i] = _NEAR * spreads[i]
        above, below = (subject.slopes.slopes(X + sign * step).jacobians[:, :, i] for sign in (1, -1))
        jump = np.abs(above - below - 2 * step[i] * curves[:, :, i]) * spreads[i]
        where |= jump > _BEND * np.maximum(typical, 1e-300)
    return Caution("kink", "a kink nearby: the slope changes abruptly within a small step", where)


def flat_rows(taken: Taken, spreads: Float[Array, " d"]) -> Caution:
    """Rows where no input moves the output."""
    size = np.std(taken.values, axis=0)
    reach = np.max(np.abs(taken.jacobians) * spreads, axis=2)
    where = reach <= _FLAT * np.where(size > 0, size, np.inf)
    return Caution(
        "flat", "flat: one standard deviation of any input moves the output by less than 0.1 % of its own", where
    )


def unsure_rows(slopes: Float[Array, "rows m k"], errors: Float[Array, "rows m k"], quantile: float) -> Caution:
    """Rows where every slope is drowned in its interval."""
    where = np.all(np.abs(slopes) <= quantile * errors, axis=2)
    return Caution("unsure", "no slope is sure here: every interval includes zero", where)


def rough_rows(taken: Taken, spreads: Float[Array, " d"]) -> Caution | None:
    """Rows where numeric slopes are doubtful; None for exact ones."""
    if taken.errors is None:
        return None
    typical = np.sqrt(np.mean((taken.jacobians * spreads) ** 2, axis=(0, 2)))
    where = np.max(taken.errors * spreads, axis=2) > _ROUGH * np.maximum(typical, 1e-300)
    return Caution("rough", "numeric slope uncertain by more than 1 % of a typical one: noise, a kink or a jump", where)


def bound_rows(
    X: Float[Array, "rows d"], names: Sequence[str], lower: Float[Array, " d"], upper: Float[Array, " d"], outputs: int
) -> list[Caution]:
    """Rows on a bound, where an input can move one way only."""
    ground = Ground(tuple(names), 0, lower, upper, np.maximum(np.ptp(X, axis=0), 1e-12))
    low = np.stack([ground.at_lower(x) for x in X])
    high = np.stack([ground.at_upper(x) for x in X])
    found = []
    for i, name in enumerate(names):
        for where, side, way in ((low[:, i], "lower", "raised"), (high[:, i], "upper", "lowered")):
            if where.any():
                words = f"{name} is on its {side} bound: it can only be {way}"
                found.append(Caution("bound", words, np.repeat(where[:, None], outputs, axis=1)))
    return found

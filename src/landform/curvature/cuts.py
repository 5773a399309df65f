"""Cuts through a landscape along one direction or two.

References
----------
Li, Xu, Taylor, Studer and Goldstein (2018), "Visualizing the loss landscape of neural nets", NeurIPS 31 (random
directions normalized filter by filter).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float

from landform.curvature.at_point import LossAt, Vector
from landform.errors import ShapeError
from landform.findings import Contour, Curve, Finding, Picture, minus
from landform.linalg import End, extreme_pairs

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class Slice(Finding):
    """The loss along a straight line through the parameters.

    Parameters
    ----------
    distances : array, shape (k,)
        Along the direction, in its own length.
    losses, quadratic : array, shape (k,)
        The loss there, and what slope and curvature at the middle foretell.
    direction : array, shape (n,)
        What one unit of distance adds to the parameters.
    name : str
        What the direction is.
    slope, curvature : float
        At the middle, per unit of distance.
    """

    distances: Vector
    losses: Vector
    quadratic: Vector
    direction: Vector
    name: str
    slope: float
    curvature: float

    def sentences(self) -> list[str]:
        """Where it is lowest, and how far the quadratic model holds."""
        k = int(np.nanargmin(self.losses))
        middle = self.losses[np.argmin(np.abs(self.distances))]
        where = (
            "lowest at the parameters"
            if self.losses[k] >= middle
            else f"lower by {middle - self.losses[k]:.3g} at {self.distances[k]:.3g}"
        )
        return [minus(f"Along the {self.name} the loss is {where}; there it bends by {self.curvature:.3g}.")]

    @property
    def words(self) -> str:
        """`sentences` as one text."""
        return " ".join(self.sentences())

    def to_frame(self) -> pd.DataFrame:
        """A row for every point."""
        import pandas as pd

        return pd.DataFrame({"distance": self.distances, "loss": self.losses, "quadratic": self.quadratic})

    def pictures(self) -> list[Picture]:
        """The loss as a curve."""
        nothing: list[float | None] = [None] * len(self.losses)
        x, y, title = self.distances.tolist(), self.losses.tolist(), f"Along the {self.name}"
        return [Curve(x, y, nothing, nothing, title=title, x_axis="distance", y_axis="loss")]


@dataclass(frozen=True, eq=False)
class Plane(Finding):
    """The loss over a plane through the parameters.

    Parameters
    ----------
    across, up : array, shapes (a,) and (b,)
        Distances along the two directions.
    losses : array, shape (b, a)
        The loss there.
    directions : array, shape (n, 2)
        What one unit of distance adds to the parameters.
    names : tuple of str
        What the directions are.
    path : array, shape (k, 2)
        Points of a trajectory, projected onto the plane.
    off_plane : array, shape (k,)
        How far each of them lies from the plane.
    """

    across: Vector
    up: Vector
    losses: Float[np.ndarray, "b a"]
    directions: Float[np.ndarray, "n 2"]
    names: tuple[str, str]
    path: Float[np.ndarray, "k 2"]
    off_plane: Vector

    def sentences(self) -> list[str]:
        """The range of the loss; how far a trajectory leaves the plane."""
        words = [
            minus(f"Over this plane the loss goes from {np.nanmin(self.losses):.4g} to {np.nanmax(self.losses):.4g}.")
        ]
        if len(self.path):
            words.append(
                f"The trajectory lies up to {self.off_plane.max():.2g} away from the plane that it is drawn on."
            )
        return words

    @property
    def words(self) -> str:
        """`sentences` as one text."""
        return " ".join(self.sentences())

    def to_frame(self) -> pd.DataFrame:
        """A row for every point."""
        import pandas as pd

        A, B = np.meshgrid(self.across, self.up)
        return pd.DataFrame({"across": A.ravel(), "up": B.ravel(), "loss": self.losses.ravel()})

    def pictures(self) -> list[Picture]:
        """Contours, with the trajectory's points."""
        A, B = np.meshgrid(self.across, self.up)
        points = np.column_stack([A.ravel(), B.ravel()])
        finite = np.isfinite(self.losses.ravel())
        wide = len(self.across)
        corners = [r * wide + c for r in range(len(self.up) - 1) for c in range(wide - 1)]
        halves = [(k, k + 1, k + wide) for k in corners] + [(k + 1, k + wide + 1, k + wide) for k in corners]
        triangles = [one for one in halves if all(finite[list(one)])]
        values = np.where(finite, self.losses.ravel(), np.nanmax(self.losses)).tolist()
        marks = self.path.tolist() or [(0.0, 0.0)]
        labels = {"title": "Loss over a plane", "x_axis": self.names[0], "y_axis": self.names[1]}
        return [Contour(points.tolist(), triangles, values, marks, **labels)]


def direction_of(at: LossAt, asked: Any, seed: int) -> tuple[Vector, str]:
    """A direction and its name from "stiffest", "lowest", "gradient", "random", or the user's own."""
    if not isinstance(asked, str):
        v = at.labelled(asked, "argument direction")
        if not np.any(v):
            raise ShapeError("a direction", got="zeros", remedy="pass one that moves", where="argument direction")
        return v, "given direction"
    if asked == "random":
        return filter_normalized(at, seed), "random direction"
    if asked == "gradient":
        g = at.gradient()
        size = float(np.linalg.norm(g))
        if size == 0:
            raise ShapeError("a slope", got="a gradient of zero", remedy='take "stiffest"', where="argument direction")
        return -g / size, "steepest descent"
    if asked in ("stiffest", "lowest"):
        end: End = "top" if asked == "stiffest" else "bottom"
        found = extreme_pairs(
            at.product, at.n, count=1, end=end, tolerance=1e-3, most=min(at.n, 300) + 1, copies=False, seed=seed
        )  # fmt: skip
        return found.vectors[:, 0], f"{'stiffest' if asked == 'stiffest' else 'lowest-curvature'} direction"
    raise ShapeError(
        '"stiffest", "lowest", "gradient", "random" or a direction', got=repr(asked), remedy="choose one",
        where="argument direction",
    )  # fmt: skip


def filter_normalized(at: LossAt, seed: int) -> Vector:
    """A random direction in which every filter (unit) is as long as in the parameters; biases stay (Li et al. 2018)."""
    rng = np.random.default_rng(seed)
    parts, place = [], 0
    matrices = any(len(shape) > 1 for _, shape in at.leaves)
    for _, shape in at.leaves:
        size = int(np.prod(shape))
        own = at.x[place : place + size].reshape(shape)
        place += size
        drawn = rng.standard_normal(shape)
        if len(shape) > 1:
            out = 0 if at.target.backend.name == "PyTorch" else len(shape) - 1
            axes = tuple(k for k in range(len(shape)) if k != out)
            lengths = np.linalg.norm(drawn, axis=axes, keepdims=True) if len(axes) < 3 else _length(drawn, axes)
            sizes = np.linalg.norm(own, axis=axes, keepdims=True) if len(axes) < 3 else _length(own, axes)
            drawn = drawn / lengths * sizes
        elif matrices:
            drawn = np.zeros(shape)
        parts.append(np.ravel(drawn))
    v = np.concatenate(parts)
    if not matrices or not np.any(v):
        v = rng.standard_normal(at.n)
        v = v / np.linalg.norm(v) * (np.linalg.norm(at.x) or 1.0)
    return np.asarray(v)


def _length(array: np.ndarray, axes: tuple[int, ...]) -> np.ndarray:
    return np.asarray(np.sqrt(np.sum(array**2, axis=axes, keepdims=True)))


def reach_of(at: LossAt, v: Vector, curvature: float, slope: float, loss: float) -> float:
    """How far to look: to where the quadratic model doubles the loss, not beyond the size of the parameters."""
    size = float(np.linalg.norm(v))
    most = max(float(np.linalg.norm(at.x)), 1e-3) / size
    rise = max(abs(loss), 1e-12)
    far = np.sqrt(2 * rise / abs(curvature)) if abs(curvature) * most**2 > 1e-12 * rise else most
    if slope:
        far = max(far, min(2 * abs(slope / curvature) if curvature > 0 else most, most))
    return float(min(max(far, 1e-6 * most), most))


def cut(at: LossAt, asked: Any, *, reach: float | None, points: int, seed: int) -> Slice:
    """What `LossLandscape.slice` gives."""
    _refuse_grid(points, reach)
    v, name = direction_of(at, asked, seed)
    loss, slope = at.value(), float(at.gradient() @ v)
    curvature = float(v @ at.product(v))
    far = reach_of(at, v, curvature, slope, loss) if reach is None else reach
    t = np.linspace(-far, far, points)
    losses = np.array([at.value(at.x + d * v) for d in t])
    return Slice(t, losses, loss + slope * t + 0.5 * curvature * t**2, v, name, slope, curvature)


def plane(
    at: LossAt, first: Any, second: Any, *, reach: float | None, points: int, path: Sequence[Any], seed: int
) -> Plane:
    """What `LossLandscape.plane` gives."""
    _refuse_grid(points, reach)
    one, name = direction_of(at, first, seed)
    two, other = direction_of(at, second, seed + 1)
    if np.linalg.norm(two - one * (one @ two) / (one @ one)) < 0.05 * np.linalg.norm(two):
        raise ShapeError("two different directions", got=f"{name} twice", remedy="choose another", where="plane")
    V = np.column_stack([one, two])
    loss, g = at.value(), at.gradient()
    steps = [at.labelled(p, "argument path") - at.x for p in path]
    shadow = np.array([np.linalg.lstsq(V, s, rcond=None)[0] for s in steps]).reshape(-1, 2)
    off = np.array([np.linalg.norm(s - V @ c) for s, c in zip(steps, shadow, strict=True)])
    sides = []
    for k, v in enumerate((one, two)):
        far = reach_of(at, v, float(v @ at.product(v)), float(g @ v), loss) if reach is None else reach
        if len(shadow) and reach is None:
            far = max(far, 1.1 * float(np.abs(shadow[:, k]).max()))
        sides.append(np.linspace(-far, far, points))
    losses = np.array([[at.value(at.x + V @ (a, b)) for a in sides[0]] for b in sides[1]])
    return Plane(sides[0], sides[1], losses, V, (name, other), shadow, off)


def _refuse_grid(points: int, reach: float | None) -> None:
    if points < 3 or (reach is not None and not reach > 0):
        raise ShapeError(
            "three or more points and a positive reach", got=f"{points} points, reach {reach}", remedy="41 points serve"
        )

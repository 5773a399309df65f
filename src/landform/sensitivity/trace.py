"""The outputs along a direction through one row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from landform.errors import ShapeError
from landform.findings import Curve, Finding, Picture
from landform.sensitivity.doubt import Doubt
from landform.sensitivity.fields import Direction
from landform.sensitivity.subject import Subject

if TYPE_CHECKING:
    import pandas as pd

Array = np.ndarray
_AXIS_REACH = 2.0


@dataclass(frozen=True, eq=False)
class Trace(Finding):
    """Outputs along a direction.

    Parameters
    ----------
    input, direction : str
        What is raised and how.
    row : int
        The row it goes through.
    levels : array, shape (points,)
        Of the input; for an axis its steps in standard deviations of the data.
    points : array, shape (points, d)
        Where the outputs were taken.
    values : array, shape (points, m)
        The outputs.
    lower, upper : array or None
        Their intervals.
    outputs : tuple of str
        Names.
    here : float
        The row's own level.
    """

    input: str
    direction: str
    row: int
    levels: Float[Array, " points"]
    points: Float[Array, "points d"]
    values: Float[Array, "points m"]
    lower: Float[Array, "points m"] | None
    upper: Float[Array, "points m"] | None
    outputs: tuple[str, ...]
    here: float

    def to_frame(self) -> pd.DataFrame:
        """One row per output and point."""
        import pandas as pd

        blank = np.full(self.values.shape, np.nan)
        low, high = (blank if part is None else part for part in (self.lower, self.upper))
        return pd.DataFrame(
            {
                "output": np.repeat(self.outputs, len(self.levels)),
                self.input: np.tile(self.levels, len(self.outputs)),
                "value": self.values.T.ravel(),
                "lower": low.T.ravel(),
                "upper": high.T.ravel(),
            }
        )

    def pictures(self) -> Sequence[Picture]:
        """A curve per output, with its band."""
        found = []
        for k, output in enumerate(self.outputs):
            none: list[float | None] = [None] * len(self.levels)
            low, high = (none if part is None else part[:, k].tolist() for part in (self.lower, self.upper))
            mark = (self.here, float(np.interp(self.here, self.levels, self.values[:, k])))
            title = f"{output} through row {self.row} ({self.direction})"
            across = self.input if self.direction != "axis" else f"{self.input}, in sd of the data"
            found.append(
                Curve(self.levels.tolist(), self.values[:, k].tolist(), low, high, [mark], title, across, output)
            )
        return found


def central_row(X: Float[Array, "rows d"]) -> int:
    """The row nearest to the medians of all columns.

    Examples
    --------
    >>> central_row(np.array([[0.0, 1.0], [1.0, 1.1], [5.0, 2.0]]))
    1
    """
    spread = np.std(X, axis=0)
    scaled = (X - np.median(X, axis=0)) / np.where(spread > 0, spread, 1.0)
    return int(np.argmin(np.sum(scaled**2, axis=1)))


def trace_along(
    subject: Subject, direction: Direction, doubt: Doubt | None, quantile: float, *, row: int | None, points: int
) -> Trace:
    """The outputs along a direction through a row, over the range that its input has in the data."""
    row = central_row(subject.X) if row is None else row
    if not -len(subject.X) <= row < len(subject.X):
        raise ShapeError(f"a row from 0 to {len(subject.X) - 1}", got=str(row), remedy="choose one", where="row")
    row %= len(subject.X)
    x = subject.X[row]
    vector = direction.field(x[None])[0]
    if direction.kind == "axis":
        levels, here = np.linspace(-_AXIS_REACH, _AXIS_REACH, points), 0.0
        steps = levels
    else:
        i = subject.inputs.index(direction.input)
        here = float(x[i])
        levels = np.linspace(*_range(subject.X, x, vector, i, direction), points)
        vector = vector / vector[i]
        steps = levels - here
    path = x + steps[:, None] * vector
    values = subject.slopes.values(path)
    half = None if doubt is None else quantile * doubt.values(path)
    low, high = (None, None) if half is None else (values - half, values + half)
    return Trace(direction.input, direction.kind, row, levels, path, values, low, high, subject.outputs, here)


def _range(
    X: Float[Array, "rows d"], x: Float[Array, " d"], vector: Float[Array, " d"], i: int, direction: Direction
) -> tuple[float, float]:
    """The input's range over the rows; along a mixture no further than the other ingredients last."""
    low, high = float(X[:, i].min()), float(X[:, i].max())
    if direction.kind == "Cox":
        givers = vector < 0
        most = float(np.min(x[givers] / -vector[givers], initial=np.inf))
        high = min(high, float(x[i]) + most)
    return low, high

"""Whether one place of a loss is flatter than another, by measures that rescaled layers do not change.

A ReLU network whose one layer is doubled and whose next is halved is the same function, with other curvatures. What
moves relative to the weights do is not changed by that; a verdict takes all such measures to agree.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy.stats import t as student

from landform.curvature.at_point import LossAt, Vector
from landform.curvature.cuts import filter_normalized
from landform.errors import ShapeError
from landform.findings import Bars, Estimate, Finding, Picture, minus

if TYPE_CHECKING:
    import pandas as pd

Place = Literal["first", "second", "cannot tell"]


@dataclass(frozen=True)
class Measure:
    """One measure of sharpness at both places.

    Parameters
    ----------
    name : str
    fair : bool
        Whether rescaled layers leave it as it is.
    first, second : Estimate
        With intervals.
    difference : Estimate
        First less second.
    """

    name: str
    fair: bool
    first: Estimate
    second: Estimate
    difference: Estimate

    @property
    def flatter(self) -> Place:
        """Which place is flatter by this measure, or that it cannot be told."""
        if not self.difference.sure:
            return "cannot tell"
        return "first" if self.difference.value < 0 else "second"


@dataclass(frozen=True, eq=False)
class Comparison(Finding):
    """Which of two places is flatter.

    Parameters
    ----------
    flatter : {"first", "second", "cannot tell"}
        What all fair measures say; "cannot tell" where one of them leaves it open, or they disagree.
    measures : tuple of Measure
        Rises of the loss for moves of the relative length ``reach``, and the trace of the Hessian, which is not fair.
    losses : tuple of float
        At both places.
    reach : float
        Length of the moves, relative to what is moved.
    level : float
        Of the intervals.
    """

    flatter: Place
    measures: tuple[Measure, ...]
    losses: tuple[float, float]
    reach: float
    level: float

    def sentences(self) -> list[str]:
        """The verdict, and the measures behind it."""
        said = {m.name: m.flatter for m in self.measures if m.fair}
        if self.flatter != "cannot tell":
            words = [f"The {self.flatter} is flatter, by all {len(said)} fair measures ({self.level:.0%} each)."]
        else:
            open_ones = ", ".join(f"{name}: {word}" for name, word in said.items())
            words = [f"Which is flatter cannot be told ({open_ones})."]
        one = self.measures[0]
        words.append(minus(f"Random moves of {self.reach:.0%} raise the loss by {one.first} and {one.second}."))
        plain = next(m for m in self.measures if not m.fair)
        if plain.flatter not in ("cannot tell", self.flatter):
            words.append(
                f"The traces alone would have named the {plain.flatter}; they change when layers are rescaled."
            )
        return words

    @property
    def words(self) -> str:
        """`sentences` as one text."""
        return " ".join(self.sentences())

    def to_frame(self) -> pd.DataFrame:
        """A row for every measure."""
        import pandas as pd

        rows = []
        for m in self.measures:
            row = {"measure": m.name, "fair": m.fair, "flatter": m.flatter}
            for name in ("first", "second", "difference"):
                one: Estimate = getattr(m, name)
                row |= {name: one.value, f"{name}_lower": one.lower, f"{name}_upper": one.upper}
            rows.append(row)
        return pd.DataFrame(rows)

    def pictures(self) -> list[Picture]:
        """Rises at both places, by every fair measure."""
        labels, estimates = [], []
        for m in self.measures:
            if m.fair:
                labels += [f"{m.name}, first", f"{m.name}, second"]
                estimates += [m.first, m.second]
        values = [one.value for one in estimates]
        sides = [one.lower for one in estimates], [one.upper for one in estimates]
        return [Bars(labels, values, *sides, title=f"Rise of the loss, moves of {self.reach:.0%}", axis="rise")]


def compare(first: LossAt, second: LossAt, *, reach: float, probes: int, level: float, seed: int) -> Comparison:
    """What `LossLandscape.compare` gives."""
    if not 0 < reach < np.inf or probes < 3 or not 0 < level < 1:
        raise ShapeError(
            "a positive reach, three or more probes, a level between 0 and 1",
            got=f"{reach}, {probes}, {level}",
            remedy="0.05, 40 and 0.95 serve",
        )
    both = first, second
    measures = []
    for name, fair, sample in _MEASURES:
        draws = [np.array([sample(at, reach, seed + k) for k in range(probes)]) for at in both]
        measures.append(_measured(name, fair, draws, level))
    said = {m.flatter for m in measures if m.fair}
    flatter: Place = said.pop() if len(said) == 1 else "cannot tell"
    return Comparison(flatter, tuple(measures), (first.value(), second.value()), reach, level)


def _measured(name: str, fair: bool, draws: list[np.ndarray], level: float) -> Measure:
    """Means with intervals, and their difference by Welch's test."""
    counts = np.array([len(one) for one in draws])
    means, variances = np.array([one.mean() for one in draws]), np.array([one.var(ddof=1) for one in draws]) / counts
    total = float(variances.sum())
    freedom = total**2 / (variances**2 / (counts - 1)).sum() if total > 0 else counts.sum() - 2.0

    def estimate(value: float, variance: float, free: float) -> Estimate:
        error = float(np.sqrt(variance))
        wide = float(student.ppf((1 + level) / 2, free)) * error
        return Estimate(float(value), error, float(value) - wide, float(value) + wide, how="sampled")

    own = [estimate(m, v, c - 1) for m, v, c in zip(means, variances, counts, strict=True)]
    return Measure(name, fair, own[0], own[1], estimate(means[0] - means[1], total, float(freedom)))


def _by_filters(at: LossAt, reach: float, seed: int) -> float:
    v = reach * filter_normalized(at, seed)
    return float(v @ at.product(v)) / 2


def _by_parameters(at: LossAt, reach: float, seed: int) -> float:
    v = reach * np.abs(at.x) * np.random.default_rng(seed).standard_normal(at.n)
    return float(v @ at.product(v)) / 2


def _measured_rise(at: LossAt, reach: float, seed: int) -> float:
    v: Vector = reach * filter_normalized(at, seed)
    return (at.value(at.x + v) + at.value(at.x - v)) / 2 - at.value()


def _plain(at: LossAt, _: float, seed: int) -> float:
    v = np.random.default_rng(seed).choice([-1.0, 1.0], at.n)
    return float(v @ at.product(v))


_MEASURES: tuple[tuple[str, bool, Callable[[LossAt, float, int], float]], ...] = (
    ("filters moved, curvature", True, _by_filters),
    ("parameters moved, curvature", True, _by_parameters),
    ("filters moved, measured", True, _measured_rise),
    ("trace", False, _plain),
)

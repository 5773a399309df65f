"""One change of the inputs and what it does to one output, over all the rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from landform.findings import Estimate
from landform.sensitivity.fields import Contrast, Direction, Kind

Array = np.ndarray


@dataclass(frozen=True)
class Effect:
    """What a change of the inputs does to one output, averaged over the rows.

    Parameters
    ----------
    output, input : str
        What moves, and what moves it.
    direction : {"alone", "log", "Cox", "together", "axis", "contrast"}
        How the inputs change.
    words : str
        What changes with it; for a contrast, which level stands in place of which.
    mean : Estimate
        Mean slope over the rows, in units of the output per unit of the input; for a contrast the mean difference.
    standardized : Estimate or None
        The same in standard deviations of the output per standard deviation of the input; None for an output
        that does not vary.
    elasticity : Estimate or None
        Per cent of the output per per cent of the input at their means; None where either changes its sign.
    median, spread, low, high : float
        Of the slopes over the rows: median, standard deviation, 5 % and 95 % quantiles.
    same_sign : float
        Share of the rows with the more common sign; 1 where it is the same everywhere.
    sure : float or None
        Share of the rows whose own interval excludes zero; None without intervals.
    """

    output: str
    input: str
    direction: Kind
    words: str
    mean: Estimate
    standardized: Estimate | None
    elasticity: Estimate | None
    median: float
    spread: float
    low: float
    high: float
    same_sign: float
    sure: float | None

    def to_dict(self) -> dict[str, Any]:
        """As it stands in ``results.json``."""
        parts = {"mean": self.mean, "standardized": self.standardized, "elasticity": self.elasticity}
        return {
            "output": self.output,
            "input": self.input,
            "direction": self.direction,
            "words": self.words,
            **{name: None if part is None else part.to_dict() for name, part in parts.items()},
            "median": self.median,
            "spread": self.spread,
            "low": self.low,
            "high": self.high,
            "same_sign": self.same_sign,
            "sure": self.mean.sure,
            "sure_rows": self.sure,
        }


@dataclass(frozen=True, eq=False)
class Averages:
    """What all effects of one output are made of: its values, and for every change the slopes and their errors."""

    output: str
    values: Float[Array, " rows"]
    quantile: float
    how: str

    def of(
        self,
        change: Direction | Contrast,
        slopes: Float[Array, " rows"],
        errors: Float[Array, " rows"] | None,
        error: float | None,
    ) -> Effect:
        """The effect of a direction, or of one level in place of another."""
        if isinstance(change, Contrast):
            name, words = f"{change.input}: {change.level}", f"{change.level} in place of {change.reference}"
            return self._effect(name, "contrast", words, slopes, errors, error, 1.0, None)
        elasticity = None
        if change.level is not None and _one_sign(change.level) and _one_sign(self.values):
            elasticity = float(np.mean(change.level) / np.mean(self.values))
        return self._effect(change.input, change.kind, change.words, slopes, errors, error, change.spread, elasticity)

    def _effect(
        self,
        name: str,
        kind: Kind,
        words: str,
        slopes: Float[Array, " rows"],
        errors: Float[Array, " rows"] | None,
        error: float | None,
        spread: float,
        elasticity: float | None,
    ) -> Effect:
        mean, size = float(np.mean(slopes)), float(np.std(self.values))
        up, down = float(np.mean(slopes > 0)), float(np.mean(slopes < 0))
        low, median, high = (float(q) for q in np.quantile(slopes, (0.05, 0.5, 0.95)))
        sure = None if errors is None else float(np.mean(np.abs(slopes) > self.quantile * errors))
        return Effect(
            output=self.output,
            input=name,
            direction=kind,
            words=words,
            mean=self._estimate(mean, error, 1.0),
            standardized=self._estimate(mean, error, spread / size) if size > 0 else None,
            elasticity=None if elasticity is None else self._estimate(mean, error, elasticity),
            median=median,
            spread=float(np.std(slopes)),
            low=low,
            high=high,
            same_sign=max(up, down) if up + down > 0 else 1.0,
            sure=sure,
        )

    def _estimate(self, value: float, error: float | None, factor: float) -> Estimate:
        if error is None:
            return Estimate(value * factor, how=self.how)
        half = self.quantile * error
        low, high = sorted(((value - half) * factor, (value + half) * factor))
        return Estimate(value * factor, error * abs(factor), low, high, how=self.how)


def _one_sign(values: Float[Array, " rows"]) -> bool:
    return bool(np.all(values > 0) or np.all(values < 0))

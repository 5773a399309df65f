"""One change of the inputs and what it does to one output, over all the rows."""

from __future__ import annotations

from collections.abc import Sequence
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
    """What all effects of one output are made of: its values, and how far and by what right intervals reach."""

    output: str
    values: Float[Array, " rows"]
    quantile: float
    how: str

    def of(
        self,
        changes: Sequence[Direction | Contrast],
        slopes: Float[Array, "rows changes"],
        errors: Float[Array, "rows changes"] | None,
        averages: Float[Array, " changes"] | None,
    ) -> list[Effect]:
        """The effects of directions, and of one level in place of another."""
        up, down = np.mean(slopes > 0, axis=0), np.mean(slopes < 0, axis=0)
        low, median, high = np.quantile(slopes, (0.05, 0.5, 0.95), axis=0)
        over = {
            "median": median,
            "spread": np.std(slopes, axis=0),
            "low": low,
            "high": high,
            "same_sign": np.where(up + down > 0, np.maximum(up, down), 1.0),
        }
        rowwise = [dict(zip(over, column, strict=True)) for column in np.stack(list(over.values()), axis=1).tolist()]
        means, none = np.mean(slopes, axis=0).tolist(), [None] * len(changes)
        sure = none if errors is None else np.mean(np.abs(slopes) > self.quantile * errors, axis=0).tolist()
        known = none if averages is None else averages.tolist()
        size, kept = float(np.std(self.values)), _kept_sign(self.values)
        return [self._of(*one, size, kept) for one in zip(changes, means, known, sure, rowwise, strict=True)]

    def _of(
        self,
        change: Direction | Contrast,
        mean: float,
        error: float | None,
        sure: float | None,
        rowwise: dict[str, float],
        size: float,
        kept: float | None,
    ) -> Effect:
        spread, elasticity = 1.0, None
        if isinstance(change, Contrast):
            kind: Kind = "contrast"
            name, words = f"{change.input}: {change.level}", f"{change.level} in place of {change.reference}"
        else:
            kind, name, words, spread = change.kind, change.input, change.words, change.spread
            level = None if change.level is None or kept is None else _kept_sign(change.level)
            elasticity = None if level is None or kept is None else level / kept
        return Effect(
            output=self.output,
            input=name,
            direction=kind,
            words=words,
            mean=self._estimate(mean, error, 1.0),
            standardized=self._estimate(mean, error, spread / size) if size > 0 else None,
            elasticity=None if elasticity is None else self._estimate(mean, error, elasticity),
            sure=sure,
            **rowwise,
        )

    def _estimate(self, value: float, error: float | None, factor: float) -> Estimate:
        if error is None:
            return Estimate(value * factor, how=self.how)
        half = self.quantile * error
        low, high = sorted(((value - half) * factor, (value + half) * factor))
        return Estimate(value * factor, error * abs(factor), low, high, how=self.how)


def _kept_sign(values: Float[Array, " rows"]) -> float | None:
    """Their mean, where none differs from the others in sign or is zero."""
    return float(np.mean(values)) if values.min() > 0 or values.max() < 0 else None

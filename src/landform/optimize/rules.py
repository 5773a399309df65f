"""The rules by which one goes down: from what is seen at a point to the next step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

Array = np.ndarray
Rule = Callable[["Look"], Float[Array, " n"]]


@dataclass(frozen=True, eq=False)
class Look:
    """What is seen at a point: value, slope, curvature and the slopes of the residuals; None for what is not formed.

    ``bend`` gives the curvature along a direction, ``v'Hv``.
    """

    x: Float[Array, " n"]
    value: float
    gradient: Float[Array, " n"]
    hessian: Float[Array, "n n"] | None
    residual_slopes: Float[Array, "m n"] | None
    bend: Callable[[Float[Array, " n"]], float]

    @property
    def finite(self) -> bool:
        """Whether value and slope are numbers."""
        return bool(np.isfinite(self.value) and np.isfinite(self.gradient).all())


def rule_of(method: str, rate: float | None, metric: Callable[[Float[Array, " n"]], Any]) -> Rule:
    """The rule of that name; one with a memory begins anew."""
    match method:
        case "gradient":
            return lambda here: -_length(here, rate) * here.gradient
        case "momentum":
            return _momentum(rate)
        case "adam":
            return _adam(0.1 if rate is None else rate)
        case "newton":
            return lambda here: -_or_one(rate) * _solve(_formed(here), here.gradient)
        case "gauss-newton":
            return lambda here: -_or_one(rate) * _solve(_normal(here), here.gradient)
        case _:
            return lambda here: -_or_one(rate) * _solve(np.asarray(metric(here.x), dtype=np.float64), here.gradient)


def _or_one(rate: float | None) -> float:
    return 1.0 if rate is None else rate


def _length(here: Look, rate: float | None) -> float:
    """The rate; where none is given, the length that is best by the local model, or 1 where that bends down."""
    if rate is not None:
        return rate
    bent = here.bend(here.gradient)
    return float(here.gradient @ here.gradient) / bent if bent > 0 else 1.0


def _momentum(rate: float | None) -> Rule:
    last: list[Array] = []

    def rule(here: Look) -> Array:
        # A tenth of the best length: the memory carries a step on about ten times.
        step = -(0.1 if rate is None else 1.0) * _length(here, rate) * here.gradient
        move = step + 0.9 * last[-1] if last else step
        last[:] = [move]
        return np.asarray(move)

    return rule


def _adam(rate: float) -> Rule:
    seen: dict[str, Any] = {"mean": 0.0, "square": 0.0, "count": 0}

    def rule(here: Look) -> Array:
        seen["count"] += 1
        seen["mean"] = 0.9 * seen["mean"] + 0.1 * here.gradient
        seen["square"] = 0.999 * seen["square"] + 0.001 * here.gradient**2
        mean = seen["mean"] / (1 - 0.9 ** seen["count"])
        square = seen["square"] / (1 - 0.999 ** seen["count"])
        return np.asarray(-rate * mean / (np.sqrt(square) + 1e-8))

    return rule


def _formed(here: Look) -> Float[Array, "n n"]:
    assert here.hessian is not None
    return here.hessian


def _normal(here: Look) -> Float[Array, "n n"]:
    assert here.residual_slopes is not None
    return here.residual_slopes.T @ here.residual_slopes


def _solve(matrix: Float[Array, "n n"], gradient: Float[Array, " n"]) -> Float[Array, " n"]:
    """The shortest solution, where the matrix leaves some freedom."""
    return np.asarray(np.linalg.lstsq(matrix, gradient, rcond=1e-14)[0])

"""Values along lines through the point: stage by stage, all lines of a stage in one batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from jaxtyping import Float

from landform.derivatives.numeric.evaluate import Evaluator, Failure
from landform.derivatives.numeric.steps import FIRST, LAST, LAST_FROM, NEXT, Room, first_radius, first_steps, next_steps
from landform.derivatives.numeric.taylor import Coefficient, taylor_coefficient
from landform.derivatives.numeric.uneven import weigh_uneven_noise
from landform.errors import DerivativeError

LEAST = 2
ADAPTED = 1.12
"""Steps chosen by looking at the values make bars a little short: by so much on the functions used for tuning."""


@dataclass
class Line:
    """A line ``x + t direction`` with the values found on it.

    Parameters
    ----------
    name : str
        The input or inputs it moves.
    direction : array, shape (n,)
        Its step of length one.
    room : Room
        How far it may be followed.
    """

    name: str
    direction: Float[np.ndarray, " n"]
    room: Room
    t: list[float] = field(default_factory=list)
    y: list[np.ndarray] = field(default_factory=list)
    first_failure: Failure | None = None

    def place(self, t: float) -> str:
        """What is moved, and how far, in words."""
        return f"{self.name} moved by {t * self.direction[np.argmax(np.abs(self.direction))]:.3g}"

    def table(self) -> tuple[np.ndarray, np.ndarray]:
        """Steps and values, as arrays."""
        return np.array(self.t), np.stack(self.y)

    def coefficient(self, order: int, noise: np.ndarray | None, *, final: bool = False) -> Coefficient:
        """A Taylor coefficient from the values so far; the final one also asks whether noise grows with the value.

        Raises
        ------
        DerivativeError
            If too few evaluations succeeded; the first failure is named.
        """
        if len(self.t) < order + 2:
            raise DerivativeError(
                f"{order + 1} evaluations that succeed along {self.name}",
                got=f"{len(self.t) - 1}; first failure {self.first_failure}",
                remedy="state the domain with bounds=, or move the point away from its edge",
            )
        found = taylor_coefficient(*self.table(), order, noise=noise)
        if final and noise is None:
            found = weigh_uneven_noise(*self.table(), order, found)
        return replace(found, error=ADAPTED * found.error)


def make_room(
    x: Float[np.ndarray, " n"], direction: Float[np.ndarray, " n"], low: np.ndarray, high: np.ndarray
) -> Room:
    """How far the line through x may be followed inside the bounds."""
    moved = direction != 0
    d, x, low, high = direction[moved], x[moved], low[moved], high[moved]
    ends = np.stack([(low - x) / d, (high - x) / d])
    stated = np.isfinite(low) | np.isfinite(high)
    zeros = (-x / d)[(x != 0) & ~stated]
    zero = float(zeros[np.argmin(np.abs(zeros))]) if len(zeros) else np.inf
    return Room(float(ends.min(axis=0).max()), float(ends.max(axis=0).min()), zero)


def follow(
    lines: Sequence[Line],
    evaluator: Evaluator,
    x: Float[np.ndarray, " n"],
    value: Float[np.ndarray, " m"],
    *,
    order: int,
    each: int,
    bounds: tuple[np.ndarray, np.ndarray],
    noise: np.ndarray | None = None,
    most: float = np.inf,
    radius: float | None = None,
) -> None:
    """Evaluate along every line, ``each`` times, where it tells most about a Taylor coefficient.

    Parameters
    ----------
    lines : sequence of Line
        They gain steps and values.
    evaluator : Evaluator
        What is called; no more than ``most`` times in all.
    x, value : array
        The point and the value there.
    order : int
        The coefficient that matters.
    each : int
        Evaluations per line; they come as a table of 6, then in pairs, the last four together.
    bounds : pair of arrays
        The domain.
    noise : array, optional
        Where it is known.
    radius : float, optional
        Of the first table, where something is known about the lines.
    """
    relative = None if noise is None else float(np.max(noise / np.maximum(np.abs(value), np.finfo(float).tiny)))
    for line in lines:
        line.t, line.y = [0.0], [value]
    first = min(each, FIRST)
    radius = first_radius(first, relative) if radius is None else radius
    steps = [first_steps(first, line.room, radius) for line in lines]
    _evaluate(lines, steps, evaluator, x, bounds, most)
    done = first
    while each - done >= LEAST:
        count = min(NEXT if done < LAST_FROM else LAST, (each - done) // 2 * 2)
        steps = []
        for line in lines:
            found = line.coefficient(order, noise)
            steps.append(next_steps(np.array(line.t), order, found.weights, count, line.room))
        _evaluate(lines, steps, evaluator, x, bounds, most)
        done += count


def _evaluate(
    lines: Sequence[Line],
    steps: Sequence[np.ndarray],
    evaluator: Evaluator,
    x: np.ndarray,
    bounds: tuple[np.ndarray, np.ndarray],
    most: float,
) -> None:
    """One batch; what fails is tried once more, on the other side or nearer, as far as the budget goes."""

    def affordable(wanted: list[tuple[Line, float]]) -> list[tuple[Line, float]]:
        return wanted[: int(min(most - evaluator.count, len(wanted)))]

    wanted = [(line, float(t)) for line, along in zip(lines, steps, strict=True) for t in along]
    failed = _take(affordable(wanted), evaluator, x, bounds)
    _take(affordable([(line, _elsewhere(line, t)) for line, t in failed]), evaluator, x, bounds)


def _elsewhere(line: Line, t: float) -> float:
    """Where to try again: on the other side, or nearer where that is taken or outside."""
    free = (other for other in (-t, -0.85 * t) if all(abs(other - s) > 0.01 * abs(t) for s in line.t))
    inside = (other for other in free if line.room.low <= other <= line.room.high)
    return next(inside, 0.55 * t)


def _take(
    wanted: Sequence[tuple[Line, float]], evaluator: Evaluator, x: np.ndarray, bounds: tuple[np.ndarray, np.ndarray]
) -> list[tuple[Line, float]]:
    """Evaluate, keep what succeeded in its line, and give back what did not."""
    points, places = [], []
    for line, t in wanted:
        points.append(np.clip(x + t * line.direction, *bounds))
        places.append(line.place(t))
    failed = []
    for (line, t), point, result in zip(wanted, points, evaluator.many(points, places), strict=True):
        if isinstance(result, Failure):
            line.first_failure = line.first_failure or result
            failed.append((line, t))
            continue
        longest = np.argmax(np.abs(line.direction))
        line.t.append(float((point[longest] - x[longest]) / line.direction[longest]))
        line.y.append(result)
    return failed

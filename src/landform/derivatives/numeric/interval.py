"""Differences at one step, found by a test of the interval: the least that a slope with an error bar costs."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Bool, Float

from landform.derivatives.numeric.black_box import BlackBox
from landform.derivatives.numeric.evaluate import Failure
from landform.derivatives.numeric.lines import Line
from landform.errors import DerivativeError

LOW, HIGH = 1.5, 6.0
_WIDEST = 10.0


@dataclass(frozen=True)
class Scheme:
    """A finite difference and the wider one it is compared with.

    Parameters
    ----------
    shifts : tuple of float
        Where values are taken, in steps; ``(near, far)`` for one side, with 0 as the other end.
    ratio : float
        How much wider the other difference is.
    order : int
        Power of the step in its truncation.
    """

    shifts: tuple[float, ...]
    ratio: float
    order: int

    def slopes(
        self, y: Float[np.ndarray, "shifts m"], value: Float[np.ndarray, " m"], h: float
    ) -> tuple[Float[np.ndarray, " m"], Float[np.ndarray, " m"]]:
        """The near difference and the far one, per step."""
        if self.order == 2:
            return (y[0] - y[1]) / (2 * h), (y[2] - y[3]) / (2 * self.ratio * h)
        return (y[0] - value) / h, (y[1] - value) / (self.ratio * h)

    def spread(self, noise: Float[np.ndarray, " m"], h: float) -> Float[np.ndarray, " m"]:
        """Standard deviation of the near difference."""
        return noise / (h * np.sqrt(2.0)) if self.order == 2 else noise * np.sqrt(2.0) / h


CENTRAL = Scheme((1.0, -1.0, 3.0, -3.0), 3.0, 2)
FORWARD = Scheme((1.0, 4.0), 4.0, 1)
BACKWARD = Scheme((-1.0, -4.0), 4.0, 1)


@dataclass
class Search:
    """The bisection for one line: where it stands, and the best difference of every output so far."""

    line: Line
    scheme: Scheme
    step: float
    widest: float
    low: Float[np.ndarray, " m"]
    high: Float[np.ndarray, " m"]
    accepted: Bool[np.ndarray, " m"]
    value: Float[np.ndarray, " m"]
    error: Float[np.ndarray, " m"]
    known: dict[float, Float[np.ndarray, " m"]] = field(default_factory=dict)
    used: int = 0
    over: bool = False
    first_failure: Failure | None = None

    def missing(self) -> list[float]:
        """Steps whose values the present interval still lacks."""
        wanted = [shift * self.step for shift in self.scheme.shifts]
        return [t for t in wanted if self._near(t) is None]

    def _near(self, t: float) -> Float[np.ndarray, " m"] | None:
        return next((y for s, y in self.known.items() if abs(s - t) <= 1e-9 * abs(t)), None)

    def test(self, at_point: Float[np.ndarray, " m"], noise: Float[np.ndarray, " m"]) -> None:
        """Judge the present interval for every output and choose the next."""
        values = [self._near(shift * self.step) for shift in self.scheme.shifts]
        if any(y is None for y in values):
            self.high = np.minimum(self.high, self.step)
        else:
            self._judge(np.array(values), at_point, noise)
        self._advance()

    def _judge(self, y: np.ndarray, at_point: np.ndarray, noise: np.ndarray) -> None:
        near, far = self.scheme.slopes(y, at_point, self.step)
        # Both differences over one denominator have weights 1, 4 and 3 or 1, 3, 3 and 1: eight in all.
        denominator = self.step * self.scheme.ratio * (2 if self.scheme.order == 2 else 1)
        ratio = np.abs(far - near) * denominator / (8 * noise)
        truncation = np.abs(far - near) / (self.scheme.ratio**self.scheme.order - 1)
        error = np.hypot(truncation, self.scheme.spread(noise, self.step))
        good = (ratio >= LOW) & (ratio <= HIGH)
        take = ~self.accepted & (good | (error < self.error))
        self.value, self.error = np.where(take, near, self.value), np.where(take, error, self.error)
        self.accepted = self.accepted | good
        self.low = np.where(ratio < LOW, np.maximum(self.low, self.step), self.low)
        self.high = np.where(ratio > HIGH, np.minimum(self.high, self.step), self.high)

    def _advance(self) -> None:
        if self.accepted.all():
            self.over = True
            return
        i = int(np.argmin(self.accepted))
        low, high = float(self.low[i]), float(self.high[i])
        if low == 0:
            following = self.step / self.scheme.ratio
        else:
            following = min(low * self.scheme.ratio, self.widest) if high == np.inf else 0.5 * (low + high)
        self.over = abs(following - self.step) <= 1e-3 * self.step
        self.step = following


def interval_slopes(
    box: BlackBox, lines: list[Line], noise: Float[np.ndarray, " m"], *, each: int, most: float
) -> list[Search]:
    """The slope along every line by one difference whose step passes the interval test.

    The difference is compared with a wider one. Their distance, in units of the noise it would have if only noise
    separated them, is between 1.5 and 6 where truncation and noise balance; bisection finds such a step. Central
    differences are used, one-sided ones where the domain ends within three steps.

    Parameters
    ----------
    box : BlackBox
        The function.
    lines : list of Line
        What is followed.
    noise : array, shape (m,)
        Of the outputs.
    each : int
        The most evaluations per line.
    most : float
        The most evaluations in all.

    References
    ----------
    Shi, Xie, Xuan and Nocedal (2022), "Adaptive finite-difference interval estimation for noisy derivative-free
    optimization", SIAM J. Sci. Comput. 44, algorithm 2.1 and section 3.
    """
    relative = float(np.max(noise / np.maximum(np.abs(box.value), np.finfo(float).tiny)))
    searches = [_start(box, line, min(relative, 0.1)) for line in lines]
    while True:
        wanted: list[tuple[Search, float]] = []
        for search in searches:
            steps = search.missing()
            if search.over or search.used + len(steps) > each or box.evaluator.count + len(wanted) + len(steps) > most:
                search.over = True
                continue
            wanted += [(search, t) for t in steps]
        if not wanted:
            break
        _evaluate(box, wanted)
        for search in searches:
            if not search.over:
                search.test(box.value, noise)
    for search in searches:
        if not np.isfinite(search.error).all():
            raise DerivativeError(
                f"evaluations that succeed along {search.line.name}",
                got=f"none of {search.used} intervals complete; first failure {search.first_failure}",
                remedy="raise budget=, or state the domain with bounds=",
            )
    return searches


def _start(box: BlackBox, line: Line, relative: float) -> Search:
    central, one_sided = relative ** (1 / 3), relative**0.5
    sides = -line.room.low, line.room.high
    if min(sides) >= 3 * central:
        scheme, step, widest = CENTRAL, central, min(min(sides) / 3, _WIDEST)
    else:
        scheme = FORWARD if sides[1] >= sides[0] else BACKWARD
        widest = min(max(sides) / 4, _WIDEST)
        step = min(one_sided, widest)
    m = box.value.size
    wide = np.full(m, np.inf)
    return Search(
        line, scheme, step, widest, np.zeros(m), wide.copy(), np.zeros(m, dtype=bool), np.zeros(m), wide.copy()
    )


def _evaluate(box: BlackBox, wanted: list[tuple[Search, float]]) -> None:
    points = [np.clip(box.x + t * search.line.direction, *box.bounds) for search, t in wanted]
    places = [search.line.place(t) for search, t in wanted]
    for (search, t), result in zip(wanted, box.evaluator.many(points, places), strict=True):
        search.used += 1
        if isinstance(result, Failure):
            search.first_failure = search.first_failure or result
        else:
            search.known[t] = result

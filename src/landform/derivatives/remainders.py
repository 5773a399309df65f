"""Taylor remainders along rays from the point, and the power of the step with which they fall."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from landform.derivatives.claim import Claim
from landform.derivatives.numeric.evaluate import Failure
from landform.derivatives.numeric.lines import make_room

STEPS = 16
_WINDOW = 4
_NEAR = 0.1
"""What is seen in steps longer than this share of the longest tells about the surroundings, not about the point."""
_NOTHING = float("nan")


@dataclass(frozen=True)
class Rays:
    """What was seen along one direction v, ahead and behind.

    Parameters
    ----------
    direction : array, shape (n,)
        v.
    steps : array, shape (steps,)
        Falling.
    moves : array, shape (2, steps, m)
        ``f(x ± t v) − f(x)``; NaN where the function has no value or the domain has ended.
    slope : array, shape (m,)
        The claimed J v.
    curve : array or None, shape (m,)
        The claimed v' H v.
    first_failure : Failure or None
        The first evaluation that gave nothing.
    inside : array of bool, shape (2,)
        Whether the domain goes on on that side.
    eps : float
        Rounding of the point.
    """

    direction: Float[np.ndarray, " n"]
    steps: Float[np.ndarray, " steps"]
    moves: Float[np.ndarray, "2 steps m"]
    slope: Float[np.ndarray, " m"]
    curve: Float[np.ndarray, " m"] | None
    first_failure: Failure | None
    inside: tuple[bool, bool]
    eps: float

    @property
    def rounding(self) -> Float[np.ndarray, "steps m"]:
        """What the rounding of ``x ± t v`` itself may move the outputs."""
        slopes = np.abs(self.moves) / self.steps[:, None]
        return 50 * self.eps * np.nan_to_num(slopes).max(axis=0)

    @property
    def _signed(self) -> Float[np.ndarray, "2 steps 1"]:
        return np.stack([self.steps, -self.steps])[..., None]

    @property
    def _left_over(self) -> Float[np.ndarray, "2 steps m"]:
        return self.moves - self._signed * np.where(np.isfinite(self.slope), self.slope, np.nan)

    @property
    def without_slope(self) -> Float[np.ndarray, "2 steps m"]:
        """Remainders once ``± t J v`` is taken off."""
        return np.abs(self._left_over)

    @property
    def without_curve(self) -> Float[np.ndarray, "2 steps m"] | None:
        """Remainders once ``½ t² v' H v`` is taken off too."""
        if self.curve is None:
            return None
        curve = np.where(np.isfinite(self.curve), self.curve, np.nan)
        return np.abs(self._left_over - 0.5 * self._signed**2 * curve)

    @property
    def even(self) -> Float[np.ndarray, "1 steps m"]:
        """``f(x + t v) + f(x − t v) − 2 f(x)``: of order 2 unless the function has a kink or a jump."""
        return np.abs(self.moves.sum(axis=0, keepdims=True))

    @property
    def odd(self) -> Float[np.ndarray, "1 steps m"]:
        """``f(x + t v) − f(x − t v) − 2 t J v``: of order 3 unless the slope has a kink."""
        ahead, behind = self._left_over
        return np.abs(ahead - behind)[None]

    def measured(self, noise: Float[np.ndarray, " m"]) -> tuple[Float[np.ndarray, " m"], Float[np.ndarray, " m"]]:
        """The slope by the central difference that agrees best with its neighbors, and its error; NaN without any."""
        central = (self.moves[0] - self.moves[1]) / (2 * self.steps[:, None])
        apart = np.abs(np.diff(central, axis=0))
        error = np.maximum(apart[:-1], apart[1:]) + noise / (np.sqrt(2) * self.steps[1:-1, None])
        best = np.argmin(np.where(np.isnan(error), np.inf, error), axis=0)
        column = np.arange(len(noise))
        return central[best + 1, column], error[best, column]


def look_along(claim: Claim, direction: Float[np.ndarray, " n"], least: float) -> Rays:
    """Evaluate ahead and behind, from a whole step down to ``least`` of it, in one batch."""
    box = claim.box
    room = make_room(box.x, direction, *box.bounds)
    sides = np.minimum([room.high, -room.low], 1.0)
    inside = (bool(sides[0] > 1e-6), bool(sides[1] > 1e-6))
    reach = min((float(side) for side, here in zip(sides, inside, strict=True) if here), default=1.0)
    steps = reach * np.geomspace(1.0, least, STEPS)
    wanted = [(side, j) for side in (0, 1) if inside[side] for j in range(STEPS)]
    signs = (1.0, -1.0)
    points = [np.clip(box.x + signs[side] * steps[j] * direction, *box.bounds) for side, j in wanted]
    places = [f"a random direction followed by {signs[side] * steps[j]:.3g}" for side, j in wanted]
    moves = np.full((2, STEPS, box.value.size), np.nan)
    failure = None
    for place, result in zip(wanted, box.evaluator.many(points, places), strict=True):
        if isinstance(result, Failure):
            failure = failure or result
        else:
            moves[place] = result - box.value
    curve = None if claim.curve is None else claim.curve(direction)
    return Rays(direction, steps, moves, claim.slope(direction), curve, failure, inside, claim.eps)


@dataclass(frozen=True)
class Fall:
    """With which power of the step something falls.

    Parameters
    ----------
    order : float
        NaN where it vanishes in the noise, as it does where nothing remains.
    low, high : float
        The steps between which that was fitted.
    """

    order: float = _NOTHING
    low: float = _NOTHING
    high: float = _NOTHING


def fitted_fall(
    steps: Float[np.ndarray, " k"], remainders: Float[np.ndarray, " k"], floor: float | Float[np.ndarray, " k"]
) -> Fall:
    """Slope of log remainder against log step over the last four steps above the noise floor.

    Examples
    --------
    >>> t = 0.5 ** np.arange(20)
    >>> fall = fitted_fall(t, 3 * t**2 + 1e-16, 1e-12)
    >>> round(fall.order, 3), fall.low < fall.high < 1e-4
    (2.0, True)
    """
    above = np.isfinite(remainders) & (remainders > floor)
    if not above.any():
        return Fall()
    floor = np.broadcast_to(floor, remainders.shape)
    last = int(np.flatnonzero(above)[-1])
    first = last
    while first > 0 and above[first - 1] and last - first < _WINDOW - 1:
        first -= 1
    if last - first < 2:
        return Fall()
    window = slice(first, last + 1)
    order = float(np.polyfit(np.log(steps[window]), np.log(remainders[window]), 1)[0])
    if last + 1 < len(steps):
        foretold = remainders[last] * (steps[last + 1] / steps[last]) ** max(order, 0.0)
        # Off a cliff: what was seen further off, behind a kink or a jump, says nothing about the point.
        if foretold > 100 * floor[last + 1]:
            return Fall()
    return Fall(order, float(steps[last]), float(steps[first]))


def typical_falls(
    rays: list[Rays], remainders: list[Float[np.ndarray, "sides steps m"]], floors: Float[np.ndarray, " m"]
) -> list[Fall]:
    """For every output the median fall over all rays on which there was one near the point."""
    found = []
    grounds = [np.maximum(ray.rounding, floors) for ray in rays]
    for i in range(len(floors)):
        falls = [
            fall
            for ray, part, ground in zip(rays, remainders, grounds, strict=True)
            for side in part
            if (fall := fitted_fall(ray.steps, side[:, i], ground[:, i])).low <= _NEAR * ray.steps[0]
        ]
        falls.sort(key=lambda fall: fall.order)
        found.append(falls[(len(falls) - 1) // 2] if falls else Fall())
    return found

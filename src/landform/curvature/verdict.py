"""Where a loss stands: minimum, saddle, maximum, flat, not stationary; with the certificate and the way out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from jaxtyping import Float

from landform.curvature.at_point import DENSE, LossAt, Vector
from landform.curvature.degenerate import probe
from landform.findings import Finding, minus
from landform.linalg import ExtremePairs, extreme_pairs

if TYPE_CHECKING:
    import pandas as pd

Place = Literal["minimum", "saddle", "maximum", "flat", "not stationary", "cannot tell"]
_CHANCE = 0.999
Made = Callable[..., "Verdict"]
"""Makes a verdict of a place, a reason and what else there is to say."""


@dataclass(frozen=True, eq=False)
class Verdict(Finding):
    """What kind of point a loss is at.

    Parameters
    ----------
    place : {"minimum", "saddle", "maximum", "flat", "not stationary", "cannot tell"}
        The answer. A minimum may have directions along which nothing changes: see ``level``.
    confidence : float
        1 where it is certain up to rounding; else how surely nothing was overlooked.
    why : str
        The certificate in words.
    loss, slope : float
        The loss and the length of its gradient.
    slope_allowed : float
        What still counts as no slope.
    lowest, highest : float
        Ends of the spectrum, as far as they were met.
    lowest_possible, highest_possible : float
        Beyond which, with a chance of 99.9 %, there is nothing.
    negligible : float
        Curvature below this cannot be told from rounding (and from what is left of the gradient).
    level : int or None
        Directions without curvature; None where the whole spectrum was not seen.
    certificate : array, shape (n,), or None
        A unit vector: along it the loss bends as claimed (down for a saddle or a maximum, least for a minimum).
    step : array, shape (n,), or None
        What to add to the parameters to get lower.
    gain : float or None
        By how much the loss was then lower: measured, not predicted.
    products : int
        Hessian products that it took.
    """

    place: Place
    confidence: float
    why: str
    loss: float
    slope: float
    slope_allowed: float
    lowest: float
    highest: float
    lowest_possible: float
    highest_possible: float
    negligible: float
    level: int | None
    certificate: Vector | None
    step: Vector | None
    gain: float | None
    products: int

    def sentences(self) -> list[str]:
        """The answer first, then why, then the way out."""
        names = {"not stationary": "This is no stationary point", "cannot tell": "What this is cannot be told"}
        sure = "" if self.confidence >= 1 else f" (confidence {100 * self.confidence:.3g} %)"
        words = [
            f"{names.get(self.place, f'This is a {self.place}' if self.place != 'flat' else 'This is flat')}{sure}."
        ]
        words.append(minus(self.why))
        if self.step is not None and self.gain is not None:
            length = float(np.linalg.norm(self.step))
            words.append(f"A step of length {length:.2g} lowers the loss by {self.gain:.3g}, measured.")
        return words

    @property
    def words(self) -> str:
        """`sentences` as one text."""
        return " ".join(self.sentences())

    def to_frame(self) -> pd.DataFrame:
        """One row: the answer and its numbers."""
        import pandas as pd

        left_out = ("certificate", "step")
        return pd.DataFrame([{k: v for k, v in self.__dict__.items() if k not in left_out}])


@dataclass(frozen=True, eq=False)
class _Ends:
    """What is known of the spectrum: all of it, or its ends."""

    values: Float[np.ndarray, " k"]
    vectors: Float[np.ndarray, "n k"]
    missed: float
    whole: bool


def verdict(
    at: LossAt, *, slope: float | None = None, resolution: float = 0.0, most: int | None = None, seed: int = 0
) -> Verdict:
    """The verdict on a loss at its point; arguments as for `LossLandscape.verdict`."""
    before = at.products
    g, loss = at.gradient(), at.value()
    ends = _ends(at, g, resolution, most, seed)
    radius = float(np.abs(ends.values).max())
    length, reach = float(np.linalg.norm(g)), max(1.0, float(np.linalg.norm(at.x)))
    allowed = _slope_allowed(at, radius * reach, loss) if slope is None else slope
    negligible = max(_negligible(at, g, radius), resolution * radius)
    lowest, highest = float(ends.values[-1]), float(ends.values[0])

    def found(place: Place, why: str, **more: Any) -> Verdict:
        fields: dict[str, Any] = {
            "confidence": 1.0,
            "level": int(np.sum(np.abs(ends.values) <= negligible)) if ends.whole else None,
            "certificate": ends.vectors[:, -1],
            "step": None,
            "gain": None,
        }
        fields.update(more)
        possible = (lowest - ends.missed, highest + ends.missed)
        return Verdict(
            place, fields.pop("confidence"), why, loss, length, allowed, lowest, highest, *possible, negligible,
            products=at.products - before, **fields,
        )  # fmt: skip

    if length > allowed:
        return _sloping(at, g, loss, radius, allowed, found)
    down, up = lowest < -negligible, highest > negligible
    if down:
        step, gain = _way_out(at, ends.vectors[:, -1], g, loss)
        bends = f"along one direction the loss bends down with curvature {lowest:.3g}"
        if up:
            return found(
                "saddle", f"There is no slope; {bends}, along another up with {highest:.3g}.", step=step, gain=gain
            )
        if highest + ends.missed < -negligible:
            sure = 1.0 if ends.whole else _CHANCE
            why = f"There is no slope, and every direction bends down, by {-highest:.3g} or more."
            return found("maximum", why, step=step, gain=gain, confidence=sure)
    elif lowest - ends.missed > negligible:
        why = f"There is no slope, and every direction bends up, by {max(lowest - ends.missed, 0):.3g} or more."
        return found("minimum", why, confidence=1.0 if ends.whole else _CHANCE)
    if not ends.whole:
        return _unseen(ends, radius, negligible, resolution, found)
    return _degenerate(at, ends, negligible, found)


def _slope_allowed(at: LossAt, size: float, loss: float) -> float:
    part = 1e-6 if at.rounding < 1e-12 else np.sqrt(at.rounding)
    return float(max(part * size, 8 * at.rounding * abs(loss) * (size == 0)))


def _negligible(at: LossAt, g: Vector, radius: float) -> float:
    """Rounding, and what a gradient not quite zero does to curvatures that vanish by symmetry (H T x = −T' g)."""
    reach = max(1.0, float(np.linalg.norm(at.x)))
    return float(8 * np.sqrt(at.n) * at.rounding * radius + 2 * np.linalg.norm(g) / reach)


def _ends(at: LossAt, g: Vector, resolution: float, most: int | None, seed: int) -> _Ends:
    if at.n <= DENSE:
        values, vectors = np.linalg.eigh(at.dense())
        return _Ends(values[::-1], vectors[:, ::-1], 0.0, True)

    def enough(found: ExtremePairs) -> bool:
        negligible = max(_negligible(at, g, found.radius), resolution * found.radius)
        lowest, highest = found.eigenvalues[-1], found.eigenvalues[0]
        mixed = lowest < -negligible and highest > negligible
        sure = lowest - found.missed > negligible or highest + found.missed < -negligible
        return bool(mixed or sure or found.missed < max(negligible, 1e-12 * found.radius) / 4)

    found = extreme_pairs(
        at.product, at.n, count=1, end="both", tolerance=1e-14, most=most or min(at.n, 1000), basis=at.n,
        copies=False, stop=enough, seed=seed,
    )  # fmt: skip
    return _Ends(found.eigenvalues, found.vectors, found.missed, False)


def _sloping(at: LossAt, g: Vector, loss: float, radius: float, allowed: float, found: Made) -> Verdict:
    length = float(np.linalg.norm(g))
    curve = float(g @ at.product(g)) / length**2
    step, gain = _best(at, -g / length, loss, length / max(abs(curve), 1e-3 * radius, 1e-12 * length))
    why = f"The loss slopes by {length:.3g}, where {allowed:.2g} would count as none."
    certificate = -g / length
    return found("not stationary", why, certificate=certificate, step=step, gain=gain)


def _unseen(ends: _Ends, radius: float, negligible: float, resolution: float, found: Made) -> Verdict:
    """The ends of a large spectrum whose inner one could not be told from zero."""
    limit = (ends.missed + negligible) / max(radius, np.finfo(float).tiny)
    lowest, highest = ends.values[-1], ends.values[0]
    if highest > negligible:
        why = f"There is no slope, and no direction bends down by more than {limit:.2g} of the stiffest"
    elif lowest < -negligible:
        why = f"There is no slope, and no direction bends up by more than {limit:.2g} of the stiffest"
    else:
        why = f"There is no slope, and no curvature above {limit:.2g} of the largest met"
    if resolution and ends.missed <= resolution * radius:
        place = "minimum" if highest > negligible else "maximum" if lowest < -negligible else "flat"
        why += f"; less than {resolution:.2g} was to count as nothing."
        return found(place, why, confidence=_CHANCE)
    why += "; whether some bend by less is not seen: allow more products, or say with resolution= what counts as none."
    return found("cannot tell", why, confidence=_CHANCE)


def _degenerate(at: LossAt, ends: _Ends, negligible: float, found: Made) -> Verdict:
    """Where second derivatives are silent, the loss itself is followed."""
    level = np.abs(ends.values) <= negligible
    bent = ends.values[~level]
    seen = probe(at, ends.vectors[:, level], ends.vectors[:, ~level], bent)
    probed = seen.down + seen.up + seen.level
    loss, step, gain = at.value(), None, None
    if np.any(bent < 0):
        step, gain = _way_out(at, ends.vectors[:, -1], at.gradient(), loss)
    elif seen.step is not None:
        step, gain = seen.step, loss - at.value(at.x + seen.step)
    certificate = ends.vectors[:, -1] if step is None else step / np.linalg.norm(step)
    silent = f"{int(level.sum())} of {at.n} directions have no curvature; followed {probed} ways,"
    more = {"step": step, "gain": gain, "certificate": certificate}
    rises, falls = bool(np.any(bent > 0)), bool(np.any(bent < 0))
    if (seen.down and (rises or seen.up)) or (falls and seen.up):
        why = f"There is no slope; {silent} the loss goes down {seen.down} times and up {seen.up} times"
        why += "; all others bend up." if rises else "; all others bend down." if falls else "."
        return found("saddle", why, **more)
    surely = {**more, "confidence": 0.95}
    if seen.down or falls:
        why = f"There is no slope; {silent} the loss goes down {seen.down} times and never up."
        return found("maximum", why, **surely)
    if seen.up or rises:
        why = f"There is no slope; {silent} the loss goes up {seen.up} times, never down"
        why += f", and stays level {seen.level} times." if seen.level else "."
        return found("minimum", why, **surely)
    return found("flat", f"There is no slope and no curvature; {silent} nothing changes.", **surely)


def _way_out(at: LossAt, v: Vector, g: Vector, loss: float) -> tuple[Vector | None, float | None]:
    """The best of steps along ±v, by the loss itself."""
    reach = max(1.0, float(np.linalg.norm(at.x)))
    both = [_best(at, sign * v, loss, reach) for sign in ((1, -1) if g @ v <= 0 else (-1, 1))]
    return max(both, key=lambda one: one[1] or 0.0)


def _best(at: LossAt, v: Vector, loss: float, reach: float) -> tuple[Vector | None, float | None]:
    """The step along v that lowers the loss most, among halvings and then between them."""
    length, gain = 0.0, 0.0
    tried = reach * 2.0 ** -np.arange(-1, 16)
    for _ in range(2):
        gains = np.array([loss - at.value(at.x + t * v) for t in tried])
        gains[~np.isfinite(gains)] = -np.inf
        k = int(np.argmax(gains))
        if gains[k] > gain:
            length, gain = float(tried[k]), float(gains[k])
        tried = length * np.linspace(0.6, 1.8, 13)
    return (length * v, gain) if gain > 0 else (None, None)

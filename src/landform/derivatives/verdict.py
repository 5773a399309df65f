"""What a Taylor test shows, in words: the first thing that is wrong, or nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from landform.derivatives.claim import Claim
from landform.derivatives.numeric.evaluate import Failure
from landform.derivatives.remainders import Fall, Rays, typical_falls

_SURE = 5.0
"""A measured slope further off than this many of its error bars is another slope."""


@dataclass(frozen=True)
class Evidence:
    """All that was seen.

    Parameters
    ----------
    claim : Claim
        What is verified.
    rays : list of Rays
        Values along random directions.
    floors : array, shape (m,)
        Remainders below these are noise, in the outputs' units.
    noise : array, shape (m,)
        Its standard deviation.
    noisy : array of bool, shape (m,)
        Whether that is more than rounding.
    unrest : array, shape (m,)
        How far apart values at the very same point were.
    first, second : list of Fall
        For every output, how the remainders fall without slope, and without curve too.
    dot_product_gap, symmetry_gap : float
        Relative; NaN where a product is not to be had.
    """

    claim: Claim
    rays: list[Rays]
    floors: Float[np.ndarray, " m"]
    noise: Float[np.ndarray, " m"]
    noisy: Bool[np.ndarray, " m"]
    unrest: Float[np.ndarray, " m"]
    first: list[Fall]
    second: list[Fall]
    dot_product_gap: float
    symmetry_gap: float

    def falls(self, part: str) -> list[Fall]:
        """How even or odd parts fall, for every output."""
        return typical_falls(self.rays, [getattr(ray, part) for ray in self.rays], self.floors)

    def of(self, i: int | np.intp) -> str:
        """The output's name, where there are several."""
        return f" in output {self.claim.box.outputs[i]!r}" if len(self.floors) > 1 else ""


Test = Callable[[Evidence], Iterator[tuple[int, str]]]
"""It yields what is wrong: the output (-1: no single one), and words."""


@dataclass(frozen=True)
class Fault:
    """What is wrong: with which test it was seen, in which output, and words."""

    test: Test
    output: int
    words: str

    def shows_in(self, seen: Evidence) -> bool:
        """Whether other evidence shows the same."""
        return any(output == self.output for output, _ in self.test(seen))

    @property
    def has_a_place(self) -> bool:
        """Whether it can come from single inputs."""
        return self.output >= 0 and self.test in (_kinks, _zero_by_accident, _standing_still, _slopes, _curves)


def verdict(seen: Evidence) -> Fault | None:
    """What is wrong, the most telling first; None where nothing is."""
    tests = (_restless, _without_value, _not_finite, _kinks, _zero_by_accident, _standing_still, _slopes, _products)
    return next((Fault(test, i, words) for test in (*tests, _curves) for i, words in test(seen)), None)


def _restless(seen: Evidence) -> Iterator[tuple[int, str]]:
    # A black box may be noisy, but its values must not wander further than its noise.
    allowed = np.zeros(len(seen.noise)) if seen.claim.again else 8 * seen.noise
    for i in np.flatnonzero(seen.unrest > np.maximum(allowed, 100 * seen.claim.eps * np.abs(seen.claim.box.value))):
        beyond = "" if seen.claim.again else f", while its noise is {seen.noise[i]:.1e}"
        yield (
            int(i),
            f"a function that gives another value when called again at the same point: "
            f"{seen.unrest[i]:.1e} apart{seen.of(i)}{beyond}; it depends on hidden state",
        )


def _without_value(seen: Evidence) -> Iterator[tuple[int, str]]:
    for ray in seen.rays:
        for side, inside in zip(ray.moves, ray.inside, strict=True):
            if inside and np.isnan(side[-3:]).all(axis=0).any():
                yield -1, f"a function that has no value right beside the point: {_reason(ray.first_failure)}"


def _reason(failure: Failure | None) -> str:
    return failure.reason if failure else "unknown"


def _not_finite(seen: Evidence) -> Iterator[tuple[int, str]]:
    for ray in seen.rays:
        for what, vector in (("Jacobian", ray.slope), ("Hessian", ray.curve)):
            if vector is None:
                continue
            for i in np.flatnonzero(~np.isfinite(vector)):
                yield (
                    int(i),
                    f"a {what} that is not finite: output {seen.claim.box.outputs[i]!r} changes by {vector[i]}",
                )


def _kinks(seen: Evidence) -> Iterator[tuple[int, str]]:
    for i, fall in enumerate(seen.falls("even")):
        if fall.order < 0.5:
            yield int(i), f"a function that jumps at the point{seen.of(i)}: it has no derivative there"
        elif fall.order < 1.5:
            yield int(i), f"a function with a kink at the point{seen.of(i)}: its slopes ahead and behind differ"


def _zero_by_accident(seen: Evidence) -> Iterator[tuple[int, str]]:
    slopes = np.array([ray.slope for ray in seen.rays])
    curves = np.array([0.0 * ray.slope if ray.curve is None else ray.curve for ray in seen.rays])
    for i in np.flatnonzero((slopes == 0).all(axis=0) & (curves == 0).all(axis=0)):
        if seen.first[i].order < 1.7:
            yield (
                int(i),
                f"a derivative that is zero although the function moves{seen.of(i)}: something stops its gradient",
            )
        elif any(_on_a_stair(seen, ray, i) for ray in seen.rays):
            yield int(i), f"a derivative that is zero although the function moves{seen.of(i)}, in jumps: it rounds"


def _on_a_stair(seen: Evidence, ray: Rays, i: int | np.intp) -> bool:
    """Whether a function that has moved far stands still where it has come to."""
    box, side = seen.claim.box, int(not ray.inside[0])
    move, step = ray.moves[side, 0, i], (1.0 - 2.0 * side) * ray.steps[0]
    if not abs(move) > max(1e-5 * abs(box.value[i]), 1e3 * seen.floors[i]):
        return False
    point = box.x + step * (1 - 1e-9) * ray.direction
    (value,) = box.evaluator.many([point], ["a random direction followed by a little less"])
    return not isinstance(value, Failure) and value[i] == box.value[i] + move


def _standing_still(seen: Evidence) -> Iterator[tuple[int, str]]:
    for i in np.flatnonzero([fall.order < 1.7 for fall in seen.first]):
        for ray in seen.rays:
            foretold = np.abs(ray.steps * ray.slope[i]) > seen.floors[i]
            if foretold.sum() >= 3 and (ray.moves[:, foretold, i][:, -3:] == 0).all():
                yield int(i), f"a derivative of {ray.slope[i]:.3g} where the function stands still{seen.of(i)}"


def _slopes(seen: Evidence) -> Iterator[tuple[int, str]]:
    for i, fall in enumerate(seen.first):
        if fall.order < 1.7:
            yield (
                int(i),
                f"a Jacobian whose Taylor remainder falls like step^{fall.order:.2f} instead of step^2{seen.of(i)}",
            )
    for ray in seen.rays:
        value, error = ray.measured(seen.noise)
        for j in np.flatnonzero(seen.noisy & (np.abs(value - ray.slope) > _SURE * error)):
            yield (
                int(j),
                f"a Jacobian whose product with a random direction is {ray.slope[j]:.8g} "
                f"where {value[j]:.8g} ± {error[j]:.1g} is measured{seen.of(j)}",
            )


def _products(seen: Evidence) -> Iterator[tuple[int, str]]:
    if seen.dot_product_gap > np.sqrt(seen.claim.eps):
        yield -1, f"forward and reverse products that differ by {seen.dot_product_gap:.1e}"


def _curves(seen: Evidence) -> Iterator[tuple[int, str]]:
    for i, fall in enumerate(seen.falls("odd")):
        if fall.order < 2.5 and seen.first[i].order > 1.7:
            yield int(i), f"a function whose slope has a kink at the point{seen.of(i)}: it has no Hessian there"
    for i, fall in enumerate(seen.second):
        if fall.order < 2.5:
            yield (
                int(i),
                f"a Hessian whose Taylor remainder falls like step^{fall.order:.2f} instead of step^3{seen.of(i)}",
            )
    if seen.symmetry_gap > np.sqrt(seen.claim.eps):
        yield -1, f"a Hessian whose products are not symmetric, by {seen.symmetry_gap:.1e}"

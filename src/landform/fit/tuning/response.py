"""The outer loss as a function of hyperparameters alone: every point an inner solve, begun where the last one ended."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from landform.fit.tuning.answer import Answer, answer, outer_hessian, refuse_unconverged
from landform.fit.tuning.curved import Free, NoMinimumError, require_positive
from landform.fit.tuning.inner import solved
from landform.fit.tuning.level import Level

Array = np.ndarray
_KEPT = 8


@dataclass(frozen=True, eq=False)
class Met:
    """The outer loss at one point, the mean over the levels.

    Parameters
    ----------
    z : array, shape (p,)
    answers : tuple of Answer
        One per level.
    value, value_error : float
    gradient, error : array, shape (p,)
    """

    z: Float[Array, " p"]
    answers: tuple[Answer, ...]
    value: float
    value_error: float
    gradient: Float[Array, " p"]
    error: Float[Array, " p"]

    @property
    def steps(self) -> int:
        """Newton steps of the inner problems."""
        return sum(a.inner.steps for a in self.answers)


@dataclass(frozen=True)
class Visit:
    """One evaluation of the outer loss: where, what came out, and what it took; NaN where it was refused."""

    z: tuple[float, ...]
    value: float
    slope: float
    error: float
    steps: int
    refused: str


class Response:
    """Values, slopes and curves of the outer loss.

    Parameters
    ----------
    levels : sequence of Level
        Such as the folds of a cross-validation.
    starts : sequence of array, shape (n,)
        Where each inner problem begins.
    dense : bool
        Whether inner Hessians are formed.
    tolerance : float
        What an inner problem's rest may cost the slope, in parts of the terms it is a sum of.
    """

    def __init__(
        self, levels: Sequence[Level], starts: Sequence[Float[Array, " n"]], *, dense: bool, tolerance: float
    ) -> None:
        self.levels, self.starts = tuple(levels), tuple(starts)
        self._dense, self._tolerance = dense, tolerance
        self._met: dict[bytes, Met] = {}
        self._moves: dict[bytes, list[Array]] = {}
        self._curves: dict[bytes, Array] = {}
        self.visits: list[Visit] = []
        self.heard: Callable[[Visit], None] | None = None

    def _visited(self, visit: Visit) -> None:
        self.visits.append(visit)
        if self.heard is not None:
            self.heard(visit)

    @property
    def solves(self) -> int:
        """How many inner problems were solved."""
        return len(self.visits) * len(self.levels)

    def at(self, z: Float[Array, " p"]) -> Met:
        """The outer loss at z.

        Raises
        ------
        NoMinimumError
            Where an inner problem has no minimum that determines its parameters.
        """
        z = np.asarray(z, dtype=np.float64)
        key = z.tobytes()
        if key not in self._met:
            try:
                met = self._fresh(z)
            except NoMinimumError as error:
                self._visited(Visit(tuple(z.tolist()), np.nan, np.nan, np.nan, 0, str(error)))
                raise
            self._met = {**dict(list(self._met.items())[1 - _KEPT :]), key: met}
            slope, doubt = float(np.abs(met.gradient).max()), float(met.error.max())
            self._visited(Visit(tuple(z.tolist()), met.value, slope, doubt, met.steps, ""))
        return self._met[key]

    def _fresh(self, z: Array) -> Met:
        answers = tuple(self._answer(k, z) for k in range(len(self.levels)))
        share = 1.0 / len(answers)
        return Met(
            z,
            answers,
            share * sum(a.value for a in answers),
            share * sum(a.value_error for a in answers),
            np.asarray(share * sum(a.gradient for a in answers)),
            np.asarray(share * sum(a.error for a in answers)),
        )

    def _answer(self, k: int, z: Array) -> Answer:
        """One level's answer, its inner problem begun from where the nearest point's ended, else afresh."""
        begins = [begin for begin in (self._foreseen(k, z), self.starts[k]) if begin is not None]
        for last, begin in zip((len(begins) == 1, True), begins, strict=False):
            try:
                found = answer(self.levels[k], solved(self.levels[k], begin, z, dense=self._dense), z)
                refuse_unconverged(found, self._tolerance)
            except NoMinimumError as error:
                if last:
                    where = f" (level {k + 1} of {len(self.levels)})" if len(self.levels) > 1 else ""
                    raise NoMinimumError(f"{error}{where}") from None
            else:
                return found
        raise AssertionError

    def _foreseen(self, k: int, z: Array) -> Array | None:
        """Where the inner minimum should be, from the nearest point met and its move with z."""
        if not self._met:
            return None
        near = min(self._met.values(), key=lambda met: float(np.abs(met.z - z).max()))
        theta = near.answers[k].inner.theta
        moves = self._moves.get(near.z.tobytes())
        step = z - near.z
        return theta if moves is None or np.abs(step).max() > 1.0 else theta + moves[k] @ step

    def value(self, z: Float[Array, " p"]) -> Float[Array, " one"]:
        """The outer loss; infinite where an inner problem is refused."""
        try:
            return np.array([self.at(z).value])
        except NoMinimumError:
            return np.array([np.inf])

    def jacobian(self, z: Float[Array, " p"]) -> Float[Array, "one p"]:
        """Its slope; NaN where an inner problem is refused."""
        try:
            return self.at(z).gradient[None]
        except NoMinimumError:
            return np.full((1, len(z)), np.nan)

    def hessian(self, z: Float[Array, " p"], weights: Float[Array, " one"] | None = None) -> Float[Array, "p p"]:
        """Its exact Hessian; NaN where an inner problem is refused."""
        weight = 1.0 if weights is None else float(weights[0])
        key = np.asarray(z, dtype=np.float64).tobytes()
        if key not in self._curves:
            try:
                met = self.at(z)
                parts = [outer_hessian(level, a, met.z) for level, a in zip(self.levels, met.answers, strict=True)]
            except NoMinimumError:
                return np.full((len(z), len(z)), np.nan)
            self._curves = {
                **dict(list(self._curves.items())[1 - _KEPT :]),
                key: np.mean([c for c, _ in parts], axis=0),
            }
            self._moves = {**dict(list(self._moves.items())[1 - _KEPT :]), key: [m for _, m in parts]}
        return weight * self._curves[key]

    def afresh(self) -> Response:
        """The same, with nothing remembered but where this one's inner problems ended last."""
        last = list(self._met.values())[-1:] if self._met else []
        starts = [a.inner.theta for a in last[0].answers] if last else self.starts
        return Response(self.levels, starts, dense=self._dense, tolerance=self._tolerance)

    def require_minima(self, met: Met) -> None:
        """Where Hessians were met by products alone, look for curvature that no solve has met.

        Raises
        ------
        NoMinimumError
            If an inner Hessian is not positive definite.
        """
        for found in met.answers:
            if isinstance(found.inner.curved, Free):
                require_positive(found.inner.curved, len(found.inner.theta))

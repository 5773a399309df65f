"""What moves each property: along Cox directions and factors, and by exchanging one ingredient for another."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from jaxtyping import Float

from landform.findings import Bars, Estimate, Finding, Picture
from landform.formulation.responses import Response, Responses
from landform.sensitivity import Ground, Move, Slope, cox_move, exchange_move, factor_move, slopes_along

if TYPE_CHECKING:
    import pandas as pd

Array = np.ndarray
Place = Literal["recipe", "region"]
_PLACES: tuple[Place, Place] = ("recipe", "region")
_REGION = 127
"""Averages over the trials take so many of them at most: their covariances pair every two."""


@dataclass(frozen=True)
class Effect:
    """The change of one property for one step of one input.

    Parameters
    ----------
    name, input : str
        What moves, and what moves it.
    direction : {"Cox", "factor"}
        Cox: the other ingredients give way in proportion; factor: nothing else changes.
    at : {"recipe", "region"}
        At one recipe, or averaged over the trials.
    step, step_words : float, str
        The change of the input.
    estimate : Estimate
        The change of the property.
    over_range : float
        The slope times the range of the input over the trials, to rank inputs by.
    gives_way, held : dict, tuple
        Which ingredients make room and how much of it each; which cannot.
    up, down : bool
        Whether a step forward, or back, stays inside the bounds.
    """

    name: str
    input: str
    direction: Literal["Cox", "factor"]
    at: Place
    step: float
    step_words: str
    estimate: Estimate
    over_range: float
    gives_way: dict[str, float]
    held: tuple[str, ...]
    up: bool
    down: bool

    @property
    def words(self) -> str:
        """The effect as a sentence."""
        return f"{self.step_words} {self.input}: {self.name} {signed(self.estimate)}"

    def to_dict(self) -> dict[str, Any]:
        """As it stands in ``results.json``."""
        return {
            "property": self.name,
            "input": self.input,
            "direction": self.direction,
            "at": self.at,
            "step": self.step,
            "step_words": self.step_words,
            "estimate": self.estimate.to_dict(),
            "over_range": self.over_range,
            "gives_way": self.gives_way,
            "held": list(self.held),
            "possible": {"up": self.up, "down": self.down},
            "sure": self.estimate.sure,
            "words": self.words,
        }


@dataclass(frozen=True)
class Swap:
    """The change of one property when one step of an ingredient takes the place of another."""

    name: str
    into: str
    out_of: str
    at: Place
    step: float
    step_words: str
    estimate: Estimate
    why_not: str | None

    @property
    def words(self) -> str:
        """The swap as a sentence."""
        return f"{self.step_words} {self.into} in place of {self.out_of}: {self.name} {signed(self.estimate)}"

    def to_dict(self) -> dict[str, Any]:
        """As it stands in ``results.json``."""
        return {
            "property": self.name,
            "in": self.into,
            "out": self.out_of,
            "at": self.at,
            "step": self.step,
            "estimate": self.estimate.to_dict(),
            "possible": self.why_not is None,
            "why_not": self.why_not,
            "sure": self.estimate.sure,
            "words": self.words,
        }


@dataclass(frozen=True)
class Effects(Finding):
    """All effects and swaps.

    Parameters
    ----------
    effects : tuple of Effect
        Per property, input and place.
    swaps : tuple of Swap
        Per property, ordered pair of ingredients and place.
    """

    effects: tuple[Effect, ...]
    swaps: tuple[Swap, ...]

    def to_frame(self) -> pd.DataFrame:
        """One row per effect."""
        import pandas as pd

        rows = [
            {
                "property": e.name,
                "input": e.input,
                "direction": e.direction,
                "at": e.at,
                "step": e.step_words,
                **e.estimate.to_dict(),
            }
            for e in self.effects
        ]
        return pd.DataFrame(rows)

    def swaps_to_frame(self) -> pd.DataFrame:
        """One row per swap."""
        import pandas as pd

        rows = [
            {
                "property": s.name,
                "in": s.into,
                "out": s.out_of,
                "at": s.at,
                "possible": s.why_not is None,
                **s.estimate.to_dict(),
            }
            for s in self.swaps
        ]
        return pd.DataFrame(rows)

    def pictures(self) -> Sequence[Picture]:
        """Bars per property, at the recipe."""
        return [
            Bars(
                labels=[f"{e.step_words} {e.input}" for e in rows],
                values=[e.estimate.value for e in rows],
                lower=[e.estimate.lower for e in rows],
                upper=[e.estimate.upper for e in rows],
                title=name,
                axis=rows[0].estimate.unit,
            )
            for name in dict.fromkeys(e.name for e in self.effects)
            if (rows := [e for e in self.effects if e.name == name and e.at == "recipe"])
        ]


def signed(estimate: Estimate) -> str:
    """A change with its sign and doubt."""
    text = str(estimate)
    return text if text.startswith("−") else f"+{text}"


@dataclass(frozen=True, eq=False)
class _Basis:
    """A few functionals that every slope is a combination of, so that few covariances serve hundreds of swaps.

    The columns of V are: the d partial derivatives at the recipe, their averages over the trials, and the averages
    along each ingredient's Cox direction, which differs from trial to trial. Row 0 of X is the recipe.
    """

    X: Float[Array, "rows d"]
    V: Float[Array, "rows d k"]

    def weights(self, place: Place, vector: Float[Array, " d"]) -> Float[Array, " k"]:
        """One slope along a fixed direction, as a combination of the columns."""
        found = np.zeros(self.V.shape[2])
        start = 0 if place == "recipe" else len(vector)
        found[start : start + len(vector)] = vector
        return found

    def cox_weights(self, i: int) -> Float[Array, " k"]:
        """The average along ingredient i's Cox direction."""
        found = np.zeros(self.V.shape[2])
        found[2 * self.X.shape[1] + i] = 1.0
        return found


@dataclass(frozen=True, eq=False)
class _Row:
    """One slope wanted: of which input (or pair), where, and as which combination."""

    place: Place
    i: int
    j: int | None
    move: Move
    weights: Float[Array, " k"]


def find_effects(
    responses: Responses,
    x: Float[Array, " d"],
    trials: Float[Array, "n d"],
    ground: Ground,
    step_words: Sequence[str],
    *,
    ranges: Float[Array, " d"],
    seed: int = 0,
) -> Effects:
    """Slopes of every property along every direction that exists, at one recipe and averaged over the trials.

    Parameters
    ----------
    responses : Responses
        The properties.
    x : array, shape (d,)
        The recipe.
    trials : array, shape (n, d)
        The region's points; 127 of them are drawn where there are more.
    ground : Ground
        Bounds and steps.
    step_words : sequence of str
        Each input's step in words.
    ranges : array, shape (d,)
        Width of each input over the trials.
    seed : int
        Of the draw.
    """
    told = _told_by(trials, ground)
    if len(trials) > _REGION:
        trials = trials[np.random.default_rng(seed).choice(len(trials), _REGION, replace=False)]
    basis = _make_basis(x, trials, ground)
    rows = [*_effect_rows(x, basis, ground), *_swap_rows(x, basis, ground)]
    W = np.column_stack([row.weights for row in rows])
    J = responses.derivatives.jacobians(basis.X)
    effects: list[Effect] = []
    swaps: list[Swap] = []
    for k, part in enumerate(responses.parts):
        for row, slope in zip(rows, _slopes(part, J[:, k], basis, W), strict=True):
            estimate = _estimate(part, slope, float(ground.steps[row.i]), row.place, told=told(row.move.vector))
            if row.j is None:
                effects.append(_effect(part.name, row, estimate, slope, ground, step_words[row.i], ranges[row.i]))
            else:
                swaps.append(_swap(part.name, row, estimate, x, ground, step_words[row.i]))
    return Effects(tuple(effects), tuple(swaps))


def _told_by(trials: Float[Array, "n d"], ground: Ground) -> Callable[[Float[Array, " d"]], bool]:
    """Whether the trials varied along a direction at all; what was never varied cannot be known."""
    scaled = (trials - trials.mean(axis=0)) / ground.steps
    _, sizes, rows = np.linalg.svd(scaled, full_matrices=False)
    span = rows[sizes > 1e-6 * max(float(sizes[0]), 1e-300)]

    def told(vector: Float[Array, " d"]) -> bool:
        v = vector / ground.steps
        return bool(np.linalg.norm(v - span.T @ (span @ v)) <= 1e-6 * max(float(np.linalg.norm(v)), 1e-300))

    return told


def _make_basis(x: Float[Array, " d"], trials: Float[Array, "n d"], ground: Ground) -> _Basis:
    d, q, n = len(x), ground.ingredients, len(trials)
    V = np.zeros((1 + n, d, 2 * d + q))
    V[0, :, :d] = np.eye(d)
    V[1:, :, d : 2 * d] = np.eye(d) / n
    for i in range(q):
        V[1:, :, 2 * d + i] = [cox_move(t, i, ground, held=False).vector / n for t in trials]
    return _Basis(np.vstack([x, trials]), V)


def _effect_rows(x: Float[Array, " d"], basis: _Basis, ground: Ground) -> list[_Row]:
    rows: list[_Row] = []
    for i in range(len(x)):
        if i >= ground.ingredients:
            move = factor_move(x, i, ground)
            rows += [_Row(place, i, None, move, basis.weights(place, move.vector)) for place in _PLACES]
            continue
        here, over = cox_move(x, i, ground), cox_move(x, i, ground, held=False)
        if here.gives_way:
            rows.append(_Row("recipe", i, None, here, basis.weights("recipe", here.vector)))
        if over.gives_way:
            rows.append(_Row("region", i, None, over, basis.cox_weights(i)))
    return rows


def _swap_rows(x: Float[Array, " d"], basis: _Basis, ground: Ground) -> list[_Row]:
    pairs = permutations(range(ground.ingredients), 2)
    moves = [(i, j, exchange_move(x, i, j, ground)) for i, j in pairs]
    return [_Row(place, i, j, m, basis.weights(place, m.vector)) for i, j, m in moves for place in _PLACES]


def _slopes(part: Response, J: Float[Array, "rows d"], basis: _Basis, W: Float[Array, "k slopes"]) -> tuple[Slope, ...]:
    if part.surrogate is None:
        return slopes_along(J, basis.X, basis.V, None, W)
    # Where logarithms were fitted, a slope is the property times the slope of its logarithm.
    size = part.mean(basis.X)[:, None, None] if part.log else 1.0
    posterior = part.surrogate.posterior
    return slopes_along(J, basis.X, basis.V, lambda X, V: posterior.slopes(X, V * size), W)


def _effect(
    name: str, row: _Row, estimate: Estimate, slope: Slope, ground: Ground, step_words: str, span: float
) -> Effect:
    return Effect(
        name=name,
        input=ground.names[row.i],
        direction="Cox" if row.i < ground.ingredients else "factor",
        at=row.place,
        step=float(ground.steps[row.i]),
        step_words=step_words,
        estimate=estimate,
        over_range=slope.value * float(span),
        gives_way=row.move.gives_way if row.place == "recipe" else {},
        held=row.move.held if row.place == "recipe" else (),
        up=row.move.up,
        down=row.move.down,
    )


def _swap(name: str, row: _Row, estimate: Estimate, x: Float[Array, " d"], ground: Ground, step_words: str) -> Swap:
    assert row.j is not None
    why_not = _why_not(x, row.i, row.j, ground) if row.place == "recipe" and not row.move.up else None
    step = float(ground.steps[row.i])
    return Swap(name, ground.names[row.i], ground.names[row.j], row.place, step, step_words, estimate, why_not)


def _estimate(part: Response, slope: Slope, step: float, place: Place, *, told: bool) -> Estimate:
    if part.surrogate is not None and not told:
        return Estimate(slope.value * step, None, None, None, part.unit, "never varied")
    value, error = slope.value * step, slope.standard_error * abs(step)
    half = part.surrogate.quantile() * error if part.surrogate else 0.0
    how = "exact sum" if part.surrogate is None else f"slope, {place}"
    return Estimate(value, error, value - half, value + half, part.unit, how)


def _why_not(x: Float[Array, " d"], into: int, out_of: int, ground: Ground) -> str:
    if ground.at_upper(x)[into]:
        return f"{ground.names[into]} is at its maximum {ground.upper[into]:g}"
    return f"{ground.names[out_of]} is at its minimum {ground.lower[out_of]:g}"

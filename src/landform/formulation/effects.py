"""What moves each property: along Cox directions and factors, and by exchanging one ingredient for another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
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
_REGION = 256
"""Averages over the trials take so many of them at most: their covariances pair every two."""


@dataclass(frozen=True)
class Effect:
    """The change of one property for one step of one input.

    Parameters
    ----------
    property, input : str
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

    property: str
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
        return f"{self.step_words} {self.input}: {self.property} {signed(self.estimate)}"

    def to_dict(self) -> dict[str, Any]:
        """As it stands in ``results.json``."""
        return {
            "property": self.property,
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

    property: str
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
        return f"{self.step_words} {self.into} in place of {self.out_of}: {self.property} {signed(self.estimate)}"

    def to_dict(self) -> dict[str, Any]:
        """As it stands in ``results.json``."""
        return {
            "property": self.property,
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
            {"property": e.property, "input": e.input, "direction": e.direction, "at": e.at, "step": e.step_words}
            | e.estimate.to_dict()
            for e in self.effects
        ]
        return pd.DataFrame(rows)

    def swaps_to_frame(self) -> pd.DataFrame:
        """One row per swap."""
        import pandas as pd

        rows = [
            {"property": s.property, "in": s.into, "out": s.out_of, "at": s.at, "possible": s.why_not is None}
            | s.estimate.to_dict()
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
            for name in dict.fromkeys(e.property for e in self.effects)
            if (rows := [e for e in self.effects if e.property == name and e.at == "recipe"])
        ]


def signed(estimate: Estimate) -> str:
    """A change with its sign and doubt."""
    text = str(estimate)
    return text if text.startswith("-") else f"+{text}"


@dataclass(frozen=True, eq=False)
class _Moves:
    """Every direction at a recipe and over the region: one column each, so that one pass serves all."""

    X: Float[Array, "rows d"]
    V: Float[Array, "rows d k"]
    keys: tuple[tuple[Place, int, int], ...]
    moves: tuple[Move, ...]


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
        The region's points; 256 of them are drawn where there are more.
    ground : Ground
        Bounds and steps.
    step_words : sequence of str
        Each input's step in words.
    ranges : array, shape (d,)
        Width of each input over the trials.
    seed : int
        Of the draw.
    """
    if len(trials) > _REGION:
        trials = trials[np.random.default_rng(seed).choice(len(trials), _REGION, replace=False)]
    moves = _all_moves(x, trials, ground)
    J = responses.derivatives.jacobians(moves.X)
    effects: list[Effect] = []
    swaps: list[Swap] = []
    for k, part in enumerate(responses.parts):
        slopes = _slopes(part, J[:, k], moves)
        for key, move, slope in zip(moves.keys, moves.moves, slopes, strict=True):
            place, i, j = key
            estimate = _estimate(part, slope, float(ground.steps[i]), place)
            if j >= 0:
                why = _why_not(x, i, j, ground) if place == "recipe" and not move.up else None
                names = ground.names[i], ground.names[j]
                swaps.append(Swap(part.name, *names, place, float(ground.steps[i]), step_words[i], estimate, why))
            elif move.gives_way or i >= ground.ingredients:
                effects.append(
                    Effect(
                        part.name,
                        ground.names[i],
                        "Cox" if i < ground.ingredients else "factor",
                        place,
                        float(ground.steps[i]),
                        step_words[i],
                        estimate,
                        slope.value * float(ranges[i]),
                        move.gives_way,
                        move.held,
                        move.up,
                        move.down,
                    )
                )
    return Effects(tuple(effects), tuple(swaps))


def _all_moves(x: Float[Array, " d"], trials: Float[Array, "n d"], ground: Ground) -> _Moves:
    d, q = len(x), ground.ingredients
    keys: list[tuple[Place, int, int]] = []
    moves: list[Move] = []
    columns: list[Array] = []
    weight = 1.0 / len(trials)
    for i in range(d):
        here = cox_move(x, i, ground) if i < q else factor_move(x, i, ground)
        there = [cox_move(t, i, ground, held=False) if i < q else factor_move(t, i, ground) for t in trials]
        for place, move, at, over in (("recipe", here, here.vector, 0.0), ("region", there[0], None, weight)):
            keys.append((place, i, -1))  # type: ignore[arg-type]
            moves.append(move)
            rows = np.zeros((1 + len(trials), d))
            if at is not None:
                rows[0] = at
            else:
                rows[1:] = over * np.array([m.vector for m in there])
            columns.append(rows)
    for i in range(q):
        for j in (j for j in range(q) if j != i):
            move = exchange_move(x, i, j, ground)
            rows_here, rows_over = np.zeros((1 + len(trials), d)), np.zeros((1 + len(trials), d))
            rows_here[0], rows_over[1:] = move.vector, weight * move.vector
            keys += [("recipe", i, j), ("region", i, j)]
            moves += [move, move]
            columns += [rows_here, rows_over]
    return _Moves(np.vstack([x, trials]), np.stack(columns, axis=2), tuple(keys), tuple(moves))


def _slopes(part: Response, J: Float[Array, "rows d"], moves: _Moves) -> tuple[Slope, ...]:
    if part.surrogate is None:
        return slopes_along(J, moves.X, moves.V, lambda _, V: np.zeros((V.shape[2], V.shape[2])))
    # Where logarithms were fitted, a slope is the property times the slope of its logarithm.
    size = part.mean(moves.X)[:, None, None] if part.log else 1.0
    posterior = part.surrogate.posterior
    return slopes_along(J, moves.X, moves.V, lambda X, V: posterior.slopes(X, V * size))


def _estimate(part: Response, slope: Slope, step: float, place: Place) -> Estimate:
    value, error = slope.value * step, slope.standard_error * abs(step)
    half = part.surrogate.quantile() * error if part.surrogate else 0.0
    how = "exact sum" if part.surrogate is None else f"slope, {place}"
    return Estimate(value, error, value - half, value + half, part.unit, how)


def _why_not(x: Float[Array, " d"], into: int, out_of: int, ground: Ground) -> str:
    if ground.at_upper(x)[into]:
        return f"{ground.names[into]} is at its maximum {ground.upper[into]:g}"
    return f"{ground.names[out_of]} is at its minimum {ground.lower[out_of]:g}"

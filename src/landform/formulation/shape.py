"""The shape around the best recipe, and each property's own hill, valley, saddle or ridge."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float

from landform.curvature import Curve, canonical, find_stationary
from landform.findings import Bars, Estimate, Finding, Picture
from landform.formulation.goals import Goal, overall
from landform.formulation.responses import Response, Responses
from landform.linalg import tangent_basis
from landform.optimize import Polytope
from landform.sensitivity import Ground

if TYPE_CHECKING:
    import pandas as pd

Array = np.ndarray
_FAR = 50.0
"""A stationary point more steps than this outside the trials' ranges is none that a recipe could come near."""


@dataclass(frozen=True)
class Direction:
    """One canonical direction.

    Parameters
    ----------
    eigenvalue : Estimate
        Second derivative along it, per squared step.
    moves : dict
        Unit vector in steps of the inputs; ingredients' entries sum to zero.
    words : str
        What goes up and what goes down.
    """

    eigenvalue: Estimate
    moves: dict[str, float]
    words: str


@dataclass(frozen=True)
class PropertyShape:
    """The stationary point of one property on the ground that exists.

    Parameters
    ----------
    name, nature, words : str
        Which property; "maximum", "minimum", "saddle", "ridge", "flat" or "none"; a sentence.
    point : dict or None
        Where all its slopes vanish; None where there is no such point near the trials.
    value : Estimate or None
        The property there.
    inside_limits, inside_data : bool
        Whether that point is a recipe allowed, and within the reach of the trials. Only then could it be one.
    distance : float or None
        From the best recipe, in steps.
    directions : tuple of Direction
        Stiffest first; at the stationary point, or at the recipe where there is none.
    """

    name: str
    nature: str
    words: str
    point: dict[str, float] | None
    value: Estimate | None
    inside_limits: bool
    inside_data: bool
    distance: float | None
    directions: tuple[Direction, ...]

    def to_dict(self) -> dict[str, Any]:
        """As it stands in ``results.json``."""
        return {
            "property": self.name,
            "nature": self.nature,
            "point": self.point,
            "value": self.value.to_dict() if self.value else None,
            "inside_limits": self.inside_limits,
            "inside_data": self.inside_data,
            "distance": self.distance,
            "directions": [
                {"eigenvalue": d.eigenvalue.to_dict(), "moves": d.moves, "words": d.words} for d in self.directions
            ],
            "words": self.words,
        }


@dataclass(frozen=True)
class Shape(Finding):
    """Curvature at the recipe and of every property.

    Parameters
    ----------
    place_words : str
        Where the desirability's curvature is taken.
    tangent_dimension : int
        How many independent directions exist there.
    directions : tuple of Direction
        Of the desirability, stiffest first; empty without goals.
    words : str
        A sentence.
    properties : tuple of PropertyShape
        One per property.
    """

    place_words: str
    tangent_dimension: int
    directions: tuple[Direction, ...]
    words: str
    properties: tuple[PropertyShape, ...]

    def to_frame(self) -> pd.DataFrame:
        """One row per property and canonical direction."""
        import pandas as pd

        rows = [
            {"property": s.name, "nature": s.nature, "direction": d.words, **d.eigenvalue.to_dict()}
            for s in self.properties
            for d in s.directions
        ]
        return pd.DataFrame(rows)

    def pictures(self) -> Sequence[Picture]:
        """Bars of eigenvalues per property."""
        return [
            Bars(
                [d.words for d in s.directions],
                [d.eigenvalue.value for d in s.directions],
                [d.eigenvalue.lower for d in s.directions],
                [d.eigenvalue.upper for d in s.directions],
                f"{s.name}: {s.nature}",
                "curvature per squared step",
            )
            for s in self.properties
            if s.directions
        ]

    def to_dict(self) -> dict[str, Any]:
        """As it stands in ``results.json``."""
        recipe = {
            "place_words": self.place_words,
            "of": "desirability",
            "tangent_dimension": self.tangent_dimension,
            "eigenvalues": [d.eigenvalue.value for d in self.directions],
            "directions": [
                {"eigenvalue": d.eigenvalue.value, "moves": d.moves, "words": d.words} for d in self.directions
            ],
            "words": self.words,
        }
        return {"recipe": recipe, "properties": [s.to_dict() for s in self.properties]}


def find_shape(
    responses: Responses,
    goals: Sequence[Goal],
    x: Float[Array, " d"],
    trials: Float[Array, "n d"],
    ground: Ground,
    region: Polytope,
    *,
    place_words: str,
) -> Shape:
    """Canonical analysis at the recipe and at every property's stationary point, along the simplex."""
    basis = simplex_basis(ground)
    directions, words = _desirability_shape(responses, goals, x, basis, ground)
    properties = tuple(
        _property_shape(responses, k, x, trials, basis, ground, region)
        for k, part in enumerate(responses.parts)
        if part.surrogate is not None
    )
    return Shape(place_words, basis.shape[1], directions, words, properties)


def simplex_basis(ground: Ground) -> Float[Array, "d t"]:
    """Directions that keep the sum of the ingredients and every fixed input, in steps."""
    d = len(ground.names)
    conditions = [np.eye(d)[i] for i in np.flatnonzero(ground.lower >= ground.upper)]
    if ground.ingredients:
        conditions.append(np.where(np.arange(d) < ground.ingredients, ground.steps, 0.0) / ground.steps[0])
    return tangent_basis(np.array(conditions).reshape(len(conditions), d))


def desirability_derivatives(
    responses: Responses, goals: Sequence[Goal], x: Float[Array, " d"]
) -> tuple[float, Float[Array, " d"], Float[Array, "d d"]]:
    """Overall desirability with gradient and Hessian, each goal on the line it stands on."""
    values, slopes, curves = responses.derivatives.second(x)
    graded = [goal for goal in goals if goal.graded]
    total = sum(goal.weight for goal in graded)
    gradient, hessian = np.zeros(len(x)), np.zeros((len(x), len(x)))
    for goal in graded:
        k = responses.at(goal.name)
        piece = min(goal.pieces, key=lambda p, y=values[k]: p.offset + p.slope * y)  # type: ignore[misc]
        line = piece.offset + piece.slope * values[k]
        if not 0 < line < 1:
            continue
        power, g = goal.weight * goal.shape / total, piece.slope * slopes[k] / line
        gradient += power * g
        hessian += power * (piece.slope * curves[k] / line - np.outer(g, g))
    names = [goal.name for goal in goals]
    size = float(overall(goals, values[[responses.at(name) for name in names]][None])[0])
    return size, size * gradient, size * (hessian + np.outer(gradient, gradient))


def _desirability_shape(
    responses: Responses, goals: Sequence[Goal], x: Float[Array, " d"], basis: Float[Array, "d t"], ground: Ground
) -> tuple[tuple[Direction, ...], str]:
    if not any(goal.graded for goal in goals):
        return (), "No property has a goal with a desirability, so there is no landscape of desirability to describe."
    size, _, hessian = desirability_derivatives(responses, goals, x)
    if size >= 1 - 1e-9:
        return (), "Every goal is reached in full here, so the desirability is flat: small changes make no difference."
    found = canonical(hessian, basis, ground.steps, negligible=1e-12)
    directions = tuple(_direction(c, Estimate(c.eigenvalue, how="exact curvature"), ground) for c in found.curves)
    if not directions:
        return (), "Nothing is free to move."
    stiff, sloppy = directions[0], directions[-1]
    words = f"Stiffest along {stiff.words}"
    if len(directions) > 1:
        words += f"; it hardly bends along {sloppy.words}"
    return directions, words + "."


def _direction(curve: Curve, eigenvalue: Estimate, ground: Ground) -> Direction:
    moves = {name: float(v) for name, v in zip(ground.names, curve.direction, strict=True)}
    return Direction(eigenvalue, moves, direction_words(moves))


def direction_words(moves: dict[str, float]) -> str:
    """What goes up and what goes down, the main ones.

    Examples
    --------
    >>> direction_words({"sugar": 0.7, "fat": -0.7, "salt": 0.05})
    'more sugar, less fat'
    """
    main = {name: v for name, v in moves.items() if abs(v) > 0.35 * max(map(abs, moves.values()))}
    up, down = [n for n, v in main.items() if v > 0], [n for n, v in main.items() if v < 0]
    parts = [f"more {' and '.join(up)}"] if up else []
    return ", ".join(parts + ([f"less {' and '.join(down)}"] if down else []))


def _property_shape(
    responses: Responses,
    k: int,
    x: Float[Array, " d"],
    trials: Float[Array, "n d"],
    basis: Float[Array, "d t"],
    ground: Ground,
    region: Polytope,
) -> PropertyShape:
    part = responses.parts[k]
    if not basis.shape[1]:
        words = "Every input is fixed: there is nowhere to move."
        return PropertyShape(part.name, "flat", words, None, None, False, False, None, ())

    def derivatives(z: Array) -> tuple[Array, Array]:
        _, slopes, curves = responses.derivatives.second(z)
        return slopes[k], curves[k]

    size = float(np.ptp(part.mean(trials))) or 1.0
    flat = abs(canonical(derivatives(x)[1], basis, ground.steps).curves[0].eigenvalue) < 1e-9 * size
    point = None if flat else _stationary_near(derivatives, x, trials, basis, ground)
    place = x if point is None else point
    found = canonical(derivatives(place)[1], basis, ground.steps, negligible=1e-9 * size)
    directions = tuple(_direction(c, _eigenvalue(part, c, place, ground), ground) for c in found.curves)
    if point is None:
        return PropertyShape(
            part.name,
            "flat" if flat else "none",
            _none_words(part.name, flat),
            None,
            None,
            False,
            False,
            None,
            directions,
        )
    mean, error, low, high = (float(v[0]) for v in part.interval(point[None]))
    low_seen, high_seen = trials.min(axis=0), trials.max(axis=0)
    inside_data = bool(np.all((point >= low_seen - 1e-9) & (point <= high_seen + 1e-9)))
    inside_limits = region.contains(point, 1e-9 * float(ground.steps.max()))
    return PropertyShape(
        part.name,
        found.nature,
        _stationary_words(part.name, found.nature, inside_limits, inside_data),
        {name: float(v) for name, v in zip(ground.names, point, strict=True)},
        Estimate(mean, error, low, high, part.unit, "prediction"),
        inside_limits,
        inside_data,
        float(np.linalg.norm((point - x) / ground.steps)),
        directions,
    )


def _stationary_near(
    derivatives: Any, x: Array, trials: Array, basis: Array, ground: Ground
) -> Float[Array, " d"] | None:
    """A stationary point within reach of the trials, sought from the recipe and from their centre."""
    low, high = trials.min(axis=0), trials.max(axis=0)
    centre = trials.mean(axis=0)
    found = [find_stationary(derivatives, start, basis, ground.steps) for start in (x, centre)]
    outside = [np.max(np.maximum(low - p, p - high) / ground.steps) for p in found if p is not None]
    near = [p for p, far in zip([p for p in found if p is not None], outside, strict=True) if far < _FAR]
    return min(near, key=lambda p: float(np.linalg.norm((p - x) / ground.steps))) if near else None


def _eigenvalue(part: Response, curve: Curve, place: Array, ground: Ground) -> Estimate:
    assert part.surrogate is not None
    error = float(np.sqrt(part.surrogate.posterior.curve(place, curve.direction * ground.steps)))
    error *= float(part.mean(place[None])[0]) if part.log else 1.0
    half = part.surrogate.quantile() * error
    value = curve.eigenvalue
    return Estimate(value, error, value - half, value + half, f"{part.unit} per squared step".strip(), "curvature")


def _none_words(name: str, flat: bool) -> str:
    if flat:
        return f"The fitted {name} is a plane: it has slopes and no curvature."
    return f"The fitted {name} has no point near the trials where all its slopes vanish: it rises to the limits."


def _stationary_words(name: str, nature: str, inside_limits: bool, inside_data: bool) -> str:
    article = {"maximum": "a maximum", "minimum": "a minimum", "saddle": "a saddle", "ridge": "a ridge"}
    words = f"The fitted {name} has {article.get(nature, nature)}"
    if inside_limits and inside_data:
        return words + " within the limits and among the trials."
    if inside_data:
        return words + " among the trials but outside the limits; it is no recipe."
    return words + " outside what was tried; it is a feature of the formula, not a recipe."

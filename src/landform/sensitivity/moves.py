"""Directions that exist: along the simplex, between two ingredients, along one factor.

Ingredients add to a constant, so one of them cannot change with "everything else fixed"; a derivative is taken along a
direction that keeps the sum.

References
----------
Cox (1971), "A note on polynomial response functions for mixtures", Biometrika 58; Piepel (1982), "Measuring component
effects in constrained mixture experiments", Technometrics 24.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from landform.sensitivity.ground import Ground

Point = Float[np.ndarray, " d"]


@dataclass(frozen=True, eq=False)
class Move:
    """A direction of one unit, and whether one can go along it.

    Parameters
    ----------
    vector : array, shape (d,)
        Change of every input per unit of the input that is raised.
    gives_way : dict
        Which ingredients make room, and the share each gives.
    held : tuple of str
        Which ingredients cannot give way because they sit on a bound or are fixed.
    up, down : bool
        Whether a step forward, or back, stays inside the bounds.
    """

    vector: Point
    gives_way: dict[str, float]
    held: tuple[str, ...]
    up: bool
    down: bool


def cox_move(x: Point, i: int, ground: Ground, *, held: bool = True) -> Move:
    """Raise ingredient i; the others give way in proportion to their amounts, within bounds.

    Parameters
    ----------
    x : array, shape (d,)
        Where.
    i : int
        Which ingredient.
    ground : Ground
        Bounds.
    held : bool
        Whether ingredients on a bound that they would cross are held there, and the others give way in their
        place. False is Cox's own direction, for averages over trials that lie on many bounds.

    Returns
    -------
    Move
        A zero vector where nothing can give way in either sense.

    Examples
    --------
    >>> ground = Ground(("a", "b", "c"), 3, np.zeros(3), np.ones(3), np.full(3, 0.01))
    >>> cox_move(np.array([0.2, 0.6, 0.2]), 0, ground).vector
    array([ 1.  , -0.75, -0.25])
    """
    fixed = ground.lower >= ground.upper
    if not held:
        shares, stuck = _shares(x, i, fixed, ground)
        free = shares is not None and not fixed[i]
        return _cox(i, shares, stuck, ground, up=free, down=free)
    # Upward the others fall, so one on its lower bound is held; downward one on its upper bound is.
    upward = _shares(x, i, fixed | ground.at_lower(x), ground)
    downward = _shares(x, i, fixed | ground.at_upper(x), ground)
    up = upward[0] is not None and not ground.at_upper(x)[i]
    down = downward[0] is not None and not ground.at_lower(x)[i]
    return _cox(i, *(upward if up or not down else downward), ground, up=up, down=down)


def _shares(
    x: Point, i: int, stuck: Bool[np.ndarray, " d"], ground: Ground
) -> tuple[Point | None, Bool[np.ndarray, " d"]]:
    """What part of one unit each other ingredient gives, or None where none can."""
    others = (np.arange(len(x)) < ground.ingredients) & (np.arange(len(x)) != i)
    givers = others & ~stuck
    amounts = np.where(givers, np.maximum(x, 0.0), 0.0)
    if not givers.any():
        return None, others & stuck
    if amounts.sum() <= 0:
        # Nothing of the others is there to be in proportion to: they share alike.
        amounts = givers.astype(np.float64)
    return amounts / amounts.sum(), others & stuck


def _cox(i: int, shares: Point | None, stuck: Bool[np.ndarray, " d"], ground: Ground, *, up: bool, down: bool) -> Move:
    held = tuple(name for name, s in zip(ground.names, stuck, strict=True) if s)
    vector = np.zeros(len(ground.names))
    if shares is None:
        return Move(vector, {}, held, False, False)
    vector[i] = 1.0
    vector = vector - shares
    gives = {name: float(s) for name, s in zip(ground.names, shares, strict=True) if s > 0}
    return Move(vector, gives, held, up, down)


def exchange_move(x: Point, into: int, out_of: int, ground: Ground) -> Move:
    """One unit of ingredient ``into`` in place of one unit of ingredient ``out_of``.

    Examples
    --------
    >>> ground = Ground(("a", "b", "c"), 3, np.zeros(3), np.ones(3), np.full(3, 0.01))
    >>> exchange_move(np.array([0.2, 0.8, 0.0]), 0, 2, ground).up
    False
    """
    vector = np.zeros(len(x))
    vector[into], vector[out_of] = 1.0, -1.0
    low, high = ground.at_lower(x), ground.at_upper(x)
    up, down = not high[into] and not low[out_of], not low[into] and not high[out_of]
    return Move(vector, {ground.names[out_of]: 1.0}, (), bool(up), bool(down))


def factor_move(x: Point, i: int, ground: Ground) -> Move:
    """Raise one process factor, everything else fixed."""
    vector = np.zeros(len(x))
    vector[i] = 1.0
    return Move(vector, {}, (), not ground.at_upper(x)[i], not ground.at_lower(x)[i])


def cox_path(x: Point, i: int, amount: float, ground: Ground) -> Point:
    """The recipe with ingredient i at ``amount``, the others scaled in proportion and stopped at their bounds.

    Returns
    -------
    array, shape (d,)
        NaN where the bounds leave no such recipe.

    Examples
    --------
    >>> ground = Ground(("a", "b", "c"), 3, np.array([0, 0.5, 0.0]), np.ones(3), np.full(3, 0.01))
    >>> cox_path(np.array([0.2, 0.6, 0.2]), 0, 0.4, ground).round(6)
    array([0.4, 0.5, 0.1])
    """
    others = (np.arange(len(x)) < ground.ingredients) & (np.arange(len(x)) != i)
    path = x.copy()
    path[i] = amount
    missing = float(np.sum(x[: ground.ingredients]) - np.sum(path[: ground.ingredients]))
    for _ in range(ground.ingredients):
        if abs(missing) <= 1e-12 * max(1.0, abs(amount)):
            return path
        stuck = ground.at_upper(path) if missing > 0 else ground.at_lower(path)
        weights = np.where(others & ~stuck, np.maximum(path, 0.0), 0.0)
        if weights.sum() <= 0:
            weights = (others & ~stuck).astype(np.float64)
        if not weights.any():
            return np.full(len(x), np.nan)
        target = np.clip(path + missing * weights / weights.sum(), ground.lower, ground.upper)
        path = np.where(weights > 0, target, path)
        missing = float(np.sum(x[: ground.ingredients]) - np.sum(path[: ground.ingredients]))
    return path if abs(missing) <= 1e-9 * max(1.0, abs(amount)) else np.full(len(x), np.nan)

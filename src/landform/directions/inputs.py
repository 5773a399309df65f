"""Where a function is looked at: given rows or a distribution of its inputs, and one unit of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from landform.directions.rows import rows_of
from landform.errors import ShapeError

_FLAT = 1e-12
"""Inputs vary along an eigendirection of their correlations above this eigenvalue."""


@dataclass(frozen=True, eq=False)
class Inputs:
    """Points, and the coordinates z in which directions are sought: x = mean + map z.

    Parameters
    ----------
    names : tuple of str
        Of the d inputs.
    points : array, shape (rows, d)
        In the function's own units.
    mean : array, shape (d,)
        Of the points.
    units : array, shape (d,)
        One unit of each input.
    map : array, shape (d, t)
        From z to x; its columns span the ground that the inputs keep to.
    back : array, shape (t, d)
        From x − mean to z.
    axes : array, shape (d, t)
        Orthonormal columns: how much of each coordinate belongs to each input.
    """

    names: tuple[str, ...]
    points: Float[np.ndarray, "rows d"]
    mean: Float[np.ndarray, " d"]
    units: Float[np.ndarray, " d"]
    map: Float[np.ndarray, "d t"]
    back: Float[np.ndarray, "t d"]
    axes: Float[np.ndarray, "d t"]


def inputs_of(X: Any, *, names: Sequence[str] | None, rows: int, scale: Any, seed: int) -> Inputs:
    """Points and coordinates from rows or a distribution.

    Raises
    ------
    ShapeError
        If a number is missing, the scale does not fit, or an input does not vary.
    """
    spread = None
    if isinstance(X, Mapping):
        X = {name: _uniform(name, part) if isinstance(part, tuple) else part for name, part in X.items()}
    if _is_distribution(X):
        X, names, spread = _drawn(X, names, rows, seed)
    source = rows_of(X, names)
    points = np.concatenate([b if isinstance(b, np.ndarray) else b.toarray() for b in source.batches()])
    if len(points) < 2:
        raise ShapeError("two points or more", got=f"{len(points)}", remedy="pass more rows", where="argument X")
    spread = points.std(axis=0, ddof=1) if spread is None else spread
    units = _units(scale, spread, source.names)
    mean = points.mean(axis=0)
    if isinstance(scale, str) and scale == "covariance":
        return Inputs(source.names, points, mean, units, *_whitening(points - mean, units))
    return Inputs(source.names, points, mean, units, np.diag(units), np.diag(1 / units), np.eye(len(units)))


def _is_distribution(X: Any) -> bool:
    parts = X.values() if isinstance(X, Mapping) else X if isinstance(X, (list, tuple)) else [X]
    return len(parts) > 0 and all(hasattr(part, "rvs") for part in parts)


def _uniform(name: str, pair: tuple[Any, ...]) -> Any:
    """The uniform distribution between two numbers."""
    from scipy import stats

    try:
        low, high = map(float, pair)
    except (TypeError, ValueError):
        low = high = np.nan
    if not (np.isfinite(low) and np.isfinite(high) and low < high):
        raise ShapeError(
            f"a pair (low, high) of numbers for {name}", got=repr(pair), remedy="correct it", where="argument X"
        )
    return stats.uniform(low, high - low)


def _drawn(
    X: Any, names: Sequence[str] | None, rows: int, seed: int
) -> tuple[np.ndarray, Sequence[str] | None, np.ndarray | None]:
    """Rows from a joint distribution, or from independent ones, and standard deviations where these are known."""
    rng = np.random.default_rng(seed)
    if hasattr(X, "rvs"):
        return np.asarray(X.rvs(size=rows, random_state=rng)).reshape(rows, -1), names, None
    names = list(X) if isinstance(X, Mapping) else names
    parts = list(X.values()) if isinstance(X, Mapping) else list(X)
    columns = [np.ravel(part.rvs(size=rows, random_state=rng)) for part in parts]
    spread = np.array([float(part.std()) for part in parts])
    return np.stack(columns, axis=1), names, spread if np.all(np.isfinite(spread)) else None


def _units(scale: Any, spread: Float[np.ndarray, " d"], names: tuple[str, ...]) -> Float[np.ndarray, " d"]:
    if scale is None:
        return np.ones_like(spread)
    if not isinstance(scale, str):
        units = np.asarray(scale, dtype=np.float64)
        if units.shape != spread.shape or not np.all(np.isfinite(units)) or not np.all(units > 0):
            raise ShapeError(
                f"{len(spread)} positive numbers, one unit for each input",
                got=repr(scale),
                remedy='give them, or take "spread"',
                where="argument scale",
            )
        return units
    if scale not in ("spread", "covariance"):
        raise ShapeError(
            '"spread", "covariance", None or one number for each input',
            got=repr(scale),
            remedy="choose one of these",
            where="argument scale",
        )
    still = np.flatnonzero(~(spread > 0))
    if len(still):
        raise ShapeError(
            "inputs that vary",
            got=f"a constant input {names[still[0]]}",
            remedy="leave it out, or give one unit for each input as scale",
            where="argument X",
        )
    return spread


def _whitening(
    deviations: Float[np.ndarray, "rows d"], units: Float[np.ndarray, " d"]
) -> tuple[Float[np.ndarray, "d t"], Float[np.ndarray, "t d"], Float[np.ndarray, "d t"]]:
    """Coordinates without correlations, each as near its own input as can be; only the ground the inputs keep to."""
    R = np.cov((deviations / units).T, ddof=1).reshape(len(units), len(units))
    values, vectors = np.linalg.eigh(R)
    kept = values > _FLAT * values[-1]
    root, turned = np.sqrt(values[kept]), vectors[:, kept]
    if np.all(kept):
        return (units[:, None] * turned * root) @ turned.T, (turned / root) @ turned.T / units, np.eye(len(units))
    return units[:, None] * turned * root, (turned / root).T / units, turned

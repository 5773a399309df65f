"""Hyperparameters as a user has them, and as the search moves them: by their names, some on a logarithmic scale."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool, Float

from landform.backends.jax import as_double, double_precision, flatten_point, leaf_names, leaves_of, map_leaves
from landform.errors import ShapeError

Array = np.ndarray
Scale = Literal["log", "linear"] | Mapping[str, Literal["log", "linear"]]
_WHERE = "argument bounds"


@dataclass(frozen=True, eq=False)
class Hyper:
    """Hyperparameters: names, start, bounds and scale.

    Parameters
    ----------
    names : tuple of str
    start, lower, upper : array, shape (p,)
        In the user's own units.
    log : array of bool, shape (p,)
        Which are moved by their logarithm.
    unflatten : callable
        From a vector to the form of the user's start.
    """

    names: tuple[str, ...]
    start: Float[Array, " p"]
    lower: Float[Array, " p"]
    upper: Float[Array, " p"]
    log: Bool[Array, " p"]
    unflatten: Callable[[Any], Any]

    def inward(self, values: Float[Array, " p"]) -> Float[Array, " p"]:
        """Where the search has these values."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(self.log, np.log(np.where(self.log, values, 1.0)), values)

    def outward(self, z: Float[Array, " p"]) -> Float[Array, " p"]:
        """The user's values of a point of the search; a bound that is met to rounding is met."""
        values = np.where(self.log, np.exp(np.where(self.log, z, 0.0)), z)
        return np.clip(values, self.lower, self.upper)

    def traced(self, z: jax.Array) -> Any:
        """The user's form of a point of the search, inside a function that JAX traces."""
        if not self.log.any():
            return self.unflatten(z)
        return self.unflatten(jnp.where(self.log, jnp.exp(jnp.where(self.log, z, 0.0)), z))

    def shaped(self, values: Float[Array, " p"]) -> Any:
        """Values in the form of the user's start."""
        with double_precision():
            return map_leaves(np.asarray, self.unflatten(jnp.asarray(values)))

    def stretch(self, z: Float[Array, " p"]) -> Float[Array, " p"]:
        """The user's units per unit of the search."""
        return np.where(self.log, np.exp(np.where(self.log, z, 0.0)), 1.0)


def read_hyper(start: Any, *, bounds: Any = None, scale: Scale = "linear") -> Hyper:
    """Hyperparameters from a start, bounds and a scale.

    Raises
    ------
    ShapeError
        If they do not fit together, the start lies outside, or a logarithmic one is not positive.
    """
    doubled = as_double(start)
    with double_precision():
        flat, unflatten = flatten_point(doubled)
        vector = np.asarray(flat, dtype=np.float64)
        names = names_of(doubled, "hyper")
    owners = _owners(doubled)
    lower, upper = _bounds(bounds, owners)
    log = _logarithmic(scale, owners)
    for name, low, at, high in zip(names, lower, vector, upper, strict=True):
        if not low <= high:
            raise ShapeError(
                "lower bounds at or below the upper ones",
                got=f"{low:g} and {high:g} for {name}",
                remedy="exchange or correct them",
                where=_WHERE,
            )
        if not low <= at <= high:
            raise ShapeError(
                f"a start within the bounds {low:g} to {high:g} of {name}",
                got=f"{at:g}",
                remedy="move the start inside, or widen the bounds",
                where="argument hyper0",
            )
    low_log = np.where(log & np.isfinite(lower), lower, 1.0)
    for i in np.flatnonzero(log & ((vector <= 0) | (low_log <= 0))).tolist():
        raise ShapeError(
            f"positive numbers for {names[i]}, which is moved by its logarithm",
            got=f"{vector[i]:g} within {lower[i]:g} to {upper[i]:g}",
            remedy='give positive bounds, or scale="linear"',
            where=_WHERE,
        )
    lower = np.where(log & ~np.isfinite(lower), 0.0, lower)
    return Hyper(tuple(names), vector, lower, upper, log, unflatten)


def names_of(tree: Any, prefix: str) -> list[str]:
    """A name for every number: of a dictionary its keys, else ``prefix[0]``."""
    plain = [name.replace("['", ".").replace("']", "") for name in leaf_names(tree, prefix)]
    return [name.removeprefix(f"{prefix}.") for name in plain]


def _owners(tree: Any) -> list[str]:
    """For every number the key of the dictionary that it stands under; empty without one."""
    if not isinstance(tree, Mapping):
        return [""] * sum(int(np.size(leaf)) for leaf in leaves_of(tree))
    return [str(key) for key in sorted(tree) for leaf in leaves_of(tree[key]) for _ in range(int(np.size(leaf)))]


def _bounds(bounds: Any, owners: Sequence[str]) -> tuple[Array, Array]:
    p = len(owners)
    if bounds is None:
        return np.full(p, -np.inf), np.full(p, np.inf)
    if isinstance(bounds, Mapping):
        _refuse_unknown(bounds, owners, _WHERE)
        pairs = [_pair(bounds.get(owner, (None, None)), owner) for owner in owners]
        places = [owners[:i].count(owner) for i, owner in enumerate(owners)]
        ends = [
            [
                _end(pair[side], empty, owners.count(owner), place)
                for pair, owner, place in zip(pairs, owners, places, strict=True)
            ]
            for side, empty in ((0, -np.inf), (1, np.inf))
        ]
        return np.array(ends[0]), np.array(ends[1])
    pair = _pair(bounds, "all")
    return _side(pair[0], -np.inf, p), _side(pair[1], np.inf, p)


def _pair(bounds: Any, name: str) -> Any:
    if not isinstance(bounds, (tuple, list, np.ndarray)) or len(bounds) != 2:
        raise ShapeError(
            f"a pair (lower, upper) for {name}",
            got=repr(bounds),
            remedy="give two numbers; None stands for no bound",
            where=_WHERE,
        )
    return bounds


def _end(end: Any, empty: float, count: int, place: int) -> float:
    """One side of one number's bounds, which may be given once for all numbers under its name."""
    flat = np.ravel(np.asarray(end, dtype=object))
    if len(flat) not in (1, count):
        raise ShapeError(
            f"one bound, or one for each of {count} numbers", got=f"{len(flat)}", remedy="give as many", where=_WHERE
        )
    value = flat[0 if len(flat) == 1 else place]
    return empty if value is None else float(value)


def _side(end: Any, empty: float, p: int) -> Array:
    """One side for all: a number, an array or a tree like the start."""
    if end is None or (np.ndim(end) == 0 and not isinstance(end, Mapping)):
        return np.full(p, empty if end is None else float(end))
    flat = np.concatenate([np.ravel(np.asarray(leaf, dtype=object)) for leaf in leaves_of(end)])
    if len(flat) != p:
        raise ShapeError(
            f"one bound for each of {p} hyperparameters",
            got=f"{len(flat)}",
            remedy="give one number for all, or the form of the start",
            where=_WHERE,
        )
    return np.array([empty if v is None else float(v) for v in flat])


def _logarithmic(scale: Scale, owners: Sequence[str]) -> Bool[Array, " p"]:
    if isinstance(scale, Mapping):
        _refuse_unknown(scale, owners, "argument scale")
    kinds = [scale.get(owner, "linear") if isinstance(scale, Mapping) else scale for owner in owners]
    for kind in kinds:
        if kind not in ("log", "linear"):
            raise ShapeError('"log" or "linear"', got=repr(kind), remedy="choose one", where="argument scale")
    return np.array([kind == "log" for kind in kinds], dtype=bool)


def _refuse_unknown(given: Mapping[str, Any], owners: Sequence[str], where: str) -> None:
    unknown = [key for key in given if key not in owners]
    if unknown:
        known = ", ".join(dict.fromkeys(owners)).strip(", ") or "none: hyper0 is no dictionary"
        raise ShapeError("names of hyperparameters", got=repr(unknown[0]), remedy=f"use: {known}", where=where)

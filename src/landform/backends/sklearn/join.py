"""Translations made of translations: one after the other, side by side, averaged, on some of the columns.

Joined functions are made once for the same parts, so that models of one kind share compiled derivatives.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from landform.backends import closed
from landform.backends.sklearn.registry import Translation, closed_by

Functions = tuple[Callable[..., Any], ...]

_AFFINE: set[Callable[..., Any]] = set()


def affine_by(function: Callable[..., Any], matrix: Callable[..., tuple[Any, Any]]) -> None:
    """Give an affine function its closed form: ``matrix(n, *args)`` is its matrix and shift."""
    _AFFINE.add(function)
    closed_by(function, lambda X, order, *args: closed.affine(X, order, *matrix(X.shape[1], *args)))


@lru_cache(maxsize=1024)
def compose(functions: Functions) -> Callable[..., jax.Array]:
    """The functions one after the other; the same object for the same functions, so compiled code is shared."""

    def composed(x: jax.Array, *args: tuple[Any, ...]) -> jax.Array:
        for function, own in zip(functions, args, strict=True):
            x = function(x, *own)
        return x

    return composed


@lru_cache(maxsize=1024)
def _stack(functions: Functions) -> Callable[..., jax.Array]:
    def stacked(x: jax.Array, *args: tuple[Any, ...]) -> jax.Array:
        return jnp.concatenate([f(x, *own) for f, own in zip(functions, args, strict=True)])

    return stacked


def notes_of(parts: Sequence[Translation]) -> tuple[str, ...]:
    """What the parts have to say, each thing once."""
    return tuple(dict.fromkeys(note for part in parts for note in part.notes))


def chain(parts: Sequence[Translation]) -> Translation:
    """One after the other; a single part stays as it is."""
    if len(parts) == 1:
        return parts[0]
    function, args = compose(tuple(p.function for p in parts)), tuple(p.args for p in parts)
    forms = [p.closed for p in parts]
    form = None if any(one is None for one in forms) else closed.chain([one for one in forms if one is not None])
    return Translation(function, args, notes_of(parts), form, _doubt_behind(parts))


def _doubt_behind(parts: Sequence[Translation]) -> closed.SlopeDoubt | None:
    """The doubt of the last part's slopes by the first one's input, where all before it is affine."""
    doubt, before = parts[-1].doubt, chain(parts[:-1]).closed
    if doubt is None or before is None or not all(part.function in _AFFINE for part in parts[:-1]):
        return None
    return closed.DoubtBehind(doubt, before)


def side_by_side(parts: Sequence[Translation]) -> Translation:
    """All of the same input, their outputs one after the other."""
    if len(parts) == 1:
        return parts[0]
    function, args = _stack(tuple(p.function for p in parts)), tuple(p.args for p in parts)
    forms = [p.closed for p in parts]
    form = None if any(one is None for one in forms) else closed.side_by_side([one for one in forms if one is not None])
    return Translation(function, args, notes_of(parts), form)


def identity(x: jax.Array) -> jax.Array:
    """x as it is."""
    return x


def take(x: jax.Array, columns: jax.Array) -> jax.Array:
    """Some entries of x."""
    return x[columns]


def nothing(x: jax.Array) -> jax.Array:
    """No output at all."""
    return x[:0]


def on_columns(part: Translation, columns: np.ndarray, count: int) -> Translation:
    """A translation that sees only some of ``count`` columns."""
    columns = np.asarray(columns, dtype=np.int64)
    if np.array_equal(columns, np.arange(count)):
        return part
    return chain([Translation(take, (columns,)), part])


def times(x: jax.Array, factor: jax.Array) -> jax.Array:
    """x times a number."""
    return factor * x


def mix(x: jax.Array, matrix: jax.Array) -> jax.Array:
    """Outputs as weighted sums of x."""
    return matrix @ x


def average(parts: Sequence[Translation], outputs: int, weights: np.ndarray | None = None) -> Translation:
    """The weighted mean of several translations with the same outputs."""
    shares = np.ones(len(parts)) if weights is None else np.asarray(weights, dtype=np.float64)
    matrix = np.kron(shares / shares.sum(), np.eye(outputs))
    return chain([side_by_side(parts), Translation(mix, (matrix,))])


def shares(x: jax.Array) -> jax.Array:
    """x divided by its sum; all alike where the sum is zero."""
    total = jnp.sum(x)
    return jnp.where(total == 0.0, 1.0 / x.size, x / jnp.where(total == 0.0, 1.0, total))


def shares_if_any(x: jax.Array) -> jax.Array:
    """x divided by its sum; zeros as they are where the sum is zero."""
    total = jnp.sum(x)
    return x / jnp.where(total == 0.0, 1.0, total)


def ratios(x: jax.Array) -> jax.Array:
    """x divided by its sum; where that is zero, neither value nor slopes are numbers."""
    return x / jnp.sum(x)


def both_classes(p: jax.Array) -> jax.Array:
    """Probabilities of the two classes from that of the second."""
    return jnp.concatenate([1.0 - p, p])


affine_by(identity, lambda n: (np.eye(n), 0.0))
affine_by(take, lambda n, columns: (np.eye(n)[columns], 0.0))
affine_by(times, lambda n, factor: (factor * np.eye(n), 0.0))
affine_by(mix, lambda _, matrix: (np.asarray(matrix), 0.0))
affine_by(both_classes, lambda n: (np.concatenate([-np.eye(n), np.eye(n)]), np.repeat([1.0, 0.0], n)))

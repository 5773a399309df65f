"""Closed forms of value, slopes and curves at many rows, in NumPy, and how they are joined.

A closed form needs no compilation, and matrix products over all rows do its work. It is ``closed(X, order)`` for X of
shape (rows, n) and gives as many arrays as ``order`` asks for, and one more:

- values, shape (rows, m);
- slopes, shape (rows, m, n), or (1, m, n) where they are the same in every row;
- curves, shape (rows, m, n, n), or None where they are zero everywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np


class SlopeDoubt(Protocol):
    """How surely a model knows its slopes."""

    def covariances(self, X: np.ndarray) -> np.ndarray:
        """Of every output's slopes at every row, shape (rows, m, n, n)."""

    def variances(self, X: np.ndarray) -> np.ndarray:
        """Their diagonals, shape (rows, m, n)."""

    def variances_of_sums(self, X: np.ndarray, V: np.ndarray) -> np.ndarray:
        """Of k sums over rows of the slope along directions V, shape (rows, n, k); shape (m, k)."""


Closed = Callable[[np.ndarray, int], tuple[Any, ...]]


def last_of(closed: Closed, X: np.ndarray, order: int) -> Any:
    """The derivatives of one order alone; a form with a method ``last`` spares what comes before."""
    last = getattr(closed, "last", None)
    return closed(X, order)[order] if last is None else last(X, order)


def values_and_slopes(closed: Closed, X: np.ndarray, outputs: int) -> tuple[np.ndarray, np.ndarray]:
    """Both from one evaluation, the slopes of every row laid out in full."""
    Y, J = closed(X, 1)
    shape = (len(X), outputs, X.shape[1])
    return np.asarray(Y), J if J.shape == shape else np.array(np.broadcast_to(J, shape))


def affine(X: np.ndarray, order: int, weights: Any, intercept: Any) -> tuple[Any, ...]:
    """Weights times x plus an intercept."""
    return (X @ np.asarray(weights).T + intercept, np.asarray(weights)[None], None)[: order + 1]


def elementwise(X: np.ndarray, order: int, *parts: Callable[[np.ndarray], np.ndarray]) -> tuple[Any, ...]:
    """One function of every input by itself: ``parts`` are it and its first and second derivative."""
    n = X.shape[1]
    found = [parts[0](X)]
    if order > 0:
        found.append(parts[1](X)[:, :, None] * np.eye(n))
    if order > 1:
        curves = np.zeros((len(X), n, n, n))
        curves[:, range(n), range(n), range(n)] = parts[2](X)
        found.append(curves)
    return tuple(found)


def softmax(X: np.ndarray, order: int) -> tuple[Any, ...]:
    """Shares that are proportional to exp(x)."""
    raised = np.exp(X - X.max(axis=1, keepdims=True))
    p = raised / raised.sum(axis=1, keepdims=True)
    if order == 0:
        return (p,)
    gap = np.eye(X.shape[1]) - p[:, None]
    slopes = p[:, :, None] * gap
    curves = slopes[:, :, :, None] * gap[:, :, None] - p[:, :, None, None] * slopes[:, None]
    return (p, slopes, curves)[: order + 1]


def _under(curves: Any, slopes: np.ndarray) -> Any:
    """J' H J for every output."""
    return slopes.swapaxes(-1, -2)[:, None] @ curves @ slopes[:, None]


def _chained(first: tuple[Any, ...], second: tuple[Any, ...]) -> tuple[Any, ...]:
    found = [second[0]]
    if len(second) > 1:
        found.append(second[1] @ first[1])
    if len(second) > 2:
        bent = None if second[2] is None else _under(second[2], first[1])
        if first[2] is not None:
            m, n = second[1].shape[1], first[1].shape[2]
            carried = (second[1] @ first[2].reshape(len(first[2]), -1, n * n)).reshape(-1, m, n, n)
            bent = carried if bent is None else bent + carried
        found.append(bent)
    return tuple(found)


def chain(parts: Sequence[Closed]) -> Closed:
    """One after the other: the chain rule to second order."""

    def chained(X: np.ndarray, order: int) -> tuple[Any, ...]:
        found = parts[0](X, order)
        for part in parts[1:]:
            found = _chained(found, part(found[0], order))
        return found

    return chained


def side_by_side(parts: Sequence[Closed]) -> Closed:
    """All of the same input, their outputs one after the other."""

    def joined(X: np.ndarray, order: int) -> tuple[Any, ...]:
        found = [part(X, order) for part in parts]
        shapes = [one[0].shape[1] for one in found]
        result = [np.concatenate([one[0] for one in found], axis=1)]
        n = X.shape[1]
        for k in range(1, order + 1):
            tail = (n,) * k
            blocks = [
                np.zeros((1, size, *tail)) if one[k] is None else one[k]
                for one, size in zip(found, shapes, strict=True)
            ]
            rows = max(len(block) for block in blocks)
            result.append(np.concatenate([np.broadcast_to(b, (rows, *b.shape[1:])) for b in blocks], axis=1))
        return tuple(result)

    return joined


@dataclass(frozen=True)
class DoubtBehind:
    """The doubt of slopes by the inputs of an affine step that comes first."""

    doubt: SlopeDoubt
    before: Closed

    def covariances(self, X: np.ndarray) -> np.ndarray:
        """J' C J."""
        inner, slopes = self.before(X, 1)
        return np.asarray(_under(self.doubt.covariances(inner), slopes))

    def variances(self, X: np.ndarray) -> np.ndarray:
        """Its diagonal."""
        inner, slopes = self.before(X, 1)
        if np.all(np.count_nonzero(slopes[0], axis=0) <= 1):
            return np.asarray(self.doubt.variances(inner) @ slopes**2)
        return np.einsum("rmii->rmi", self.covariances(X))

    def variances_of_sums(self, X: np.ndarray, V: np.ndarray) -> np.ndarray:
        """Along what the directions become behind the step."""
        inner, slopes = self.before(X, 1)
        return np.asarray(self.doubt.variances_of_sums(inner, slopes @ V))

"""Networks in closed form: slopes by going back through the layers, curves from every layer's own bend."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy.special import expit

Activation = Callable[[np.ndarray, int], tuple[np.ndarray, ...]]


def _tanh(z: np.ndarray, order: int) -> tuple[np.ndarray, ...]:
    a = np.tanh(z)
    if order == 0:
        return (a,)
    slope = 1.0 - a * a
    return (a, slope, -2.0 * a * slope) if order > 1 else (a, slope)


def _logistic(z: np.ndarray, order: int) -> tuple[np.ndarray, ...]:
    a = expit(z)
    if order == 0:
        return (a,)
    slope = a * (1.0 - a)
    return (a, slope, slope * (1.0 - 2.0 * a)) if order > 1 else (a, slope)


def _relu(z: np.ndarray, _order: int) -> tuple[np.ndarray, ...]:
    on = z > 0
    return np.where(on, z, 0.0), on.astype(z.dtype)


def _identity(z: np.ndarray, _order: int) -> tuple[np.ndarray, ...]:
    return z, np.ones_like(z)


ACTIVATIONS: dict[str, Activation] = {"tanh": _tanh, "logistic": _logistic, "relu": _relu, "identity": _identity}
"""Value, slope and curve of what stands between layers; a curve that is zero almost everywhere is left out."""


@dataclass(frozen=True)
class ClosedNetwork:
    """Layers of weights with an activation in between, and nothing at the end.

    Parameters
    ----------
    layers : sequence of (weights, intercept)
        Weights of shape (out, in).
    hidden : str
        The activation.

    References
    ----------
    Bishop (2006), *Pattern Recognition and Machine Learning*, sec. 5.3.4 and 5.4.5.
    """

    layers: Sequence[tuple[np.ndarray, np.ndarray]]
    hidden: str

    def __call__(self, X: np.ndarray, order: int) -> tuple[Any, ...]:
        """Values, slopes and curves up to an order."""
        states, a = [], X
        for weights, intercept in self.layers[:-1]:
            states.append(ACTIVATIONS[self.hidden](a @ weights.T + intercept, order))
            a = states[-1][0]
        weights, intercept = self.layers[-1]
        found: list[Any] = [a @ weights.T + intercept]
        if len(states) == 1:
            for part, table in zip(states[0][1:], self._tables[:order], strict=False):
                found.append((part @ table).reshape(len(X), -1, *(X.shape[1],) * len(found)))
            return (*found, *(None,) * (order + 1 - len(found)))
        if order > 0:
            back = self._back(states, len(X))
            found.append(back[0] if states else weights[None])
        if order > 1:
            found.append(self._curves(states, back) if states and len(states[0]) > 2 else None)
        return tuple(found)

    def last(self, X: np.ndarray, order: int) -> Any:
        """Derivatives of one order alone: behind one hidden layer one product, and no outputs."""
        if order == 0 or len(self.layers) != 2:
            return self(X, order)[order]
        weights, intercept = self.layers[0]
        state = ACTIVATIONS[self.hidden](X @ weights.T + intercept, order)
        if len(state) <= order:
            return None
        return (state[order] @ self._tables[order - 1]).reshape(len(X), -1, *(X.shape[1],) * order)

    @cached_property
    def _tables(self) -> tuple[np.ndarray, ...]:
        """With one hidden layer, what the slopes and curves of its units are multiplied by."""
        (first, _), (last, _) = self.layers
        slopes = last.T[:, :, None] * first[:, None]
        curves = slopes[:, :, :, None] * first[:, None, None]
        return slopes.reshape(len(first), -1), curves.reshape(len(first), -1)

    def _back(self, states: Sequence[tuple[np.ndarray, ...]], rows: int) -> list[np.ndarray]:
        """Slopes of the outputs by what enters each layer, first the inputs: shapes (rows, m, width)."""
        by: list[np.ndarray] = [self.layers[-1][0]]
        for (weights, _), state in zip(reversed(self.layers[:-1]), reversed(states), strict=True):
            reached = by[0] * state[1][:, None]
            by.insert(0, (reached.reshape(-1, reached.shape[2]) @ weights).reshape(rows, -1, weights.shape[1]))
        return by

    def _curves(self, states: Sequence[tuple[np.ndarray, ...]], back: Sequence[np.ndarray]) -> np.ndarray:
        """Σ over hidden units of ∂y/∂a · σ'' · (∇z)(∇z)', layer by layer."""
        first = self.layers[0][0]
        n = first.shape[1]
        bend = back[1] * states[0][2][:, None]
        rows, m, width = bend.shape
        squares = (first[:, :, None] * first[:, None]).reshape(width, -1)
        curves = (bend.reshape(-1, width) @ squares).reshape(rows, m, n, n)
        reach = states[0][1][:, :, None] * first
        for depth, (weights, _) in enumerate(self.layers[1:-1], start=1):
            slopes = weights @ reach
            bend = back[depth + 1] * states[depth][2][:, None]
            for k in range(m):
                curves[:, k] += (slopes * bend[:, k, :, None]).swapaxes(1, 2) @ slopes
            reach = states[depth][1][:, :, None] * slopes
        return curves

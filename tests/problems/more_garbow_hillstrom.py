"""Least squares problems of Moré, Garbow and Hillstrom (1981), "Testing unconstrained optimization software", TOMS 7.

Residuals as JAX functions, the paper's numbers, its standard starts, and the minima of the sum of squares that it
lists. `beyond` are infima that the paper lists at infinity: nothing there may be called a minimum.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import numpy as np


@dataclass(frozen=True, eq=False)
class Squares:
    """Minimize ``sum(residuals(p)**2)`` from ``start`` times each of ``factors``."""

    number: int
    name: str
    residuals: Callable[[Any], Any]
    start: np.ndarray
    minima: tuple[float, ...]
    beyond: tuple[float, ...]
    factors: tuple[float, ...]

    def __str__(self) -> str:
        return self.name


SQUARES: list[Squares] = []


def squares(number, name, start, *minima, beyond=(), factors=(1.0, 10.0)):
    """Enter the decorated residuals into the list."""

    def enter(residuals):
        SQUARES.append(
            Squares(number, name, residuals, np.array(start, dtype=float), minima, tuple(beyond), tuple(factors))
        )
        return residuals

    return enter


@squares(1, "Rosenbrock", [-1.2, 1], 0)
def _(x):
    return jnp.stack([10 * (x[1] - x[0] ** 2), 1 - x[0]])


@squares(2, "Freudenstein and Roth", [0.5, -2], 0, 48.98425)
def _(x):
    a, b = x
    return jnp.stack([-13 + a + ((5 - b) * b - 2) * b, -29 + a + ((b + 1) * b - 14) * b])


@squares(3, "Powell badly scaled", [0, 1], 0)
def _(x):
    return jnp.stack([1e4 * x[0] * x[1] - 1, jnp.exp(-x[0]) + jnp.exp(-x[1]) - 1.0001])


@squares(4, "Brown badly scaled", [1, 1], 0)
def _(x):
    return jnp.stack([x[0] - 1e6, x[1] - 2e-6, x[0] * x[1] - 2])


@squares(5, "Beale", [1, 1], 0, beyond=[0.4521])
def _(x):
    i = jnp.arange(1, 4)
    return jnp.array([1.5, 2.25, 2.625]) - x[0] * (1 - x[1] ** i)


@squares(6, "Jennrich and Sampson", [0.3, 0.4], 124.3622)
def _(x):
    i = jnp.arange(1.0, 11)
    return 2 + 2 * i - (jnp.exp(i * x[0]) + jnp.exp(i * x[1]))


@squares(7, "helical valley", [-1, 0, 0], 0)
def _(x):
    turn = jnp.arctan(x[1] / x[0]) / (2 * jnp.pi) + jnp.where(x[0] < 0, 0.5, 0.0)
    return jnp.stack([10 * (x[2] - 10 * turn), 10 * (jnp.hypot(x[0], x[1]) - 1), x[2]])


_BARD = np.array([0.14, 0.18, 0.22, 0.25, 0.29, 0.32, 0.35, 0.39, 0.37, 0.58, 0.73, 0.96, 1.34, 2.10, 4.39])


@squares(8, "Bard", [1, 1, 1], 8.214877e-3, beyond=[17.42869])
def _(x):
    u = jnp.arange(1.0, 16)
    v = 16 - u
    return _BARD - (x[0] + u / (v * x[1] + jnp.minimum(u, v) * x[2]))


_GAUSSIAN = np.array([9, 44, 175, 540, 1295, 2420, 3521, 3989, 3521, 2420, 1295, 540, 175, 44, 9]) * 1e-4


@squares(9, "Gaussian", [0.4, 1, 0], 1.127933e-8, factors=[1])
def _(x):
    t = (8 - jnp.arange(1.0, 16)) / 2
    return x[0] * jnp.exp(-x[1] * (t - x[2]) ** 2 / 2) - _GAUSSIAN


_MEYER = np.array(
    [34780, 28610, 23650, 19630, 16370, 13720, 11540, 9744, 8261, 7030, 6005, 5147, 4427, 3820, 3307, 2872]
)


@squares(10, "Meyer", [0.02, 4000, 250], 87.94586)
def _(x):
    t = 45 + 5 * jnp.arange(1.0, 17)
    return x[0] * jnp.exp(x[1] / (t + x[2])) - _MEYER


@squares(12, "Box three-dimensional", [0, 10, 20], 0)
def _(x):
    t = 0.1 * jnp.arange(1.0, 11)
    return jnp.exp(-t * x[0]) - jnp.exp(-t * x[1]) - x[2] * (jnp.exp(-t) - jnp.exp(-10 * t))


@squares(13, "Powell singular", [3, -1, 0, 1], 0)
def _(x):
    a, b, c, d = x
    return jnp.stack([a + 10 * b, np.sqrt(5) * (c - d), (b - 2 * c) ** 2, np.sqrt(10) * (a - d) ** 2])


@squares(14, "Wood", [-3, -1, -3, -1], 0)
def _(x):
    a, b, c, d = x
    first = [10 * (b - a**2), 1 - a, np.sqrt(90) * (d - c**2), 1 - c]
    return jnp.stack([*first, np.sqrt(10) * (b + d - 2), (b - d) / np.sqrt(10)])


_KOWALIK = np.array([0.1957, 0.1947, 0.1735, 0.1600, 0.0844, 0.0627, 0.0456, 0.0342, 0.0323, 0.0235, 0.0246])
_AT = np.array([4, 2, 1, 0.5, 0.25, 0.167, 0.125, 0.1, 0.0833, 0.0714, 0.0625])


@squares(15, "Kowalik and Osborne", [0.25, 0.39, 0.415, 0.39], 3.075056e-4, beyond=[1.027344e-3])
def _(x):
    return _KOWALIK - x[0] * (_AT**2 + _AT * x[1]) / (_AT**2 + _AT * x[2] + x[3])


@squares(16, "Brown and Dennis", [25, 5, -5, -1], 85822.20)
def _(x):
    t = jnp.arange(1.0, 21) / 5
    return (x[0] + t * x[1] - jnp.exp(t)) ** 2 + (x[2] + x[3] * jnp.sin(t) - jnp.cos(t)) ** 2


_OSBORNE = np.array([
    0.844, 0.908, 0.932, 0.936, 0.925, 0.908, 0.881, 0.850, 0.818, 0.784, 0.751, 0.718, 0.685, 0.658, 0.628, 0.603,
    0.580, 0.558, 0.538, 0.522, 0.506, 0.490, 0.478, 0.467, 0.457, 0.448, 0.438, 0.431, 0.424, 0.420, 0.414, 0.411,
    0.406,
])  # fmt: skip


@squares(17, "Osborne 1", [0.5, 1.5, -1, 0.01, 0.02], 5.464895e-5, factors=[1])
def _(x):
    t = 10 * jnp.arange(33.0)
    return _OSBORNE - (x[0] + x[1] * jnp.exp(-t * x[3]) + x[2] * jnp.exp(-t * x[4]))


@squares(18, "Biggs EXP6", [1, 2, 1, 1, 1, 1], 0, 5.655650e-3, factors=[1])
def _(x):
    t = 0.1 * jnp.arange(1.0, 14)
    y = jnp.exp(-t) - 5 * jnp.exp(-10 * t) + 3 * jnp.exp(-4 * t)
    return x[2] * jnp.exp(-t * x[0]) - x[3] * jnp.exp(-t * x[1]) + x[5] * jnp.exp(-t * x[4]) - y


def watson(x):
    t = jnp.arange(1.0, 30)[:, None] / 29
    j = jnp.arange(1.0, len(x) + 1)
    slope = jnp.sum((j[1:] - 1) * x[1:] * t ** (j[1:] - 2), axis=1)
    first = slope - jnp.sum(x * t ** (j - 1), axis=1) ** 2 - 1
    return jnp.concatenate([first, jnp.stack([x[0], x[1] - x[0] ** 2 - 1])])


squares(20, "Watson 6", np.zeros(6), 2.287670e-3, factors=[1])(watson)
squares(20, "Watson 9", np.zeros(9), 1.399760e-6, factors=[1])(watson)


@squares(21, "extended Rosenbrock", np.tile([-1.2, 1], 5), 0)
def _(x):
    odd, even = x[0::2], x[1::2]
    return jnp.concatenate([10 * (even - odd**2), 1 - odd])


@squares(23, "penalty I", [1, 2, 3, 4], 2.249975e-5)
def _(x):
    return jnp.concatenate([np.sqrt(1e-5) * (x - 1), (x @ x - 0.25)[None]])


@squares(25, "variably dimensioned", 1 - np.arange(1, 11) / 10, 0)
def _(x):
    pull = jnp.arange(1.0, 11) @ (x - 1)
    return jnp.concatenate([x - 1, jnp.stack([pull, pull**2])])


@squares(26, "trigonometric", np.full(10, 0.1), 0, 2.795056e-5)
def _(x):
    i = jnp.arange(1.0, 11)
    return 10 - jnp.sum(jnp.cos(x)) + i * (1 - jnp.cos(x)) - jnp.sin(x)


@squares(32, "linear, full rank", np.ones(5), 5)
def _(x):
    return jnp.concatenate([x, jnp.zeros(5)]) - 0.2 * jnp.sum(x) - 1


def chebyquad(x):
    n = len(x)
    y = 2 * x - 1
    T = [jnp.ones_like(y), y]
    for _ in range(n - 1):
        T.append(2 * y * T[-1] - T[-2])
    means = jnp.stack([jnp.mean(t) for t in T[1:]])
    i = np.arange(1, n + 1)
    integral = np.where(i % 2, 0.0, -1 / np.where(i % 2, 1, i**2 - 1.0))
    return means - integral


squares(35, "Chebyquad 7", np.arange(1, 8) / 8, 0, factors=[1])(chebyquad)
squares(35, "Chebyquad 8", np.arange(1, 9) / 9, 3.516874e-3, factors=[1])(chebyquad)

"""Problems of Lukšan and Vlček (1999), "Sparse and partially separable test problems for unconstrained and equality
constrained optimization", report 767, Institute of Computer Science, Prague: their formulas and starts.
"""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np


def rosenbrock_with_exponentials(x):
    """Problem 5.1 (LUKVLE1): the objective."""
    return jnp.sum(100 * (x[:-1] ** 2 - x[1:]) ** 2 + (x[:-1] - 1) ** 2)


def exponentials(x):
    """Problem 5.1: n − 2 constraints, all of them zero."""
    a, b, c = x[:-2], x[1:-1], x[2:]
    waves = jnp.sin(b - c) * jnp.sin(b + c)
    return 3 * b**3 + 2 * c - 5 + waves + 4 * b - a * jnp.exp(a - b) - 3


def start(n):
    """Problem 5.1: where to begin."""
    return np.where(np.arange(n) % 2, 1.0, -1.2)


def chained_powell(x):
    """Problem 2.3: the minimum 0 is at zero, where the Hessian is singular."""
    a, b, c, d = x[:-3:2], x[1:-2:2], x[2:-1:2], x[3::2]
    return jnp.sum((a + 10 * b) ** 2 + 5 * (c - d) ** 2 + (b - 2 * c) ** 4 + 10 * (a - d) ** 4)


def broyden_tridiagonal(x):
    """Squares of Broyden's tridiagonal function (Moré, Garbow and Hillstrom 30): the minimum is 0."""
    y = jnp.pad(x, 1)
    return jnp.sum(((3 - 2 * x) * x - y[:-2] - 2 * y[2:] + 1) ** 2)

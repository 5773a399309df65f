"""Solves with the inner Hessian, and the refusal where it is no minimum's.

References
----------
Nocedal and Wright (2006), *Numerical Optimization*, ch. 5 (conjugate gradients).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np
from jaxtyping import Float
from scipy.linalg import cho_factor, cho_solve, eigh
from scipy.linalg.lapack import dpocon

from landform.linalg import extreme_pairs

Array = np.ndarray
_SINGULAR = 1e-13
"""Curvature below this part of the largest, each parameter in its own unit, is rounding."""

_EXACT = 1e-13
"""Length of the residual at which conjugate gradients end, in parts of the right-hand side."""


class NoMinimumError(ArithmeticError):
    """The inner problem is not at a minimum that determines its parameters; the message says why."""


class Curved(Protocol):
    """The inner Hessian as what solves with it."""

    def solve(self, right: Float[Array, " n"]) -> Float[Array, " n"]:
        """``H⁻¹ right``; for the dense one also of several columns."""
        ...

    def times(self, v: Float[Array, " n"]) -> Float[Array, " n"]:
        """``H v``."""
        ...


class Dense:
    """A positive definite matrix, factored with every parameter in its own unit.

    Parameters
    ----------
    hessian : array, shape (n, n)
    names : callable
        The parameters' names, for the sentence that refuses.

    Raises
    ------
    NoMinimumError
        If it is not positive definite to working precision.

    Examples
    --------
    >>> Dense(np.diag([2.0, 4.0]), lambda: ["a", "b"]).solve(np.array([2.0, 2.0]))
    array([1. , 0.5])
    >>> Dense(np.array([[1.0, 1.0], [1.0, 1.0]]), lambda: ["a", "b"])
    Traceback (most recent call last):
    ...
    landform.fit.tuning.curved.NoMinimumError: its Hessian is singular: nothing determines -0.71 a, +0.71 b
    """

    def __init__(self, hessian: Float[Array, "n n"], names: Callable[[], Sequence[str]]) -> None:
        if not np.isfinite(hessian).all():
            raise NoMinimumError("its Hessian is not finite")
        diagonal = np.diag(hessian)
        self._unit = 1.0 / np.sqrt(np.where(diagonal > 0, diagonal, 1.0))
        self._hessian = hessian
        scaled = hessian * np.outer(self._unit, self._unit)
        try:
            self._factor = cho_factor(scaled, lower=True)
        except np.linalg.LinAlgError:
            raise NoMinimumError(_why(scaled, names())) from None
        norm = float(np.abs(scaled).sum(axis=0).max())
        self.conditioning = 1.0 / max(float(dpocon(self._factor[0], norm, uplo="L")[0]), 1e-300)
        if self.conditioning * _SINGULAR > 1.0:
            raise NoMinimumError(_why(scaled, names()))

    def solve(self, right: Float[Array, "n ..."]) -> Float[Array, "n ..."]:
        """``H⁻¹ right``, for one or several columns."""
        unit = self._unit if right.ndim == 1 else self._unit[:, None]
        return np.asarray(unit * cho_solve(self._factor, unit * right))

    def times(self, v: Float[Array, " n"]) -> Float[Array, " n"]:
        """``H v``."""
        return np.asarray(self._hessian @ v)


def _why(scaled: Float[Array, "n n"], names: Sequence[str]) -> str:
    """What a matrix lacks that is not positive definite, with the direction named."""
    values, vectors = eigh(scaled)
    way = vectors[:, 0]
    way = way * np.sign(way[np.abs(way) > 0.05][-1:].sum() or 1.0)
    first = np.argsort(-np.abs(way), kind="stable")[:3]
    words = ", ".join(f"{way[j]:+.2g} {names[j]}" for j in sorted(first.tolist()) if abs(way[j]) > 0.05)
    if values[0] < -1e-10 * abs(values[-1]):
        kind = "a maximum" if values[-1] < 0 else "a saddle"
        return f"it stands at {kind}: its loss bends down along {words}"
    return f"its Hessian is singular: nothing determines {words}"


class Free:
    """A positive definite matrix known by its products alone, solved by conjugate gradients.

    Parameters
    ----------
    product : callable
        ``H v``.

    Raises
    ------
    NoMinimumError
        From `solve`: along a direction that it met, the matrix is not positive.
    """

    def __init__(self, product: Callable[[Float[Array, " n"]], Float[Array, " n"]]) -> None:
        self.times = product
        self.conditioning = float("nan")

    def solve(self, right: Float[Array, " n"]) -> Float[Array, " n"]:
        """``H⁻¹ right``: conjugate gradients until the true residual is rounding, or no longer falls."""
        if right.ndim > 1:
            return np.stack([self.solve(column) for column in right.T], axis=1)
        goal = _EXACT * float(np.linalg.norm(right))
        x = np.zeros_like(right)
        left = right
        for _ in range(3):  # begun again from the true residual: what recurrences lose in rounding comes back
            if np.linalg.norm(left) <= goal:
                break
            step = conjugate_gradients(self.times, left, goal=goal, most=10 * len(right))
            refined = right - self.times(x + step)
            if not np.linalg.norm(refined) < np.linalg.norm(left):
                break
            x, left = x + step, refined
        if np.linalg.norm(left) > 1e-6 * np.linalg.norm(right):
            raise NoMinimumError("its Hessian is singular to working precision: conjugate gradients do not converge")
        return x


def require_positive(curved: Free, size: int) -> None:
    """Look for the least curvature of a matrix known by products, by Lanczos' method.

    Raises
    ------
    NoMinimumError
        If it is not positive to working precision.
    """
    found = extreme_pairs(curved.times, size, count=1, end="bottom", tolerance=1e-10, most=300)
    least = float(found.eigenvalues[0])
    if least < -1e-10 * found.radius:
        raise NoMinimumError("it stands at a saddle: its loss bends down along some direction")
    if least < 1e-12 * found.radius:
        raise NoMinimumError("its Hessian is singular: nothing determines some combination of the parameters")


def conjugate_gradients(
    product: Callable[[Array], Array], right: Float[Array, " n"], *, goal: float, most: int
) -> Float[Array, " n"]:
    """``H x = right`` until the residual is as short as ``goal``.

    Raises
    ------
    NoMinimumError
        Where a direction of no or negative curvature is met.

    Examples
    --------
    >>> conjugate_gradients(lambda v: np.array([2.0, 4.0]) * v, np.array([2.0, 2.0]), goal=1e-12, most=9).round(12)
    array([1. , 0.5])
    """
    x, left = np.zeros_like(right), right.copy()
    way, length = left.copy(), float(left @ left)
    largest = 0.0
    for _ in range(most):
        if np.sqrt(length) <= goal:
            break
        bent = product(way)
        curve = float(way @ bent) / float(way @ way)
        largest = max(largest, abs(curve))
        if not curve > _SINGULAR * largest:
            word = "bends down" if curve < -1e-10 * largest else "does not bend"
            raise NoMinimumError(f"it stands at no strict minimum: its loss {word} along some direction")
        size = length / float(way @ bent)
        x, left = x + size * way, left - size * bent
        length, before = float(left @ left), length
        way = left + length / before * way
    return x

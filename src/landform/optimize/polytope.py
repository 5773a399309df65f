"""The ground: bounds and linear constraints, every one with a name."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from jaxtyping import Float
from scipy.sparse import csr_array, issparse

from landform.errors import ShapeError
from landform.linalg import tangent_basis
from landform.optimize import feasibility, sampling
from landform.optimize.limits import Rows


@dataclass(frozen=True, eq=False)
class Polytope:
    """Points with ``lower <= x <= upper`` and ``A_lower <= A @ x <= A_upper``.

    Parameters
    ----------
    names : tuple of str
        The variables.
    lower, upper : array, shape (n,)
        Bounds; infinite where there is none, equal where the variable is fixed.
    A : array or sparse array, shape (k, n)
        One linear constraint per row; k may be 0. A sparse one stays so, for large programs.
    A_lower, A_upper : array, shape (k,)
        Limits of the rows; equal where a row is an equality.
    A_names : tuple of str
        What each row is, in a user's words.

    Raises
    ------
    ShapeError
        If the parts do not fit together or a number is missing.

    Examples
    --------
    >>> simplex = Polytope(("a", "b"), np.zeros(2), np.ones(2), np.ones((1, 2)), [1.0], [1.0], ("sum",))
    >>> simplex.interior_point()
    array([0.5, 0.5])
    >>> simplex.contains(np.array([0.2, 0.8]))
    True
    >>> Polytope(("a", "b"), [0.7, 0.6], np.ones(2), np.ones((1, 2)), [1.0], [1.0], ("sum",)).conflict()
    ('a ≥ 0.7', 'b ≥ 0.6', 'sum = 1')
    """

    names: tuple[str, ...]
    lower: Float[np.ndarray, " n"]
    upper: Float[np.ndarray, " n"]
    A: Any
    A_lower: Float[np.ndarray, " k"]
    A_upper: Float[np.ndarray, " k"]
    A_names: tuple[str, ...]

    def __post_init__(self) -> None:
        n, k = len(self.names), len(self.A_names)
        shapes = {"lower": (n,), "upper": (n,), "A": (k, n), "A_lower": (k,), "A_upper": (k,)}
        for part, shape in shapes.items():
            given = getattr(self, part)
            array = csr_array(given, dtype=np.float64) if issparse(given) else np.array(given, dtype=np.float64)
            _check(part, array, shape)
            object.__setattr__(self, part, array)
        object.__setattr__(self, "names", tuple(self.names))
        object.__setattr__(self, "A_names", tuple(self.A_names))

    @property
    def n(self) -> int:
        """How many variables there are."""
        return len(self.names)

    @cached_property
    def rows(self) -> Rows:
        """Bounds and constraints as one stack of rows, the bounds first."""
        return Rows(
            np.vstack([np.eye(self.n), self.A]),
            np.concatenate([self.lower, self.A_lower]),
            np.concatenate([self.upper, self.A_upper]),
            self.names + self.A_names,
        )

    @cached_property
    def _inside(self) -> feasibility.Inside:
        return feasibility.inside(self.rows)

    def violation(self, x: Float[np.ndarray, " n"]) -> float:
        """By how much the worst limit is missed at ``x``; 0.0 inside."""
        return float(self.rows.excess(np.asarray(x, dtype=np.float64)).max(initial=0.0))

    def contains(self, x: Float[np.ndarray, " n"], tol: float = 1e-9) -> bool:
        """Whether every limit holds at ``x`` to within ``tol``."""
        return self.violation(x) <= tol

    def interior_point(self) -> Float[np.ndarray, " n"]:
        """Find a point well inside: the centre of the largest ball, variables measured by their bounds.

        Raises
        ------
        InfeasibleError
            If there is no point at all; it names the limits in conflict.
        """
        return self._inside.point + 0.0

    def conflict(self) -> tuple[str, ...]:
        """Name a smallest set of limits that cannot all hold; empty where a point exists."""
        return feasibility.conflict(self.rows)

    def tangent_basis(self) -> Float[np.ndarray, "n t"]:
        """Orthonormal directions that keep every equality and every fixed variable."""
        return tangent_basis(self.rows.matrix[self.rows.equality])

    def span(self, x: Float[np.ndarray, " n"], direction: Float[np.ndarray, " n"]) -> tuple[float, float]:
        """How far one can go from ``x`` against and along ``direction`` and stay inside.

        Returns
        -------
        t_min, t_max : float
            ``x + t * direction`` is inside for ``t_min <= t <= t_max``; t_min <= 0 <= t_max.
        """
        return feasibility.span(self.rows, np.asarray(x, dtype=np.float64), np.asarray(direction, np.float64))

    def extent(self) -> Float[np.ndarray, "n 2"]:
        """Smallest and largest value that each variable can really take.

        Raises
        ------
        InfeasibleError
            If there is no point at all; it names the limits in conflict.
        """
        return feasibility.extent(self.rows)

    def sample(self, count: int, seed: int = 0) -> Float[np.ndarray, "count n"]:
        """Points spread over the polytope, corners among them.

        Four in five come from hit-and-run walks, one in five is a vertex.

        Raises
        ------
        InfeasibleError
            If there is no point at all; it names the limits in conflict.
        """
        points = sampling.spread(self.rows, self._inside, count=count, seed=seed)
        return np.clip(points, self.lower, self.upper)


def _check(part: str, array: Any, shape: tuple[int, ...]) -> None:
    if array.shape != shape:
        raise ShapeError(f"shape {shape}", got=array.shape, remedy="give one entry per name", where=f"Polytope.{part}")
    entries = array.data if issparse(array) else array
    if np.isnan(entries).any() or (part == "A" and not np.isfinite(entries).all()):
        raise ShapeError("numbers", got=entries.tolist(), remedy="leave no entry missing", where=f"Polytope.{part}")

"""The ground inputs really stand on: ingredients that add to a total, bounds, and steps a person would make."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float


@dataclass(frozen=True, eq=False)
class Ground:
    """Where inputs can move.

    Parameters
    ----------
    names : tuple of str
        The d inputs, ingredients first.
    ingredients : int
        How many of them are ingredients: these add to a constant.
    lower, upper : array, shape (d,)
        Bounds, in the user's units.
    steps : array, shape (d,)
        The change that slopes are quoted for.
    """

    names: tuple[str, ...]
    ingredients: int
    lower: Float[np.ndarray, " d"]
    upper: Float[np.ndarray, " d"]
    steps: Float[np.ndarray, " d"]

    def at_lower(self, x: Float[np.ndarray, " d"]) -> np.ndarray:
        """Which inputs sit on their lower bound."""
        return x <= self.lower + self._grain

    def at_upper(self, x: Float[np.ndarray, " d"]) -> np.ndarray:
        """Which inputs sit on their upper bound."""
        return x >= self.upper - self._grain

    @property
    def _grain(self) -> Float[np.ndarray, " d"]:
        return 1e-6 * self.steps

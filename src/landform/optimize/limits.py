"""How a limit is said, and every limit of a polytope as one stack of rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float


def say(name: str, symbol: str, value: float) -> str:
    """One limit in words.

    Examples
    --------
    >>> say("extender A", "≥", 0.30)
    'extender A ≥ 0.3'
    """
    return f"{name} {symbol} {value:.6g}"


@dataclass(frozen=True, eq=False)
class Rows:
    """``lower <= matrix @ x <= upper``: bounds and linear constraints alike, each row with its name.

    Parameters
    ----------
    matrix : array, shape (r, n)
    lower, upper : array, shape (r,)
        Infinite where there is no limit; equal where the row is an equality.
    names : tuple of str
        What a user reads.

    Examples
    --------
    >>> rows = Rows(np.eye(1), np.array([0.0]), np.array([1.0]), ("x",))
    >>> rows.excess(np.array([1.5]))
    array([0.5])
    """

    matrix: Float[np.ndarray, "r n"]
    lower: Float[np.ndarray, " r"]
    upper: Float[np.ndarray, " r"]
    names: tuple[str, ...]

    @property
    def equality(self) -> Bool[np.ndarray, " r"]:
        """Which rows leave no room."""
        return self.lower == self.upper

    @property
    def n(self) -> int:
        """How many variables there are."""
        return int(self.matrix.shape[1])

    def excess(self, x: Float[np.ndarray, " n"]) -> Float[np.ndarray, " r"]:
        """By how much each row is missed at ``x``; zero where it holds."""
        value = self.matrix @ x
        return np.maximum(np.maximum(self.lower - value, value - self.upper), 0.0)

    def slack(self, x: Float[np.ndarray, " n"]) -> tuple[Float[np.ndarray, " r"], Float[np.ndarray, " r"]]:
        """Room below and above each row at ``x``."""
        value = self.matrix @ x
        return value - self.lower, self.upper - value

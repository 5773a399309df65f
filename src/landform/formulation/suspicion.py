"""Suspicions: cells that look wrong, with the reason. They change nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float, Int

Kind = Literal["decimal slip", "swapped pair", "impossible repeat", "far from its surroundings"]


@dataclass(frozen=True)
class Suspicion:
    """A cell that looks wrong, and why.

    Parameters
    ----------
    row, label : int, str
        The trial: its row in the file, and its label.
    column : str
        The input or property.
    value : float
        What stands there.
    kind : {"decimal slip", "swapped pair", "impossible repeat", "far from its surroundings"}
        What may have happened.
    words : str
        The reason, in a sentence.
    """

    row: int
    label: str
    column: str
    value: float
    kind: Kind
    words: str


@dataclass(frozen=True, eq=False)
class Records:
    """The trials' numbers with their names, as the checks of a table's health read them."""

    X: Float[np.ndarray, "n d"]
    Y: Float[np.ndarray, "n p"]
    inputs: tuple[str, ...]
    properties: tuple[str, ...]
    rows: Int[np.ndarray, " n"]
    labels: tuple[str, ...]
    groups: Int[np.ndarray, " n"]

    def suspect(self, i: int, column: str, value: float, kind: Kind, words: str) -> Suspicion:
        """A suspicion about trial i."""
        return Suspicion(int(self.rows[i]), self.labels[i], column, float(value), kind, words)

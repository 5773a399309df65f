"""Where to measure next, from the Jacobian.

References
----------
Atkinson, Donev and Tobias (2007), *Optimum Experimental Designs, with SAS*, ch. 10, 11 and 17.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from landform.errors import ShapeError
from landform.findings import Finding

if TYPE_CHECKING:
    import pandas as pd

Array = np.ndarray
CRITERIA = {
    "D": "the volume of the parameters' confidence region",
    "I": "the average variance of the predictions at the candidates",
    "E": "the variance of the least certain combination of relative parameters",
}


@dataclass(frozen=True, eq=False)
class Next(Finding):
    """Candidates to measure next, in order. Made by `Fitted.next_points`.

    Parameters
    ----------
    rows : tuple of int
        Their places among the candidates.
    shrinks : tuple of float
        What is left of the criterion after each, in parts of what it is before any.
    criterion : str
        Which.
    words : str
        The same in one sentence.
    """

    rows: tuple[int, ...]
    shrinks: tuple[float, ...]
    criterion: str
    words: str

    def to_frame(self) -> pd.DataFrame:
        """One row per measurement proposed."""
        import pandas as pd

        return pd.DataFrame({"candidate": self.rows, f"{self.criterion} left": self.shrinks})


def next_points(
    slopes: Float[Array, "m n"],
    candidates: Float[Array, "r n"],
    *,
    criterion: str,
    count: int,
    scale: Float[Array, " n"],
) -> Next:
    """Choose rows one after the other, each the best addition to what is known.

    Parameters
    ----------
    slopes : array, shape (m, n)
        Jacobian of the data there are, weighted.
    candidates : array, shape (r, n)
        Jacobian of the predictions at the candidates.
    criterion : {"D", "I", "E"}
        What is to become small.
    count : int
        How many.
    scale : array, shape (n,)
        Parameters, to speak of them relatively.
    """
    if criterion not in CRITERIA or not count > 0:
        raise ShapeError(
            'criterion "D", "I" or "E" and a positive count',
            got=f"{criterion!r}, {count}",
            remedy="choose one",
            where="next_points",
        )
    unit = np.where(scale != 0, np.abs(scale), 1.0)
    information, moves = (slopes * unit).T @ (slopes * unit), candidates * unit
    first = measure(information, moves, criterion)
    chosen, left = [], []
    for _ in range(count):
        trials = [measure(information + np.outer(a, a), moves, criterion) for a in moves]
        best = int(np.argmin(trials))
        information = information + np.outer(moves[best], moves[best])
        chosen.append(best)
        left.append(float(np.exp(trials[best] - first)))
    words = f"measuring candidate {', '.join(map(str, chosen))} leaves {100 * left[-1]:.3g} % of {CRITERIA[criterion]}"
    return Next(tuple(chosen), tuple(left), criterion, words)


def measure(information: Float[Array, "n n"], moves: Float[Array, "r n"], criterion: str) -> float:
    """The logarithm of what a criterion makes small.

    Examples
    --------
    >>> round(measure(np.diag([4.0, 1.0]), np.eye(2), "D"), 4), round(measure(np.diag([4.0, 1.0]), np.eye(2), "E"), 4)
    (-0.6931, -0.0)
    """
    values, vectors = np.linalg.eigh(information)
    values = np.maximum(values, 1e-300)
    if criterion == "D":
        return float(-0.5 * np.log(values).sum())
    if criterion == "E":
        return float(-np.log(values[0]))
    return float(np.log(np.mean(np.sum((moves @ vectors) ** 2 / values, axis=1))))

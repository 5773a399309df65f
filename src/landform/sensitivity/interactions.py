"""Which pairs of inputs act together: the Hessian over the rows, ranked, beside the inputs' own effects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float

from landform.findings import Finding, HeatMap, Picture
from landform.sensitivity.fields import Direction
from landform.sensitivity.subject import ExactSlopes, Subject

if TYPE_CHECKING:
    import pandas as pd

Array = np.ndarray
_EXACT, _NUMERIC = 2048, 64
_SHOWN = 15


@dataclass(frozen=True)
class Interaction:
    """How two inputs act on one output together, over the rows.

    Parameters
    ----------
    output, first, second : str
        The output and the pair; twice the same name for an input's own bend.
    curve : float
        Mean second derivative: how the slope of one changes per unit of the other.
    strength : float
        Root mean square, over the rows, of the second derivative times the standard deviations of both inputs (for
        a bend half of it), in standard deviations of the output.
    against_main : float
        The strength as a share of the larger of the two inputs' own effects.
    same_sign : float
        Share of the rows with the more common sign.
    """

    output: str
    first: str
    second: str
    curve: float
    strength: float
    against_main: float | None
    same_sign: float

    def to_dict(self) -> dict[str, Any]:
        """As it stands in ``results.json``."""
        return {**vars(self), "words": self.words}

    @property
    def words(self) -> str:
        """The interaction as a sentence."""
        how = f"second derivative {self.curve:.3g}".replace("-", "−")
        if self.first == self.second:
            return f"{self.output} bends along {self.first} ({how})"
        raises = "raises" if self.curve > 0 else "lowers"
        return f"more {self.second} {raises} the slope of {self.output} by {self.first} ({how})"


@dataclass(frozen=True)
class Interactions(Finding):
    """All interactions, the strongest first within every output.

    Parameters
    ----------
    pairs : tuple of Interaction
        Pairs and bends.
    rows : int
        How many rows they were taken over.
    """

    pairs: tuple[Interaction, ...]
    rows: int

    def to_frame(self) -> pd.DataFrame:
        """One row per output and pair."""
        import pandas as pd

        names = ["output", "first", "second", "curve", "strength", "against_main", "same_sign"]
        return pd.DataFrame([vars(one) for one in self.pairs], columns=names)

    def pictures(self) -> Sequence[Picture]:
        """A map of pairs for every output."""
        found: list[Picture] = []
        for output in dict.fromkeys(one.output for one in self.pairs):
            own = [one for one in self.pairs if one.output == output]
            names = list(dict.fromkeys(name for one in own for name in (one.first, one.second)))[:_SHOWN]
            grid: list[list[float | None]] = [[None] * len(names) for _ in names]
            for one in own:
                if one.first in names and one.second in names:
                    i, j = names.index(one.first), names.index(one.second)
                    grid[i][j] = grid[j][i] = float(np.copysign(one.strength, one.curve))
            found.append(
                HeatMap(names, names, grid, title=f"{output}: which inputs act together", axis="sd of the output")
            )
        return found


def interactions_of(
    subject: Subject, directions: Sequence[Direction], jacobians: Float[Array, "rows m d"], sizes: Float[Array, " m"],
    *, seed: int,
) -> Interactions:  # fmt: skip
    """Second derivatives along every pair of directions, at 2,048 rows at most (64 for numeric ones).

    Parameters
    ----------
    subject : Subject
        The model and its rows.
    directions : sequence of Direction
        The inputs' own directions.
    jacobians : array, shape (rows, m, d)
        At all rows.
    sizes : array, shape (m,)
        Standard deviation of every output.
    seed : int
        Of the draw of rows.
    """
    most = _EXACT if isinstance(subject.slopes, ExactSlopes) else _NUMERIC
    rows = np.arange(len(subject.X))
    if len(rows) > most:
        rows = np.sort(np.random.default_rng(seed).choice(len(rows), most, replace=False))
    X, J = subject.X[rows], jacobians[rows]
    V = np.stack([one.field(X) for one in directions], axis=2)
    logs = np.array([one.kind == "log" for one in directions])
    total, square, up, down = (np.zeros((len(sizes), len(directions), len(directions))) for _ in range(4))
    for part, block in subject.slopes.curves(X):
        along = np.einsum("rdk,rmde,rel->rmkl", V[part], block, V[part], optimize=True)
        # By the logarithm: d²f/d(log x)² = x² f'' + x f'.
        slopes = np.einsum("rmd,rdk->rmk", J[part], V[part]) * logs
        along = along + np.einsum("rmk,kl->rmkl", slopes, np.eye(len(directions)))
        total += along.sum(axis=0)
        square += (along**2).sum(axis=0)
        up += (along > 0).sum(axis=0)
        down += (along < 0).sum(axis=0)
    main = np.sqrt(np.mean(np.einsum("rmd,rdk->rmk", J, V) ** 2, axis=0))
    n = len(rows)
    return Interactions(_ranked(subject.outputs, directions, sizes, main, (total / n, square / n, up / n, down / n)), n)


def _ranked(
    outputs: Sequence[str],
    directions: Sequence[Direction],
    sizes: Float[Array, " m"],
    main: Float[Array, "m k"],
    moments: tuple[Array, Array, Array, Array],
) -> tuple[Interaction, ...]:
    mean, square, up, down = moments
    spreads = np.array([one.spread for one in directions])
    found = []
    for k, output in enumerate(outputs):
        size = sizes[k] if sizes[k] > 0 else 1.0
        own = main[k] * spreads / size
        pairs = []
        for i, j in combinations_with_replacement(range(len(directions)), 2):
            strength = float(np.sqrt(square[k, i, j]) * spreads[i] * spreads[j] / size * (0.5 if i == j else 1.0))
            larger = float(max(own[i], own[j]))
            pairs.append(
                Interaction(
                    output=output,
                    first=directions[i].input,
                    second=directions[j].input,
                    curve=float(mean[k, i, j]),
                    strength=strength,
                    against_main=strength / larger if larger > 0 else None,
                    same_sign=float(max(up[k, i, j], down[k, i, j])) if up[k, i, j] + down[k, i, j] > 0 else 1.0,
                )
            )
        found += sorted(pairs, key=lambda one: -one.strength)
    return tuple(found)

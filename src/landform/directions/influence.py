"""What each row does to each direction: leaving it out, to first and second order, without a refit.

Without row u the scatter loses u u' times rows / (rows − 1), so the covariance matrix changes by a rank-one matrix of
size ε = rows / (rows − 1)²; on the correlation scale the standard deviations change as well, which adds terms of both
orders. A span of directions that cannot be told apart is followed as a whole.

References
----------
Critchley (1985), "Influence in principal components analysis", Biometrika 72.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float

from landform.errors import ShapeError
from landform.findings import Bars, Finding, Picture
from landform.linalg import span_change
from landform.linalg.perturbation import Stack

if TYPE_CHECKING:
    import pandas as pd

    from landform.directions.decompose import Decomposition
    from landform.directions.principal import PrincipalDirections

_SHOWN = 10


@dataclass(frozen=True, eq=False)
class RowInfluence(Finding):
    """What leaving out each row would do.

    Parameters
    ----------
    labels : tuple
        Of the rows.
    spans : tuple of str
        "direction 1", "directions 2 and 3": what cannot be told apart turns together.
    turns : array, shape (rows, spans)
        Degrees by which the span would turn.
    changes : array, shape (rows, spans)
        Change of the mean of its eigenvalues.
    order : {1, 2}
        Of the expansion.
    """

    labels: tuple[Any, ...]
    spans: tuple[str, ...]
    turns: Float[np.ndarray, "rows spans"]
    changes: Float[np.ndarray, "rows spans"]
    order: int

    def to_frame(self) -> pd.DataFrame:
        """One row per row of data and span, in the order of the data."""
        import pandas as pd

        rows, spans = self.turns.shape
        return pd.DataFrame(
            {
                "row": np.repeat(np.array(self.labels, dtype=object), spans),
                "span": list(self.spans) * rows,
                "turn": self.turns.ravel(),
                "eigenvalue_change": self.changes.ravel(),
            }
        )

    @property
    def words(self) -> str:
        """The row that turns each span most."""
        most = np.argmax(self.turns, axis=0)
        return "\n".join(
            f"Row {self.labels[i]} turns {span} most: by {self.turns[i, s]:.2g}° if left out."
            for s, (i, span) in enumerate(zip(most, self.spans, strict=True))
        )

    def pictures(self) -> Sequence[Picture]:
        """The rows that turn each span most, for three spans at most."""
        return [self._bars(s) for s in range(min(3, len(self.spans)))]

    def _bars(self, s: int) -> Bars:
        most = np.argsort(-self.turns[:, s], kind="stable")[:_SHOWN]
        none = [None] * len(most)
        labels = [f"row {self.labels[i]}" for i in most]
        name = self.spans[s]
        return Bars(
            labels, list(self.turns[most, s]), none, none, name[0].upper() + name[1:], "turn if left out, degrees"
        )


def influence_of_rows(found: PrincipalDirections, *, order: int) -> RowInfluence:
    """Influence of every row of the data a finding came from.

    Raises
    ------
    ShapeError
        If the rows cannot be read again, or only leading eigenpairs are known, or the order is not 1 or 2.
    """
    if order not in (1, 2):
        raise ShapeError("order 1 or 2", got=repr(order), remedy="choose one", where="argument order")
    if not found.source.again or not found.decomposition.complete:
        raise ShapeError(
            "rows that can be read again, and all their eigenpairs",
            got="rows read once" if not found.source.again else "leading directions alone",
            remedy="pass fewer columns, or batches that can be read again",
        )
    if found.decomposition.correlation and len(found.decomposition.pairs.values) < len(found.names):
        raise ShapeError(
            "1000 columns at most, for influence on the correlation scale",
            got=f"{len(found.names)}",
            remedy='take scale="covariance" of columns divided by their standard deviations',
        )
    members = [slice(span.members[0] - 1, span.members[-1]) for span in found.spans if not span.goes_on]
    names = tuple(span.name for span in found.spans if not span.goes_on)
    blocks = [
        [_left_out(found.decomposition, found.decomposition.standardized(batch), inside, order) for inside in members]
        for batch in found.source.batches()
    ]
    parts = list(zip(*blocks, strict=True))
    turns = np.stack([np.concatenate([b[0] for b in part]) for part in parts], axis=1)
    changes = np.stack([np.concatenate([b[1] for b in part]) for part in parts], axis=1)
    labels = found.source.labels or tuple(range(len(turns)))
    return RowInfluence(labels, names, np.degrees(turns), changes, order)


def _left_out(
    found: Decomposition, u: Float[np.ndarray, "rows d"], members: slice, order: int
) -> tuple[np.ndarray, np.ndarray]:
    """Turn in radians and change of the mean eigenvalue, for each row left out."""
    size = found.rows / (found.rows - 1) ** 2
    first, second = _changes(found, u)
    change = span_change(found.pairs.values, members, first, size=size, rows=len(u), second=second, order=order)
    sums = found.pairs.values[members].sum()
    new = sums + change.trace
    if not found.correlation:
        new = new * (found.rows - 1) / (found.rows - 2)
    return change.angle, (new - sums) / (members.stop - members.start)


def _changes(found: Decomposition, u: Float[np.ndarray, "rows d"]) -> tuple[Any, Any]:
    """Apply the first- and second-order changes of the matrix when each row is left out, in eigencoordinates."""
    V = found.pairs.vectors
    z = (u @ V)[:, :, None]

    def removed(Y: Stack) -> Stack:
        return np.asarray(z * (z.transpose(0, 2, 1) @ Y))

    if not found.correlation:
        return lambda Y: -removed(Y), None
    values, square = found.pairs.values[:, None], u[:, :, None] ** 2

    def squares(Y: Stack) -> Stack:
        return np.asarray(V.T @ (square * (V @ Y)))

    def first(Y: Stack) -> Stack:
        return -removed(Y) + 0.5 * (squares(values * Y) + values * squares(Y))

    def second(Y: Stack) -> Stack:
        rank_one = 0.5 * (squares(removed(Y)) + removed(squares(Y)))
        fourth = 0.375 * (squares(squares(values * Y)) + values * squares(squares(Y)))
        return -rank_one + fourth + 0.25 * squares(values * squares(Y))

    return first, second

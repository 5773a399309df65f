"""Which directions stand alone, and which only span a plane (or more) together."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from jaxtyping import Float

from landform.directions.decompose import Decomposition
from landform.directions.doubt import Pulls, chance_of_a_tie, span_angle, span_shares

_KINDS = {2: "plane", 3: "space of 3 dimensions"}


@dataclass(frozen=True, eq=False)
class Span:
    """Neighboring directions that cannot be told apart, or one that stands alone.

    Parameters
    ----------
    members : tuple of int
        Directions, the first being 1.
    goes_on : bool
        Whether the next direction, which was not asked for, belongs to it as well.
    ties : tuple of float
        For each pair of neighbors inside: how often their eigenvalues would lie as far apart if they were equal.
    share : float
        Part of all variation that it carries.
    angle : float
        Root mean square angle in degrees between it and the true one; NaN where it goes on.
    columns : array, shape (d,)
        How much of each column's axis lies in it, from 0 to 1.
    column_errors : array, shape (d,)
        Standard errors of these; NaN where only leading directions are known.
    """

    members: tuple[int, ...]
    goes_on: bool
    ties: tuple[float, ...]
    share: float
    angle: float
    columns: Float[np.ndarray, " d"]
    column_errors: Float[np.ndarray, " d"]

    @property
    def alone(self) -> bool:
        """Whether it is one direction, apart from its neighbors."""
        return len(self.members) == 1 and not self.goes_on

    @property
    def name(self) -> str:
        """Such as "direction 1" or "directions 2 and 3"."""
        first, last = self.members[0], self.members[-1]
        if len(self.members) == 1:
            return f"direction {first}"
        return f"directions {first} {'and' if last == first + 1 else 'to'} {last}"

    @property
    def words(self) -> str:
        """What it is, as a sentence."""
        name = self.name[0].upper() + self.name[1:]
        carries = f"{'carry' if len(self.members) > 1 else 'carries'} {100 * self.share:.3g} % of the variation"
        if self.goes_on:
            return f"{name} {carries} and cannot be told apart from the next one: ask for more directions."
        if self.alone:
            return f"{name} {carries} and stands alone, known to {self.angle:.2g}°."
        if len(self.members) == len(self.columns):
            return f"{name} cannot be told apart: no direction stands out."
        kind = _KINDS.get(len(self.members), f"space of {len(self.members)} dimensions")
        return f"{name} {carries} and span a {kind} known to {self.angle:.2g}°; their axes mean nothing singly."


def tied_neighbors(found: Decomposition, pulls: Pulls, count: int) -> tuple[float, ...]:
    """For directions 1 to count: the chance of a tie with the next."""
    last = min(count, found.known - 1)
    return tuple(chance_of_a_tie(found, pulls, j) for j in range(last))


def member_slices(chances: tuple[float, ...], count: int, chance: float) -> tuple[slice, ...]:
    """Runs of directions in which each neighbor may be tied to the next.

    Examples
    --------
    >>> member_slices((0.001, 0.4, 0.01), 4, 0.05)
    (slice(0, 1, None), slice(1, 3, None), slice(3, 4, None))
    """
    cuts = [0, *(j + 1 for j in range(count - 1) if chances[j] <= chance), count]
    return tuple(slice(a, b) for a, b in pairwise(cuts))


def spans_of(
    found: Decomposition, pulls: Pulls, members: tuple[slice, ...], chances: tuple[float, ...], chance: float
) -> tuple[Span, ...]:
    """Every run of directions with how surely its span is known."""
    spans = []
    for inside in members:
        goes_on = inside.stop == members[-1].stop and len(chances) >= inside.stop and chances[inside.stop - 1] > chance
        columns = np.square(found.pairs.vectors[:, inside]).sum(axis=1)
        angle, errors = np.nan, np.full(len(columns), np.nan)
        if not goes_on:
            angle = float(np.degrees(span_angle(found, pulls, inside)))
            columns, errors = span_shares(found, pulls, inside)
            errors = errors if found.complete else np.full(len(columns), np.nan)
        spans.append(
            Span(
                tuple(range(inside.start + 1, inside.stop + 1)),
                goes_on,
                chances[inside.start : inside.stop - 1],
                float(found.pairs.values[inside].sum() / found.total),
                angle,
                columns,
                errors,
            )
        )
    return tuple(spans)

"""Swapped pairs: two cells that would both fit well if they were exchanged."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import numpy as np
from jaxtyping import Float

from landform.formulation.surroundings import Surroundings
from landform.formulation.suspicion import Records, Suspicion

_STRANGE, _ORDINARY = 5.0, 2.5  # standardized residuals, before and after the exchange
_CANDIDATES = 8


def adjacent_rows(records: Records, j: int, around: Surroundings) -> Iterator[Suspicion]:
    """Values of one property that changed places between two rows that follow each other.

    Parameters
    ----------
    records : Records
    j : int
        The property.
    around : Surroundings
        Its values, or their logarithms.
    """
    name = records.properties[j]
    taken: set[int] = set()
    for a in _promising(around):
        if a in taken or a + 1 in taken or not _fits_exchanged(around, a):
            continue
        taken |= {a, a + 1}
        first, second = map(int, around.places[[a, a + 1]])
        for here, there in ((first, second), (second, first)):
            mine, other = records.Y[here, j], records.Y[there, j]
            words = (
                f"{mine:.6g} here and {other:.6g} in row {records.rows[there]} both miss what the other trials "
                "suggest, and both fit if they are exchanged."
            )
            yield records.suspect(here, name, mine, "swapped pair", words)


def _promising(around: Surroundings) -> list[int]:
    """First rows of the neighbouring pairs that fit worst, and on opposite sides."""
    z = around.standardized
    if z.size < 8:
        return []
    worth = np.where(z[:-1] * z[1:] < 0, np.minimum(np.abs(z[:-1]), np.abs(z[1:])), 0.0)
    return [int(a) for a in np.argsort(-worth)[:_CANDIDATES] if worth[a] > 0]


def _fits_exchanged(around: Surroundings, a: int) -> bool:
    pair = np.array([a, a + 1])
    residual, covariance = around.leaving(pair)
    size = np.sqrt(np.diag(covariance)) * around.without(*map(int, pair)).spread()
    step = around.values[a + 1] - around.values[a]
    before, after = residual / size, (residual + np.array([step, -step])) / size
    return bool(np.all(np.abs(before) > _STRANGE) and np.all(np.abs(after) < _ORDINARY))


def within_rows(records: Records, around: dict[int, Surroundings]) -> Iterator[Suspicion]:
    """Two properties whose values changed places within a row.

    Parameters
    ----------
    records : Records
    around : dict
        For each property its values, or their logarithms.
    """
    for j, k in combinations(around, 2):
        for i in sorted(_strangest(around[j]) & _strangest(around[k])):
            a, b = (int(np.searchsorted(around[p].places, i)) for p in (j, k))
            if _explains(around[j], a, records.Y[i, k]) and _explains(around[k], b, records.Y[i, j]):
                for mine, other in ((j, k), (k, j)):
                    words = (
                        f"{records.Y[i, mine]:.6g} would fit under {records.properties[other]!r} and "
                        f"{records.Y[i, other]:.6g} here; both miss what the other trials suggest."
                    )
                    name = records.properties[mine]
                    yield records.suspect(i, name, records.Y[i, mine], "swapped pair", words)


def _strangest(around: Surroundings) -> set[int]:
    """The trials whose values fit worst."""
    return set(map(int, around.places[np.argsort(-np.abs(around.standardized))[:_CANDIDATES]]))


def _explains(around: Surroundings, a: int, instead: float) -> bool:
    """Whether the value at a is strange and another in its place would be ordinary."""
    if around.logs and instead <= 0:
        return False
    size = around.size(a)
    before = around.residuals[a] / size
    after = (around.residuals[a] + around.scale(instead) - around.values[a]) / size
    return bool(abs(before) > _STRANGE and abs(after) < _ORDINARY)


def input_pairs(records: Records) -> Iterator[Suspicion]:
    """Two inputs of one row that are off their columns' settings, and on them once exchanged."""
    for i in range(records.rows.size):
        alone = [j for j in range(len(records.inputs)) if _alone(records.X[:, j], i)]
        for j, k in combinations(alone, 2):
            if _repeated(records.X[:, j], records.X[i, k]) and _repeated(records.X[:, k], records.X[i, j]):
                for mine, other in ((j, k), (k, j)):
                    words = (
                        f"{records.X[i, mine]:.6g} is a setting of {records.inputs[other]!r}, not of this column; "
                        f"exchanged with {records.X[i, other]:.6g} both columns keep to their settings."
                    )
                    yield records.suspect(i, records.inputs[mine], records.X[i, mine], "swapped pair", words)


def _alone(x: Float[np.ndarray, " n"], i: int) -> bool:
    """Whether x[i] is outside the range of all other trials."""
    others = np.delete(x, i)
    return bool(others.size and (x[i] < others.min() or x[i] > others.max()))


def _repeated(x: Float[np.ndarray, " n"], value: float) -> bool:
    return bool(np.sum(np.abs(x - value) <= 1e-9 * max(abs(value), 1e-300)) >= 2)

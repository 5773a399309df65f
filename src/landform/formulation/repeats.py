"""Impossible repeats: replicates that disagree as no others do, and results that were copied."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

import numpy as np
from jaxtyping import Float, Int

from landform.formulation.surroundings import t_quantile
from landform.formulation.suspicion import Records, Suspicion

_CHANCE = 1e-4  # of naming a sound group, over all groups
_DEGREES = 4  # that the other replicates must give
_DIGITS = 6  # in common before equal results are no coincidence


def disagreeing(records: Records, j: int) -> Iterator[Suspicion]:
    """Replicates of one property that lie much further apart than all others."""
    y = records.Y[:, j]
    scales = [y, np.log(np.where(y > 0, y, np.nan))] if np.all(y[np.isfinite(y)] > 0) else [y]
    for members in _groups(records.groups, np.isfinite(y)):
        if all(_disagree(scale, members, records.groups) for scale in scales):
            i = _odd_one(y, members)
            others = ", ".join(f"{y[k]:.6g} in row {records.rows[k]}" for k in members if k != i)
            words = f"{y[i]:.6g} repeats the recipe of {others}, and differs far more than other repeats do."
            yield records.suspect(i, records.properties[j], y[i], "impossible repeat", words)


def _groups(groups: Int[np.ndarray, " n"], measured: np.ndarray) -> list[Int[np.ndarray, " k"]]:
    """Trials that repeat each other and were measured."""
    members = defaultdict(list)
    for i in np.flatnonzero(measured):
        members[int(groups[i])].append(int(i))
    return [np.array(found) for found in members.values() if len(found) > 1]


def _disagree(y: Float[np.ndarray, " n"], members: Int[np.ndarray, " k"], groups: Int[np.ndarray, " n"]) -> bool:
    every = _groups(groups, np.isfinite(y))
    others = [group for group in every if group[0] != members[0]]
    degrees = sum(group.size - 1 for group in others)
    if degrees < _DEGREES:
        return False
    variance = sum(float(np.sum((y[g] - y[g].mean()) ** 2)) for g in others) / degrees
    noise = max(np.sqrt(variance), 1e-9 * float(np.nanmax(np.abs(y))))
    bound = t_quantile(_CHANCE / len(every), degrees) * noise * np.sqrt(2)
    return bool(np.ptp(y[members]) > bound)


def _odd_one(y: Float[np.ndarray, " n"], members: Int[np.ndarray, " k"]) -> int:
    """The repeat furthest from the others; of two, the one further from the middle of all trials."""
    if members.size == 2:
        return int(members[np.argmax(np.abs(y[members] - np.nanmedian(y)))])
    return int(members[np.argmax(np.abs(y[members] - np.median(y[members])))])


def copied(records: Records) -> Iterator[Suspicion]:
    """Different recipes with the same results, all of them, to many digits."""
    first: dict[tuple[float, ...], int] = {}
    for i, results in enumerate(records.Y):
        key = tuple(map(float, results))
        if not np.isfinite(results).all() or sum(map(_digits, key)) < _DIGITS:
            continue
        before = first.setdefault(key, i)
        if records.groups[before] != records.groups[i]:
            words = (
                f"All results equal those of row {records.rows[before]} to the last digit, though the recipes differ; "
                "one of the rows may be a copy."
            )
            yield records.suspect(i, records.properties[0], key[0], "impossible repeat", words)


def _digits(value: float) -> int:
    """Significant digits of a number as it would be typed."""
    return len(f"{abs(value):.10e}".split("e")[0].replace(".", "").rstrip("0"))

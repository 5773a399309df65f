"""Values in order by copies: where rows of the same make follow each other, their slopes only take turns.

A gather reads an index for every value. A run of rows with as many entries each, every entry one place on from
where the row before had it, is the terms themselves, interleaved.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool, Int

MOST_RUNS = 12
"""Values in more runs than this are gathered."""
MOST_PHASES = 64
"""Rows of more entries than this are not looked at for runs of rows."""


@dataclass(frozen=True)
class Run:
    """Values that take slopes of a few terms in turn.

    Parameters
    ----------
    size : int
        Number of values.
    phases : tuple of (int, int)
        For every turn the term, and the place in it where it begins.
    """

    size: int
    phases: tuple[tuple[int, int], ...]


def runs_of(
    source: Int[np.ndarray, " k"], indptr: Int[np.ndarray, " rows1"], starts: Int[np.ndarray, " terms1"], single: Any
) -> tuple[Run, ...] | None:
    """The values' places as runs, or None where those are many.

    Parameters
    ----------
    source : array
        For every value its place in the slopes set end to end.
    indptr : array
        Where every row begins among the values.
    starts : array
        Where every term begins among the slopes, and where the last ends.
    single : sequence of bool
        For every term, whether its slope is one number for all of its elements.

    Examples
    --------
    >>> runs_of(np.array([0, 3, 1, 4, 2, 5]), np.array([0, 2, 4, 6]), np.array([0, 3, 6]), [False, False])
    (Run(size=6, phases=((0, 0), (1, 0))),)
    """
    term = np.searchsorted(starts, source, side="right") - 1
    step = 1 - np.asarray(single, np.int64)[term]
    breaks: dict[int, np.ndarray] = {}
    at = 0
    found: list[Run] = []
    while at < len(source):
        if len(found) == MOST_RUNS:
            return None
        end, phases = at, 1
        for length in _lengths(indptr, at):
            if length not in breaks:
                breaks[length] = np.flatnonzero(_broken(source, term, step, length))
            reach = _reach(breaks[length], at, length, len(source))
            if reach > end:
                end, phases = reach, length
        turns = range(at, min(at + phases, end))
        found.append(Run(end - at, tuple((int(term[p]), int(source[p] - starts[term[p]])) for p in turns)))
        at = end
    return tuple(found)


def _lengths(indptr: np.ndarray, at: int) -> list[int]:
    """The entries of this row and of the next two, and one: how often the same turn may come round."""
    row = int(np.searchsorted(indptr, at, side="right")) - 1
    lengths = dict.fromkeys(int(k) for k in np.diff(indptr[row : row + 4]))
    return [1, *(k for k in lengths if 1 < k <= MOST_PHASES)]


def _broken(source: np.ndarray, term: np.ndarray, step: np.ndarray, length: int) -> Bool[np.ndarray, " k"]:
    """For every value, whether the one ``length`` further on is not the next of the same term."""
    return (source[length:] - source[:-length] != step[:-length]) | (term[length:] != term[:-length])


def _reach(breaks: np.ndarray, at: int, length: int, size: int) -> int:
    """Where a run of this length of rows, begun at a value, ends."""
    k = int(np.searchsorted(breaks, at))
    return min(size, int(breaks[k]) + length) if k < len(breaks) else size


def in_turn(vals: Sequence[Any], run: Run, dtype: Any, *, whole: bool) -> list[Any]:
    """The values of a run: as one vector rounded up to whole rows, or exactly, in one or two pieces."""
    phases = len(run.phases)
    rows = -(-run.size // phases) if whole else run.size // phases
    columns = [_part(vals[term], first, rows, dtype) for term, first in run.phases]
    body = columns[0] if phases == 1 else jnp.stack(columns, 1).reshape(-1)
    rest = 0 if whole else run.size - rows * phases
    ends = [_part(vals[term], first + rows, 1, dtype) for term, first in run.phases[:rest]]
    return [body, *ends]


def _part(val: Any, first: int, count: int, dtype: Any) -> Any:
    """So many slopes of a term from a place on; zeros past its end."""
    if not np.ndim(val):
        return jnp.broadcast_to(jnp.asarray(val, dtype), (count,))
    flat = jnp.asarray(val, dtype).reshape(-1)[first : first + count]
    return flat if len(flat) == count else jnp.pad(flat, (0, count - len(flat)))

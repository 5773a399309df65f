"""Direct colorings of a matrix: columns, rows, or some entries by columns and the others by rows.

Every entry is given to one side. Two columns may share a product unless, in some row, one of them would spoil an
entry that the other has to give; a column that gives nothing is in no product. With every entry on one side this
is the distance-2 coloring of that side; dense rows or columns given to the other side cost one product each.

References
----------
Curtis, Powell and Reid (1974), "On the estimation of sparse Jacobian matrices", IMA J. Appl. Math. 13.
Coleman and Verma (1998), "The efficient computation of sparse Jacobian matrices using automatic differentiation",
SIAM J. Sci. Comput. 19.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from jaxtyping import Bool, Int

from landform.derivatives.coloring.orders import Lines, Neighbors, orders
from landform.derivatives.coloring.pattern import Structure

Given = Bool[np.ndarray, " entries"]
"""For every entry, in the order of a `Structure`, whether columns give it."""

GRAPH = 20_000_000
"""Pairs of columns that meet, beyond which their graph is not made."""

Colors = Int[np.ndarray, " lines"]


def greedy(order: Int[np.ndarray, " n"], lines: Lines, own: Lines | None, across: int) -> Colors:
    """The smallest color that spoils nothing, line after line.

    Parameters
    ----------
    order : array of int
        The lines (say columns) in the order in which they are colored.
    lines : Lines
        For every line the cross lines (rows) it meets.
    own : Lines, optional
        Those in which it gives the entry; None where it always does.
    across : int
        Number of cross lines.

    Examples
    --------
    >>> greedy(np.arange(3), Lines([0, 1, 3, 4], [0, 0, 1, 1]), None, 2).tolist()
    [0, 1, 0]
    """
    color = np.full(len(lines), -1)
    present, taken = [0] * across, [0] * across  # bit c: color c meets the cross line; it gives an entry in it
    ends, flat = lines.ends, lines.flat
    for j in order.tolist():
        meets = flat[ends[j] : ends[j + 1]]
        forbidden = 0
        if own is None:
            for i in meets:
                forbidden |= present[i]
        else:
            gives = own[j]
            if not gives:
                continue
            for i in meets:
                forbidden |= taken[i]
            for i in gives:
                forbidden |= present[i]
        bit = ~forbidden & (forbidden + 1)
        color[j] = bit.bit_length() - 1
        for i in meets:
            present[i] |= bit
        if own is not None:
            for i in gives:
                taken[i] |= bit
    if own is None:
        color[np.asarray(lines.lengths) == 0] = -1
    return color


def _lines(lines: np.ndarray, across: np.ndarray, count: int) -> Lines:
    """For every line what it meets."""
    order = np.argsort(lines, kind="stable")
    return Lines.of(np.concatenate([[0], np.cumsum(np.bincount(lines, minlength=count))]), across[order])


def colored_side(s: Structure, side: str, given: Given | None) -> Iterator[tuple[str, Colors]]:
    """Colors of the columns (or rows) that give some entries, in several orders; the last is not better than the best.

    Parameters
    ----------
    s : Structure
        The pattern.
    side : {"column", "row"}
        Which lines are colored.
    given : array of bool, optional
        The entries they give; all where None.
    """
    if given is not None and not given.any():
        yield "any", np.full(s.shape[1 if side == "column" else 0], -1)
        return
    mine, cross = (s.columns, s.rows) if side == "column" else (s.rows, s.columns)
    count, across = (s.shape[1], s.shape[0]) if side == "column" else s.shape
    counts = s.in_columns if side == "column" else s.in_rows
    lines = _lines(mine, cross, count)
    own = None if given is None or given.all() else _lines(mine[given], cross[given], count)
    kept = slice(None) if given is None else given
    crossed = np.bincount(cross[kept], minlength=across)
    least = int(crossed.max(initial=0))
    graph = _meeting(mine[kept], cross[kept], (count, across)) if np.sum(crossed.astype(float) ** 2) < GRAPH else None
    for name, order in orders(count, counts, graph):
        color = greedy(order, lines, own, across)
        yield name, color
        if color.max(initial=-1) + 1 <= least:
            return  # a cross line with that many entries needs as many colors


def _meeting(mine: np.ndarray, cross: np.ndarray, shape: tuple[int, int]) -> Neighbors:
    """The graph of the lines that meet in some cross line."""
    from scipy.sparse import csr_array

    def graph() -> tuple[np.ndarray, np.ndarray]:
        matrix = csr_array((np.ones(len(mine), np.int32), (mine, cross)), shape=shape)
        meeting = (matrix @ matrix.T).tocsr()
        return meeting.indptr, meeting.indices

    return graph


def least_colors(s: Structure, given: Given) -> tuple[int, int]:
    """Fewer column and row colors than these do not suffice: entries of one line that one side has to give."""
    return (
        int(np.bincount(s.rows[given], minlength=1).max(initial=0)),
        int(np.bincount(s.columns[~given], minlength=1).max(initial=0)),
    )


def shares(s: Structure) -> Iterator[Given]:
    """Ways to give some entries to columns and the others to rows; none where no line is much denser than the rest.

    The first gives every entry to the denser of its two lines. The others take the densest rows and columns out,
    as many as seem to pay, and give what is left to columns or to rows.
    """
    rows, columns = s.in_rows, s.in_columns
    heavy = max(rows.max(initial=0), columns.max(initial=0))
    if heavy < 4:
        return
    yield columns[s.columns] >= rows[s.rows]
    for lines in ("rows", "columns", "both"):
        yield from _peeled(s, lines)


def _peeled(s: Structure, lines: str) -> Iterator[Given]:
    """The densest lines taken out: as many as leave the least to do."""
    m, n = s.shape
    weights = np.concatenate([s.in_rows * (lines != "columns"), s.in_columns * (lines != "rows")])
    ranked = np.argsort(-weights, kind="stable")
    best: dict[str, tuple[int, Given]] = {}
    for k in _counts(m + n):
        out = np.zeros(m + n, bool)
        out[ranked[:k]] = True
        by_row, by_column = out[:m][s.rows], out[m:][s.columns]
        left = ~(by_row | by_column)
        for side, cross, count, given in (
            ("column", s.rows, m, left | (by_column & ~by_row)),
            ("row", s.columns, n, by_column),
        ):
            bound = k + int(np.bincount(cross[left], minlength=count).max(initial=0))
            if side not in best or bound < best[side][0]:
                best[side] = bound, given
        if k > min(b for b, _ in best.values()):
            break
    for bound, given in best.values():
        if bound < max(s.in_rows.max(), s.in_columns.max()):
            yield given


def _counts(most: int) -> Iterator[int]:
    """1, 2, 3, 4, 6, 8, 12, …"""
    k = 1.0
    while k < most:
        yield int(k)
        k = max(k + 1, np.ceil(k * 1.4))

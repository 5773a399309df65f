"""Columns that can be moved together: a sparsity pattern and its coloring, made once and used at many points."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from jaxtyping import Int

from landform.errors import ShapeError


@dataclass(frozen=True)
class ColoredPattern:
    """Where a Jacobian can differ from zero, and a color for every column. Made by `color_columns`.

    Parameters
    ----------
    shape : tuple of int
        (outputs, inputs).
    indptr, columns : array of int
        The pattern in compressed rows.
    rows : array of int
        Row of every entry.
    color : array of int, shape (n,)
        No two columns of one color meet in a row.
    """

    shape: tuple[int, int]
    indptr: Int[np.ndarray, " rows"]
    columns: Int[np.ndarray, " entries"]
    rows: Int[np.ndarray, " entries"]
    color: Int[np.ndarray, " n"]

    @cached_property
    def colors(self) -> int:
        """How many there are."""
        return int(self.color.max()) + 1 if self.color.size else 0

    @cached_property
    def groups(self) -> tuple[Int[np.ndarray, " k"], ...]:
        """The columns of every color."""
        return tuple(np.flatnonzero(self.color == c) for c in range(self.colors))

    @cached_property
    def source(self) -> Int[np.ndarray, " entries"]:
        """Where every entry stands in a table with one row per color and one column per output."""
        return np.asarray(self.color[self.columns].astype(np.intp) * self.shape[0] + self.rows)


def color_columns(pattern: Any) -> ColoredPattern:
    """Color a pattern's columns greedily, in natural order and with the busiest first; the better is kept.

    Parameters
    ----------
    pattern : array or sparse matrix, shape (m, n)
        Non-zero where an entry can be.

    References
    ----------
    Curtis, Powell and Reid (1974), "On the estimation of sparse Jacobian matrices", IMA J. Appl. Math. 13;
    Gebremedhin, Manne and Pothen (2005), "What color is your Jacobian?", SIAM Review 47.

    Examples
    --------
    >>> color_columns(np.tri(6, 6, 1) - np.tri(6, 6, -2)).colors
    3
    """
    import scipy.sparse as sp

    try:
        # A pattern is a place, not a number: entries that cancel or are stored as zero stay distinct from none.
        matrix = sp.csr_array(pattern)
        matrix.sum_duplicates()
        matrix.eliminate_zeros()
    except (TypeError, ValueError) as error:
        raise _refused(pattern) from error
    if matrix.ndim != 2 or 0 in matrix.shape:
        raise _refused(pattern)
    matrix = sp.csr_array((np.ones(matrix.nnz, dtype=np.int64), matrix.indices, matrix.indptr), shape=matrix.shape)
    meeting = sp.csr_array(matrix.T @ matrix)
    starts, neighbors = meeting.indptr.tolist(), meeting.indices.tolist()
    degree = np.diff(meeting.indptr)
    orders = (range(matrix.shape[1]), np.argsort(-degree, kind="stable").tolist())
    color = min((_greedy(order, starts, neighbors) for order in orders), key=max)
    rows = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    return ColoredPattern(
        (int(matrix.shape[0]), int(matrix.shape[1])), matrix.indptr, matrix.indices, rows, np.array(color)
    )


def _refused(pattern: Any) -> ShapeError:
    return ShapeError(
        "a matrix of shape (outputs, inputs)",
        got=f"{type(pattern).__name__} of shape {np.shape(pattern)}",
        remedy="give an array, a SciPy sparse matrix or a ColoredPattern",
        where="argument sparsity",
    )


def _greedy(order: Any, starts: list[int], neighbors: list[int]) -> list[int]:
    """The smallest color no neighbor has, column after column."""
    color = [-1] * (len(starts) - 1)
    for j in order:
        taken = {color[k] for k in neighbors[starts[j] : starts[j + 1]]}
        own = 0
        while own in taken:
            own += 1
        color[j] = own
    return color

"""A colored pattern: how many products, of which lines, and where every entry stands in them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
from jaxtyping import Bool, Float, Int

from landform.derivatives.coloring.pattern import Structure

Kind = Literal["column", "row", "bidirectional", "star", "acyclic"]


@dataclass(frozen=True, eq=False)
class ColoredPattern:
    """Where a matrix can differ from zero, and the products that fill it. Made by `color_jacobian` and its siblings.

    Parameters
    ----------
    structure : Structure
        The pattern.
    kind : {"column", "row", "bidirectional", "star", "acyclic"}
        Which lines share a product; "star" and "acyclic" use that the matrix equals its transpose.
    order : str
        The order in which the lines were colored.
    color : array of int, shape (n,)
        Columns of one color are moved together; -1 for a column in no product.
    row_color : array of int, shape (m,)
        Rows of one color are pulled back together; -1 for a row in no product.
    source : array of int, shape (entries,)
        Where every entry stands in the products set end to end: those of columns, m numbers each, then those
        of rows, n numbers each.
    forest : Forest, optional
        What has to be taken off, in an acyclic coloring.
    """

    structure: Structure
    kind: Kind
    order: str
    color: Int[np.ndarray, " n"]
    row_color: Int[np.ndarray, " m"]
    source: Int[np.ndarray, " entries"]
    forest: Forest | None = None

    @property
    def shape(self) -> tuple[int, int]:
        """(outputs, inputs)."""
        return self.structure.shape

    @property
    def indptr(self) -> Int[np.ndarray, " rows1"]:
        """Start of every row among the entries."""
        return self.structure.indptr

    @property
    def columns(self) -> Int[np.ndarray, " entries"]:
        """Column of every entry."""
        return self.structure.columns

    @property
    def rows(self) -> Int[np.ndarray, " entries"]:
        """Row of every entry."""
        return self.structure.rows

    @cached_property
    def colors(self) -> int:
        """Products with columns."""
        return int(self.color.max(initial=-1)) + 1

    @cached_property
    def row_colors(self) -> int:
        """Products with rows."""
        return int(self.row_color.max(initial=-1)) + 1

    @property
    def products(self) -> int:
        """All of them."""
        return self.colors + self.row_colors

    @cached_property
    def groups(self) -> tuple[Int[np.ndarray, " k"], ...]:
        """The columns of every color."""
        return tuple(np.flatnonzero(self.color == c) for c in range(self.colors))

    @property
    def seeds(self) -> Bool[np.ndarray, "colors n"]:
        """Which columns every product moves."""
        return np.arange(self.colors)[:, None] == self.color

    @cached_property
    def moved(self) -> tuple[Any, Int[np.ndarray, " k"]]:
        """The columns that have a color, as an index, and where they stand in `seeds` set end to end."""
        columns = np.flatnonzero(self.color >= 0)
        places = self.color[columns].astype(np.intp) * len(self.color) + columns
        return slice(None) if len(columns) == len(self.color) else columns, places

    @cached_property
    def taken_columns(self) -> Int[np.ndarray, " entries"]:
        """Column of every entry in the kind of number that NumPy indexes with soonest."""
        return self.columns.astype(np.intp)

    @property
    def row_seeds(self) -> Bool[np.ndarray, "row_colors m"]:
        """Which rows every product pulls back."""
        return np.arange(self.row_colors)[:, None] == self.row_color

    def entries(self, pushed: Any, pulled: Any = None) -> Float[np.ndarray, " entries"]:
        """The matrix's entries from its products.

        Parameters
        ----------
        pushed : array, shape (colors, m)
            The matrix times every line of `seeds`.
        pulled : array, shape (row_colors, n), optional
            Its transpose times every line of `row_seeds`.

        Examples
        --------
        >>> from landform.derivatives.coloring import color_jacobian
        >>> A = np.array([[1.0, 2, 3, 4], [5, 6, 0, 0], [7, 0, 8, 0], [9, 0, 0, 10]])
        >>> c = color_jacobian(A, kind="bidirectional")
        >>> c.kind, c.products, c.entries(c.seeds @ A.T, c.row_seeds @ A).tolist()
        ('bidirectional', 3, [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0])
        """
        parts = [np.ravel(part) for part in (pushed, pulled) if part is not None]
        found = np.concatenate(parts)[self.source]
        return found if self.forest is None else self.forest.without(found)

    def __str__(self) -> str:
        """The coloring in words."""
        lines = [f"{self.colors} column"] * bool(self.colors) + [f"{self.row_colors} row"] * bool(self.row_colors)
        if self.kind in ("star", "acyclic"):
            lines = [f"{self.colors}"]
        count = " and ".join(lines) or "0"
        return f"{count} color{'' if self.products == 1 else 's'}, {self.kind} coloring, {self.order} order"


@dataclass(frozen=True, eq=False)
class Forest:
    """Entries of a symmetric matrix that stand in a product beside others, which are found first.

    Parameters
    ----------
    entry : array of int, shape (edges,)
        The entry an equation gives, leaves first.
    mirror : array of int, shape (edges,)
        The same entry across the diagonal.
    child, parent : array of int
        Equation ``child`` gives what has to be taken off in equation ``parent``.
    """

    entry: Int[np.ndarray, " edges"]
    mirror: Int[np.ndarray, " edges"]
    child: Int[np.ndarray, " links"]
    parent: Int[np.ndarray, " links"]

    @cached_property
    def _solve(self) -> Any:
        from scipy.sparse import csc_array
        from scipy.sparse.linalg import splu

        count, here = len(self.entry), np.arange(len(self.entry))
        values = np.ones(count + len(self.child))
        places = np.concatenate([here, self.parent]), np.concatenate([here, self.child])
        lower = csc_array((values, places), shape=(count, count))
        return splu(lower, permc_spec="NATURAL", diag_pivot_thresh=0.0).solve

    def without(self, found: Float[np.ndarray, " entries"]) -> Float[np.ndarray, " entries"]:
        """Entries with all others taken off, by forward substitution from the leaves."""
        if not len(self.child):
            return found
        out = np.array(found)
        out[self.entry] = self._solve(np.asarray(found[self.entry], np.float64))
        out[self.mirror] = out[self.entry]
        return out

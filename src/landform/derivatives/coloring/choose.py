"""The best coloring of a pattern: several kinds, several orders, the fewest products kept."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Literal

import numpy as np

from landform.derivatives.coloring.acyclic import acyclic_colors, forest_of
from landform.derivatives.coloring.colored import ColoredPattern, Kind
from landform.derivatives.coloring.lines import Given, colored_side, least_colors, shares
from landform.derivatives.coloring.orders import Lines, orders
from landform.derivatives.coloring.pattern import Structure, make_structure
from landform.derivatives.coloring.star import star_colors, star_sources
from landform.errors import ShapeError

PULL = 2
"""What a product with rows costs, in products with columns (Griewank and Walther 2008, ch. 3 and 4)."""

MANY = 300_000
"""Entries beyond which only two orders are tried for a symmetric matrix: each takes about a microsecond per entry."""


def color_columns(pattern: Any) -> ColoredPattern:
    """Columns that can be moved together, every one of them: what differences of a black box need.

    Parameters
    ----------
    pattern : array or sparse matrix, shape (m, n)
        Non-zero where an entry can be.

    Examples
    --------
    >>> color_columns(np.tri(6, 6, 1) - np.tri(6, 6, -2)).colors
    3
    """
    found = color_jacobian(pattern, kind="column")
    return replace(found, color=np.maximum(found.color, 0))  # empty columns move along: all are looked at


def color_jacobian(pattern: Any, *, kind: Literal["auto", "column", "row", "bidirectional"] = "auto") -> ColoredPattern:
    """Few products that fill a matrix.

    Parameters
    ----------
    pattern : array, SciPy sparse matrix, JAX BCOO or Structure, shape (m, n)
        Non-zero where an entry can be.
    kind : {"auto", "column", "row", "bidirectional"}
        "auto" takes the cheapest, a product with a row counted as two with a column. "bidirectional" gives some
        entries to columns and the others to rows: an arrow needs three products whatever its size.

    Returns
    -------
    ColoredPattern

    Raises
    ------
    ShapeError
        If the pattern is no matrix, or the kind is unknown.

    References
    ----------
    Gebremedhin, Manne and Pothen (2005), "What color is your Jacobian?", SIAM Review 47; Coleman and Verma (1998),
    SIAM J. Sci. Comput. 19.

    Examples
    --------
    >>> arrow = np.eye(50)
    >>> arrow[0] = arrow[:, 0] = 1
    >>> str(color_jacobian(arrow))
    '2 column and 1 row colors, bidirectional coloring, natural order'
    """
    _refuse_other(kind, ("auto", "column", "row", "bidirectional"))
    s = pattern if isinstance(pattern, Structure) else make_structure(pattern)
    found = [_of_sides(s, None, "column")] if kind in ("auto", "column") else []
    if kind == "row" or (kind == "auto" and PULL * s.in_columns.max() < cost(found[0])[0]):
        found.append(_of_sides(s, None, "row"))
    if kind in ("auto", "bidirectional"):
        found += _bidirectional(s, found, asked=kind == "bidirectional")
    return min(found, key=cost)


def color_hessian(pattern: Any, *, kind: Literal["auto", "star", "acyclic", "column"] = "auto") -> ColoredPattern:
    """Few products that fill a symmetric matrix.

    Parameters
    ----------
    pattern : as for `color_jacobian`, symmetric
        Non-zero where an entry can be.
    kind : {"auto", "star", "acyclic", "column"}
        "star", which "auto" takes, reads every entry from one product, to the last bit. "acyclic" needs fewer
        products, but takes entries off each other: rounding adds up along chains of them.

    Raises
    ------
    ShapeError
        If the pattern is not symmetric, or the kind is unknown.

    References
    ----------
    Gebremedhin, Tarafdar, Manne and Pothen (2007), "New acyclic and star coloring algorithms with application to
    computing Hessians", SIAM J. Sci. Comput. 29.

    Examples
    --------
    >>> band = np.tri(9, 9, 1) - np.tri(9, 9, -2)
    >>> [color_hessian(band, kind=kind).products for kind in ("star", "acyclic", "column")]
    [3, 2, 3]
    """
    _refuse_other(kind, ("auto", "star", "acyclic", "column"))
    s = pattern if isinstance(pattern, Structure) else make_structure(pattern)
    if not s.is_symmetric:
        raise ShapeError(
            "a symmetric pattern",
            got=f"shape {s.shape} whose mirror image differs",
            remedy="a Hessian equals its transpose: add the entries across the diagonal",
            where="argument sparsity",
        )
    if kind == "column":
        return color_jacobian(s, kind="column")
    return _acyclic(s) if kind == "acyclic" else _star(s)


def _refuse_other(kind: str, kinds: tuple[str, ...]) -> None:
    if kind not in kinds:
        raise ShapeError(f"a kind among {kinds}", got=repr(kind), remedy="choose one", where="argument kind")


def cost(colored: ColoredPattern) -> tuple[int, int]:
    """What the products cost, in products with columns; of two that cost the same the one of fewer products."""
    return colored.colors + PULL * colored.row_colors, colored.products


def _best(found: Iterator[tuple[str, np.ndarray]]) -> tuple[str, np.ndarray]:
    """The first of those with the fewest colors."""
    return min(found, key=lambda pair: int(pair[1].max(initial=-1)))


def _of_sides(s: Structure, given: Given | None, kind: Kind) -> ColoredPattern:
    """A coloring in which columns give some entries (all, none) and rows the others."""
    m, n = s.shape
    color, row_color = np.full(n, -1), np.full(m, -1)
    names = []
    if kind != "row":
        name, color = _best(colored_side(s, "column", given))
        names.append(name)
    if kind != "column":
        name, row_color = _best(colored_side(s, "row", None if given is None else ~given))
        names.append(name)
    by_column = np.full(s.nnz, kind == "column") if given is None else given
    pushed = (int(color.max(initial=-1)) + 1) * m
    source = np.where(by_column, color[s.columns] * m + s.rows, pushed + row_color[s.rows] * n + s.columns)
    order = " and ".join(dict.fromkeys(name for name in names if name != "any")) or "natural"
    return ColoredPattern(s, kind, order, color, row_color, source)


def _bidirectional(s: Structure, others: list[ColoredPattern], *, asked: bool) -> list[ColoredPattern]:
    """Colorings from both sides, where lines so dense are there that they may pay."""
    best = min((cost(c)[0] for c in others), default=np.inf)
    found: list[ColoredPattern] = []
    for given in shares(s) if best > 1 + PULL else ():
        columns, rows = least_colors(s, given)
        if columns + PULL * rows < best:
            found.append(_of_sides(s, given, "bidirectional"))
            best = min(best, cost(found[-1])[0])
    if asked and not found:
        found = [_of_sides(s, np.ones(s.nnz, bool), "bidirectional")]
    return found


def _graph(s: Structure) -> tuple[np.ndarray, np.ndarray]:
    """The pattern of a symmetric matrix as a graph, its diagonal left out."""
    off = s.rows != s.columns
    counts = np.bincount(s.rows[off], minlength=s.shape[0])
    return np.concatenate([[0], np.cumsum(counts)]), s.columns[off]


def _star(s: Structure) -> ColoredPattern:
    indptr, indices = _graph(s)
    neighbors = Lines.of(indptr, indices)
    found = []
    for name, order in orders(s.shape[0], np.diff(indptr), (lambda: (indptr, indices)) if s.nnz < MANY else None):
        color, source = star_sources(s, star_colors(order, neighbors))
        found.append((int(color.max(initial=-1)), name, color, source))
        if found[-1][0] < 2 or (s.nnz >= MANY and len(found) == 2):
            break  # one or two products, than which nothing is better; or enough of an effort
    _, name, color, source = min(found, key=lambda f: f[0])
    return ColoredPattern(s, "star", name, color, np.full(s.shape[0], -1), source)


def _acyclic(s: Structure) -> ColoredPattern:
    indptr, indices = _graph(s)
    neighbors = Lines.of(indptr, indices)
    found = []
    for name, order in orders(s.shape[0], np.diff(indptr), lambda: (indptr, indices)):
        found.append((name, acyclic_colors(order, neighbors)))
        if found[-1][1].max(initial=-1) < 2:
            break
    name, color = _best(iter(found))
    source, forest = forest_of(s, color)
    return ColoredPattern(s, "acyclic", name, color, np.full(s.shape[0], -1), source, forest)

"""Star coloring: a symmetric matrix straight from its products with few vectors.

Neighbors differ in color, and on every path of four vertices there are three colors. Then every entry (i, j) stands
alone in row i of the product of j's color, or in row j of the product of i's color.

References
----------
Gebremedhin, Tarafdar, Manne and Pothen (2007), "New acyclic and star coloring algorithms with application to computing
Hessians", SIAM J. Sci. Comput. 29, algorithm 4.1. What that keeps in lists of stars stands here in sets of colors, one
whole number each, so that forbidding costs one operation per neighbor.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Int

from landform.derivatives.coloring.orders import Lines
from landform.derivatives.coloring.pattern import Structure


def star_colors(order: Int[np.ndarray, " n"], neighbors: Lines) -> Int[np.ndarray, " n"]:
    """Colors by a greedy walk.

    Parameters
    ----------
    order : array of int, shape (n,)
        The vertices in the order in which they are colored.
    neighbors : Lines
        The graph; no vertex is its own neighbor.

    Examples
    --------
    >>> star_colors(np.arange(5), Lines([0, 1, 3, 5, 7, 8], [1, 0, 2, 1, 3, 2, 4, 3])).tolist()
    [0, 1, 0, 2, 0]
    """
    size = len(neighbors)
    color = [-1] * size
    around = [0] * size  # colors next to a vertex
    twice = [0] * size  # those that stand next to it at least twice: it is the hub of a star of two colors
    hubs = [0] * size  # colors of the hubs of such stars in which it is a leaf
    leaf: dict[tuple[int, int], int] = {}  # the first neighbor of a color
    ends, flat = neighbors.ends, neighbors.flat
    for v in order.tolist():
        beside = flat[ends[v] : ends[v + 1]]
        forbidden, double = around[v], twice[v]
        for w in beside:
            c = color[w]
            if c >= 0:
                forbidden |= around[w] if double >> c & 1 else hubs[w]
        bit = ~forbidden & (forbidden + 1)
        own = color[v] = bit.bit_length() - 1
        for w in beside:
            c = color[w]
            if around[w] & bit:
                if c >= 0:
                    hubs[v] |= 1 << c
                    if not twice[w] & bit:
                        hubs[leaf[w, own]] |= 1 << c
                twice[w] |= bit
            else:
                around[w] |= bit
                leaf[w, own] = v
            if double and c >= 0 and double >> c & 1:
                hubs[w] |= bit
    return np.array(color)


def star_sources(
    s: Structure, color: Int[np.ndarray, " n"]
) -> tuple[Int[np.ndarray, " n"], Int[np.ndarray, " entries"]]:
    """The colors that are needed, renumbered, and where every entry stands in their products.

    An entry that both its lines can give is given by the one whose color is needed anyway.
    """
    n, colors = s.shape[0], int(color.max(initial=-1)) + 1
    rows, columns = s.rows.astype(np.int64), s.columns.astype(np.int64)
    place = rows * colors + color[columns]  # how often a color stands in a row
    alone = np.bincount(place, minlength=n * colors)[place] == 1 if colors else np.zeros(0, bool)
    mirror = mirrored_places(s)
    forced = alone & ~alone[mirror]
    needed = np.zeros(max(colors, 1), bool)
    needed[color[columns[forced | (rows == columns)]]] = True
    here = alone & (~alone[mirror] | needed[color[columns]] | ~needed[color[rows]])
    both = alone & alone[mirror] & (needed[color[columns]] == needed[color[rows]])
    here = np.where(both, color[columns] <= color[rows], here)
    used = np.zeros(max(colors, 1), bool)
    used[np.where(here, color[columns], color[rows])] = True
    new = np.where(used, np.cumsum(used) - 1, -1)[color]
    return new, np.where(here, new[columns] * n + rows, new[rows] * n + columns)


def mirrored_places(s: Structure) -> Int[np.ndarray, " entries"]:
    """For every entry the place of the one across the diagonal, in a symmetric pattern."""
    return np.lexsort((s.rows, s.columns))

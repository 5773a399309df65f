"""Acyclic coloring: a symmetric matrix from still fewer products, by substitution.

Neighbors differ in color, and the vertices of any two colors form a forest. The entries of a forest are found from its
leaves inward: a leaf's edge stands alone in a product, and once it is known it is taken off its neighbor's.

References
----------
Coleman and Cai (1986), "The cyclic coloring problem and estimation of sparse Hessian matrices", SIAM J. Alg. Disc.
Meth. 7; Gebremedhin, Tarafdar, Manne and Pothen (2007), SIAM J. Sci. Comput. 29, algorithm 3.1.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Int

from landform.derivatives.coloring.colored import Forest
from landform.derivatives.coloring.orders import Lines
from landform.derivatives.coloring.pattern import Structure
from landform.derivatives.coloring.star import mirrored_places


def acyclic_colors(order: Int[np.ndarray, " n"], neighbors: Lines) -> Int[np.ndarray, " n"]:
    """Colors by a greedy walk; a union of trees tells where a color would close a cycle.

    Examples
    --------
    >>> acyclic_colors(np.arange(5), Lines([0, 1, 3, 5, 7, 8], [1, 0, 2, 1, 3, 2, 4, 3])).tolist()
    [0, 1, 0, 1, 0]
    """
    color = [-1] * len(neighbors)
    trees: list[dict[int, int]] = [{} for _ in color]  # color next to a vertex → the tree of both colors it is in
    above: list[int] = []  # union-find over trees

    def root(t: int) -> int:
        while above[t] != t:
            above[t] = t = above[above[t]]
        return t

    for v in order.tolist():
        colored = [w for w in neighbors[v] if color[w] >= 0]
        forbidden, seen = 0, set()
        for w in colored:
            forbidden |= 1 << color[w]
        for w in colored:
            for c, t in trees[w].items():
                t = root(t)
                if t in seen:
                    forbidden |= 1 << c  # two ways into one tree
                seen.add(t)
        own = color[v] = (~forbidden & (forbidden + 1)).bit_length() - 1
        for w in colored:
            known = [root(t) for t in (trees[w].get(own), trees[v].get(color[w])) if t is not None]
            if not known:
                known = [len(above)]
                above.append(known[0])
            above[known[-1]] = known[0]
            trees[w][own] = trees[v][color[w]] = known[0]
    return np.array(color)


def forest_of(s: Structure, color: Int[np.ndarray, " n"]) -> tuple[Int[np.ndarray, " entries"], Forest]:
    """Where every entry stands in the products, and what has to be taken off it, leaves first."""
    n = s.shape[0]
    rows, columns = s.rows, s.columns
    mirror = mirrored_places(s)
    at = color[columns].astype(np.int64) * n + rows  # the entry in row i of the product of j's color
    waiting: dict[int, set[int]] = {}  # product and row → the places of the entries in it that are not known yet
    off = np.flatnonzero(rows != columns)
    for place, where in zip(off.tolist(), at[off].tolist(), strict=True):
        waiting.setdefault(where, set()).add(place)
    where_of, mirror_of = at.tolist(), mirror.tolist()
    leaves = [where for where, left in waiting.items() if len(left) == 1]
    entry: list[int] = []
    child: list[int] = []
    parent: list[int] = []
    taken_off: dict[int, list[int]] = {}
    while leaves:
        where = leaves.pop()
        if not waiting[where]:
            continue  # its last entry was found from the other side
        place = waiting[where].pop()
        equation = len(entry)
        entry.append(place)
        for earlier in taken_off.get(where, ()):
            child.append(earlier)
            parent.append(equation)
        other = where_of[mirror_of[place]]
        waiting[other].discard(mirror_of[place])
        taken_off.setdefault(other, []).append(equation)
        if len(waiting[other]) == 1:
            leaves.append(other)
    chosen = np.array(entry, dtype=np.int64)
    source = at.copy()
    source[mirror[chosen]] = at[chosen]
    links = np.array(child, dtype=np.int64), np.array(parent, dtype=np.int64)
    return source, Forest(chosen, mirror[chosen], *links)
